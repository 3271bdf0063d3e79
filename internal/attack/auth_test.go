package attack

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/rig"
)

// SEC-16: guesses are heard at a pace at which guessing leads nowhere, through
// whichever carrier and with whatever sent along; who has the right key is not
// locked out meanwhile.
func TestSEC16Guessing(t *testing.T) {
	for _, mode := range []string{"strict", "off"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			x := begin(t, mode, "")
			began := time.Now()
			var heard, limited, other int
			tries := scaled(10_000, 600)
			for i := range tries {
				guess := fmt.Sprintf("sk-guess-%d", i)
				spoof := []string{fmt.Sprintf("X-Forwarded-For: 10.1.%d.%d", i/250, i%250), "Forwarded: for=1.2.3.4", "X-Admin: true", "X-Api-Version: " + guess}
				var r request
				switch i % 6 {
				case 0:
					r = request{path: "/v1/models", key: guess}
				case 1:
					r = request{path: "/v1/models", head: []string{"X-Api-Key: " + guess}}
				case 2:
					r = request{path: "/v1/models", head: []string{"X-Goog-Api-Key: " + guess}}
				case 3:
					r = request{path: "/v1beta/models?key=" + guess}
				case 4:
					r = request{path: "/v1/models", head: []string{"Authorization: " + guess}}
				case 5:
					r = request{path: "/api/status", key: guess}
				}
				if !requires(mode) {
					r = request{path: "/api/status", key: guess}
				}
				r.head = append(r.head, spoof...)
				switch got := x.send(r); got.status {
				case http.StatusUnauthorized:
					heard++
				case http.StatusTooManyRequests:
					limited++
					if got.head.Get("Retry-After") == "" {
						t.Fatal("no Retry-After")
					}
				default:
					other++
				}
				if i == tries/2 { // in the middle of it
					if got := x.send(request{path: "/v1/models", key: clientKey}); got.status != http.StatusOK {
						t.Errorf("the right key meanwhile: %d", got.status)
					}
					if got := x.send(request{path: "/api/status", key: adminToken}); got.status != http.StatusOK {
						t.Errorf("the operator meanwhile: %d", got.status)
					}
				}
			}
			// Five at once, then one in twelve seconds.
			if most := 6 + int(time.Since(began)/(12*time.Second)); heard > most || other > 0 {
				t.Errorf("%d guesses were heard (at most %d), %d refused as too many, %d answered otherwise", heard, most, limited, other)
			}
			// Another peer is not punished for it, within what all may guess.
			if got := x.from("127.0.0.9", request{path: "/api/status", key: "sk-typo"}); got != http.StatusUnauthorized {
				t.Errorf("the first mistake of another peer: %d", got)
			}
		})
	}
}

