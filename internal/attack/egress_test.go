package attack

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/internal/rig"
)

// A trap is a server that nobody should ever ask.
type trap struct {
	*httptest.Server
	hits atomic.Int64
	last atomic.Pointer[string]
}

func setTrap(t *testing.T) *trap {
	t.Helper()
	p := &trap{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.hits.Add(1)
		b, _ := io.ReadAll(r.Body)
		s := fmt.Sprintf("%s %s %v %s", r.Method, r.URL, r.Header, b)
		p.last.Store(&s)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[]}`)
	}))
	t.Cleanup(p.Close)
	return p
}

// untouched fails the test if somebody asked.
func (p *trap) untouched(t *testing.T) {
	t.Helper()
	if n := p.hits.Load(); n > 0 {
		t.Errorf("%d requests came to where none should, the last: %s", n, *p.last.Load())
	}
}

// SEC-32: nothing in a request changes where it goes, and no credential leaves
// for elsewhere.
func TestSEC32Overrides(t *testing.T) {
	p := setTrap(t)
	x := begin(t, "off", "")
	to := p.URL
	members := fmt.Sprintf(`"api_base":%[1]q,"base_url":%[1]q,"api_key":"x","custom_llm_provider":"openai","extra_body":{"base_url":%[1]q},"extra_headers":{"Host":"evil.example"},"api_host":%[1]q,"endpoint":%[1]q,"proxy":%[1]q,"host":%[1]q,"url":%[1]q,"x-portkey-custom-host":%[1]q`, to)
	heads := []string{
		"X-Portkey-Custom-Host: " + to, "X-Upstream-Url: " + to, "X-Target-Url: " + to, "X-Base-Url: " + to, "Helicone-Target-Url: " + to, "Cf-Aig-Target: " + to,
		"X-Forwarded-Host: " + p.Listener.Addr().String(), "Proxy-Authorization: Basic eDp5", "X-Proxy-Url: " + to, "Api-Base: " + to, "Openai-Base-Url: " + to, "Forwarded: host=evil.example", "Destination: " + to,
	}
	for _, path := range []string{"/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/g-m:generateContent", "/v1/embeddings", "/v1/files"} {
		body := strings.TrimSuffix(bodyOf(path), "}") + "," + members + "}"
		for _, query := range []string{"", "?api_base=" + to, "?base_url=" + to + "&host=evil.example", "?url=" + to} {
			x.send(request{method: "POST", path: path + query, head: with(heads, "Content-Type: application/json"), body: body})
		}
	}
	// Paths that try to leave the account's own.
	for _, path := range []string{
		"/v1/files/@evil.example/x", "/v1/files//evil.example/x", "/v1/files/" + to, "/v1/responses/..%2f..%2f..%2fadmin", "/v1beta/models/x@evil.example:generateContent",
		"/v1beta/models/..%2f..%2fx:generateContent", "/v1beta/files/../../x", "/v1/files/x%23@evil.example", "/v1/files/%0d%0aHost:%20evil.example",
	} {
		x.send(request{path: path, key: ""})
		x.send(request{method: "POST", path: path, head: []string{"Content-Type: application/json"}, body: chatBody})
	}
	p.untouched(t)
	want := strings.TrimPrefix(x.upstream.URL, "http://")
	calls := x.upstream.Calls()
	for _, c := range calls {
		if c.Host != want || strings.Contains(c.Path, "..") {
			t.Errorf("the upstream was asked as %q for %q", c.Host, c.Path)
		}
		for name := range c.Header {
			if strings.HasPrefix(name, "X-Portkey") || strings.HasPrefix(name, "X-Forwarded") || strings.Contains(name, "Url") || name == "Proxy-Authorization" || name == "Forwarded" {
				t.Errorf("the upstream was told %s", name)
			}
		}
	}
	if len(calls) < 20 {
		t.Errorf("only %d requests came to the upstream", len(calls))
	}
}

// SEC-33: a redirect is an error, and takes nothing anywhere.
func TestSEC33Redirects(t *testing.T) {
	p := setTrap(t)
	x := begin(t, "off", "")
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, where := range []string{p.URL + "/v1/steal", "https://evil.example/", "//" + p.Listener.Addr().String() + "/", "/v1/elsewhere", "http://169.254.169.254/latest"} {
			x.upstream.Answer(func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
				w.Header().Set("Location", where)
				w.WriteHeader(status)
				return true
			})
			for _, protocol := range rig.Protocols {
				x.heal()
				got := ask(protocol, status%2 == 0).Do(t.Context(), x.operator.HTTP, x.Base, nil)
				if got.Status < 500 || got.Header.Get("Location") != "" {
					t.Errorf("%s, %d to %s: the client got %d %v", protocol, status, where, got.Status, got.Header)
				}
			}
			// What the gateway asks by itself follows none either.
			if _, err := x.operator.Call(t.Context(), http.MethodPost, "/api/accounts/openai/test", nil, nil); err != nil {
				t.Error(err)
			}
		}
	}
	for _, c := range x.upstream.All() {
		if strings.Contains(c.Path, "elsewhere") {
			t.Error("a redirect within the upstream was followed")
		}
	}
	p.untouched(t)
}

// SEC-34: a key that was given for one address is not sent to another.
func TestSEC34KeyStaysWithItsAddress(t *testing.T) {
	p := setTrap(t)
	x := begin(t, "off", "")
	call := func(method, path string, body any) int {
		t.Helper()
		status, _ := x.operator.Call(t.Context(), method, path, body, nil)
		return status
	}
	if status := call(http.MethodPost, "/api/accounts", map[string]any{
		"name": "own", "provider": "openai-compatible", "base_url": x.upstream.Base(rig.Chat), "api_key": openaiKey,
		"headers": map[string]string{"X-Org": headerKey}, "models": []string{"own-*"},
	}); status != http.StatusCreated {
		t.Fatal(status)
	}
	for name, change := range map[string]map[string]any{
		"address":                {"base_url": p.URL + "/v1"},
		"address of the same":    {"base_url": x.upstream.Base(rig.Chat) + "/x"},
		"proxy":                  {"proxy": p.URL},
		"preset":                 {"preset": "groq"},
		"option":                 {"options": map[string]string{"insecure_http": "true"}},
		"address, with a key":    {"base_url": p.URL + "/v1", "api_key": "sk-mine"},
		"address, with headers":  {"base_url": p.URL + "/v1", "headers": map[string]string{}},
		"proxy, with a key only": {"proxy": p.URL, "api_key": "sk-mine"},
	} {
		if status := call(http.MethodPatch, "/api/accounts/own", change); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status := call(http.MethodPatch, "/api/accounts/openai", map[string]any{"base_url": p.URL}); status != http.StatusConflict {
		t.Errorf("a declared account: %d", status)
	}
	a := ask(rig.Chat, false)
	a.Model = "own-1"
	if got := a.Do(t.Context(), x.operator.HTTP, x.Base, nil); !got.Whole {
		t.Errorf("the account as it was: %+v", got)
	}
	// With all of its own secrets it may move.
	if status := call(http.MethodPatch, "/api/accounts/own", map[string]any{"base_url": p.URL + "/v1", "api_key": "sk-mine", "headers": map[string]string{}}); status != http.StatusOK {
		t.Errorf("with a new key: %d", status)
	}
	call(http.MethodPost, "/api/accounts/own/test", nil)
	if s := p.last.Load(); s == nil || strings.Contains(*s, "CANARY") {
		t.Errorf("it asks with %v", s)
	}
}

// SEC-35: an account's address may be anywhere but where the keys of the
// machine itself are. It is looked at when dialling, so that no spelling and no
// name gets around it.
func TestSEC35Addresses(t *testing.T) {
	x := beginWith(t, "off", listen(t), "", rig.Options{})
	for i, base := range []string{
		"http://169.254.169.254/latest", "https://169.254.169.254", "http://[::ffff:169.254.169.254]", "http://[::ffff:a9fe:a9fe]", "http://[fd00:ec2::254]", "http://100.100.100.200",
		"http://0.0.0.0:8045", "http://[::]:8045", "http://[fe80::1]", "http://[64:ff9b::a9fe:a9fe]", "http://224.0.0.1", "http://255.255.255.255", "http://0.1.2.3",
		"http://2852039166", "http://0xa9fea9fe", "http://0251.0376.0251.0376", "http://169.254.43518", // other spellings of the first
		"file:///etc/passwd", "gopher://127.0.0.1:25", "unix:///var/run/docker.sock", "ftp://127.0.0.1",
	} {
		name := fmt.Sprintf("to-%d", i)
		status, err := x.operator.Call(t.Context(), http.MethodPost, "/api/accounts", map[string]any{
			"name": name, "provider": "openai-compatible", "base_url": base, "api_key": "sk-x",
			"models": []string{name}, "options": map[string]string{"insecure_http": "true"},
		}, nil)
		if status >= 400 && status < 500 {
			continue // refused at once
		}
		if err != nil {
			t.Errorf("%s: %v", base, err)
			continue
		}
		began := time.Now()
		var tested struct {
			OK   bool   `json:"ok"`
			Text string `json:"text"`
		}
		if _, err := x.operator.Call(t.Context(), http.MethodPost, "/api/accounts/"+name+"/test", nil, &tested); err != nil || tested.OK {
			t.Errorf("%s: %+v, %v", base, tested, err)
		}
		a := ask(rig.Chat, false)
		a.Model = name
		got := a.Do(t.Context(), x.operator.HTTP, x.Base, nil)
		if got.Status < 500 {
			t.Errorf("%s: %d", base, got.Status)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s: it was dialled, for %s", base, took)
		}
	}
}

// SEC-36: what a request names is not fetched.
func TestSEC36NothingIsFetched(t *testing.T) {
	p := setTrap(t)
	x := begin(t, "off", "")
	image := p.URL + "/image.png"
	for path, body := range map[string]string{
		"/v1/chat/completions":               fmt.Sprintf(`{"model":"o-m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":%q}}]}]}`, image),
		"/v1/responses":                      fmt.Sprintf(`{"model":"o-m","input":[{"role":"user","content":[{"type":"input_image","image_url":%q},{"type":"input_file","file_url":%q}]}]}`, image, image),
		"/v1/messages":                       fmt.Sprintf(`{"model":"c-m","max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":%q}}]}]}`, image),
		"/v1beta/models/g-m:generateContent": fmt.Sprintf(`{"contents":[{"parts":[{"fileData":{"fileUri":%q,"mimeType":"image/png"}}]}]}`, image),
		"/v1/messages/count_tokens":          fmt.Sprintf(`{"model":"c-m","messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":%q}}]}]}`, image),
		"/v1/completions":                    fmt.Sprintf(`{"model":"o-m","prompt":%q}`, image),
	} {
		x.send(request{method: "POST", path: path, head: []string{"Content-Type: application/json"}, body: body})
	}
	p.untouched(t)
	if len(x.upstream.Calls()) < 5 {
		t.Errorf("only %d requests came to the upstream", len(x.upstream.Calls()))
	}
}

// SEC-37: a gateway that is its own upstream, at once or by another, stops
// after one round.
func TestSEC37Loops(t *testing.T) {
	port, err := rig.FreePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	self := fmt.Sprintf("accounts:\n  - {name: self, provider: openai, base_url: 'http://127.0.0.1:%d/v1', api_key: %s}\n", port, clientKey)
	// It shows its own key to itself, and lists its own models.
	a := beginWith(t, "off", listen(t), self, rig.Options{Port: port})
	for i, stream := range []bool{false, true} {
		got := ask(rig.Chat, stream).Do(t.Context(), a.operator.HTTP, a.Base, nil)
		rows := a.rows()
		if got.Status != http.StatusLoopDetected || len(rows) != 2*(i+1) {
			t.Errorf("A to A: status %d, %d rows: %+v", got.Status, len(rows), rows)
		}
	}

	second, err := rig.FreePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	to := func(port int) string {
		return fmt.Sprintf("accounts:\n  - {name: other, provider: openai, base_url: 'http://127.0.0.1:%d/v1', api_key: %s}\n", port, clientKey)
	}
	b := beginWith(t, "off", listen(t), to(second), rig.Options{})
	c := beginWith(t, "off", listen(t), to(b.Port), rig.Options{Port: second})
	got := ask(rig.Chat, false).Do(t.Context(), b.operator.HTTP, b.Base, nil)
	if rows, others := b.rows(), c.rows(); got.Status != http.StatusLoopDetected || len(rows) != 2 || len(others) != 1 {
		t.Errorf("A to B to A: status %d, %d and %d rows", got.Status, len(rows), len(others))
	}
	// A client that claims to have come around is refused at once.
	if got := a.send(request{method: "POST", path: "/v1/chat/completions", head: []string{"Content-Type: application/json", "X-Portico-Hop: a, b, c, d"}, body: chatBody}); got.status != http.StatusLoopDetected {
		t.Errorf("four gateways: %d", got.status)
	}
}

// rows are the ledger's.
func (x *target) rows() []rig.Row {
	x.t.Helper()
	rows, err := x.operator.Ledger(x.t.Context(), time.Time{})
	if err != nil {
		x.t.Fatal(err)
	}
	return rows
}

// SEC-38: of a request's headers those cross that change what is asked; what
// says who the client is, or belongs to the connection, does not.
func TestSEC38RequestHeaders(t *testing.T) {
	eachMode(t, "", func(t *testing.T, x *target) {
		secret := "do-not-forward"
		head := []string{
			"Content-Type: application/json", "Connection: keep-alive, x-api-key, x-secret", "X-Secret: " + secret, "Cookie: session=" + secret, "Proxy-Authorization: Basic " + secret,
			"Proxy-Connection: keep-alive", "X-Forwarded-For: " + secret, "X-Real-Ip: " + secret, "Via: 1.1 " + secret, "Referer: http://" + secret, "TE: trailers", "X-Goog-User-Project: " + secret,
			"Openai-Organization: " + secret, "Openai-Project: " + secret, "X-Stainless-Lang: " + secret, "X-Stainless-Os: " + secret, "Anthropic-Version: 2023-06-01", "Anthropic-Beta: tools-1",
			"Anthropic-Dangerous-Direct-Browser-Access: true", "Api-Key: " + secret, "X-Amz-Security-Token: " + secret, "User-Agent: " + secret, "Expect: 100-continue", "Traceparent: " + secret,
			"Keep-Alive: timeout=5", "If-Match: " + secret, "X-Portico-Admin: " + secret, "Alt-Used: " + secret, "Accept-Encoding: br",
		}
		for _, path := range []string{"/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/g-m:generateContent?key=" + clientKey, "/v1/embeddings", "/v1/files"} {
			got := x.send(request{method: "POST", path: path, head: head, key: clientKey, body: bodyOf(path)})
			if got.status == http.StatusUnauthorized || got.status == http.StatusForbidden {
				t.Errorf("%s: %d %s", path, got.status, got.body)
			}
		}
		calls := x.upstream.All()
		if len(calls) < 6 {
			t.Errorf("only %d requests came to the upstream", len(calls))
		}
		allowed := []string{"Accept", "Accept-Encoding", "Anthropic-Beta", "Anthropic-Version", "Authorization", "Content-Length", "Content-Type", "User-Agent", "X-Api-Key", "X-Goog-Api-Key", "X-Portico-Hop", "X-Team"}
		own := []string{"Bearer " + openaiKey, claudeKey, googleKey, headerKey}
		for _, c := range calls {
			for name, values := range c.Header {
				all := strings.Join(values, ",")
				if !slices.Contains(allowed, name) {
					t.Errorf("%s: the upstream was told %s: %s", c.Path, name, all)
				}
				if strings.Contains(all, secret) || strings.Contains(all, clientKey) || len(values) > 1 {
					t.Errorf("%s: the upstream was told %s: %q", c.Path, name, values)
				}
				if strings.Contains(all, "CANARY") && !slices.Contains(own, all) {
					t.Errorf("%s: %s shows %q", c.Path, name, all)
				}
			}
			shows := 0
			for _, name := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
				shows += len(c.Header[name])
			}
			if shows != 1 || strings.Contains(c.Query, "key=") || strings.Contains(string(c.Body), clientKey) {
				t.Errorf("%s?%s: %d credentials", c.Path, c.Query, shows)
			}
		}
	})
}

// SEC-39: of an answer's headers those cross that describe it.
func TestSEC39ResponseHeaders(t *testing.T) {
	x := begin(t, "off", "")
	x.upstream.Answer(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		h := w.Header()
		for name, value := range map[string]string{
			"Set-Cookie": "a=b", "Location": "http://evil.example", "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true", "Clear-Site-Data": `"*"`,
			"Server": "evil/1", "X-Powered-By": "evil", "Strict-Transport-Security": "max-age=1", "Content-Security-Policy": "default-src *", "Refresh": "0; url=http://evil.example", "Link": "<http://evil.example>; rel=preload",
			"Alt-Svc": `h3=":443"`, "X-Portico-Request-Id": "req_forged", "X-Portico-Loss": "forged", "Www-Authenticate": "Basic", "Cf-Ray": "x", "Report-To": "x", "Content-Location": "x", "Upgrade": "h2c",
			"X-Request-Id": "up-1", "Retry-After": "7", "X-Ratelimit-Remaining": "3",
		} {
			h.Set(name, value)
		}
		if strings.Contains(r.URL.Path, "embeddings") {
			h.Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"no","type":"invalid_request_error"}}`)
			return true
		}
		return false
	})
	for _, path := range []string{"/v1/chat/completions", "/v1/messages", "/v1/embeddings", "/v1beta/models/g-m:streamGenerateContent?alt=sse"} {
		got := x.send(request{method: "POST", path: path, head: []string{"Content-Type: application/json"}, body: bodyOf(path)})
		if got.status != http.StatusOK && got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		for _, name := range []string{
			"Set-Cookie", "Location", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Clear-Site-Data", "Server", "X-Powered-By", "Strict-Transport-Security",
			"Content-Security-Policy", "Refresh", "Link", "Alt-Svc", "X-Portico-Loss", "Www-Authenticate", "Cf-Ray", "Report-To", "Content-Location", "Upgrade",
		} {
			if v := got.head[name]; len(v) > 0 {
				t.Errorf("%s: the upstream's %s came through: %q", path, name, v)
			}
		}
		if id := got.head.Get("X-Portico-Request-Id"); id == "req_forged" || len(got.head["X-Portico-Request-Id"]) != 1 {
			t.Errorf("%s: the request id is %q", path, got.head["X-Portico-Request-Id"])
		}
		if got.head.Get("X-Request-Id") != "up-1" || got.head.Get("X-Ratelimit-Remaining") != "3" {
			t.Errorf("%s: what should come through did not: %v", path, got.head)
		}
	}
}

