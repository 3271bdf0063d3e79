package admin

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"portico/internal/fault"
)

// routes lists every route as "METHOD /path", those of the API out of its own
// table, so that a new one is covered by itself.
func routes(t *testing.T, h *Handler) (all []string) {
	t.Helper()
	for path, item := range h.api().huma.OpenAPI().Paths {
		path = strings.NewReplacer("{name}", "mine", "{id}", "req_2").Replace(path)
		for method, op := range map[string]any{
			"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete, "HEAD": item.Head, "OPTIONS": item.Options,
		} {
			if !reflect.ValueOf(op).IsNil() {
				all = append(all, method+" "+path)
			}
		}
	}
	if len(all) < 15 {
		t.Fatalf("the table has only %d routes: %v", len(all), all)
	}
	return append(all, "GET /metrics", "GET /debug/pprof/", "GET /debug/pprof/heap", "GET /debug/pprof/cmdline", "GET /debug/pprof/profile",
		"GET /debug/pprof/trace", "POST /debug/pprof/symbol", "GET /debug/vars", "GET /api/", "GET /api", "GET /api/unknown", "POST /api/unknown",
		"HEAD /api/status", "OPTIONS /api/accounts", "TRACE /api/status")
}

// Without the token every route refuses, and nothing behind it is asked; spec:
// security I1, SEC-20, SEC-21.
func TestEveryRouteNeedsTheToken(t *testing.T) {
	f := newFake()
	h := New(f.options())
	all := routes(t, h)
	f.hits = 0
	for _, carry := range []struct {
		name string
		with func(*http.Request)
	}{
		{"nothing", func(*http.Request) {}},
		{"the key of AI clients", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+apiKey) }},
		{"a wrong scheme", func(r *http.Request) { r.Header.Set("Authorization", "Basic "+token) }},
		{"no scheme", func(r *http.Request) { r.Header.Set("Authorization", token) }},
		{"x-api-key", func(r *http.Request) { r.Header.Set("X-Api-Key", token) }},
		{"the query", func(r *http.Request) { r.URL.RawQuery = "key=" + token + "&token=" + token }},
		{"a cookie", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "session", Value: token}) }},
		{"the token's beginning", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token[:len(token)-1]) }},
	} {
		for i, route := range all {
			method, path, _ := strings.Cut(route, " ")
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}"))
			r.RemoteAddr = "[2001:db8:" + string(rune('a'+len(carry.name)%6)) + ":" + string(rune('a'+i%6)) + "::1]:1"
			carry.with(r)
			w := do(h, r)
			switch {
			case method == http.MethodHead:
				if w.Code != http.StatusUnauthorized && w.Code != http.StatusTooManyRequests || w.Body.Len() > 0 {
					t.Errorf("%s with %s: %d %q", route, carry.name, w.Code, w.Body)
				}
			case w.Code == http.StatusTooManyRequests: // guesses are slowed down
				isProblem(t, w, http.StatusTooManyRequests, CodeTooMany)
			default:
				isProblem(t, w, http.StatusUnauthorized, CodeUnauthorised)
				if w.Header().Get("Www-Authenticate") == "" {
					t.Errorf("%s: no challenge", route)
				}
			}
		}
	}
	if f.hits > 0 {
		t.Errorf("what lies behind was asked %d times", f.hits)
	}
}

