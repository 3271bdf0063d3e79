package catalog

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The embedded data holds what the code that reads it relies on.
func TestData(t *testing.T) {
	if len(data) > 400_000 {
		t.Errorf("%d bytes embedded, at most 400,000 are wanted", len(data))
	}
	if !regexp.MustCompile(`^charm\.land/catwalk v[0-9.]+ of 20\d\d-\d\d-\d\d `).MatchString(Version()) {
		t.Errorf("Version() = %q", Version())
	}
	lines := strings.Split(strings.TrimSuffix(data, "\n"), "\n")[1:]
	if len(lines) < 1000 {
		t.Fatalf("only %d entries", len(lines))
	}
	names := make([]string, len(lines))
	for i, line := range lines {
		name, rest, _ := strings.Cut(line, "\t")
		names[i] = name
		if strings.HasPrefix(rest, "=") {
			if other, ok := search(data, rest[1:]); !ok || strings.HasPrefix(other, "=") {
				t.Errorf("%s leads to %s: %q, %v", name, rest, other, ok)
			}
			continue
		}
		if n := strings.Count(rest, "\t"); n != 8 {
			t.Errorf("%s: %d tabs", name, n)
		}
		checkPrice(t, name, parse(name, rest))
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("the names are not in order, each once")
	}
	for i, name := range names {
		_, rest, _ := strings.Cut(lines[i], "\t")
		if got, ok := search(data, name); !ok || got != rest {
			t.Errorf("search(%q) = %q, %v", name, got, ok)
		}
		for _, other := range []string{name + "!", name + "\x7f", name[:len(name)-1]} {
			if _, found := slices.BinarySearch(names, other); found {
				continue
			}
			if got, ok := search(data, other); ok {
				t.Errorf("search(%q) = %q", other, got)
			}
		}
	}
}

func checkPrice(t *testing.T, name string, m Model) {
	t.Helper()
	if m.Context < 0 || m.MaxOutput < 0 || m.Context > 0 && m.MaxOutput > m.Context {
		t.Errorf("%s: window %d, output %d", name, m.Context, m.MaxOutput)
	}
	p := m.Price
	if !p.Known {
		if p.Above != 0 || p.CacheRead >= 0 || p.CacheWrite >= 0 {
			t.Errorf("%s: parts of an unknown price: %+v", name, p)
		}
		return
	}
	if p.CacheRead > p.In || p.CacheWrite >= 0 && p.CacheWrite < p.In {
		t.Errorf("%s: reading the cache costs %v, writing %v, input %v", name, p.CacheRead, p.CacheWrite, p.In)
	}
	if p.Above != 0 && (p.Long.In < p.In || p.Long.Out < p.Out || p.Long.CacheRead < p.CacheRead) {
		t.Errorf("%s: long prompts are cheaper: %+v", name, p)
	}
	if p.In > 1000 || p.Out > 5000 {
		t.Errorf("%s: an implausible price: %+v", name, p)
	}
}

// What the specification of this project quotes from the vendors' price lists.
func TestKnownPrices(t *testing.T) {
	for id, want := range map[string]Rates{
		"claude-opus-5-5":       {4, 20, 0.2, 5},
		"claude-haiku-4-5":      {1, 5, 0.1, 1.25},
		"gpt-6-luna":            {0.1, 0.5, 0.01, 0.125},
		"gemini-3.5-flash":      {1.5, 9, 0.15, -1},
		"gemini-3.8-flash":      {0.75, 3.75, 0.075, -1},
		"deepseek-v4-flash":     {0.14, 0.28, 0.0028, -1},
		"glm-5.3-flash":         {0.15, 0.5, 0.03, -1},
		"grok-4.5":              {2, 6, 0.3, -1},
		"gpt-5.3-codex":         {1.75, 14, 0.175, -1},
		"gemini-3.1-flash-lite": {0.25, 1.5, 0.025, -1},
	} {
		m, ok := New(nil).Lookup(id)
		if !ok || !m.Price.Known || m.Price.Rates != want {
			t.Errorf("%s: %+v, want %+v", id, m.Price, want)
		}
	}
	m, _ := New(nil).Lookup("gemini-3.1-pro-preview")
	if want := (Rates{4, 18, 0.4, -1}); m.Price.Above != 200_000 || m.Price.Long != want {
		t.Errorf("gemini-3.1-pro-preview beyond 200,000 tokens: %+v", m.Price)
	}
}

func FuzzLookup(f *testing.F) {
	f.Add("us.anthropic.claude-haiku-4-5-20251001-v1:0")
	f.Add("\tx\n#")
	c := New(nil)
	f.Fuzz(func(t *testing.T, id string) {
		if m, ok := c.Lookup(id); ok == (m.ID == "") {
			t.Errorf("Lookup(%q) = %+v, %v", id, m, ok)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	c := New(nil)
	b.ReportAllocs()
	for b.Loop() {
		c.Lookup("us.anthropic.claude-haiku-4-5-20251001-v1:0")
	}
}
