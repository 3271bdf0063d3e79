package pool

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/fault"
	"portico/internal/pace"
)

// A gate paces what goes to an account, or to one model of it: by what the
// operator allows, by what the vendor tells, and by what refusals teach.
type gate struct {
	// free is the moment from which one more request may go out; the past if
	// it may now. With speed, how many requests a second it lets through (a
	// float64, 0: no limit is known), it is all that those who look for an
	// account read.
	free  atomic.Int64
	speed atomic.Uint64
	load  load

	mu     sync.Mutex
	limits *limits // nil: none is known
	past   *[pace.Units]pace.History
	sent   int64 // requests so far
	tokens int64 // that they were taken for so far
}

// limits are what a gate knows of limits.
type limits struct {
	window  [pace.Units]*pace.Window
	told    [pace.Units]pace.Told
	learned [pace.Units]pace.Learned
}

// set takes over what the operator allows. What was counted stays.
func (g *gate) set(now pace.Moment, rpm, tpm int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if rpm == 0 && tpm == 0 && g.limits == nil {
		return
	}
	if g.limits == nil {
		g.limits = &limits{}
	}
	for unit, n := range [pace.Units]int{pace.Requests: rpm, pace.Tokens: tpm} {
		switch w := g.limits.window[unit]; {
		case n == 0:
			g.limits.window[unit] = nil
		case w == nil:
			g.limits.window[unit] = &pace.Window{Limit: int64(n)}
		default:
			w.Limit = int64(n)
		}
	}
	g.publish(now)
}

// unlearn forgets what the vendor told and what refusals taught; what the
// operator allows stays.
func (g *gate) unlearn() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits == nil {
		return
	}
	g.limits.told, g.limits.learned = [pace.Units]pace.Told{}, [pace.Units]pace.Learned{}
	g.publish(0)
}

// paced reports whether the gate knows any limits.
func (g *gate) paced() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limits != nil
}

// at is the moment from which a request of so many tokens may go out, 0 if
// that is now.
func (g *gate) at(now pace.Moment, tokens int64) pace.Moment {
	l := g.limits
	var free pace.Moment
	for unit, n := range [pace.Units]int64{pace.Requests: 1, pace.Tokens: max(tokens, 1)} {
		if w := l.window[unit]; w != nil {
			free = max(free, w.Free(now, n))
		}
		free = max(free, l.told[unit].Free(now, float64(n)))
		if g.past != nil {
			free = max(free, l.learned[unit].Free(now, float64(n), &g.past[unit]))
		}
	}
	return free
}

func (g *gate) count(now pace.Moment, unit pace.Unit, n float64) {
	l := g.limits
	if n == 0 {
		return
	}
	if w := l.window[unit]; w != nil {
		w.Add(now, int64(n))
	}
	l.told[unit].Take(now, n)
	if n > 0 {
		l.learned[unit].Take(now, n, &g.past[unit])
	} else {
		l.learned[unit].Back(-n)
	}
}

// A ticket is what a request took from a gate, to be settled when more is
// known.
type ticket struct {
	sent, total int64 // of the gate, with this request
	tokens      int64
	at          pace.Moment
}

// take counts a request of so many tokens, unless it has to wait.
func (g *gate) take(t *ticket, now pace.Moment, tokens int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.past == nil {
		g.past = new([pace.Units]pace.History)
	}
	if g.limits != nil {
		if free := g.at(now, tokens); free > now {
			g.publish(now)
			g.free.Store(max(int64(free), g.free.Load())) // or it would seem able, and not be
			return false
		}
		g.count(now, pace.Requests, 1)
		g.count(now, pace.Tokens, float64(tokens))
	}
	g.past[pace.Requests].Add(now, 1)
	if tokens > 0 {
		g.past[pace.Tokens].Add(now, float64(tokens))
	}
	if g.limits != nil {
		g.publish(now)
	}
	g.load.add(now)
	g.sent++
	g.tokens += tokens
	*t = ticket{g.sent, g.tokens, tokens, now}
	return true
}

// back gives back what t took: the vendor has not counted it.
func (g *gate) back(now pace.Moment, t ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.giveBack(now, t)
}

func (g *gate) giveBack(now pace.Moment, t ticket) {
	if g.past == nil || t.sent == 0 {
		return
	}
	g.past[pace.Requests].Back(t.at, 1)
	g.past[pace.Tokens].Back(t.at, float64(t.tokens))
	if g.limits != nil {
		g.count(now, pace.Requests, -1)
		g.count(now, pace.Tokens, -float64(t.tokens))
		g.publish(now)
	}
}

// settle corrects t by what the request really used.
func (g *gate) settle(now pace.Moment, t ticket, tokens int64) {
	more := tokens - t.tokens
	if more == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.past != nil {
		g.past[pace.Tokens].More(float64(more))
	}
	if g.limits != nil {
		g.settled(now, more)
		g.publish(now)
	}
	g.tokens += more
}

// settled counts that so many tokens more were used than was thought.
func (g *gate) settled(now pace.Moment, more int64) {
	l := g.limits
	if w := l.window[pace.Tokens]; w != nil {
		w.Add(now, more)
	}
	l.told[pace.Tokens].Take(now, float64(more))
	l.learned[pace.Tokens].Back(-float64(more))
}

// hear takes over what an answer's headers say of limits.
func (g *gate) hear(now pace.Moment, t ticket, rs []pace.Reading) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits == nil {
		g.limits = &limits{}
	}
	for _, r := range rs {
		since := g.sent - t.sent
		if r.Unit == pace.Tokens {
			since = g.tokens - t.total
		}
		g.limits.told[r.Unit].Set(now, r, float64(max(since, 0)))
	}
	g.publish(now)
}

// refused gives back what t took and learns from the refusal f.
func (g *gate) refused(now pace.Moment, t ticket, f *fault.Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.giveBack(now, t)
	if f.After > time.Hour || g.past == nil || t.sent == 0 {
		return
	}
	if g.limits == nil {
		g.limits = &limits{}
	}
	unit, cost := pace.Requests, 1.0
	if f.Limit == fault.OfTokens {
		unit, cost = pace.Tokens, float64(max(t.tokens, 1))
	}
	g.limits.learned[unit].Refused(pace.Refusal{Sent: t.at, Now: now, After: f.After, Cost: cost}, &g.past[unit])
	g.publish(now)
}

// publish tells those who look for an account how it stands.
func (g *gate) publish(now pace.Moment) {
	l := g.limits
	g.free.Store(int64(g.at(now, g.usual())))
	least := 0.0
	take := func(r float64) {
		if r > 0 && (least == 0 || r < least) {
			least = r
		}
	}
	for unit, one := range [pace.Units]float64{pace.Requests: 1, pace.Tokens: float64(g.usual())} {
		if one == 0 {
			continue
		}
		if w := l.window[unit]; w != nil {
			take(float64(w.Limit) / 60 / one)
		}
		if t := &l.told[unit]; t.Known(now) {
			r, _, _ := t.Limit()
			take(r / one)
		}
		r, _, _ := l.learned[unit].Limit()
		take(r / one)
	}
	g.speed.Store(math.Float64bits(least))
}

// usual is how many tokens a request has of those that go through the gate.
func (g *gate) usual() int64 {
	if g.past == nil {
		return 0
	}
	return int64(g.past[pace.Tokens].Unit())
}

// rate is how many requests a second the gate lets through, 0 if it knows no
// limit.
func (g *gate) rate() float64 { return math.Float64frombits(g.speed.Load()) }
