package journal

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// frames are buffers for one frame each.
var frames = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// maxPooled is the largest buffer that goes back to frames.
const maxPooled = 64 << 10

// Record returns once x is safe from a crash of this process: the kernel has
// it. A power cut may take the last milliseconds. An exchange that is recorded
// again under its ID replaces what was recorded before. x must not be changed
// afterwards.
//
// The error wraps ErrWaiting, ErrLost or ErrClosed and says why. There is
// nothing to do about it but to count it.
func (j *Journal) Record(x *Exchange) error {
	if j.waiting.n.Load() > 0 {
		return j.waiting.add(x, nil) // behind those that wait
	}
	if err := j.write(x); err != nil {
		if errors.Is(err, ErrClosed) {
			return err
		}
		if j.waiting.n.Load() == 0 {
			j.log.Error("the journal cannot be written; exchanges wait in memory", "error", err)
		}
		err = j.waiting.add(x, err)
		j.poke()
		return err
	}
	j.poke()
	return nil
}

// poke wakes the sync loop, unless it is awake.
func (j *Journal) poke() {
	if !j.dirty.Load() && j.dirty.CompareAndSwap(false, true) {
		select {
		case j.wake <- struct{}{}:
		default:
		}
	}
}

func (j *Journal) write(x *Exchange) error {
	p := frames.Get().(*[]byte)
	b := Append(append((*p)[:0], make([]byte, frameHeader)...), x)
	defer func() {
		if cap(b) <= maxPooled {
			*p = b
			frames.Put(p)
		}
	}()
	n := padded(int64(len(b)))
	for failed := false; ; {
		s := j.cur.Load()
		at, ok := s.reserve(n)
		if !ok {
			if err := j.rotate(s); err != nil {
				return err
			}
			continue
		}
		sealFrame(b, s.salt)
		_, err := s.file.WriteAt(b, at)
		s.done.Add(n)
		if err == nil {
			return nil
		}
		// The place may hold half a frame. Nothing more is written to
		// this file, and the next one may lie on better blocks.
		s.seal()
		j.writeErrors.Add(1)
		if failed {
			return err
		}
		failed = true
	}
}

// rotate puts the next segment in the place of full, unless somebody has done
// so. It is the only wait that writers share, once in some thousand records,
// and it is short because the next segment was made ahead.
func (j *Journal) rotate(full *segment) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return ErrClosed
	}
	if j.cur.Load() != full {
		return nil
	}
	next := j.spare
	if next == nil {
		if int64(len(j.segs)+1)*j.o.Segment > j.o.Max {
			return errFull
		}
		s, err := newSegment(j.dir, j.seq+1, j.o.Segment, j.o.create)
		if err != nil {
			j.writeErrors.Add(1)
			return err
		}
		j.seq++
		next = s
	}
	j.spare = nil
	j.segs = append(j.segs, next)
	j.cur.Store(next)
	return nil
}

// prepare makes the next segment once the current one is half full.
func (j *Journal) prepare() {
	s := j.cur.Load()
	if at, _ := s.reserved(); at < s.size/2 {
		return
	}
	j.mu.Lock()
	seq := j.seq + 1
	ok := !j.closed && j.spare == nil && int64(len(j.segs)+1)*j.o.Segment <= j.o.Max
	if ok {
		j.seq = seq
	}
	j.mu.Unlock()
	if !ok {
		return
	}
	next, err := newSegment(j.dir, seq, j.o.Segment, j.o.create)
	if err != nil {
		return // rotate meets the same error and tells it
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	// Meanwhile the segment may have filled up and a newer one been taken;
	// an older one must not follow it.
	if j.closed || j.cur.Load().seq > seq {
		next.remove()
		return
	}
	j.spare = next
}

// A backlog holds what the disk did not take.
type backlog struct {
	n    atomic.Int64 // len(xs)
	mu   sync.Mutex
	xs   []*Exchange
	lost int64
	last error // why
}

// add puts x at the end. cause is why it was not written, nil if others wait
// already.
func (b *backlog) add(x *Exchange, cause error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if cause != nil {
		b.last = cause
	}
	if len(b.xs) >= maxBacklog {
		b.lost++
		return fmt.Errorf("%w: %w", ErrLost, b.last)
	}
	b.xs = append(b.xs, x)
	b.n.Store(int64(len(b.xs)))
	return fmt.Errorf("%w: %w", ErrWaiting, b.last)
}

func (b *backlog) count() (waiting int, lost int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.xs), b.lost
}

// flush writes what waits, oldest first, and stops at the first error.
func (j *Journal) flush() error {
	b := &j.waiting
	for b.n.Load() > 0 {
		if err := j.flushSome(); err != nil {
			return err
		}
	}
	return nil
}

// flushSome writes some of what waits. Requests that find the backlog in use
// wait for it, so it is not held for long.
func (j *Journal) flushSome() error {
	b := &j.waiting
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for ; n < min(len(b.xs), 100); n++ {
		if err := j.write(b.xs[n]); err != nil {
			b.last = err
			break
		}
	}
	some := n > 0
	b.xs = b.xs[n:]
	b.n.Store(int64(len(b.xs)))
	switch {
	case len(b.xs) == 0:
		b.xs = nil
		if some {
			j.log.Info("the journal can be written again", "lost", b.lost)
		}
		return nil
	case n == 0:
		return b.last
	}
	return nil
}
