package app

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/config"
	"portico/internal/pool"
)

// canned is an upstream in memory that gives one answer.
type canned struct {
	kind string
	body []byte
	size int // of each read of the body
}

func (c *canned) RoundTrip(out *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, out.Body)
	_ = out.Body.Close()
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {c.kind}}, ContentLength: -1, Request: out,
		Body: &pieces{c.body, c.size},
	}, nil
}

type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:min(p.size, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}

func (*pieces) Close() error { return nil }

// sink is a client that takes everything.
type sink struct {
	header http.Header
	status int
	body   int
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(n int)   { s.status = n }
func (s *sink) Write(p []byte) (int, error) {
	s.body += len(p)
	return len(p), nil
}
func (*sink) FlushError() error                { return nil }
func (*sink) SetReadDeadline(time.Time) error  { return nil }
func (*sink) SetWriteDeadline(time.Time) error { return nil }

// chatStream is a stream of n chunks.
func chatStream(n int) *canned {
	chunk := `data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"some words"},"finish_reason":null}]}` + "\n\n"
	end := `data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	return &canned{"text/event-stream", []byte(strings.Repeat(chunk, n) + end), len(chunk)}
}

// TestAllocations holds the whole way of a request, from the way in to the
// ledger and back, to a number of allocations. It is no measure of time, but
// what is not allocated need not be collected, and a number that grows says
// that work came to every request. A limit is a little over what was counted
// when it was set; whoever has to raise one says why.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes pools forget at random")
	}
	port := freePort(t)
	dir := folder(t, fmt.Sprintf("port: %d\n%sauth_mode: strict\nlog: {level: error}\n", port, keys))
	a, err := Open(config.Options{DataDir: dir}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	text := strings.Repeat("some words and ", 60)
	chat := `{"model":"gpt-x","messages":[{"role":"user","content":"` + text + `"}]`
	messages := `{"model":"gpt-x","max_tokens":100,"messages":[{"role":"user","content":"` + text + `"}]`
	whole := &canned{"application/json", []byte(`{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"` + text +
		`"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`), 1 << 20}
	large := strings.Replace(chat, text, strings.Repeat(text, 1000), 1)
	const few, many = 100, 300
	count := func(path, body string, upstream *canned) float64 {
		t.Helper()
		x, err := a.account(config.Account{Name: "a", Provider: "openai", Protocols: []string{"openai-chat"}, BaseURL: "https://vendor.invalid/v1"}, &config.Config{})
		if err != nil {
			t.Fatal(err)
		}
		x.Way = upstream
		a.pool.Set([]pool.Account{x})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil)
		r.Host, r.RemoteAddr, r.ContentLength = "127.0.0.1:"+strconv.Itoa(port), "127.0.0.1:50000", int64(len(body))
		r.Header = http.Header{
			"Authorization": {"Bearer sk-0123456789abcdefghijklmnopqrstuvwxyz"}, "Content-Type": {"application/json"}, "User-Agent": {"test/1"}, "Accept": {"*/*"},
		}
		src := bytes.NewReader(nil)
		r.Body = io.NopCloser(src)
		w := &sink{header: http.Header{}}
		n := testing.AllocsPerRun(200, func() {
			src.Reset([]byte(body))
			clear(w.header)
			w.body = 0
			a.Handler().ServeHTTP(w, r)
		})
		if w.status != 200 || w.body < 500 {
			t.Fatalf("%s: status %d, %d bytes", path, w.status, w.body)
		}
		return n
	}
	for _, c := range []struct {
		name       string
		path, body string
		most       float64
	}{
		{"small", "/v1/chat/completions", chat + "}", 30},
		{"large", "/v1/chat/completions", large + "}", 30},
		{"translated", "/v1/messages", messages + "}", 90},
	} {
		n := count(c.path, c.body, whole)
		t.Logf("%s: %v allocations", c.name, n)
		if n > c.most {
			t.Errorf("%s: %v allocations a request, want at most %v", c.name, n, c.most)
		}
	}
	for _, c := range []struct {
		name       string
		path, body string
		most       float64
	}{
		{"chunk", "/v1/chat/completions", chat + `,"stream":true}`, 0},
		{"translated chunk", "/v1/messages", messages + `,"stream":true}`, 2},
	} {
		n := (count(c.path, c.body, chatStream(many)) - count(c.path, c.body, chatStream(few))) / (many - few)
		t.Logf("%s: %v allocations", c.name, n)
		if n > c.most+0.05 {
			t.Errorf("%s: %v allocations each, want at most %v", c.name, n, c.most)
		}
	}
}
