package models

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/route"
)

// has is an entry of an account that listed models.
func has(a pool.Account, names ...string) *entry {
	e := &entry{account: &a, known: true}
	for _, n := range names {
		e.models = append(e.models, protocol.Model{ID: n})
	}
	return e
}

// mute is an entry of an account that has no list.
func mute(a pool.Account) *entry { return &entry{account: &a} }

func TestMerge(t *testing.T) {
	off := account(t, "off", "openai", "", nil)
	off.Disabled = true
	sim := account(t, "sim", "simulator", "", nil, "simulator", "simulator-*")
	sim.Reserved = true
	open := func(globs ...string) pool.Account { return account(t, "open", "openai", "", nil, globs...) }
	claude := func(globs ...string) pool.Account { return account(t, "claude", "anthropic", "", nil, globs...) }

	for _, tt := range []struct {
		name                           string
		entries                        []*entry
		routes                         []route.Rule
		all, openAI, anthropic, gemini string
	}{
		{name: "nothing"},
		{
			name:    "sorted, once each, by dialect",
			entries: []*entry{has(open(), "b", "a"), has(claude(), "c", "b")},
			all:     "a b c", openAI: "a b", anthropic: "b c",
		},
		{name: "an account that is off", entries: []*entry{has(off, "a")}},
		{
			name:    "globs filter",
			entries: []*entry{has(open("gpt-*", "o?"), "gpt-1", "o1", "o11", "whisper")},
			all:     "gpt-1 o1", openAI: "gpt-1 o1",
		},
		{
			name:    "names in place of a list",
			entries: []*entry{mute(open("gpt-1", "gpt-*"))},
			all:     "gpt-1", openAI: "gpt-1",
		},
		{
			name:    "no names in place of a list that is there",
			entries: []*entry{has(open("gpt-1", "gpt-2"), "gpt-2")},
			all:     "gpt-2", openAI: "gpt-2",
		},
		{
			name:    "reserved names",
			entries: []*entry{has(sim, "simulator", "simulator-fast"), has(open(), "simulator-x", "a")},
			all:     "a simulator simulator-fast", openAI: "a simulator simulator-fast", anthropic: "simulator simulator-fast", gemini: "simulator simulator-fast",
		},
		{
			name:    "a route from an exact name",
			entries: []*entry{has(open(), "gpt-1")},
			routes:  []route.Rule{{Match: "fast", To: []string{"none", "gpt-1"}}, {Match: "slow", To: []string{"none"}}, {Match: "f*", To: []string{"gpt-1"}}},
			all:     "fast gpt-1", openAI: "fast gpt-1",
		},
		{
			name:    "the first route decides",
			entries: []*entry{has(open(), "gpt-1")},
			routes:  []route.Rule{{Match: "f*", To: []string{"none"}}, {Match: "fast", To: []string{"gpt-1"}}},
			all:     "gpt-1", openAI: "gpt-1",
		},
		{
			name:    "a route that leads a listed name astray",
			entries: []*entry{has(open(), "gpt-1", "gpt-2")},
			routes:  []route.Rule{{Match: "gpt-2", To: []string{"none"}}},
			all:     "gpt-1", openAI: "gpt-1",
		},
		{
			name:    "a route to what an account without a list serves",
			entries: []*entry{mute(claude()), has(open(), "gpt-1")},
			routes:  []route.Rule{{Match: "fast", To: []string{"claude-x"}}},
			all:     "fast gpt-1", openAI: "gpt-1", anthropic: "fast",
		},
		{
			name:    "a route to what the operator says is served",
			entries: []*entry{has(open("gpt-*"), "gpt-1")},
			routes:  []route.Rule{{Match: "fast", To: []string{"gpt-new"}}, {Match: "slow", To: []string{"claude-x"}}},
			all:     "fast gpt-1", openAI: "fast gpt-1",
		},
	} {
		table, err := route.New(tt.routes)
		if err != nil {
			t.Fatal(err)
		}
		v := merge(tt.entries, tt.routes, table, nil)
		got := [4]string{ids(v.all), ids(v.by[openAI]), ids(v.by[anthropic]), ids(v.by[gemini])}
		if want := [4]string{tt.all, tt.openAI, tt.anthropic, tt.gemini}; got != want {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
}

func TestMergeDetails(t *testing.T) {
	first, second := account(t, "first", "openai", "", nil), account(t, "second", "openai", "", nil)
	first.Priority = 1 // the second one is preferred
	a, b := has(first), has(second)
	a.models = []protocol.Model{{ID: "m", OwnedBy: "first", Context: 100, MaxOutput: 10}, {ID: "gpt-4o"}}
	b.models = []protocol.Model{{ID: "m", DisplayName: "M", Context: 200}, {ID: "own", Context: 5, MaxOutput: 5}}
	cat := catalog.New([]config.Model{{ID: "own", Context: 7, PriceIn: -1, PriceOut: -1}, {ID: "alias", MaxOutput: 3, PriceIn: -1, PriceOut: -1}})
	rules := []route.Rule{{Match: "alias", To: []string{"own"}}}
	table, err := route.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	got := merge([]*entry{a, b}, rules, table, cat).all

	known, ok := cat.Lookup("gpt-4o")
	if !ok || known.Context == 0 || known.MaxOutput == 0 {
		t.Fatalf("the catalogue does not know gpt-4o: %+v", known)
	}
	want := []protocol.Model{
		{ID: "alias", Context: 7, MaxOutput: 3},
		{ID: "gpt-4o", DisplayName: known.Name, Context: known.Context, MaxOutput: known.MaxOutput},
		{ID: "m", DisplayName: "M", OwnedBy: "first", Context: 200, MaxOutput: 10},
		{ID: "own", Context: 7, MaxOutput: 5},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMergeBound(t *testing.T) {
	e := has(account(t, "a", "openai", "", nil))
	for i := range maxListed + 5 {
		e.models = append(e.models, protocol.Model{ID: string(rune('a'+i%26)) + string(rune(i+256))})
	}
	if got := len(merge([]*entry{e}, nil, nil, nil).all); got != maxListed {
		t.Errorf("%d models are listed, want %d", got, maxListed)
	}
}
