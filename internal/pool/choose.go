package pool

import (
	"math/rand/v2"
	"time"

	"portico/internal/pace"
	"portico/internal/provider"
	"portico/internal/schedule"
)

// scratch is memory for a choice.
type scratch struct {
	cs []schedule.Candidate
	xs []*slot
}

// pick asks w's strategy for one of those that were found.
func (s *scratch) pick(w *Want) int {
	if len(s.xs) == 1 {
		return 0
	}
	q := w.Query
	q.Draw = rand.Uint64()
	return w.Strategy.Pick(q, s.cs)
}

// A verdict is what came of looking for an account.
type verdict struct {
	x   *slot // who serves now; nil: nobody
	why Choice
	of  int
	// stay is the account to wait for: it is expected to be able after wait,
	// and rest is for how much longer than for others that is worth it.
	stay       *slot
	wait, rest time.Duration
	passed     []Passed
}

// choose finds who serves w now, or whom to wait for. It takes nothing.
func (p *Pool) choose(v *verdict, l *lane, r *roster, w *Want, m *moments) {
	if len(r.slots) == 1 && !w.skips(r.slots[0].e) {
		x := &r.slots[0]
		if x.well(m) || x.ready(m) {
			v.x, v.why, v.of = x, Only, 1
			return
		}
	}
	if f, ok := w.Strategy.(schedule.Preferrer); ok {
		if i, ok := r.find(f.Prefers(), 0); ok && !w.skips(r.slots[i].e) && r.slots[i].ready(m) {
			v.x, v.why, v.of = &r.slots[i], Preferred, 1
			return
		}
	}
	var at *slot // the conversation's home
	var price time.Duration
	if k, ok := w.Strategy.(schedule.Keeper); ok && w.Query.Session != 0 && len(r.slots) > 1 {
		if h, ok := p.homes.get(l.key(w), m.at); ok {
			if i, ok := r.find(h.account, h.slot); ok && !w.skips(r.slots[i].e) {
				at, price = &r.slots[i], k.Price(w.Query, m.at-h.last)
			}
		}
	}
	wait, burden := time.Duration(0), time.Duration(0)
	if at != nil {
		burden = at.burden(l)
		var known bool
		if wait, known = at.wait(m, 0); !known {
			wait = hopeless
		}
		// It goes back to those who are preferred once a move costs nothing.
		if wait == 0 && burden <= price && (len(w.Prefer) == 0 || price > 0 || w.favours(at.e)) {
			v.x, v.why = at, AtHome
			return
		}
	}

	s := p.scratch.Get().(*scratch)
	defer p.scratch.Put(s)
	w.Query.Moving = at != nil
	for i := range w.Prefer {
		v.passed = append(v.passed, s.scan(r, w, m, func(e *entry) bool { return e.isOf(w.Prefer[i]) })...)
		if len(s.xs) > 0 {
			v.x, v.of, v.why = s.xs[s.pick(w)], len(s.xs), Preferred
			break
		}
	}
	if v.x == nil {
		var others func(*entry) bool
		if len(w.Prefer) > 0 {
			others = func(e *entry) bool { return !w.favours(e) }
		}
		v.passed = append(v.passed, s.scan(r, w, m, others)...)
		if len(s.xs) > 0 {
			v.x, v.of, v.why = s.xs[s.pick(w)], len(s.xs), Picked
			if v.of == 1 {
				v.why = Only
			}
		}
	}
	if at == nil || v.why == Preferred && v.x != nil && price == 0 {
		return
	}
	if v.x == at {
		v.why = AtHome
		return
	}
	v.why = Moved
	rest := price - burden
	if v.x != nil {
		rest += v.x.burden(l)
	}
	switch {
	case wait == hopeless || wait > rest && v.x != nil:
	case wait == 0: // it serves worse than others, but not by what a move costs
		v.x, v.why = at, AtHome
	default:
		v.stay, v.wait, v.rest = at, wait, rest
	}
}

// hopeless is a wait that no request is asked to wait.
const hopeless = time.Duration(1 << 62)

// key is the name of w's conversation among the homes: one that asks for
// several models has a home for each.
func (l *lane) key(w *Want) uint64 { return schedule.Mix(w.Query.Session ^ l.hash) }

// scan gathers the accounts that can serve w now: of the best priority, those
// that are not on trial and do not fail before the others.
func (p *Pool) scan(s *scratch, r *roster, w *Want, m *moments) (passed []Passed) {
	return s.scan(r, w, m, nil)
}

