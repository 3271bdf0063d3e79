package ingress

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portico/internal/access"
	"portico/internal/config"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/openairesponses"
	"portico/internal/relay"
	"portico/internal/secret"
)

// A socketHouse serves WebSockets over TCP. Its relay answers each request
// with one message, whose id tells the number of the request.
type socketHouse struct {
	*house
	t    *testing.T
	addr string

	mu    sync.Mutex
	calls []relay.Call
	do    func(ctx context.Context, w http.ResponseWriter, c *relay.Call, n int) // nil: tell answers
}

func newSockets(t *testing.T, x *Settings) *socketHouse {
	h := unheard(t, x)
	h.addr = listen(t, h.Server)
	return h
}

// unheard is one that nobody can call yet.
func unheard(t *testing.T, x *Settings) *socketHouse {
	h := &socketHouse{house: newHouse(nil), t: t}
	h.Server.codecs[asResponses] = openairesponses.New()
	h.relay.do = func(ctx context.Context, w http.ResponseWriter, c *relay.Call) {
		kept := *c
		kept.Body, kept.Header = slices.Clone(c.Body), c.Header.Clone()
		h.mu.Lock()
		h.calls = append(h.calls, kept)
		n := len(h.calls)
		h.mu.Unlock()
		if h.do != nil {
			h.do(ctx, w, c, n)
			return
		}
		tell(w, n)
	}
	h.Set(x)
	return h
}

func (h *socketHouse) call(i int) relay.Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i >= len(h.calls) {
		h.t.Fatalf("the relay had %d calls", len(h.calls))
	}
	return h.calls[i]
}

