package models

import (
	"cmp"
	"maps"
	"slices"

	"portico/internal/catalog"
	"portico/internal/glob"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/route"
)

// A dialect is one of the three forms in which models are listed. A set of them
// is a sum of bits.
type dialect uint8

const (
	openAI dialect = iota
	anthropic
	gemini
	dialects
)

func dialectOf(proto string) dialect {
	switch proto {
	case protocol.Anthropic:
		return anthropic
	case protocol.Gemini:
		return gemini
	}
	return openAI
}

// A view is the merged list, whole and for each dialect. It is not changed.
type view struct {
	all []protocol.Model
	by  [dialects][]protocol.Model
}

// maxListed bounds how many models are listed.
const maxListed = 20_000

// A stock is a model that is served, and in which dialects.
type stock struct {
	model protocol.Model
	in    dialect
}

// merge makes the view of what the accounts that are on serve. It is a pure
// function. Of a model that several accounts list, the account of the lowest
// priority number tells what there is to tell, and the others fill the gaps.
//
// A name is listed if asking for it leads to something served, by way of the
// routes. So a name that a route leads astray is not, and one that a route
// gives to something served is.
func merge(entries []*entry, rules []route.Rule, table *route.Table, cat *catalog.Catalog) *view {
	on := make([]*entry, 0, len(entries))
	for _, e := range entries {
		if !e.account.Disabled {
			on = append(on, e)
		}
	}
	slices.SortStableFunc(on, func(a, b *entry) int { return cmp.Compare(a.account.Priority, b.account.Priority) })
	m := merger{on: on, cat: cat, served: map[string]stock{}}
	for _, e := range on {
		if e.account.Reserved && len(e.account.Models) > 0 {
			m.reserved = append(m.reserved, e)
		}
	}
	for _, e := range on {
		m.add(e)
	}
	listed := map[string]stock{}
	for name := range m.served {
		m.list(listed, name, table)
	}
	for _, r := range rules {
		if g, err := glob.Compile(r.Match); err == nil {
			if name, ok := g.Literal(); ok {
				m.list(listed, name, table)
			}
		}
	}
	v := &view{}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if len(v.all) == maxListed {
			break
		}
		s := listed[name]
		v.all = append(v.all, s.model)
		for d := range dialects {
			if s.in&(1<<d) != 0 {
				v.by[d] = append(v.by[d], s.model)
			}
		}
	}
	return v
}

type merger struct {
	on       []*entry // by priority
	reserved []*entry // of those, whose models are nobody else's; few of many
	cat      *catalog.Catalog
	served   map[string]stock // by the name that an upstream is asked for
}

// add takes in what e serves: its own list as far as the account's globs let
// it, or the names among the globs if it gave none.
func (m *merger) add(e *entry) {
	in := speaks(e.account)
	if e.known {
		for _, x := range e.models {
			if e.account.Serves(x.ID) && m.open(e.account, x.ID) {
				m.stock(x, in)
			}
		}
		return
	}
	for _, g := range e.account.Models {
		if name, ok := g.Literal(); ok && m.open(e.account, name) {
			m.stock(protocol.Model{ID: name}, in)
		}
	}
}

// speaks is in which dialects an account can be asked.
func speaks(a *pool.Account) (in dialect) {
	for _, p := range a.Protocols {
		in |= 1 << dialectOf(p)
	}
	return in
}

// open reports whether name is not reserved for other accounts than a, as the
// pool has it.
func (m *merger) open(a *pool.Account, name string) bool {
	if a.Reserved {
		return true
	}
	return !slices.ContainsFunc(m.reserved, func(e *entry) bool { return e.account.Serves(name) })
}

func (m *merger) stock(x protocol.Model, in dialect) {
	s, ok := m.served[x.ID]
	if !ok {
		m.served[x.ID] = stock{x, in}
		return
	}
	s.in |= in
	s.model = fill(s.model, x)
	m.served[x.ID] = s
}

// fill returns a with what only b knows.
func fill(a, b protocol.Model) protocol.Model {
	a.DisplayName = cmp.Or(a.DisplayName, b.DisplayName)
	a.OwnedBy = cmp.Or(a.OwnedBy, b.OwnedBy)
	a.Context = cmp.Or(a.Context, b.Context)
	a.MaxOutput = cmp.Or(a.MaxOutput, b.MaxOutput)
	if a.Created.IsZero() {
		a.Created = b.Created
	}
	if a.Methods == nil {
		a.Methods = b.Methods
	}
	return a
}

// list adds name to listed, if asking for it leads to something served.
func (m *merger) list(listed map[string]stock, name string, table *route.Table) {
	if _, done := listed[name]; done {
		return
	}
	plan := table.Plan(name, nil)
	for _, target := range plan.Models {
		s, ok := m.lookUp(target)
		if !ok {
			continue
		}
		s.model = m.enrich(s.model, target)
		if name != target {
			// Two entries of one display name could not be told apart.
			s.model.ID, s.model.DisplayName = name, ""
		}
		if o, ok := m.cat.Override(name); ok {
			s.model.Context = cmp.Or(o.Context, s.model.Context)
			s.model.MaxOutput = cmp.Or(o.MaxOutput, s.model.MaxOutput)
		}
		listed[name] = s
		return
	}
}

// lookUp returns what is served under name. Beside what is listed that is what
// the operator says that an account serves, and whatever an account is asked
// for that has no list.
func (m *merger) lookUp(name string) (stock, bool) {
	s, ok := m.served[name]
	if ok {
		return s, true
	}
	for _, e := range m.on {
		if (len(e.account.Models) > 0 || !e.known) && e.account.Serves(name) && m.open(e.account, name) {
			s.in |= speaks(e.account)
		}
	}
	s.model.ID = name
	return s, s.in != 0
}

// enrich returns x, which upstreams call name, with what the catalogue knows
// and its account does not say, and the operator's word on top.
func (m *merger) enrich(x protocol.Model, name string) protocol.Model {
	if known, ok := m.cat.Lookup(name); ok {
		x = fill(x, protocol.Model{DisplayName: known.Name, Context: known.Context, MaxOutput: known.MaxOutput})
	}
	if o, ok := m.cat.Override(name); ok {
		x.Context = cmp.Or(o.Context, x.Context)
		x.MaxOutput = cmp.Or(o.MaxOutput, x.MaxOutput)
	}
	return x
}
