package attack

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// behind is a gateway whose proxy is on this machine, so that a request may come
// from anywhere.
func behind(t *testing.T, more string) *target {
	t.Helper()
	return begin(t, "strict", "trusted_proxies: [127.0.0.0/8]\n"+more)
}

// asksFrom asks for the models as a client at an address, with more headers.
func (x *target) asksFrom(addr string, more ...string) reply {
	x.t.Helper()
	r := request{path: "/v1/models", key: clientKey, head: more}
	if addr != "" {
		r.head = append(r.head, "X-Forwarded-For: "+addr)
	}
	return x.send(r)
}

// rule sends an operator's request about rules, as one at an address.
func (x *target) rule(addr, method, path, body string) (reply, string) {
	x.t.Helper()
	r := request{method: method, path: "/api/access/rules" + path, key: adminToken, body: body}
	if body != "" {
		r.head = append(r.head, "Content-Type: application/json")
	}
	if addr != "" {
		r.head = append(r.head, "X-Forwarded-For: "+addr)
	}
	got := x.send(r)
	var out struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal([]byte(got.body), &out)
	return got, out.ID
}

// SEC-25, rules: who is kept out is kept out in every spelling of the address and
// behind every header that he may write himself; the narrowest range counts, and
// a rule that has expired keeps out nobody.
func TestSEC25Rules(t *testing.T) {
	t.Parallel()
	x := behind(t, "")
	for _, body := range []string{
		`{"kind":"deny","range":"203.0.113.0/24","reason":"noise"}`,
		`{"kind":"allow","range":"203.0.113.7"}`,
		`{"kind":"deny","range":"2001:db8:bad::/48","expires":"2999-01-01T00:00:00Z"}`,
		`{"kind":"deny","range":"192.0.2.0/24","expires":"2020-01-01T00:00:00Z"}`,
	} {
		if got, _ := x.rule("", "POST", "", body); got.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", body, got.status, got.body)
		}
	}
	for addr, want := range map[string]int{
		"203.0.113.9": 403, "::ffff:203.0.113.9": 403, "::ffff:cb00:7109": 403, "203.0.113.7": 200, "198.51.100.1": 200,
		"2001:db8:bad::1": 403, "2001:0db8:0BAD:0000::1": 403, "2001:db8:bad:ffff::1": 403, "2001:db8:bae::1": 200,
		"192.0.2.1": 200, // its rule is over
		// What he writes before his own address says nothing.
		"127.0.0.1, 203.0.113.9": 403, "203.0.113.7, 203.0.113.9": 403, "10.0.0.1,203.0.113.9": 403, "::1, 2001:db8:bad::1": 403, "unknown, 203.0.113.9": 403,
		// Nor does that of another behind it.
		"203.0.113.9, 198.51.100.1": 200,
	} {
		if got := x.asksFrom(addr); got.status != want {
			t.Errorf("from %q: %d %s, want %d", addr, got.status, got.body, want)
		}
	}
	for _, head := range [][]string{
		{"X-Real-IP: 127.0.0.1"},
		{"Forwarded: for=127.0.0.1"},
		{"CF-Connecting-IP: 127.0.0.1"},
		{"True-Client-IP: 127.0.0.1"},
		{"X-Client-IP: 127.0.0.1"},
		{"X-Forwarded-For: 127.0.0.1"},
		{"X-Forwarded-For: 203.0.113.7", "X-Forwarded-Host: localhost"},
	} {
		if got := x.asksFrom("203.0.113.9", head...); got.status != http.StatusForbidden {
			t.Errorf("with %q: %d %s", head, got.status, got.body)
		}
	}
	// The operator's token opens no other way in.
	for _, path := range []string{"/api/status", "/metrics", "/api/access/rules"} {
		if got := x.send(request{path: path, key: adminToken, head: []string{"X-Forwarded-For: 203.0.113.9"}}); got.status != http.StatusForbidden {
			t.Errorf("%s from an address that is kept out: %d %s", path, got.status, got.body)
		}
	}
	x.quiet()
	got, _ := x.rule("", "GET", "", "")
	if strings.Count(got.body, `"state":"expired"`) != 1 || !strings.Contains(got.body, `"reason":"noise"`) || strings.Count(got.body, `"hits":0`) != 1 {
		t.Errorf("the rules: %s", got.body)
	}
}