// With the token every route answers something else than 401, and nothing
// that it says may be kept, framed or sniffed.
func TestEveryRouteWithTheToken(t *testing.T) {
	f := newFake()
	h := New(f.options())
	for _, route := range routes(t, h) {
		method, path, _ := strings.Cut(route, " ")
		if strings.HasSuffix(path, "profile") || strings.HasSuffix(path, "trace") {
			path += "?seconds=1"
			if testing.Short() || path != "/debug/pprof/trace?seconds=1" {
				continue // one of them shows that the second is waited for
			}
		}
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}"))
		r.Header.Set("Authorization", "Bearer "+token)
		if path == "/api/live" {
			r.Method = http.MethodHead // a GET does not end
		}
		w := do(h, r)
		if w.Code == http.StatusUnauthorized || w.Code >= 500 {
			t.Errorf("%s: %d %s", route, w.Code, w.Body)
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
			"Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Access-Control-Allow-Origin": "",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", route, name, got, want)
			}
		}
		if strings.Contains(w.Body.String(), "CANARY") && !strings.HasSuffix(path, "/reveal") { // which is there for it
			t.Errorf("%s shows a secret: %s", route, w.Body)
		}
	}
}

func TestMethodsAndUnknownPaths(t *testing.T) {
	h := New(newFake().options())
	for _, tt := range []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"DELETE", "/api/status", 405, CodeMethod, "GET, HEAD"},
		{"OPTIONS", "/api/status", 405, CodeMethod, "GET, HEAD"},
		{"PUT", "/api/accounts", 405, CodeMethod, "GET, HEAD, POST"},
		{"POST", "/api/accounts/mine", 405, CodeMethod, "DELETE, GET, HEAD, PATCH"},
		{"GET", "/api/accounts/mine/test", 405, CodeMethod, "POST"},
		{"POST", "/metrics", 405, CodeMethod, "GET, HEAD"},
		{"POST", "/debug/pprof/heap", 405, CodeMethod, "GET, HEAD"},
		{"GET", "/api/unknown", 404, CodeNotFound, ""},
		{"GET", "/api", 404, CodeNotFound, ""},
		{"GET", "/api/", 404, CodeNotFound, ""},
		{"GET", "/api/accounts/", 404, CodeNotFound, ""},
		{"GET", "/api/%ff%00%e2%80%ae", 404, CodeNotFound, ""},
		{"GET", "/api/openapi.yaml", 404, CodeNotFound, ""},
		{"GET", "/api/docs", 404, CodeNotFound, ""},
		{"GET", "/debug/vars", 404, CodeNotFound, ""},
		{"GET", "/debug/pprof", 404, CodeNotFound, ""},
		{"GET", "/elsewhere", 404, CodeNotFound, ""},
	} {
		w := call(t, h, tt.method, tt.path, "")
		isProblem(t, w, tt.status, tt.code)
		if got := w.Header().Get("Allow"); got != tt.allow {
			t.Errorf("%s %s: Allow is %q, want %q", tt.method, tt.path, got, tt.allow)
		}
	}
	for _, path := range []string{"/api/status", "/metrics", "/api/openapi.json"} {
		if w := call(t, h, "HEAD", path, ""); w.Code != 200 {
			t.Errorf("HEAD %s: %d", path, w.Code)
		}
	}
}

func TestRefusals(t *testing.T) {
	o := newFake().options()
	for _, tt := range []struct {
		f      *fault.Fault
		status int
		code   string
		after  string
	}{
		{&fault.Fault{Class: fault.Unauthorized, Msg: "no"}, 401, CodeUnauthorised, ""},
		{&fault.Fault{Class: fault.Forbidden, Msg: "no"}, 403, CodeForbidden, ""},
		{&fault.Fault{Class: fault.Malformed, Msg: "no"}, 400, CodeMalformed, ""},
		{&fault.Fault{Class: fault.RateLimited, Msg: "no", After: 1500 * time.Millisecond}, 429, CodeTooMany, "2"},
	} {
		o.Authorise = denied(tt.f)
		w := do(New(o), httptest.NewRequestWithContext(t.Context(), "GET", "/api/status", nil))
		isProblem(t, w, tt.status, tt.code)
		if got := w.Header().Get("Retry-After"); got != tt.after {
			t.Errorf("%s: Retry-After is %q, want %q", tt.code, got, tt.after)
		}
	}
}

