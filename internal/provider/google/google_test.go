package google

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/protocol/gemini"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
	"portico/internal/secret"
)

func TestRules(t *testing.T) {
	providertest.Judge(t, rules, len(rules), "testdata/errors.txt", gemini.New().DecodeError)
}

// TestCandidates: a refusal of several candidates says what it is about, so that
// they can be asked for one by one.
func TestCandidates(t *testing.T) {
	for text, want := range map[string]string{
		"Multiple candidates is not enabled for models/gemini-2.5-flash-image":                                                                "candidateCount",
		"Only one candidate can be specified in the current model":                                                                            "candidateCount",
		"Unable to submit request because it has a candidateCount value of 2 but the supported range is from 1 (inclusive) to 2 (exclusive).": "candidateCount",
		"Invalid value at 'generation_config.temperature'":                                                                                    "",
	} {
		f := rules.Judge(fault.Sign{Status: 400, Type: "INVALID_ARGUMENT", Message: text}, time.Now())
		if f.Class != fault.BadRequest || f.Param != want {
			t.Errorf("%s: %v blames %q", text, f.Class, f.Param)
		}
	}
}

func TestPrepare(t *testing.T) {
	providertest.Prepare(t, providertest.Only(New()), []providertest.Case{
		{Name: "a key is enough", Key: "AIza1", Want: "https://generativelanguage.googleapis.com/v1beta"},
		{Name: "a proxy that has the key", Base: "https://proxy.example/v1beta/", Want: "https://proxy.example/v1beta"},
		{Name: "no key", Want: "api_key: it is missing"},
		{Name: "no version", Base: "https://generativelanguage.googleapis.com", Key: "AIza1", Want: "base_url: it lacks the version"},
		{Name: "the OpenAI layer", Base: "https://generativelanguage.googleapis.com/v1beta/openai", Key: "AIza1", Want: "base_url: leave out /openai"},
		{Name: "an option", Key: "AIza1", Set: func(a *provider.Account) { a.Options = map[string]string{"auth": "bearer"} }, Want: `options: there is no "auth"`},
		{Name: "another's protocol", Key: "AIza1", Set: func(a *provider.Account) { a.Protocols = []string{protocol.OpenAIChat} }, Want: "protocols:"},
		{Name: "a header beside the key", Key: "AIza1", Set: func(a *provider.Account) { a.Header = http.Header{"X-Goog-Api-Key": {"x"}} }, Want: "headers:"},
		{Name: "a login", Set: signedIn("quota_project", "paid"), Want: "https://generativelanguage.googleapis.com/v1beta"},
		{Name: "a login at another host", Base: "https://proxy.example/v1beta", Set: signedIn(), Want: "base_url: a token of Google's goes to"},
		{Name: "a login at this machine", Base: "http://127.0.0.1:9/v1beta", Set: signedIn(), Want: "http://127.0.0.1:9/v1beta"},
		{Name: "a project that is two headers", Set: signedIn("quota_project", "a\r\nb"), Want: "options: quota_project"},
		{Name: "a preset", Key: "AIza1", Set: func(a *provider.Account) { a.Preset = "zai" }, Want: "preset:"},
	})
}

// tokens play a login.
type tokens struct{}

func (tokens) ID() string                                 { return "id" }
func (tokens) Token(context.Context) (secret.Text, error) { return secret.Of("ya29.x"), nil }
func (tokens) Renew(context.Context, secret.Text) error   { return nil }
func (tokens) Condition(time.Time) provider.Condition     { return provider.Condition{} }
func (tokens) Retry()                                     {}

func signedIn(options ...string) func(*provider.Account) {
	return func(a *provider.Account) {
		a.Tokens, a.Options = tokens{}, map[string]string{}
		for i := 0; i+1 < len(options); i += 2 {
			a.Options[options[i]] = options[i+1]
		}
	}
}

// A login goes out as Bearer, with the project that is charged.
func TestLogin(t *testing.T) {
	a := providertest.Account(t, "", "")
	signedIn("quota_project", "paid")(a)
	if err := New().Prepare(a); err != nil {
		t.Fatal(err)
	}
	out := providertest.Addressed(t, New(), a, provider.Target{Protocol: protocol.Gemini, Path: "/models/gemini-x:generateContent"}, http.Header{"X-Goog-User-Project": {"client"}})
	if h := out.Header; h.Get("Authorization") != "Bearer ya29.x" || h.Get("X-Goog-Api-Key") != "" || !slices.Equal(h.Values("X-Goog-User-Project"), []string{"paid"}) {
		t.Errorf("it goes out with %v", h)
	}
}

func TestSpeaks(t *testing.T) {
	a := providertest.Account(t, "", "AIza1")
	if err := New().Prepare(a); err != nil {
		t.Fatal(err)
	}
	own := []string{protocol.Gemini}
	for op, want := range map[protocol.Op][]string{
		protocol.Chat: own, protocol.Count: own, protocol.Embed: own, protocol.Other: own, protocol.Complete: nil,
	} {
		if got := New().Speaks(a, op, "gemini-x"); !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", op, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	a := providertest.Account(t, "", "own")
	if err := New().Prepare(a); err != nil {
		t.Fatal(err)
	}
	out := providertest.Addressed(t, New(), a, provider.Target{Protocol: protocol.Gemini, Path: "/models/gemini-x:streamGenerateContent", Query: "alt=sse"},
		http.Header{"X-Goog-Api-Key": {"client"}, "Authorization": {"Bearer client"}})
	if got := out.URL.String(); got != "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:streamGenerateContent?alt=sse" {
		t.Errorf("URL %s", got)
	}
	if k, v := out.Header.Get("X-Goog-Api-Key"), out.Header.Get("Authorization"); k != "own" || v != "" {
		t.Errorf("X-Goog-Api-Key %q, Authorization %q", k, v)
	}
}
