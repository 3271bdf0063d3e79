package models

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/vertex"
)

const (
	chatAnswer = `{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"H"},"finish_reason":"length"}]}`
	wrongKey   = `{"error":{"message":"Incorrect API key provided: sk-own-0123456789","type":"invalid_request_error","code":"invalid_api_key"}}`
)

func TestProbe(t *testing.T) {
	for _, tt := range []struct {
		name, provider, preset string
		globs                  []string
		list, chat             string // answers: "STATUS BODY"
		ok                     bool
		class                  string
		says, do               string // parts
		sent                   string // part of the body of the chat
	}{
		{name: "a list is enough", provider: "openai", list: "200 " + list("a", "b"), ok: true, says: "it lists 2 models and answered in"},
		{name: "one model", provider: "openai", list: "200 " + list("a"), ok: true, says: "it lists 1 model and"},
		{name: "some are served", provider: "openai", globs: []string{"a"}, list: "200 " + list("a", "b"), ok: true, says: "it lists 2 models, of which it serves 1, and answered"},
		{name: "none is served", provider: "openai", globs: []string{"c*"}, list: "200 " + list("a", "b"), ok: true, do: "none of its models fits"},
		{name: "a wrong key", provider: "openai", list: "401 " + wrongKey, class: "credential_invalid", says: "the key was rejected (HTTP 401): \"Incorrect API key provided: sk-…6789\"", do: "check api_key"},
		{name: "no money", provider: "openai", list: `429 {"error":{"message":"No money","type":"insufficient_quota"}}`, class: "quota_spent", says: "the key is good", do: "add credit"},
		{name: "too fast", provider: "openai", list: `429 {"error":{"message":"Slow down. Please try again in 20s.","code":"rate_limit_exceeded"}}`, class: "rate_limited", do: "the vendor asks to wait 20s"},
		{name: "nobody there", provider: "openai", list: "0", class: "network", says: "could not be reached", do: "check base_url"},
		{name: "no list, but a chat", provider: "openai", globs: []string{"gpt-x"}, list: "404 ", chat: `200 {"id":"r","object":"response","status":"incomplete","model":"gpt-x","output":[],"incomplete_details":{"reason":"max_output_tokens"}}`, ok: true, says: `the model "gpt-x" answered`, sent: `"max_output_tokens":16`},
		{name: "no list, and no name", provider: "openai", list: "404 ", says: "nobody knows a model to try", do: "exact name"},
		{name: "a key that may not list", provider: "openai", globs: []string{"gpt-x"}, list: `403 {"error":{"message":"Missing scopes: api.model.read."}}`, chat: "401 " + wrongKey, class: "credential_invalid"},
		{name: "a list that everybody may read", provider: "openai-compatible", preset: "openrouter", list: "200 " + list("text-embedding-1", "chat-1"), chat: "401 " + wrongKey, class: "credential_invalid", says: `a request for the model "chat-1" failed`, sent: `"model":"chat-1","max_completion_tokens":1`},
		{name: "no list by its preset", provider: "openai-compatible", preset: "perplexity", globs: []string{"sonar"}, chat: "200 " + chatAnswer, ok: true, says: `"sonar" answered`, sent: `"max_tokens":1`},
		{name: "an answer that is none", provider: "openai-compatible", preset: "perplexity", globs: []string{"sonar"}, chat: "200 <html>", class: "broken", do: "check base_url and protocols"},
		{name: "an error in a 200", provider: "openai-compatible", preset: "perplexity", globs: []string{"sonar"}, chat: `200 {"error":{"message":"Insufficient credits","code":402}}`, class: "quota_spent"},
		{name: "a refusal", provider: "openai-compatible", preset: "perplexity", globs: []string{"sonar"}, chat: `400 {"error":{"message":"max_tokens must be 2 or more"}}`, class: "bad_request", says: "the account may be well"},
		{name: "anthropic", provider: "anthropic", globs: []string{"claude-x"}, list: "404 ", chat: `200 {"id":"m","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"H"}],"stop_reason":"max_tokens","usage":{"input_tokens":1,"output_tokens":1}}`, ok: true, sent: `"max_tokens":1`},
		{name: "gemini", provider: "gemini", globs: []string{"gemini-x"}, list: "404 ", chat: `200 {"candidates":[{"content":{"parts":[{"text":"H"}],"role":"model"},"finishReason":"MAX_TOKENS"}]}`, ok: true, sent: `"maxOutputTokens":1`},
	} {
		sent := ""
		out := way(func(r *http.Request) (*http.Response, error) {
			reply := tt.list
			if r.Method == http.MethodPost {
				b, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				sent, reply = string(b), tt.chat
			}
			status, body, _ := strings.Cut(reply, " ")
			n, err := strconv.Atoi(status)
			if err != nil {
				t.Errorf("%s: %s %s was not expected", tt.name, r.Method, r.URL)
			}
			if n == 0 {
				return nil, errors.New("connection refused")
			}
			return answer(n, body), nil
		})
		base := ""
		if tt.preset != "" {
			base = "https://x.example/v1"
		}
		a := account(t, "test", tt.provider, base, out, tt.globs...)
		a.Preset = tt.preset
		r := New(Options{Codecs: codecs}).Probe(t.Context(), &a)
		if r.OK != tt.ok || r.Class != tt.class || !strings.Contains(r.Says, tt.says) || !strings.Contains(r.Do, tt.do) || !strings.Contains(sent, tt.sent) || r.Account != "test" || r.Says == "" {
			t.Errorf("%s: %+v, sent %s", tt.name, r, sent)
		}
		if tt.sent != "" && json.Unmarshal([]byte(sent), new(any)) != nil {
			t.Errorf("%s: sent %s", tt.name, sent)
		}
		if text := fmt.Sprintf("%+v", r); strings.Contains(text, "sk-own-0123456789") {
			t.Errorf("%s tells the key: %s", tt.name, text)
		}
	}
}

