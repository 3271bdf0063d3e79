package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/glob"
	"portico/internal/journal"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
	"portico/internal/provider"
	"portico/internal/route"
	"portico/internal/schedule"
	"portico/internal/secret"
)

// vendor is a provider for tests: its accounts speak what they list, for every
// operation in takes, or all if that is nil.
type vendor struct {
	takes  []protocol.Op
	rules  fault.Rules
	quirks provider.Quirks
}

func (*vendor) Name() string                    { return "vendor" }
func (*vendor) Prepare(*provider.Account) error { return nil }
func (v *vendor) Rules() fault.Rules            { return v.rules }

func (v *vendor) Quirks(*provider.Account) *provider.Quirks { return &v.quirks }

func (*vendor) Forwards() []string { return []string{"X-Portico-Simulate"} }

func (v *vendor) Speaks(a *provider.Account, op protocol.Op, _ string) []string {
	if v.takes != nil && !slices.Contains(v.takes, op) {
		return nil
	}
	return a.Protocols
}

func (*vendor) Address(out *http.Request, a *provider.Account, to provider.Target) error {
	out.URL = &url.URL{Scheme: "http", Host: "vendor.invalid", Path: to.Path, RawQuery: to.Query}
	key := a.Key
	if a.Tokens != nil {
		token, err := a.Tokens.Token(out.Context())
		if err != nil {
			return err
		}
		key = token
	}
	out.Header["Authorization"] = []string{"Bearer " + key.Reveal()}
	return nil
}

// An upstream is what stands behind an account.
type upstream func(out *http.Request, body []byte) (*http.Response, error)

// RoundTrip reads the request as a transport does, and honours its context.
func (u upstream) RoundTrip(out *http.Request) (*http.Response, error) {
	var body []byte
	if out.Body != nil {
		var err error
		if body, err = io.ReadAll(out.Body); err != nil {
			return nil, err
		}
		_ = out.Body.Close()
		if int64(len(body)) != out.ContentLength {
			return nil, errors.New("ContentLength is wrong")
		}
	}
	resp, err := u(out, body)
	if resp != nil {
		resp.Request = out
		if b, ok := resp.Body.(*scripted); ok {
			b.ctx = out.Context()
		}
	}
	return resp, err
}

// scripted is a body that comes in pieces, as a test has it.
type scripted struct {
	ctx    context.Context
	parts  []string
	pause  time.Duration // before each piece
	begun  bool          // a part of the first piece was read
	after  time.Duration // before the end
	err    error         // instead of io.EOF
	hang   bool          // instead of an end
	closed bool
	read   int // bytes
}

func (b *scripted) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if len(b.parts) > 0 {
		if !b.begun {
			if err := b.sleep(b.pause); err != nil {
				return 0, err
			}
		}
		n := copy(p, b.parts[0])
		b.read += n
		b.parts[0], b.begun = b.parts[0][n:], true
		if b.parts[0] == "" {
			b.parts, b.begun = b.parts[1:], false
		}
		return n, nil
	}
	if b.hang {
		<-b.ctx.Done()
		return 0, b.ctx.Err()
	}
	if err := b.sleep(b.after); err != nil {
		return 0, err
	}
	if b.err != nil {
		return 0, b.err
	}
	return 0, io.EOF
}

func (b *scripted) sleep(d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

func (b *scripted) Close() error { b.closed = true; return nil }

// replyWith answers whole.
func replyWith(status int, kind, body string) upstream {
	return func(*http.Request, []byte) (*http.Response, error) { return answerOf(status, kind, body), nil }
}

func answerOf(status int, kind string, parts ...string) *http.Response {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	h := http.Header{"Content-Type": {kind}}
	length := int64(-1)
	if kind != eventStream {
		length = int64(n)
		h["Content-Length"] = []string{strconv.Itoa(n)}
	}
	if n == 0 {
		parts = nil
	}
	return &http.Response{StatusCode: status, Header: h, ContentLength: length, Body: &scripted{parts: slices.Clone(parts)}}
}

// streaming makes a stream out of parts.
func streaming(parts ...string) upstream {
	return func(*http.Request, []byte) (*http.Response, error) { return answerOf(200, eventStream, parts...), nil }
}

// cutting makes a stream that err ends.
func cutting(err error, parts ...string) upstream {
	return func(*http.Request, []byte) (*http.Response, error) {
		r := answerOf(200, eventStream, parts...)
		r.Body.(*scripted).err = err
		return r, nil
	}
}

// hanging makes a stream that falls silent.
func hanging(parts ...string) upstream {
	return func(*http.Request, []byte) (*http.Response, error) {
		r := answerOf(200, eventStream, parts...)
		r.Body.(*scripted).hang = true
		return r, nil
	}
}

func failing(err error) upstream {
	return func(*http.Request, []byte) (*http.Response, error) { return nil, err }
}

// silent never answers.
func silent(out *http.Request, _ []byte) (*http.Response, error) {
	<-out.Context().Done()
	return nil, out.Context().Err()
}

// ledger is a recorder for tests.
type ledger struct {
	mu  sync.Mutex
	all []*journal.Exchange
	err error
}

func (l *ledger) Record(x *journal.Exchange) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, x)
	return l.err
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

