package catalog

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/catalog/modelid"
	"portico/internal/config"
	"portico/internal/llm"
)

func TestLookup(t *testing.T) {
	tests := []struct {
		id, want string // want "": not known
	}{
		{"claude-opus-5-5", "claude-opus-5-5"},
		{"Claude-Opus-5-5", "claude-opus-5-5"},
		{"claude-opus-5.5", "claude-opus-5-5"},
		// An exact entry wins over the maker's.
		{"anthropic/claude-opus-5.5", "anthropic/claude-opus-5.5"},
		{"somebody/claude-opus-5-5", "claude-opus-5-5"},
		{"claude-opus-5-5[1m]", "claude-opus-5-5"},
		{"claude-haiku-4-5", "claude-haiku-4-5-20251001"},
		{"claude-haiku-4-5@20251001", "claude-haiku-4-5-20251001"},
		{"claude-haiku-4-5-latest", "claude-haiku-4-5-20251001"},
		{"claude-haiku-4-5-20991231", "claude-haiku-4-5-20251001"},
		{"jp.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"},
		{"models/gemini-2.5-pro", "gemini-2.5-pro"},
		{"publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"},
		{"gpt-5.1-2025-11-13", "gpt-5.1"},
		{"minimax-m3", "minimax-m3"},
		{"MiniMax-M3", "minimax-m3"},
		{"gpt", ""},
		{"claude", ""},
		{"simulator", ""},
		{"", ""},
		{"# charm.land/catwalk", ""},
		{"zzzz", ""},
		{"!", ""},
		{strings.Repeat("x", modelid.MaxLen+1), ""},
	}
	for _, tt := range tests {
		m, ok := New(nil).Lookup(tt.id)
		if m.ID != tt.want || ok != (tt.want != "") {
			t.Errorf("Lookup(%q) = %q, %v, want %q", tt.id, m.ID, ok, tt.want)
		}
	}
}

