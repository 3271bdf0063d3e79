package pool

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/pace"
)

const (
	// maxWaiting bounds how many requests wait in a lane. Each key has its
	// share of it.
	maxWaiting = 1024
	// maxCrowd bounds how many wait in all lanes together.
	maxCrowd = 8192
	// yields is how long a request that may go anywhere leaves a place to
	// those that wait for just this one, where their conversation is.
	yields = time.Second
)

// A crowd is all the requests that wait.
type crowd struct {
	waiting atomic.Int32
	mu      sync.Mutex
	queues  []*queue // those that are not empty
}

// stir has those who wait look again: something has changed.
func (p *Pool) stir() {
	if p.crowd.waiting.Load() == 0 {
		return
	}
	p.crowd.mu.Lock()
	queues := slices.Clone(p.crowd.queues)
	p.crowd.mu.Unlock()
	for _, q := range queues {
		q.stir()
	}
}

// A queue is the requests of a lane that wait, in one line for each key. The
// lines are served in turn. One timer is set for the next moment at which
// something may change by itself; what changes by an event is told by stir.
type queue struct {
	pool    *Pool
	lane    *lane
	waiting atomic.Int32

	mu    sync.Mutex
	lines []*line
	turn  int         // the line whose turn it is
	since pace.Moment // when it was empty last
	left  load        // those who got a place since
	timer Timer
	due   pace.Moment // 0: it is not set
}

// A line is the requests of one key.
type line struct {
	key     string
	waiters []*waiter // by when their requests came
}

// A waiter is a request that waits.
type waiter struct {
	want  Want
	since pace.Moment
	until pace.Moment // when it gives up
	home  uint64      // the account where its conversation is, 0: none
	slot  int         // where it stood
	stays pace.Moment // how long it waits for home alone
	seat  *seat       // that counts it
	tell  func(Lease, *None)
	over  bool
}

// Wait is Lease, but if the conversation's account, or with w.Queue any
// account, will be able soon enough, it waits for that. If it will not, it
// says so at once. It returns early if ctx ends.
func (p *Pool) Wait(ctx context.Context, w Want) (Lease, *None) {
	type result struct {
		lease Lease
		none  *None
	}
	var ready chan result
	lease, none, cancel := p.ask(w, func() func(Lease, *None) {
		ready = make(chan result, 1)
		return func(l Lease, n *None) { ready <- result{l, n} }
	})
	if cancel == nil {
		return lease, none
	}
	select {
	case r := <-ready:
		return r.lease, r.none
	case <-ctx.Done():
	}
	if n := cancel(); n != nil {
		return Lease{}, n
	}
	r := <-ready // it came at the same moment
	return r.lease, r.none
}

// Ask is Wait for those who are called back: tell is called once, from
// another goroutine, unless the lease is there at once or there is none, or
// cancel is called first.
func (p *Pool) Ask(w Want, tell func(Lease, *None)) (lease Lease, none *None, cancel func() *None) {
	return p.ask(w, func() func(Lease, *None) { return tell })
}

func (p *Pool) ask(w Want, tell func() func(Lease, *None)) (lease Lease, none *None, cancel func() *None) {
	m := p.moments()
	if w.Since.IsZero() {
		w.Since = m.time
	}
	l, r := p.lane(&w)
	if l.queue.waiting.Load() > 0 {
		l.queue.stir() // who waits comes first
	}
	var v verdict
	switch {
	case p.try(&lease, &v, l, r, &w, &m):
		return lease, nil, nil
	case w.Max <= 0 || v.stay == nil && !w.Queue:
		return lease, r.none(&w, v.passed), nil
	}
	wt, none := l.queue.join(&w, &v, &m, tell)
	if wt == nil {
		return Lease{}, none, nil
	}
	return Lease{}, nil, func() *None { return l.queue.leave(wt) }
}

// join makes w wait, or says why it does not.
func (q *queue) join(w *Want, v *verdict, m *moments, tell func() func(Lease, *None)) (*waiter, *None) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.roster()
	at, ok := q.expect(r, w, m)
	n := r.none(w, v.passed)
	if ok {
		n.Until = m.after(at)
	}
	switch {
	case (v.stay == nil || v.wait > w.Max) && (!ok || at-m.at > w.Max):
		return nil, n
	case !q.room(w.Key, m):
		n.Full = true
		return nil, n
	}
	wt := &waiter{want: *w, since: m.at, until: m.at + w.Max, stays: m.at, tell: tell()}
	wt.want.Not = slices.Clone(w.Not)
	stays := v.rest
	if v.x == nil { // elsewhere it would wait, too
		stays += max(at-m.at, 0)
	}
	if v.stay != nil && v.wait <= stays {
		wt.home, wt.stays = v.stay.e.id, min(m.at+stays, wt.until)
		if !w.Queue {
			wt.until = wt.stays
		}
		if wt.seat = v.stay.s.Load(); wt.seat != nil {
			wt.seat.queued.Add(1)
		}
	}
	i := slices.IndexFunc(q.lines, func(l *line) bool { return l.key == w.Key })
	if i < 0 {
		i = len(q.lines)
		q.lines = append(q.lines, &line{key: w.Key})
	}
	ws := q.lines[i].waiters
	q.lines[i].waiters = slices.Insert(ws, wt.want.behind(ws), wt)
	if q.waiting.Add(1) == 1 {
		q.since, q.left = m.at, load{}
		c := &q.pool.crowd
		c.mu.Lock()
		c.queues = append(c.queues, q)
		c.mu.Unlock()
	}
	q.pool.crowd.waiting.Add(1)
	// What changed since the choice was made was not told to this one.
	q.serve(r, m)
	return wt, nil
}

