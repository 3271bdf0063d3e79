package simulator

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// A source gives the events of an answer one after the other.
type source interface {
	// next returns the next event, or nil at the end. It is valid until the
	// next call.
	next() []byte
	// fail returns what tells of x in the middle of the answer.
	fail(x *failure) []byte
}

// A body is an answer as it is read, with the fault that strikes in it. A Read
// returns no more than one event. Read and Close may be called at the same
// time.
type body struct {
	ctx    context.Context
	source source
	pace   time.Duration // between events

	kind  kind     // of the fault, kindNone for none
	at    int      // the event before which it strikes, negative for none
	limit int64    // the bytes after which it strikes, negative for none
	fault *failure // that kindError and kindOverloaded tell of

	rest   []byte // of the event that is being read
	events int    // taken from source
	bytes  int64  // that were handed to the reader or wait in rest
	end    error  // what Read returns once rest is read, nil: there is more

	closed chan struct{}
	once   sync.Once
}

func newBody(ctx context.Context) *body {
	return &body{ctx: ctx, at: -1, limit: -1, closed: make(chan struct{})}
}

// arm makes m strike within the body, before the event at or, if m says so,
// after a number of bytes.
func (b *body) arm(m *mishap, at int, x *failure) {
	b.kind, b.at, b.fault = m.kind, at, x
	if m.bytes >= 0 && (m.kind == kindCut || m.kind == kindEnd) {
		b.at, b.limit = m.after, m.bytes
	}
}

// halve is the source for a whole answer. A fault that is to strike after some
// events strikes in its middle.
func (b *body) halve(answer []byte) source {
	if b.at > 0 {
		b.at = 1
		return &halves{answer[:len(answer)/2], answer[len(answer)/2:]}
	}
	return &halves{answer}
}

// halves is a whole answer, perhaps in two halves.
type halves [][]byte

func (p *halves) next() []byte {
	for len(*p) > 0 {
		e := (*p)[0]
		*p = (*p)[1:]
		if len(e) > 0 {
			return e
		}
	}
	return nil
}

// fail has nothing to tell in the middle of a whole answer.
func (p *halves) fail(*failure) []byte { return nil }

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	select {
	case <-b.closed:
		return 0, http.ErrBodyReadAfterClose
	default:
	}
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	if len(p) == 0 {
		return 0, nil
	}
	for len(b.rest) == 0 {
		if b.end != nil {
			return 0, b.end
		}
		b.advance()
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close implements io.Closer. A Read that waits returns.
func (b *body) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// advance fetches the next event into rest, or sets end, or both.
func (b *body) advance() {
	if b.events == b.at || b.bytes == b.limit {
		b.strike()
		return
	}
	e := b.source.next()
	if e == nil {
		b.end = io.EOF
		return
	}
	if b.events > 0 {
		if b.end = b.wait(b.pace); b.end != nil {
			return
		}
	}
	if left := b.limit - b.bytes; b.limit >= 0 && int64(len(e)) > left {
		e = e[:left]
	}
	b.rest = e
	b.events++
	b.bytes += int64(len(e))
}

// garbage is neither JSON, nor an event, nor UTF-8.
const garbage = "data: {\"portico's simulator\": garb\xc3\x28age\n\n"

// strike plays the fault. It sets end.
func (b *body) strike() {
	b.end = io.EOF
	switch b.kind {
	case kindCut:
		b.end = io.ErrUnexpectedEOF
	case kindHang:
		b.end = b.hang()
	case kindGarbage:
		b.rest = []byte(garbage)
	case kindError, kindOverloaded:
		b.rest = b.source.fail(b.fault)
	}
}

// wait waits for d, or returns why it does not.
func (b *body) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	case <-b.closed:
		return http.ErrBodyReadAfterClose
	}
}

// hang waits for the end of the request and returns its cause.
func (b *body) hang() error {
	select {
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	case <-b.closed:
		return http.ErrBodyReadAfterClose
	}
}
