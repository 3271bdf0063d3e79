package ingress

import (
	"errors"
	"io"
	"sync/atomic"
)

// A frame is a client's.
type frame struct {
	text []byte
	held int64 // bytes that it holds of what all may
}

// frames counts the memory of the frames of all sockets.
type frames struct{ held atomic.Int64 }

var errFull = errors.New("the WebSockets of this server hold as much as they may; try again shortly")

// firstFrame is the memory with which a frame begins, in bytes. It doubles as
// long as more comes, so that memory is taken as bytes come.
const firstFrame = 4 << 10

// take reads a frame. The error is errFull if all hold too much.
func (s *frames) take(in io.Reader) (f frame, err error) {
	for {
		if len(f.text) == cap(f.text) {
			more := int64(max(firstFrame, cap(f.text)))
			f.held += more
			if s.held.Add(more) > maxFrames {
				s.give(f)
				return frame{}, errFull
			}
			f.text = append(make([]byte, 0, f.held), f.text...)
		}
		n, err := in.Read(f.text[len(f.text):cap(f.text)])
		f.text = f.text[:len(f.text)+n]
		switch {
		case errors.Is(err, io.EOF):
			return f, nil
		case err != nil:
			s.give(f)
			return frame{}, err
		}
	}
}

// give gives the memory of f back.
func (s *frames) give(f frame) { s.held.Add(-f.held) }

// drop gives back the frame that waits for a turn that will not come. Nobody
// reads the socket any more.
func (k *socket) drop() {
	select {
	case f := <-k.wait:
		k.s.frames.give(f)
	default:
	}
}
