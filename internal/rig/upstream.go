package rig

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Call is a request that reached an upstream.
type Call struct {
	At         time.Time
	Method     string
	Path       string
	Query      string
	Host       string
	Header     http.Header
	Body       []byte // at most maxKept bytes of it
	BodyLength int64
}

// An Upstream is a server on loopback that speaks all four protocols and
// answers as the prompt's script says.
type Upstream struct {
	URL string

	// Record keeps every call for Calls; it is on for attack tests.
	Record bool

	Served  atomic.Int64 // requests for an answer
	Open    atomic.Int64 // of them, those under way
	Sent    atomic.Int64 // bytes of answers that the kernel has taken
	own     atomic.Pointer[Reply]
	watch   atomic.Pointer[Watch]
	server  *http.Server
	mu      sync.Mutex
	calls   []Call
	resting map[net.Conn]bool
}

// A Reply answers a request in place of the script, if it returns true.
type Reply func(w http.ResponseWriter, r *http.Request, body []byte) bool

// Answer puts f in the place of the scripts, for requests that come from now
// on.
func (u *Upstream) Answer(f Reply) { u.own.Store(&f) }

// A Watch is told what becomes of requests; n is their script's. Either may be
// nil.
type Watch struct {
	Came func(n int64)               // a request is there
	Left func(n int64, at time.Time) // its client went away before its answer was whole
}

// Tell tells w from now on.
func (u *Upstream) Tell(w Watch) { u.watch.Store(&w) }

const maxKept, maxCalls = 1 << 20, 10_000

// NewUpstream starts one.
func NewUpstream() (*Upstream, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &Upstream{URL: "http://" + l.Addr().String(), resting: map[net.Conn]bool{}}
	u.server = &http.Server{Handler: u, ConnState: u.state}
	go func() { _ = u.server.Serve(l) }()
	return u, nil
}

// Close ends it, with what is under way.
func (u *Upstream) Close() { _ = u.server.Close() }

// Base is the base URL of an account of a protocol, as the vendor's SDK takes
// it.
func (u *Upstream) Base(protocol string) string {
	switch protocol {
	case Messages:
		return u.URL
	case Gemini:
		return u.URL + "/v1beta"
	}
	return u.URL + "/v1"
}

// Calls are the requests that came so far; those for lists of models, which
// the gateway makes by itself, are left out.
func (u *Upstream) Calls() []Call {
	u.mu.Lock()
	defer u.mu.Unlock()
	var out []Call
	for _, c := range u.calls {
		if c.Method == http.MethodGet && strings.HasSuffix(c.Path, "/models") {
			continue
		}
		out = append(out, c)
	}
	return out
}

// All are the requests that came so far.
func (u *Upstream) All() []Call {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]Call(nil), u.calls...)
}

// Reset forgets them.
func (u *Upstream) Reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls = nil
}

// ServeHTTP implements http.Handler.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if u.Record {
		u.mu.Lock()
		if len(u.calls) < maxCalls {
			u.calls = append(u.calls, Call{
				time.Now(), r.Method, r.URL.Path, r.URL.RawQuery, r.Host, r.Header.Clone(),
				bytes.Clone(body[:min(len(body), maxKept)]), int64(len(body)),
			})
		}
		u.mu.Unlock()
	}
	if own := u.own.Load(); own != nil && (*own)(w, r, body) {
		return
	}
	if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/models") {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, models(r.Header))
		return
	}
	protocol, model, stream := protocolOf(r.URL.Path)
	if protocol == "" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, refusal(Chat, http.StatusNotFound))
		return
	}
	if model == "" {
		model = "m"
		stream = bytes.Contains(body, []byte(`"stream":true`))
	}
	u.Served.Add(1)
	u.Open.Add(1)
	defer u.Open.Add(-1)
	s := ParseScript(string(body))
	if w := u.watch.Load(); w != nil && w.Came != nil {
		w.Came(s.N)
	}
	if s.Account != "" && !strings.Contains(credential(r), s.Account) {
		s.Fault = ""
	}
	v := &voice{u: u, w: w, r: r, rc: http.NewResponseController(w), protocol: protocol, s: s, stream: stream, say: speak(protocol, model, s)}
	v.answer()
}

func models(h http.Header) string {
	if h.Get("X-Goog-Api-Key") != "" {
		return `{"models":[{"name":"models/rig-1","supportedGenerationMethods":["generateContent"]}]}`
	}
	return `{"object":"list","data":[{"id":"rig-1","object":"model","type":"model","created":1,"owned_by":"rig"}],"has_more":false}`
}

