package relay

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"net/http"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/responses"
	"portico/internal/sse"
)

// later serves a call whose client does not wait for the answer and whose
// upstream has nothing like it: the call goes its way on a goroutine of its
// own, and its client is told the id by which it can ask for the answer (spec:
// upstreams §1B.1). The ledger has one exchange for both.
func (a *answer) later(in *responses.Turn) (f *fault.Fault, done bool) {
	client, ok := a.c.Codec.(protocol.Translator)
	if !ok || !in.Store || !a.r.kept.Keeps() {
		f = fault.New(fault.Unsupported, "a response that is made in the background has to be kept: store must not be false, nor responses.rows 0")
		f.Code, f.Param = "unsupported_parameter", "background"
		return f, false
	}
	first, err := queued(client, a.c)
	if err != nil {
		return refusalOf(err), false
	}
	c, t := *a.c, *a.c.turn
	own := t
	own.keep, own.conversation = false, "" // it is kept under the id that the client has
	c.turn, c.Stream, c.Lasting = &own, true, true
	if c.Body, err = jsonedit.Drop(c.Body, "background"); err == nil {
		c.Body, err = jsonedit.Set(c.Body, "stream", []byte("true"))
	}
	if err != nil {
		return refusalOf(err), false
	}
	id := jobID(&c)
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(a.ctx))
	r := a.r
	job := r.jobs.Begin(c.Key, id, first, cancel, func(object []byte) {
		t.store.Put(t.scope, id, responses.Response{Before: t.before, Input: t.input, Object: object})
	})
	if job == nil {
		cancel(nil)
		f = fault.New(fault.Busy, "%d responses are being made in the background, which is as many as may be, or the gateway stops", responses.MaxJobs)
		f.After = 10 * time.Second
		return f, false
	}
	t.keep, a.mute = true, true
	t.store.Put(t.scope, id, responses.Response{Before: t.before, Input: t.input, Object: first})
	go r.background(ctx, &c, job, &t)
	if in.Stream {
		return a.follow(job, 0), true
	}
	return a.say(first), true
}

// maxOutput bounds what of the output of one answer is gathered, in bytes, where
// its upstream does not repeat it at the end.
const maxOutput = 16 << 20

func jobID(c *Call) string { return "resp_" + c.ID }

// queued is the answer to c before anything is known of it.
func queued(client protocol.Translator, c *Call) ([]byte, error) {
	req, err := client.DecodeRequest(c.Body)
	if err != nil {
		return nil, err
	}
	keep := true
	req.Previous, req.Store = c.Previous, &keep
	w := client.NewEncoder(&protocol.Echo{ID: c.ID, Model: c.Model, Created: c.Start.Unix(), Request: req, Conversation: c.Conversation}).End(nil)
	var cut sse.Cutter
	object := jsonedit.Get(sse.Parse(w[:cut.Cut(w)]).Data, "response") // response.created
	for _, m := range [...][2]string{{"status", `"queued"`}, {"background", "true"}} {
		if object, err = jsonedit.Set(object, m[0], []byte(m[1])); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// background makes the answer to c for job.
func (r *Relay) background(ctx context.Context, c *Call, job *responses.Job, t *turn) {
	w := &clerk{job: job, turn: t, id: jobID(c), header: http.Header{}, watcher: responses.NewWatcher(maxOutput)}
	defer func() {
		// The relay breaks the connection to a client whose answer must not
		// be taken for whole. Here there is none.
		if p := recover(); p != nil {
			if err, _ := p.(error); !errors.Is(err, http.ErrAbortHandler) {
				r.log.Error("a response in the background crashed", "request_id", c.ID, "panic", p)
			}
		}
		job.Fail("server_error", "the response broke off before it was complete")
	}()
	r.Do(ctx, w, c)
	w.finish()
}

// Drain lets no more answers be made in the background, and waits for those
// under way until ctx ends. Then they end as failed.
func (r *Relay) Drain(ctx context.Context) {
	r.jobs.Drain(ctx, fault.New(fault.Busy, "the gateway was stopped before the response was complete"))
}

// A clerk is the response writer of an answer that is made in the background.
type clerk struct {
	job     *responses.Job
	turn    *turn
	id      string // by which the client knows the answer
	header  http.Header
	watcher responses.Watcher
	cut     sse.Cutter

	status int
	stream bool
	buf    []byte // what is no whole event yet, or all of what is no stream
}

// Header implements http.ResponseWriter.
func (w *clerk) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *clerk) WriteHeader(status int) {
	w.status, w.stream = status, mediaType(w.header) == eventStream
}

// FlushError is for the relay, which looks for it.
func (w *clerk) FlushError() error { return nil }

// Write implements http.ResponseWriter.
func (w *clerk) Write(p []byte) (int, error) {
	if len(w.buf)+len(p) > maxWhole {
		return 0, errMore
	}
	w.buf = append(w.buf, p...)
	rest := w.buf
	for w.stream {
		n := w.cut.Cut(rest)
		if n == 0 {
			break
		}
		w.event(bytes.TrimSpace(sse.Parse(rest[:n]).Data))
		rest = rest[n:]
	}
	if w.stream {
		w.buf = append(w.buf[:0], rest...)
	}
	return len(p), nil
}

// event takes the data of one event. The answer is kept before its client can
// learn that it is complete.
func (w *clerk) event(data []byte) {
	if len(data) == 0 || data[0] != '{' {
		return
	}
	if string(jsonedit.Get(data, "type")) == `"error"` {
		w.failed(data)
		return
	}
	if _, object, output, ok := w.watcher.Event(data); ok {
		w.turn.settle(w.id, w.job.Own(object), output)
	}
	w.job.Event(data)
}

// finish takes an answer that was no stream.
func (w *clerk) finish() {
	body := bytes.TrimSpace(w.buf)
	switch {
	case w.stream || len(body) == 0:
	case w.status >= http.StatusBadRequest:
		w.failed(body)
	case body[0] == '{':
		w.event(append(append([]byte(`{"type":"response.completed","response":`), body...), '}'))
	}
}

// failed takes an error in the client's dialect.
func (w *clerk) failed(body []byte) {
	if e := jsonedit.Get(body, "error"); len(e) > 0 && e[0] == '{' {
		body = e
	}
	var e struct{ Code, Type, Message string }
	_ = json.Unmarshal(body, &e, json.MatchCaseInsensitiveNames(true)) // what cannot be read is told as no more than a failure
	code, message := "server_error", e.Message
	if strings.HasPrefix(e.Code, "rate_limit") || w.status == http.StatusTooManyRequests {
		code = "rate_limit_exceeded"
	}
	if w.status >= 400 && w.status < 500 && w.status != http.StatusTooManyRequests {
		code = "invalid_prompt"
	}
	if message == "" {
		message = "the response failed"
	}
	w.job.Fail(code, message)
}