func TestLookupReadsEveryField(t *testing.T) {
	var none *Catalog
	got, _ := none.Lookup("gpt-5.5")
	want := Model{
		ID: "gpt-5.5", Name: "GPT-5.5", Context: 1_050_000, MaxOutput: 128_000, Reasoning: true, Images: true, Efforts: 1<<2 | 1<<3 | 1<<4 | 1<<5,
		Price: Price{
			Known: true, Rates: Rates{In: 5, Out: 30, CacheRead: 0.5, CacheWrite: -1},
			Above: 272_000, Long: Rates{In: 10, Out: 45, CacheRead: 1, CacheWrite: -1},
		},
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if levels := got.Efforts.Levels(); !slices.Equal(levels, []string{"low", "medium", "high", "xhigh"}) {
		t.Errorf("levels of effort: %v", levels)
	}
	if free, ok := none.Lookup("z-ai/glm-5:free"); !ok || free.Price != (Price{Known: true}) || free.Context == 0 {
		t.Errorf("a free variant: %+v, %v", free, ok)
	}
	if paid, ok := none.Lookup("elsewhere/nemotron-3-nano-omni-30b-a3b-reasoning"); !ok || paid.Price.Known {
		t.Errorf("a model of which only a free variant is known: %+v, %v", paid, ok)
	}
	if plan, ok := none.Lookup("k3"); !ok || plan.Price.Known {
		t.Errorf("a model without a price: %+v, %v", plan, ok)
	}
}

func TestOverrides(t *testing.T) {
	unset := config.Model{PriceIn: -1, PriceOut: -1, PriceCacheRead: -1, PriceCacheWrite: -1}
	longer := unset
	longer.ID, longer.Context = "GPT-5.5", 99
	cheaper := unset
	cheaper.ID, cheaper.PriceIn = "openai/gpt-5.5", 1
	own := config.Model{ID: "my-model", Context: 8192, MaxOutput: 1024, PriceIn: 0.5, PriceOut: 0, PriceCacheRead: 0, PriceCacheWrite: -1}
	c := New([]config.Model{longer, cheaper, own})

	if m, _ := c.Lookup("somebody/gpt-5.5"); m.Context != 99 || m.MaxOutput != 128_000 || m.Price.In != 5 || m.Price.Above == 0 {
		t.Errorf("a window: %+v", m)
	}
	if m, _ := c.Lookup("openai/gpt-5.5"); m.Context != 1_050_000 || m.Price.In != 1 || m.Price.Out != 30 || m.Price.Above != 0 {
		t.Errorf("a price: %+v", m)
	}
	m, ok := c.Lookup("vendor/My-Model")
	want := Model{ID: "my-model", Context: 8192, MaxOutput: 1024, Price: Price{Known: true, Rates: Rates{In: 0.5, CacheWrite: -1}}}
	if !ok || m != want {
		t.Errorf("a model of one's own: %+v, %v", m, ok)
	}
	if o, ok := c.Override("my-model"); !ok || o.Context != 8192 {
		t.Errorf("Override = %+v, %v", o, ok)
	}
	half := unset
	half.ID, half.PriceIn = "half", 1
	if m, ok := New([]config.Model{half}).Lookup("half"); !ok || m.Price.Known {
		t.Errorf("half a price is known: %+v, %v", m, ok)
	}
}

// TestDearest: whatever a request turns out to be made of, it costs no more than
// was thought.
func TestDearest(t *testing.T) {
	m := Model{Price: Price{
		Known: true, In: 4, Out: 20, CacheRead: 0.2, CacheWrite: -1, Above: 1000, Long: Rates{In: 8, Out: 30, CacheRead: -1, CacheWrite: 10},
		Own: Own{Reasoning: 25, AudioIn: 7, ImageIn: 9, AudioOut: 21, ImageOut: 5},
	}}
	for _, in := range []int64{500, 2000} {
		most, _ := Cost(llm.Usage{Input: in, Output: 100}, Dearest(m))
		for _, u := range []llm.Usage{
			{Input: in, Output: 100},
			{Input: in, AudioIn: in, Output: 100, AudioOut: 100},
			{Input: in, ImageIn: in, Reasoning: 100},
			{CacheRead: in, Output: 60, ImageOut: 60, Reasoning: 40},
			{Input: in / 2, AudioIn: in / 4, ImageIn: in / 4, CacheRead: in / 2, Output: 100},
		} {
			if usd, _ := Cost(u, m); usd > most+1e-12 {
				t.Errorf("%+v costs %v, thought to be %v at most", u, usd, most)
			}
		}
	}
}

// TestDay: the data says of which day it is.
func TestDay(t *testing.T) {
	if _, err := time.Parse(time.DateOnly, Day()); err != nil {
		t.Errorf("%q in %q", Day(), Version())
	}
}

func TestCost(t *testing.T) {
	all := Price{Known: true, In: 4, Out: 20, CacheRead: 0.2, CacheWrite: 5}
	bare := Price{Known: true, In: 4, Out: 20, CacheRead: -1, CacheWrite: -1}
	dear := all
	dear.Own = Own{Reasoning: 30, AudioIn: 40, ImageIn: 8, AudioOut: 80, ImageOut: 60, Search: 10}
	long := all
	long.Above, long.Long = 200_000, Rates{In: 8, Out: 30, CacheRead: 0.4, CacheWrite: 10}
	tests := []struct {
		name  string
		usage llm.Usage
		price Price
		want  float64
	}{
		{"nothing", llm.Usage{}, all, 0},
		{"each kind", llm.Usage{Input: 1e6, CacheRead: 1e6, CacheWrite: 1e6, Output: 1e6, Reasoning: 1e6}, all, 4 + 0.2 + 5 + 20 + 20},
		{"kept for an hour", llm.Usage{CacheWrite: 1e6, CacheHour: 0.4e6}, all, 0.6*5 + 0.4*8},
		{"kept for an hour, beyond the size", llm.Usage{CacheWrite: 1e6, CacheHour: 1e6}, long, 16},
		{"kept for an hour without a price of its own", llm.Usage{CacheWrite: 1e6, CacheHour: 0.4e6}, bare, 4},
		{"cache without a price of its own", llm.Usage{Input: 1e6, CacheRead: 1e6, CacheWrite: 1e6}, bare, 12},
		{"at the size", llm.Usage{Input: 100_000, CacheRead: 100_000, Output: 1e6}, long, 0.4 + 0.02 + 20},
		{"beyond the size", llm.Usage{Input: 100_001, CacheRead: 100_000, Output: 1e6}, long, 0.800008 + 0.04 + 30},
		{"free", llm.Usage{Input: 1e6}, Price{Known: true}, 0},
		// 4 and 20 dollars for a million tokens of text; of a million read
		// 400,000 are sound at 40 and 100,000 a picture at 8; of half a million
		// written 200,000 are sound at 80 and 100,000 a picture at 60; 300,000
		// of reasoning at 30; 25 searches at 10 dollars a thousand.
		{
			"each kind with a price of its own",
			llm.Usage{Input: 1e6, AudioIn: 0.4e6, ImageIn: 0.1e6, Output: 0.5e6, AudioOut: 0.2e6, ImageOut: 0.1e6, Reasoning: 0.3e6, Searches: 25, Fetches: 7},
			dear, 0.5*4 + 0.4*40 + 0.1*8 + 0.2*20 + 0.2*80 + 0.1*60 + 0.3*30 + 0.25,
		},
		{"the same at prices of text alone", llm.Usage{Input: 1e6, AudioIn: 0.4e6, ImageIn: 0.1e6, Output: 0.5e6, AudioOut: 0.2e6, ImageOut: 0.1e6, Reasoning: 0.3e6, Searches: 25}, bare, 4 + 0.8*20},
		{"sound that was in the cache for the most part", llm.Usage{Input: 0.1e6, CacheRead: 0.9e6, AudioIn: 1e6}, dear, 0.1*40 + 0.9*0.2},
		{"more parts than there is", llm.Usage{Input: 1e6, AudioIn: 3e6, ImageIn: 1e6, Output: 1e6, ImageOut: 2e6}, dear, 40 + 60},
	}
	for _, tt := range tests {
		got, known := Cost(tt.usage, Model{Price: tt.price})
		if !known || math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %v, %v, want %v", tt.name, got, known, tt.want)
		}
	}
	if usd, known := Cost(llm.Usage{Input: 1e6}, Model{}); usd != 0 || known {
		t.Errorf("without a price: %v, %v", usd, known)
	}
}
