package relay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// inOne is the largest body that goes out in one write with the head before
// it: a transport's buffer takes no more.
const inOne = 2 << 10

// load puts body into out. What it returns is taken away when the attempt is
// over, nil if there is nothing to take.
//
// A transport may still read a body after its round trip has ended, when the
// body's memory is used for something else already, unless it is lasting. A
// small one is copied therefore, into a reader that net/http knows: only then
// does it not send the head by itself first. A large one is guarded.
func load(out *http.Request, body []byte, lasting bool) *payload {
	out.ContentLength = int64(len(body))
	switch {
	case len(body) == 0:
		return nil
	case lasting:
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		out.Body = io.NopCloser(bytes.NewReader(body))
		return nil
	case len(body) <= inOne:
		return load(out, bytes.Clone(body), true)
	}
	p := &payload{b: body}
	out.Body, out.GetBody = &reader{p: p}, p.again
	return p
}

// A payload is a large body on its way out, until it is taken away.
type payload struct {
	mu sync.Mutex
	b  []byte
}

var errTaken = errors.New("the attempt is over")

func (p *payload) again() (io.ReadCloser, error) { return &reader{p: p}, nil }

func (p *payload) take() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.b = nil
}

// A reader reads a payload.
type reader struct {
	p  *payload
	at int
}

func (r *reader) Read(dst []byte) (int, error) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	switch {
	case r.p.b == nil:
		return 0, errTaken
	case r.at == len(r.p.b):
		return 0, io.EOF
	}
	n := copy(dst, r.p.b[r.at:])
	r.at += n
	return n, nil
}

func (*reader) Close() error { return nil }
