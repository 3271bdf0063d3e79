// Package catalog knows the models: how long a conversation each can hold, what
// it can do and what it costs.
//
// What it knows was generated from a maintained module (see source.go and
// internal/gen/catalog) and is embedded in the binary as sorted text, in which
// a name is found by binary search. Nothing is parsed at the start, and the
// pages of the text that are never asked for are never loaded; a few hundred
// answers are remembered. There is no network here: what upstreams say of their own models is
// in package models.
package catalog

import (
	"strings"

	"portico/internal/catalog/modelid"
	"portico/internal/config"
)

// A Model is what is known of one model.
type Model struct {
	ID        string // as the catalogue's source or the operator spells it, in lower case
	Name      string // for people; may be ""
	Context   int64  // tokens that a request and its answer may hold, 0: unknown
	MaxOutput int64  // tokens that an answer may hold, 0: unknown; a lower bound where the source only knows its default
	Reasoning bool   // it can think before it answers
	Images    bool   // it reads images
	Efforts   Efforts
	Price     Price
}

// Efforts are the levels of effort that a model can be asked for, a bit each
// from none to max. 0: it is not known that it has any.
type Efforts uint8

var efforts = [...]string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// Levels are the names of e's levels, from little to much; nil if there are
// none.
func (e Efforts) Levels() (out []string) {
	for i, name := range efforts {
		if e&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// A Price is in US dollars for a million tokens.
type Price struct {
	// Known says that In and Out are prices. If it is false all is unknown,
	// which is not the same as costing nothing.
	Known bool
	Rates
	// Above is the size of a prompt, in tokens, beyond which the whole
	// request costs what Long says. 0: there is no such size.
	Above int64
	Long  Rates
	Own   Own
}

// Own are prices that the data has for no model and the operator may set. 0:
// there is none, and it costs as much as other input or output does; searches
// then cost nothing.
type Own struct {
	Reasoning        float64
	AudioIn, ImageIn float64
	// Of output.
	AudioOut, ImageOut float64
	Search             float64 // a thousand of them
}

// Rates are prices for a million tokens. A negative cache rate means that
// there is none of its own, so those tokens cost as much as other input.
type Rates struct{ In, Out, CacheRead, CacheWrite float64 }

var unknown = Rates{In: -1, Out: -1, CacheRead: -1, CacheWrite: -1}

// A Catalog is the embedded data with the operator's overrides on top. It is
// immutable and safe for concurrent use. The nil Catalog has no overrides.
type Catalog struct {
	overrides map[string]config.Model // by the id in lower case
	memo      memo
}

// New returns a catalogue with overrides on top of the embedded data. Where
// two are for the same model the later one counts.
func New(overrides []config.Model) *Catalog {
	c := &Catalog{overrides: make(map[string]config.Model, len(overrides))}
	for _, o := range overrides {
		c.overrides[strings.ToLower(o.ID)] = o
	}
	return c
}

// Lookup returns what is known of the model that is called id. It tries the
// forms of the name in the order that modelid.Forms documents, so that an
// exact entry always wins over one for a name without vendor, tag or version;
// the operator's overrides are then put on top, found in the same order. It
// reports false if neither the data nor an override knows any form.
func (c *Catalog) Lookup(id string) (Model, bool) {
	m := &bare
	if c != nil {
		m = &c.memo
	}
	return m.get(id, c.lookup)
}

func (c *Catalog) lookup(id string) (Model, bool) {
	forms := modelid.Forms(id)
	m, ok := find(forms)
	if ok {
		// A free variant and its model lead to each other, but neither has
		// the other's price.
		switch asked, found := modelid.Free(forms[0]), modelid.Free(m.ID); {
		case asked:
			m.Price = Price{Known: true}
		case found:
			m.Price = Price{Rates: unknown}
		}
	}
	if o, over := c.override(forms); over {
		if !ok {
			m = Model{ID: strings.ToLower(o.ID), Price: Price{Rates: unknown}}
		}
		m.apply(o)
		ok = true
	}
	return m, ok
}

// Override returns what the operator says of the model that is called id, if
// there is anything.
func (c *Catalog) Override(id string) (config.Model, bool) {
	return c.override(modelid.Forms(id))
}

func (c *Catalog) override(forms []string) (config.Model, bool) {
	if c == nil || len(c.overrides) == 0 {
		return config.Model{}, false
	}
	for _, form := range forms {
		if o, ok := c.overrides[form]; ok {
			return o, true
		}
	}
	return config.Model{}, false
}

// apply puts o on top of m. An operator who sets a price means it for prompts
// of every size, so the tier for long ones goes.
func (m *Model) apply(o config.Model) {
	if o.Context > 0 {
		m.Context = o.Context
	}
	if o.MaxOutput > 0 {
		m.MaxOutput = o.MaxOutput
	}
	p := &m.Price
	for _, rate := range [...]struct {
		to *float64
		by float64
	}{{&p.In, o.PriceIn}, {&p.Out, o.PriceOut}, {&p.CacheRead, o.PriceCacheRead}, {&p.CacheWrite, o.PriceCacheWrite}} {
		if rate.by >= 0 {
			*rate.to = rate.by
			p.Above, p.Long = 0, Rates{}
		}
	}
	p.Own = Own{o.PriceReasoning, o.PriceAudioIn, o.PriceImageIn, o.PriceAudioOut, o.PriceImageOut, o.PriceSearch}
	p.Known = p.Known || o.PriceIn >= 0 && o.PriceOut >= 0
}
