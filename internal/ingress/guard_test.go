package ingress

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/config"
)

var modes = []config.AuthMode{config.AuthOff, config.AuthStrict, config.AuthAllExceptHealth, config.AuthAuto}

// surface is one request for each kind of path.
var surface = []string{
	"GET /", "GET /healthz", "GET /api/hello", "GET /api/accounts", "POST /api/accounts", "GET /metrics", "GET /v1/models", "GET /v1/models/gpt-x",
	"POST /v1/chat/completions", "POST /v1/messages", "POST /v1/responses", "POST /v1beta/models/g:generateContent", "GET /v1/files", "POST /v1/nothing", "DELETE /v1/files/f", "PATCH /x",
}

func TestHosts(t *testing.T) {
	lan := settings(config.AuthStrict)
	lan.LAN = true
	web := settings(config.AuthOff)
	web.Port = 80
	at := func(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
	home := at("127.0.0.1:8045")
	tests := []struct {
		set   *Settings
		host  string
		local netip.AddrPort
		want  bool
	}{
		{nil, "127.0.0.1:8045", home, true},
		{nil, "localhost:8045", home, true},
		{nil, "LocalHost:8045", home, true},
		{nil, "[::1]:8045", home, true},
		{nil, "host.docker.internal:8045", home, true},
		{nil, "host.containers.internal:8045", home, true},
		{nil, "portico.test", home, true}, // configured: any port, or none
		{nil, "portico.test:8045", home, true},
		{nil, "Portico.Test:443", home, true},

		// SEC-08
		{nil, "evil.example", home, false},
		{nil, "evil.example:8045", home, false},
		// SEC-09
		{nil, "", home, false},
		{nil, ":8045", home, false},
		{nil, "0.0.0.0:8045", home, false},
		{nil, "[::]:8045", home, false},
		{nil, "127.0.0.1.:8045", home, false},
		{nil, "127.0.0.1.", home, false},
		{nil, "localhost.:8045", home, false},
		{nil, "2130706433:8045", home, false},
		{nil, "0x7f.1:8045", home, false},
		{nil, "127.1:8045", home, false},
		{nil, "127.0.0.2:8045", home, false},
		{nil, "[::ffff:127.0.0.1]:8045", home, false},
		{nil, "localhost.evil.example:8045", home, false},
		{nil, "sub.localhost:8045", home, false},
		{nil, "sub.portico.test", home, false},
		{nil, "portico.test.", home, false},
		{nil, "portico.test.evil.example", home, false},
		{nil, "127.0.0.1:9999", home, false},
		{nil, "127.0.0.1", home, false},
		{nil, "localhost", home, false},
		{nil, "127.0.0.1:08045", home, false},
		{nil, "127.0.0.1:8045:8045", home, false},
		{nil, "127.0.0.1:8045@evil.example", home, false},
		{nil, "user@127.0.0.1:8045", home, false},
		{nil, "portico.test:0", home, false},
		{nil, "portico.test:x", home, false},
		{nil, "portico.test:", home, false},
		{nil, "[portico.test]:1", home, false},
		{nil, "[::1", home, false},
		{nil, "[::1]8045", home, false},
		{nil, strings.Repeat("a", 70_000), home, false},
		{nil, "192.168.1.7:8045", at("192.168.1.7:8045"), false}, // no LAN access

		{lan, "192.168.1.7:8045", at("192.168.1.7:8045"), true},
		{lan, "192.168.1.7:8045", at("[::ffff:192.168.1.7]:8045"), true},
		{lan, "[fe80::7]:8045", at("[fe80::7%eth0]:8045"), true},
		{lan, "[2001:db8::7]:8045", at("[2001:db8::7]:8045"), true},
		{lan, "127.0.0.1:8045", home, true},
		{lan, "portico.test", at("192.168.1.7:8045"), true},
		{lan, "192.168.1.8:8045", at("192.168.1.7:8045"), false},
		{lan, "192.168.1.7:9999", at("192.168.1.7:8045"), false},
		{lan, "192.168.1.7", at("192.168.1.7:8045"), false},
		{lan, "0.0.0.0:8045", at("192.168.1.7:8045"), false},
		{lan, "[::]:8045", at("192.168.1.7:8045"), false},
		{lan, "evil.example:8045", at("192.168.1.7:8045"), false},
		{lan, "192.168.1.7:8045", netip.AddrPort{}, false},

		{web, "127.0.0.1", home, true},
		{web, "localhost:80", home, true},
		{web, "localhost:8045", home, false},
	}
	for _, tt := range tests {
		set := tt.set
		if set == nil {
			set = settings(config.AuthOff)
		}
		if got := newState(set).serves(tt.host, tt.local); got != tt.want {
			t.Errorf("host %.60q on %s, LAN %t, port %d: got %t, want %t", tt.host, tt.local, set.LAN, set.Port, got, tt.want)
		}
	}
}

// SEC-08, SEC-10: a foreign name gets one and the same refusal on every route
// with every method in every mode, with or without a key, before anything else.
func TestSEC08EveryRoute(t *testing.T) {
	for _, mode := range modes {
		h := newHouse(settings(mode))
		var bodies []string
		for _, x := range surface {
			method, target, _ := strings.Cut(x, " ")
			for _, m := range []string{method, "GET", "HEAD", "POST", "OPTIONS", "TRACE"} {
				for _, hs := range [][]string{nil, {"X-Api-Key", dataKey}, {"Authorization", "Bearer " + adminKey}, {"Origin", "http://evil.example:8045", "Sec-Fetch-Site", "same-origin"}} {
					w := h.ask(m, target, jsonBody, append([]string{"Host", "evil.example:8045"}, hs...)...)
					if w.Code != http.StatusMisdirectedRequest {
						t.Errorf("%s: %s %s: got %d, want 421", mode, m, target, w.Code)
					}
					bodies = append(bodies, w.Body.String())
				}
			}
		}
		if slices.Sort(bodies); len(slices.Compact(bodies)) != 1 || len(bodies[0]) > 512 {
			t.Errorf("%s: the refusals differ or are large", mode)
		}
		if h.admin > 0 || len(h.relay.calls) > 0 || h.relay.refused.Load() > 0 {
			t.Errorf("%s: a request came through", mode)
		}
		if want := []string{"host evil.example:8045"}; !slices.Equal(h.blocked, want) {
			t.Errorf("%s: told %v, want one event %v", mode, h.blocked, want)
		}
	}
}

// SEC-09 on the wire: what net/http makes of odd requests.
func TestSEC09OnTheWire(t *testing.T) {
	h := newHouse(settings(config.AuthOff))
	addr := listen(t, h)
	for text, want := range map[string]int{
		"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nConnection: close\r\n\r\n":                      200,
		"GET http://evil.example/healthz HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nConnection: close\r\n\r\n":   421,
		"GET http://127.0.0.1:8045/healthz HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nConnection: close\r\n\r\n": 421,
		"CONNECT 127.0.0.1:8045 HTTP/1.1\r\nHost: 127.0.0.1:8045\r\n\r\n":                                 421,
		"GET /healthz HTTP/1.0\r\n\r\n":                                                                                          421,
		"GET /healthz HTTP/1.0\r\nOrigin: http://evil.example\r\n\r\n":                                                           421,
		"GET /healthz HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n":                                                           421,
		"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nHost: 127.0.0.1:8045\r\n\r\n":                                          400,
		"GET /healthz HTTP/1.1\r\nHost: x/v1/models?\r\n\r\n":                                                                    400,
		"OPTIONS * HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n":                                                  421,
		"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nConnection: close\r\n\r\n":                                                400,
		"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}":                 400,
		"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nTransfer-Encoding: xchunked\r\n\r\n{}":                            501,
		"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nX-A : b\r\n\r\n":                                                       400,
		"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nX-A: " + strings.Repeat("a", 80<<10) + "\r\n\r\n":                      431,
		"GET //evil.example/healthz HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n": 403,
	} {
		if resp, _ := raw(t, addr, text); resp.StatusCode != want {
			t.Errorf("%.120q: got %d, want %d", text, resp.StatusCode, want)
		}
	}
}

// SEC-40: after a chunked request nothing more is read from the connection, so
// that a Content-Length which net/http dropped smuggles nothing.
func TestSEC40NothingFollowsAChunkedBody(t *testing.T) {
	h := newHouse(settings(config.AuthOff))
	addr := listen(t, h)
	hidden := "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nContent-Length: 2\r\n\r\n{}"
	resp, body := raw(t, addr, fmt.Sprintf("POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n%s", 12+len(hidden), hidden))
	if resp.StatusCode != 200 || !resp.Close || body != "served" {
		t.Errorf("got %d %q, close %t", resp.StatusCode, body, resp.Close)
	}
	if len(h.relay.calls) != 1 || string(h.relay.calls[0].Body) != "{}" {
		t.Errorf("the relay got %d calls, want the one", len(h.relay.calls))
	}
	for text, want := range map[string]int{
		"zz\r\n{}\r\n0\r\n\r\n": 400, "2\n{}\n0\n\n": 400, "2;a=b\r\n{}\r\n0\r\n\r\n": 200, "2;a\nb\r\n{}\r\n0\r\n\r\n": 400,
		"fffffffffffffffff\r\n{}\r\n0\r\n\r\n": 400,
	} {
		head := "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:8045\r\nTransfer-Encoding: chunked\r\n\r\n"
		if resp, _ := raw(t, addr, head+text); resp.StatusCode != want {
			t.Errorf("chunked body %q: got %d, want %d", text, resp.StatusCode, want)
		}
	}
}

// TestJudge is the whole rule on pages of other origins.
func TestJudge(t *testing.T) {
	const evil, listedPage, own = "http://evil.example", "http://localhost:3000", "http://127.0.0.1:8045"
	type row struct {
		name    string
		request string
		header  []string
		open    int // status with no key needed
		locked  int // status where the data plane needs one
	}
	cors := func(origin string, hs ...string) []string {
		return append([]string{"Origin", origin, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, hs...)
	}
	key := []string{"X-Api-Key", dataKey}
	tests := []row{
		{"a program", "POST /v1/messages", nil, 200, 401},
		{"a program with the key", "POST /v1/messages", key, 200, 200},
		{"Node", "POST /v1/messages", []string{"Sec-Fetch-Mode", "cors"}, 200, 401},
		{"SEC-11 a program that names no type", "POST /v1/messages", []string{"Content-Type", ""}, 200, 401},
		{"SEC-11 curl -d", "POST /v1/messages", []string{"Content-Type", "application/x-www-form-urlencoded", "User-Agent", "curl/8.5"}, 200, 401},

		{"own page", "POST /v1/messages", []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, 200, 401},
		{"own page, admin", "POST /api/accounts", []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, 200, 200},
		{"address bar", "GET /v1/models", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, 200, 401},
		{"own page at another name", "POST /v1/messages", []string{"Origin", "http://localhost:8045", "Sec-Fetch-Site", "cross-site"}, 403, 403},
		{"own name, another port", "POST /v1/messages", []string{"Origin", "http://127.0.0.1:9999", "Sec-Fetch-Site", "same-site"}, 403, 403},
		{"behind a TLS proxy", "POST /v1/messages", []string{"Host", "portico.test", "Origin", "https://portico.test", "Sec-Fetch-Site", "same-origin"}, 200, 401},

		{"SEC-11 fetch text/plain", "POST /v1/chat/completions", cors(evil, "Content-Type", "text/plain"), 403, 403},
		{"SEC-11 form", "POST /v1/chat/completions", []string{"Origin", evil, "Content-Type", "application/x-www-form-urlencoded"}, 403, 403},
		{"SEC-11 form, old browser", "POST /v1/chat/completions", []string{"User-Agent", "Mozilla/5.0", "Content-Type", "text/plain"}, 415, 415},
		{"SEC-11 form, no origin shown", "POST /v1/files", []string{"Referer", evil, "Content-Type", "multipart/form-data; boundary=x"}, 415, 415},
		{"SEC-11 admin", "POST /api/accounts", []string{"User-Agent", "Mozilla/5.0", "Content-Type", "text/plain"}, 415, 415},
		{"SEC-11 an app with a key that looks like a browser", "POST /v1/messages", []string{"User-Agent", "Mozilla/5.0", "Content-Type", "text/plain", "X-Api-Key", dataKey}, 200, 200},
		{"SEC-11 the same with an empty type", "DELETE /v1/files/f", []string{"Referer", evil}, 415, 415},
		{"SEC-11 an app that looks like a browser", "POST /v1/messages", []string{"User-Agent", "Mozilla/5.0", "Content-Type", "application/json; charset=utf-8"}, 200, 401},
		{"SEC-11 beacon", "POST /v1/messages", []string{"Origin", "null", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403, 403},
		{"SEC-11 with the key", "POST /v1/messages", cors(evil, "Content-Type", "text/plain", "X-Api-Key", dataKey), 403, 200},

		{"SEC-12 preflight", "OPTIONS /v1/messages", cors(evil, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type"), 403, 403},
		{"SEC-12 preflight with a key", "OPTIONS /v1/messages", cors(evil, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type, Authorization"), 403, 204},
		{"SEC-12 preflight, admin", "OPTIONS /api/accounts", cors(evil, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"), 403, 403},
		{"SEC-12 preflight, listed", "OPTIONS /v1/messages", cors(listedPage, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type"), 204, 204},
		{"SEC-12 preflight, listed, admin", "OPTIONS /api/accounts", cors(listedPage, "Access-Control-Request-Method", "POST"), 403, 403},

		{"SEC-14 img", "GET /v1/models", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403, 403},
		{"SEC-14 img on the same machine", "GET /v1/models", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"}, 403, 403},
		{"SEC-14 img, with the key in the query", "GET /v1/models?key=" + dataKey, []string{"Sec-Fetch-Site", "cross-site"}, 403, 403},
		{"SEC-14 script of the admin", "GET /api/accounts", []string{"Sec-Fetch-Site", "cross-site"}, 403, 403},
		{"SEC-14 metrics", "GET /metrics", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403, 403},
		{"SEC-14 health", "GET /healthz", []string{"Sec-Fetch-Site", "cross-site"}, 403, 403},
		{"SEC-14 hello", "GET /api/hello", cors(listedPage), 403, 403},
		{"a link to the UI", "GET /", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200, 200},
		{"SEC-17 a frame of the UI", "GET /", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403, 403},
		{"a form to the UI", "POST /", []string{"Origin", evil, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403, 403},
		{"a made-up site", "GET /v1/models", []string{"Sec-Fetch-Site", "yes"}, 403, 403},
		{"two origins", "POST /v1/messages", []string{"Origin", own, "Origin", evil, "X-Api-Key", dataKey}, 403, 403},
		{"an empty origin", "POST /v1/messages", []string{"Origin", ""}, 403, 403},

		{"SEC-15 foreign upgrade", "GET /v1/responses", []string{"Upgrade", "websocket", "Origin", evil}, 403, 403},
		{"SEC-15 foreign upgrade with the key", "GET /v1/responses", []string{"Upgrade", "WebSocket", "Origin", evil, "X-Api-Key", dataKey}, 403, 403},
		{"SEC-15 null upgrade", "GET /v1/responses", []string{"Upgrade", "websocket", "Origin", "null"}, 403, 403},
		{"SEC-15 upgrade of a browser that shows no origin", "GET /v1/responses", []string{"Upgrade", "websocket", "User-Agent", "Mozilla/5.0"}, 403, 403},
		{"SEC-15 the same with a site", "GET /v1/responses", []string{"Upgrade", "websocket", "Sec-Fetch-Site", "same-origin"}, 403, 403},
		{"SEC-15 admin", "GET /api/live", []string{"Upgrade", "websocket", "Origin", evil}, 403, 403},
		{"upgrade of a program", "GET /v1/responses", []string{"Upgrade", "websocket"}, 426, 401},
		{"upgrade of Node", "GET /v1/responses", []string{"Upgrade", "websocket", "Sec-Fetch-Mode", "websocket"}, 426, 401},
		{"upgrade of the own page", "GET /v1/responses", []string{"Upgrade", "websocket", "Origin", own}, 426, 401},

		{"SEC-77 listed", "POST /v1/messages", cors(listedPage), 200, 401},
		{"SEC-77 listed with the key", "POST /v1/messages", cors(listedPage, key...), 200, 200},
		{"SEC-77 listed with a wrong key", "POST /v1/messages", cors(listedPage, "X-Api-Key", "no"), 200, 401},
		{"SEC-77 listed, other case", "POST /v1/messages", cors("APP://Listed"), 200, 401},
		{"SEC-77 listed, health", "GET /healthz", cors(listedPage), 200, 200},
		{"SEC-77 listed, admin", "GET /api/accounts", cors(listedPage, "Authorization", "Bearer "+adminKey), 403, 403},
	}
	for _, origin := range []string{"file://", "null", "app://x", "http://localhost:5173", evil} {
		tests = append(tests,
			row{"SEC-77 no key, " + origin, "POST /v1/messages", cors(origin), 403, 403},
			row{"SEC-77 key, " + origin, "POST /v1/messages", cors(origin, key...), 403, 200},
			row{"SEC-77 bearer, " + origin, "POST /v1/messages", cors(origin, "Authorization", "Bearer "+dataKey), 403, 200},
			row{"SEC-77 wrong key, " + origin, "POST /v1/messages", cors(origin, "X-Api-Key", "no"), 403, 401},
			row{"SEC-77 admin's key, " + origin, "POST /v1/messages", cors(origin, "X-Api-Key", adminKey), 403, 401},
			row{"SEC-77 key in the query, " + origin, "POST /v1/messages?key=" + dataKey, cors(origin), 403, 403},
			row{"SEC-77 two keys, " + origin, "POST /v1/messages?key=no", cors(origin, key...), 403, 400},
			row{"SEC-77 admin, " + origin, "GET /api/accounts", cors(origin, "Authorization", "Bearer "+adminKey), 403, 403},
			row{"SEC-77 health, " + origin, "GET /healthz", cors(origin, key...), 403, 403},
			row{"SEC-77 in a container, " + origin, "POST /v1/messages", append(cors(origin, key...), "Host", "host.docker.internal:8045"), 403, 200})
	}
	for _, tt := range tests {
		for _, mode := range modes {
			want := tt.locked
			if mode == config.AuthOff || mode == config.AuthAuto {
				want = tt.open
			}
			if mode == config.AuthStrict && strings.HasSuffix(tt.request, "/healthz") && want == 200 {
				want = 401
			}
			h := newHouse(settings(mode))
			method, target, _ := strings.Cut(tt.request, " ")
			body := ""
			if method == "POST" {
				body = jsonBody
			}
			w := h.ask(method, target, body, tt.header...)
			if w.Code != want {
				t.Errorf("%s: %s: got %d %s, want %d", tt.name, mode, w.Code, w.Body, want)
			}
			checkCORS(t, tt.name+": "+string(mode), request(method, target, body, tt.header...), w, h)
		}
	}
}

// checkCORS holds for every answer (SEC-13, SEC-77): only an admitted request
// of the data plane is told that its page may read the answer, and every
// blocked one is reported once.
func checkCORS(t *testing.T, name string, r *http.Request, w *httptest.ResponseRecorder, h *house) {
	t.Helper()
	origin, allowed := r.Header.Get("Origin"), w.Header().Get("Access-Control-Allow-Origin")
	crossing := origin != "" && !own(r.Header["Origin"], nil, r.Host)
	if want := crossing && w.Code < 400; (allowed != "") != want {
		t.Errorf("%s: status %d, Access-Control-Allow-Origin %q", name, w.Code, allowed)
	}
	if allowed != "" && (allowed != origin || !strings.Contains(w.Header().Get("Vary"), "Origin") || h.admin > 0) {
		t.Errorf("%s: Access-Control-Allow-Origin %q, Vary %q, admin %d", name, allowed, w.Header().Get("Vary"), h.admin)
	}
	for _, no := range []string{"Access-Control-Allow-Credentials", "Access-Control-Allow-Private-Network"} {
		if w.Header().Get(no) != "" {
			t.Errorf("%s: %s is there", name, no)
		}
	}
	blocked := w.Code == 403 || w.Code == 415 || (w.Code == 401 || w.Code == 400) && crossing && !newState(settings(config.AuthOff)).origins[strings.ToLower(origin)]
	if (len(h.blocked) == 1) != blocked {
		t.Errorf("%s: status %d, told %v", name, w.Code, h.blocked)
	}
	kind := BlockOrigin
	if w.Code == 415 {
		kind = BlockForm
	}
	if blocked && len(h.blocked) == 1 && !strings.HasPrefix(h.blocked[0], kind+" ") {
		t.Errorf("%s: told %q, want one of kind %s", name, h.blocked[0], kind)
	}
	if w.Code >= 400 && (len(h.relay.calls) > 0 || h.admin > 0) {
		t.Errorf("%s: a refused request came through", name)
	}
}

func TestPrivateNetworkOnlyForListed(t *testing.T) {
	for origin, want := range map[string]string{"http://localhost:3000": "true", "http://evil.example": ""} {
		h := newHouse(settings(config.AuthStrict))
		w := h.ask("OPTIONS", "/v1/messages", "", "Origin", origin, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "authorization", "Access-Control-Request-Private-Network", "true")
		if got := w.Header().Get("Access-Control-Allow-Private-Network"); w.Code != 204 || got != want {
			t.Errorf("%s: got %d %q, want 204 %q", origin, w.Code, got, want)
		}
	}
}

// SEC-23: confusing paths reach nobody.
func TestSEC23Paths(t *testing.T) {
	for _, mode := range modes {
		for target, want := range map[string]int{
			"//v1/..//api": 400, "/v1/../api/accounts": 400, "/v1/%2e%2e/api": 400, "/v1/.%2e/api": 400, "/ui/%2e%2e/%2e%2e/etc/passwd": 400, "/./v1/models": 400, "/v1/models/..": 400,
			"/v1%2f..%2fadmin": 400, "/v1%2fmessages": 400, "/v1%2Fmessages": 400, "/api%2faccounts": 400, "/v1/models%2fgpt-x": 400, "/v1/models/%2e%2e%2fapi": 400,
			"/v1%5cmessages": 400, "/v1\\messages": 400, "/v1/..%5capi": 400, "/a%00b": 400, "/v1/messages%00": 400, "/v1/messages%0a": 400, "/v1/%7f": 400,
			"/v1/%c0%af": 400, "/v1/%c0%ae%c0%ae/api": 400, "/v1/%ff": 400, "/v1/models/x%2f..%2fy:generateContent": 400,
		} {
			h := newHouse(settings(mode))
			r := request("POST", "/", jsonBody, "X-Api-Key", dataKey)
			u, err := url.Parse("http://x" + strings.ReplaceAll(target, "\\", "%5c"))
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Path, r.URL.RawPath = u.Path, u.RawPath
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want || len(h.relay.calls) > 0 || h.relay.refused.Load() > 0 || h.admin > 0 {
				t.Errorf("%s: %s: got %d, want %d, and nobody called", mode, target, w.Code, want)
			}
		}
	}
}

// SEC-24, SEC-25: no header changes what a request is or whence it comes.
func TestSEC24Overrides(t *testing.T) {
	h := newHouse(settings(config.AuthStrict))
	w := h.ask("GET", "/healthz", "", "X-HTTP-Method-Override", "POST", "X-Original-URL", "/v1/models", "X-Rewrite-URL", "/v1/models",
		"X-Forwarded-Host", "evil.example", "X-Forwarded-Prefix", "/v1", "X-Api-Key", dataKey)
	if w.Body.String() != `{"status":"ok"}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	off := newHouse(settings(config.AuthOff))
	r := request("GET", "/v1/models", "", "X-Forwarded-For", "127.0.0.1", "X-Real-Ip", "127.0.0.1", "Forwarded", "for=127.0.0.1")
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(192, 168, 1, 7), Port: port}))
	w = httptest.NewRecorder()
	if off.ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("a visit from the network with auth off: got %d, want 401", w.Code)
	}
	w = httptest.NewRecorder()
	if off.ServeHTTP(w, request("GET", "/v1/models", "").WithContext(context.Background())); w.Code != 401 {
		t.Errorf("a visit on an unknown address: got %d, want 401", w.Code)
	}
}

// SEC-22: a key gets the same decision in every carrier on every plane.
func TestSEC22Carriers(t *testing.T) {
	carriers := map[string]func(key string) (target string, header []string){
		"bearer":         func(k string) (string, []string) { return "", []string{"Authorization", "Bearer " + k} },
		"raw":            func(k string) (string, []string) { return "", []string{"Authorization", k} },
		"x-api-key":      func(k string) (string, []string) { return "", []string{"x-api-key", k} },
		"x-goog-api-key": func(k string) (string, []string) { return "", []string{"x-goog-api-key", k} },
		"query":          func(k string) (string, []string) { return "?key=" + k, nil },
		"both headers":   func(k string) (string, []string) { return "", []string{"x-api-key", k, "Authorization", "Bearer " + k} },
		"subprotocol": func(k string) (string, []string) {
			return "", []string{"Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key." + k}
		},
	}
	targets := map[string]string{"POST /v1/chat/completions": oChat, "POST /v1/messages": anth, "POST /v1/responses": oResp, "POST /v1beta/models/g:generateContent": gem}
	for _, mode := range modes {
		for name, carrier := range carriers {
			for x, dialect := range targets {
				for key, right := range map[string]bool{dataKey: true, adminKey: false, "sk-no": false} {
					h := newHouse(settings(mode))
					method, target, _ := strings.Cut(x, " ")
					query, header := carrier(key)
					w := h.ask(method, target+query, jsonBody, header...)
					open := mode == config.AuthOff || mode == config.AuthAuto
					switch {
					case !open && !right:
						if w.Code != 401 || toldBy(t, w).Dialect != dialect || !strings.HasPrefix(w.Header().Get("Www-Authenticate"), "Bearer") {
							t.Errorf("%s: %s in %s on %s: got %d %s, want 401 in %s", mode, key, name, target, w.Code, w.Body, dialect)
						}
					case w.Code != 200:
						t.Errorf("%s: %s in %s on %s: got %d, want 200", mode, key, name, target, w.Code)
					default:
						c := h.last(t)
						if (c.Key == "default") != right || c.Query != "" {
							t.Errorf("%s: %s in %s: caller %q, query %q", mode, key, name, c.Key, c.Query)
						}
					}
					if w := h.ask(method, target+"?key=another", jsonBody, "x-api-key", key); w.Code != 400 || toldBy(t, w).Code != "conflicting_keys" {
						t.Errorf("%s: two keys: got %d, want 400", mode, w.Code)
					}
				}
			}
		}
	}
}

// SEC-16: guesses are slowed down, and the client is told for how long.
func TestSEC16Guessing(t *testing.T) {
	h := newHouse(settings(config.AuthStrict))
	var limited *httptest.ResponseRecorder
	for i := range 50 {
		if w := h.ask("POST", "/v1/messages", jsonBody, "X-Api-Key", fmt.Sprint("guess", i)); w.Code == 429 {
			limited = w
		}
	}
	if limited == nil || limited.Header().Get("Retry-After") == "" || toldBy(t, limited).Dialect != anth {
		t.Fatal("50 guesses were heard")
	}
	if w := h.ask("POST", "/v1/messages", jsonBody, "X-Api-Key", dataKey); w.Code != 200 {
		t.Errorf("the right key is locked out: %d", w.Code)
	}
	if h.relay.refused.Load() > 0 {
		t.Error("guesses were recorded, which costs more than they do")
	}
}

func TestBlockedIsCoalescedAndBounded(t *testing.T) {
	var got []string
	b := blocks{tell: func(kind, what string) { got = append(got, kind+" "+what) }}
	now := time.Unix(1_700_000_000, 0)
	for range 1000 {
		b.report(BlockHost, "evil.example", now)
	}
	b.report(BlockOrigin, "evil.example", now)
	b.report(BlockHost, "evil.example", now.Add(blockEvery))
	b.report(BlockHost, "a\nb\x1b[0m\u202e"+strings.Repeat("x", 1<<20), now)
	want := []string{"host evil.example", "origin evil.example", "host evil.example", "host a?b?[0m???" + strings.Repeat("x", maxWhat-10)}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = nil
	for i := range 10_000 {
		b.report(BlockHost, fmt.Sprint("h", i), now.Add(blockEvery+time.Duration(i)*time.Millisecond))
	}
	if len(b.seen) > maxBlocks+3 || len(got) > maxBlocks+1 || got[len(got)-1] != "host "+Many {
		t.Errorf("10,000 hosts: %d remembered, %d told, the last %q", len(b.seen), len(got), got[len(got)-1])
	}
	got = nil
	if b.report(BlockHost, "late", now.Add(time.Hour)); !slices.Equal(got, []string{"host late"}) {
		t.Errorf("an hour later: told %q", got)
	}
}
