package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"charm.land/catwalk/pkg/catwalk"

	"portico/internal/catalog/modelid"
)

// trust orders the providers by how much their word on a model counts: its
// maker, then the clouds that sell it at the maker's price, then routers that
// pass the price on. Those not named come after these, and those in distrust
// last: plans without a price by token, other currencies, and resellers.
var (
	trust = []catwalk.InferenceProvider{
		"openai", "anthropic", "gemini", "deepseek", "xai", "zai", "moonshot", "minimax", "alibaba-singapore",
		"azure", "vertexai", "bedrock", "bedrock-europe", "alibaba-us",
		"openrouter", "vercel",
	}
	distrust = []catwalk.InferenceProvider{
		"zhipu", "minimax-china", "venice", "cortecs", "opencode-zen", "opencode-go", "aihubmix",
		"copilot", "kimi-coding", "zhipu-coding",
	}
)

func rank(id catwalk.InferenceProvider) int {
	if i := slices.Index(trust, id); i >= 0 {
		return i
	}
	return len(trust) + 1 + slices.Index(distrust, id)
}

// An entry is one line of the table before it is written.
type entry struct {
	key, base string // the name in lower case; what all names of the model share
	rank      int    // of the provider, lower is more trusted
	name      string
	context   int64
	output    int64
	reasoning bool
	images    bool
	efforts   string // the digits of catalog.Efforts
	price     rates
	long      longRates
}

// table returns the lines of the catalogue, sorted by name.
func table(providers []catwalk.Provider) []string {
	providers = slices.Clone(providers)
	slices.SortStableFunc(providers, func(a, b catwalk.Provider) int { return cmp.Compare(rank(a.ID), rank(b.ID)) })

	var order []*entry // the most trusted first
	byKey := map[string]*entry{}
	leader := map[string]*entry{}    // the most trusted entry of a base
	priced := map[string]*entry{}    // the most trusted one that has a price
	tiers := maps.Clone(longPrompts) // by base
	for _, p := range providers {
		for _, m := range p.Models {
			e := read(m)
			if e.key == "" {
				continue
			}
			e.rank = rank(p.ID)
			if t, ok := makersTier(p.ID, m); ok {
				tiers[e.base] = t
			}
			if old := byKey[e.key]; old != nil {
				old.fill(e)
				e = old
			} else {
				byKey[e.key] = e
				order = append(order, e)
			}
			if leader[e.base] == nil {
				leader[e.base] = e
			}
			if priced[e.base] == nil && e.price.known {
				priced[e.base] = e
			}
		}
	}

	lines := make([]string, 0, 2*len(order))
	for _, e := range order {
		first := leader[e.base]
		if first.speaksFor(e) {
			byKey[e.key] = nil
			continue
		}
		// What routers call the default is often half of what the maker allows.
		e.output = max(e.output, min(first.output, e.context))
		if from := priced[e.base]; !e.price.known && from != nil {
			e.price = from.price
		}
		if t, ok := tiers[e.base]; ok && e.price.known {
			e.long = t.of(e.price)
		}
		lines = append(lines, e.line())
	}
	for base, e := range leader {
		if byKey[base] == nil {
			lines = append(lines, base+"\t="+e.key)
		}
	}
	// By name and not by line: one name may be the beginning of another.
	slices.SortFunc(lines, func(a, b string) int {
		ka, _, _ := strings.Cut(a, "\t")
		kb, _, _ := strings.Cut(b, "\t")
		return strings.Compare(ka, kb)
	})
	return lines
}

func read(m catwalk.Model) *entry {
	clean := func(s string) string {
		return strings.Join(strings.Fields(s), " ")
	}
	id := clean(m.ID)
	forms := modelid.Forms(id)
	if len(forms) == 0 {
		return &entry{}
	}
	e := &entry{
		key: forms[0], base: forms[len(forms)-1], name: clean(m.Name),
		context: max(0, m.ContextWindow), output: max(0, m.DefaultMaxTokens),
		reasoning: m.CanReason, images: m.SupportsImages, efforts: effortsOf(m),
		price: priceOf(m),
	}
	if e.context > 0 {
		e.output = min(e.output, e.context)
	}
	if e.name == id {
		e.name = ""
	}
	return e
}

// scale are the levels of effort as the catalogue counts them.
var scale = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// effortsOf are the levels of effort that m knows, as digits.
func effortsOf(m catwalk.Model) string {
	out := ""
	for i, level := range scale {
		if slices.Contains(m.ReasoningLevels, level) {
			out += strconv.Itoa(i)
		}
	}
	return out
}

// speaksFor reports whether first, the most trusted entry of its base, is to be
// found under e's name too: if e has the bare name, without vendor or version,
// which people write who mean the maker's model, or if e is only a distrusted
// provider's word.
func (first *entry) speaksFor(e *entry) bool {
	return first.rank < e.rank && (e.key == e.base || e.rank > len(trust) && first.rank <= len(trust))
}

// fill takes from a less trusted entry of the same name what e lacks.
func (e *entry) fill(from *entry) {
	e.name = cmp.Or(e.name, from.name)
	e.context = cmp.Or(e.context, from.context)
	e.output = cmp.Or(e.output, from.output)
	e.efforts = cmp.Or(e.efforts, from.efforts)
	if !e.price.known {
		e.price = from.price
	}
}

func (e *entry) line() string {
	abilities := ""
	if e.reasoning {
		abilities += "r"
	}
	if e.images {
		abilities += "i"
	}
	abilities += e.efforts
	return fmt.Sprintf("%s\t%s\t%d\t%d\t%s\t%s\t%s", e.key, e.name, e.context, e.output, e.price.fields("\t"), abilities, e.long)
}
