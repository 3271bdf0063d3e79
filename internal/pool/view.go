package pool

import (
	"time"

	"portico/internal/pace"
)

// A View is what the operator sees of an account.
type View struct {
	*Account
	Health   Health            // of the whole account
	Models   map[string]Health // models that are not ready
	InFlight int
	Served   uint64
	First    time.Duration // smoothed time to the first byte, 0: unknown
	Left     []pace.Allowance
}

// Views lists the accounts in the order in which they were set.
func (p *Pool) Views() []View {
	now := p.now()
	entries := *p.entries.Load()
	vs := make([]View, 0, len(entries))
	for _, e := range entries {
		v := View{Account: &e.Account, InFlight: int(e.inFlight.Load()), Served: e.served.Load(), First: time.Duration(e.first.get())}
		if h := e.whole.Load(); h != nil {
			v.Health = h.At(now)
		}
		if as := e.allowances.Load(); as != nil {
			v.Left = *as
		}
		e.mu.Lock()
		for m, s := range e.seats {
			if h := s.health.Load(); h != nil {
				if v.Models == nil {
					v.Models = map[string]Health{}
				}
				v.Models[m] = h.At(now)
			}
		}
		e.mu.Unlock()
		vs = append(vs, v)
	}
	return vs
}