func TestTwoTokens(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/status", nil)
	r.Header["Authorization"] = []string{"Bearer " + token, "Bearer other"}
	isProblem(t, do(New(newFake().options()), r), 400, CodeMalformed)
}

// Guessing is slowed down, and the right token is heard from elsewhere
// meanwhile.
func TestGuessing(t *testing.T) {
	h := New(newFake().options())
	limited := 0
	for i := range 20 {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/status", nil)
		r.Header.Set("Authorization", "Bearer wrong-"+string(rune('a'+i)))
		if w := do(h, r); w.Code == http.StatusTooManyRequests {
			limited++
			if w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	if limited < 15 {
		t.Errorf("%d of 20 guesses were slowed down, want 15", limited)
	}
	if w := call(t, h, "GET", "/api/status", ""); w.Code != 200 {
		t.Errorf("the right token: %d", w.Code)
	}
}

func TestMetrics(t *testing.T) {
	f := newFake()
	h := New(f.options())
	w := call(t, h, "GET", "/metrics", "")
	if w.Code != 200 || w.Body.String() != "portico_info 1\n" || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
	bare := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
	if w := do(h, bare); w.Code != 401 {
		t.Errorf("without the token: %d", w.Code)
	}
	f.cfg.Metrics.Public = true
	if w := do(h, bare); w.Code != 200 {
		t.Errorf("public: %d", w.Code)
	}
	if w := do(h, httptest.NewRequestWithContext(t.Context(), "GET", "/debug/pprof/", nil)); w.Code != 401 {
		t.Errorf("public metrics opened the profiles: %d", w.Code)
	}
}

func TestProfiles(t *testing.T) {
	h := New(newFake().options())
	for path, want := range map[string]string{
		"/debug/pprof/":                  "goroutine",
		"/debug/pprof/goroutine?debug=1": "goroutine profile",
		"/debug/pprof/heap?debug=1":      "heap profile",
		"/debug/pprof/cmdline":           "admin.test",
		"/debug/pprof/symbol":            "num_symbols",
	} {
		if w := call(t, h, "GET", path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %.200s", path, w.Code, w.Body)
		}
	}
}

// The page is for everybody; it is whose it is.
func TestPage(t *testing.T) {
	o := newFake().options()
	o.Page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "page "+r.URL.Path) })
	h := New(o)
	for _, path := range []string{"/", "/monitor", "/apis", "/metricsx", "/debugger"} {
		w := do(h, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if w.Code != 200 || w.Body.String() != "page "+path || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	h := New(newFake().options())
	big := `{"name":"` + strings.Repeat("a", maxBody) + `"}`
	isProblem(t, call(t, h, "POST", "/api/accounts", big), http.StatusRequestEntityTooLarge, CodeTooLarge)
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/accounts", bytes.NewReader([]byte(`{}`)))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/xml")
	isProblem(t, do(h, r), http.StatusUnsupportedMediaType, CodeMediaType)
}

// Whatever an Authorization header holds, it is refused unless it is the token.
func FuzzBearer(f *testing.F) {
	h := New(newFake().options())
	for _, s := range []string{"", "Bearer", "Bearer ", "bearer\t" + token, "Basic " + token, "Bearer " + token + " x", token} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/nothing", nil)
		r.Header["Authorization"] = []string{s}
		w := do(h, r)
		if admitted := w.Code == http.StatusNotFound; admitted && !strings.Contains(s, token) || w.Code >= 500 {
			t.Fatalf("%q: %d", s, w.Code)
		}
	})
}

func FuzzResume(f *testing.F) {
	feed := NewFeed()
	feed.epoch = "e"
	heard(feed, 1, 3)
	for _, s := range []string{"", "e-1", "e-3", "e-4", "e--1", "x-1", "e-18446744073709551615", "e-1-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := feed.resume(s); n > 3 || !ok && n != 0 {
			t.Fatalf("%q: %d", s, n)
		}
	})
}
