package attack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/rig"
)

// crowd opens n connections and sends text on each.
func (x *target) crowd(n int, text string) (conns []net.Conn) {
	x.t.Helper()
	d := net.Dialer{Timeout: 5 * time.Second}
	for range n {
		c, err := d.DialContext(x.t.Context(), "tcp", x.addr)
		if err != nil {
			break // the system takes no more
		}
		if _, err := io.WriteString(c, text); err != nil {
			x.t.Error(err)
		}
		conns = append(conns, c)
	}
	x.t.Cleanup(func() {
		for _, c := range conns {
			_ = c.Close()
		}
	})
	return conns
}

// slowest is the p99 of n small requests.
func (x *target) slowest(n int) time.Duration {
	x.t.Helper()
	var ts []time.Duration
	for range n {
		began := time.Now()
		x.serves()
		ts = append(ts, time.Since(began))
	}
	slices.Sort(ts)
	return ts[len(ts)*99/100]
}

// closedWithin is how long it takes until the other side closes c, at most
// most.
func closedWithin(c net.Conn, most time.Duration) (took time.Duration, answer string, ok bool) {
	began := time.Now()
	_ = c.SetReadDeadline(began.Add(most))
	b, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return time.Since(began), string(b), false
	}
	return time.Since(began), string(b), true
}

// SEC-41: who sends half a request, or one byte a second, is cut off in ten
// seconds, and disturbs nobody meanwhile.
func TestSEC41Slowloris(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	usual := x.slowest(100)
	head := "POST /v1/chat/completions HTTP/1.1\r\nHost: " + x.host + "\r\nContent-Type: application/json\r\n"
	began := time.Now()
	x.grows(150<<20, func() {
		halves := x.crowd(scaled(5000, 500), head+"X-Slow: ")
		silent := x.crowd(scaled(500, 20), "")
		bodies := x.crowd(scaled(500, 20), head+"Content-Length: 1000\r\n\r\n{")
		chunked := x.crowd(scaled(500, 20), head+"Transfer-Encoding: chunked\r\n\r\n5\r\n{")
		refused := x.crowd(20, "POST /v1/nothing HTTP/1.1\r\nHost: "+x.host+"\r\nContent-Length: 1000\r\n\r\n{")
		// The operator's side has a limit of its own, behind its door.
		operator := x.crowd(20, "POST /api/accounts HTTP/1.1\r\nHost: "+x.host+"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
		drip := time.NewTicker(time.Second)
		defer drip.Stop()
		stop := make(chan struct{})
		go func() { // one byte a second on each
			for {
				select {
				case <-stop:
					return
				case <-drip.C:
				}
				for _, c := range slices.Concat(halves, bodies) {
					_, _ = io.WriteString(c, "a")
				}
			}
		}()
		defer close(stop)
		// Beside other tests the machine is slow by itself.
		slack := time.Duration(scaled(100, 1000)) * time.Millisecond
		if during := x.slowest(100); during > 2*usual+slack {
			t.Errorf("an honest client waits %s, before it was %s", during, usual)
		}
		var wg sync.WaitGroup
		for name, conns := range map[string][]net.Conn{"half headers": halves, "nothing": silent, "a slow body": bodies, "a slow chunk": chunked, "a body that nobody wants": refused, "a slow body at the operator's door": operator} {
			for _, c := range conns {
				wg.Go(func() {
					if _, answer, ok := closedWithin(c, 25*time.Second-time.Since(began)); !ok {
						t.Errorf("%s: still open after %s: %q", name, time.Since(began), answer)
					}
				})
			}
		}
		wg.Wait()
	})
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the last was cut off after %s", took)
	}
	x.quietButHonest()
	x.serves()
}

// quietButHonest is quiet but for what x.serves asked.
func (x *target) quietButHonest() {
	x.t.Helper()
	for _, c := range x.upstream.Calls() {
		if !strings.Contains(string(c.Body), "[rig ") {
			x.t.Errorf("an unfinished request reached the upstream: %q", c.Body)
		}
	}
}