// SEC-39, what no server of Go's would send: headers that are too large, or
// hold a line end.
func TestSEC39BrokenHeaders(t *testing.T) {
	for name, head := range map[string]string{
		"a megabyte":           "X-Ratelimit-Big: " + strings.Repeat("a", 1<<20) + "\r\n",
		"many":                 strings.Repeat("X-Ratelimit-Many: 1234567890\r\n", 20_000),
		"a bare line end":      "X-Request-Id: a\rSet-Cookie: b=c\r\n",
		"a space in the name":  "X-Request Id: a\r\n",
		"two lengths":          "Content-Length: 2\r\nContent-Length: 3\r\n",
		"a negative length":    "Content-Length: -5\r\n",
		"a folded line":        "X-Request-Id: a\r\n Set-Cookie: b=c\r\n",
		"a NUL":                "X-Request-Id: a\x00b\r\n",
		"an unknown coding":    "Transfer-Encoding: gzip, chunked\r\n",
		"many early responses": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head + "\r\n{}"
			if name == "many early responses" {
				text = strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 10_000) + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
			}
			u := rawUpstream(t, text)
			x := beginWith(t, "off", listen(t), fmt.Sprintf("accounts:\n  - {name: raw, provider: openai, base_url: 'http://%s/v1', api_key: %s}\n", u, openaiKey), rig.Options{})
			for _, path := range []string{"/v1/chat/completions", "/v1/embeddings", "/v1/images/generations"} {
				got := x.send(request{method: "POST", path: path, head: []string{"Content-Type: application/json"}, body: `{"model":"o-m","messages":[],"input":"x","prompt":"x"}`})
				// Go's client mends or drops these.
				mended := name == "a folded line" || name == "a NUL" || name == "a space in the name"
				if got.status < 500 && !mended || got.head.Get("Set-Cookie") != "" || strings.Contains(string(got.all), "\nSet-Cookie") || len(got.all) > 100_000 {
					t.Errorf("%s: %d %.300s", path, got.status, got.all)
				}
			}
		})
	}
}

