package simulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"portico/internal/protocol"
)

// Header is the request header that plays a fault; the package comment lists
// its words. It means nothing to any other provider.
const Header = "X-Portico-Simulate"

// maxRequest is the largest request body in bytes.
const maxRequest = 256 << 20

// An inquiry is one request to the simulator.
type inquiry struct {
	ctx    context.Context
	method string
	path   string // below the protocol's base
	query  string
	header http.Header
	body   []byte // used again once the answer is planned
}

// An answer is what an inquiry gets if nothing goes wrong.
type answer struct {
	mime    string
	whole   []byte                  // the body, or
	stream  *stream                 // what makes it
	broken  func(x *failure) []byte // how a whole answer tells in a 200 that it failed; nil: as an error body
	mishaps []mishap                // that the text of the request asks for
}

// whole is an answer in JSON.
func whole(body []byte) *answer { return &answer{mime: "application/json", whole: body} }

// A dialect is one protocol as the simulator speaks it.
type dialect struct {
	answer   func(s *Simulator, q *inquiry) (*answer, error)
	failure  func(x *failure, id string) []byte
	overload int    // the status of an overload
	idHeader string // of an answer, for the id of the request, or ""
	waits    bool   // a wait is told in a header
}

var dialects = map[string]*dialect{
	protocol.OpenAIChat:      {answer: (*Simulator).openAIChat, failure: openAIFailure, overload: 503, idHeader: "X-Request-Id", waits: true},
	protocol.OpenAIResponses: {answer: (*Simulator).openAIResponses, failure: openAIFailure, overload: 503, idHeader: "X-Request-Id", waits: true},
	protocol.Anthropic:       {answer: (*Simulator).anthropic, failure: anthropicFailure, overload: 529, idHeader: "Request-Id", waits: true},
	protocol.Gemini:          {answer: (*Simulator).gemini, failure: geminiFailure, overload: 503},
}

// Transport implements provider.Transporter. It answers the requests that
// Address has addressed. It starts no goroutine: a body is made while it is
// read, waits end with the request's context or with the body's Close, and a
// body that is left alone holds nothing but memory.
func (s *Simulator) Transport() http.RoundTripper { return transport{s} }

type transport struct{ *Simulator }

// RoundTrip implements http.RoundTripper. Its errors are the cause of the
// context's end, a request body that cannot be read, and a URL that Address
// did not make.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	name, path, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	d := dialects[name]
	buf := bodies.Get().(*bytes.Buffer)
	defer release(buf)
	err := drain(buf, req.Body)
	ctx := req.Context()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("simulator: reading the request: %w", err)
	case d == nil:
		return nil, fmt.Errorf("simulator: %s is no address of the simulator", req.URL.Redacted())
	}
	q := &inquiry{ctx: ctx, method: req.Method, path: "/" + path, query: req.URL.RawQuery, header: req.Header, body: buf.Bytes()}
	r := &reply{dialect: d, id: t.id("req_"), status: http.StatusOK}
	m, err := t.consider(r, q)
	if err != nil {
		r.refused(err)
	}
	return r.play(req, m)
}

// consider plans the answer to q and picks the fault to play, which is nil for
// none. What stands in the header comes before what stands in the text.
func (t transport) consider(r *reply, q *inquiry) (*mishap, error) {
	ms, err := parseMishaps(strings.Join(q.header[Header], ";"))
	if err != nil {
		return nil, err
	}
	if len(q.body) > maxRequest {
		err = &failure{status: http.StatusRequestEntityTooLarge, message: fmt.Sprintf("the request has more than %d bytes", maxRequest)}
	} else {
		r.answer, err = r.dialect.answer(t.Simulator, q)
	}
	if r.answer != nil {
		ms = append(ms, r.mishaps...)
	}
	return t.tally.pick(ms, q.header.Get(accountHeader)), err
}

// bodies keeps buffers for request bodies of up to maxPooled bytes.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxPooled = 4 << 20

func release(buf *bytes.Buffer) {
	if buf.Cap() <= maxPooled {
		buf.Reset()
		bodies.Put(buf)
	}
}

// drain reads body into buf, as far as it may go, and closes it.
func drain(buf *bytes.Buffer, body io.ReadCloser) error {
	if body == nil {
		return nil
	}
	_, err := buf.ReadFrom(io.LimitReader(body, maxRequest+1))
	return errors.Join(err, body.Close())
}