// from sends r from another address of this machine and returns the status.
func (x *target) from(addr string, r request) int {
	x.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	c := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
	q, err := http.NewRequestWithContext(x.t.Context(), http.MethodGet, x.Base+r.path, nil)
	if err != nil {
		x.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+r.key)
	resp, err := c.Do(q)
	if err != nil {
		x.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// SEC-16, many peers: addresses cost nothing on loopback, so all together have
// a bound too.
func TestSEC16GuessingFromManyPeers(t *testing.T) {
	x := begin(t, "strict", "")
	began := time.Now()
	heard := 0
	for i := range scaled(5000, 300) {
		if x.from(fmt.Sprintf("127.0.%d.%d", 1+i/200, 1+i%200), request{path: "/api/status", key: fmt.Sprintf("sk-guess-%d", i)}) == http.StatusUnauthorized {
			heard++
		}
	}
	if most := 31 + int(time.Since(began)/(2*time.Second)); heard > most {
		t.Errorf("%d guesses of many peers were heard, at most %d should be", heard, most)
	}
}

// SEC-20: the operator's side asks for the operator's token, whatever the mode
// says of clients. The routes are those that the server itself lists.
func TestSEC20AdminWithoutToken(t *testing.T) {
	eachMode(t, "", func(t *testing.T, x *target) {
		for _, r := range x.adminRoutes() {
			for _, method := range []string{r.method, "HEAD", "PUT"} {
				r.method = method
				if got := x.send(r); got.status != http.StatusUnauthorized {
					t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.body)
				}
			}
		}
		// What else there is below /api is not told either.
		for _, p := range []string{"/api", "/api/", "/api/nothing", "/debug", "/debug/", "/debug/pprof/nothing"} {
			if got := x.send(request{path: p}); got.status != http.StatusUnauthorized {
				t.Errorf("%s: %d", p, got.status)
			}
		}
		x.quiet()
	})
}

// SEC-21: a key opens its own door only.
func TestSEC21KeyOfTheOtherDoor(t *testing.T) {
	eachMode(t, "", func(t *testing.T, x *target) {
		if got := x.send(request{path: "/api/status", key: clientKey}); got.status != http.StatusUnauthorized {
			t.Errorf("a client's key at the operator's door: %d", got.status)
		}
		want := http.StatusOK
		if requires(x.mode) {
			want = http.StatusUnauthorized
		}
		if got := x.send(request{path: "/v1/models", key: adminToken}); got.status != want {
			t.Errorf("the operator's token at the clients' door: %d, want %d", got.status, want)
		}
		// Only one carrier counts at the operator's door.
		for _, r := range []request{
			{path: "/api/status?key=" + adminToken},
			{path: "/api/status?token=" + adminToken},
			{path: "/api/status", head: []string{"X-Api-Key: " + adminToken}},
			{path: "/api/status", head: []string{"Cookie: admin_token=" + adminToken + "; session=" + adminToken}},
			{path: "/api/status", head: []string{"Authorization: " + adminToken}},
			{path: "/api/status", head: []string{"Authorization: Basic YWRtaW46YWRtaW4="}},
		} {
			if got := x.send(r); got.status != http.StatusUnauthorized {
				t.Errorf("%s: %d", r, got.status)
			}
		}
		if got := x.send(request{path: "/api/status", key: adminToken, head: []string{"Authorization: Bearer " + clientKey}}); got.status != http.StatusBadRequest {
			t.Errorf("two tokens: %d", got.status)
		}
	})
}

// carriers are the ways in which a client shows a key.
var carriers = map[string]func(r *request, key string){
	"bearer":     func(r *request, key string) { r.head = append(r.head, "Authorization: Bearer "+key) },
	"lower case": func(r *request, key string) { r.head = append(r.head, "authorization: bearer "+key) },
	"raw":        func(r *request, key string) { r.head = append(r.head, "Authorization: "+key) },
	"x-api-key":  func(r *request, key string) { r.head = append(r.head, "x-api-key: "+key) },
	"x-goog":     func(r *request, key string) { r.head = append(r.head, "x-goog-api-key: "+key) },
	"query":      func(r *request, key string) { r.path += query(r.path) + "key=" + key },
	"escaped": func(r *request, key string) {
		r.path += query(r.path) + "%6b%65y=" + strings.ReplaceAll(key, "-", "%2D")
	},
	"subprotocol": func(r *request, key string) {
		r.head = append(r.head, "Sec-WebSocket-Protocol: x, openai-insecure-api-key."+key)
	},
}

func query(path string) string {
	if strings.Contains(path, "?") {
		return "&"
	}
	return "?"
}

// SEC-22: the same key leads to the same decision, however it is shown; two
// different keys lead to none.
func TestSEC22Carriers(t *testing.T) {
	eachMode(t, "", func(t *testing.T, x *target) {
		for name, put := range carriers {
			for _, path := range []string{"/v1/models", "/v1/messages", "/v1beta/models/g-m:generateContent"} {
				r := request{method: "POST", path: path, head: []string{"Content-Type: application/json"}, body: bodyOf(path)}
				if path == "/v1/models" {
					r.method, r.body = "GET", ""
				}
				put(&r, clientKey)
				if got := x.send(r); got.status != http.StatusOK {
					t.Errorf("%s, %s: %d %s", path, name, got.status, got.body)
				}
			}
			for other, also := range carriers {
				r := request{path: "/v1/models"}
				put(&r, clientKey)
				also(&r, "sk-another-key")
				if got := x.send(r); got.status != http.StatusBadRequest {
					t.Errorf("%s, and another key by %s: %d %v", name, other, got.status, got.err)
				}
				r = request{path: "/v1/models"}
				put(&r, clientKey)
				also(&r, clientKey)
				if got := x.send(r); got.status != http.StatusOK {
					t.Errorf("the same key by %s and %s: %d %v", name, other, got.status, got.err)
				}
			}
		}
		// None of them reaches an upstream.
		for _, c := range x.upstream.Calls() {
			if s := fmt.Sprint(c.Header, c.Query, c.Path, string(c.Body)); strings.Contains(s, clientKey) {
				t.Errorf("the client's key reached the upstream: %s", s)
			}
		}
	})
}

// SEC-22, wrong keys: in every carrier, the same refusal.
func TestSEC22WrongKey(t *testing.T) {
	for name, put := range carriers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := begin(t, "strict", "")
			for _, path := range []string{"/v1/models", "/v1/chat/completions"} {
				r := request{path: path}
				put(&r, "sk-wrong")
				if got := x.send(r); got.status != http.StatusUnauthorized {
					t.Errorf("%s: %d", path, got.status)
				}
			}
			x.quiet()
		})
	}
}

