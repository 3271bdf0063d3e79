package compat

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
)

// documented is where each vendor says that it is to be called: for a chat,
// for the list of models, and for a message in Anthropic's protocol.
var documented = map[string]struct{ chat, models, messages string }{
	"openrouter":   {"https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1/models", "https://openrouter.ai/api/v1/messages"},
	"deepseek":     {"https://api.deepseek.com/v1/chat/completions", "https://api.deepseek.com/v1/models", "https://api.deepseek.com/anthropic/v1/messages"},
	"groq":         {"https://api.groq.com/openai/v1/chat/completions", "https://api.groq.com/openai/v1/models", ""},
	"mistral":      {"https://api.mistral.ai/v1/chat/completions", "https://api.mistral.ai/v1/models", ""},
	"xai":          {"https://api.x.ai/v1/chat/completions", "https://api.x.ai/v1/models", ""},
	"together":     {"https://api.together.ai/v1/chat/completions", "https://api.together.ai/v1/models", ""},
	"fireworks":    {"https://api.fireworks.ai/inference/v1/chat/completions", "https://api.fireworks.ai/inference/v1/models", "https://api.fireworks.ai/inference/v1/messages"},
	"cerebras":     {"https://api.cerebras.ai/v1/chat/completions", "https://api.cerebras.ai/v1/models", ""},
	"zai":          {"https://api.z.ai/api/paas/v4/chat/completions", "https://api.z.ai/api/paas/v4/models", "https://api.z.ai/api/anthropic/v1/messages"},
	"zai-coding":   {"https://api.z.ai/api/coding/paas/v4/chat/completions", "https://api.z.ai/api/coding/paas/v4/models", "https://api.z.ai/api/anthropic/v1/messages"},
	"moonshot":     {"https://api.moonshot.ai/v1/chat/completions", "https://api.moonshot.ai/v1/models", "https://api.moonshot.ai/anthropic/v1/messages"},
	"moonshot-cn":  {"https://api.moonshot.cn/v1/chat/completions", "https://api.moonshot.cn/v1/models", "https://api.moonshot.cn/anthropic/v1/messages"},
	"kimi-coding":  {"https://api.kimi.com/coding/v1/chat/completions", "https://api.kimi.com/coding/v1/models", "https://api.kimi.com/coding/v1/messages"},
	"dashscope":    {"https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/models", "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1/messages"},
	"dashscope-cn": {"https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions", "https://dashscope.aliyuncs.com/compatible-mode/v1/models", "https://dashscope.aliyuncs.com/apps/anthropic/v1/messages"},
	"minimax":      {"https://api.minimax.io/v1/chat/completions", "https://api.minimax.io/v1/models", "https://api.minimax.io/anthropic/v1/messages"},
	"minimax-cn":   {"https://api.minimaxi.com/v1/chat/completions", "https://api.minimaxi.com/v1/models", "https://api.minimaxi.com/anthropic/v1/messages"},
	"nvidia":       {"https://integrate.api.nvidia.com/v1/chat/completions", "https://integrate.api.nvidia.com/v1/models", ""},
	"perplexity":   {"https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai/models", ""},
	"ollama":       {"http://127.0.0.1:11434/v1/chat/completions", "http://127.0.0.1:11434/v1/models", "http://127.0.0.1:11434/v1/messages"},
	"ollama-cloud": {"https://ollama.com/v1/chat/completions", "https://ollama.com/v1/models", "https://ollama.com/v1/messages"},
	"lmstudio":     {"http://127.0.0.1:1234/v1/chat/completions", "http://127.0.0.1:1234/v1/models", "http://127.0.0.1:1234/v1/messages"},
	"vllm":         {"http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1/models", "http://127.0.0.1:8000/v1/messages"},
	"llamacpp":     {"http://127.0.0.1:8080/v1/chat/completions", "http://127.0.0.1:8080/v1/models", "http://127.0.0.1:8080/v1/messages"},
}

// keyless are the presets of servers that need no key.
var keyless = []string{"llamacpp", "lmstudio", "ollama", "vllm"}