func credential(r *http.Request) string {
	return r.Header.Get("Authorization") + r.Header.Get("X-Api-Key") + r.Header.Get("X-Goog-Api-Key")
}

// A voice answers one request.
type voice struct {
	u        *Upstream
	w        http.ResponseWriter
	r        *http.Request
	rc       *http.ResponseController
	protocol string
	s        Script
	stream   bool
	say      utterance
	gone     bool
}

func (v *voice) answer() {
	if !v.pause(v.s.Wait) {
		return
	}
	h := v.w.Header()
	if status, err := strconv.Atoi(v.s.Fault); err == nil {
		h.Set("Content-Type", "application/json")
		if status == http.StatusTooManyRequests || status >= 500 {
			h.Set("Retry-After", "1")
		}
		v.w.WriteHeader(status)
		_, _ = io.WriteString(v.w, refusal(v.protocol, status))
		return
	}
	switch v.s.Fault {
	case Early:
		v.reset()
		return
	case Page:
		h.Set("Content-Type", "text/html")
		_, _ = io.WriteString(v.w, "<!doctype html><title>502</title><h1>Bad gateway</h1>")
		return
	}
	h.Set("Content-Type", "application/json")
	if v.stream {
		h.Set("Content-Type", "text/event-stream")
	}
	switch v.s.Fault {
	case Empty:
		return
	case Garbage:
		b := make([]byte, 4096)
		_, _ = rand.Read(b)
		_, _ = v.w.Write(b)
		return
	case Head:
		_ = v.rc.Flush()
		v.reset()
		return
	case Long:
		h.Set("Content-Length", "1000000")
	}
	if v.stream {
		v.tell()
		return
	}
	whole := v.say.whole()
	switch v.s.Fault {
	case Middle, Unended, Long, Stall:
		v.put(whole[:len(whole)/2])
		v.finish()
		return
	case Error:
		whole = refusal(v.protocol, 500)
	}
	h.Set("Content-Length", strconv.Itoa(len(whole)))
	v.put(whole)
}

// tell sends the events of a stream.
func (v *voice) tell() {
	all := v.say.events()
	half, last := all/2, all-len(v.say.tail)
	for i := range all {
		e := v.say.event(i)
		if i > 1 && i < last && !v.pause(v.s.Pause) {
			return
		}
		switch {
		case v.s.Fault == Middle && i == half:
			v.put(e[:len(e)/2])
			v.finish()
			return
		case v.s.Fault == Unended && i == last, (v.s.Fault == Stall || v.s.Fault == Long) && i == half:
			v.finish()
			return
		case v.s.Fault == Error && i == half:
			v.put(streamError(v.protocol))
			return
		}
		if !v.put(e) {
			return
		}
	}
}

// finish ends an answer that is not whole, as its fault wants.
func (v *voice) finish() {
	switch v.s.Fault {
	case Stall:
		<-v.r.Context().Done()
		v.left()
	case Middle:
		v.reset()
	case Unended, Long:
		panic(http.ErrAbortHandler) // the connection is closed before the body's end
	}
}

func (v *voice) put(s string) bool {
	n, err := io.WriteString(v.w, s)
	v.u.Sent.Add(int64(n))
	if err == nil {
		err = v.rc.Flush()
	}
	if err != nil || v.r.Context().Err() != nil {
		v.left()
		return false
	}
	return true
}

func (v *voice) left() {
	if w := v.u.watch.Load(); !v.gone && w != nil && w.Left != nil {
		w.Left(v.s.N, time.Now())
	}
	v.gone = true
}

// pause waits, unless the client leaves.
func (v *voice) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-v.r.Context().Done():
		v.left()
		return false
	case <-t.C:
		return true
	}
}

// reset breaks the connection so that the other side gets an error at once,
// with what is on the way lost.
func (v *voice) reset() {
	c, _, err := v.rc.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// Wait waits until nothing is under way.
func (u *Upstream) Wait(ctx context.Context) error {
	for u.Open.Load() > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d requests are under way still", u.Open.Load())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// Idle closes the connections on which nothing is under way, those included
// that were made ahead and never used.
func (u *Upstream) Idle() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.resting {
		_ = c.Close()
	}
}

// state keeps account of the connections that rest.
func (u *Upstream) state(c net.Conn, s http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s == http.StateNew || s == http.StateIdle {
		u.resting[c] = true
	} else {
		delete(u.resting, c)
	}
}
