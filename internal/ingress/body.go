package ingress

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"portico/internal/fault"
	"portico/internal/protocol"
)

const (
	// A body must come at paceBytes or more within every paceEvery, else the
	// server stops waiting for it (SEC-41).
	paceBytes = 1024
	paceEvery = 10 * time.Second
	// paceLazily bounds how often the time limit is moved on.
	paceLazily = time.Second
)

// A pace moves the time limit of reading on while enough comes in.
type pace struct {
	rc        *http.ResponseController
	got, mark int64
	since     time.Time
}

func newPace(w http.ResponseWriter) pace { return pace{rc: http.NewResponseController(w)} }

// took notes that n more bytes came.
func (p *pace) took(n int) {
	p.got += int64(n)
	if p.got-p.mark < paceBytes {
		return
	}
	if now := time.Now(); now.Sub(p.since) >= paceLazily {
		p.mark, p.since = p.got, now
		_ = p.rc.SetReadDeadline(now.Add(paceEvery))
	}
}

// A pacedBody is a body that somebody else reads.
type pacedBody struct {
	io.ReadCloser
	pace pace
}

func (b *pacedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		b.pace.took(n)
	}
	return n, err
}

// Buffers for bodies are kept in classes of 4 KiB, 16 KiB, … 4 MiB; larger
// ones are left to the collector.
const (
	smallest = 4 << 10
	classes  = 6
)

var buffers [classes]sync.Pool

// class is the smallest class that holds n bytes; classes if none does.
func class(n int) int { return min((bits.Len(uint(max(n-1, 0)>>12))+1)/2, classes) }

// newBuffer returns an empty buffer for n bytes.
func newBuffer(n int) *[]byte {
	c := class(n)
	if c == classes {
		b := make([]byte, 0, n)
		return &b
	}
	if b, ok := buffers[c].Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, smallest<<(2*c))
	return &b
}

func putBuffer(b *[]byte) {
	if b == nil {
		return
	}
	if c := class(cap(*b)); c < classes && cap(*b) == smallest<<(2*c) {
		*b = (*b)[:0]
		buffers[c].Put(b)
	}
}

var (
	errOverLimit = errors.New("the body is over its limit")
	errShort     = errors.New("the body ended too early")
)

// firstBuffer returns a buffer for the beginning of a body of size bytes, if
// that is known, and of most bytes if not. A small body has it for itself, so
// that it lasts for as long as somebody reads it.
func firstBuffer(size, most int64) *[]byte {
	if size >= 0 && size < smallest {
		b := make([]byte, 0, size)
		return &b
	}
	return newBuffer(int(min(most, smallest)))
}

// lasting reports whether b is nobody's after the request.
func lasting(b []byte) bool { return cap(b) < smallest }

// readBody reads src to its end into a buffer. size is its length, or negative
// if it is not known. Memory is taken in the measure in which bytes come, not
// in that in which they are promised: a buffer is at most 16 times what came.
func readBody(src io.Reader, size, limit int64, p *pace) (*[]byte, error) {
	if size > limit {
		return nil, errOverLimit
	}
	most := limit + 1 // one more byte tells whether there is more
	if size >= 0 {
		most = size
	}
	buf := firstBuffer(size, most)
	for {
		b := *buf
		if int64(len(b)) == most {
			if size < 0 {
				return buf, errOverLimit
			}
			return buf, nil
		}
		if len(b) == cap(b) {
			factor := int64(16)
			if len(b) >= 1<<20 && size < 0 {
				factor = 2
			}
			bigger := newBuffer(int(min(int64(len(b))*factor, most)))
			*bigger = append(*bigger, b...)
			putBuffer(buf)
			buf, b = bigger, *bigger
		}
		n, err := src.Read(b[len(b):min(int64(cap(b)), most)])
		*buf = b[:len(b)+n]
		switch {
		case err == io.EOF && int64(len(*buf)) < size:
			return buf, errShort
		case err == io.EOF && size < 0 && int64(len(*buf)) > limit:
			return buf, errOverLimit
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		}
		if p != nil {
			p.took(n)
		}
	}
}

