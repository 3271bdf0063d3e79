package journal

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A Listener is told of exchanges a moment after they were recorded. It is
// never told of two at once, and must not change them.
type Listener interface{ Heard(x *Exchange) }

// maxEar is how many exchanges wait for one listener.
const maxEar = 4096

// ears are the listeners.
type ears struct {
	n       atomic.Int32
	dropped atomic.Int64
	mu      sync.Mutex
	all     []*ear
}

// An ear is a listener and the exchanges that it was not told of yet.
type ear struct {
	listener Listener
	mu       sync.Mutex
	queue    []*Exchange
	wake     chan struct{}
	stop     chan struct{}
	once     sync.Once
}

// Listen tells l of what is recorded from now on, but for what is Open, in the
// order of recording, while Run runs, until stop is called or the journal is
// closed. An exchange that waits in memory is told once it is written. Each
// listener has a goroutine and a queue of 4,096; one that is slower misses the
// oldest, which Stats counts.
func (j *Journal) Listen(l Listener) (stop func()) {
	e := &ear{listener: l, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	j.hearing.mu.Lock()
	defer j.hearing.mu.Unlock()
	j.mu.Lock() // no segment is removed between the choice of one and the word that it is needed
	defer j.mu.Unlock()
	j.ears.mu.Lock()
	defer j.ears.mu.Unlock()
	if len(j.ears.all) == 0 {
		s := j.cur.Load()
		at, _ := s.reserved()
		j.hearing.start(s, at)
	}
	j.ears.all = append(j.ears.all, e)
	j.ears.n.Store(int32(len(j.ears.all)))
	go e.run()
	return func() { j.ears.drop(e) }
}

func (es *ears) drop(e *ear) {
	es.mu.Lock()
	defer es.mu.Unlock()
	for i, o := range es.all {
		if o == e {
			es.all = append(es.all[:i:i], es.all[i+1:]...)
			es.n.Store(int32(len(es.all)))
			break
		}
	}
	e.once.Do(func() { close(e.stop) })
}

func (es *ears) close() {
	es.mu.Lock()
	defer es.mu.Unlock()
	for _, e := range es.all {
		e.once.Do(func() { close(e.stop) })
	}
	es.all = nil
	es.n.Store(0)
}

// tell hands xs to every listener's queue and waits for none. Who counts
// exchanges wants each of them once, so those that are open are not told.
func (es *ears) tell(xs []*Exchange) {
	xs = slices.DeleteFunc(xs, func(x *Exchange) bool { return x.Open })
	es.mu.Lock()
	defer es.mu.Unlock()
	for _, e := range es.all {
		es.dropped.Add(int64(e.push(xs)))
	}
}

// push puts xs at the end of the queue and returns how many of the oldest had
// to go.
func (e *ear) push(xs []*Exchange) (dropped int) {
	e.mu.Lock()
	e.queue = append(e.queue, xs...)
	if dropped = max(0, len(e.queue)-maxEar); dropped > 0 {
		e.queue = append([]*Exchange(nil), e.queue[dropped:]...)
	}
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return dropped
}

// pull takes the oldest of the queue, or nil.
func (e *ear) pull() *Exchange {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		e.queue = nil
		return nil
	}
	x := e.queue[0]
	e.queue[0] = nil
	e.queue = e.queue[1:]
	return x
}

func (e *ear) run() {
	for {
		select {
		case <-e.stop:
			return
		case <-e.wake:
		}
		for x := e.pull(); x != nil; x = e.pull() {
			e.listener.Heard(x)
			select {
			case <-e.stop:
				return
			default:
			}
		}
	}
}

// hear tells the listeners what is new.
func (j *Journal) hear() {
	t := &j.hearing
	t.mu.Lock()
	defer t.mu.Unlock()
	for more := true; more && j.ears.n.Load() > 0; {
		var xs []*Exchange
		if xs, more = j.read(t); len(xs) > 0 {
			j.ears.tell(xs)
		}
	}
	j.reclaim()
}
