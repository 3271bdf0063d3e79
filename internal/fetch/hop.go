package fetch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"

	"portico/internal/egress"
	"portico/internal/sniff"
)

// errGuard is a dial that the guard stopped.
var errGuard = errors.New("no file is fetched from there")

// unreachable is told of a host that is not there and of one that is where
// nothing is fetched from alike: which names and addresses a private network
// has is nobody's business.
const unreachable = "its host cannot be reached at a public address"

// transport is the way to one server, directly and once: no proxy is asked, no
// connection is kept, and every dial is guarded where the name is resolved
// already.
func (c *Client) transport(p *Policy) *http.Transport {
	dialer := &net.Dialer{Timeout: p.Time, KeepAlive: -1, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil || !c.guard(p, ap.Addr()) {
			return errGuard
		}
		return nil
	}}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            dialer.DialContext,
		Protocols:              protocols,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		TLSHandshakeTimeout:    p.Time,
		ResponseHeaderTimeout:  p.Time,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// fetch asks for u, and for where it leads.
func (c *Client) fetch(ctx context.Context, u *url.URL, p *Policy) (*File, error) {
	first := u.Host
	for hop := 0; ; hop++ {
		file, next, err := c.hop(ctx, u, p)
		if err != nil {
			return nil, told(ctx, err, first)
		}
		if file != nil {
			return file, nil
		}
		if hop == maxHops {
			return nil, &Error{Host: first, Why: fmt.Sprintf("it leads on more than %d times", maxHops)}
		}
		if err := sound(next); err != nil {
			return nil, &Error{Host: first, Why: "it leads to where nothing is fetched from"}
		}
		if u.Scheme == "https" && next.Scheme == "http" {
			return nil, &Error{Host: first, Why: "it leads from https to http"}
		}
		u = next
	}
}

// told is err as the client is told it.
func told(ctx context.Context, err error, host string) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // nobody waits any more
		return ctx.Err()
	case errors.Is(err, errGuard), egress.IsDial(err):
		return &Error{Host: host, Why: unreachable}
	case ctx.Err() != nil, egress.IsTimeout(err):
		return &Error{Host: host, Why: "it took too long (fetch.timeout)"}
	}
	return &Error{Host: host, Why: "its server did not answer in HTTP to the end"}
}

// hop makes one request. It returns the file, or where it is instead.
func (c *Client) hop(ctx context.Context, u *url.URL, p *Policy) (*File, *url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header = http.Header{"User-Agent": {c.agent}, "Accept": {"image/*, application/pdf, audio/*"}}
	resp, err := c.transport(p).RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		where := resp.Header.Get("Location")
		next, err := u.Parse(where)
		if err != nil || where == "" || len(where) > MaxAddress {
			return nil, nil, &Error{Host: u.Host, Why: "it leads nowhere"}
		}
		next.Fragment, next.RawFragment = "", ""
		return nil, next, nil
	default:
		return nil, nil, &Error{Host: u.Host, Why: "its server answered with status " + strconv.Itoa(resp.StatusCode)}
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, nil, &Error{Host: u.Host, Why: "it came compressed, which nobody asked for"}
	}
	file, err := read(resp, p)
	return file, nil, err
}

// read reads a file within its bound, and encodes it on the way.
func read(resp *http.Response, p *Policy) (*File, error) {
	host := resp.Request.URL.Host
	if resp.ContentLength > p.Bytes {
		return nil, &Error{Host: host, Why: tooLarge(p)}
	}
	var head [sniff.Head]byte
	n, err := io.ReadFull(resp.Body, head[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	f := &File{Type: sniff.Type(head[:n]), Size: int64(n)}
	if f.Type == "video/mp4" || f.Type == "video/webm" { // or a sound, if that is what it is called
		if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && kind == "audio/mp4" {
			f.Type = kind
		}
	}
	if f.Type == "" {
		return nil, &Error{Host: host, Why: "it is of no type that is fetched"}
	}
	out := &sink{b: append(make([]byte, 0, base64.StdEncoding.EncodedLen(int(max(resp.ContentLength, 32<<10)))+2), '"')}
	enc := base64.NewEncoder(base64.StdEncoding, out)
	_, _ = enc.Write(head[:n]) // a sink takes all
	m, err := io.Copy(enc, io.LimitReader(resp.Body, p.Bytes-f.Size+1))
	if err != nil {
		return nil, err
	}
	if f.Size += m; f.Size > p.Bytes {
		return nil, &Error{Host: host, Why: tooLarge(p)}
	}
	_ = enc.Close()
	f.Data = append(out.b, '"')
	return f, nil
}

// A sink gathers what is written to it.
type sink struct{ b []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}