func (l *ledger) last() *journal.Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return nil
	}
	return l.all[len(l.all)-1]
}

// client is a response writer for tests.
type client struct {
	mu      sync.Mutex
	header  http.Header
	status  int
	sent    http.Header // as they were at WriteHeader
	body    bytes.Buffer
	writes  int
	flushes int
	limit   time.Time
	onWrite func(p []byte) error // before p counts
}

func newClient() *client { return &client{header: http.Header{}} }

func (c *client) Header() http.Header { return c.header }

func (c *client) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status != 0 {
		panic("a second status")
	}
	c.status, c.sent = status, c.header.Clone()
}

func (c *client) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 {
		panic("a body without a status")
	}
	if c.onWrite != nil {
		if err := c.onWrite(p); err != nil {
			return 0, err
		}
	}
	c.writes++
	return c.body.Write(p)
}

func (c *client) FlushError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushes++
	return nil
}

func (c *client) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = t
	return nil
}

func (c *client) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.body.String()
}

// rig is a relay with accounts.
type rig struct {
	t        testing.TB
	relay    *Relay
	pool     *pool.Pool
	ledger   *ledger
	vendor   *vendor
	settings *Settings
	all      []pool.Account
	asked    []string // accounts, in order
	mu       sync.Mutex
}

const testKey = "sk-test-0123456789abcdefghij"

// newRig makes a relay whose accounts are named a, b, c … and are asked in this
// order.
func newRig(t testing.TB, ups ...upstream) *rig {
	r := &rig{t: t, pool: pool.New(time.Now), ledger: &ledger{}, vendor: &vendor{}}
	r.settings = &Settings{Strategy: schedule.Balance{}, Attempts: 4, Timeouts: config.Timeouts{
		FirstByte: 120 * time.Second, Idle: 300 * time.Second, WriteStall: 60 * time.Second, Heartbeat: 15 * time.Second,
	}}
	r.relay = New(Options{
		Pool: r.pool, Record: r.ledger, Hop: "hop0123456789abcdef", Agent: "Portico/test",
		Codecs: []protocol.Codec{openaichat.New(), openairesponses.New(), anthropic.New()},
	})
	for i, up := range ups {
		r.all = append(r.all, r.account(nameOf(i), i, up))
	}
	r.pool.Set(r.all)
	return r
}

// nameOf is the name of the i-th account.
func nameOf(i int) string {
	if i < 26 {
		return string(rune('a' + i))
	}
	return "z" + strconv.Itoa(i)
}

// accounts are the rig's accounts, to be changed and set anew.
func (r *rig) accounts() []pool.Account { return slices.Clone(r.all) }

func (r *rig) account(name string, priority int, up upstream) pool.Account {
	return pool.Account{
		Account: &provider.Account{
			Name: name, Provider: "vendor", Key: secret.Of(testKey + name),
			Protocols: []string{protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini},
		},
		By: r.vendor, Priority: priority, Weight: 1,
		Way: upstream(func(out *http.Request, body []byte) (*http.Response, error) {
			r.mu.Lock()
			r.asked = append(r.asked, name)
			r.mu.Unlock()
			return up(out, body)
		}),
	}
}

// routes maps names.
func (r *rig) routes(rules ...route.Rule) {
	t, err := route.New(rules)
	if err != nil {
		r.t.Fatal(err)
	}
	r.settings.Routes = t
}

// only has account i serve what the globs match.
func only(a pool.Account, globs ...string) pool.Account {
	for _, s := range globs {
		g, err := glob.Compile(s)
		if err != nil {
			panic(err)
		}
		a.Models = append(a.Models, g)
	}
	return a
}

// chat is a call of the dialect d.
func (r *rig) call(d *dialect, stream bool) *Call {
	return &Call{
		Settings: r.settings, ID: "req_test", Start: time.Now(), Op: protocol.Chat, Codec: d.codec, Model: "m", Stream: stream,
		Method: http.MethodPost, Path: d.path, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(d.request),
	}
}

// do carries c and reports whether the connection was broken.
func (r *rig) do(ctx context.Context, w http.ResponseWriter, c *Call) (broke bool) {
	defer func() {
		if p := recover(); p != nil {
			if err, _ := p.(error); !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			broke = true
		}
	}()
	r.relay.Do(ctx, w, c)
	return false
}

// run carries c to a new client.
func (r *rig) run(c *Call) *client {
	w := newClient()
	r.do(context.Background(), w, c)
	return w
}

// logTo collects what the relay logs.
func (r *rig) logTo() *bytes.Buffer {
	b := &bytes.Buffer{}
	r.relay.log = slog.New(slog.NewTextHandler(b, nil))
	return b
}
