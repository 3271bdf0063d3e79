// Package eventstream reads the binary event streams of Amazon Web Services
// (application/vnd.amazon.eventstream).
//
// A stream is a row of messages. Each has a prelude of three big-endian 32-bit
// words (the length of the whole, that of the headers, and a CRC-32 of the
// two), headers with a type, a payload, and a CRC-32 of all before it.
package eventstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// MediaType is what such a stream calls itself.
const MediaType = "application/vnd.amazon.eventstream"

const (
	prelude = 12 // bytes, with its checksum
	trailer = 4
	// MaxHeaders and MaxMessage bound a message, in bytes. AWS' own bounds are
	// 128 KiB of headers and 24 MiB in all.
	MaxHeaders = 128 << 10
	MaxMessage = 24 << 20
	// step is how much is read of a message before more memory is taken for
	// it: its length is believed only as far as bytes come.
	step = 64 << 10
)

// A Message is one message. Its slices are valid until the next is read.
type Message struct {
	Kind    string // :message-type: event, exception or error
	Name    string // :event-type, :exception-type or :error-code
	Text    string // :error-message
	Payload []byte
}

// ErrDamaged is that a stream is none, or that something changed it on the way.
var ErrDamaged = errors.New("the event stream is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// A Reader reads messages. It is used by one goroutine.
type Reader struct {
	r   io.Reader
	buf []byte
}

// NewReader returns a reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next reads the next message. At the end of the stream, between two messages,
// the error is io.EOF; within one it is io.ErrUnexpectedEOF.
func (r *Reader) Next() (m Message, err error) {
	if err := r.fill(0, prelude); err != nil {
		return m, err
	}
	total, headers := int64(binary.BigEndian.Uint32(r.buf)), int64(binary.BigEndian.Uint32(r.buf[4:]))
	switch {
	case crc32.ChecksumIEEE(r.buf[:8]) != binary.BigEndian.Uint32(r.buf[8:]):
		return m, damaged("the checksum of a message's length is wrong")
	case headers > MaxHeaders || total > MaxMessage:
		return m, damaged("a message of %d bytes, with %d of headers, is too large", total, headers)
	case total < prelude+headers+trailer:
		return m, damaged("a message of %d bytes holds no %d bytes of headers", total, headers)
	}
	if err := r.fill(prelude, int(total)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return m, err
	}
	end := total - trailer
	if crc32.ChecksumIEEE(r.buf[:end]) != binary.BigEndian.Uint32(r.buf[end:]) {
		return m, damaged("the checksum of a message is wrong")
	}
	m.Payload = r.buf[prelude+headers : end : end]
	return m, m.read(r.buf[prelude : prelude+headers])
}

// fill reads until the buffer, of which from bytes are there, holds n.
func (r *Reader) fill(from, n int) error {
	for r.buf = r.buf[:from]; from < n; {
		to := min(n, max(from+step, cap(r.buf)))
		if cap(r.buf) < to {
			r.buf = append(make([]byte, 0, min(n, 2*to)), r.buf...)
		}
		r.buf = r.buf[:to]
		k, err := io.ReadFull(r.r, r.buf[from:])
		if err != nil {
			if from += k; from > 0 && err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		from = to
	}
	return nil
}

// sizes are the sizes of the values of headers by their types, in bytes; those
// of bytes and strings are told before them.
var sizes = [...]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 6: -1, 7: -1, 8: 8, 9: 16}

const text = 7 // the type of strings

// read reads the headers b.
func (m *Message) read(b []byte) error {
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 || len(b) < 2+n {
			return damaged("a header has no name")
		}
		name, kind := b[1:1+n], int(b[1+n])
		b = b[2+n:]
		if kind >= len(sizes) {
			return damaged("a header is of the unknown type %d", kind)
		}
		size := sizes[kind]
		if size < 0 {
			if len(b) < 2 {
				return damaged("a header ends before its value")
			}
			size, b = int(binary.BigEndian.Uint16(b)), b[2:]
		}
		if len(b) < size {
			return damaged("a header ends before its value")
		}
		if kind == text {
			m.header(name, b[:size])
		}
		b = b[size:]
	}
	return nil
}

func (m *Message) header(name, value []byte) {
	switch string(name) {
	case ":message-type":
		m.Kind = word(value)
	case ":event-type", ":exception-type", ":error-code":
		m.Name = word(value)
	case ":error-message":
		m.Text = string(value)
	}
}

// words are values that nearly all messages have, which then cost no memory.
var words = [...]string{"event", "exception", "chunk", "contentBlockDelta", "contentBlockStart", "contentBlockStop", "messageStart", "messageStop", "metadata"}

func word(v []byte) string {
	for _, w := range words {
		if string(v) == w {
			return w
		}
	}
	return string(v)
}
