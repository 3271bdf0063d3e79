package anthropic

import (
	"slices"
	"strings"
	"testing"

	"portico/internal/protocol"
)

func TestClaudeOf(t *testing.T) {
	for name, want := range map[string]claude{
		"claude-opus-4-5-20251101":                    {"opus", 45},
		"claude-sonnet-4-20250514":                    {"sonnet", 40},
		"us.anthropic.claude-opus-4-1-20250805-v1:0":  {"opus", 41},
		"anthropic/claude-haiku-4.5":                  {"haiku", 45},
		"claude-3-5-sonnet-v2@20241022":               {"sonnet", 35},
		"claude-3-opus-20240229":                      {"opus", 30},
		"claude-4-6-sonnet":                           {"sonnet", 46},
		"claude-opus-4-8-think":                       {"opus", 48},
		"claude-sonnet-4-5-20250929-thinking":         {"sonnet", 45},
		"claude-fable-5-1":                            {"fable", 51},
		"claude-opus-5[1m]":                           {"opus", 50},
		"anthropic.claude-3-7-sonnet-20250219-v1:0":   {"sonnet", 37},
		"claude-instant-1.2":                          {"instant", 12},
		"claude-sonnet-latest":                        {"sonnet", 0},
		"glm-5.3":                                     {},
		"publishers/anthropic/models/claude-sonnet-5": {"sonnet", 50},
		"claude-haiku-5-5":                            {"haiku", 55},
		"my-custom-model":                             {},
		"global.anthropic.claude-opus-4-6-v1":         {"opus", 46},
		"claude-opus-10-2":                            {"opus", 102},
		strings.Repeat("claude-opus-4-5", 100):        {},
		"claude-":                                     {},
	} {
		got := claudeOf(name)
		if got != want {
			t.Errorf("%.60s: %+v, want %+v", name, got, want)
		}
	}
}

// TestAbilities is spec upstreams §1C.5, row by row.
func TestAbilities(t *testing.T) {
	for _, tt := range []struct{ model, thinking, efforts, rest string }{
		{"claude-3-haiku", "", "", "sampling forced prefill"},
		{"claude-3-5-sonnet", "", "", "sampling forced prefill"},
		{"claude-3-7-sonnet", "budget off", "", "sampling forced prefill"},
		{"claude-sonnet-4", "budget off display", "", "sampling forced prefill"},
		{"claude-opus-4-1", "budget off display", "", "sampling one forced prefill"},
		{"claude-sonnet-4-5", "budget off display", "", "sampling one forced prefill format strict"},
		{"claude-opus-4-5", "budget off display", "low medium high", "sampling one forced prefill format strict"},
		{"claude-opus-4-6", "adaptive budget off display", "low medium high max", "sampling one forced format strict"},
		{"claude-sonnet-4-6", "adaptive budget off display", "low medium high max", "sampling one forced prefill format strict"},
		{"claude-opus-4-8", "adaptive off display", "low medium high xhigh max", "forced midway format strict"},
		{"claude-sonnet-5", "adaptive off display on", "low medium high xhigh max", "forced midway format strict"},
		{"claude-opus-5", "adaptive off≤high display on", "low medium high xhigh max", "forced midway format strict"},
		{"claude-sonnet-5-5", "adaptive between display on", "low medium high xhigh max", "forced midway format strict"},
		{"claude-haiku-5-5", "adaptive off≤high display on", "low medium high xhigh max", "forced midway format strict"},
		{"claude-opus-5-5", "adaptive display on", "low medium high xhigh max", "midway format strict"},
		{"claude-fable-5", "adaptive display on", "low medium high xhigh max", "forced midway format strict"},
		{"claude-fable-5-1", "adaptive display on", "low medium high xhigh max", "midway format strict"},
		{"claude-tomorrow", "adaptive display on", "low medium high xhigh max", "midway format strict"},
		{"a-name-of-ones-own", "adaptive display on", "low medium high xhigh max", "forced midway format strict"},
	} {
		a := abilitiesOf(&protocol.Fit{Model: tt.model, Native: true})
		if got := thinkingWords(a); got != tt.thinking {
			t.Errorf("%s thinks %q, want %q", tt.model, got, tt.thinking)
		}
		if got := strings.Join(a.efforts, " "); got != tt.efforts {
			t.Errorf("%s has the efforts %q, want %q", tt.model, got, tt.efforts)
		}
		if got := otherWords(a); got != tt.rest {
			t.Errorf("%s takes %q, want %q", tt.model, got, tt.rest)
		}
		if a.sure != (tt.model != "claude-tomorrow" && tt.model != "a-name-of-ones-own") {
			t.Errorf("%s: sure is %v", tt.model, a.sure)
		}
	}
}

func thinkingWords(a abilities) string {
	off := "off"
	if a.offUpTo != "" {
		off += "≤" + a.offUpTo
	}
	return words(a.adaptive, "adaptive", a.budget, "budget", a.between, "between", a.off, off, a.display, "display", a.on, "on")
}

func otherWords(a abilities) string {
	return words(a.sampling, "sampling", a.oneKnob, "one", a.forced, "forced", a.prefill, "prefill", a.midway, "midway", a.format, "format", a.strict, "strict")
}

func words(pairs ...any) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].(bool) {
			out = append(out, pairs[i+1].(string))
		}
	}
	return strings.Join(out, " ")
}

func TestAbilitiesOfCopies(t *testing.T) {
	glm := abilitiesOf(&protocol.Fit{Model: "glm-5.3"})
	if glm.adaptive || !glm.budget || glm.midway || glm.format || !glm.sampling {
		t.Errorf("a vendor's own model gets %+v", glm)
	}
	resold := abilitiesOf(&protocol.Fit{Model: "anthropic/claude-opus-4.8"})
	if !resold.adaptive || resold.sampling || resold.midway {
		t.Errorf("a resold Claude gets %+v", resold)
	}
	dull := abilitiesOf(&protocol.Fit{Model: "x", Known: true, MaxOutput: 9})
	if dull.budget || dull.maxOutput != 9 {
		t.Errorf("a model that does not think gets %+v", dull)
	}
	if a := abilitiesOf(&protocol.Fit{Model: "claude-opus-4-8", Native: true, Efforts: []string{"low"}}); !slices.Equal(a.efforts, []string{"low"}) {
		t.Errorf("the catalogue's efforts are not taken: %v", a.efforts)
	}
	if New().TakesSchema(&protocol.Fit{Model: "claude-opus-4-1", Native: true}) || !New().TakesSchema(&protocol.Fit{Model: "claude-haiku-4-5", Native: true}) {
		t.Error("who takes a schema")
	}
}
