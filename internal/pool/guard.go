package pool

import (
	"time"

	"portico/internal/glob"
	"portico/internal/pace"
)

// A Guard keeps a rest of what accounts may use. An account of which less than
// that is left is kept out of the choice, until its window resets or its vendor
// says that there is more. Of what is unknown nothing is kept.
type Guard struct {
	Floors []Floor // for groups of models; the most specific decides
	Else   float64 // the share that is kept for all others
	// Money is how much is kept of a balance, whatever it is a share of, by
	// currency, such as USD; none: nothing.
	Money map[string]float64
	// LastResort lets the rest be used if nobody else is able.
	LastResort bool
}

// A Floor is the share that is kept from requests for some models, 0: none.
type Floor struct {
	Models glob.Glob
	Share  float64
}

// of is the share that is kept from requests for model. The nil Guard keeps
// none.
func (g *Guard) of(model string) float64 {
	if g == nil {
		return 0
	}
	share, weight := g.Else, -1<<62
	for i := range g.Floors {
		if f := &g.Floors[i]; f.Models.Match(model) && f.Models.Weight() > weight {
			share, weight = f.Share, f.Models.Weight()
		}
	}
	return share
}

// most is the largest share that is kept from anybody.
func (g *Guard) most() float64 {
	if g == nil {
		return 0
	}
	share := g.Else
	for i := range g.Floors {
		share = max(share, g.Floors[i].Share)
	}
	return share
}

// money is what is kept of balances.
func (g *Guard) money() map[string]float64 {
	if g == nil || len(g.Money) == 0 {
		return nil
	}
	return g.Money
}

// Protect has g in force from the next Set on; nil protects nothing.
func (p *Pool) Protect(g *Guard) { p.guard.Store(g) }

// short reports whether so little is left of x that it is protected, and until
// when; zero: nobody knows.
func (x *slot) short(now time.Time) (until time.Time, is bool) {
	for _, from := range [...]*[]pace.Allowance{x.state.allowances.Load(), x.state.purse.Load()} {
		if from == nil {
			continue
		}
		for i := range *from {
			a := &(*from)[i]
			switch {
			case !a.Short(x.floor, now) && !a.Poor(x.money[a.Currency], now):
			case !is:
				until, is = a.Resets, true
			case a.Resets.IsZero() || until.IsZero():
				until = time.Time{}
			case a.Resets.After(until):
				until = a.Resets
			}
		}
	}
	return until, is
}

// guarded reports whether x may be protected, which it takes a closer look to
// know.
func (x *slot) guarded() bool {
	return (x.floor > 0 || x.money != nil) && (x.state.allowances.Load() != nil || x.state.purse.Load() != nil)
}

// Told notes what the vendor of the account called name says is left, when it
// was asked. It stands beside what answers tell.
func (p *Pool) Told(name string, as []pace.Allowance) {
	e := p.entry(name)
	if e == nil {
		return
	}
	e.purse.Store(&as)
	p.changed()
	p.stir()
}
