package attack

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/rig"
)

var full = flag.Bool("full", false, "take the numbers of the threat model, which takes minutes")

// scaled is n with -full, else the smaller number.
func scaled(n, few int) int {
	if *full {
		return n
	}
	return few
}

// gateway is the gateway under attack. A test that runs itself anew elsewhere
// hands it on.
var gateway = os.Getenv(binaryEnv)

const binaryEnv = "PORTICO_ATTACK_BINARY"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	// The tests that run at one time wait for clocks more than for processors;
	// with the full numbers they would disturb each other's.
	if err := flag.Set("test.parallel", strconv.Itoa(scaled(1, 8))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if gateway == "" {
		dir, err := os.MkdirTemp("", "portico-attack-")
		if err == nil {
			defer os.RemoveAll(dir)
			gateway, err = rig.Build(context.Background(), dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// The canaries. None may be seen anywhere but where it is kept or used.
const (
	clientKey  = "sk-CANARY-client-Vq3x8nRw2mKz7pLt5yHd"
	adminToken = "at-CANARY-admin-Jf6bTs9cGv4kXe2wNa8u"
	openaiKey  = "sk-CANARY-openai-Wm5rPq7zYd3hBt9xLc4j"
	claudeKey  = "sk-CANARY-claude-Hs2vKn8gQe6wRf4tUz7a"
	googleKey  = "sk-CANARY-google-Xb9cMy3jTp5sDk7eVr6n"
	headerKey  = "sk-CANARY-header-Gu4wZa8dFq2yLh6mPx3t"
)

// traces are what of a canary must not be seen: its beginning, its end, and
// the word in base64, however it is aligned.
var traces = []string{
	"sk-CA", "at-CA", "pw-CA", "CANARY", "canary-", "Q0FOQVJZ", "NBTkFSW", "DQU5BUl",
	"5yHd", "Na8u", "Lc4j", "Uz7a", "Vr6n", "Px3t",
}

// shown are the ends that the operator is shown, to tell keys apart.
const shown = 4

// leak says which canary b tells, or "". An operator is shown the last four
// letters of a key.
func leak(b []byte, operator bool) string {
	for _, s := range traces {
		if operator && (len(s) == shown || s == "canary-") {
			continue
		}
		if i := bytes.Index(b, []byte(s)); i >= 0 {
			return fmt.Sprintf("%q in %q", s, b[max(0, i-60):min(len(b), i+60)])
		}
	}
	return ""
}

// modes are the auth modes. auto on loopback is off by another name.
var modes = []string{"off", "strict", "all_except_health", "auto"}

// requires reports whether clients on loopback need a key.
func requires(mode string) bool { return mode == "strict" || mode == "all_except_health" }

// A target is a gateway under attack.
type target struct {
	*rig.Gateway
	t        *testing.T
	mode     string
	host     string // the right Host
	addr     string // where it listens
	upstream *rig.Upstream
	operator rig.Operator
}

// accounts declares an account for each protocol. Each serves models of its
// own, so that nothing is translated.
func accounts(u *rig.Upstream) string {
	return fmt.Sprintf(`accounts:
  - name: openai
    provider: openai
    base_url: %s
    api_key: %s
    headers: {X-Team: %s}
    models: ["o-*", "whisper-*"]
  - {name: claude, provider: anthropic, base_url: %q, api_key: %s, models: ["c-*"]}
  - {name: google, provider: gemini, base_url: %q, api_key: %s, models: ["g-*"]}
`, u.Base(rig.Chat), openaiKey, headerKey, u.Base(rig.Messages), claudeKey, u.Base(rig.Gemini), googleKey)
}

// begin starts a gateway in a mode with an account for each protocol. more is
// put at the end of its configuration.
func begin(t *testing.T, mode, more string) *target {
	t.Helper()
	u := listen(t)
	return beginWith(t, mode, u, accounts(u)+more, rig.Options{})
}

// listen starts an upstream that takes down what reaches it.
func listen(t *testing.T) *rig.Upstream {
	t.Helper()
	u, err := rig.NewUpstream()
	if err != nil {
		t.Fatal(err)
	}
	u.Record = true
	t.Cleanup(u.Close)
	return u
}

func beginWith(t *testing.T, mode string, u *rig.Upstream, config string, o rig.Options) *target {
	t.Helper()
	o.Binary, o.Dir = gateway, filepath.Join(t.TempDir(), "data")
	o.Config = fmt.Sprintf("auth_mode: %s\napi_key: %s\nadmin_token: %s\n", mode, clientKey, adminToken) + config
	g, err := rig.Start(context.WithoutCancel(t.Context()), o)
	if err != nil {
		t.Fatal(err)
	}
	x := &target{
		Gateway: g, t: t, mode: mode, upstream: u, addr: "127.0.0.1:" + strconv.Itoa(g.Port),
		operator: rig.Operator{Base: g.Base, Token: adminToken, HTTP: rig.Client()},
	}
	x.host = x.addr
	t.Cleanup(x.end)
	if err := g.Healthy(t.Context(), 20*time.Second); err != nil {
		t.Fatal(err)
	}
	return x
}

// restart starts the gateway anew, where it has ended.
func (x *target) restart() {
	x.t.Helper()
	g, err := rig.Start(context.WithoutCancel(x.t.Context()), rig.Options{Binary: gateway, Dir: x.Dir, Port: x.Port})
	if err != nil {
		x.t.Fatal(err)
	}
	x.Gateway = g
	if err := g.Healthy(x.t.Context(), 20*time.Second); err != nil {
		x.t.Fatal(err)
	}
}

// end ends the gateway and looks for canaries in all that it wrote (SEC-51).
func (x *target) end() {
	x.operator.HTTP.CloseIdleConnections()
	select {
	case <-x.Exited():
		x.t.Errorf("the gateway ended by itself, %s; its log ends with:\n%s", x.State(), rig.Tail(x.Log, 4000))
	default:
		// A connection that was made and never used keeps net/http waiting for
		// five seconds.
		if err := x.Stop(15 * time.Second); err != nil {
			x.t.Error(err)
		}
	}
	files := []string{x.Log}
	_ = filepath.WalkDir(x.Dir, func(path string, d fs.DirEntry, err error) error {
		// The configuration holds the secrets.
		if err == nil && d.Type().IsRegular() && d.Name() != "portico.yaml" {
			files = append(files, path)
		}
		return nil
	})
	if len(files) < 5 {
		x.t.Errorf("only %q were found to be swept", files)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			x.t.Error(err)
		}
		if s := leak(b, false); s != "" {
			x.t.Errorf("SEC-51: a canary is in %s: %s", filepath.Base(f), s)
		}
	}
}

// eachMode runs f against a gateway in each mode, at one time.
func eachMode(t *testing.T, more string, f func(t *testing.T, x *target)) {
	t.Helper()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			f(t, begin(t, mode, more))
		})
	}
}