// tell is an upstream's stream, in pieces that end anywhere.
func tell(w http.ResponseWriter, n int) {
	w.Header()["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	w.WriteHeader(http.StatusOK)
	stream := fmt.Sprintf(": hello\n\nevent: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_%d\"}}\n\n"+
		"event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"item\":{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"said %d\"}}\n\n"+
		"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_%d\",\"output\":[]}}\n\ndata: [DONE]\n\n", n, n, n)
	for len(stream) > 0 {
		k := min(37, len(stream))
		_, _ = w.Write([]byte(stream[:k]))
		stream = stream[k:]
	}
}

// A talker is a client.
type talker struct {
	t *testing.T
	*websocket.Conn
}

// open opens a socket with headers, in pairs.
func (h *socketHouse) open(hs ...string) (*talker, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	o := &websocket.DialOptions{HTTPHeader: http.Header{}, Host: ownHost, CompressionMode: websocket.CompressionContextTakeover}
	path := "/v1/responses"
	for i := 0; i < len(hs); i += 2 {
		switch hs[i] {
		case "path":
			path = hs[i+1]
		case "Host":
			o.Host = hs[i+1]
		case "protocols":
			o.Subprotocols = strings.Split(hs[i+1], " ")
		default:
			o.HTTPHeader.Add(hs[i], hs[i+1])
		}
	}
	c, resp, err := websocket.Dial(ctx, "ws://"+h.addr+path, o)
	if err != nil {
		return nil, resp, err
	}
	h.t.Cleanup(func() { _ = c.CloseNow() })
	return &talker{h.t, c}, resp, nil
}

func (h *socketHouse) mustOpen(hs ...string) *talker {
	h.t.Helper()
	c, _, err := h.open(append(hs, "Authorization", "Bearer "+dataKey)...)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (c *talker) say(frame string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		c.t.Fatal(err)
	}
}

// hear is the next frame, and its type.
func (c *talker) hear() (kind, frame string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, b, err := c.Read(ctx)
	kind, _ = jsonedit.Unquote(jsonedit.Get(b, "type"))
	return kind, string(b), err
}

// turn says frame and hears the answer to its end. It returns the types of the
// frames and the last of them.
func (c *talker) turn(frame string) (kinds, last string) {
	c.t.Helper()
	c.say(frame)
	for {
		kind, b, err := c.hear()
		if err != nil {
			c.t.Fatalf("%v after %s", err, kinds)
		}
		kinds += kind + " "
		if kind == "response.completed" || kind == "response.failed" || kind == "error" {
			return strings.TrimSpace(kinds), b
		}
	}
}

func responseOf(frame string) (id string) {
	id, _ = jsonedit.Unquote(jsonedit.Path([]byte(frame), "response", "id"))
	return id
}

// TestSocketTurns: a frame is a request by POST, each event of its answer a
// frame, and what was said on the socket can be continued although nobody else
// keeps it (E21, E22).
func TestSocketTurns(t *testing.T) {
	h := newSockets(t, settings(config.AuthStrict))
	c := h.mustOpen("Openai-Beta", "responses_websockets=2026-02-06, other=1", "Session-Id", "s1", "User-Agent", "codex_exec/1")
	kinds, last := c.turn(`{"type":"response.create","model":"m","stream":true,"store":false,"input":[{"n":1}],"stream_id":"a"}`)
	if want := "response.created response.output_item.done response.completed"; kinds != want {
		t.Errorf("frames %s, want %s", kinds, want)
	}
	if want := `{"type":"response.completed","response":{"id":"resp_1","output":[]},"stream_id":"a"}`; last != want {
		t.Errorf("got %s\nwant %s", last, want)
	}
	got := h.call(0)
	if want := `{"stream":true,"model":"m","store":false,"input":[{"n":1}]}`; string(got.Body) != want {
		t.Errorf("the relay got %s\nwant %s", got.Body, want)
	}
	if got.Op != protocol.Chat || !got.Stream || got.Method != "POST" || got.Path != "/responses" || got.Model != "m" || got.Key == "" || got.Client != "codex_exec/1" || !strings.HasSuffix(got.Session, "/s1") {
		t.Errorf("the call is %+v", got)
	}
	for _, name := range []string{"Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version"} {
		if got.Header[name] != nil {
			t.Errorf("the relay got the upgrade's header %s", name)
		}
	}
	if got.Header.Get("Openai-Beta") != "other=1" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("the relay got the headers %v", got.Header)
	}

	c.turn(`{"type":"response.create","model":"m","store":false,"input":"two","previous_response_id":"resp_1"}`)
	c.turn(`{"type":"response.create","model":"m","store":false,"input":[{"n":3}],"previous_response_id":"resp_2"}`)
	const said = `{"type":"message","role":"assistant","content":"said %d"}`
	want := `{"stream":true,"input":[{"n":1},` + fmt.Sprintf(said, 1) + `,{"type":"message","role":"user","content":[{"type":"input_text","text":"two"}]},` + fmt.Sprintf(said, 2) + `,{"n":3}],"model":"m","store":false}`
	if got := h.call(2); string(got.Body) != want || got.Previous != "resp_2" {
		t.Errorf("the relay got %s, continuing %q\nwant %s", got.Body, got.Previous, want)
	}
	if a, b := h.call(0).ID, h.call(1).ID; a == b {
		t.Errorf("two turns have the id %s", a)
	}

	// What is kept elsewhere, or was said on another socket, is not known here.
	c.turn(`{"type":"response.create","model":"m","input":"x"}`)
	for _, id := range []string{"resp_4", "resp_other"} {
		c.turn(`{"type":"response.create","model":"m","input":"x","previous_response_id":"` + id + `"}`)
		h.mu.Lock()
		got := string(h.calls[len(h.calls)-1].Body)
		h.mu.Unlock()
		if want := `{"stream":true,"model":"m","input":"x","previous_response_id":"` + id + `"}`; got != want {
			t.Errorf("the relay got %s\nwant %s", got, want)
		}
	}
	other := h.mustOpen()
	other.turn(`{"type":"response.create","model":"m","input":"x","store":false,"previous_response_id":"resp_1"}`)
	h.mu.Lock()
	defer h.mu.Unlock()
	if got := string(h.calls[len(h.calls)-1].Body); strings.Contains(got, "said") {
		t.Errorf("another socket's conversation was told: %s", got)
	}
}

