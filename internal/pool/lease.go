package pool

import (
	"net/http"
	"time"

	"portico/internal/fault"
	"portico/internal/pace"
)

// A Lease is the right to make one attempt with one account. It must be ended
// with Done.
type Lease struct {
	Account *Account
	Way     Way
	Passed  []Passed      // better or equal accounts that were not able
	Why     Choice        // why it is this account
	Of      int           // how many were able
	Waited  time.Duration // in the queue

	p     *Pool
	l     *lane
	x     *slot
	s     *seat
	held  hold
	key   uint64 // of the conversation, 0: none is kept
	began pace.Moment
}

// A Choice says why an account was taken.
type Choice uint8

// The choices.
const (
	Only      Choice = iota // no other was able
	Picked                  // the strategy picked it
	AtHome                  // the conversation is there
	Moved                   // the conversation was elsewhere, and moved
	LastHope                // it broke down, but nobody else is able
	Preferred               // the operator prefers it
	Reserve                 // little is left of it, but nobody else is able
)

var choices = [...]string{"only", "picked", "home", "moved", "last_hope", "preferred", "reserve"}

// String is the choice as the ledger spells it.
func (c Choice) String() string { return choices[min(int(c), len(choices)-1)] }

// Heard notes that the upstream has begun to answer, with a status of success
// or not, and what the answer's headers say of limits.
func (l *Lease) Heard(status int, h http.Header) {
	var buf [pace.Units]pace.Reading
	now := l.p.now()
	if rs := pace.Read(buf[:0], h, now); len(rs) > 0 {
		m := l.p.moments()
		l.s.gate.hear(m.at, l.held.model, rs)
	}
	if as := pace.Allowances(h, now); as != nil {
		kept := as // on the heap, unlike what is mostly nil
		l.x.e.allowances.Store(&kept)
		l.p.changed()
	}
	if status >= 200 && status < 300 && l.held.probes {
		if l.x.e.heal(l.s, l.p.now()) {
			l.p.stir()
		}
	}
}

// Done ends the lease and says how the attempt went: f is nil if it went well,
// first is the time to the first meaningful byte (0: unknown) and tokens what
// it used (0: unknown). It returns until when the pool keeps the account from
// requests like this one, the zero time if it does not.
func (l *Lease) Done(f *fault.Fault, first time.Duration, tokens int64) (until time.Time) {
	m := l.p.moments()
	e, s := l.x.e, l.s
	n := e.inFlight.Add(-1) + 1
	if tokens > 0 {
		s.gate.settle(m.at, l.held.model, tokens)
		if e.limited.Load() {
			e.gate.settle(m.at, l.held.account, tokens)
		}
	}
	stir := l.x.limit() > 0
	switch {
	case f == nil:
		e.crowding.served(n, m.at)
		l.went(first, &m)
		if e.heal(s, m.time) {
			l.p.changed()
			stir = true
		}
	case e.Reserved:
	default:
		until = l.failed(f, &m)
		l.p.changed()
		stir = true
	}
	if stir {
		l.p.stir()
	}
	return until
}

// went notes a success.
func (l *Lease) went(first time.Duration, m *moments) {
	e, s := l.x.e, l.s
	if first > 0 {
		e.first.add(int64(first))
		s.first.add(int64(first))
		l.l.first.add(int64(first))
	}
	if l.x.limit() > 0 {
		e.took.add(max(int64(m.at-l.began), 1))
	}
	if s.errs.get() > 0 {
		s.errs.add(0)
	}
	if l.key != 0 {
		l.p.homes.set(l.key, home{e.id, l.x.at, m.at})
		l.p.changed()
	}
}

// failed notes a failure.
func (l *Lease) failed(f *fault.Fault, m *moments) (until time.Time) {
	e, s := l.x.e, l.s
	if f.Class == fault.RateLimited && f.Limit == fault.AtOnce {
		// No time is asked for, but that others end first.
		e.crowding.refused(e.inFlight.Load(), m.at)
		l.giveBack(m)
		if l.held.probes {
			e.release(s, m.time)
		}
		return m.time.Add(max(f.After, crowdPause))
	}
	limited := f.Class == fault.RateLimited && f.Scope != fault.Request
	if limited && f.Scope == fault.Model {
		s.gate.refused(m.at, l.held.model, f)
	}
	until = e.blame(s, l.s.shortened(f, m.at), m.time)
	if !until.IsZero() {
		s.ramp.fall(m.at)
	}
	switch {
	case limited && f.Scope == fault.Model:
	case limited:
		e.gate.refused(m.at, l.held.account, f)
		e.limited.Store(true)
	case f.Phase == fault.Dialing || f.Class == fault.Overloaded:
		l.giveBack(m) // it was not served, so it did not count
	}
	if failing(f) {
		s.errs.add(oneError)
	}
	if l.held.probes && until.IsZero() {
		e.release(s, m.time)
	}
	return until
}

// shortened is f with a pause that fits what was learned of the limit, if the
// vendor has named none.
func (s *seat) shortened(f *fault.Fault, now pace.Moment) *fault.Fault {
	if f.Class != fault.RateLimited || f.After > 0 || f.Scope != fault.Model || s.gate.rate() == 0 {
		return f
	}
	short := *f
	short.After = min(max(pace.Moment(s.gate.free.Load())-now, leastPause), mostPause)
	return &short
}

// The pauses of accounts that do not say how long they want to be left alone.
// What was learned of their limits may ask for more.
const (
	leastPause = 100 * time.Millisecond
	mostPause  = 2 * time.Second
)

func (l *Lease) giveBack(m *moments) {
	l.s.gate.back(m.at, l.held.model)
	if l.x.e.limited.Load() {
		l.x.e.gate.back(m.at, l.held.account)
	}
}

// crowdPause is how soon it may go better with an account that has too many
// requests at one time.
const crowdPause = 250 * time.Millisecond
