package google

import (
	"net/http"
	"slices"
	"strings"
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
	for _, tt := range []struct {
		name, base, key string
		set             func(*provider.Account)
		want            string // the base URL, or a part of the error
	}{
		{name: "a key is enough", key: "AIza1", want: "https://generativelanguage.googleapis.com/v1beta"},
		{name: "a proxy that has the key", base: "https://proxy.example/v1beta/", want: "https://proxy.example/v1beta"},
		{name: "no key", want: "api_key: it is missing"},
		{name: "no version", base: "https://generativelanguage.googleapis.com", key: "AIza1", want: "base_url: it lacks the version"},
		{name: "the OpenAI layer", base: "https://generativelanguage.googleapis.com/v1beta/openai", key: "AIza1", want: "base_url: leave out /openai"},
		{name: "an option", key: "AIza1", set: func(a *provider.Account) { a.Options = map[string]string{"auth": "bearer"} }, want: `options: there is no "auth"`},
		{name: "another's protocol", key: "AIza1", set: func(a *provider.Account) { a.Protocols = []string{protocol.OpenAIChat} }, want: "protocols:"},
		{name: "a header beside the key", key: "AIza1", set: func(a *provider.Account) { a.Header = http.Header{"X-Goog-Api-Key": {"x"}} }, want: "headers:"},
		{name: "a preset", key: "AIza1", set: func(a *provider.Account) { a.Preset = "zai" }, want: "preset:"},
	} {
		a := providertest.Account(t, tt.base, tt.key)
		if tt.set != nil {
			tt.set(a)
		}
		got := ""
		if err := New().Prepare(a); err != nil {
			got = err.Error()
		} else {
			got = a.BaseURL.String()
		}
		if !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
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