// SEC-23: no spelling of a path leads past a door.
func TestSEC23PathConfusion(t *testing.T) {
	eachMode(t, "", func(t *testing.T, x *target) {
		for _, to := range []string{"api/status", "api/accounts", "metrics", "debug/pprof/cmdline", "v1/models"} {
			for _, form := range []string{
				"//%s", "///%s", "/v1//../%s", "/v1/../%s", "/v1/./../%s", "/healthz/../%s", "/v1%%2f..%%2f%s", "/v1%%2F%%2e%%2e%%2F%s", "/%%2e%%2e/%s", "/.%%2e/%s",
				"/v1%%5c..%%5c%s", `/v1\..\%s`, "/%s%%00", "/%%00%s", "/%s;x", "/%s;/../healthz", "/;/%s", "/%s.", "/%s%%20", "/%s%%09", "/%%20%s", "/%s/", "/%s//", "/%s/.", "/%s/..",
				"/%%c0%%ae%%c0%%ae/%s", "/%%e0%%80%%ae%%e0%%80%%ae/%s", "/..%%c0%%af%s", "/%%252e%%252e/%s", "/%%25%%32%%65/%s", "/%s%%23", "/%s%%3f", "/healthz%%3f/../%s",
				"/v1/models/../../%s", "/v1/models/%%2e%%2e/%%2e%%2e/%s", "/v1/files/..%%2f..%%2f%s", "/v1beta/models/x:generateContent/../../../%s", "/api/hello/../%s", "/api/hello%%2f..%%2f%s", "/v1/v1/%s",
			} {
				for _, path := range []string{fmt.Sprintf(form, to), fmt.Sprintf(form, strings.ToUpper(to)), fmt.Sprintf(form, strings.ReplaceAll(to, "/", "%2f"))} {
					got := x.send(request{path: path})
					x.shut(path, got)
				}
			}
		}
		x.quiet()
	})
}

