package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A verdict is what came of one case.
type verdict struct {
	request, response bool   // the same bytes
	reason            string // why something else is right, "" if nothing is
	detail            string
}

func play(ctx context.Context, g *process, up *upstream, r *recording) (v verdict, err error) {
	up.play(r)
	h := http.Header{"Content-Type": {"application/json"}}
	if r.protocol == "anthropic" {
		h.Set("Anthropic-Version", "2023-06-01")
	}
	resp, got, err := g.do(ctx, http.MethodPost, r.path(), h, r.request)
	if err != nil && resp == nil {
		if !strings.Contains(err.Error(), io.ErrUnexpectedEOF.Error()) && !strings.Contains(err.Error(), "EOF") {
			return v, err
		}
	}
	sent := up.got()
	v.request = len(sent) > 0 && bytes.Equal(sent[0], r.request)
	if resp != nil {
		v.response = resp.StatusCode == r.status && bytes.Equal(got, r.response)
		v.detail = fmt.Sprintf("HTTP %d, %s", resp.StatusCode, clip(string(got)))
	} else {
		v.detail = err.Error()
	}
	if !v.response {
		v.reason = reason(r, resp, got)
	}
	if r.status >= 400 || !v.response {
		for _, a := range ownAccounts {
			if err := g.heal(ctx, a.name); err != nil {
				return v, err
			}
		}
	}
	return v, nil
}

// reason says why an answer that is not the recorded one is right.
func reason(r *recording, resp *http.Response, got []byte) string {
	switch {
	case resp == nil:
		return ""
	case r.status >= 500:
		if resp.StatusCode >= 500 {
			return "an error of the upstream's server: told as the gateway's own, since no other account could serve"
		}
	case r.status == 429 || r.status == 401 || r.status == 403 || r.status == 402 || r.status == 408:
		if resp.StatusCode == 429 || resp.StatusCode >= 500 {
			return "an error of the account: told as the gateway's own, since no other account could serve"
		}
	case r.status == 400 && (resp.StatusCode == 429 || resp.StatusCode >= 500):
		return "an error of the account under status 400: told as the gateway's own"
	case r.status == 404 && resp.StatusCode >= 500:
		return "a model that the account does not have: told as the gateway's own"
	case r.sse && resp.StatusCode == http.StatusOK && bytes.HasPrefix(got, r.response):
		return "the recording breaks off: the break is told after all of its bytes"
	case resp.StatusCode == http.StatusOK && r.op == "count_tokens":
		return "a count that the upstream refuses is estimated"
	case r.sse && resp.StatusCode == http.StatusOK && bytes.HasPrefix(r.response, got):
		return "an error ends the answer: what the recording has behind it is not passed on"
	case resp.StatusCode >= 400 && r.status == http.StatusOK && failure(r):
		return "an error within a 200, or one recorded without its status: failed over unseen, then told"
	case resp.StatusCode >= 500 && r.status == http.StatusOK && silent(r):
		return "the recording is no answer of a model, or one that says nothing: failed over unseen, then told"
	}
	return ""
}

func clip(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return strings.ReplaceAll(s, "\n", "⏎")
}

// failure reports whether a recording is an error, or a stream that ends with
// one.
func failure(r *recording) bool {
	d, err := readAnswer(r.protocol, r.response, r.sse)
	if err == nil && d.failed {
		return true
	}
	v, err := tree(r.response) // some streams are answered with an error as JSON
	return err == nil && (obj(v)["error"] != nil || str(obj(v)["type"]) == "error")
}

// silent reports whether a recording tells nothing that a reader knows.
func silent(r *recording) bool {
	d, err := readAnswer(r.protocol, r.response, r.sse)
	return err != nil || d.useless()
}
