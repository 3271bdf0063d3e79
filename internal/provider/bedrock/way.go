package bedrock

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/internal/eventstream"
	"portico/internal/sigv4"
)

// A way is the way out of one account.
type way struct {
	next             http.RoundTripper
	signer           *sigv4.Signer // nil: the account has a Bedrock API key
	betas            map[string]bool
	runtime, control *url.URL // where models are asked, and where they are listed
}

// RoundTrip implements http.RoundTripper.
func (w *way) RoundTrip(req *http.Request) (*http.Response, error) {
	path := req.URL.EscapedPath()
	if req.Method == http.MethodGet && strings.HasSuffix(path, list) {
		return w.list(req)
	}
	body, err := bodyOf(req)
	if err != nil {
		return nil, err
	}
	f := formOf(path)
	if body, err = f.ask(w, req, body); err != nil {
		return nil, err
	}
	resp, err := w.send(req, req.URL, f.accept, body)
	if err != nil {
		return nil, err
	}
	return f.read(resp)
}

// send sends a request like req with another body, signed.
func (w *way) send(req *http.Request, to *url.URL, accept string, body []byte) (*http.Response, error) {
	out := req.WithContext(req.Context())
	out.URL, out.Host = to, to.Host
	out.Header = req.Header.Clone()
	delete(out.Header, "Anthropic-Version")
	delete(out.Header, "Anthropic-Beta")
	out.Header["Accept"] = []string{accept}
	out.ContentLength, out.Body, out.GetBody = int64(len(body)), nil, nil
	if len(body) > 0 {
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		out.Body, _ = out.GetBody()
	}
	if w.signer != nil {
		w.signer.Sign(out, body, time.Now())
	}
	return w.next.RoundTrip(out)
}

// bodyOf reads the whole body of req, which the way in has bounded.
func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer func() { _ = req.Body.Close() }()
	b := bytes.NewBuffer(make([]byte, 0, max(req.ContentLength, 0)+bytes.MinRead))
	if _, err := b.ReadFrom(req.Body); err != nil {
		return nil, fmt.Errorf("read the request's body: %w", err)
	}
	return b.Bytes(), nil
}

// maxAnswer bounds what is read of an answer that is written anew, in bytes.
const maxAnswer = 1 << 20

// rewrite replaces the body of resp by what f makes of it.
func rewrite(resp *http.Response, f func(body []byte) []byte) (*http.Response, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	body = f(body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header["Content-Length"] = []string{strconv.Itoa(len(body))}
	return resp, nil
}

// streams reports whether resp is a stream in AWS' framing.
func streams(resp *http.Response) bool {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), eventstream.MediaType)
}

// A framed answer is a stream in AWS' framing, read as server-sent events.
type framed struct {
	io.Closer
	in    *eventstream.Reader
	write func(dst []byte, m *eventstream.Message) ([]byte, error)
	out   []byte // what is to be read
	buf   []byte
	err   error
}

// reframe makes server-sent events of resp, as write makes them of messages.
func reframe(resp *http.Response, write func([]byte, *eventstream.Message) ([]byte, error)) {
	resp.Body = &framed{Closer: resp.Body, in: eventstream.NewReader(resp.Body), write: write}
	resp.Header["Content-Type"] = []string{"text/event-stream"}
	delete(resp.Header, "Content-Length")
	resp.ContentLength = -1
}

// Read implements io.Reader. It reads no further than it has to.
func (f *framed) Read(p []byte) (int, error) {
	for len(f.out) == 0 && f.err == nil {
		m, err := f.in.Next()
		if err == nil {
			f.buf, err = f.write(f.buf[:0], &m)
			f.out = f.buf
		}
		f.err = err
	}
	if len(f.out) > 0 {
		n := copy(p, f.out)
		f.out = f.out[n:]
		return n, nil
	}
	return 0, f.err
}

// appendEvent appends a server-sent event. A line end in data is white space of
// its JSON; a name with one is none.
func appendEvent(dst []byte, name string, data []byte) []byte {
	if strings.ContainsAny(name, "\r\n") {
		name = "unknown"
	}
	dst = append(append(append(dst, "event: "...), name...), "\ndata: "...)
	at := len(dst)
	dst = append(dst, data...)
	for i, c := range dst[at:] {
		if c == '\n' || c == '\r' {
			dst[at+i] = ' '
		}
	}
	return append(dst, "\n\n"...)
}
