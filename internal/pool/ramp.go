package pool

import (
	"sync"
	"time"

	"portico/internal/pace"
)

// A ramp lets those who waited go to an account of which no limit is known:
// a few, and twice as many a moment later if none of them was refused. If all
// went at once, all that the account does not take would be refused.
type ramp struct {
	mu    sync.Mutex
	since pace.Moment // when this step began
	size  int         // how many go in it
	used  int
}

const (
	firstStep = 4
	lastStep  = 1024
	// stepTime is long enough for a refusal to come back.
	stepTime = 250 * time.Millisecond
	// flat is after how long without anybody waiting it begins anew.
	flat = 5 * time.Second
)

// next is the moment at which one more may go, 0 if that is now.
func (r *ramp) next(now pace.Moment) pace.Moment {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.step(now); r.used < r.size {
		return 0
	}
	return r.since + stepTime
}

func (r *ramp) step(now pace.Moment) {
	switch passed := now - r.since; {
	case r.size == 0 || passed > flat:
		r.since, r.size, r.used = now, firstStep, 0
	case passed >= stepTime:
		if r.used >= r.size {
			r.size = min(r.size*2, lastStep)
		}
		r.since, r.used = now, 0
	}
}

// use counts one that goes.
func (r *ramp) use(now pace.Moment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.step(now)
	r.used++
}

// fall begins anew: one was refused.
func (r *ramp) fall(now pace.Moment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size != 0 {
		r.since, r.size, r.used = now, firstStep, firstStep
	}
}

// admits reports when x takes one more of those who wait: 0 now, else the
// moment, as far as that is a matter of the ramp.
func (x *slot) admits(m *moments) pace.Moment {
	s := x.s.Load()
	if s == nil || s.gate.rate() > 0 || x.limit() > 0 || x.e.limited.Load() {
		return 0
	}
	return s.ramp.next(m.at)
}