// scan is that of the pool. With among, only those for which it holds are
// looked at.
func (s *scratch) scan(r *roster, w *Want, m *moments, among func(*entry) bool) (passed []Passed) {
	if n := len(r.slots); cap(s.xs) < n {
		s.cs, s.xs = make([]schedule.Candidate, n), make([]*slot, n)
	}
	cs, xs, n := s.cs[:cap(s.cs)], s.xs[:cap(s.xs)], 0
	best, rank := 0, 0
	picky := len(w.Not) > 0 || w.Only != ""
	for i := range r.slots {
		x := &r.slots[i]
		if n > 0 && x.priority > best {
			break // the rest are worse
		}
		if picky && w.skips(x.e) || among != nil && !among(x.e) {
			continue
		}
		g := 0
		if !x.well(m) {
			k := x.look(m)
			if k.reason != able {
				if passed == nil {
					passed = make([]Passed, 0, min(len(r.slots), maxPassed))
				}
				if len(passed) < maxPassed {
					passed = append(passed, Passed{x.e.Name, k.why(), k.until, k.class()})
				}
				continue
			}
			g = x.grade(&k, m)
		}
		switch {
		case n == 0 || g < rank:
			n, best, rank = 0, x.priority, g
		case g > rank:
			continue
		}
		xs[n] = x
		x.candidate(&cs[n], m)
		n++
	}
	s.cs, s.xs = cs[:n], xs[:n]
	return passed
}

// well reports whether x is able and nothing speaks against it, which is so of
// most accounts most of the time.
func (x *slot) well(m *moments) bool {
	if x.tokens != nil && x.tokens.Condition(m.time).State != provider.Fresh {
		return false
	}
	if x.state.whole.Load() != nil || x.end.health.Load() != nil || x.state.limited.Load() || x.limit() > 0 {
		return false
	}
	if x.guarded() {
		return false
	}
	s := x.s.Load()
	return s == nil || s.health.Load() == nil && pace.Moment(s.gate.free.Load()) <= m.at && s.errs.get() < unwell
}

// grade is how well an able account is: 0 well, 1 it has to fetch a token
// first or fails often, 2 it is on trial after it broke down.
func (x *slot) grade(k *look, m *moments) int {
	s := x.s.Load()
	switch {
	case k.trial && !k.rejoins:
		return 2
	case k.late, s != nil && s.fails(m):
		return 1
	}
	return 0
}

// A failure costs another attempt, or the client's patience.
const failureCosts = time.Second

// burden is by how much longer an answer from x takes than from others: by
// failures, and by its speed.
func (x *slot) burden(l *lane) time.Duration {
	s := x.s.Load()
	if s == nil {
		return 0
	}
	d := time.Duration(float64(failureCosts) * float64(s.errs.get()) / oneError)
	if first, usual := s.first.get(), l.first.get(); first > usual {
		d += time.Duration(first - usual)
	}
	return d
}

// wait is how long a request that comes now waits for x, if ahead others do
// already; false if that is not known, or not worth knowing.
func (x *slot) wait(m *moments, ahead int) (d time.Duration, known bool) {
	k := x.look(m)
	s := x.s.Load()
	rate := 0.0
	if s != nil {
		ahead += int(s.queued.Load())
		rate = s.gate.rate()
	}
	if k.reason == protected && k.until.IsZero() {
		return 0, false
	}
	switch k.reason {
	case able:
		if ahead == 0 {
			return 0, true
		}
	case down, signedOut:
		return 0, false
	case crowded:
		took := time.Duration(x.e.took.get())
		if took == 0 {
			took = time.Second
		}
		return max(took*time.Duration(ahead+1)/time.Duration(max(x.limit(), 1)), time.Millisecond), true
	default:
		d = max(k.until.Sub(m.time), 1) // not 0, which is now
	}
	if x.e.limited.Load() {
		if r := x.e.gate.rate(); r > 0 && (rate == 0 || r < rate) {
			rate = r
		}
	}
	if rate > 0 && ahead > 0 {
		d += time.Duration(float64(ahead) / rate * float64(time.Second))
	}
	return d, true
}

// candidate makes c what a strategy sees of x.
func (x *slot) candidate(c *schedule.Candidate, m *moments) {
	*c = schedule.Candidate{ID: x.id, Weight: int(x.weight), InFlight: int(x.state.inFlight.Load())}
	if s := x.s.Load(); s != nil {
		c.Load, c.Rate = s.gate.load.level(m.at), s.gate.rate()
		c.First, c.Last = time.Duration(s.first.get()), time.Duration(s.gate.load.at.Load())
		c.Errors = float64(s.errs.get()) / oneError
	}
	x.lapses(c, m)
}

// last finds an account to ask when nobody is able: of those that broke down
// the one whose pause ends first. Its pause is a guess, and it may be well
// again, so that it is better tried than not; but by one request at a time, and
// not while w can wait for one that is known to be able in time. After them come
// those that are protected, if the operator permits that.
func (r *roster) last(w *Want, m *moments) (x *slot, why Choice) {
	var until time.Time
	var reserve *slot
	for i := range r.slots {
		y := &r.slots[i]
		if w.skips(y.e) {
			continue
		}
		switch k := y.look(m); {
		case k.reason == able || k.reason == down || k.reason == signedOut:
		case k.reason == cooling && k.health.Guess:
			if x == nil || k.until.Before(until) {
				x, until = y, k.until
			}
		case k.reason == protected && r.lends:
			if reserve == nil && y.room(m) {
				reserve = y
			}
		case w.Max > 0 && (k.until.IsZero() || k.until.Sub(m.time) < w.Max):
			return nil, LastHope
		}
	}
	if x == nil && reserve != nil {
		return reserve, Reserve
	}
	return x, LastHope
}