// SEC-48: when a process has no more connections to give, it does not spin,
// those that are open go on being served, no account is blamed, and all is well
// as soon as they have left.
func TestSEC48NoMoreConnections(t *testing.T) {
	t.Parallel()
	const limit = 300
	u := listen(t)
	x := beginWith(t, "off", u, accounts(u), rig.Options{Under: []string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, limit)}})
	x.serves() // leaves a connection, of the client's and to the upstream
	idle := x.crowd(scaled(20_000, 500), "")
	time.Sleep(500 * time.Millisecond)
	before, err := rig.UsageOf(x.PID())
	if err != nil {
		t.Skipf("the use of a process cannot be read here: %v", err)
	}
	time.Sleep(time.Second)
	after, err := rig.UsageOf(x.PID())
	if err != nil {
		t.Fatal(err)
	}
	if spent := after.CPU - before.CPU; spent > 200*time.Millisecond {
		t.Errorf("it takes %s of a second while it can accept nobody", spent)
	}
	if after.FDs > limit-20 {
		t.Errorf("%d of %d files are open: nothing is left for upstreams and the ledger", after.FDs, limit)
	}
	for _, protocol := range rig.Protocols { // needs new connections to the upstream
		got := ask(protocol, false).Do(t.Context(), x.operator.HTTP, x.Base, nil)
		if got.Err != nil || got.Status != http.StatusOK {
			t.Errorf("%s on a connection that is open: %d %v %s", protocol, got.Status, got.Err, got.Told)
			break
		}
	}
	for _, c := range idle {
		_ = c.Close()
	}
	left := time.Now()
	for {
		if got := x.send(request{path: "/healthz"}); got.status == http.StatusOK {
			break
		}
		if time.Since(left) > 5*time.Second {
			t.Fatal("it does not recover within 5 s")
		}
		time.Sleep(20 * time.Millisecond)
	}
	x.serves()
}

// SEC-49: an upstream that sends what is no stream takes a bounded memory, and
// the client is told in its own dialect.
func TestSEC49StreamGarbage(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	megabytes := scaled(100, 40)
	pieces := map[string]struct {
		piece string
		times int
	}{
		"no blank line ever":     {"data: {\"a\":1}\n", megabytes << 20 / 14},
		"a line without an end":  {strings.Repeat("a", 1<<20), megabytes},
		"data without an end":    {"data: " + strings.Repeat("a", 1<<20), megabytes},
		"NULs":                   {strings.Repeat("\x00", 64<<10), megabytes * 16},
		"CR alone":               {"data: {}\r\r", 200_000},
		"invalid UTF-8":          {"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n", 1000},
		"tiny events":            {"data: {}\n\n", scaled(1_000_000, 300_000)},
		"a flood of comments":    {": ping\n\n", scaled(1_000_000, 300_000)},
		"a flood of empty lines": {"\n\n\n\n", scaled(1_000_000, 300_000)},
		"a name without an end":  {"event: " + strings.Repeat("e", 1<<20), megabytes},
		"no JSON":                {"data: {{{{\n\n", 10_000},
		"deep JSON":              {"data: " + strings.Repeat("[", 1<<20) + "\n\n", 3},
	}
	for name, p := range pieces {
		for _, first := range []bool{false, true} {
			x.upstream.Answer(garbage(p.piece, p.times, first))
			for _, protocol := range rig.Protocols {
				began := time.Now()
				var status int
				var body []byte
				// An event may have 16 MiB, and is held until it is whole.
				x.grows(80<<20, func() { status, body = x.stream(protocol) })
				took := time.Since(began)
				end := string(body[max(0, len(body)-2000):])
				switch {
				case status != http.StatusOK && (first || status < 500):
					t.Errorf("%s, %s, first event %t: %d %.200s", name, protocol, first, status, body)
				case status == http.StatusOK && !tellsError(protocol, end):
					t.Errorf("%s, %s, first event %t: it ends with %.300q", name, protocol, first, end)
				case took > 15*time.Second:
					t.Errorf("%s, %s: %s", name, protocol, took)
				}
				x.heal()
			}
		}
	}
}

// garbage answers with a piece so many times, after a sound first event or not.
func garbage(piece string, times int, first bool) rig.Reply {
	return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method != http.MethodPost {
			return false
		}
		w.Header().Set("Content-Type", "text/event-stream")
		out := bufio.NewWriterSize(w, 64<<10)
		if first {
			_, _ = out.WriteString(firstEvent(r.URL.Path))
			_ = out.Flush()
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
		for range times {
			if _, err := out.WriteString(piece); err != nil {
				return true
			}
		}
		_ = out.Flush()
		return true
	}
}

// stream asks for a stream and returns all bytes of it.
func (x *target) stream(protocol string) (status int, body []byte) {
	x.t.Helper()
	r, err := ask(protocol, true).Request(x.t.Context(), x.Base)
	if err != nil {
		x.t.Fatal(err)
	}
	resp, err := x.operator.HTTP.Do(r)
	if err != nil {
		x.t.Error(err)
		return 0, nil
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 256<<20))
	if err != nil {
		x.t.Errorf("%s: the connection broke: %v", protocol, err)
	}
	return resp.StatusCode, body
}

