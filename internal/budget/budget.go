// Package budget holds a client key to what it was given: requests and tokens
// a minute, requests at one time, and tokens and money for a day and a month.
//
// What a call may cost at most is put aside before the call is made, and
// settled with what it did cost after it, so that calls that run at the same
// time never spend the same money twice: the sum of what is spent and what is
// put aside is never above the limit. How far a budget can be exceeded is how
// far a single call costs more than was put aside for it.
//
// A [Meter] lives in memory and knows no disk: what was spent is counted anew
// from the ledger when the process starts, so that a reservation cannot
// outlive the call that made it.
package budget

import (
	"sync"
	"time"
)

// An Amount is a number of tokens and of billionths of a US dollar.
type Amount struct{ Tokens, Nanos int64 }

func (a Amount) plus(b Amount) Amount  { return Amount{a.Tokens + b.Tokens, a.Nanos + b.Nanos} }
func (a Amount) minus(b Amount) Amount { return Amount{a.Tokens - b.Tokens, a.Nanos - b.Nanos} }

// Limits are what a key was given; 0 is no limit.
type Limits struct {
	RPM, TPM    int64 // requests and tokens a minute
	Concurrency int64 // requests at one time
	Day, Month  Amount
	Zone        *time.Location // in which days and months begin; nil: UTC
}

// Counts reports whether there is anything to count.
func (l *Limits) Counts() bool {
	return l.RPM > 0 || l.TPM > 0 || l.Concurrency > 0 || l.Budgets()
}

// Budgets reports whether there is a budget, of tokens or of money.
func (l *Limits) Budgets() bool { return l.Day != Amount{} || l.Month != Amount{} }

// Money reports whether there is a budget of money.
func (l *Limits) Money() bool { return l.Day.Nanos > 0 || l.Month.Nanos > 0 }

// A Claim is what a call that has not been made may use.
type Claim struct {
	Input int64  // tokens of the request, by an estimate; counts for tokens a minute
	Most  Amount // all that it may use
}

// A What names a limit.
type What string

// The limits.
const (
	RPM         What = "requests a minute"
	TPM         What = "tokens a minute"
	Concurrency What = "requests at one time"
	DayTokens   What = "tokens a day"
	DayMoney    What = "money a day"
	MonthTokens What = "tokens a month"
	MonthMoney  What = "money a month"
)

// Money reports whether the limit is one of money, in billionths of a dollar.
func (w What) Money() bool { return w == DayMoney || w == MonthMoney }

// Budget reports whether the limit is a budget: waiting a moment does not help.
func (w What) Budget() bool {
	return w == DayTokens || w == DayMoney || w == MonthTokens || w == MonthMoney
}

// A Refusal says which limit a call ran into.
type Refusal struct {
	What        What
	Limit       int64
	Spent, Held int64         // of a budget: what is spent, and put aside for calls under way
	Wanted      int64         // of a budget: what would have had to be put aside
	Wait        time.Duration // until it may go better
	Alone       bool          // the call alone is over the limit, however long one waits
}

// A Hold is what was put aside for one call.
type Hold struct {
	meter      *Meter
	most       Amount // put aside, nothing once it is settled
	input      int64
	used       Amount // counted
	settled    bool
	day, month uint64 // the windows that it was taken from
}

// A Meter counts what one key uses. Its lock is held for some arithmetic only,
// and keys share none. It is safe for concurrent use.
type Meter struct {
	mu         sync.Mutex
	limits     Limits
	requests   bucket
	tokens     bucket
	inFlight   int64
	day, month window
	total      Amount // settled since the meter was made
}

// New returns a meter that has counted nothing.
func New(l Limits) *Meter { return &Meter{limits: l} }

// Set puts other limits in force. What was counted stays, also if days and
// months begin at another time from now on; see Restore.
func (m *Meter) Set(now time.Time, l Limits) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(now)
	m.limits = l
	m.day.end, m.month.end = m.ends(now)
}

// Limits are those in force.
func (m *Meter) Limits() Limits {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.limits
}

// Reserve puts aside what a call that begins now may use, or says which limit
// does not allow that. On a refusal nothing is counted.
func (m *Meter) Reserve(now time.Time, c Claim) (Hold, *Refusal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &m.limits
	m.roll(now)
	if r := refusal(l, &m.day, &m.month, c.Most, now); r != nil {
		return Hold{}, r
	}
	if l.Concurrency > 0 && m.inFlight >= l.Concurrency {
		return Hold{}, &Refusal{What: Concurrency, Limit: l.Concurrency, Wait: time.Second}
	}
	if wait := m.requests.wait(now, l.RPM, 1); wait > 0 {
		return Hold{}, &Refusal{What: RPM, Limit: l.RPM, Wait: wait}
	}
	// Whoever has tokens left may use up more than those, and waits longer
	// afterwards: nobody knows before a call how long its answer will be.
	if wait := m.tokens.wait(now, l.TPM, 1); wait > 0 {
		return Hold{}, &Refusal{What: TPM, Limit: l.TPM, Wait: wait}
	}
	m.requests.take(now, l.RPM, 1)
	m.tokens.take(now, l.TPM, c.Input)
	m.inFlight++
	m.day.held = m.day.held.plus(c.Most)
	m.month.held = m.month.held.plus(c.Most)
	return Hold{meter: m, most: c.Most, input: c.Input, day: m.day.id, month: m.month.id}, nil
}

