package pool

import (
	"time"

	"portico/internal/fault"
)

// A Foresight is what would become of a request that came now.
type Foresight struct {
	Accounts []Foreseen // those that could serve it if they were well, in the order of their priority; at most 100
	More     int        // of them that are not listed
	Taken    string     // who would serve; "" if that is whoever is able first, or nobody
	Why      Choice
	Of       int // how many are able
	// Wait is how long the request would wait before, and Refused says that
	// it would not, since that is too long, or nobody knows how long.
	Wait    time.Duration
	Refused bool
	None    None // how many accounts there are
}

// A Foreseen is an account as it stands to a request.
type Foreseen struct {
	Account  string
	Way      Way
	Able     bool
	Why      string      // what keeps it from serving
	Class    fault.Class // of that
	Until    time.Time   // when that is over, zero: unknown
	Home     bool        // the conversation is there
	InFlight int
	Rate     float64       // requests a second that it takes, 0: no limit is known
	First    time.Duration // smoothed time to the first byte, 0: unknown
	Errors   float64       // share of requests that failed lately
}

// maxForeseen bounds how many accounts a Foresight lists.
const maxForeseen = 100

// Foresee says what would become of w if it came now. Nothing is taken.
func (p *Pool) Foresee(w Want) (f Foresight) {
	m := p.moments()
	l, r := p.lane(&w)
	home, known := p.homes.get(l.key(&w), m.at)
	for i := range r.slots {
		x := &r.slots[i]
		if w.skips(x.e) {
			continue
		}
		if len(f.Accounts) == maxForeseen {
			f.More++
			continue
		}
		k := x.look(&m)
		y := Foreseen{
			Account: x.e.Name, Way: l.want.Ways[x.way], Able: k.reason == able, InFlight: int(x.state.inFlight.Load()),
			Home: known && w.Query.Session != 0 && home.account == x.id,
		}
		if !y.Able {
			y.Why, y.Class, y.Until = k.why(), k.class(), k.until
		}
		if s := x.s.Load(); s != nil {
			y.Rate, y.First, y.Errors = s.gate.rate(), time.Duration(s.first.get()), float64(s.errs.get())/oneError
		}
		f.Accounts = append(f.Accounts, y)
	}
	var v verdict
	p.choose(&v, l, r, &w, &m)
	f.None = *r.none(&w, v.passed)
	f.Why, f.Of = v.why, v.of
	switch {
	case v.stay != nil && v.wait <= w.Max:
		f.Taken, f.Why, f.Wait = v.stay.e.Name, AtHome, v.wait
	case v.x != nil:
		f.Taken = v.x.e.Name
	default:
		if x, why := r.last(&w, &m); x != nil {
			f.Taken, f.Why = x.e.Name, why
			break
		}
		l.queue.mu.Lock()
		at, ok := l.queue.expect(r, &w, &m)
		l.queue.mu.Unlock()
		if f.Wait = max(at-m.at, 0); !ok || f.Wait > w.Max {
			f.Refused = true
		}
		if !ok {
			f.Wait = 0
		}
	}
	return f
}
