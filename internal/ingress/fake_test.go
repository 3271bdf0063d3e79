package ingress

import (
	"bufio"
	"context"
	"encoding/json/v2"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"portico/internal/access"
	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/relay"
	"portico/internal/secret"
)

const (
	dataKey  = "sk-pq7Zt0aM3xYvK9bR2cWn5dLe8fHg1jUs"
	adminKey = "ad-Xo4iTq6yBw1zNm8vCk3pJr5hGf7dSa9l"
	port     = 8045
	ownHost  = "127.0.0.1:8045"
)

// A fakeCodec speaks a dialect that names itself, so that a test sees whose
// words an answer is in.
type fakeCodec struct {
	protocol.Codec
	name string
}

func (c fakeCodec) Name() string { return c.name }

func (c fakeCodec) Peek(body []byte) (p protocol.Peek, err error) {
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return protocol.Peek{}, err
		}
		switch string(m.Name) {
		case "model":
			p.Model, _ = jsonedit.Unquote(m.Value)
		case "stream":
			p.Stream = string(m.Value) == "true"
		case "session":
			p.Session, _ = jsonedit.Unquote(m.Value)
		case "begins":
			n, _ := jsonedit.Int(m.Value)
			p.Begins = uint64(n)
		}
	}
	return p, nil
}

var statuses = map[fault.Class]int{
	fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Method: 405, fault.TooLarge: 413,
	fault.Malformed: 400, fault.Unsupported: 400, fault.Busy: 503, fault.RateLimited: 429,
}

type told struct{ Dialect, Class, Code, Msg, ID string }

func (c fakeCodec) EncodeError(f *fault.Fault, id string) (int, []byte) {
	b, err := json.Marshal(told{c.name, f.Class.String(), f.Code, f.Msg, id})
	if err != nil {
		panic(err)
	}
	return statuses[f.Class], b
}

func (c fakeCodec) DecodeModels([]byte) ([]protocol.Model, string, error) { panic("not used") }

func (c fakeCodec) EncodeModels(ms []protocol.Model, p protocol.Page) []byte {
	s := c.name + fmt.Sprintf(" %+v", p)
	for _, m := range ms {
		s += " " + m.ID
	}
	return []byte(s)
}

func (c fakeCodec) EncodeModel(m protocol.Model) []byte { return []byte(c.name + " model " + m.ID) }

func fakeCodecs() map[string]Codec {
	m := map[string]Codec{}
	for _, n := range dialectNames {
		m[n] = fakeCodec{name: n}
	}
	return m
}

// A fakeRelay keeps copies of the calls it was given.
type fakeRelay struct {
	calls   []relay.Call
	refused atomic.Int64
	do      func(context.Context, http.ResponseWriter, *relay.Call) // nil: answer 200
}

func (f *fakeRelay) Do(ctx context.Context, w http.ResponseWriter, c *relay.Call) {
	if f.do != nil {
		f.do(ctx, w, c)
		return
	}
	kept := *c
	kept.Body = slices.Clone(c.Body)
	kept.Header = maps.Clone(c.Header)
	f.calls = append(f.calls, kept)
	_, _ = io.WriteString(w, "served")
}

func (f *fakeRelay) Refuse(w http.ResponseWriter, c *relay.Call, x *fault.Fault) {
	f.refused.Add(1)
	status, body := c.Codec.EncodeError(x, c.ID)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

type fakeModels []string

func (f fakeModels) List(name string) []protocol.Model {
	var ms []protocol.Model
	for _, id := range f {
		ms = append(ms, protocol.Model{ID: id})
	}
	return ms
}

func (f fakeModels) Find(_, id string) (protocol.Model, bool) {
	return protocol.Model{ID: id}, slices.Contains(f, id)
}

// A house is a server with everything around it faked.
type house struct {
	*Server
	relay   *fakeRelay
	admin   int // requests that came through to the operator's handler
	blocked []string
	ready   bool
}

func settings(mode config.AuthMode) *Settings {
	return &Settings{
		Policy:  access.NewPolicy(&config.Config{AuthMode: mode, APIKey: secret.Of(dataKey), AdminToken: secret.Of(adminKey)}),
		Port:    port,
		Hosts:   []string{"portico.test"},
		Origins: []string{"http://localhost:3000", "app://listed"},
		Body:    1 << 20,
		Relay:   &relay.Settings{Attempts: 4},
	}
}

func newHouse(x *Settings) *house {
	h := &house{relay: &fakeRelay{}, ready: true}
	var ids atomic.Int64
	h.Server = New(Options{
		Relay: h.relay, Codecs: fakeCodecs(), Gate: &access.Gate{}, Models: fakeModels{"a/b", "gpt-x", "simulator"},
		Admin: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.admin++
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, "admin")
		}),
		Ready:   func() bool { return h.ready },
		NewID:   func() string { return fmt.Sprintf("req_%d", ids.Add(1)) },
		Blocked: func(kind, what string) { h.blocked = append(h.blocked, kind+" "+what) },
	})
	if x != nil {
		h.Set(x)
	}
	return h
}

// request makes a request as it comes in on a loopback connection.
func request(method, target, body string, hs ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.Host, r.RemoteAddr = ownHost, "127.0.0.1:50000"
	for i := 0; i < len(hs); i += 2 {
		if hs[i] == "Host" {
			r.Host = hs[i+1]
			continue
		}
		r.Header.Add(hs[i], hs[i+1])
	}
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}))
}

// ask serves one request.
func (h *house) ask(method, target, body string, hs ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(method, target, body, hs...))
	return w
}

// last is the call that the relay was given last; it is an error if there is
// none.
func (h *house) last(t *testing.T) relay.Call {
	t.Helper()
	if len(h.relay.calls) == 0 {
		t.Fatal("the relay was not called")
	}
	return h.relay.calls[len(h.relay.calls)-1]
}

func toldBy(t *testing.T, w *httptest.ResponseRecorder) (x told) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &x); err != nil {
		t.Fatalf("%d %q is no error of a dialect: %v", w.Code, w.Body, err)
	}
	return x
}

// listen serves h over TCP with the limits of HTTPServer. Port is what the
// settings of h say, whatever the listener's is.
func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := HTTPServer(h)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// raw sends text and reads one answer.
func raw(t *testing.T, addr, text string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return resp, string(body)
}
