package pool

import (
	"maps"
	"slices"
	"time"
)

// A View is what the operator sees of an account.
type View struct {
	*Account
	Health   Health            // of the whole account
	Models   map[string]Health // models that are not ready
	InFlight int
	Served   uint64
	First    time.Duration // smoothed time to the first byte, 0: unknown
}

// Views lists the accounts in the order in which they were set.
func (p *Pool) Views() []View {
	now := p.now()
	entries := *p.entries.Load()
	vs := make([]View, 0, len(entries))
	for _, e := range entries {
		v := View{Account: &e.Account, InFlight: int(e.inFlight.Load()), Served: e.served.Load(), First: time.Duration(e.first.Load())}
		if h := e.whole.Load(); h != nil {
			v.Health = h.At(now)
		}
		e.mu.Lock()
		v.Models = maps.Clone(e.models)
		e.mu.Unlock()
		for m, h := range v.Models {
			v.Models[m] = h.At(now)
		}
		vs = append(vs, v)
	}
	return vs
}

// Find returns the account called name, disabled or not.
func (p *Pool) Find(name string) (*Account, bool) {
	entries := *p.entries.Load()
	i := slices.IndexFunc(entries, func(e *entry) bool { return e.Name == name })
	if i < 0 {
		return nil, false
	}
	return &entries[i].Account, true
}

// Heal forgets all faults of the account called name: the operator has mended
// what was wrong.
func (p *Pool) Heal(name string) {
	for _, e := range *p.entries.Load() {
		if e.Name == name {
			e.whole.Store(nil)
			e.mu.Lock()
			e.models = nil
			e.troubled.Store(0)
			e.mu.Unlock()
		}
	}
}
