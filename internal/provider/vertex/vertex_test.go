package vertex

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/gemini"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
	"portico/internal/secret"
)

// tokens play a service account of the project own.
type tokens struct{ own, charged string }

func (tokens) ID() string                                 { return "id" }
func (tokens) Token(context.Context) (secret.Text, error) { return secret.Of("ya29.x"), nil }
func (tokens) Renew(context.Context, secret.Text) error   { return nil }
func (tokens) Condition(time.Time) provider.Condition     { return provider.Condition{} }
func (tokens) Retry()                                     {}
func (t tokens) Projects() (own, charged string)          { return t.own, t.charged }

func with(t provider.Tokens, options ...string) func(*provider.Account) {
	return func(a *provider.Account) {
		a.Tokens, a.Options = t, map[string]string{}
		for i := 0; i+1 < len(options); i += 2 {
			a.Options[options[i]] = options[i+1]
		}
	}
}

func TestPrepare(t *testing.T) {
	robot := tokens{own: "own-1"}
	providertest.Prepare(t, providertest.Only(New()), []providertest.Case{
		{Name: "a service account is enough", Set: with(robot), Want: "https://aiplatform.googleapis.com/v1/projects/own-1/locations/global gemini anthropic"},
		{Name: "a region", Set: with(robot, "location", "europe-west4"), Want: "https://europe-west4-aiplatform.googleapis.com/v1/projects/own-1/locations/europe-west4"},
		{Name: "a part of the world", Set: with(robot, "location", "eu"), Want: "https://aiplatform.eu.rep.googleapis.com/v1/projects/own-1/locations/eu"},
		{Name: "another project", Set: with(robot, "project", "other.example:two"), Want: "https://aiplatform.googleapis.com/v1/projects/other.example:two/locations/global"},
		{Name: "the project that is charged", Set: with(tokens{charged: "paid"}), Want: "https://aiplatform.googleapis.com/v1/projects/paid/locations/global"},
		{Name: "this machine", Base: "http://127.0.0.1:9", Set: with(robot), Want: "http://127.0.0.1:9/v1/projects/own-1/locations/global"},
		{Name: "express mode", Key: "AIza1", Want: "https://aiplatform.googleapis.com/v1 gemini"},
		{Name: "express mode has no Claude", Key: "AIza1", Set: func(a *provider.Account) { a.Protocols = []string{protocol.Anthropic} }, Want: "protocols:"},
		{Name: "no credential", Want: "api_key: it is missing"},
		{Name: "no project", Set: with(tokens{}), Want: "options: project is missing"},
		{Name: "a project that leads away", Set: with(robot, "project", "../x"), Want: "options: project is no project"},
		{Name: "a location that is a host", Set: with(robot, "location", "evil.example/"), Want: "options: location is no location"},
		{Name: "an option", Set: with(robot, "region", "x"), Want: `options: there is no "region"`},
		{Name: "another host", Base: "https://evil.example", Set: with(robot), Want: "base_url: a token of Google's"},
		{Name: "a host that looks like it", Base: "https://evilgoogleapis.com", Set: with(robot), Want: "base_url: a token of Google's"},
		{Name: "a whole path", Base: "https://aiplatform.googleapis.com/v1/projects/p/locations/l", Set: with(robot), Want: "base_url: leave out its path"},
		{Name: "a header beside the token", Set: func(a *provider.Account) {
			with(robot)(a)
			a.Header = http.Header{"Authorization": {"x"}}
		}, Want: "headers:"},
	})
}

