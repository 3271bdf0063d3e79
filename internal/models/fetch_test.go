package models

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
)

func TestFetch(t *testing.T) {
	type asked = map[string]string // what a path and query are answered with: a body, or a status
	for _, tt := range []struct {
		name, provider string
		protocols      []string
		answers        asked
		want           string // the models and the protocol, or a part of the error
	}{
		{"openai", "openai", nil, asked{"/v1/models": list("a", "b")}, "a b in openai-responses"},
		{"a bare array", "openai-compatible", nil, asked{"/v1/models": `[{"id":"a"}]`}, "a in openai-chat"},
		{"no models", "openai", nil, asked{"/v1/models": `{"data":[]}`}, " in openai-responses"},
		{"anthropic, in pages", "anthropic", nil, asked{
			"/v1/models?limit=1000":            `{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}`,
			"/v1/models?limit=1000&after_id=a": `{"data":[{"id":"b"}],"has_more":false,"last_id":"b"}`,
		}, "a b in anthropic"},
		{"gemini, in pages", "gemini", nil, asked{
			"/v1beta/models?pageSize=1000":             `{"models":[{"name":"models/a"}],"nextPageToken":"x"}`,
			"/v1beta/models?pageToken=x&pageSize=1000": `{"models":[{"name":"models/b"}]}`,
		}, "a b in gemini"},
		{"a page that leads to itself", "openai-compatible", nil, asked{
			"/v1/models":         `{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}`,
			"/v1/models?after=a": `{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}`,
		}, "a a in openai-chat"},
		{"the next protocol has it", "anthropic-compatible", []string{protocol.Anthropic, protocol.OpenAIChat}, asked{
			"/v1/models?limit=1000": "404", "/v1/models": list("a"),
		}, "a in openai-chat"},
		{"a list that is none, then one that is", "anthropic-compatible", []string{protocol.Anthropic, protocol.OpenAIChat}, asked{
			"/v1/models?limit=1000": `<html>`, "/v1/models": list("a"),
		}, "a in openai-chat"},
		{"no list at all", "openai", nil, asked{}, "no list of models"},
		{"a wrong key is no missing list", "anthropic-compatible", []string{protocol.Anthropic, protocol.OpenAIChat}, asked{
			"/v1/models?limit=1000": "401", "/v1/models": list("a"),
		}, "credential_invalid"},
		{"broken", "openai", nil, asked{"/v1/models": "500"}, "broken"},
	} {
		upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || !strings.Contains(fmt.Sprint(r.Header), "sk-own-0123456789") || r.UserAgent() != "portico/test" {
				t.Errorf("%s: %s %s with %v", tt.name, r.Method, r.URL, r.Header)
			}
			body, ok := tt.answers[r.URL.String()]
			if !ok {
				body = "404"
			}
			if status, err := strconv.Atoi(body); err == nil {
				w.WriteHeader(status)
				return
			}
			fmt.Fprint(w, body)
		}))
		base := upstream.URL
		switch tt.provider {
		case "openai", "openai-compatible":
			base += "/v1"
		case "gemini":
			base += "/v1beta"
		}
		a := account(t, "a", tt.provider, base, nil)
		if tt.protocols != nil {
			a.Protocols = tt.protocols
		}
		ms, proto, err := New(Options{Codecs: codecs, Agent: "portico/test"}).fetch(t.Context(), &a)
		got := ids(ms) + " in " + proto
		if err != nil {
			got = err.Error()
			if f, ok := errors.AsType[*fault.Fault](err); ok {
				got = f.Class.String() + " " + got
			}
		}
		if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		upstream.Close()
	}
}

func TestFetchBounds(t *testing.T) {
	full := func(n int) string {
		return `{"data":[` + strings.Repeat(`{"id":"m"},`, n) + `{"id":"m"}],"has_more":true,"last_id":"L"}`
	}
	pages := 0
	for _, tt := range []struct {
		name string
		out  way
		want string // how many models and pages, or a part of the error
	}{
		{"a page that is too large", func(*http.Request) (*http.Response, error) {
			return answer(200, `{"data":[],"x":"`+strings.Repeat("x", maxBody)+`"}`), nil
		}, "larger than 4194304 bytes"},
		{"a page that is just small enough", func(*http.Request) (*http.Response, error) {
			return answer(200, `{"data":[],"x":"`+strings.Repeat("x", maxBody-len(`{"data":[],"x":""}`))+`"}`), nil
		}, "0 models, 1 pages"},
		{"pages without end", func(r *http.Request) (*http.Response, error) {
			return answer(200, strings.Replace(full(0), "L", strconv.Itoa(pages), 1)), nil
		}, "20 models, 20 pages"},
		{"models without end", func(*http.Request) (*http.Response, error) {
			return answer(200, strings.Replace(full(5999), "L", strconv.Itoa(pages), 1)), nil
		}, "10000 models, 2 pages"},
		{"elsewhere", func(r *http.Request) (*http.Response, error) {
			resp := answer(302, "")
			resp.Header.Set("Location", "https://elsewhere.example/v1/models")
			return resp, nil
		}, "sends us on to another address"},
		{"nowhere", func(*http.Request) (*http.Response, error) { return nil, errors.New("no route to sk-own-0123456789") }, "no route to sk-…6789"},
	} {
		pages = 0
		a := account(t, "a", "openai", "", way(func(r *http.Request) (*http.Response, error) { pages++; return tt.out(r) }))
		ms, _, err := New(Options{Codecs: codecs}).fetch(t.Context(), &a)
		got := fmt.Sprintf("%d models, %d pages", len(ms), pages)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestFetchTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, "a", "openai", "", way(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}))
		start := time.Now()
		_, _, err := New(Options{Codecs: codecs}).fetch(t.Context(), &a)
		f, ok := errors.AsType[*fault.Fault](err)
		if !ok || f.Class != fault.Timeout || time.Since(start) != listTime {
			t.Errorf("%v after %v, want a timeout after %v", err, time.Since(start), listTime)
		}
	})
}

// TestFetchSimulator: an account that answers in this process goes its own way.
func TestFetchSimulator(t *testing.T) {
	a := account(t, "sim", "simulator", "", nil)
	a.Way = a.By.(provider.Transporter).Transport()
	for _, proto := range []string{protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini} {
		a.Protocols = []string{proto}
		ms, _, err := New(Options{Codecs: codecs}).fetch(t.Context(), &a)
		if err != nil || !strings.Contains(ids(ms), "simulator") {
			t.Errorf("%s: %s, %v", proto, ids(ms), err)
		}
	}
}
