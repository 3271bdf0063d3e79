package ingress

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"portico/internal/access"
	"portico/internal/config"
	"portico/internal/jsonedit"
)

// A host that is taken is one that an attacker cannot own.
func FuzzHost(f *testing.F) {
	for _, s := range []string{ownHost, "localhost:8045", "[::1]:8045", "evil.example", "127.0.0.1.", "[::ffff:127.0.0.1]:8045", "192.168.1.7:8045", "portico.test:1", "a:b:c", "[fe80::1%25eth0]:8045"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	local := netip.MustParseAddrPort("192.168.1.7:8045")
	f.Fuzz(func(t *testing.T, host string, lan bool) {
		set := settings(config.AuthStrict)
		set.LAN = lan
		if !newState(set).serves(host, local) {
			return
		}
		name, portText, _ := strings.Cut(strings.ToLower(host), ":")
		if strings.HasPrefix(host, "[") {
			name, portText = "[::1]", strings.TrimPrefix(host, "[::1]:")
		}
		switch name {
		case "portico.test":
			return
		case "127.0.0.1", "localhost", "[::1]", "host.docker.internal", "host.containers.internal":
		case "192.168.1.7":
			if !lan {
				t.Fatalf("host %q is taken without LAN access", host)
			}
		default:
			t.Fatalf("host %q is taken", host)
		}
		if portText != "8045" {
			t.Fatalf("host %q is taken with another port", host)
		}
	})
}

// A page of another origin comes through only if it is listed, or has a key of
// its own where one is needed, or a person follows a link.
func FuzzOrigin(f *testing.F) {
	f.Add("http://127.0.0.1:8045", "same-origin", "POST", "/v1/messages", "", true, true)
	f.Add("null", "cross-site", "OPTIONS", "/v1/models", "websocket", true, false)
	f.Add("http://127.0.0.1:8045.evil.example", "", "GET", "/api/x", "", false, true)
	f.Add("http://evil.example/http://127.0.0.1:8045", "same-site", "GET", "/", "", false, false)
	st := newState(settings(config.AuthStrict))
	f.Fuzz(func(t *testing.T, origin, site, method, path, upgrade string, required, key bool) {
		r := &http.Request{Method: method, Host: ownHost, URL: &url.URL{Path: path}, Header: http.Header{"Origin": {origin}}}
		if site != "" {
			r.Header["Sec-Fetch-Site"] = []string{site}
		}
		if upgrade != "" {
			r.Header["Upgrade"] = []string{upgrade}
		}
		m := matchPath(method, path, r.Header, "")
		page := origin == "http://"+ownHost || origin == "https://"+ownHost
		got := st.judge(r, &m, required, key)
		switch {
		case page && (site == "" || site == "same-origin" || site == "none"):
			if got != pass {
				t.Fatalf("the own page is refused: %d", got)
			}
		case strings.EqualFold(origin, "http://"+ownHost) || strings.EqualFold(origin, "https://"+ownHost):
		case got == pass, got == preflight && !st.origins[strings.ToLower(origin)],
			got == listed && (!st.origins[strings.ToLower(origin)] || m.plane == access.Admin),
			got == keyed && (!required || !key || m.plane != access.Data || upgrades(r.Header)):
			t.Fatalf("origin %q, site %q, %s %s: judged %d", origin, site, method, path, got)
		}
	})
}

// Whatever a path is, it goes to one place, and only sound paths go anywhere.
func FuzzRoute(f *testing.F) {
	for _, p := range []string{"/v1/messages", "/v1/models/a%2Fb:generateContent", "/v1//..//api", "/upload/v1beta/files", "/v1/v1/v1/v1/models", "/%2e%2e/", "/api/hello", "/models/:", "/v1/responses/%25"} {
		f.Add("POST", p, "key=k")
		f.Add("DELETE", p, "")
	}
	f.Fuzz(func(t *testing.T, method, target, query string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || u.Scheme != "" {
			return
		}
		slashed, ok := soundPath(u)
		m := matchPath(method, u.EscapedPath(), http.Header{}, query)
		again := matchPath(method, u.EscapedPath(), http.Header{}, query)
		if m != again {
			t.Fatalf("%s: %+v and %+v", target, m, again)
		}
		if !ok || slashed && !m.id {
			return
		}
		for s := range strings.SplitSeq(u.Path, "/") {
			if s == ".." || s == "." {
				t.Fatalf("%s is taken for sound", target)
			}
		}
		switch m.kind {
		case carry:
			if m.plane != access.Data || m.in >= dialects || m.take == 0 || !strings.HasPrefix(m.path, "/") || strings.ContainsAny(m.path, "?#\\ ") {
				t.Fatalf("%s: %+v", target, m)
			}
			if (m.in == asAnthropic) != strings.HasPrefix(m.path, "/v1/") {
				t.Fatalf("%s goes on as %s", target, m.path)
			}
		case list, look, unknown:
			if m.plane != access.Data || m.in >= dialects {
				t.Fatalf("%s: %+v", target, m)
			}
			if m.kind == unknown && len(hint(&m, u.Path)) > 200 {
				t.Fatalf("%s: hint %q", target, hint(&m, u.Path))
			}
		case toAdmin:
			if m.plane != access.Admin || under(target, "/v1") || under(target, "/v1beta") {
				t.Fatalf("%s: %+v", target, m)
			}
		}
	})
}

func FuzzForm(f *testing.F) {
	_, body := form("model", "m", "file:f", "content", "stream", "true")
	f.Add("b", body, "whisper-1", []byte("a\r\n--b"))
	f.Add("xxx", []byte("--xxx\r\n\r\n--xxx--"), "", []byte{})
	f.Fuzz(func(t *testing.T, boundary string, body []byte, model string, file []byte) {
		if p, err := peekForm("multipart/form-data; boundary="+boundary, body); err != nil && p.Model != "" && len(p.Model) > maxField {
			t.Fatalf("a model of %d bytes", len(p.Model))
		}
		if len(model) > maxField {
			return
		}
		ct, whole := form("file:name", string(file), "model", model)
		if p, err := peekForm(ct, whole); err != nil || p.Model != model {
			t.Fatalf("got %q %v, want %q", p.Model, err, model)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(gzipOf([]byte(jsonBody)), true)
	f.Add(zlibOf(make([]byte, 100_000)), false)
	f.Add(append(gzipOf(nil), gzipOf(make([]byte, 9000))...), true)
	f.Fuzz(func(t *testing.T, b []byte, zip bool) {
		c := deflated
		if zip {
			c = gzipped
		}
		const limit = 8000
		got, err := decode(b, c, limit)
		if err == nil && len(*got) > limit {
			t.Fatalf("%d bytes became %d", len(b), len(*got))
		}
		// A limit changes nothing but whether the whole is taken.
		wide, wideErr := decode(b, c, 1<<20)
		if err == nil && (wideErr != nil || !bytes.Equal(*got, *wide)) || errors.Is(err, errOverLimit) && wideErr == nil && len(*wide) <= limit {
			t.Fatalf("%v with the limit, %v with another", err, wideErr)
		}
	})
}

// The request that a WebSocket's frame makes has the frame's members as they
// came, but for those that are the socket's own, and is streamed.
func FuzzCreate(f *testing.F) {
	for _, s := range []string{
		`{"type":"response.create","model":"m","input":"hi"}`,
		`{"type":"response.create","stream_id":"a","generate":false,"input":[{"role":"user"}],"x":[1.0, 1e400]}`,
		`{"str\u0065am":false,"background":true,"model":"m","model":"n"}`,
		`{"type":7,"stream_id":{"a":[` + strings.Repeat("1,", 200) + `1]}}`,
		`{`, `[]`, ``, `{"input":7,"type":"response.create"} `, "\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := readCreate(text)
		if err != nil {
			return
		}
		if len(c.lane) > maxLane {
			t.Fatalf("a stream_id of %d bytes is repeated", len(c.lane))
		}
		got, err := c.body(text, nil)
		if err != nil || !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			return
		}
		want := [][2]string{{"stream", "true"}}
		for m := range jsonedit.Members(text) {
			if !slices.ContainsFunc(ownMembers[:], m.Is) {
				want = append(want, [2]string{string(m.Name), string(m.Value)})
			}
		}
		var found [][2]string
		for m, err := range jsonedit.Members(got) {
			if err != nil {
				t.Fatalf("%q makes %q: %v", text, got, err)
			}
			found = append(found, [2]string{string(m.Name), string(m.Value)})
		}
		if !slices.Equal(found, want) {
			t.Fatalf("%q makes %q", text, got)
		}
	})
}