func prepared(t *testing.T, set func(*provider.Account)) *provider.Account {
	t.Helper()
	a := providertest.Account(t, "", "")
	set(a)
	if err := New().Prepare(a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSpeaks(t *testing.T) {
	a := prepared(t, with(tokens{own: "p"}))
	for _, tt := range []struct {
		op    protocol.Op
		model string
		want  []string
	}{
		{protocol.Chat, "gemini-x", []string{protocol.Gemini}},
		{protocol.Chat, "claude-x@20251001", []string{protocol.Anthropic}},
		{protocol.Count, "claude-x", []string{protocol.Anthropic}},
		{protocol.Chat, "", []string{protocol.Gemini, protocol.Anthropic}},
		{protocol.Embed, "gemini-x", nil},
		{protocol.Other, "", nil},
		{protocol.Complete, "gemini-x", nil},
	} {
		if got := New().Speaks(a, tt.op, tt.model); !slices.Equal(got, tt.want) {
			t.Errorf("%v of %q: %v, want %v", tt.op, tt.model, got, tt.want)
		}
	}
	a.Protocols = []string{protocol.Gemini}
	if got := New().Speaks(a, protocol.Chat, "claude-x"); got != nil {
		t.Errorf("an account for Gemini alone speaks %v to Claude", got)
	}
}

func TestAddress(t *testing.T) {
	a := prepared(t, with(tokens{own: "p", charged: "paid"}, "location", "us-east5"))
	base := "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/"
	for _, tt := range []struct {
		to   provider.Target
		want string
	}{
		{provider.Target{Protocol: protocol.Gemini, Op: protocol.Chat, Path: "/models/gemini-x:streamGenerateContent", Query: "alt=sse"}, base + "google/models/gemini-x:streamGenerateContent?alt=sse"},
		{provider.Target{Protocol: protocol.Gemini, Op: protocol.Count, Path: "/models/gemini-x:countTokens"}, base + "google/models/gemini-x:countTokens"},
		{provider.Target{Protocol: protocol.Anthropic, Op: protocol.Chat, Model: "claude-x@20251001", Path: "/v1/messages", Query: "beta=true"}, base + "anthropic/models/claude-x@20251001:rawPredict"},
		{provider.Target{Protocol: protocol.Anthropic, Op: protocol.Chat, Model: "claude-x", Path: "/v1/messages", Stream: true}, base + "anthropic/models/claude-x:streamRawPredict"},
		{provider.Target{Protocol: protocol.Anthropic, Op: protocol.Count, Model: "claude-x", Path: "/v1/messages/count_tokens"}, base + "anthropic/models/count-tokens:rawPredict"},
		{provider.Target{Protocol: protocol.Anthropic, Op: protocol.Chat, Model: "claude/../../x?y", Path: "/v1/messages"}, base + "anthropic/models/claude%2F..%2F..%2Fx%3Fy:rawPredict"},
	} {
		header := http.Header{"Authorization": {"Bearer client"}, "X-Api-Key": {"client"}, "Anthropic-Version": {"2023-06-01"}, "Anthropic-Beta": {"b"}}
		out := &http.Request{Method: http.MethodPost, Header: header}
		err := New().Address(out, a, tt.to)
		if strings.Contains(tt.want, "..") { // it must not lead elsewhere, and is refused
			if f, _ := err.(*fault.Fault); f == nil || f.Class != fault.Malformed { //nolint:errorlint // it is one
				t.Errorf("%s: %v", tt.to.Model, err)
			}
			continue
		}
		if err != nil || out.URL.String() != tt.want {
			t.Errorf("%v %s, want %s", err, out.URL, tt.want)
		}
		if h := out.Header; h.Get("Authorization") != "Bearer ya29.x" || h.Get("X-Api-Key") != "" || h.Get("X-Goog-User-Project") != "paid" {
			t.Errorf("%s goes out with %v", out.URL, h)
		}
		if claude := tt.to.Protocol == protocol.Anthropic; claude && (out.Header.Get("Anthropic-Version") != "" || out.Header.Get("Anthropic-Beta") != "b") {
			t.Errorf("Claude is asked with %v", out.Header)
		}
	}
	key := prepared(t, func(a *provider.Account) { a.Key = secret.Of("AIza1") })
	out := providertest.Addressed(t, New(), key, provider.Target{Protocol: protocol.Gemini, Path: "/models/gemini-x:generateContent"}, nil)
	if out.URL.String() != "https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-x:generateContent" || out.Header.Get("X-Goog-Api-Key") != "AIza1" {
		t.Errorf("in express mode: %s with %v", out.URL, out.Header)
	}
}

func TestBodies(t *testing.T) {
	for _, tt := range []struct{ name, path, body, want string }{
		{"Claude", ofAnthropic + "/models/c:rawPredict", `{"model":"c","max_tokens":1,"messages":[]}`, `{"anthropic_version":"vertex-2023-10-16","max_tokens":1,"messages":[]}`},
		{"Claude in a stream", ofAnthropic + "/models/c:streamRawPredict", `{"stream":true,"model":"c"}`, `{"anthropic_version":"vertex-2023-10-16","stream":true}`},
		{"Claude with another version", ofAnthropic + "/models/c:rawPredict", `{"anthropic_version":"x"}`, `{"anthropic_version":"vertex-2023-10-16"}`},
		{"Claude's counter", ofAnthropic + "/models/count-tokens:rawPredict", `{"model":"c","messages":[]}`, `{"anthropic_version":"vertex-2023-10-16","model":"c","messages":[]}`},
		{"Gemini", ofGoogle + "/models/g:generateContent", `{"contents":[{"parts":[{"text":"store"}]}],"store":false,"serviceTier":"flex"}`, `{"contents":[{"parts":[{"text":"store"}]}]}`},
		{"Gemini as it is", ofGoogle + "/models/g:generateContent", `{"contents": [ ]}`, `{"contents": [ ]}`},
		{"Gemini's counter", ofGoogle + "/models/g:countTokens", `{"generateContentRequest":{"model":"models/g","contents":[],"tools":[]}}`, `{"contents":[],"tools":[]}`},
		{"Gemini's counter, plain", ofGoogle + "/models/g:countTokens", `{"contents":[]}`, `{"contents":[]}`},
		{"no object", ofAnthropic + "/models/c:rawPredict", `[1]`, `[1]`},
		{"no JSON", ofGoogle + "/models/g:generateContent", `{"model":`, `{"model":`},
	} {
		var got []byte
		next := roundTrip(func(r *http.Request) (*http.Response, error) {
			b, err := io.ReadAll(r.Body)
			if err != nil || int64(len(b)) != r.ContentLength {
				t.Errorf("%s: %d bytes of %d, %v", tt.name, len(b), r.ContentLength, err)
			}
			again, err := r.GetBody()
			if err != nil {
				t.Fatal(err)
			}
			if c, _ := io.ReadAll(again); !bytes.Equal(b, c) {
				t.Errorf("%s: a second try would send %s", tt.name, c)
			}
			got = b
			return nil, io.EOF
		})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://h/v1/projects/p/locations/l"+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		before := *r
		_, _ = New().(provider.Wrapper).Wrap(nil, next).RoundTrip(r)
		if string(got) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if r.ContentLength != before.ContentLength {
			t.Errorf("%s: the request itself was changed", tt.name)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzFit: what goes out holds what came in, but for what is dropped or set.
func FuzzFit(f *testing.F) {
	f.Add(ofAnthropic+"/models/c:rawPredict", `{"model":"c","a":[1,{"model":2}]}`)
	f.Add(ofGoogle+"/models/g:generateContent", `{"store":1,"b":"x"}`)
	f.Add(ofGoogle+"/models/g:countTokens", `{"generateContentRequest":{"model":"m","c":null}}`)
	f.Fuzz(func(t *testing.T, path, body string) {
		out, ok := fit(path, []byte(body))
		if !ok && string(out) != body {
			t.Errorf("%s became %s", body, out)
		}
		var was, is map[string]any
		if json.Unmarshal([]byte(body), &was) != nil || strings.HasSuffix(path, ":countTokens") {
			return
		}
		if err := json.Unmarshal(out, &is); err != nil {
			t.Fatalf("%s became %s: %v", body, out, err)
		}
		for _, m := range []map[string]any{was, is} {
			for _, name := range []string{"model", "serviceTier", "store", "anthropic_version"} {
				delete(m, name)
			}
		}
		if diff := cmp.Diff(was, is); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRules(t *testing.T) {
	providertest.Judge(t, rules, len(own), "testdata/errors.txt", func(status int, body []byte) fault.Sign {
		if bytes.HasPrefix(body, []byte(`{"type":"error"`)) {
			return anthropic.New().DecodeError(status, body)
		}
		// Claude's clients get Google's own errors, too.
		s, g := anthropic.New().DecodeError(status, body), gemini.New().DecodeError(status, body)
		if a, b := rules.Judge(s, providertest.Noon), rules.Judge(g, providertest.Noon); status != 401 && (a.Class != b.Class || a.Scope != b.Scope || a.After != b.After) {
			t.Errorf("Google's error means two things: %v for Claude and %v for Gemini", a, b)
		}
		return g
	})
}
