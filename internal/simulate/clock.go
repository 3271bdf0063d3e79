package simulate

import (
	"container/heap"
	"time"

	"portico/internal/pool"
)

// A clock runs what is to happen, one after the other, and jumps from each to
// the next. Nothing in it is concurrent.
type clock struct {
	now    time.Duration
	next   uint64
	events events
}

// epoch is when the clock begins. It is of no account.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (c *clock) time() time.Time { return epoch.Add(c.now) }

// at has f happen at a time, which is not before now; of the same time, in the
// order in which they were told.
func (c *clock) at(t time.Duration, f func()) *event {
	e := &event{at: max(t, c.now), n: c.next, f: f}
	c.next++
	heap.Push(&c.events, e)
	return e
}

// after is at for a pool.
func (c *clock) after(d time.Duration, f func()) pool.Timer { return c.at(c.now+d, f) }

// run runs until nothing is left.
func (c *clock) run() {
	for len(c.events) > 0 {
		e := heap.Pop(&c.events).(*event)
		if f := e.f; f != nil {
			c.now, e.f = e.at, nil
			f()
		}
	}
}

// An event is one thing that is to happen.
type event struct {
	at time.Duration
	n  uint64
	f  func() // nil: it was stopped, or it has happened
}

// Stop keeps e from happening.
func (e *event) Stop() bool {
	was := e.f != nil
	e.f = nil
	return was
}

type events []*event

func (es events) Len() int { return len(es) }

func (es events) Less(i, j int) bool {
	return es[i].at < es[j].at || es[i].at == es[j].at && es[i].n < es[j].n
}

func (es events) Swap(i, j int) { es[i], es[j] = es[j], es[i] }

func (es *events) Push(e any) { *es = append(*es, e.(*event)) }

func (es *events) Pop() any {
	n := len(*es) - 1
	e := (*es)[n]
	(*es)[n], *es = nil, (*es)[:n]
	return e
}
