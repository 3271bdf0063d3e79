package pool

import (
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/pace"
)

// A crowding is how many requests at one time an account takes, as its
// refusals for their number have taught. Vendors do not tell it.
type crowding struct {
	most atomic.Int32 // 0: no limit is known

	mu    sync.Mutex
	since pace.Moment // when it was last changed
	calm  time.Duration
}

const (
	// firstCalm is after how long without a refusal one more is tried; it
	// doubles each time that fails, up to lastCalm.
	firstCalm = 30 * time.Second
	lastCalm  = 10 * time.Minute
)

// refused notes that one more than n at one time were too many.
func (c *crowding) refused(n int32, now pace.Moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = max(n, 1)
	if old := c.most.Load(); old != 0 && n >= old && now-c.since < time.Second {
		return // another of those that were under way
	}
	c.calm = min(max(c.calm*2, firstCalm), lastCalm)
	c.most.Store(n)
	c.since = now
}

// served notes that n at one time, this one among them, were not too many.
func (c *crowding) served(n int32, now pace.Moment) {
	most := c.most.Load()
	if most == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch passed := now - c.since; {
	case passed > 3*lastCalm && n < most: // it has not mattered for long
		c.most.Store(0)
		c.calm = 0
	case passed > c.calm && n >= most:
		c.most.Store(most + 1)
		c.since = now
	}
}

// limit is how many requests at one time x takes, 0: no limit is known.
func (x *slot) limit() int32 {
	most := x.state.crowding.most.Load()
	if x.parallel > 0 && (most == 0 || x.parallel < most) {
		return x.parallel
	}
	return most
}
