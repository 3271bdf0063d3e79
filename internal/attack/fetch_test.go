package attack

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// SEC-36: with files fetched, no address that a request names leads to a
// private place: at once, by another spelling, by a name or by a redirect. Nor
// can a client tell what is there from what is not.
func TestSEC36FetchedFilesArePublic(t *testing.T) {
	p := setTrap(t)
	_, port, err := net.SplitHostPort(p.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// Of this machine one address is allowed, from where a redirect leads on.
	const config = "fetch: {enabled: true, timeout: 300ms, networks: [127.0.0.2/32]}\n"
	x := begin(t, "off", config)
	picture := func(protocol, address string) reply {
		t.Helper()
		path, body := "/v1/chat/completions", fmt.Sprintf(`{"model":"g-gemini-2.0-flash","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":%q}}]}]}`, address)
		switch protocol {
		case "responses":
			path, body = "/v1/responses", fmt.Sprintf(`{"model":"g-gemini-2.0-flash","input":[{"role":"user","content":[{"type":"input_file","file_url":%q}]}]}`, address)
		case "messages":
			path, body = "/v1/messages", fmt.Sprintf(`{"model":"g-gemini-2.0-flash","max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":%q}}]}]}`, address)
		}
		return x.send(request{method: "POST", path: path, head: []string{"Content-Type: application/json"}, body: body})
	}
	addresses := []string{
		p.URL + "/a.png", "http://localhost:" + port, "http://127.1:" + port, "http://2130706433:" + port, "http://0x7f.1:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://[::127.0.0.1]:" + port, "http://0.0.0.0:" + port,
		fmt.Sprintf("http://127.0.0.1:%d/healthz", x.Port), "http://169.254.169.254/latest/meta-data/", "http://[::ffff:a9fe:a9fe]/", "http://[fd00:ec2::254]/", "http://10.0.0.1/", "http://192.168.0.1/", "http://[fe80::1]/",
		"http://user:pass@127.0.0.1:" + port, "http://127.0.0.1:22/", "http://[fe80::1%25lo]/", "file:///etc/passwd", "gopher://127.0.0.1:" + port, "ftp://127.0.0.1/a.png", "http://127.0.0.1:" + port + "/\r\nX: y",
	}
	for _, address := range addresses {
		for i, protocol := range []string{"chat", "responses", "messages"} {
			if i > 0 && !strings.HasPrefix(address, p.URL) {
				continue // it is the same for all
			}
			if got := picture(protocol, address); got.status != http.StatusBadRequest || !strings.Contains(got.body, "cannot be fetched") {
				t.Errorf("%s, %s: %d %s", protocol, address, got.status, got.body)
			}
		}
	}
	// An open port and a closed one look alike.
	open, closed := picture("chat", p.URL+"/a.png"), picture("chat", "http://127.0.0.1:1025/a.png")
	blank := strings.NewReplacer(p.Listener.Addr().String(), "", "127.0.0.1:1025", "")
	if a, b := blank.Replace(message(open.body)), blank.Replace(message(closed.body)); a != b || a == "" {
		t.Errorf("a client learns what is there: %q, %q", a, b)
	}

	var lc net.ListenConfig
	if l, err := lc.Listen(t.Context(), "tcp", "127.0.0.2:0"); err == nil { // not every system has it
		leads := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/a.png" {
				_, _ = fmt.Fprint(w, "\x89PNG\r\n\x1a\n")
				return
			}
			w.Header().Set("Location", p.URL+"/a.png")
			w.WriteHeader(http.StatusFound)
		})}}
		leads.Start()
		t.Cleanup(leads.Close)
		if got := picture("chat", leads.URL+"/a.png"); got.status != http.StatusOK {
			t.Errorf("what is allowed: %d %s", got.status, got.body)
		}
		if got := picture("chat", leads.URL+"/leads"); got.status != http.StatusBadRequest || !strings.Contains(got.body, "public address") {
			t.Errorf("a redirect: %d %s", got.status, got.body)
		}
	}
	p.untouched(t)
	for _, c := range x.upstream.Calls() {
		if !strings.Contains(string(c.Body), "iVBORw0KGgo=") {
			t.Errorf("the upstream was asked: %s", c.Body)
		}
	}
}

// message is the sentence of an error in OpenAI's dialect.
func message(body string) string {
	_, rest, _ := strings.Cut(body, `"message":"`)
	text, _, _ := strings.Cut(rest, `"`)
	return text
}