// TestSocketWarmUp: nothing is asked for nothing, and its id can be continued.
func TestSocketWarmUp(t *testing.T) {
	h := newSockets(t, settings(config.AuthOff))
	c, resp, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	if e := resp.Header.Get("Sec-Websocket-Extensions"); e != "" {
		t.Errorf("%s was agreed to", e)
	}
	kinds, last := c.turn(`{"type":"response.create","generate":false,"model":"m","store":false,"input":[{"role":"developer","content":"first"}]}`)
	if want := "response.created response.in_progress response.completed"; kinds != want {
		t.Errorf("frames %s, want %s", kinds, want)
	}
	if out := string(jsonedit.Path([]byte(last), "response", "output")); out != "[]" || responseOf(last) == "" {
		t.Errorf("the answer is %s", last)
	}
	_, second := c.turn(`{"type":"response.create","generate":false,"model":"m","store":false,"previous_response_id":"` + responseOf(last) + `","input":[{"role":"user","content":"second"}]}`)
	if len(h.calls) != 0 {
		t.Fatal("an upstream was asked for nothing")
	}
	// Stored or not: nobody else has it.
	c.turn(`{"type":"response.create","model":"m","previous_response_id":"` + responseOf(second) + `","input":[]}`)
	if got, want := string(h.call(0).Body), `{"stream":true,"input":[{"role":"developer","content":"first"},{"role":"user","content":"second"}],"model":"m"}`; got != want {
		t.Errorf("the relay got %s\nwant %s", got, want)
	}
	_, last = c.turn(`{"type":"response.create","generate":false,"model":"m","previous_response_id":"resp_none"}`)
	if !strings.Contains(last, `"status":400`) || !strings.Contains(last, `"code":"previous_response_not_found"`) {
		t.Errorf("got %s", last)
	}
}

