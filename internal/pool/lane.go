package pool

import (
	"slices"
	"sync/atomic"

	"portico/internal/provider"
	"portico/internal/schedule"
)

// A lane is what requests for one model in the same ways have in common: the
// accounts that can serve them, and the queue of those that wait.
type lane struct {
	want Want   // its model and ways
	hash uint64 // of the model

	roster atomic.Pointer[roster]
	first  mean // time to the first byte at any of the accounts, ns
	queue  queue
}

// A roster is the accounts of a lane as they were at a reload.
type roster struct {
	made           uint64 // the reload
	slots          []slot // best priority first, else as configured
	accounts, mute int    // see None
	lends          bool   // the protected serve if nobody else does
}

// A slot is an account that can serve a lane's requests. What is looked at to
// choose among a thousand stands close together, here and in what it points to.
type slot struct {
	s        atomic.Pointer[seat] // nil: nothing is known of the model there
	state    *state
	end      *endpoint
	tokens   provider.Tokens // nil: it has a key
	id       uint64
	weight   int32
	parallel int32
	priority int
	e        *entry
	way      int                // which of the lane's
	floor    float64            // the share of its allowances below which it is protected
	money    map[string]float64 // likewise of its balance, by currency; nil: nothing is
	at       int                // in the roster
}

const (
	// maxLanes bounds how many lanes are kept. Clients choose the names of
	// models, so there may be any number.
	maxLanes = 1024
	// maxSlots bounds how many slots they have together.
	maxSlots = 1 << 18
)

// lanes holds the lanes by model. It is never changed, but replaced.
type lanes struct {
	by    map[string][]*lane
	count int
	slots int
}

// lane returns the lane of w, whose roster is that of the last reload.
func (p *Pool) lane(w *Want) (*lane, *roster) {
	for _, l := range p.lanes.Load().by[w.Model] {
		if l.fits(w) {
			if r := l.roster.Load(); r.made == p.reloads.Load() {
				return l, r
			}
			break
		}
	}
	return p.makeLane(w)
}

func (l *lane) fits(w *Want) bool {
	return l.want.Equal == w.Equal && l.want.Named == w.Named && slices.Equal(l.want.Ways, w.Ways)
}

// makeLane makes the lane of w, or brings its roster up to date.
func (p *Pool) makeLane(w *Want) (*lane, *roster) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.lanes.Load()
	for _, l := range old.by[w.Model] {
		if l.fits(w) {
			return l, p.enrol(l)
		}
	}
	l := &lane{want: Want{Ways: slices.Clone(w.Ways), Equal: w.Equal, Named: w.Named, Model: w.Model}, hash: schedule.Hash(w.Model)}
	l.queue.lane, l.queue.pool = l, p
	r := p.enrol(l)
	next := &lanes{by: map[string][]*lane{}}
	keep := func(l *lane) {
		next.by[l.want.Model] = append(next.by[l.want.Model], l)
		next.count++
		next.slots += len(l.roster.Load().slots)
	}
	full := old.count >= maxLanes || old.slots+len(r.slots) > maxSlots
	for _, all := range old.by {
		for _, l := range all {
			if !full || l.queue.waiting.Load() > 0 {
				keep(l)
			}
		}
	}
	keep(l)
	p.lanes.Store(next)
	return l, r
}

// enrol brings the roster of l up to date. p.mu is held.
func (p *Pool) enrol(l *lane) *roster {
	made := p.reloads.Load()
	if r := l.roster.Load(); r != nil && r.made == made {
		return r
	}
	entries := *p.entries.Load()
	w := &l.want
	reserved := slices.ContainsFunc(entries, func(e *entry) bool {
		return e.Reserved && len(e.Models) > 0 && w.Model != "" && e.Serves(w.Model)
	})
	r := &roster{made: made}
	type able struct {
		e   *entry
		way int
	}
	var all []able
	for _, e := range entries {
		if e.Disabled {
			continue
		}
		r.accounts++
		if reserved && !e.Reserved || !e.Serves(w.Model) {
			continue
		}
		way, ok := w.way(&e.Account)
		if !ok {
			r.mute++
			continue
		}
		all = append(all, able{e, slices.Index(w.Ways, way)})
	}
	slices.SortStableFunc(all, func(a, b able) int { return a.e.Priority - b.e.Priority })
	guard := p.guard.Load()
	floor := guard.of(w.Model)
	r.lends = guard != nil && guard.LastResort
	r.slots = make([]slot, len(all))
	for i, a := range all {
		x := &r.slots[i]
		x.e, x.way, x.at, x.state, x.end, x.id = a.e, a.way, i, a.e.state, a.e.end, a.e.id
		x.tokens, x.floor, x.money = a.e.Tokens, floor, guard.money()
		x.weight, x.parallel, x.priority = int32(min(a.e.Weight, 1<<30)), int32(min(a.e.Parallel, 1<<30)), a.e.Priority
		x.s.Store(a.e.known(w.Model))
	}
	l.roster.Store(r)
	return r
}

// seat returns the state of x's model, which is made if there is none, for all
// the lanes of the model at once.
func (p *Pool) seat(l *lane, x *slot) *seat {
	if s := x.s.Load(); s != nil {
		return s
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, forgot := x.e.seat(l.want.Model)
	x.s.Store(s)
	for _, other := range p.lanes.Load().by[l.want.Model] {
		r := other.roster.Load()
		if i, ok := r.find(x.e.id, 0); ok {
			r.slots[i].s.Store(s)
		}
	}
	if forgot {
		p.reloads.Add(1) // lanes hold what was forgotten; they look anew
	}
	return s
}

// find returns the slot of the account with the given id. hint is where it was
// the last time.
func (r *roster) find(id uint64, hint int) (int, bool) {
	if hint < len(r.slots) && r.slots[hint].id == id {
		return hint, true
	}
	for i := range r.slots {
		if r.slots[i].id == id {
			return i, true
		}
	}
	return 0, false
}