// read reads the body into the call, decoded. The buffer, which may be nil,
// holds it and is to be put back afterwards. A status other than 0 stands in
// for the fault's own.
func (v *visit) read() (buf *[]byte, f *fault.Fault, status int) {
	r := v.r
	if r.ContentLength == 0 {
		return nil, nil, 0
	}
	codings := r.Header["Content-Encoding"]
	coding, ok := codingOf(codings)
	if !ok {
		v.w.Header()["Accept-Encoding"] = acceptEncoding
		return nil, fault.New(fault.Unsupported, "the content encoding %s is not read here; send gzip, deflate or none", printable(strings.Join(codings, ","))), http.StatusUnsupportedMediaType
	}
	p := newPace(v.w)
	buf, err := readBody(r.Body, r.ContentLength, v.st.Body, &p)
	if err != nil {
		return buf, bodyFault(err, v.st.Body), 0
	}
	if coding != identity {
		limit := min(v.st.Body, maxDecoded)
		decoded, err := decode(*buf, coding, limit)
		putBuffer(buf)
		if err != nil {
			return decoded, bodyFault(err, limit), 0
		}
		buf = decoded
		delete(r.Header, "Content-Encoding")
	}
	v.call.Body, v.call.Lasting = *buf, lasting(*buf)
	return buf, nil, 0
}

var acceptEncoding = []string{"gzip, deflate"}

func bodyFault(err error, limit int64) *fault.Fault {
	f := fault.New(fault.Malformed, "the body could not be read: %s", err)
	switch {
	case errors.Is(err, errOverLimit):
		f = fault.New(fault.TooLarge, "the body is larger than the %d bytes that this server takes (limits.body)", limit)
	case errors.Is(err, errCoding):
		f.Code = "invalid_encoding"
	case errors.Is(err, os.ErrDeadlineExceeded):
		f.Code, f.Msg = "body_too_slow", "the body came too slowly: less than 1 KiB in 10 s"
	case errors.Is(err, errShort), errors.Is(err, io.ErrUnexpectedEOF):
		f.Code, f.Msg = "body_cut", "the body ended before its announced length"
	}
	f.Err = err
	return f
}

// peek learns from the body what the call is about.
func (v *visit) peek() *fault.Fault {
	c := &v.call
	var p protocol.Peek
	media := mediaType(v.r.Header)
	switch {
	case c.Op != protocol.Other:
		if len(c.Body) == 0 {
			return &fault.Fault{Class: fault.Malformed, Code: "empty_body", Msg: "the request has no body; send a JSON object"}
		}
		var err error
		if p, err = c.Codec.Peek(c.Body); err != nil {
			return &fault.Fault{Class: fault.Malformed, Code: "invalid_json", Msg: err.Error(), Err: err}
		}
		if media != "application/json" {
			// Many a client leaves it out or sends a form's; the body was
			// read as JSON, and upstreams want to be told so.
			c.Header["Content-Type"] = jsonType
		}
	case len(c.Body) == 0:
	case media == "multipart/form-data":
		var err error
		if p, err = peekForm(v.r.Header.Get("Content-Type"), c.Body); err != nil {
			return &fault.Fault{Class: fault.Malformed, Code: "invalid_form", Msg: err.Error(), Err: err}
		}
	case media == "application/json":
		var err error
		if p, err = c.Codec.Peek(c.Body); err != nil {
			return &fault.Fault{Class: fault.Malformed, Code: "invalid_json", Msg: err.Error(), Err: err}
		}
	}
	if c.Model == "" {
		c.Model = p.Model
	}
	if len(c.Model) > maxModel || strings.ContainsFunc(c.Model, unicode.IsControl) {
		return &fault.Fault{
			Class: fault.Malformed, Code: "invalid_model", Param: "model",
			Msg: fmt.Sprintf("the model's name is longer than %d bytes or holds control characters", maxModel),
		}
	}
	c.Stream = c.Stream || p.Stream
	session := sessionOf(c.Header)
	if session == "" {
		session = p.Session
		if c.Op == protocol.Chat || c.Op == protocol.Count {
			c.Begins = p.Begins
		}
	}
	if session != "" && c.Key != "" {
		session = c.Key + "/" + session // two keys never share a conversation
	}
	c.Session = session
	return nil
}

// sessionHeaders name a conversation, the most exact first: Claude Code's,
// Codex's, opencode's (spec: clients §3). X-Client-Request-Id is none of them,
// since most clients make a new one for every request.
var sessionHeaders = [...]string{"X-Claude-Code-Session-Id", "Session-Id", "Session_id", "X-Session-Id", "X-Session-Affinity", "Thread-Id"}

// maxModel is the longest name of a model, in bytes. Names are kept with the
// health of accounts, so that a name without a bound would be memory without
// one. The longest known ones are ARNs of some 120 bytes.
const maxModel = 512

const maxSession = 256 // bytes of a session header; a longer one is no name

func sessionOf(h http.Header) string {
	for _, name := range sessionHeaders {
		if v := h[name]; len(v) > 0 && v[0] != "" && len(v[0]) <= maxSession {
			return v[0]
		}
	}
	return ""
}
