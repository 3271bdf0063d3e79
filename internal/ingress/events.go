package ingress

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"portico/internal/jsonedit"
	"portico/internal/responses"
	"portico/internal/sse"
)

const eventStream = "text/event-stream"

// events is a response writer whose answer goes out as frames of a WebSocket:
// the data of each event is one. What is no stream, such as a refusal, is made
// a frame when it is whole.
type events struct {
	k      *socket
	header http.Header
	lane   []byte                         // goes into every frame, nil: nothing does
	keep   func(id string, output []byte) // told the answer; nil: nobody wants it

	status int
	stream bool
	buf    []byte // what is no whole event yet, or all of what is no stream
	cut    sse.Cutter
	until  time.Time
	answer responses.Watcher
	err    error // why nothing more can be written
}

var errOver = errors.New("the answer is larger than a WebSocket carries here")

// maxEvent bounds one event, and an answer that is no stream, in bytes.
const maxEvent = 64 << 20

// Header implements http.ResponseWriter.
func (w *events) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *events) WriteHeader(status int) {
	w.status, w.stream = status, mediaType(w.header) == eventStream
}

// SetWriteDeadline is for http.ResponseController.
func (w *events) SetWriteDeadline(t time.Time) error {
	w.until = t
	return nil
}

// FlushError is for http.ResponseController: nothing that is whole waits.
func (w *events) FlushError() error { return w.err }

// Write implements http.ResponseWriter.
func (w *events) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	rest := p
	if len(w.buf) > 0 || !w.stream {
		w.buf = append(w.buf, p...)
		rest = w.buf
	}
	for w.stream && w.err == nil {
		n := w.cut.Cut(rest)
		if n == 0 {
			break
		}
		w.event(sse.Parse(rest[:n]).Data)
		rest = rest[n:]
	}
	if w.err == nil && len(rest) > maxEvent {
		w.err = errOver
	}
	if w.err != nil {
		return 0, w.err
	}
	if w.stream {
		w.buf = append(w.buf[:0], rest...)
	}
	return len(p), nil
}

// event sends the data of one event. Comments have none, and marks such as
// [DONE] are no part of the protocol.
func (w *events) event(data []byte) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' {
		return
	}
	if w.keep != nil {
		if id, _, output, ok := w.answer.Event(data); ok {
			w.keep(id, output)
			w.keep = nil
		}
	}
	w.send(data)
}

// send sends a frame, which is a JSON object.
func (w *events) send(frame []byte) {
	if w.lane != nil {
		n := len(frame) - 1
		frame = append(append(append(frame[:n:n], `,"stream_id":`...), w.lane...), '}')
	}
	if w.err == nil {
		w.err = w.k.send(w.until, frame)
	}
}

// finish sends what is no stream.
func (w *events) finish() {
	if w.stream || w.status == 0 || w.err != nil {
		return
	}
	body := bytes.TrimSpace(w.buf)
	if w.status < http.StatusBadRequest && len(body) > 0 && body[0] == '{' { // an upstream that does not stream
		for _, kind := range []string{"response.created", "response.completed"} {
			frame := append(append([]byte(`{"type":"`), kind...), `","response":`...)
			w.event(append(append(frame, body...), '}'))
		}
		return
	}
	w.send(errorFrame(w.status, w.header, body))
}

// repeated are the headers of a refusal that its frame repeats.
var repeated = [...]string{"Retry-After", "Retry-After-Ms", "X-Should-Retry", idHeader}

// errorFrame is a refusal as a frame; body is what it would be by POST.
func errorFrame(status int, h http.Header, body []byte) []byte {
	dst := strconv.AppendInt([]byte(`{"type":"error","status":`), int64(status), 10)
	dst = append(dst, `,"error":`...)
	if e := jsonedit.Get(body, "error"); len(e) > 0 && e[0] == '{' {
		dst = append(dst, e...)
	} else {
		dst = append(jsonedit.Quote(append(dst, `{"type":"server_error","code":null,"param":null,"message":`...), http.StatusText(status)), '}')
	}
	dst = append(dst, `,"headers":{`...)
	first := true
	for _, name := range repeated {
		if v := h[name]; len(v) == 1 {
			if !first {
				dst = append(dst, ',')
			}
			dst = jsonedit.Quote(dst, strings.ToLower(name))
			dst = jsonedit.Quote(append(dst, ':'), v[0])
			first = false
		}
	}
	return append(dst, "}}"...)
}

// fail sends an error that is about no request.
func (k *socket) fail(status int, code, message string) {
	body := jsonedit.Quote([]byte(`{"error":{"type":"invalid_request_error","param":null,"code":`), code)
	body = append(jsonedit.Quote(append(body, `,"message":`...), message), "}}"...)
	_ = k.send(time.Time{}, errorFrame(status, nil, body))
}

// send writes a frame. until is the moment at which the client is given up.
func (k *socket) send(until time.Time, frame []byte) error {
	if until.IsZero() {
		until = time.Now().Add(writeWithin)
	}
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	return k.conn.Write(ctx, websocket.MessageText, frame)
}