// An account that names no model is asked for one that most of its kind have, and
// for the next if it has not that one.
func TestTrials(t *testing.T) {
	const hi = `200 {"candidates":[{"content":{"parts":[{"text":"H"}],"role":"model"},"finishReason":"MAX_TOKENS"}]}`
	const none = `404 {"error":{"code":404,"message":"Publisher Model was not found or your project does not have access to it.","status":"NOT_FOUND"}}`
	const denied = `403 {"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}`
	for _, tt := range []struct {
		name    string
		globs   []string
		answers []string
		asked   []string
		ok      bool
	}{
		{"the first", nil, []string{hi}, []string{"gemini-2.5-flash"}, true},
		{"the next", nil, []string{none, hi}, []string{"gemini-2.5-flash", "gemini-3.5-flash"}, true},
		{"those that it serves", []string{"claude-*"}, []string{none}, []string{"claude-haiku-4-5@20251001"}, false},
		{"a name", []string{"gemini-x"}, []string{none}, []string{"gemini-x"}, false},
		{"none that it serves", []string{"llama-*"}, nil, nil, false},
		{"not after another fault", nil, []string{denied}, []string{"gemini-2.5-flash"}, false},
	} {
		var asked []string
		out := way(func(r *http.Request) (*http.Response, error) {
			name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
			model, _, _ := strings.Cut(name, ":")
			asked = append(asked, model)
			if len(asked) > len(tt.answers) {
				t.Fatalf("%s: asked for %v", tt.name, asked)
			}
			status, body, _ := strings.Cut(tt.answers[len(asked)-1], " ")
			n, err := strconv.Atoi(status)
			return answer(n, body), err
		})
		a := account(t, "test", "gemini", "", out, tt.globs...)
		a.By, a.Protocols = vertex.New(), []string{protocol.Gemini, protocol.Anthropic}
		r := New(Options{Codecs: codecs}).Probe(t.Context(), &a)
		if r.OK != tt.ok || !slices.Equal(asked, tt.asked) {
			t.Errorf("%s: asked for %v, %+v", tt.name, asked, r)
		}
	}
}

func TestProbeSimulator(t *testing.T) {
	a := account(t, "sim", "simulator", "", nil)
	a.Way = a.By.(provider.Transporter).Transport()
	s := New(Options{Codecs: codecs})
	if r := s.Probe(t.Context(), &a); !r.OK || r.Models == 0 {
		t.Errorf("%+v", r)
	}
	for _, proto := range []string{protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini} {
		a.Protocols = []string{proto}
		if r := s.ask(t.Context(), &a, "simulator", Report{}); !r.OK {
			t.Errorf("%s: %+v", proto, r)
		}
	}
}

func TestProbeCanceled(t *testing.T) {
	a := account(t, "a", "openai", "", way(func(r *http.Request) (*http.Response, error) { return nil, r.Context().Err() }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := New(Options{Codecs: codecs}).Probe(ctx, &a); r.OK || r.Class != fault.Canceled.String() {
		t.Errorf("%+v", r)
	}
}

func TestPick(t *testing.T) {
	m := func(id string, methods ...string) protocol.Model { return protocol.Model{ID: id, Methods: methods} }
	for _, tt := range []struct {
		globs  []string
		served []protocol.Model
		want   string
	}{
		{nil, nil, ""},
		{[]string{"gpt-*"}, nil, ""},
		{[]string{"gpt-*", "gpt-x"}, []protocol.Model{m("a")}, "gpt-x"},
		{nil, []protocol.Model{m("text-embedding-3"), m("whisper-1"), m("tts-1"), m("gpt-image-1"), m("b")}, "b"},
		{nil, []protocol.Model{m("e", "embedContent"), m("g", "generateContent")}, "g"},
		{nil, []protocol.Model{m("omni-moderation")}, ""},
	} {
		a := account(t, "a", "openai", "", nil, tt.globs...)
		if got := pick(&a, tt.served); got != tt.want {
			t.Errorf("of %v and %s: %q, want %q", tt.globs, ids(tt.served), got, tt.want)
		}
	}
}