// shut fails the test if an answer shows what is behind a door.
func (x *target) shut(path string, got reply) {
	x.t.Helper()
	low := strings.ToLower(path)
	for _, odd := range []string{"/..", "/./", "%2e", "%00", "%5c", `\`, "%c0", "%e0%80", "%09"} {
		if strings.Contains(low, odd) && got.status != http.StatusBadRequest {
			x.t.Errorf("%q: %d; no honest client sends that", path, got.status)
			break
		}
	}
	for _, sign := range []string{`"uptime_s"`, `"items"`, "portico_info", x.Dir} { // status, accounts, metrics, the command line
		if strings.Contains(got.body, sign) {
			x.t.Errorf("%q: %d shows %q", path, got.status, sign)
		}
	}
	if got.status == http.StatusOK && strings.Contains(got.body, `"object":"list"`) && requires(x.mode) {
		x.t.Errorf("%q: the models without a key", path)
	}
	if got.status >= 500 {
		x.t.Errorf("%q: %d %s", path, got.status, got.body)
	}
}

// SEC-24: no header changes what is asked, nor by which method.
func TestSEC24Overrides(t *testing.T) {
	eachMode(t, "", func(t *testing.T, x *target) {
		for _, h := range []string{
			"X-Original-URL: /api/status", "X-Rewrite-URL: /api/status", "X-Forwarded-Prefix: /api", "X-Forwarded-Uri: /api/status", "X-HTTP-Method-Override: GET",
			"X-Forwarded-Host: evil.example", "Forwarded: host=evil.example;proto=https", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443", "X-Host: evil.example", "Base-Url: http://evil.example",
		} {
			plain := x.send(request{path: "/healthz"})
			got := x.send(request{path: "/healthz", head: []string{h}})
			if got.status != plain.status || got.body != plain.body {
				t.Errorf("%s: %d %s", h, got.status, got.body)
			}
			if got := x.send(request{path: "/api/status", head: []string{h}}); got.status != http.StatusUnauthorized {
				t.Errorf("%s: %d", h, got.status)
			}
		}
		for _, h := range []string{"X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE", "X-HTTP-Method: DELETE"} {
			for _, path := range []string{"/api/accounts/openai", "/api/accounts/openai?_method=DELETE"} {
				x.send(request{method: "POST", path: path, head: []string{h, "Content-Type: application/json"}, body: "{}", key: adminToken})
				x.send(request{path: path, head: []string{h}, key: adminToken})
			}
		}
		if got := x.send(request{path: "/api/accounts/openai", key: adminToken}); got.status != http.StatusOK {
			t.Errorf("the account is gone: %d", got.status)
		}
		for _, method := range []string{"TRACE", "CONNECT", "TRACK", "DEBUG", "PROPFIND"} {
			for _, path := range []string{"/", "/api/status", "/v1/models", "/healthz", "/metrics"} {
				got := x.send(request{method: method, path: path, key: clientKey, head: []string{"X-Secret: " + "echo-me"}})
				if got.status < 400 || strings.Contains(string(got.all), "echo-me") {
					t.Errorf("%s %s: %d %s", method, path, got.status, got.all)
				}
			}
		}
		x.quiet()
	})
}

// SEC-26 restricted: over HTTP a sixth guess is not compared at all, so what is
// left is that secrets are compared in constant time. No code compares one
// with == but with nothing.
func TestSEC26Comparisons(t *testing.T) {
	root := filepath.Join("..", "..")
	compared := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil // the compiler tells it better
		}
		ast.Inspect(f, func(n ast.Node) bool {
			b, ok := n.(*ast.BinaryExpr)
			if !ok || b.Op != token.EQL && b.Op != token.NEQ {
				return true
			}
			for _, side := range [][2]ast.Expr{{b.X, b.Y}, {b.Y, b.X}} {
				call, ok := side[0].(*ast.CallExpr)
				if !ok {
					continue
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || sel.Sel.Name != "Reveal" {
					continue
				}
				compared++
				if lit, ok := side[1].(*ast.BasicLit); !ok || lit.Value != `""` {
					t.Errorf("%s compares a secret", files.Position(b.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(filepath.Join(root, "internal", "access", "access.go"))
	if err != nil || !strings.Contains(string(src), "subtle.ConstantTimeCompare") {
		t.Errorf("the gate compares otherwise: %v", err)
	}
	t.Logf("%d comparisons with nothing", compared)
}

// SEC-28 restricted: a key that is renewed opens nothing from then on; a stream
// that it opened goes on to its end, and an operator's feed ends.
func TestSEC28Revoke(t *testing.T) {
	t.Parallel()
	x := begin(t, "strict", "")
	long := ask(rig.Messages, true)
	long.Script.Chunks, long.Script.Pause = 30, 40*time.Millisecond
	begun := make(chan struct{})
	result := make(chan *rig.Answer, 1)
	go func() {
		var once sync.Once
		result <- long.Do(t.Context(), rig.Client(), x.Base, func(*rig.Answer) { once.Do(func() { close(begun) }) })
	}()
	<-begun
	feed, err := x.feed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Body.Close()
	config, err := os.ReadFile(filepath.Join(x.Dir, "portico.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const nextKey, nextToken = "sk-another-0123456789abcdef", "at-another-0123456789abcdef"
	if err := rig.WriteConfig(x.Dir, strings.NewReplacer(clientKey, nextKey, adminToken, nextToken).Replace(string(config))); err != nil {
		t.Fatal(err)
	}
	if _, err := x.operator.Call(t.Context(), http.MethodPost, "/api/reload", nil, nil); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	if got := x.send(request{path: "/v1/models", key: clientKey}); got.status != http.StatusUnauthorized {
		t.Errorf("the former key: %d", got.status)
	}
	if got := x.send(request{path: "/api/status", key: adminToken}); got.status != http.StatusUnauthorized {
		t.Errorf("the former token: %d", got.status)
	}
	if got := x.send(request{path: "/v1/models", key: nextKey}); got.status != http.StatusOK {
		t.Errorf("the new key: %d", got.status)
	}
	buf := make([]byte, 1024)
	for {
		if _, err := feed.Body.Read(buf); err != nil {
			break
		}
	}
	if took := time.Since(at); took > 3*time.Second {
		t.Errorf("the operator's feed went on for %s", took)
	}
	if got := <-result; !got.Whole {
		t.Errorf("the stream that was open: %+v", got)
	}
}

// feed opens the operator's live feed.
func (x *target) feed(ctx context.Context) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.Base+"/api/live", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	return rig.Client().Do(r)
}

// SEC-29, SEC-30: there are no sessions yet, so nobody is given a cookie.
func TestSEC29NoCookies(t *testing.T) {
	x := begin(t, "off", "")
	for _, p := range slices.Concat(getPaths, dataPaths) {
		for _, key := range []string{"", clientKey, adminToken} {
			got := x.send(request{path: p, key: key})
			if c := got.head["Set-Cookie"]; len(c) > 0 {
				t.Errorf("%s sets %q", p, c)
			}
			if key == adminToken {
				break
			}
		}
	}
}
