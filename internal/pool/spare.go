package pool

import (
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/pace"
)

// Spare takes a lease of an account with room to spare, for a request that is
// under way with the lease beside. It waits for no one, and it takes nothing
// while anybody waits for one of these accounts: who is asked twice must not
// keep out who is not asked at all. An account that the operator has put behind
// the other is no sibling of it.
//
// A conversation that is at home there stays at home, whatever becomes of the
// request here.
func (p *Pool) Spare(w Want, beside *Lease) (lease Lease, ok bool) {
	m := p.moments()
	l, r := p.lane(&w)
	if l.queue.waiting.Load() > 0 {
		return lease, false
	}
	able := 0
	w.Not, w.Max = append(slices.Clone(w.Not), beside.Account.Name), 0
	for i := range r.slots {
		switch x := &r.slots[i]; {
		case w.skips(x.e):
		case x.priority <= beside.Account.Priority && x.spare(&m):
			able++
		default:
			w.Not = append(w.Not, x.e.Name)
		}
	}
	if able == 0 {
		return lease, false
	}
	var v verdict
	if !p.try(&lease, &v, l, r, &w, &m) {
		return Lease{}, false
	}
	if beside.Why == AtHome {
		lease.key = 0
	}
	return lease, true
}

// spare reports whether x is able at once, well, and not half used up by any
// limit that is known.
func (x *slot) spare(m *moments) bool {
	k := x.look(m)
	if k.reason != able || k.trial || x.grade(&k, m) > 0 {
		return false
	}
	if most := x.limit(); most > 0 && 2*x.state.inFlight.Load() >= most {
		return false
	}
	if x.state.limited.Load() && !x.state.gate.roomy(m.at) {
		return false
	}
	s := x.s.Load()
	return s == nil || s.gate.roomy(m.at)
}

// lately is over how long what went out is compared with a limit that was
// learned.
const lately = 20 * time.Second

// roomy reports whether at least half is left of each limit that is known.
func (g *gate) roomy(now pace.Moment) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits == nil {
		return true
	}
	for unit := range g.limits.told {
		if t := &g.limits.told[unit]; t.Known(now) {
			if left, of := t.Left(now); 2*left < of {
				return false
			}
		}
		if w := g.limits.window[unit]; w != nil && w.Free(now, w.Limit/2) > 0 {
			return false
		}
		rate, _, _ := g.limits.learned[unit].Limit()
		if rate == 0 || g.past == nil {
			continue
		}
		if n, _ := g.past[unit].Sum(now, lately); 2*n > rate*lately.Seconds() {
			return false
		}
	}
	return true
}

// Outrun notes, before Done, that the answer had not begun for so long when
// another account's did. How long it would have taken nobody knows, but it was
// longer than that.
func (l *Lease) Outrun(after time.Duration) {
	n := int64(after)
	for _, m := range [...]*mean{&l.x.e.first, &l.s.first} {
		if n > m.get() {
			m.add(n)
		}
	}
}

// Abandon ends the lease of an attempt whose answer is wanted no more. It
// blames nobody.
func (l *Lease) Abandon(tokens int64) {
	l.Done(&fault.Fault{Class: fault.Canceled, Scope: fault.Request}, 0, tokens)
}
