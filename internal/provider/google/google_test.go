package google

import (
	"net/http"
	"slices"
	"testing"

	"portico/internal/protocol"
	"portico/internal/protocol/gemini"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
)

func TestRules(t *testing.T) {
	providertest.Judge(t, rules, len(rules), "testdata/errors.txt", gemini.New().DecodeError)
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
		{Name: "a preset", Key: "AIza1", Set: func(a *provider.Account) { a.Preset = "zai" }, Want: "preset:"},
	})
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
