package ingress

import (
	"context"
	"sync"
)

// maxSockets is how many WebSockets may be open at one time. What they keep of
// their conversations is bounded for all together by socketMemory.
const maxSockets = 32

// sockets counts the WebSockets, of which net/http knows nothing any more.
type sockets struct {
	mu      sync.Mutex
	n       int
	closing chan struct{} // closed once no more are wanted
	empty   chan struct{} // closed once there are none left after that
}

func (s *sockets) init() { s.closing, s.empty = make(chan struct{}), make(chan struct{}) }

// enter takes a place, or reports that there is none.
func (s *sockets) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n >= maxSockets || s.closed() {
		return false
	}
	s.n++
	return true
}

func (s *sockets) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n--
	if s.n == 0 && s.closed() {
		close(s.empty)
	}
}

func (s *sockets) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// Drain closes the WebSockets that rest, lets the others end their turn, and
// waits for them until ctx ends. No more can be opened. It may be called again.
func (s *Server) Drain(ctx context.Context) error {
	k := &s.sockets
	k.mu.Lock()
	if !k.closed() {
		close(k.closing)
		if k.n == 0 {
			close(k.empty)
		}
	}
	k.mu.Unlock()
	select {
	case <-k.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
