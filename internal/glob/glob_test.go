package glob

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"gpt-4o", "gpt-4o", true},
		{"gpt-4o", "gpt-4o-mini", false},
		{"gpt-4o", "GPT-4o", false},
		{"gpt-*", "gpt-4o", true},
		{"gpt-*", "gpt-", true},
		{"gpt-*", "xgpt-4o", false},
		{"claude-*-haiku*", "claude-3-5-haiku-20241022", true},
		{"claude-*-haiku*", "claude-haiku-4-5", false},
		{"claude-*haiku*", "claude-haiku-4-5", true},
		{"*", "", true},
		{"*", "anthropic/claude", true},
		{"*/claude-*", "openrouter/anthropic/claude-opus-5", true},
		{"?", "", false},
		{"?", "é", true},
		{"??", "é", false},
		{"*?b", "ab", true},
		{"*?b", "b", false},
		{"a**b", "ab", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"[ab]", "a", false},
		{"[ab]", "[ab]", true},
		{`a\*`, `a\xyz`, true},
		{"o?", "o\xff", true},
		{"/", "/", true},
		{"//", "anything", true},
		{"/haiku/", "claude-haiku-4-5", true},
		{"/^haiku/", "claude-haiku-4-5", false},
		{"/^gpt-(4|5)$/", "gpt-5", true},
		{"/(?i)^minimax/", "MiniMax-M3", true},
		{"minimax*", "MiniMax-M3", false},
	}
	for _, tt := range tests {
		g, err := Compile(tt.pattern)
		if err != nil {
			t.Fatalf("Compile(%q): %v", tt.pattern, err)
		}
		if got := g.Match(tt.name); got != tt.want {
			t.Errorf("%q matches %q = %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, pattern := range []string{"", "\xff", "/(/", `/\1/`, "/a{1001}/", strings.Repeat("a", MaxPattern+1)} {
		if g, err := Compile(pattern); err == nil {
			t.Errorf("Compile(%q) = %v, want an error", pattern, g)
		}
	}
	if _, err := Compile(strings.Repeat("a", MaxPattern)); err != nil {
		t.Errorf("the longest pattern: %v", err)
	}
	if _, err := CompileAll([]string{"ok", "/(/"}); err == nil {
		t.Error("CompileAll took a bad pattern")
	}
}

func TestLiteral(t *testing.T) {
	for pattern, want := range map[string]string{"gpt-4o": "gpt-4o", "gpt-*": "", "gpt-?": "", "/gpt/": ""} {
		g, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := g.Literal(); got != want || ok != (want != "") {
			t.Errorf("%q.Literal() = %q, %v", pattern, got, ok)
		}
	}
}

func TestSet(t *testing.T) {
	set, err := CompileAll([]string{"gpt-*", "o3"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"gpt-5": true, "o3": true, "o3-mini": false} {
		if got := set.Match(name); got != want {
			t.Errorf("Match(%q) = %v, want %v", name, got, want)
		}
	}
	if !(Set{}).Match("anything") {
		t.Error("the empty set does not match")
	}
}

// The classic trap of backtracking matchers: exponential in the stars.
func TestMatchIsBounded(t *testing.T) {
	g, err := Compile(strings.Repeat("a*", MaxPattern/2-1) + "b")
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("a", 100_000)
	start := time.Now()
	if g.Match(name) {
		t.Error("matched")
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if n := testing.AllocsPerRun(10, func() { g.Match("aaab") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// naive says the same by plain recursion over characters.
func naive(p, n []string) bool {
	switch {
	case len(p) == 0:
		return len(n) == 0
	case p[0] == "*":
		return naive(p[1:], n) || len(n) > 0 && naive(p, n[1:])
	case len(n) == 0:
		return false
	}
	return (p[0] == "?" || p[0] == n[0]) && naive(p[1:], n[1:])
}

// chars splits s as "?" counts: by character, a stray byte being one.
func chars(s string) []string {
	var out []string
	for len(s) > 0 {
		_, size := utf8.DecodeRuneInString(s)
		out = append(out, s[:size])
		s = s[size:]
	}
	return out
}

func FuzzMatch(f *testing.F) {
	f.Add("claude-*-haiku*", "claude-3-haiku")
	f.Add("*?é*", "aéé")
	f.Add("a*?b", "a\xff\xc3b")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 12 || len(name) > 16 {
			t.Skip("the naive matcher is exponential")
		}
		g, err := Compile(pattern)
		if err != nil || g.re != nil {
			t.Skip()
		}
		if got, want := g.Match(name), naive(chars(pattern), chars(name)); got != want {
			t.Errorf("%q matches %q = %v, the naive matcher says %v", pattern, name, got, want)
		}
	})
}

// TestWeight: patterns in the order of their weight, the heaviest first.
func TestWeight(t *testing.T) {
	order := []string{"a", "claude-*", "c?aude*", "a*b", "*", "/^claude-sonnet-4-5$/"}
	last := MaxPattern + 2
	for _, p := range order {
		g, err := Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		if w := g.Weight(); w >= last {
			t.Errorf("%s weighs %d, what is before it %d", p, w, last)
		} else {
			last = w
		}
	}
}