// behind is how many of ws are served before w: those that came no later.
func (w *Want) behind(ws []*waiter) int {
	i := len(ws)
	for i > 0 && w.Since.Before(ws[i-1].want.Since) {
		i--
	}
	return i
}

// room reports whether one more of key's may wait. Where there is no room, the
// longest line gives up its last to a shorter one.
func (q *queue) room(key string, m *moments) bool {
	if q.pool.crowd.waiting.Load() >= maxCrowd {
		return false
	}
	if q.waiting.Load() < maxWaiting {
		return true
	}
	var longest *line
	mine := 0
	for _, l := range q.lines {
		if longest == nil || len(l.waiters) > len(longest.waiters) {
			longest = l
		}
		if l.key == key {
			mine = len(l.waiters)
		}
	}
	if mine+1 >= len(longest.waiters) {
		return false
	}
	r := q.roster()
	wt := longest.waiters[len(longest.waiters)-1]
	n := r.none(&wt.want, q.passed(r, &wt.want, m))
	n.Full = true
	q.end(wt, Lease{}, n)
	return true
}

// leave takes wt out of the queue, and returns nil if it is too late for that.
func (q *queue) leave(wt *waiter) *None {
	q.mu.Lock()
	defer q.mu.Unlock()
	if wt.over {
		return nil
	}
	q.remove(wt)
	m := q.pool.moments()
	r := q.roster()
	n := r.none(&wt.want, q.passed(r, &wt.want, &m))
	q.serve(r, &m) // one that waited behind it may be the next
	return n
}

func (q *queue) passed(r *roster, w *Want, m *moments) []Passed {
	s := q.pool.scratch.Get().(*scratch)
	defer q.pool.scratch.Put(s)
	return q.pool.scan(s, r, w, m)
}

// end tells wt what came of it.
func (q *queue) end(wt *waiter, l Lease, n *None) {
	q.remove(wt)
	m := q.pool.moments()
	if l.s != nil {
		l.s.ramp.use(m.at)
		q.left.add(m.at)
	}
	l.Waited = m.at - wt.since
	wt.tell(l, n)
}

func (q *queue) remove(wt *waiter) {
	wt.over = true
	if wt.seat != nil {
		wt.seat.queued.Add(-1)
	}
	i := slices.IndexFunc(q.lines, func(l *line) bool { return l.key == wt.want.Key })
	l := q.lines[i]
	l.waiters = slices.DeleteFunc(l.waiters, func(o *waiter) bool { return o == wt })
	if len(l.waiters) == 0 {
		q.lines = slices.Delete(q.lines, i, i+1)
		if q.turn > i {
			q.turn--
		}
	}
	q.pool.crowd.waiting.Add(-1)
	if q.waiting.Add(-1) == 0 {
		c := &q.pool.crowd
		c.mu.Lock()
		c.queues = slices.DeleteFunc(c.queues, func(o *queue) bool { return o == q })
		c.mu.Unlock()
	}
}

// stir serves who can be served now.
func (q *queue) stir() {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.pool.moments()
	q.serve(q.roster(), &m)
}

// roster is the lane's, brought up to date.
func (q *queue) roster() *roster {
	r := q.lane.roster.Load()
	if r.made == q.pool.reloads.Load() {
		return r
	}
	q.pool.mu.Lock()
	defer q.pool.mu.Unlock()
	return q.pool.enrol(q.lane)
}

// serve gives places to those who wait, line after line, and sets the timer
// for the rest. q.mu is held.
func (q *queue) serve(r *roster, m *moments) {
	s := q.pool.scratch.Get().(*scratch)
	defer q.pool.scratch.Put(s)
	q.expire(r, m)
	q.pool.scan(s, r, &Want{}, m)
	for idle := 0; idle < len(q.lines); {
		i, n := (q.turn+idle)%len(q.lines), len(q.lines)
		if !q.serveOne(q.lines[i], s, r, m) {
			idle++
			continue
		}
		idle = 0
		if q.turn = i; len(q.lines) == n { // else the next one has moved up
			q.turn++
		}
	}
	q.arm(r, m)
}