// TestSocketErrors: what would be a status by POST is a frame, and the socket
// stays open.
func TestSocketErrors(t *testing.T) {
	h := newSockets(t, settings(config.AuthOff))
	c, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, frame string
		do          func(context.Context, http.ResponseWriter, *relay.Call, int)
		want        []string // in the last frame
	}{
		{"no JSON", `{"type":`, nil, []string{`"status":400`, `"code":"invalid_json"`}},
		{"no object", `[]`, nil, []string{`"status":400`}},
		{"another type", `{"type":"session.update"}`, nil, []string{`"code":"unknown_event"`, `session.update`}},
		{"in the background", `{"type":"response.create","model":"m","background":true,"stream_id":"x"}`, nil, []string{`"status":400`, `"code":"unsupported_parameter"`, `"param":"background"`, `by POST`, `"stream_id":"x"`}},
		{"not in the background", `{"type":"response.create","model":"m","background":false}`, nil, []string{`"response.completed"`}},
		{"steering", `{"type":"response.steer","stream_id":"x"}`, nil, []string{`"code":"steering_not_supported"`, `"stream_id":"x"`}},
		{"a long lane", `{"type":"response.steer","stream_id":"` + strings.Repeat("x", maxLane) + `"}`, nil, []string{`"code":"steering_not_supported"`}},
		{"a bad model", `{"type":"response.create","model":"` + strings.Repeat("x", maxModel+1) + `"}`, nil, []string{`"code":"invalid_model"`}},
		{"a refusal", `{"type":"response.create","model":"m"}`, func(_ context.Context, w http.ResponseWriter, _ *relay.Call, _ int) {
			w.Header()["Retry-After"], w.Header()["Content-Type"] = []string{"7"}, jsonType
			w.WriteHeader(429)
			_, _ = w.Write([]byte(`{"error":{"type":"rate_limit_error","message":"slow down"}}`))
		}, []string{`{"type":"error","status":429,"error":{"type":"rate_limit_error","message":"slow down"},"headers":{"retry-after":"7","x-portico-request-id":"req_`}},
		{"a refusal in words", `{"type":"response.create","model":"m"}`, func(_ context.Context, w http.ResponseWriter, _ *relay.Call, _ int) {
			w.WriteHeader(502)
			_, _ = w.Write([]byte(`down`))
		}, []string{`{"type":"error","status":502,"error":{"type":"server_error","code":null,"param":null,"message":"Bad Gateway"}`}},
		{"no stream", `{"type":"response.create","model":"m"}`, func(_ context.Context, w http.ResponseWriter, _ *relay.Call, _ int) {
			w.Header()["Content-Type"] = jsonType
			_, _ = w.Write([]byte(`{"id":"resp_w","output":[1]}`))
		}, []string{`{"type":"response.completed","response":{"id":"resp_w","output":[1]}}`}},
		{"well again", `{"type":"response.create","model":"m"}`, nil, []string{`"response.completed"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h.do = tc.do
			_, last := c.turn(tc.frame)
			for _, want := range tc.want {
				if !strings.Contains(last, want) {
					t.Errorf("got %s\nwant %s", last, want)
				}
			}
		})
	}
	h.do = func(context.Context, http.ResponseWriter, *relay.Call, int) { panic(http.ErrAbortHandler) }
	c.say(`{"type":"response.create","model":"m"}`)
	if kind, _, err := c.hear(); err == nil {
		t.Errorf("a broken answer ends with %s", kind)
	}
}

// TestSocketGuard: who may not call may not open a socket, and nothing but
// Responses has one.
func TestSocketGuard(t *testing.T) {
	h := newSockets(t, settings(config.AuthStrict))
	for _, tc := range []struct {
		name   string
		hs     []string
		status int
	}{
		{"no key", nil, 401},
		{"a wrong key", []string{"Authorization", "Bearer nonsense"}, 401},
		{"a key", []string{"Authorization", "Bearer " + dataKey}, 101},
		{"a key as subprotocol", []string{"protocols", "realtime openai-insecure-api-key." + dataKey}, 101},
		{"another host", []string{"Host", "evil.test", "Authorization", "Bearer " + dataKey}, 421},
		{"another origin", []string{"Origin", "https://evil.test", "Authorization", "Bearer " + dataKey}, 403},
		{"another origin with a subprotocol", []string{"Origin", "https://evil.test", "protocols", "realtime openai-insecure-api-key." + dataKey}, 403},
		{"a listed origin", []string{"Origin", "http://localhost:3000", "protocols", "realtime openai-insecure-api-key." + dataKey}, 101},
		{"chat", []string{"path", "/v1/chat/completions", "Authorization", "Bearer " + dataKey}, 426},
		{"one response", []string{"path", "/v1/responses/resp_1", "Authorization", "Bearer " + dataKey}, 426},
		{"realtime", []string{"path", "/v1/realtime", "Authorization", "Bearer " + dataKey}, 426},
		{"bare", []string{"path", "/responses", "Authorization", "Bearer " + dataKey}, 101},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, resp, err := h.open(tc.hs...)
			if resp == nil || resp.StatusCode != tc.status || (err == nil) != (tc.status == 101) {
				t.Fatalf("%v %v, want %d", resp, err, tc.status)
			}
			if err != nil {
				return
			}
			if p := c.Subprotocol(); strings.Contains(p, dataKey) {
				t.Errorf("the key is repeated in %s", p)
			}
			if kinds, _ := c.turn(`{"type":"response.create","model":"m"}`); !strings.HasSuffix(kinds, "response.completed") {
				t.Errorf("got %s", kinds)
			}
			_ = c.CloseNow()
		})
	}
}

// TestSocketKeyTakenBack: a key that is valid no more ends the socket at the
// next turn.
func TestSocketKeyTakenBack(t *testing.T) {
	h := newSockets(t, settings(config.AuthStrict))
	c := h.mustOpen()
	c.turn(`{"type":"response.create","model":"m"}`)
	x := settings(config.AuthStrict)
	x.Policy = access.NewPolicy(&config.Config{AuthMode: config.AuthStrict, APIKey: secret.Of("sk-another-0123456789abcdefghijk"), AdminToken: secret.Of(adminKey)})
	h.Set(x)
	if _, last := c.turn(`{"type":"response.create","model":"m"}`); !strings.Contains(last, `"status":401`) {
		t.Errorf("got %s", last)
	}
	if _, _, err := c.hear(); err == nil {
		t.Error("the socket is open")
	}
	if len(h.calls) != 1 {
		t.Error("the relay was called")
	}
}