// SEC-25, without a proxy: nobody is moved by what he writes, be it out of a
// rule or into one.
func TestSEC25RulesWithoutProxy(t *testing.T) {
	t.Parallel()
	x := begin(t, "strict", "")
	if got, _ := x.rule("", "POST", "", `{"kind":"deny","range":"203.0.113.0/24"}`); got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := x.asksFrom("203.0.113.9"); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// SEC-25, lists: with access.only_listed only who is listed may call, and an
// operator cannot keep out himself by mistake, nor this machine at all.
func TestSEC25OnlyListed(t *testing.T) {
	t.Parallel()
	x := behind(t, "access: {only_listed: true}\n")
	if got := x.asksFrom("198.51.100.9"); got.status != http.StatusForbidden {
		t.Errorf("who is not listed: %d", got.status)
	}
	if got := x.asksFrom(""); got.status != http.StatusOK {
		t.Errorf("this machine: %d %s", got.status, got.body)
	}
	got, own := x.rule("", "POST", "", `{"kind":"allow","range":"198.51.100.0/24"}`)
	if got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := x.asksFrom("198.51.100.9"); got.status != http.StatusOK {
		t.Errorf("who is listed: %d %s", got.status, got.body)
	}
	for what, f := range map[string]func() (reply, string){
		"to deny oneself": func() (reply, string) {
			return x.rule("198.51.100.9", "POST", "", `{"kind":"deny","range":"198.51.100.9"}`)
		},
		"to deny oneself as IPv6": func() (reply, string) {
			return x.rule("198.51.100.9", "POST", "", `{"kind":"deny","range":"::ffff:198.51.100.9"}`)
		},
		"to deny a range around one": func() (reply, string) {
			return x.rule("198.51.100.9", "POST", "", `{"kind":"deny","range":"198.51.100.0/25"}`)
		},
		"to remove what lets one in": func() (reply, string) { return x.rule("198.51.100.9", "DELETE", "/"+own, "") },
		"to deny oneself behind a lie": func() (reply, string) {
			return x.rule("127.0.0.1, 198.51.100.9", "POST", "", `{"kind":"deny","range":"198.51.100.9"}`)
		},
	} {
		if got, _ := f(); got.status != http.StatusConflict || !strings.Contains(got.body, "would_lock_out") {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	got, forced := x.rule("198.51.100.9", "POST", "", `{"kind":"deny","range":"198.51.100.9","force":true}`)
	if got.status != http.StatusCreated {
		t.Errorf("with force: %d %s", got.status, got.body)
	}
	if got, _ := x.rule("198.51.100.9", "DELETE", "/"+forced, ""); got.status != http.StatusForbidden {
		t.Errorf("who has kept himself out: %d %s", got.status, got.body)
	}
	if got, _ := x.rule("", "DELETE", "/"+forced, ""); got.status != http.StatusNoContent {
		t.Errorf("from this machine: %d %s", got.status, got.body)
	}
	if got := x.asksFrom("198.51.100.9"); got.status != http.StatusOK {
		t.Errorf("let in again: %d %s", got.status, got.body)
	}
}

// SEC-25, keys: the ranges of a client key are held to in both families and in
// every spelling.
func TestSEC25KeyRanges(t *testing.T) {
	t.Parallel()
	x := behind(t, "")
	key := x.key("lan", map[string]any{"addresses": []string{"10.0.0.0/8", "2001:db8:1::/48", "192.0.2.7"}})
	for addr, want := range map[string]int{
		"10.255.0.1": 200, "::ffff:10.0.0.1": 200, "::ffff:0a00:0001": 200, "11.0.0.1": 403, "::ffff:11.0.0.1": 403, "192.0.2.7": 200, "192.0.2.8": 403,
		"2001:db8:1::1": 200, "2001:DB8:1:ffff::": 200, "2001:db8:2::1": 403, "::a00:1": 403, "64:ff9b::a00:1": 403, "::1": 403, "": 403,
		"10.0.0.1, 11.0.0.1": 403, "10.0.0.1 11.0.0.1": 403, "010.0.0.1": 403, "10.1": 403, "0x0a000001": 403, "10.0.0.1%eth0": 403,
	} {
		r := request{path: "/v1/models", key: key}
		if addr != "" {
			r.head = []string{"X-Forwarded-For: " + addr}
		}
		if got := x.send(r); got.status != want {
			t.Errorf("from %q: %d %s, want %d", addr, got.status, got.body, want)
		}
	}
	x.quiet()
	for _, bad := range []string{"10.0.0.0/33", "10.0.0.1/8/8", "example.com", "2001:db8::/129", "10.0.0.*", ""} {
		if _, err := x.operator.Call(t.Context(), http.MethodPost, "/api/keys", map[string]any{"name": "bad", "addresses": []string{bad}}, nil); err == nil {
			t.Errorf("the range %q was taken", bad)
		}
	}
	if got := fmt.Sprint(x.send(request{path: "/v1/models", key: clientKey}).status); got != "200" {
		t.Errorf("the api_key: %s", got)
	}
}
