package openai

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
)

func TestPrepare(t *testing.T) {
	for _, tt := range []struct {
		name, base, key string
		set             func(*provider.Account)
		want            string // the base URL, or a part of the error
	}{
		{name: "a key is enough", key: "sk-1", want: "https://api.openai.com/v1"},
		{name: "the default written out", base: "https://api.openai.com/v1/", key: "sk-1", want: "https://api.openai.com/v1"},
		{name: "a proxy that has the key", base: "https://proxy.example/openai", want: "https://proxy.example/openai"},
		{name: "no key", want: "api_key: it is missing"},
		{name: "no version", base: "https://api.openai.com", key: "sk-1", want: "base_url: at api.openai.com"},
		{name: "a whole endpoint", base: "https://proxy.example/v1/chat/completions", key: "sk-1", want: "base_url: leave out /chat/completions"},
		{name: "http", base: "http://proxy.example/v1", key: "sk-1", want: "base_url: http would carry the key"},
		{name: "a preset", key: "sk-1", set: func(a *provider.Account) { a.Preset = "groq" }, want: "preset:"},
		{name: "an unknown option", key: "sk-1", set: func(a *provider.Account) { a.Options = map[string]string{"org": "x"} }, want: `options: there is no "org"`},
		{name: "an option with a space", key: "sk-1", set: func(a *provider.Account) { a.Options = map[string]string{"project": "a b"} }, want: "options: project"},
		{name: "another's protocol", key: "sk-1", set: func(a *provider.Account) { a.Protocols = []string{protocol.Anthropic} }, want: "protocols:"},
		{name: "a header beside the key", key: "sk-1", set: func(a *provider.Account) { a.Header = http.Header{"Authorization": {"x"}} }, want: "headers:"},
		{name: "a header beside its option", key: "sk-1", set: func(a *provider.Account) {
			a.Header, a.Options = http.Header{"Openai-Project": {"p"}}, map[string]string{"project": "q"}
		}, want: "headers: Openai-Project"},
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
	for _, tt := range []struct {
		protocols []string
		op        protocol.Op
		model     string
		want      []string
	}{
		{nil, protocol.Chat, "gpt-x", []string{protocol.OpenAIResponses, protocol.OpenAIChat}},
		{[]string{protocol.OpenAIChat}, protocol.Chat, "gpt-x", []string{protocol.OpenAIChat}},
		{nil, protocol.Count, "gpt-x", []string{protocol.OpenAIResponses}},
		{[]string{protocol.OpenAIChat}, protocol.Count, "gpt-x", nil},
		{nil, protocol.Embed, "text-embedding-3-small", []string{protocol.OpenAIChat}},
		{[]string{protocol.OpenAIResponses}, protocol.Embed, "text-embedding-3-small", nil},
		{nil, protocol.Complete, "gpt-3.5-turbo-instruct", []string{protocol.OpenAIChat}},
		{nil, protocol.Complete, "ft:davinci-002:acme::1", []string{protocol.OpenAIChat}},
		{nil, protocol.Complete, "gpt-x", nil},
		{[]string{protocol.OpenAIResponses}, protocol.Complete, "babbage-002", nil},
		{nil, protocol.Other, "", []string{protocol.OpenAIResponses, protocol.OpenAIChat}},
	} {
		a := providertest.Account(t, "", "sk-1")
		a.Protocols = tt.protocols
		if err := New().Prepare(a); err != nil {
			t.Fatal(err)
		}
		if got := New().Speaks(a, tt.op, tt.model); !slices.Equal(got, tt.want) {
			t.Errorf("%v of %q with %v: %v, want %v", tt.op, tt.model, tt.protocols, got, tt.want)
		}
	}
}

func TestAddress(t *testing.T) {
	a := providertest.Account(t, "", "sk-own")
	a.Options = map[string]string{"organization": "org-1", "project": "proj_1"}
	if err := New().Prepare(a); err != nil {
		t.Fatal(err)
	}
	out := providertest.Addressed(t, New(), a, provider.Target{Protocol: protocol.OpenAIChat, Path: "/chat/completions"},
		http.Header{"Authorization": {"Bearer sk-client"}, "X-Api-Key": {"sk-client"}, "Openai-Organization": {"org-client"}})
	if got := out.URL.String(); got != "https://api.openai.com/v1/chat/completions" {
		t.Errorf("URL %s", got)
	}
	for name, want := range map[string]string{"Authorization": "Bearer sk-own", "X-Api-Key": "", "Openai-Organization": "org-1", "Openai-Project": "proj_1"} {
		if got := out.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
