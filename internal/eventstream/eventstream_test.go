package eventstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"portico/internal/eventstream/eventstreamtest"
)

func TestNext(t *testing.T) {
	var stream []byte
	stream = eventstreamtest.Event(stream, "chunk", `{"bytes":"e30="}`)
	stream = eventstreamtest.Append(stream, "")
	stream = eventstreamtest.Exception(stream, "throttlingException", "slow")
	stream = eventstreamtest.Append(stream, "", ":message-type", "error", ":error-code", "InternalError", ":error-message", "lost")
	stream = eventstreamtest.Event(stream, "metadata", strings.Repeat("x", 3*step))
	want := []Message{
		{Kind: "event", Name: "chunk", Payload: []byte(`{"bytes":"e30="}`)},
		{},
		{Kind: "exception", Name: "throttlingException", Payload: []byte(`{"message":"slow"}`)},
		{Kind: "error", Name: "InternalError", Text: "lost"},
		{Kind: "event", Name: "metadata", Payload: bytes.Repeat([]byte("x"), 3*step)},
	}
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream))} {
		in := NewReader(r)
		for i, w := range want {
			m, err := in.Next()
			if err != nil || m.Kind != w.Kind || m.Name != w.Name || m.Text != w.Text || !bytes.Equal(m.Payload, w.Payload) {
				t.Errorf("%s: message %d is %+.100v, %v; want %+.100v", name, i, m, err, w)
			}
		}
		if _, err := in.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: at the end: %v", name, err)
		}
	}
}

// TestHeaderTypes: headers of all types that AWS documents are read, and those
// that are no strings passed over.
func TestHeaderTypes(t *testing.T) {
	var h []byte
	add := func(name string, kind byte, value ...byte) {
		h = append(append(append(h, byte(len(name))), name...), kind)
		h = append(h, value...)
	}
	add("yes", 0)
	add("no", 1)
	add("byte", 2, 1)
	add("short", 3, 1, 2)
	add("int", 4, 1, 2, 3, 4)
	add("long", 5, 1, 2, 3, 4, 5, 6, 7, 8)
	add("bytes", 6, 0, 2, 'a', 'b')
	add("time", 8, 1, 2, 3, 4, 5, 6, 7, 8)
	add("uuid", 9, make([]byte, 16)...)
	add(":event-type", 7, 0, 5, 'c', 'h', 'u', 'n', 'k')
	m, err := NewReader(bytes.NewReader(message(h, "p"))).Next()
	if err != nil || m.Name != "chunk" || string(m.Payload) != "p" {
		t.Errorf("%+v, %v", m, err)
	}
}

// message is a message with headers that are given as they are.
func message(h []byte, payload string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(h)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(h)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, h...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// head is a prelude with a sound checksum.
func head(total, headers uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, total)
	b = binary.BigEndian.AppendUint32(b, headers)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func TestDamaged(t *testing.T) {
	sound := eventstreamtest.Event(nil, "chunk", `{"bytes":"e30="}`)
	for i := range sound {
		b := bytes.Clone(sound)
		b[i] ^= 4
		if _, err := NewReader(bytes.NewReader(b)).Next(); err == nil {
			t.Errorf("a change of byte %d was not seen", i)
		}
	}
	for n := 1; n < len(sound); n++ {
		if _, err := NewReader(bytes.NewReader(sound[:n])).Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
	for name, b := range map[string][]byte{
		"a page":                   []byte("<html><body>Bad gateway</body></html>"),
		"too large":                head(MaxMessage+1, 0),
		"too many headers":         head(MaxMessage, MaxHeaders+1),
		"shorter than its prelude": head(15, 0),
		"headers beyond its end":   head(20, 5),
		"a header without a name":  message([]byte{0, 7, 0, 0}, ""),
		"a header that is cut":     message([]byte{1, 'a'}, ""),
		"no length of a value":     message([]byte{1, 'a', 7, 0}, ""),
		"no value":                 message([]byte{1, 'a', 7, 0, 9, 'x'}, ""),
		"an unknown type":          message([]byte{1, 'a', 10}, ""),
	} {
		if _, err := NewReader(bytes.NewReader(b)).Next(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLengthIsNotBelieved: memory is taken as bytes come, not as a message says
// that it has.
func TestLengthIsNotBelieved(t *testing.T) {
	r := NewReader(bytes.NewReader(append(head(MaxMessage, 0), make([]byte, 10)...)))
	if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if cap(r.buf) > 4*step {
		t.Errorf("%d bytes were taken for a message of 22", cap(r.buf))
	}
}

// TestMemoryIsKept: a message costs no memory once the reader has some.
func TestMemoryIsKept(t *testing.T) {
	stream := bytes.Repeat(eventstreamtest.Event(nil, "contentBlockDelta", `{"delta":{"text":"hello"}}`), 200)
	r := NewReader(bytes.NewReader(stream))
	if n := testing.AllocsPerRun(100, func() {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("a message costs %v allocations", n)
	}
}

func FuzzNext(f *testing.F) {
	f.Add(eventstreamtest.Exception(eventstreamtest.Event(nil, "chunk", `{"bytes":"e30="}`), "throttlingException", "slow"))
	f.Add(head(MaxMessage, MaxHeaders))
	f.Add(message([]byte{1, 'a', 9}, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		for read := 0; ; {
			m, err := r.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrDamaged) {
					t.Errorf("an error of another kind: %v", err)
				}
				return
			}
			if read += 16 + len(m.Payload); read > len(b) {
				t.Fatalf("more was read than there is")
			}
		}
	})
}
