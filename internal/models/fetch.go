package models

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"portico/internal/egress"
	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/secret"
)

const (
	// listTime is how long reading the list of one account may take in all.
	listTime = 15 * time.Second
	// maxBody bounds one page, or the answer to a probe, in bytes. The largest
	// list known, OpenRouter's, has half a megabyte.
	maxBody = 4 << 20
	// maxPages and maxModels bound what is read of one account's list.
	maxPages  = 20
	maxModels = 10_000
)

// errNoList is that an account has no list of models.
var errNoList = errors.New("it has no list of models")

// listed reports whether a has a list that we can read.
func (s *Shelf) listed(a *pool.Account) bool {
	if provider.QuirksOf(a.By, a.Account).Unlisted {
		return false
	}
	for _, proto := range a.Protocols {
		if _, ok := s.codecs[proto].(protocol.Lister); ok {
			return true
		}
	}
	return false
}

// fetch reads a's list in the first of its protocols in which it has one, and
// says in which. The error is a *fault.Fault or errNoList.
func (s *Shelf) fetch(ctx context.Context, a *pool.Account) ([]protocol.Model, string, error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	asked := false
	for _, proto := range a.Protocols {
		codec := s.codecs[proto]
		lister, ok := codec.(protocol.Lister)
		if !ok {
			continue
		}
		if dialectOf(proto) == openAI {
			if asked {
				continue // OpenAI's two protocols have one list
			}
			asked = true
		}
		ms, err := s.pages(ctx, a, codec, lister)
		if err == nil || !lacking(err) {
			return ms, proto, err
		}
	}
	return nil, "", errNoList
}

// lacking reports whether err says that there is no list in this protocol, and
// nothing else.
func lacking(err error) bool {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok {
		return errors.Is(err, errNoList)
	}
	return f.Status == http.StatusNotFound || f.Status == http.StatusMethodNotAllowed || f.Status == http.StatusNotImplemented
}

func listPath(proto string) string {
	if proto == protocol.Anthropic {
		return "/v1/models"
	}
	return "/models"
}

// pageSize is the query that asks a protocol for its largest page. OpenAI's
// have no pages.
func pageSize(proto string) string {
	switch proto {
	case protocol.Anthropic:
		return "limit=1000"
	case protocol.Gemini:
		return "pageSize=1000"
	}
	return ""
}

// pages reads a list to its end, or as far as the bounds go.
func (s *Shelf) pages(ctx context.Context, a *pool.Account, codec protocol.Codec, lister protocol.Lister) ([]protocol.Model, error) {
	size := pageSize(codec.Name())
	query := size
	all := []protocol.Model{}
	for range maxPages {
		to := provider.Target{Protocol: codec.Name(), Op: protocol.Other, Path: listPath(codec.Name()), Query: query}
		body, err := s.send(ctx, a, codec, http.MethodGet, to, nil)
		if err != nil {
			return nil, err
		}
		ms, next, err := lister.DecodeModels(body)
		if err != nil {
			return nil, errNoList
		}
		all = append(all, ms...)
		if name, _, _ := strings.Cut(size, "="); next != "" && size != "" && !strings.Contains(next, name+"=") {
			next += "&" + size
		}
		if next == "" || next == query || len(all) >= maxModels {
			break
		}
		query = next
	}
	return all[:min(len(all), maxModels)], nil
}

// send puts one request to an account, in its own way and with its own
// credential, and returns the body of a 200. The error is a *fault.Fault.
// Redirects are not followed: the credential is the account's.
//
// An access token that is refused is renewed once.
func (s *Shelf) send(ctx context.Context, a *pool.Account, codec protocol.Codec, method string, to provider.Target, body []byte) ([]byte, error) {
	answer, shown, err := s.sendOnce(ctx, a, codec, method, to, body)
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok || f.Status != http.StatusUnauthorized || a.Tokens == nil {
		return answer, err
	}
	if err := a.Tokens.Renew(ctx, shown); err != nil {
		return nil, err
	}
	answer, _, err = s.sendOnce(ctx, a, codec, method, to, body)
	return answer, err
}

// sendOnce is send, and says which credential it showed.
func (s *Shelf) sendOnce(ctx context.Context, a *pool.Account, codec protocol.Codec, method string, to provider.Target, body []byte) (_ []byte, shown secret.Text, _ error) {
	req, err := http.NewRequestWithContext(ctx, method, "", bytes.NewReader(body))
	if err != nil {
		return nil, shown, &fault.Fault{Class: fault.Internal, Msg: err.Error(), Err: err}
	}
	req.Header["Accept"], req.Header["User-Agent"] = []string{"application/json"}, []string{s.agent}
	if len(body) > 0 {
		req.Header["Content-Type"] = []string{"application/json"}
	}
	if err := a.By.Address(req, a.Account, to); err != nil {
		if f, ok := errors.AsType[*fault.Fault](err); ok {
			return nil, shown, f
		}
		return nil, shown, &fault.Fault{Class: fault.Internal, Msg: err.Error(), Err: err}
	}
	shown = a.Key
	if a.Tokens != nil {
		shown = provider.Bearer(req.Header)
	}
	resp, err := a.Way.RoundTrip(req)
	if err != nil {
		return nil, shown, s.unreached(shown, err, fault.Sent)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, shown, s.unreached(shown, err, fault.Streaming)
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return nil, shown, &fault.Fault{
			Class: fault.Broken, Scope: fault.Account, Phase: fault.Answered, Status: resp.StatusCode,
			Msg: "it sends us on to another address, which we do not follow with a credential",
		}
	case resp.StatusCode != http.StatusOK:
		sign := codec.DecodeError(resp.StatusCode, answer[:min(len(answer), maxBody)])
		sign.Header, sign.Phase = resp.Header, fault.Answered
		f := a.By.Rules().Judge(sign, time.Now())
		f.Msg = masked(shown, f.Msg)
		return nil, shown, f
	case len(answer) > maxBody:
		return nil, shown, &fault.Fault{
			Class: fault.Broken, Scope: fault.Account, Phase: fault.Answered, Status: resp.StatusCode,
			Msg: fmt.Sprintf("its answer is larger than %d bytes", maxBody),
		}
	}
	return answer, shown, nil
}

// unreached is the fault of a request that got no answer, or half of one.
func (s *Shelf) unreached(shown secret.Text, err error, phase fault.Phase) *fault.Fault {
	f := &fault.Fault{Class: fault.Network, Scope: fault.Endpoint, Phase: phase, Err: err, Msg: masked(shown, err.Error())}
	if egress.IsDial(err) {
		f.Phase = fault.Dialing
	}
	if egress.IsTimeout(err) || errors.Is(err, context.DeadlineExceeded) {
		f.Class = fault.Timeout
	}
	if errors.Is(err, context.Canceled) {
		f.Class = fault.Canceled
	}
	return f
}

// masked is text without key, which some vendors repeat in what they say.
func masked(key secret.Text, text string) string {
	if !key.IsZero() {
		text = strings.ReplaceAll(text, key.Reveal(), key.Hint())
	}
	return text
}
