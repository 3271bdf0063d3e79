package compat

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
)

func TestPrepare(t *testing.T) {
	protocols := func(ps ...string) func(*provider.Account) {
		return func(a *provider.Account) { a.Protocols = ps }
	}
	for _, tt := range []struct {
		name, provider, preset, base, key string
		set                               func(*provider.Account)
		want                              string // the base URL and the protocols, or the beginning of the error
	}{
		{name: "a stranger", provider: "openai-compatible", base: "https://x.example/v1", want: "https://x.example/v1 openai-chat"},
		{name: "a stranger who speaks all", provider: "openai-compatible", base: "https://x.example/v1", set: protocols(protocol.Anthropic, protocol.OpenAIResponses), want: "https://x.example/v1 anthropic openai-responses"},
		{name: "a stranger whose other base nobody knows", provider: "openai-compatible", base: "https://x.example/v4", set: protocols(protocol.Anthropic), want: "protocols: \"anthropic\" is not among"},
		{name: "a stranger in Anthropic's protocol", provider: "anthropic-compatible", base: "https://x.example", want: "https://x.example anthropic"},
		{name: "a stranger in Anthropic's protocol who chats too", provider: "anthropic-compatible", base: "https://x.example/a", set: protocols(protocol.OpenAIChat), want: "https://x.example/a openai-chat"},
		{name: "nobody", provider: "openai-compatible", want: "base_url: it is missing"},
		{name: "no such preset", provider: "openai-compatible", preset: "gruq", want: "preset: there is no \"gruq\"; there are: cerebras"},
		{name: "a preset of the other family", provider: "anthropic-compatible", preset: "groq", key: "k", want: "preset: groq does not offer"},
		{name: "no key", provider: "openai-compatible", preset: "groq", want: "api_key: it is missing"},
		{name: "a proxy has the key", provider: "openai-compatible", preset: "groq", base: "https://proxy.example/groq", want: "https://proxy.example/groq openai-chat openai-responses"},
		{name: "a proxy whose path ends alike", provider: "openai-compatible", preset: "zai", base: "https://proxy.example/z/paas/v4", want: "https://proxy.example/z/paas/v4 openai-chat anthropic"},
		{name: "a proxy whose path ends otherwise", provider: "openai-compatible", preset: "zai", base: "https://proxy.example/z", want: "https://proxy.example/z openai-chat"},
		{name: "http to the network", provider: "openai-compatible", preset: "vllm", base: "http://192.168.0.7:8000/v1", want: "http://192.168.0.7:8000/v1 openai-chat openai-responses anthropic"},
		{name: "http to the network without a preset", provider: "openai-compatible", base: "http://192.168.0.7:8000/v1", want: "base_url: http would carry"},
		{name: "http to the world", provider: "openai-compatible", preset: "vllm", base: "http://vllm.example/v1", want: "base_url: http would carry"},
		{name: "a local server by its origin", provider: "ollama", base: "http://nas:11434", want: "http://nas:11434/v1 openai-chat openai-responses anthropic"},
		{name: "Ollama as it comes", provider: "ollama", want: "http://127.0.0.1:11434/v1 openai-chat openai-responses anthropic"},
		{name: "Ollama is no other", provider: "ollama", preset: "vllm", want: "preset: the provider ollama has no other"},
		{name: "a version too many", provider: "anthropic-compatible", base: "https://x.example/v1", want: "base_url: leave out /v1"},
		{name: "a whole endpoint", provider: "openai-compatible", base: "https://x.example/v1/chat/completions", want: "base_url: leave out /completions"},
		{name: "one protocol only", provider: "openai-compatible", preset: "deepseek", key: "k", set: protocols(protocol.OpenAIChat), want: "https://api.deepseek.com/v1 openai-chat"},
		{name: "a protocol that the vendor lacks", provider: "openai-compatible", preset: "mistral", key: "k", set: protocols(protocol.OpenAIResponses), want: "protocols:"},
		{name: "an unknown option", provider: "openai-compatible", preset: "groq", key: "k", set: func(a *provider.Account) { a.Options = map[string]string{"x": "y"} }, want: "options: there is no \"x\""},
		{name: "a form that is none", provider: "openai-compatible", preset: "groq", key: "k", set: func(a *provider.Account) { a.Options = map[string]string{"auth": "y"} }, want: "options: auth"},
		{name: "a header beside the key", provider: "openai-compatible", preset: "groq", key: "k", set: func(a *provider.Account) { a.Header = http.Header{"Authorization": {"y"}} }, want: "headers: Authorization"},
	} {
		a := providertest.Account(t, tt.base, tt.key)
		a.Preset = tt.preset
		if tt.set != nil {
			tt.set(a)
		}
		got := ""
		if err := named(t, tt.provider).Prepare(a); err != nil {
			got = err.Error()
		} else {
			got = a.BaseURL.String() + " " + strings.Join(a.Protocols, " ")
		}
		if got != tt.want && (strings.HasPrefix(tt.want, "http") || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestSpeaks(t *testing.T) {
	chat, both := []string{protocol.OpenAIChat}, []string{protocol.OpenAIChat, protocol.OpenAIResponses}
	for _, tt := range []struct {
		preset    string
		protocols []string
		op        protocol.Op
		want      []string
	}{
		{"groq", nil, protocol.Chat, both},
		{"groq", nil, protocol.Other, both},
		{"groq", nil, protocol.Complete, nil},
		{"groq", nil, protocol.Embed, nil},
		{"groq", nil, protocol.Count, nil},
		{"vllm", nil, protocol.Complete, chat},
		{"vllm", nil, protocol.Embed, chat},
		{"vllm", nil, protocol.Count, []string{protocol.Anthropic}},
		{"vllm", []string{protocol.Anthropic}, protocol.Complete, nil},
		{"vllm", []string{protocol.OpenAIChat}, protocol.Count, nil},
	} {
		a := providertest.Account(t, "", "k")
		a.Preset, a.Protocols = tt.preset, tt.protocols
		p := named(t, "openai-compatible")
		if err := p.Prepare(a); err != nil {
			t.Fatal(err)
		}
		if got := p.Speaks(a, tt.op, "m"); !slices.Equal(got, tt.want) {
			t.Errorf("%s, %v with %v: %v, want %v", tt.preset, tt.op, tt.protocols, got, tt.want)
		}
	}
}

func TestAddressElsewhere(t *testing.T) {
	for _, tt := range []struct{ provider, preset, base, proto, path, want string }{
		{"openai-compatible", "zai", "https://proxy.example/z/paas/v4", protocol.Anthropic, "/v1/messages", "https://proxy.example/z/anthropic/v1/messages"},
		{"anthropic-compatible", "zai", "https://proxy.example/z/anthropic", protocol.OpenAIChat, "/chat/completions", "https://proxy.example/z/paas/v4/chat/completions"},
		{"openai-compatible", "", "https://x.example/a/v1", protocol.Anthropic, "/v1/messages", "https://x.example/a/v1/messages"},
		{"anthropic-compatible", "", "https://x.example/a", protocol.OpenAIChat, "/chat/completions", "https://x.example/a/v1/chat/completions"},
		{"ollama", "", "http://nas:11434", protocol.Anthropic, "/v1/messages", "http://nas:11434/v1/messages"},
		{"ollama", "", "http://nas:11434", protocol.OpenAIChat, "/models", "http://nas:11434/v1/models"},
	} {
		p := named(t, tt.provider)
		a := providertest.Account(t, tt.base, "sk-own")
		a.Preset, a.Protocols = tt.preset, []string{tt.proto}
		if err := p.Prepare(a); err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		check(t, p, a, tt.proto, tt.path, tt.want)
	}
}

func TestAddressForm(t *testing.T) {
	a := providertest.Account(t, "https://x.example", "own")
	a.Options = map[string]string{"auth": "x-api-key"}
	a.Header = http.Header{"Anthropic-Version": {"2026-10-21"}}
	p := named(t, "anthropic-compatible")
	if err := p.Prepare(a); err != nil {
		t.Fatal(err)
	}
	out := providertest.Addressed(t, p, a, provider.Target{Protocol: protocol.Anthropic, Path: "/v1/messages"}, http.Header{"Authorization": {"client"}})
	for name, want := range map[string]string{"X-Api-Key": "own", "Authorization": "", "Anthropic-Version": "2026-10-21"} {
		if got := out.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestQuirks(t *testing.T) {
	a := providertest.Account(t, "", "k")
	p := named(t, "openai-compatible")
	for preset, want := range map[string]provider.Quirks{
		"cerebras":   {Lacks: []string{"frequency_penalty", "presence_penalty", "logit_bias"}, Reasoning: "reasoning"},
		"deepseek":   {FirstByte: 10 * time.Minute, MaxTokens: "max_tokens", Reasoning: "reasoning_content", Echo: true, Efforts: []string{"low", "high", "max"}},
		"mistral":    {MaxTokens: "max_tokens", NoDeveloper: true, Required: "any", CallID: 9, Lacks: []string{"seed", "stream_options", "logprobs", "top_logprobs", "logit_bias", "user"}},
		"openrouter": {OpenList: true, Reasoning: "reasoning", Echo: true},
		"perplexity": {Unlisted: true, MaxTokens: "max_tokens", NoDeveloper: true, Lacks: []string{"tools", "tool_choice", "n", "seed", "logit_bias", "logprobs"}},
		"ollama": {FirstByte: 10 * time.Minute, MaxTokens: "max_tokens", InlineImages: true, Reasoning: "reasoning",
			Lacks: []string{"tool_choice", "n", "logit_bias", "logprobs", "top_logprobs"}, Efforts: []string{"none", "low", "medium", "high", "max"}},
		"": {MaxTokens: "max_tokens"},
	} {
		a.Preset = preset
		if diff := cmp.Diff(want, *provider.QuirksOf(p, a)); diff != "" {
			t.Errorf("%s: %s", preset, diff)
		}
	}
}