// refusal says which budget has no room for most, nil if all have.
func refusal(l *Limits, day, month *window, most Amount, now time.Time) *Refusal {
	for _, b := range [...]struct {
		what              What
		of                *window
		limit             int64
		spent, held, want int64
	}{
		{DayTokens, day, l.Day.Tokens, day.spent.Tokens, day.held.Tokens, most.Tokens},
		{DayMoney, day, l.Day.Nanos, day.spent.Nanos, day.held.Nanos, most.Nanos},
		{MonthTokens, month, l.Month.Tokens, month.spent.Tokens, month.held.Tokens, most.Tokens},
		{MonthMoney, month, l.Month.Nanos, month.spent.Nanos, month.held.Nanos, most.Nanos},
	} {
		if b.limit <= 0 || b.spent < b.limit && b.want <= b.limit-b.spent-b.held {
			continue
		}
		r := &Refusal{What: b.what, Limit: b.limit, Spent: b.spent, Held: b.held, Wanted: b.want, Alone: b.want > b.limit}
		r.Wait = time.Unix(b.of.end, 0).Sub(now)
		if b.spent < b.limit && b.want <= b.limit-b.spent {
			r.Wait = time.Second // calls under way give back what they do not use
		}
		return r
	}
	return nil
}

// Settle gives back what was put aside and counts what the call used in all.
// If more is learned of that later it is settled again. The zero Hold settles
// nothing.
func (h *Hold) Settle(now time.Time, used Amount) {
	m := h.meter
	if m == nil || h.settled && used == h.used {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(now)
	if !h.settled {
		h.settled = true
		m.inFlight--
	}
	more := used.minus(h.used)
	m.total = m.total.plus(more)
	m.tokens.take(now, m.limits.TPM, more.Tokens-h.input)
	// A call belongs to the day and the month in which it began, as it does
	// in the ledger.
	m.day.settle(h.day, h.most, more)
	m.month.settle(h.month, h.most, more)
	h.most, h.input, h.used = Amount{}, 0, used
}

// Aside reports whether something of a budget is put aside.
func (h *Hold) Aside() bool { return h.most != Amount{} }

// Drop gives back what was put aside for a call that nobody has settled.
func (h *Hold) Drop(now time.Time) {
	if !h.settled {
		h.Settle(now, Amount{})
	}
}

// Usage is what a meter has counted.
type Usage struct {
	InFlight           int64
	Day, Month         Amount // spent
	Held               Amount // put aside for calls under way
	DayEnds, MonthEnds time.Time
}

// Usage returns what was counted for the day and the month that now is in.
func (m *Meter) Usage(now time.Time) Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(now)
	return Usage{
		InFlight: m.inFlight, Day: m.day.spent, Month: m.month.spent, Held: m.month.held,
		DayEnds: time.Unix(m.day.end, 0).UTC(), MonthEnds: time.Unix(m.month.end, 0).UTC(),
	}
}

// Total is all that was settled since the meter was made.
func (m *Meter) Total() Amount {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// Restore says what was spent of the windows that now is in, as it was read
// from the ledger when Total was since. What was settled in between may be in
// the ledger already and counts nevertheless, so that a budget is never larger
// than it was.
func (m *Meter) Restore(now time.Time, day, month, since Amount) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(now)
	late := m.total.minus(since)
	m.day.spent, m.month.spent = day.plus(late), month.plus(late)
}

// roll begins the windows that now is in, unless they have begun. A clock that
// is put back begins none anew.
func (m *Meter) roll(now time.Time) {
	s := now.Unix()
	if s < m.day.end && s < m.month.end {
		return
	}
	day, month := m.ends(now)
	if s >= m.day.end {
		m.day = window{id: m.day.id + 1, end: day}
	}
	if s >= m.month.end {
		m.month = window{id: m.month.id + 1, end: month}
	}
}

// ends is when the day and the month that now is in end.
func (m *Meter) ends(now time.Time) (day, month int64) {
	_, d := DayOf(now, m.limits.Zone)
	_, n := MonthOf(now, m.limits.Zone)
	return d.Unix(), n.Unix()
}
