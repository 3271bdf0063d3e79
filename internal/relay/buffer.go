package relay

import (
	"errors"
	"io"
	"sync"
)

const (
	// slowBuffer is how much of a stream is read at once as long as it comes
	// token by token, in chunks of a few hundred bytes. The buffer is held for
	// the stream's life.
	slowBuffer = 1 << 10
	// streamBuffer is how much is read at once of a stream that has filled
	// the smaller buffer. A transport reads no more at once either.
	streamBuffer = 4 << 10
	// maxEvent is the largest event of a stream.
	maxEvent = 16 << 20
	// maxHeld is how much of an event that is not whole yet is kept back from
	// the client.
	maxHeld = 64 << 10
	// maxAhead is how much of a stream is kept before the first meaningful
	// event; pings and preludes are far smaller.
	maxAhead = 256 << 10
	// maxWhole is how much of an unstreamed answer is kept before it is sent.
	maxWhole = 16 << 20
	// maxError is how much of an error body is read and passed on.
	maxError = 256 << 10
	// keep is the largest buffer that is kept for another call.
	keep = 1 << 20
)

var (
	streams = sync.Pool{New: func() any { b := make([]byte, 0, slowBuffer); return &b }}
	// wholes holds buffers for whole answers; they grow with what they carried.
	wholes = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}
	// pieces holds buffers for answers that are carried unread.
	pieces = sync.Pool{New: func() any { b := make([]byte, 0, 32<<10); return &b }}
)

func putWhole(b *[]byte) {
	if cap(*b) <= keep {
		*b = (*b)[:0]
		wholes.Put(b)
	}
}

// errMore says that read stopped at its limit.
var errMore = errors.New("there is more")

// read appends r to dst until its end (nil), an error, or limit bytes
// (errMore). hint is the expected length, or negative; memory is taken as bytes
// come, not as they are promised.
func (a *answer) read(dst []byte, r io.Reader, hint int64, limit int) ([]byte, error) {
	for {
		if len(dst) >= limit {
			return dst, errMore
		}
		if len(dst) == cap(dst) {
			size := max(2*cap(dst), 512)
			if hint >= int64(len(dst)) && hint < int64(4*size) {
				size = int(hint) + 1 // one more byte lets the reader say EOF without growing
			}
			dst = append(make([]byte, 0, size), dst...)
		}
		n, err := r.Read(dst[len(dst):min(cap(dst), limit)])
		a.watch.heard()
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}