// expire tells those whose time is up.
func (q *queue) expire(r *roster, m *moments) {
	for i := 0; i < len(q.lines); i++ {
		for _, wt := range slices.Clone(q.lines[i].waiters) {
			if wt.until > m.at {
				continue
			}
			alone := len(q.lines[i].waiters) == 1
			if !q.place(wt, nil, r, m) {
				n := r.none(&wt.want, q.passed(r, &wt.want, m))
				if at, ok := q.expect(r, &wt.want, m); ok {
					n.Until = m.after(at)
				}
				q.end(wt, Lease{}, n)
			}
			if alone {
				i--
				break
			}
		}
	}
}

// serveOne gives a place to the first in line that can have one.
func (q *queue) serveOne(l *line, s *scratch, r *roster, m *moments) bool {
	for _, wt := range l.waiters {
		if q.place(wt, s, r, m) {
			return true
		}
	}
	return false
}

// place gives wt a place if there is one for it. s holds the accounts that are
// able, as far as is known; nil: that is to be found out.
func (q *queue) place(wt *waiter, s *scratch, r *roster, m *moments) bool {
	w := &wt.want
	if wt.home != 0 {
		if i, ok := r.find(wt.home, wt.slot); ok {
			wt.slot = i
			if x := &r.slots[i]; x.ready(m) && x.admits(m) == 0 {
				var l Lease
				if q.pool.take(&l, q.lane, r, x, w, m) {
					l.Why, l.Of = AtHome, 1
					q.end(wt, l, nil)
					return true
				}
			}
			if m.at < wt.stays {
				return false
			}
		}
	}
	if s != nil && len(s.xs) == 0 {
		return q.placeLast(wt, r, m)
	}
	mine := q.pool.scratch.Get().(*scratch)
	defer q.pool.scratch.Put(mine)
	for range tries {
		q.pool.scan(mine, r, w, m)
		yield := m.at < wt.stays+yields && m.at < wt.until
		mine.leave(func(x *slot) bool {
			o := x.s.Load()
			return x.admits(m) == 0 && (!yield || o == nil || o.queued.Load() == 0)
		})
		if len(mine.xs) == 0 {
			return false
		}
		w.Query.Moving = wt.home != 0
		x := mine.xs[mine.pick(w)]
		var l Lease
		if q.pool.take(&l, q.lane, r, x, w, m) {
			l.Why, l.Of = Picked, len(mine.xs)
			if wt.home != 0 {
				l.Why = Moved
			}
			q.end(wt, l, nil)
			if s != nil {
				q.pool.scan(s, r, &Want{}, m)
			}
			return true
		}
	}
	return false
}

// placeLast lets wt ask an account that broke down, if nobody is able and
// none will be soon.
func (q *queue) placeLast(wt *waiter, r *roster, m *moments) bool {
	x, why := r.last(&wt.want, m)
	if x == nil {
		return false
	}
	var l Lease
	ok := q.pool.take(&l, q.lane, r, x, &wt.want, m)
	if ok {
		l.Why = why
		q.end(wt, l, nil)
	}
	return ok
}

// ready reports whether x can serve now.
func (x *slot) ready(m *moments) bool {
	k := x.look(m)
	return k.reason == able
}

// leave keeps those for which ok holds.
func (s *scratch) leave(ok func(*slot) bool) {
	n := 0
	for i, x := range s.xs {
		if ok(x) {
			s.xs[n], s.cs[n] = x, s.cs[i]
			n++
		}
	}
	s.xs, s.cs = s.xs[:n], s.cs[:n]
}

// arm sets the timer for the next moment at which something changes by itself.
func (q *queue) arm(r *roster, m *moments) {
	next := pace.Moment(0)
	soon := func(at pace.Moment) {
		if at > m.at && (next == 0 || at < next) {
			next = at
		}
	}
	anywhere := false
	for _, l := range q.lines {
		for _, wt := range l.waiters {
			soon(wt.until)
			soon(wt.stays)
			if wt.home != 0 {
				if i, ok := r.find(wt.home, wt.slot); ok {
					soon(q.pool.opens(&r.slots[i], m))
				}
			}
			if wt.stays <= m.at {
				anywhere = true
				soon(wt.stays + yields)
			}
		}
	}
	if anywhere {
		for i := range r.slots {
			soon(q.pool.opens(&r.slots[i], m))
		}
	}
	if next == q.due {
		return
	}
	if q.timer != nil {
		q.timer.Stop()
		q.timer = nil
	}
	if q.due = next; next != 0 {
		q.timer = q.pool.timer(next-m.at, func() {
			q.mu.Lock()
			if q.due == next {
				q.due, q.timer = 0, nil
			}
			q.mu.Unlock()
			q.stir()
		})
	}
}

// opens is when x may be able again by the passing of time, 0 if it is able
// or waits for an event.
func (p *Pool) opens(x *slot, m *moments) pace.Moment {
	k := x.look(m)
	if k.reason == able {
		return x.admits(m)
	}
	if k.until.IsZero() {
		return 0
	}
	return m.at + max(k.until.Sub(m.time), time.Nanosecond)
}
