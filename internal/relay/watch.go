package relay

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// The causes with which an attempt is cancelled from within.
var (
	errFirstByte = errors.New("the upstream sent nothing in time")
	errIdle      = errors.New("the upstream fell silent in the middle of its answer")
	errGone      = errors.New("the client takes nothing any more")
)

// A watch keeps the time limits of a call with one timer: how long an attempt
// may take to answer, how long it may be silent, and when a silent stream
// needs a heartbeat. Reads note the time and touch no timer, and the timer is
// only set when something may be due sooner than it fires; an answer that
// comes at once costs neither.
//
// Times are on the monotonic clock, counted from base. All but read is guarded
// by the answer's mutex.
type watch struct {
	base     time.Time
	timer    *time.Timer             // never changes
	due      time.Duration           // when the timer fires, 0: it does not
	cancel   context.CancelCauseFunc // ends the attempt under way; nil between attempts
	deadline time.Duration           // for the answer to begin; 0 once it did
	idle     time.Duration           // the longest silence after that
	beat     time.Duration           // the last byte that went to the client
	read     atomic.Int64            // the last sign of life of the upstream
}

// busy is after how long the timer looks again if it comes at a bad moment.
const busy = time.Second

// newAnswer returns an answer for any call.
func newAnswer() *answer {
	a := &answer{}
	a.watch.base = time.Now()
	a.watch.timer = time.AfterFunc(time.Hour, a.tick)
	a.watch.timer.Stop()
	return a
}

func (w *watch) now() time.Duration { return time.Since(w.base) }

// heard notes a sign of life of the upstream.
func (w *watch) heard() { w.read.Store(int64(w.now())) }

// start starts the clock for an attempt that cancel ends, which must begin to
// answer within first and is then never silent for longer than idle.
func (a *answer) start(cancel context.CancelCauseFunc, first, idle time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := &a.watch
	now := w.now()
	w.cancel, w.deadline, w.idle = cancel, now+first, idle
	w.read.Store(int64(now))
	a.arm(now)
}

// answering says that the attempt has begun to answer.
func (a *answer) answering() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watch.deadline = 0
	a.watch.heard()
}

// hurry shortens the longest silence that is allowed.
func (a *answer) hurry(idle time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.watch.idle > idle {
		a.watch.idle = idle
		a.arm(a.watch.now())
	}
}

// rest stops the clock between attempts. The timer runs on; it finds nothing
// to do.
func (a *answer) rest() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watch.cancel = nil
}

// stop stops the clock and the heartbeats for good. A timer that has fired
// already finds nothing to do.
func (a *answer) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watch.cancel = nil
	a.line.beating = false
	if a.watch.due != 0 {
		a.watch.due = 0
		a.watch.timer.Stop()
	}
}

// arm sets the timer if something may be due before it fires.
func (a *answer) arm(now time.Duration) {
	w := &a.watch
	next := time.Duration(0)
	if w.cancel != nil {
		if next = w.deadline; next == 0 {
			next = time.Duration(w.read.Load()) + w.idle
		}
	}
	if a.line.beating {
		if b := w.beat + a.line.heartbeat; next == 0 || b < next {
			next = b
		}
	}
	if next == 0 || w.due != 0 && w.due <= next {
		return
	}
	d := max(next-now, time.Millisecond)
	w.due = now + d
	w.timer.Reset(d)
}

// tick does what is due.
func (a *answer) tick() {
	w := &a.watch
	if !a.mu.TryLock() {
		// A write to the client takes its time. What is due can wait for it.
		w.timer.Reset(busy)
		return
	}
	defer a.mu.Unlock()
	now := w.now()
	w.due = 0
	if w.cancel != nil {
		switch {
		case w.deadline != 0 && now >= w.deadline:
			w.cancel(errFirstByte)
			w.cancel = nil
		case w.deadline == 0 && now-time.Duration(w.read.Load()) >= w.idle:
			w.cancel(errIdle)
			w.cancel = nil
		}
	}
	if a.line.beating && now-w.beat >= a.line.heartbeat {
		a.heartbeat()
	}
	a.arm(now)
}
