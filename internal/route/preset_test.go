package route

import "testing"

// TestPresets: what each preset takes, and that the more special ones go first.
func TestPresets(t *testing.T) {
	on := map[string]string{}
	for _, p := range Presets() {
		on[p.Name] = "to-" + p.Name
	}
	rules, unknown := FromPresets(on)
	if unknown != "" || len(rules) != len(on) {
		t.Fatalf("%d rules, %q unknown", len(rules), unknown)
	}
	table, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		model string
		facts Facts
		want  string
	}{
		{"claude-sonnet-4-5", Facts{}, "to-claude-code"},
		{"claude-haiku-4-5", Facts{}, "to-claude-haiku"},
		{"claude-3-5-haiku-20241022", Facts{Tokens: 10}, "to-claude-haiku"},
		{"claude-opus-4-5", Facts{}, "to-claude-opus"},
		{"claude-opus-4-5", Facts{Background: Title}, "to-background"},
		{"claude-opus-4-5", Facts{Background: Summary}, "to-summaries"},
		{"gpt-5.1-codex", Facts{}, "to-codex"},
		{"gpt-5.1-codex", Facts{Tokens: 150_001}, "to-long"},
		{"gemini-3-pro-preview", Facts{Needs: Vision}, "to-vision"},
		{"gemini-3-pro-preview", Facts{Needs: Thinking | Tools}, "to-thinking"},
		{"gemini-3-pro-preview", Facts{Needs: Tools}, "to-gemini-cli"},
		{"llama", Facts{}, "llama"},
	} {
		if got := table.Plan(tt.model, func() Facts { return tt.facts }).Models; len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s with %+v goes to %v, want %s", tt.model, tt.facts, got, tt.want)
		}
	}
	if rules, unknown := FromPresets(map[string]string{"vision": "m", "visoin": "m"}); rules != nil || unknown != "visoin" {
		t.Errorf("a preset that is none: %v, %q", rules, unknown)
	}
	if rules, unknown := FromPresets(nil); rules != nil || unknown != "" {
		t.Errorf("none: %v, %q", rules, unknown)
	}
}
