package pool

import (
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/pace"
	"portico/internal/provider"
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
	Kept     float64            // the largest share of those that is kept from requests for any model, 0: none
	Money    map[string]float64 // what is kept of balances, by currency
	Who      string             // whose credential it is, "" if nobody said
}

// token notes how the account's credential is doing. One that was refused goes
// before all else that keeps the account from serving.
func (v *View) token(now time.Time) {
	c := v.Tokens.Condition(now)
	v.Who = c.Who
	switch {
	case c.State == provider.SignedOut:
		v.Health = Health{State: NeedsLogin, Since: c.Since, Until: c.Until, Why: fault.CredentialExpired}
		if c.Fault != nil {
			v.Health.Msg, v.Health.Link = clip(c.Fault.Msg, 256), c.Fault.Link
		}
	case c.State == provider.Refreshing && v.Health.State == Ready:
		v.Health = Health{State: Refreshing, Since: c.Since, Why: fault.CredentialExpired}
	}
}

// Views lists the accounts in the order in which they were set.
func (p *Pool) Views() []View {
	now := p.now()
	entries := *p.entries.Load()
	vs := make([]View, 0, len(entries))
	kept, money := p.guard.Load().most(), p.guard.Load().money()
	for _, e := range entries {
		v := View{Account: &e.Account, Kept: kept, Money: money, InFlight: int(e.inFlight.Load()), Served: e.served.Load(), First: time.Duration(e.first.get())}
		if h := e.whole.Load(); h != nil {
			v.Health = h.At(now)
		}
		if e.Tokens != nil {
			v.token(now)
		}
		if as := e.allowances.Load(); as != nil {
			v.Left = *as
		}
		if as := e.purse.Load(); as != nil {
			v.Left = append(slices.Clip(v.Left), *as...)
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
