package compat

import (
	"net/http"
	"slices"
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
	providertest.Prepare(t, func(name string) provider.Provider { return named(t, name) }, []providertest.Case{
		{Name: "a stranger", Provider: "openai-compatible", Base: "https://x.example/v1", Want: "https://x.example/v1 openai-chat"},
		{Name: "a stranger who speaks all", Provider: "openai-compatible", Base: "https://x.example/v1", Set: protocols(protocol.Anthropic, protocol.OpenAIResponses), Want: "https://x.example/v1 anthropic openai-responses"},
		{Name: "a stranger whose other base nobody knows", Provider: "openai-compatible", Base: "https://x.example/v4", Set: protocols(protocol.Anthropic), Want: "protocols: \"anthropic\" is not among"},
		{Name: "a stranger in Anthropic's protocol", Provider: "anthropic-compatible", Base: "https://x.example", Want: "https://x.example anthropic"},
		{Name: "a stranger in Anthropic's protocol who chats too", Provider: "anthropic-compatible", Base: "https://x.example/a", Set: protocols(protocol.OpenAIChat), Want: "https://x.example/a openai-chat"},
		{Name: "nobody", Provider: "openai-compatible", Want: "base_url: it is missing"},
		{Name: "no such preset", Provider: "openai-compatible", Preset: "gruq", Want: "preset: there is no \"gruq\"; there are: cerebras"},
		{Name: "a preset of the other family", Provider: "anthropic-compatible", Preset: "groq", Key: "sk-own", Want: "preset: groq does not offer"},
		{Name: "no key", Provider: "openai-compatible", Preset: "groq", Want: "api_key: it is missing"},
		{Name: "a proxy has the key", Provider: "openai-compatible", Preset: "groq", Base: "https://proxy.example/groq", Want: "https://proxy.example/groq openai-chat openai-responses"},
		{Name: "a proxy whose path ends alike", Provider: "openai-compatible", Preset: "zai", Base: "https://proxy.example/z/paas/v4", Want: "https://proxy.example/z/paas/v4 openai-chat anthropic"},
		{Name: "a proxy whose path ends otherwise", Provider: "openai-compatible", Preset: "zai", Base: "https://proxy.example/z", Want: "https://proxy.example/z openai-chat"},
		{Name: "http to the network", Provider: "openai-compatible", Preset: "vllm", Base: "http://192.168.0.7:8000/v1", Want: "http://192.168.0.7:8000/v1 openai-chat openai-responses anthropic"},
		{Name: "http to the network without a preset", Provider: "openai-compatible", Base: "http://192.168.0.7:8000/v1", Want: "base_url: http would carry"},
		{Name: "http to the world", Provider: "openai-compatible", Preset: "vllm", Base: "http://vllm.example/v1", Want: "base_url: http would carry"},
		{Name: "a local server by its origin", Provider: "ollama", Base: "http://nas:11434", Want: "http://nas:11434/v1 openai-chat openai-responses anthropic"},
		{Name: "Ollama as it comes", Provider: "ollama", Want: "http://127.0.0.1:11434/v1 openai-chat openai-responses anthropic"},
		{Name: "Ollama is no other", Provider: "ollama", Preset: "vllm", Want: "preset: the provider ollama has no other"},
		{Name: "a version too many", Provider: "anthropic-compatible", Base: "https://x.example/v1", Want: "base_url: leave out /v1"},
		{Name: "a whole endpoint", Provider: "openai-compatible", Base: "https://x.example/v1/chat/completions", Want: "base_url: leave out /completions"},
		{Name: "one protocol only", Provider: "openai-compatible", Preset: "deepseek", Key: "sk-own", Set: protocols(protocol.OpenAIChat), Want: "https://api.deepseek.com/v1 openai-chat"},
		{Name: "a protocol that the vendor lacks", Provider: "openai-compatible", Preset: "mistral", Key: "sk-own", Set: protocols(protocol.OpenAIResponses), Want: "protocols:"},
		{Name: "an unknown option", Provider: "openai-compatible", Preset: "groq", Key: "sk-own", Set: func(a *provider.Account) { a.Options = map[string]string{"x": "y"} }, Want: "options: there is no \"x\""},
		{Name: "a form that is none", Provider: "openai-compatible", Preset: "groq", Key: "sk-own", Set: func(a *provider.Account) { a.Options = map[string]string{"auth": "y"} }, Want: "options: auth"},
		{Name: "a header beside the key", Provider: "openai-compatible", Preset: "groq", Key: "sk-own", Set: func(a *provider.Account) { a.Header = http.Header{"Authorization": {"y"}} }, Want: "headers: Authorization"},
	})
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
		{"groq", nil, protocol.Images, chat},
		{"groq", nil, protocol.Draw, nil},
		{"openrouter", nil, protocol.Images, nil},
		{"openrouter", nil, protocol.Draw, chat},
		{"openrouter", []string{protocol.Anthropic}, protocol.Draw, nil},
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
		"deepseek":   {FirstByte: 10 * time.Minute, MaxTokens: "max_tokens", Reasoning: "reasoning_content", Echo: true, Efforts: []string{"low", "high", "max"}, Lacks: []string{"n"}},
		"mistral":    {MaxTokens: "max_tokens", NoDeveloper: true, Required: "any", CallID: 9, Lacks: []string{"seed", "stream_options", "logprobs", "top_logprobs", "logit_bias", "user"}},
		"openrouter": {OpenList: true, Reasoning: "reasoning", Echo: true},
		"perplexity": {Unlisted: true, MaxTokens: "max_tokens", NoDeveloper: true, Lacks: []string{"tools", "tool_choice", "n", "seed", "logit_bias", "logprobs"}},
		"ollama": {
			FirstByte: 10 * time.Minute, MaxTokens: "max_tokens", InlineImages: true, Reasoning: "reasoning",
			Lacks: []string{"tool_choice", "n", "logit_bias", "logprobs", "top_logprobs"}, Efforts: []string{"none", "low", "medium", "high", "max"},
		},
		"xai": {Reasoning: "reasoning_content"},
		"":    {MaxTokens: "max_tokens"},
	} {
		a.Preset = preset
		want.Forgetful, want.Bare = preset != "xai", true // of Responses
		if diff := cmp.Diff(want, *provider.QuirksOf(p, a)); diff != "" {
			t.Errorf("%s: %s", preset, diff)
		}
	}
}
