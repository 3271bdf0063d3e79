package ingress

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
)

// A coding is how a body is compressed.
type coding uint8

const (
	identity coding = iota
	gzipped
	deflated
)

const (
	// maxDecoded is how large a compressed body may become. A body that was
	// sent plainly may be larger, since its sender paid for it (SEC-43).
	maxDecoded = 64 << 20
	// once is how much of a compressed body is decoded before it is known
	// how much there is.
	once = 1<<20 - 1
)

// codingOf reads Content-Encoding. Codings in a row are not taken: no client
// sends them, and they multiply.
func codingOf(values []string) (coding, bool) {
	if len(values) == 0 {
		return identity, true
	}
	switch strings.ToLower(strings.TrimSpace(strings.Join(values, ","))) {
	case "", "identity":
		return identity, true
	case "gzip", "x-gzip":
		return gzipped, true
	case "deflate":
		return deflated, true
	}
	return identity, false
}

func (c coding) reader(b []byte) (io.Reader, error) {
	if c == gzipped {
		return gzip.NewReader(bytes.NewReader(b))
	}
	// Deflate means zlib, but some clients send the bare format.
	if r, err := zlib.NewReader(bytes.NewReader(b)); err == nil {
		return r, nil
	}
	return flate.NewReader(bytes.NewReader(b)), nil
}

// decode returns what b decodes to, at most limit bytes. What is large is
// decoded twice, so that no more memory is taken than the result needs, and
// none for a result that is over the limit.
func decode(b []byte, c coding, limit int64) (*[]byte, error) {
	r, err := c.reader(b)
	if err != nil {
		return nil, unreadable(err)
	}
	buf, err := readBody(r, -1, min(once, limit), nil)
	if err == nil {
		return buf, nil
	}
	first := int64(len(*buf))
	putBuffer(buf)
	if !errors.Is(err, errOverLimit) {
		return nil, unreadable(err)
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(r, limit+1-first))
	switch size := first + rest; {
	case err != nil:
		return nil, unreadable(err)
	case size > limit:
		return nil, errOverLimit
	default:
		if r, err = c.reader(b); err != nil {
			return nil, unreadable(err)
		}
		buf := newBuffer(int(size))
		*buf = (*buf)[:size]
		if _, err := io.ReadFull(r, *buf); err != nil {
			return buf, unreadable(err)
		}
		return buf, nil
	}
}

var errCoding = errors.New("it is not compressed as Content-Encoding says")

func unreadable(err error) error { return errors.Join(errCoding, err) }