// A request is written as it is, byte for byte.
type request struct {
	method, path string
	host         string   // "": the right one; "-": none
	head         []string // "Name: value"
	key          string   // Authorization: Bearer
	body         string
	proto        string // "": HTTP/1.1
	chunked      bool
}

func (r request) String() string {
	return fmt.Sprintf("%s %s, host %q, %q", r.method, r.path, r.host, r.head)
}

// text is the request as it goes over the wire.
func (x *target) text(r request) string {
	var b strings.Builder
	if r.method == "" {
		r.method = "GET"
	}
	if r.proto == "" {
		r.proto = "HTTP/1.1"
	}
	fmt.Fprintf(&b, "%s %s %s\r\n", r.method, r.path, r.proto)
	switch r.host {
	case "":
		fmt.Fprintf(&b, "Host: %s\r\n", x.host)
	case "-":
	default:
		fmt.Fprintf(&b, "Host: %s\r\n", r.host)
	}
	for _, h := range r.head {
		b.WriteString(h + "\r\n")
	}
	if r.key != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", r.key)
	}
	switch {
	case r.chunked:
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(r.body), r.body)
	case r.body != "" || r.method == "POST":
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.body), r.body)
	default:
		b.WriteString("\r\n")
	}
	return b.String()
}

// A reply is what came back: the first answer, and all bytes.
type reply struct {
	status int // 0: none
	head   http.Header
	body   string
	all    []byte
	err    error
}

// send sends r on a connection of its own.
func (x *target) send(r request) reply {
	r.head = append(slices.Clip(r.head), "Connection: close")
	return x.raw(x.text(r))
}

// raw sends text and reads until the other side closes, or has been silent
// for two seconds after an answer.
func (x *target) raw(text string) (out reply) {
	var d net.Dialer
	c, err := d.DialContext(x.t.Context(), "tcp", x.addr)
	if err != nil {
		return reply{err: err}
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	go func() { _, _ = io.WriteString(c, text) }() // an answer may come before all of it is taken
	var all bytes.Buffer
	in := bufio.NewReader(io.TeeReader(c, &all))
	method, _, _ := strings.Cut(text, " ")
	resp, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		return reply{all: all.Bytes(), err: err}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 256<<20))
	out = reply{status: resp.StatusCode, head: resp.Header, body: string(body), err: err}
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	if !resp.Close && resp.Header.Get("Connection") != "close" {
		_ = c.SetDeadline(time.Now().Add(200 * time.Millisecond))
	}
	_, _ = io.Copy(io.Discard, in)
	out.all = all.Bytes()
	x.look(text, out.all)
	return out
}

