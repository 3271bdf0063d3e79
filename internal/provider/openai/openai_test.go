package openai

import (
	"net/http"
	"slices"
	"testing"

	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
)

func TestPrepare(t *testing.T) {
	providertest.Prepare(t, providertest.Only(New()), []providertest.Case{
		{Name: "a key is enough", Key: "sk-1", Want: "https://api.openai.com/v1"},
		{Name: "the default written out", Base: "https://api.openai.com/v1/", Key: "sk-1", Want: "https://api.openai.com/v1"},
		{Name: "a proxy that has the key", Base: "https://proxy.example/openai", Want: "https://proxy.example/openai"},
		{Name: "no key", Want: "api_key: it is missing"},
		{Name: "no version", Base: "https://api.openai.com", Key: "sk-1", Want: "base_url: at api.openai.com"},
		{Name: "a whole endpoint", Base: "https://proxy.example/v1/chat/completions", Key: "sk-1", Want: "base_url: leave out /chat/completions"},
		{Name: "http", Base: "http://proxy.example/v1", Key: "sk-1", Want: "base_url: http would carry the key"},
		{Name: "a preset", Key: "sk-1", Set: func(a *provider.Account) { a.Preset = "groq" }, Want: "preset:"},
		{Name: "an unknown option", Key: "sk-1", Set: func(a *provider.Account) { a.Options = map[string]string{"org": "x"} }, Want: `options: there is no "org"`},
		{Name: "an option with a space", Key: "sk-1", Set: func(a *provider.Account) { a.Options = map[string]string{"project": "a b"} }, Want: "options: project"},
		{Name: "another's protocol", Key: "sk-1", Set: func(a *provider.Account) { a.Protocols = []string{protocol.Anthropic} }, Want: "protocols:"},
		{Name: "a header beside the key", Key: "sk-1", Set: func(a *provider.Account) { a.Header = http.Header{"Authorization": {"x"}} }, Want: "headers:"},
		{Name: "a header beside its option", Key: "sk-1", Set: func(a *provider.Account) {
			a.Header, a.Options = http.Header{"Openai-Project": {"p"}}, map[string]string{"project": "q"}
		}, Want: "headers: Openai-Project"},
	})
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
		{nil, protocol.Images, "gpt-image-2", []string{protocol.OpenAIChat}},
		{nil, protocol.Images, "dall-e-3", []string{protocol.OpenAIChat}},
		{nil, protocol.Images, "gpt-x", nil},
		{nil, protocol.Draw, "gpt-x", []string{protocol.OpenAIResponses}},
		{nil, protocol.Draw, "chatgpt-image-latest", nil},
		{[]string{protocol.OpenAIChat}, protocol.Draw, "gpt-x", nil},
		{[]string{protocol.OpenAIResponses}, protocol.Images, "gpt-image-2", nil},
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
