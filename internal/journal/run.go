package journal

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

const (
	// maxSync is the longest time between two fsyncs while there is
	// something to sync.
	maxSync = time.Second
	// A Keeper that failed is asked again after a time that doubles between
	// these two.
	firstRetry, lastRetry = time.Second, 30 * time.Second
	// flushRetry is how often a disk that took nothing is tried again.
	flushRetry = time.Second
	// lastFlush is how long Run keeps on at its end.
	lastFlush = 10 * time.Second
)

// Run is the journal's background duty until ctx ends: it syncs what was
// recorded to the disk, tells the listeners and the Keeper, and removes files
// whose exchanges are kept. At the end it hands over what is left. It sleeps
// while nothing is recorded.
//
// A sync follows the first record by Options.Sync, and by longer on a slow
// disk, which is never kept busy for more than a fifth of the time.
func (j *Journal) Run(ctx context.Context) error {
	keep, hear := make(chan struct{}, 1), make(chan struct{}, 1)
	keep <- struct{}{} // what a former process has left
	var wg sync.WaitGroup
	wg.Go(func() { follow(ctx, keep, j.o.Keep, j.keepAll) })
	wg.Go(func() { follow(ctx, hear, j.o.Hear, func(context.Context) error { j.hear(); return nil }) })
	j.syncLoop(ctx, keep, hear)
	wg.Wait()

	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
	defer cancel()
	err := j.Flush(last)
	j.hear()
	return err
}

// syncLoop syncs after every burst of records and passes the word on.
func (j *Journal) syncLoop(ctx context.Context, keep, hear chan<- struct{}) {
	pause := j.o.Sync
	for {
		if j.waiting.n.Load() > 0 {
			if !sleep(ctx, flushRetry) {
				return
			}
		} else {
			select {
			case <-ctx.Done():
				return
			case <-j.wake:
			}
			if !sleep(ctx, pause) {
				return
			}
		}
		j.dirty.Store(false) // whoever records from here on wakes us again
		j.flush()            // an error is in Stats, and comes again in a second
		j.prepare()
		begin := time.Now()
		j.sync()
		pause = min(max(4*time.Since(begin), j.o.Sync), maxSync)
		for _, c := range []chan<- struct{}{keep, hear} {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
}

// follow does f some time after every word on c. After an error it does it
// again, at longer and longer intervals.
func follow(ctx context.Context, c <-chan struct{}, wait time.Duration, f func(context.Context) error) {
	retry := firstRetry
	for {
		select {
		case <-ctx.Done():
			return
		case <-c:
		}
		if !sleep(ctx, wait) {
			return
		}
		for f(ctx) != nil {
			if !sleep(ctx, retry) {
				return
			}
			retry = min(2*retry, lastRetry)
		}
		retry = firstRetry
	}
}

// sleep reports false if ctx ended before d had passed.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// sync brings to the disk what was written since the last time.
func (j *Journal) sync() {
	j.mu.Lock()
	segs := append([]*segment(nil), j.segs...)
	j.mu.Unlock()
	for _, s := range segs {
		done := s.done.Load()
		if done <= max(s.synced, headerSize) {
			continue
		}
		err := s.file.Sync()
		if errors.Is(err, os.ErrClosed) {
			continue // kept and removed meanwhile
		}
		if err == nil && s.unsynced {
			if err = syncDir(j.dir); err == nil {
				s.unsynced = false
			}
		}
		if err != nil {
			// The kernel may have dropped the pages. What is in them is
			// still read from memory and kept; new records go elsewhere.
			j.syncErrors.Add(1)
			j.log.Error("the journal cannot be synced", "file", s.path, "error", err)
			s.seal()
		}
		s.synced = done
	}
}

// Flush hands to the Keeper everything whose Record returned before. It is for
// whoever is about to ask the Keeper, and needs no Run.
func (j *Journal) Flush(ctx context.Context) error {
	return errors.Join(j.flush(), j.keepAll(ctx))
}

// keepAll tells the Keeper what is new and removes what it kept.
func (j *Journal) keepAll(ctx context.Context) error {
	if j.o.Keeper == nil {
		return nil
	}
	cur := j.cur.Load()
	target, _ := cur.reserved()
	t := &j.keeping
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		from, at := t.seg.Load(), t.at
		xs, more := j.read(t)
		if len(xs) > 0 {
			if err := j.o.Keeper.Keep(xs); err != nil {
				t.start(from, at) // again from there
				j.keepErrors.Add(1)
				j.log.Error("exchanges cannot be kept and stay in the journal", "error", err)
				return err
			}
			j.kept.Add(int64(len(xs)))
			t.seg.Load().mark(t.at) // only saves work; an error changes nothing
		}
		j.reclaim()
		s := t.seg.Load()
		if !more && (s.seq > cur.seq || s == cur && t.at >= target) {
			return nil
		}
		if !more && !sleep(ctx, time.Millisecond) { // somebody is writing
			return ctx.Err()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
