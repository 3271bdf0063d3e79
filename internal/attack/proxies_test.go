package attack

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"portico/internal/rig"
)

const proxyPassword = "pp-CANARY-proxy-Zt6nWq3kHs8v"

// A gate is an outbound proxy that wants its password and counts what it passes
// on.
type gate struct {
	*httptest.Server
	passed atomic.Int64
}

func setGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
		if _, p, _ := r.BasicAuth(); p != proxyPassword || !r.URL.IsAbs() {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		g.passed.Add(1)
		out, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		out.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(g.Close)
	return g
}

// SEC-35, proxies: an account with a proxy of the pool goes out through that, and
// through another one when it is dead, and never without. The password of a
// proxy is shown to nobody, nor does it lie open on the disk.
func TestSEC35Proxies(t *testing.T) {
	u := listen(t)
	account := func(name, proxy string) string {
		return fmt.Sprintf("  - {name: %s, provider: openai, base_url: %q, api_key: %s, models: [\"%s-*\"], proxy: %s}\n", name, u.Base(rig.Chat), openaiKey, name, proxy)
	}
	x := beginWith(t, "off", u, "scheduling: {max_wait: 0s}\nproxy_checks: 0s\naccounts:\n"+account("any", "pool")+account("fixed", "pool:a")+account("direct", "direct")+account("lost", "pool:never"), rig.Options{})
	gates := map[string]*gate{"a": setGate(t), "b": setGate(t)}
	for name, g := range gates {
		cmd := exec.CommandContext(t.Context(), gateway, "proxy", "add", name, g.URL, "--user", "me", "--password-file", "-", "--data-dir", x.Dir)
		cmd.Env = []string{"HOME=" + x.Dir}
		cmd.Stdin = strings.NewReader(proxyPassword + "\n")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("works")) {
			t.Errorf("proxy add %s: %v, %s", name, err, out)
		}
	}
	passed := func() int64 { return gates["a"].passed.Load() + gates["b"].passed.Load() }
	asks := func(model string) (status int, through int64) {
		before := passed()
		a := ask(rig.Chat, false)
		a.Model = model
		got := a.Do(t.Context(), x.operator.HTTP, x.Base, nil)
		return got.Status, passed() - before
	}
	x.upstream.Reset()
	for _, model := range []string{"any-1", "fixed-1"} {
		if status, through := asks(model); status != http.StatusOK || through != 1 {
			t.Errorf("%s: %d, %d requests through the proxies", model, status, through)
		}
	}
	if status, through := asks("direct-1"); status != http.StatusOK || through != 0 {
		t.Errorf("direct: %d, %d requests through the proxies", status, through)
	}
	if status, through := asks("lost-1"); status == http.StatusOK || through != 0 {
		t.Errorf("a proxy that is not there: %d, %d requests through the proxies", status, through)
	}

	// What an operator may ask for.
	for _, r := range []request{
		{path: "/api/proxies"},
		{path: "/api/proxies/a"},
		{method: "POST", path: "/api/proxies/a/test"},
		{method: "PATCH", path: "/api/proxies/b", head: []string{"Content-Type: application/json"}, body: `{"disabled":false}`},
		{method: "POST", path: "/api/proxies", head: []string{"Content-Type: application/json"}, body: `{"name":"a","url":"http://u:` + proxyPassword + `@h:1"}`},
		{method: "POST", path: "/api/proxies", head: []string{"Content-Type: application/json"}, body: `{"name":"c","url":"u:` + proxyPassword + `@h:1"}`},
		{method: "DELETE", path: "/api/proxies/a"},
		{path: "/api/config"},
		{path: "/api/accounts"},
		{path: "/api/audit"},
	} {
		r.key = adminToken
		got := x.send(r)                                                        // which looks for canaries
		if r.method == http.MethodDelete && got.status != http.StatusConflict { // an account names it
			t.Errorf("%s: %d %s", r, got.status, got.body)
		}
		if strings.Contains(got.body, proxyPassword) {
			t.Errorf("%s: the password is in the answer", r)
		}
	}
	if got := x.send(request{path: "/api/proxies"}); got.status != http.StatusUnauthorized {
		t.Errorf("without the token: %d", got.status)
	}

	// One dies, then the other.
	gates["a"].Close()
	asks("any-1") // at most this one is lost
	if status, through := asks("any-1"); status != http.StatusOK || through != 1 {
		t.Errorf("with one proxy dead: %d, %d requests through the other", status, through)
	}
	if status, _ := asks("fixed-1"); status == http.StatusOK {
		t.Error("an account was served past its own dead proxy")
	}
	gates["b"].Close()
	x.healed("any", "fixed")
	x.upstream.Reset()
	for range 3 {
		for _, model := range []string{"any-1", "fixed-1"} {
			if status, _ := asks(model); status == http.StatusOK {
				t.Errorf("%s is served though no proxy lives", model)
			}
		}
		x.healed("any", "fixed")
	}
	x.quiet()
}
