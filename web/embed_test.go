package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"portico/internal/fault"
)

const script = "console.log(1)\n"

// dist is a page of one script.
func dist(t *testing.T) fstest.MapFS {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(script))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"index.html":         {Data: []byte(`<meta content="{{version}}"><meta content="{{address}}"><meta content="{{model}}">`)},
		"assets/a-1.js.gz":   {Data: b.Bytes()},
		"assets/a-1.js.br":   {Data: []byte("brotli")},
		"assets/notes.md.gz": {Data: b.Bytes()},
		"manifest.json.gz":   {Data: b.Bytes()},
	}
}

func page(t *testing.T, i Info) http.Handler {
	t.Helper()
	return newHandler(dist(t), i)
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
	for path, cache := range map[string]string{
		"/": "no-cache", "/monitor": "no-cache", "/nothing": "no-cache", "/assets/b-1.js": "no-cache",
		"/assets/a-1.js": "public, max-age=31536000, immutable",
	} {
		w := get(t, h, "GET", path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; " +
				"form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cache-Control":                cache,
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
		{"GET", "/settings", 200, "text/html; charset=utf-8"},
		{"GET", "/assets/a-1.js", 200, "text/javascript; charset=utf-8"},
		{"HEAD", "/assets/a-1.js", 200, "text/javascript; charset=utf-8"},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
		{"POST", "/assets/a-1.js", 405, "text/plain; charset=utf-8"},
		{"GET", "/index.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/settings/", 404, "text/plain; charset=utf-8"},
		{"GET", "/manifest.json", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/a-1.js.gz", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/notes.md", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/../index.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/../embed.go", 404, "text/plain; charset=utf-8"},
		{"GET", "//assets/a-1.js", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/a-1.js/", 404, "text/plain; charset=utf-8"},
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

func TestEncodings(t *testing.T) {
	h := page(t, Info{})
	zipped := string(dist(t)["assets/a-1.js.gz"].Data)
	for accept, want := range map[string]struct{ encoding, body string }{
		"":                        {"", script},
		"identity":                {"", script},
		"gzip, deflate, br, zstd": {"br", "brotli"},
		"GZIP":                    {"gzip", zipped},
		"gzip;q=0.5, br;q=0":      {"gzip", zipped},
		"br;q=0, gzip;q=0.0":      {"", script},
		"br;q=x":                  {"", script},
	} {
		w := get(t, h, "GET", "/assets/a-1.js", "Accept-Encoding", accept)
		if got := w.Header().Get("Content-Encoding"); got != want.encoding || w.Body.String() != want.body || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %q with %d bytes, want %q", accept, got, w.Body.Len(), want.encoding)
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

// A build without Node says what is missing.
func TestAbsent(t *testing.T) {
	body := get(t, newHandler(fstest.MapFS{}, Info{Version: "v1", Address: "127.0.0.1:8045"}), "GET", "/").Body.String()
	for _, want := range []string{"make build", "Node 20.19", "127.0.0.1:8045", `content="v1"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in %s", want, body)
		}
	}
}

// source reads a file of the page.
func source(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("ui/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every page that the browser knows can be loaded by its address.
func TestPaths(t *testing.T) {
	var want []string
	for _, m := range regexp.MustCompile(`path: '(/[a-z]*)'`).FindAllStringSubmatch(source(t, "src/app/pages.ts"), -1) {
		want = append(want, m[1])
	}
	if !slices.Equal(Paths, want) {
		t.Errorf("the paths are %q, and the page has %q", Paths, want)
	}
}

// Nothing is inline, and nothing comes from elsewhere; spec: security SEC-19.
func TestNothingInlineNothingForeign(t *testing.T) {
	foreign := regexp.MustCompile(`(?i)(src|href|url|import|fetch|action)\s*[=(]\s*["'(]?\s*(https?:)?//`)
	inline := regexp.MustCompile(`(?i)<style|<script[^>]*>[^<]|\sstyle=|\son[a-z]+=|javascript:`)
	for name, text := range map[string]string{"index.html": source(t, "index.html"), "absent.html": string(absent)} {
		for _, wrong := range []*regexp.Regexp{foreign, inline} {
			if s := wrong.FindString(text); s != "" {
				t.Errorf("%s has %s", name, s)
			}
		}
	}
}

// Every class of fault that an account or a request can have has words.
func TestFaultsHaveWords(t *testing.T) {
	words := source(t, "src/messages/en/faults.json")
	for c := fault.CredentialInvalid; c < fault.Canceled; c++ {
		if !strings.Contains(words, `"`+c.String()+`":`) {
			t.Errorf("there are no words for %s", c)
		}
	}
}
