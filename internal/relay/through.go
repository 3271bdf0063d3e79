package relay

import (
	"context"
	"errors"
	"io"
	"net/http"

	"portico/internal/fault"
)

// through carries an answer that is not looked into: files, sound, images, and
// what is compressed or too large to be held. head is what was read of it
// already, nil for nothing. Until the first piece is there another account may
// still serve.
func (a *answer) through(ctx context.Context, resp *http.Response, head []byte) *fault.Fault {
	p := pieces.Get().(*[]byte)
	defer pieces.Put(p)
	buf := (*p)[:cap(*p)]
	piece, err := head, error(nil)
	if head == nil {
		var n int
		n, err = a.readPiece(resp.Body, buf)
		piece = buf[:n]
		if err != nil && !errors.Is(err, io.EOF) {
			return a.cut(ctx, err, fault.Answered)
		}
	}
	a.arrived()
	if a.committed() { // by a heartbeat for another account, that draws in a conversation
		return a.broken(fault.Answered, "the stream of pictures has begun, and this is another answer")
	}
	h := a.line.w.Header()
	a.returning(h, resp.Header)
	a.announce(h)
	if v := resp.Header["Content-Length"]; len(v) == 1 && resp.ContentLength >= 0 {
		h["Content-Length"] = v
	}
	a.live, a.fresh = true, false
	flush := mediaType(resp.Header) == eventStream
	a.commit(resp.StatusCode)
	for {
		if len(piece) > 0 {
			if resp.ContentLength >= 0 && a.line.out+int64(len(piece)) >= resp.ContentLength {
				a.record(len(piece), false) // the last one
			}
			// A piece that does not fill the buffer was all there was.
			if e := a.write(piece, false, flush || len(piece) < len(buf)); e != nil {
				return closed(e)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return a.cut(ctx, err, fault.Streaming)
		}
		var n int
		n, err = a.readPiece(resp.Body, buf)
		piece = buf[:n]
	}
}

// readPiece reads at least one byte or an error.
func (a *answer) readPiece(r io.Reader, buf []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = r.Read(buf)
		a.watch.heard()
	}
	return n, err
}
