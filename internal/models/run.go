package models

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
)

const (
	// every is how often an account is asked for its list, give or take a
	// tenth, so that accounts do not all ask at one time.
	every = time.Hour
	// soon is the first pause after a failure; it doubles up to every.
	soon = 2 * time.Second
	// atOnce is how many accounts are asked at one time.
	atOnce = 4
	// settle is how long a changed list may wait for others to come, so that
	// a start with many accounts does not merge for each of them.
	settle = 200 * time.Millisecond
)

// A result is what asking an account came to.
type result struct {
	entry   *entry
	account *pool.Account
	models  []protocol.Model
	err     error
}

// Run asks the accounts for their lists until ctx ends: at once, then every
// hour, soon again after a failure, and whenever Set names a new one. It
// returns nil once all requests have ended and the lists are saved.
func (s *Shelf) Run(ctx context.Context) error {
	results := make(chan result, atOnce)
	timer := time.NewTimer(0)
	defer timer.Stop()
	running := 0
	for ctx.Err() == nil {
		next := s.start(ctx, results, &running)
		if !next.IsZero() {
			timer.Reset(max(time.Until(next), 0))
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		case r := <-results:
			running--
			s.heard(r)
		}
		s.tend(running == 0)
	}
	for ; running > 0; running-- {
		s.heard(<-results)
	}
	s.tend(true)
	return nil
}

// start asks accounts that are due, as far as there is room, and returns when
// there is something to do next; zero: not by itself.
func (s *Shelf) start(ctx context.Context, results chan<- result, running *int) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, e := range s.entries {
		switch {
		case e.busy || e.due.IsZero():
		case e.due.After(now):
			sooner(e.due)
		case *running < atOnce: // else a result comes first
			*running++
			e.busy = true
			a := e.account
			go func() {
				ms, _, err := s.fetch(ctx, a)
				results <- result{e, a, ms, err}
			}()
		}
	}
	if s.stale {
		sooner(s.built.Add(settle))
	}
	return next
}

// heard takes in a result.
func (s *Shelf) heard(r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, now := r.entry, time.Now()
	e.busy = false
	if e.account.Key != r.account.Key || e.due.IsZero() {
		return // another key's list, or that of an account that was switched off meanwhile
	}
	if r.err != nil {
		s.missed(e, r.err, now)
		return
	}
	e.failed, e.due = 0, now.Add(jitter(every))
	if e.known && slices.EqualFunc(e.models, r.models, sameModel) {
		return
	}
	e.models = s.share(e.account, r.models, s.entries)
	e.known = e.models != nil
	s.stale, s.dirty = true, true
}

// missed notes that e's list could not be read. The last good one stays.
func (s *Shelf) missed(e *entry, err error, now time.Time) {
	e.failed++
	if errors.Is(err, errNoList) {
		e.due = now.Add(jitter(every)) // it may be a server of another version one day
		s.log.Debug("an account has no list of models", "account", e.account.Name)
		return
	}
	e.due = now.Add(jitter(pause(e.failed, err)))
	level := s.log.Debug
	if e.failed == 1 && !errors.Is(err, context.Canceled) {
		level = s.log.Warn
	}
	level("the list of models of an account could not be read", "account", e.account.Name, "error", err, "again", e.due)
}

// pause is how long to wait after so many failures in a row.
func pause(failed int, err error) time.Duration {
	d := soon
	for range failed - 1 {
		if d *= 2; d >= every {
			d = every
			break
		}
	}
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		d = max(d, min(f.After, every)) // the vendor's word, as far as it goes
	}
	return d
}

// jitter is d, give or take a tenth.
func jitter(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5) }

// tend merges changed lists if they are all there or have waited long enough,
// and saves them when nothing is under way.
func (s *Shelf) tend(idle bool) {
	s.mu.Lock()
	now := time.Now()
	if s.stale && (idle || now.Sub(s.built) >= settle) {
		s.build(now)
	}
	var lists []saved
	if idle && s.dirty && s.file != "" {
		lists, s.dirty = s.lists(), false
	}
	s.mu.Unlock()
	if lists == nil {
		return
	}
	if err := save(s.file, lists); err != nil {
		s.log.Warn("the lists of models could not be saved", "file", s.file, "error", err)
	}
}
