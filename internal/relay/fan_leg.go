package relay

import (
	"errors"
	"net/http"
	"slices"

	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/protocol/candidates"
	"portico/internal/sse"
)

// A fanLeg is one candidate under way. To its call it is the client, and the
// ledger too.
type fanLeg struct {
	x      *fan
	n      int // from 0
	c      *Call
	header http.Header

	// Guarded by the fan's lock.
	status int
	buf    []byte // what is no whole event yet, or all of what is no stream
	cut    sse.Cutter
	bad    *fault.Fault      // why what came is of no use
	record *journal.Exchange // as it was told last
	past   []journal.Attempt // of rounds before this one
}

// run asks for the candidate until it is there or cannot be had. One for whom
// there was no account, while others of the same answer had one, is asked for
// again when one of them is through: an account that takes one request at a
// time serves them all, one after the other.
func (l *fanLeg) run() {
	x := l.x
	for {
		x.mu.Lock()
		seen := x.ended
		x.mu.Unlock()
		f := l.serve()
		x.mu.Lock()
		again := f != nil && l.bad == nil && l.another(f, seen)
		if !again {
			l.end(f)
		}
		x.mu.Unlock()
		if !again {
			return
		}
	}
}

// end notes that the leg is through; f is why without success, or nil. The
// lock is held.
func (l *fanLeg) end(f *fault.Fault) {
	x := l.x
	if l.bad != nil {
		f = l.bad
	}
	if f != nil {
		x.fail(l.n, f)
	}
	if x.out = x.merger.Over(x.out, l.n); x.stream {
		_ = x.pass(l) // a client that left is noticed by whoever writes next
	}
	x.ended++
	x.turn.Broadcast()
}

// another waits for the end of another leg, where f says that nobody was able,
// and reports whether the candidate is to be asked for once more. seen is how
// many had ended when it was asked for. The lock is held.
func (l *fanLeg) another(f *fault.Fault, seen int) bool {
	x := l.x
	if f.Class != fault.Busy && f.Class != fault.RateLimited || l.status != 0 || !l.crowdedOut() {
		return false
	}
	x.waiting++
	x.turn.Broadcast()
	for x.ended == seen && x.ended+x.waiting < len(x.legs) && x.ctx.Err() == nil {
		x.turn.Wait()
	}
	x.waiting--
	if x.ended == seen || x.ctx.Err() != nil {
		return false
	}
	if l.record != nil {
		l.past = append(l.past, l.record.Attempts...)
		l.record = nil
		x.told--
	}
	return true
}

// crowdedOut reports whether nobody was asked for the candidate, or who was
// asked said that it was too much.
func (l *fanLeg) crowdedOut() bool {
	return l.record == nil || !slices.ContainsFunc(l.record.Attempts, func(a journal.Attempt) bool {
		return a.Fault != fault.RateLimited.String()
	})
}

// serve carries the call of the candidate, as any other.
func (l *fanLeg) serve() (f *fault.Fault) {
	defer func() {
		// The relay breaks the connection to a client whose answer must not
		// be taken for whole. Here it is merged with others.
		if p := recover(); p != nil {
			if err, _ := p.(error); !errors.Is(err, http.ErrAbortHandler) {
				l.x.a.r.log.Error("a candidate crashed", "request_id", l.c.ID, "panic", p)
			}
		}
	}()
	f = crash // unless all below comes to its end
	a := l.x.a.r.begin(l.x.ctx, l, l.c)
	defer a.end()
	a.candidate, a.ledger = l.n+1, l
	a.plan, a.x.Rule = l.x.a.plan, l.x.a.plan.Rule
	a.made = maxAttempts - maxAttempts/len(l.x.legs) // of all of them together
	a.mu.Lock()
	a.line.heartbeat = 0 // that is the fan's business
	a.mu.Unlock()
	return a.carry()
}

// Record implements Recorder for the candidate's call.
func (l *fanLeg) Record(x *journal.Exchange) error {
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	if l.record == nil {
		l.x.told++
	}
	l.record = x
	return nil
}

// Header implements http.ResponseWriter.
func (l *fanLeg) Header() http.Header { return l.header }

// WriteHeader implements http.ResponseWriter.
func (l *fanLeg) WriteHeader(status int) {
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	l.status = status
	if l.x.stream && status == http.StatusOK && mediaType(l.header) != eventStream {
		l.bad = fault.New(fault.Broken, "the upstream's answer is of no use: it sent no stream")
	}
}

// FlushError is for the relay, which looks for it. What is whole is flushed
// anyway.
func (*fanLeg) FlushError() error { return nil }

// Write implements http.ResponseWriter. A refusal is no part of the answer: the
// call returns it, too.
func (l *fanLeg) Write(p []byte) (int, error) {
	x := l.x
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case l.bad != nil:
		return 0, l.bad
	case l.status != http.StatusOK:
		return len(p), nil
	case x.held+len(p) > x.most:
		l.bad = fault.New(fault.Broken, "the upstreams' answers are of no use: together they are larger than %d MiB", x.most>>20)
		return 0, l.bad
	}
	l.buf = append(l.buf, p...)
	x.held += len(p)
	if !x.stream {
		return len(p), nil
	}
	rest := l.buf
	for {
		n := l.cut.Cut(rest)
		if n == 0 {
			break
		}
		if err := l.event(sse.Parse(rest[:n]).Data); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	if x.dialect != candidates.Pictures { // which the merger may keep
		x.held -= len(l.buf) - len(rest)
	}
	l.buf = append(l.buf[:0], rest...)
	if err := x.pass(l); err != nil {
		return 0, err
	}
	return len(p), nil
}

// event merges the data of one event.
func (l *fanLeg) event(data []byte) (err error) {
	x := l.x
	if x.out, err = x.merger.Frame(x.out, l.n, data); err != nil {
		l.bad = fault.New(fault.Broken, "the upstream's answer is of no use: %s", err)
		return l.bad
	}
	return nil
}

// attempts are all that were made for the candidate.
func (l *fanLeg) attempts() []journal.Attempt {
	if l.record == nil {
		return l.past
	}
	return slices.Concat(l.past, l.record.Attempts)
}