func named(t *testing.T, name string) provider.Provider {
	t.Helper()
	for _, p := range New() {
		if p.Name() == name {
			return p
		}
	}
	t.Fatalf("there is no provider %s", name)
	return nil
}

func TestPresets(t *testing.T) {
	if got, want := Presets(), slices.Sorted(maps.Keys(documented)); !slices.Equal(got, want) {
		t.Fatalf("presets %v, want %v", got, want)
	}
	for name, want := range documented {
		t.Run(name, func(t *testing.T) {
			if Title(name) == "" {
				t.Error("it has no title")
			}
			p := named(t, "openai-compatible")
			a := providertest.Account(t, "", "sk-own")
			a.Preset = name
			if err := p.Prepare(a); err != nil {
				t.Fatal(err)
			}
			if a.Protocols[0] != protocol.OpenAIChat || a.Takes(protocol.Anthropic) != (want.messages != "") {
				t.Errorf("it speaks %v", a.Protocols)
			}
			check(t, p, a, protocol.OpenAIChat, "/chat/completions", want.chat)
			check(t, p, a, protocol.OpenAIChat, "/models", want.models)
			if want.messages != "" {
				check(t, p, a, protocol.Anthropic, "/v1/messages", want.messages)
			}

			bare := providertest.Account(t, "", "")
			bare.Preset = name
			if err := p.Prepare(bare); (err == nil) != slices.Contains(keyless, name) {
				t.Errorf("without a key: %v", err)
			}

			p = named(t, "anthropic-compatible")
			a = providertest.Account(t, "", "sk-own")
			a.Preset = name
			err := p.Prepare(a)
			if (err == nil) != (want.messages != "") {
				t.Fatalf("anthropic-compatible: %v", err)
			}
			if err != nil {
				return
			}
			if a.Protocols[0] != protocol.Anthropic {
				t.Errorf("anthropic-compatible speaks %v", a.Protocols)
			}
			check(t, p, a, protocol.Anthropic, "/v1/messages", want.messages)
			check(t, p, a, protocol.OpenAIChat, "/chat/completions", want.chat)
		})
	}
}

// check looks at the request that p makes for an account with the key sk-own.
func check(t *testing.T, p provider.Provider, a *provider.Account, proto, path, want string) {
	t.Helper()
	client := http.Header{"Authorization": {"Bearer client"}, "X-Api-Key": {"client"}, "Anthropic-Version": {"2026-10-21"}, "Anthropic-Beta": {"b"}}
	out := providertest.Addressed(t, p, a, provider.Target{Protocol: proto, Path: path}, client)
	if got := out.URL.String(); got != want || out.Host != out.URL.Host {
		t.Errorf("%s at %s of %s, want %s", got, out.Host, path, want)
	}
	if got := out.Header.Get("Authorization"); got != "Bearer sk-own" || out.Header.Get("X-Api-Key") != "" {
		t.Errorf("Authorization %q, X-Api-Key %q", got, out.Header.Get("X-Api-Key"))
	}
	if proto == protocol.Anthropic && (out.Header.Get("Anthropic-Version") != "2023-06-01" || out.Header.Get("Anthropic-Beta") != "b") {
		t.Errorf("version %q, beta %q", out.Header.Get("Anthropic-Version"), out.Header.Get("Anthropic-Beta"))
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"x: {title: X, openai: https://x.example/v1, colour: red}", "unknown field"},
		{"x: {title: X}", "no base URL"},
		{"x: {title: X, openai: x.example/v1}", "is no base URL"},
		{"x: {title: X, openai: https://x.example/v1/}", "is no base URL"},
		{"x: {title: X, openai: https://x.example/v1, anthropic: https://y.example}", "two origins"},
		{"x: {title: X, openai: https://x.example/v1, anthropic: http://x.example}", "two origins"},
	} {
		if _, err := load([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.text, err, tt.want)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := load(source); err != nil {
			b.Fatal(err)
		}
	}
}
