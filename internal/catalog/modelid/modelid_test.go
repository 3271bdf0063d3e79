package modelid

import (
	"slices"
	"strings"
	"testing"
)

func TestForms(t *testing.T) {
	tests := []struct {
		id   string
		want []string
	}{
		{"", nil},
		{"gpt-4o", []string{"gpt-4o"}},
		{"MiniMax-M3", []string{"minimax-m3"}},
		{"models/gemini-2.5-pro", []string{"models/gemini-2.5-pro", "gemini-2.5-pro", "gemini-2-5-pro"}},
		{"publishers/google/models/gemini-x", []string{"publishers/google/models/gemini-x", "gemini-x"}},
		{"my-models/x", []string{"my-models/x", "x"}},
		{"anthropic/claude-haiku-4.5", []string{"anthropic/claude-haiku-4.5", "claude-haiku-4.5", "claude-haiku-4-5"}},
		{"claude-sonnet-4-5-20250929", []string{"claude-sonnet-4-5-20250929", "claude-sonnet-4-5"}},
		{"claude-sonnet-4-5@20250929", []string{"claude-sonnet-4-5@20250929", "claude-sonnet-4-5"}},
		{"claude-sonnet-4-5[1m]", []string{"claude-sonnet-4-5[1m]", "claude-sonnet-4-5"}},
		{"claude-3-7-sonnet-latest", []string{"claude-3-7-sonnet-latest", "claude-3-7-sonnet"}},
		{"gpt-4o-2024-08-06", []string{"gpt-4o-2024-08-06", "gpt-4o"}},
		{"us.anthropic.claude-haiku-4-5-20251001-v1:0", []string{"us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"}},
		{"us.anthropic.claude-opus-4-6-v1", []string{"us.anthropic.claude-opus-4-6-v1", "claude-opus-4-6-v1", "claude-opus-4-6"}},
		{"openrouter/z-ai/glm-4.5-air:free", []string{"openrouter/z-ai/glm-4.5-air:free", "openrouter/z-ai/glm-4.5-air", "glm-4.5-air", "glm-4-5-air"}},
		// What must not be taken for something else.
		{"llama3.2:3b", []string{"llama3.2:3b", "llama3-2:3b"}},
		{"deepseek-r1-0528", []string{"deepseek-r1-0528"}},
		{"model-12345678", []string{"model-12345678"}},
		{"deepseek-v3", []string{"deepseek-v3"}},
		{"us.someone.x", []string{"us.someone.x"}},
		{"a/", []string{"a/"}},
		{"-20250929", []string{"-20250929"}},
		{"@", []string{"@"}},
		{"[]", []string{"[]"}},
		{strings.Repeat("x", MaxLen+1), nil},
	}
	for _, tt := range tests {
		if got := Forms(tt.id); !slices.Equal(got, tt.want) {
			t.Errorf("Forms(%q) = %q, want %q", tt.id, got, tt.want)
		}
	}
}

func TestFree(t *testing.T) {
	for id, want := range map[string]bool{"x/y:free": true, "x/y": false, "free": false} {
		if got := Free(id); got != want {
			t.Errorf("Free(%q) = %v, want %v", id, got, want)
		}
	}
}

func FuzzForms(f *testing.F) {
	f.Add("us.anthropic.claude-haiku-4-5-20251001-v1:0")
	f.Add("a/models/b[x]:free@-2025-01-01-latest")
	f.Fuzz(func(t *testing.T, id string) {
		forms := Forms(id)
		if (len(forms) == 0) != (id == "" || len(id) > MaxLen) {
			t.Fatalf("Forms(%q) = %q", id, forms)
		}
		for i, form := range forms {
			if form == "" || i > 0 && (form == forms[i-1] || len(form) > len(forms[i-1])) {
				t.Errorf("Forms(%q) = %q", id, forms)
			}
		}
	})
}
