// Package pool keeps the accounts: who they are, how they are doing, and which
// of them serves next.
//
// What is known of an account is kept where it is known: of the account as a
// whole, of one model at it (a seat), of the endpoint that it shares with
// others. Each has a [Health], which a failure worsens and a success mends, and
// a gate, which paces what goes out. Requests for one model in the same ways
// form a lane. If no account of theirs is able, they wait there for the first
// that will be, as long as that is soon enough; nobody polls.
package pool

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/schedule"
)

// A Pool hands out leases. It is safe for concurrent use.
type Pool struct {
	now   func() time.Time
	timer func(time.Duration, func()) Timer
	epoch time.Time

	mu      sync.Mutex // serialises changes of what follows
	entries atomic.Pointer[[]*entry]
	lanes   atomic.Pointer[lanes]
	reloads atomic.Uint64 // rosters of an earlier one are out of date
	guard   atomic.Pointer[Guard]

	homes   homes
	scratch sync.Pool
	crowd   crowd

	kept     map[string]*keptAccount // of before a restart, until the first Set
	keptLate time.Duration           // by how much the clock was put back since
	stale    atomic.Bool             // what is kept is out of date
	news     chan struct{}           // it has become so
}

// A Timer is a call that is yet to come.
type Timer interface {
	// Stop reports whether it kept the call from coming.
	Stop() bool
}

// New returns an empty pool that reads the time from now.
func New(now func() time.Time) *Pool {
	return NewAt(now, func(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) })
}

// NewAt is New on another clock: after calls f once d has passed, on a
// goroutine of its own or at least while nobody calls the pool.
func NewAt(now func() time.Time, after func(d time.Duration, f func()) Timer) *Pool {
	p := &Pool{now: now, timer: after, epoch: now().Add(-time.Second), news: make(chan struct{}, 1)}
	p.entries.Store(&[]*entry{})
	p.lanes.Store(&lanes{})
	p.scratch.New = func() any { return new(scratch) }
	return p
}

func (p *Pool) moments() moments {
	now := p.now()
	return moments{now, max(now.Sub(p.epoch), 1)}
}

// Set replaces the accounts. One that stays (same name, provider, origin and
// credential) keeps its health; a request under way keeps its account, and one
// that waits looks at the new ones.
func (p *Pool) Set(accounts []Account) {
	now := p.moments().at
	p.mu.Lock()
	old := map[string]*entry{}
	ends := map[string]*endpoint{}
	for _, e := range *p.entries.Load() {
		old[e.Name] = e
		ends[e.origin()] = e.end
	}
	next := make([]*entry, 0, len(accounts))
	for _, a := range accounts[:min(len(accounts), MaxAccounts)] {
		e := &entry{Account: a, id: schedule.Hash(a.Name), state: &state{}, end: ends[a.origin()]}
		for _, t := range a.Tags {
			e.tags = append(e.tags, "tag:"+t)
		}
		if e.end == nil {
			e.end = &endpoint{}
			ends[a.origin()] = e.end
		}
		if o := old[a.Name]; o != nil && o.same(&a) {
			e.state = o.state
		} else {
			p.recall(e, now)
		}
		e.gate.set(now, a.RPM, a.TPM)
		e.limited.Store(e.gate.paced())
		next = append(next, e)
	}
	p.entries.Store(&next)
	p.kept = nil
	p.reloads.Add(1)
	p.mu.Unlock()
	p.stir()
}

// Lease picks an able account and counts the request against it. It waits for
// no one: if no account is able it says why. Nothing is allocated while all
// are well, but in rare cases.
func (p *Pool) Lease(w Want) (lease Lease, none *None) {
	m := p.moments()
	l, r := p.lane(&w)
	if l.queue.waiting.Load() > 0 {
		l.queue.stir() // who waits comes first
	}
	w.Max = 0
	var v verdict
	if !p.try(&lease, &v, l, r, &w, &m) {
		none = r.none(&w, v.passed)
	}
	return lease, none
}

// none is that nobody is able.
func (r *roster) none(w *Want, passed []Passed) *None {
	n := &None{Accounts: r.accounts, Mute: r.mute, Known: len(r.slots), Passed: passed}
	if w.Only != "" {
		n.Known = 0
		for i := range r.slots {
			if r.slots[i].e.Name == w.Only {
				n.Known = 1
			}
		}
	}
	for _, q := range passed {
		if !q.Until.IsZero() && (n.Until.IsZero() || q.Until.Before(n.Until)) {
			n.Until = q.Until
		}
	}
	return n
}

// tries is how often a choice is made anew because another request was faster.
const tries = 8

// try takes a lease of whoever the verdict names, now.
func (p *Pool) try(lease *Lease, v *verdict, l *lane, r *roster, w *Want, m *moments) bool {
	for range tries {
		*v = verdict{}
		p.choose(v, l, r, w, m)
		if v.x == nil && v.stay == nil {
			if v.x, v.why = r.last(w, m); v.x == nil {
				return false
			}
			v.passed = slices.DeleteFunc(v.passed, func(q Passed) bool { return q.Account == v.x.e.Name })
		}
		if v.x == nil || v.stay != nil && w.Max > 0 {
			return false
		}
		if p.take(lease, l, r, v.x, w, m) {
			lease.Passed, lease.Why, lease.Of = v.passed, v.why, v.of
			return true
		}
	}
	v.x = nil
	return false
}

// take takes a lease of x, which is zero until then.
func (p *Pool) take(lease *Lease, l *lane, r *roster, x *slot, w *Want, m *moments) bool {
	s := x.s.Load()
	if s == nil {
		s = p.seat(l, x)
	}
	if !x.take(&lease.held, s, m, w.Tokens) {
		return false
	}
	lease.Account, lease.Way = &x.e.Account, l.want.Ways[x.way]
	lease.p, lease.l, lease.x, lease.s, lease.began = p, l, x, s, m.at
	if w.Query.Session != 0 && len(r.slots) > 1 {
		if _, keeps := w.Strategy.(schedule.Keeper); keeps {
			lease.key = l.key(w)
		}
	}
	return true
}

// Able reports whether an account could be leased for w now.
func (p *Pool) Able(w Want) bool {
	m := p.moments()
	l, r := p.lane(&w)
	s := p.scratch.Get().(*scratch)
	defer p.scratch.Put(s)
	p.scan(s, r, &w, &m)
	_ = l
	x, _ := r.last(&w, &m)
	return len(s.xs) > 0 || x != nil
}

// entry is the account called name, nil if there is none.
func (p *Pool) entry(name string) *entry {
	entries := *p.entries.Load()
	if i := slices.IndexFunc(entries, func(e *entry) bool { return e.Name == name }); i >= 0 {
		return entries[i]
	}
	return nil
}

// Find returns the account called name, disabled or not.
func (p *Pool) Find(name string) (*Account, bool) {
	e := p.entry(name)
	if e == nil {
		return nil, false
	}
	return &e.Account, true
}

// Heal forgets all faults of the account called name: the operator has mended
// what was wrong.
func (p *Pool) Heal(name string) {
	e := p.entry(name)
	if e == nil {
		return
	}
	if e.Tokens != nil {
		e.Tokens.Retry()
	}
	e.whole.Store(nil)
	e.end.health.Store(nil)
	e.gate.unlearn()
	e.mu.Lock()
	for _, s := range e.seats {
		s.health.Store(nil)
		s.errs.forget() // or others would go before it all the same
		s.gate.unlearn()
	}
	e.mu.Unlock()
	p.changed()
	p.stir()
}
