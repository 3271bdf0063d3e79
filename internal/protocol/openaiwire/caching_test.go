package openaiwire

import (
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

func TestTakesBreakpoints(t *testing.T) {
	for model, want := range map[string]bool{
		"gpt-5.6-sol": true, "gpt-5.10": true, "gpt-6-astra": true, "gpt-6.1": true, "openai/gpt-5.6": true, "m-1": true, "": true, "our-deployment": true,
		"gpt-5": false, "gpt-5-2025-08-07": false, "gpt-5-mini": false, "gpt-5.5": false, "gpt-5.1-codex": false, "gpt-4.1": false, "gpt-4o": false, "gpt-3.5-turbo": false,
		"o3": false, "o4-mini": false, "codex-mini-latest": false, "chatgpt-4o-latest": false, "gpt-oss-120b": false,
	} {
		if got := TakesBreakpoints(&protocol.Fit{Model: model, Native: true}); got != want {
			t.Errorf("%s: %v", model, got)
		}
	}
	if TakesBreakpoints(&protocol.Fit{Model: "gpt-5.6"}) {
		t.Error("a copy of the protocol takes none")
	}
}

func TestAppendBreakpoint(t *testing.T) {
	for ttl, want := range map[string]string{
		"": `{"prompt_cache_breakpoint":{"mode":"explicit"}`, "5m": `{"prompt_cache_breakpoint":{"mode":"explicit"}`,
		"1h":  `{"prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}`,
		"30m": `{"prompt_cache_breakpoint":{"mode":"explicit","ttl":"30m"}`,
		"12h": `{"prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}`,
	} {
		if got := string(AppendBreakpoint([]byte{'{'}, &llm.Breakpoint{TTL: ttl}, protocol.OpenAIChat)); got != want {
			t.Errorf("%q: %s", ttl, got)
		}
	}
}
