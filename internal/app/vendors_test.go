package app

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/admin"
	"portico/internal/provider"
	"portico/internal/provider/all"
	"portico/internal/provider/compat"
)

// TestVendors: every provider and preset is there once, and says what an
// account at it needs.
func TestVendors(t *testing.T) {
	a := &App{providers: map[string]provider.Provider{}}
	for _, p := range all.New() {
		a.providers[p.Name()] = p
	}
	got := map[string]admin.Vendor{}
	for _, v := range a.vendors() {
		key := v.Provider + " " + v.Preset
		if _, twice := got[key]; twice || v.Title == "" {
			t.Errorf("%q is there twice, or has no title", key)
		}
		got[key] = v
	}
	if want := len(all.New()) - 1 + len(compat.Presets()) - 1; len(got) != want {
		t.Errorf("%d vendors, want all providers but the simulator and all presets but ollama: %d", len(got), want)
	}
	for key, want := range map[string]admin.Vendor{
		"openai ":                      {Title: "OpenAI", Provider: "openai", BaseURL: "https://api.openai.com/v1"},
		"gemini ":                      {Title: "Google AI Studio", Provider: "gemini", BaseURL: "https://generativelanguage.googleapis.com/v1beta", Login: true},
		"azure ":                       {Title: "Azure OpenAI", Provider: "azure"},
		"ollama ":                      {Title: "Ollama", Provider: "ollama", BaseURL: "http://127.0.0.1:11434/v1", Keyless: true},
		"openai-compatible ":           {Title: "OpenAI-compatible", Provider: "openai-compatible"},
		"openai-compatible openrouter": {Title: "OpenRouter", Provider: "openai-compatible", Preset: "openrouter", BaseURL: "https://openrouter.ai/api/v1"},
		"openai-compatible vllm":       {Title: "vLLM", Provider: "openai-compatible", Preset: "vllm", BaseURL: "http://127.0.0.1:8000/v1", Keyless: true},
	} {
		if diff := cmp.Diff(want, got[key]); diff != "" {
			t.Errorf("%q (-want +got):\n%s", key, diff)
		}
	}
}

func TestVendorsOfNoProvider(t *testing.T) {
	if got := (&App{}).vendors(); got != nil {
		t.Errorf("%v", got)
	}
}