// tellsError reports whether a stream ends with an error, as its protocol has
// it, and nothing after it.
func tellsError(protocol, end string) bool {
	sign := map[string]string{rig.Chat: "data: {\"error\":{", rig.Responses: "event: response.failed\ndata: {", rig.Messages: "event: error\ndata: {", rig.Gemini: "data: {\"error\":{"}[protocol]
	i := strings.LastIndex(end, sign)
	return i > 0 && (end[i-1] == '\n' || end[i-1] == '\r') && strings.HasSuffix(end, "\n\n") && !strings.Contains(strings.TrimSuffix(end[i:], "\n\n"), "\n\n") && !strings.Contains(end[i:], "[DONE]")
}

// firstEvent is the beginning of an answer in the protocol of a path.
func firstEvent(path string) string {
	switch {
	case strings.Contains(path, "chat"):
		return `data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":null}]}` + "\n\n"
	case strings.Contains(path, "responses"):
		return "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"object\":\"response\",\"status\":\"in_progress\",\"output\":[]}}\n\n" +
			"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"delta\":\"Hello\"}\n\n"
	case strings.Contains(path, "messages"):
		return "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n" +
			"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
			"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n"
	}
	return `data: {"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"index":0}]}` + "\n\n"
}

// SEC-51 restricted: after a run with everything in it that goes wrong, no
// canary is in what the gateway shows. The log and the files are looked through
// at the end of every test.
func TestSEC51CanarySweep(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler()) // whose certificate nobody knows
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	u := listen(t)
	x := beginWith(t, "strict", u, accounts(u)+fmt.Sprintf(`  - {name: tls, provider: openai-compatible, base_url: '%s/v1', api_key: %s, models: [tls]}
  - {name: closed, provider: openai-compatible, base_url: 'http://127.0.0.1:1/v1', api_key: %s, models: [closed]}
  - {name: proxied, provider: openai-compatible, base_url: 'https://api.example.invalid/v1', api_key: %s, models: [proxied], proxy: 'http://user:%s@127.0.0.1:1'}
  - {name: byenv, provider: openai-compatible, base_url: %q, api_key: env:THEIR_KEY, models: [byenv]}
log: {level: debug}
`, secure.URL, openaiKey, openaiKey, openaiKey, headerKey, u.Base(rig.Chat)), rig.Options{Env: []string{"THEIR_KEY=" + claudeKey}})
	if status, err := x.operator.Call(t.Context(), http.MethodPost, "/api/accounts", map[string]any{
		"name": "stored", "provider": "openai-compatible", "base_url": u.Base(rig.Chat), "api_key": googleKey,
		"headers": map[string]string{"X-Org": headerKey}, "models": []string{"stored"},
	}, nil); status != http.StatusCreated {
		t.Fatal(err)
	}
	n := int64(0)
	for _, protocol := range rig.Protocols {
		for _, stream := range []bool{false, true} {
			for _, fault := range []string{"", "400", "401", "403", "404", "413", "429", "500", "529", rig.Early, rig.Head, rig.Middle, rig.Unended, rig.Garbage, rig.Page, rig.Empty, rig.Error} {
				for _, model := range []string{models[protocol], "tls", "closed", "proxied", "byenv", "stored", "nobody-has-it"} {
					if model != models[protocol] && (protocol != rig.Chat || fault != "") {
						continue
					}
					n++
					a := ask(protocol, stream)
					a.Model, a.Script.N, a.Script.Fault = model, n, fault
					got := a.Do(t.Context(), x.operator.HTTP, x.Base, nil)
					if s := leak([]byte(fmt.Sprint(got.Header, got.Told, got.Text, got.Err)), false); s != "" {
						t.Errorf("%s, %s, %s: %s", protocol, fault, model, s)
					}
				}
			}
		}
	}
	for _, r := range x.adminRoutes() { // the operator, too
		if r.method == http.MethodDelete || strings.Contains(r.path, "/profile") || strings.Contains(r.path, "/trace") || r.path == "/api/live" ||
			strings.HasSuffix(r.path, "/reveal") { // whose purpose is to show one; TestSEC55Reveal attacks it
			continue
		}
		r.key = adminToken
		x.send(r)
	}
	for _, path := range []string{"/api/requests?limit=500", "/api/accounts/stored", "/api/config", "/api/doctor", "/metrics", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline", "/debug/pprof/heap?debug=1"} {
		if got := x.send(request{path: path, key: adminToken}); got.status != http.StatusOK {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	// What the operator's token or a key is guessed with is told to nobody.
	for _, path := range []string{"/v1/models?key=" + adminToken, "/v1/files/" + clientKey, "/v1/nothing-" + clientKey} {
		x.send(request{path: path})
	}
}
