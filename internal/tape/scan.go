package tape

import (
	"encoding/binary"
	"io"
)

// window is how much of a file is read at once. Bodies that are longer are
// skipped unread.
const window = 64 << 10

// scan calls each for the records of a file of size bytes and returns where
// the last sound one ends; 0 if the file is no tape's.
func scan(f io.ReaderAt, number uint64, size int64, each func(Place, []byte)) (end int64) {
	w := windowed{f: f}
	if b, ok := w.read(0, len(magic)); !ok || string(b) != magic {
		return 0
	}
	at := int64(len(magic))
	for at+frame <= size {
		b, ok := w.read(at, frame)
		if !ok {
			break
		}
		var lengths [8]byte
		copy(lengths[:], b)
		head, body := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		check := binary.LittleEndian.Uint32(b[8:])
		next := at + frame + int64(head) + int64(body)
		if head > MaxRecord || body > MaxRecord || next > size {
			break
		}
		h, ok := w.read(at+frame, int(head))
		if !ok || sum(lengths[:], h) != check {
			break
		}
		each(Place{File: number, at: at, head: head, body: body}, h)
		at = next
	}
	return at
}

// windowed reads a file in pieces that are larger than what is asked for.
type windowed struct {
	f    io.ReaderAt
	buf  []byte
	from int64
}

// read returns n bytes at an offset, valid until the next call.
func (w *windowed) read(at int64, n int) ([]byte, bool) {
	if at < w.from || at+int64(n) > w.from+int64(len(w.buf)) {
		if want := max(n, window); cap(w.buf) < want {
			w.buf = make([]byte, want)
		}
		w.buf = w.buf[:cap(w.buf)]
		got, err := w.f.ReadAt(w.buf, at)
		if err != nil && got < n {
			w.buf = w.buf[:0]
			return nil, false
		}
		w.buf, w.from = w.buf[:got], at
	}
	i := at - w.from
	return w.buf[i : i+int64(n)], true
}