// look looks for canaries in an answer.
func (x *target) look(text string, answer []byte) {
	operator := strings.Contains(text, adminToken) || strings.Contains(text, "Cookie: portico_") // a session's
	if s := leak(answer, operator); s != "" {
		line, _, _ := strings.Cut(text, "\r\n")
		x.t.Errorf("SEC-51: a canary is in the answer to %q: %s", line[:min(len(line), 200)], s)
	}
}

// quiet fails the test if anything but what the gateway asks by itself reached
// the upstream.
func (x *target) quiet() {
	x.t.Helper()
	if calls := x.upstream.Calls(); len(calls) > 0 {
		x.t.Errorf("%d requests reached the upstream, the first: %s %s %s", len(calls), calls[0].Method, calls[0].Path, calls[0].Body)
	}
}

// log is what the gateway has logged so far.
func (x *target) log() string { return rig.Tail(x.Log, 64<<20) }

// heal makes the accounts forget what went wrong.
func (x *target) heal() {
	x.t.Helper()
	x.healed("openai", "claude", "google")
}

// healed makes some accounts forget it.
func (x *target) healed(names ...string) {
	x.t.Helper()
	for _, name := range names {
		if _, err := x.operator.Call(x.t.Context(), http.MethodPost, "/api/accounts/"+name+"/heal", nil, nil); err != nil {
			x.t.Fatal(err)
		}
	}
}

// ask is a good request.
func ask(protocol string, stream bool) rig.Ask {
	return rig.Ask{Protocol: protocol, Stream: stream, Model: models[protocol], Key: clientKey, Agent: "attack/1", Script: rig.Script{N: 1, In: 10, Out: 20, Chunks: 2}}
}

// serves fails the test if the gateway does not serve a good request.
func (x *target) serves() {
	x.t.Helper()
	got := ask(rig.Chat, false).Do(x.t.Context(), x.operator.HTTP, x.Base, nil)
	if !got.Whole || got.Status != http.StatusOK {
		x.t.Errorf("an honest client is not served: %+v", got)
	}
}

// models are what the accounts serve, by the protocol that they speak.
var models = map[string]string{rig.Chat: "o-m", rig.Responses: "o-m", rig.Messages: "c-m", rig.Gemini: "g-m"}

const chatBody = `{"model":"o-m","messages":[{"role":"user","content":"hi"}]}`

// bodyOf is a body that a client would send to a path.
func bodyOf(path string) string {
	if strings.Contains(path, "/messages") {
		return `{"model":"c-m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`
	}
	return chatBody
}

// dataPaths are the ways in for AI clients.
var dataPaths = []string{
	"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/messages/count_tokens", "/v1/embeddings",
	"/v1beta/models/g-m:generateContent", "/v1beta/models/g-m:streamGenerateContent?alt=sse", "/v1beta/models/g-m:countTokens", "/v1/images/generations", "/v1/files",
}

// getPaths are what a GET shows.
var getPaths = []string{
	"/", "/monitor", "/assets/nothing.js", "/healthz", "/readyz", "/metrics", "/debug/pprof/", "/debug/pprof/goroutine", "/debug/pprof/cmdline",
	"/v1/models", "/v1/models/m", "/v1beta/models", "/v1beta/models/m", "/v1/files", "/v1/responses/resp_1", "/api/hello", "/nothing", "/api/nothing", "/v1/nothing",
}

// adminRoutes are the routes of the operator's API, as its own description
// lists them, so that a new one is attacked too.
func (x *target) adminRoutes() (routes []request) {
	x.t.Helper()
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if _, err := x.operator.Call(x.t.Context(), http.MethodGet, "/api/openapi.json", nil, &doc); err != nil {
		x.t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for m := range methods {
			r := request{method: strings.ToUpper(m), path: strings.NewReplacer("{name}", "openai", "{id}", "req_0").Replace(path)}
			if r.method != http.MethodGet {
				r.head, r.body = []string{"Content-Type: application/json"}, "{}"
			}
			routes = append(routes, r)
		}
	}
	for _, p := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine", "/debug/pprof/cmdline", "/debug/pprof/profile", "/debug/pprof/symbol", "/debug/pprof/trace"} {
		routes = append(routes, request{method: "GET", path: p})
	}
	if len(routes) < 20 {
		x.t.Fatalf("only %d routes were found", len(routes))
	}
	return routes
}
