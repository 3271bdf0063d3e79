package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"portico/internal/fault"
)

func page(t *testing.T, i Info) http.Handler {
	t.Helper()
	h, err := Handler(i)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(t *testing.T, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Spec: security SEC-17, SEC-18.
func TestHeaders(t *testing.T) {
	h := page(t, Info{Version: "v1", Address: "127.0.0.1:8045"})
	for _, path := range []string{"/", "/status.js", "/status.css", "/icon.svg", "/nothing"} {
		w := get(t, h, "GET", path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; " +
				"form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cache-Control":                "no-cache",
			"Access-Control-Allow-Origin":  "",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestServe(t *testing.T) {
	h := page(t, Info{Version: "v1", Address: "127.0.0.1:8045"})
	for _, tt := range []struct {
		method, path string
		status       int
		kind         string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/status.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/status.css", 200, "text/css; charset=utf-8"},
		{"GET", "/icon.svg", 200, "image/svg+xml"},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
		{"GET", "/index.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/static/status.js", 404, "text/plain; charset=utf-8"},
		{"GET", "/../embed.go", 404, "text/plain; charset=utf-8"},
		{"GET", "//status.js", 404, "text/plain; charset=utf-8"},
		{"GET", "/status.js/", 404, "text/plain; charset=utf-8"},
	} {
		w := get(t, h, tt.method, tt.path)
		if w.Code != tt.status || w.Header().Get("Content-Type") != tt.kind {
			t.Errorf("%s %s: %d %q, want %d %q", tt.method, tt.path, w.Code, w.Header().Get("Content-Type"), tt.status, tt.kind)
		}
		if empty := w.Body.Len() == 0; empty != (tt.method == "HEAD") {
			t.Errorf("%s %s: the body has %d bytes", tt.method, tt.path, w.Body.Len())
		}
	}
}

func TestETag(t *testing.T) {
	h := page(t, Info{Version: "v1"})
	tag := get(t, h, "GET", "/").Header().Get("ETag")
	if other := get(t, page(t, Info{Version: "v2"}), "GET", "/").Header().Get("ETag"); tag == "" || other == tag {
		t.Errorf("two versions have the tags %q and %q", tag, other)
	}
	for header, want := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, "": 200} {
		if w := get(t, h, "GET", "/", "If-None-Match", header); w.Code != want || want == 304 && w.Body.Len() > 0 {
			t.Errorf("%s: %d, want %d", header, w.Code, want)
		}
	}
}

func TestInfoIsText(t *testing.T) {
	body := get(t, page(t, Info{Version: `v1"><script>alert(1)</script>`, Address: "127.0.0.1:8045", Model: "simulator"}), "GET", "/").Body.String()
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "{{") || !strings.Contains(body, "127.0.0.1:8045") || !strings.Contains(body, `content="simulator"`) {
		t.Errorf("%s", body)
	}
}

// Nothing is inline, and nothing comes from elsewhere; spec: security SEC-19.
func TestNothingInlineNothingForeign(t *testing.T) {
	files, err := fs.Glob(static, "static/*")
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	foreign := regexp.MustCompile(`(?i)(src|href|url|import|fetch|action)\s*[=(]\s*["'(]?\s*(https?:)?//`)
	inline := regexp.MustCompile(`(?i)<style|<script[^>]*>[^<]|\sstyle=|\son[a-z]+=|javascript:`)
	for _, name := range files {
		b, err := static.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if s := foreign.FindString(string(b)); s != "" {
			t.Errorf("%s reaches out: %s", name, s)
		}
		if s := inline.FindString(string(b)); strings.HasSuffix(name, ".html") && s != "" {
			t.Errorf("%s has something inline: %s", name, s)
		}
		for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage", "sessionStorage", "document.cookie"} {
			if strings.Contains(string(b), sink) {
				t.Errorf("%s uses %s", name, sink)
			}
		}
	}
}

// Every text stands in the table of messages, and every message is used.
func TestMessages(t *testing.T) {
	js, err := static.ReadFile("static/status.js")
	if err != nil {
		t.Fatal(err)
	}
	html, err := static.ReadFile("static/index.html")
	if err != nil {
		t.Fatal(err)
	}
	table, code, ok := strings.Cut(string(js), "\n};\n")
	if !ok {
		t.Fatal("there is no table")
	}
	messages := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  (\w+): `).FindAllStringSubmatch(table, -1) {
		messages[m[1]] = false
	}
	use := func(name string) {
		if _, ok := messages[name]; !ok {
			t.Errorf("there is no message %s", name)
		}
		messages[name] = true
	}
	for _, m := range regexp.MustCompile(`data-text="(\w+)"`).FindAllStringSubmatch(string(html), -1) {
		use(m[1])
	}
	for _, m := range regexp.MustCompile(`(?:text|figure)\('(\w+)'`).FindAllStringSubmatch(code, -1) {
		use(m[1])
	}
	for _, m := range regexp.MustCompile(`dialect\('(\w+)'`).FindAllStringSubmatch(code, -1) {
		use(m[1])
		use(m[1] + "Used")
	}
	for _, m := range regexp.MustCompile(`(?m)^  (\w+): \{ className`).FindAllStringSubmatch(code, -1) {
		use(m[1])
	}
	// Every fault that keeps an account from serving has words.
	for c := fault.CredentialInvalid; c < fault.Canceled; c++ {
		use(c.String())
	}
	for name, used := range messages {
		if !used {
			t.Errorf("the message %s is not used", name)
		}
	}
	if s := regexp.MustCompile(`>[^<{]*[A-Za-z]{3,}[^<]*<`).FindAllString(regexp.MustCompile(`(?s)<noscript>.*</noscript>|<title>.*</title>|<h1>.*</h1>|<code>[^<]*</code>`).ReplaceAllString(string(html), ""), -1); len(s) > 0 {
		t.Errorf("texts stand in the page itself: %q", s)
	}
}
