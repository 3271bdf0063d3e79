package relay

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/journal"
	"portico/internal/pool"
	"portico/internal/protocol"
)

// quick is an upstream in memory that costs as little as may be.
type quick struct {
	header http.Header
	body   []byte
	pieces int // the body is read in so many, 0: in one
}

func (q *quick) RoundTrip(out *http.Request) (*http.Response, error) {
	if out.Body != nil {
		_, _ = io.Copy(io.Discard, out.Body)
		_ = out.Body.Close()
	}
	r := &http.Response{StatusCode: 200, Header: q.header, ContentLength: -1, Request: out}
	size := len(q.body)
	if q.pieces > 0 {
		size = len(q.body) / q.pieces
	} else {
		r.ContentLength = int64(size)
	}
	r.Body = &quickBody{q.body, size}
	return r, nil
}

type quickBody struct {
	rest []byte
	size int
}

func (b *quickBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest[:min(b.size, len(b.rest))])
	b.rest = b.rest[n:]
	return n, nil
}

func (*quickBody) Close() error { return nil }

// sink is a client that costs as little as may be.
type sink struct{ h http.Header }

func (s *sink) Header() http.Header              { return s.h }
func (*sink) WriteHeader(int)                    {}
func (*sink) Write(p []byte) (int, error)        { return len(p), nil }
func (*sink) FlushError() error                  { return nil }
func (*sink) Flush()                             {}
func (*sink) SetWriteDeadline(_ time.Time) error { return nil }

type noLedger struct{}

func (noLedger) Record(*journal.Exchange) error { return nil }

func benchmark(b *testing.B, c func(*rig) *Call, q *quick, protocols ...string) {
	r := newRig(b, nil)
	a := r.account("a", 0, nil)
	a.Way = q
	if len(protocols) > 0 {
		a.Protocols = protocols
	}
	r.pool.Set([]pool.Account{a})
	r.relay.record = noLedger{}
	call := c(r)
	call.Header["Accept"] = []string{"application/json"}
	call.Header["X-Stainless-Lang"] = []string{"js"}
	call.Header["User-Agent"] = []string{"OpenAI/JS 7.57.0"}
	call.Header["Authorization"] = []string{"Bearer x"}
	s := &sink{}
	b.ReportAllocs()
	for b.Loop() {
		s.h = make(http.Header, 4)
		r.relay.Do(context.Background(), s, call)
	}
}

// benchmarkBare does the same with a bare reverse proxy.
func benchmarkBare(b *testing.B, c *Call, q *quick) {
	u, err := url.Parse("http://vendor.invalid")
	if err != nil {
		b.Fatal(err)
	}
	p := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }, FlushInterval: -1, Transport: q}
	in, err := http.NewRequestWithContext(context.Background(), c.Method, "http://127.0.0.1/v1"+c.Path, nil)
	if err != nil {
		b.Fatal(err)
	}
	in.Header = c.Header
	in.Header["Accept"] = []string{"application/json"}
	in.Header["X-Stainless-Lang"] = []string{"js"}
	in.Header["User-Agent"] = []string{"OpenAI/JS 7.57.0"}
	in.Header["Authorization"] = []string{"Bearer x"}
	in.RemoteAddr = "127.0.0.1:1"
	s := &sink{}
	b.ReportAllocs()
	for b.Loop() {
		in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(c.Body)), int64(len(c.Body))
		s.h = make(http.Header, 4)
		p.ServeHTTP(s, in)
	}
}

var smallReply = func() *quick {
	body := strings.Replace(dialects["openai-chat"].whole, `"hi"`, `"`+strings.Repeat("hello ", 150)+`"`, 1)
	return &quick{header: http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"req_1"}, "Date": {"Mon"}, "Content-Length": {strconv.Itoa(len(body))}}, body: []byte(body)}
}()

func smallCall(r *rig) *Call {
	c := r.call(dialects["openai-chat"], false)
	c.Body = []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("hello ", 150) + `"}]}`)
	return c
}

func megaCall(r *rig) *Call {
	c := r.call(dialects["openai-chat"], false)
	c.Body = []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("hello ", 170_000) + `"}]}`)
	return c
}

const benchChunks = 200

var chunkReply = func() *quick {
	d := dialects["openai-chat"]
	chunk := strings.Replace(d.middle[0], `"he"`, `"`+strings.Repeat("hello ", 30)+`"`, 1)
	return &quick{
		header: http.Header{"Content-Type": {eventStream}, "X-Request-Id": {"req_1"}, "Date": {"Mon"}},
		body:   []byte(strings.Repeat(chunk, benchChunks) + d.end[0] + d.end[2]), pieces: benchChunks,
	}
}()

func streamCall(r *rig) *Call { return r.call(dialects["openai-chat"], true) }

// foreignReply is what an upstream of another protocol answers.
var foreignReply = func() *quick {
	body := strings.Replace(dialects["anthropic"].whole, `"hi"`, `"`+strings.Repeat("hello ", 150)+`"`, 1)
	return &quick{header: smallReply.header, body: []byte(body)}
}()

func BenchmarkSmallTranslated(b *testing.B) {
	benchmark(b, smallCall, foreignReply, protocol.Anthropic)
}

func BenchmarkSmall(b *testing.B)      { benchmark(b, smallCall, smallReply) }
func BenchmarkSmallBare(b *testing.B)  { benchmarkBare(b, smallCall(newRig(b)), smallReply) }
func BenchmarkMega(b *testing.B)       { benchmark(b, megaCall, smallReply) }
func BenchmarkMegaBare(b *testing.B)   { benchmarkBare(b, megaCall(newRig(b)), smallReply) }
func BenchmarkStream(b *testing.B)     { benchmark(b, streamCall, chunkReply) } // of 200 chunks
func BenchmarkStreamBare(b *testing.B) { benchmarkBare(b, streamCall(newRig(b)), chunkReply) }

// withHedge is a small call under h.
func withHedge(h *Hedge) func(*rig) *Call {
	return func(r *rig) *Call {
		r.settings.Hedge = h
		return smallCall(r)
	}
}

func BenchmarkSmallHedged(b *testing.B) {
	benchmark(b, withHedge(&Hedge{After: time.Minute, Share: 1}), smallReply)
}

// TestAllocations: a call that may not be put to two accounts costs what it did
// before there was such a thing, and one that may costs a little more.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector drops what is pooled")
	}
	for _, tt := range []struct {
		name string
		h    *Hedge
		most float64
	}{
		{"off", nil, 22},
		{"not for calls like this", &Hedge{Share: 1, MaxInput: 1}, 22},
		{"on", &Hedge{After: time.Minute, Share: 1}, 48},
	} {
		r := newRig(t, nil)
		a := r.account("a", 0, nil)
		a.Way = smallReply
		r.pool.Set([]pool.Account{a})
		r.relay.record = noLedger{}
		call := withHedge(tt.h)(r)
		s := &sink{}
		got := testing.AllocsPerRun(500, func() {
			s.h = make(http.Header, 4)
			r.relay.Do(context.Background(), s, call)
		})
		if got > tt.most {
			t.Errorf("%s: %v allocations, want at most %v", tt.name, got, tt.most)
		}
	}
}