// rawUpstream answers every connection with the same bytes and closes it.
func rawUpstream(t *testing.T, text string) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				buf := make([]byte, 64<<10)
				_, _ = c.Read(buf)
				_, _ = io.WriteString(c, text)
			}()
		}
	}()
	return l.Addr().String()
}

// SEC-58 restricted: an upstream that tells the key again, in any place and
// spelling, does not tell it to the client.
func TestSEC58EchoedKey(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	for _, spell := range []func(string) string{
		func(k string) string { return k },
		func(k string) string { return k[:20] + "..." },
		func(k string) string { return "..." + k[20:] },
		func(k string) string { return k[:8] + "****" + k[len(k)-8:] },
	} {
		for _, status := range []int{200, 400, 401, 403, 404, 500, 529} {
			x.echo(status, spell, rig.Protocols...)
		}
		// After it an account is asked at a slower pace.
		begin(t, "off", "").echo(http.StatusTooManyRequests, spell, rig.Chat, rig.Messages, rig.Gemini)
	}
	for _, path := range []string{"/api/accounts", "/api/requests?limit=500", "/metrics", "/api/doctor", "/api/config"} {
		if got := x.send(request{path: path, key: adminToken}); got.status != http.StatusOK {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// echo asks in some protocols while the upstream says the key again, spelt so,
// with a status; what comes back is looked through for canaries.
func (x *target) echo(status int, spell func(string) string, protocols ...string) {
	x.t.Helper()
	x.upstream.Answer(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method != http.MethodPost {
			return false
		}
		key := r.Header.Get("X-Api-Key") + r.Header.Get("X-Goog-Api-Key") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "id-"+key)
		w.Header().Set("Retry-After", "60") // too long for the gateway to wait itself
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"type":"error","error":{"type":"x","code":401,"status":"X","message":"Incorrect API key provided: %s. You can find"}}`, spell(key))
		return true
	})
	before := len(x.upstream.Calls())
	for _, protocol := range protocols {
		r, err := ask(protocol, status%3 == 0).Request(x.t.Context(), x.Base)
		if err != nil {
			x.t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			x.t.Fatal(err)
		}
		x.send(request{method: "POST", path: r.URL.RequestURI(), head: []string{"Content-Type: application/json"}, body: string(body)})
		x.heal()
	}
	if n := len(x.upstream.Calls()) - before; n < len(protocols) {
		x.t.Errorf("status %d: the upstream was asked %d times for %d requests", status, n, len(protocols))
	}
}
