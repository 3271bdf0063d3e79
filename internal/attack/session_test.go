package attack

import (
	"bufio"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// adminPassword is what the operator signs in with.
const adminPassword = "pw-CANARY-password-Rt2bWx6mQh9z"

var jsonBody = []string{"Content-Type: application/json"}

// signIn signs in and returns the header that a browser then sends.
func (x *target) signIn(body string) (cookie string) {
	x.t.Helper()
	got := x.send(request{method: "POST", path: "/api/session", head: jsonBody, body: body})
	if got.status != http.StatusCreated || len(got.head["Set-Cookie"]) != 1 {
		x.t.Fatalf("signing in: %d %s", got.status, got.body)
	}
	c, err := http.ParseSetCookie(got.head["Set-Cookie"][0])
	if err != nil {
		x.t.Fatal(err)
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Domain != "" || c.Path != "/api" {
		x.t.Errorf("the cookie is %v", c)
	}
	return "Cookie: " + c.Name + "=" + c.Value
}

func (x *target) setPassword(password string) {
	x.t.Helper()
	got := x.send(request{method: "PUT", path: "/api/password", head: jsonBody, key: adminToken, body: fmt.Sprintf(`{"password":%q}`, password)})
	if got.status != http.StatusNoContent {
		x.t.Fatalf("setting a password: %d %s", got.status, got.body)
	}
}

// sees is the status that the session's cookie gets.
func (x *target) sees(cookie string) int {
	return x.send(request{path: "/api/status", head: []string{cookie}}).status
}

// SEC-29: a session's cookie is out of reach of scripts and other sites, is
// another one after every signing in, is good for the operator's side only,
// outlives a restart, and no longer than the password. SEC-21: no credential
// opens another's door.
func TestSEC29Sessions(t *testing.T) {
	t.Parallel()
	x := begin(t, "strict", "")
	x.setPassword(adminPassword)
	byPassword := fmt.Sprintf(`{"password":%q}`, adminPassword)
	one := x.signIn(byPassword)
	planted := x.send(request{method: "POST", path: "/api/session", head: append([]string{one}, jsonBody...), body: byPassword})
	two, _, _ := strings.Cut(planted.head.Get("Set-Cookie"), ";")
	if planted.status != http.StatusCreated || "Cookie: "+two == one {
		t.Errorf("signing in anew: %d, the cookie stays", planted.status)
	}
	if got := x.sees(one); got != http.StatusOK {
		t.Errorf("the session: %d", got)
	}
	_, token, _ := strings.Cut(one, "=")
	for _, r := range []request{
		{path: "/v1/models", head: []string{one}},
		{path: "/v1/models", key: token},
		{path: "/v1/models", key: adminPassword},
		{path: "/api/status", key: token},
		{path: "/api/status", key: adminPassword},
		{path: "/api/status", head: []string{"Cookie: portico_session=" + token}},
		{path: "/api/status?session=" + token},
		{path: "/api/status", head: []string{strings.Replace(one, token, adminToken, 1)}},
		{path: "/api/status", head: []string{strings.Replace(one, token, token[:len(token)-1], 1)}},
		{path: "/api/status", host: fmt.Sprintf("localhost:%d", x.Port), head: []string{one}},
		{method: "POST", path: "/api/session", head: jsonBody, body: fmt.Sprintf(`{"token":%q}`, clientKey)},
		{method: "POST", path: "/api/session", head: jsonBody, body: fmt.Sprintf(`{"password":%q}`, adminToken)},
	} {
		if got := x.send(r); got.status != http.StatusUnauthorized && got.status != http.StatusTooManyRequests {
			t.Errorf("%s: %d %s", r, got.status, got.body)
		}
	}
	// A page on another port of this machine has the browser send the cookie.
	for _, head := range [][]string{
		{one, "Origin: http://127.0.0.1:3000", "Sec-Fetch-Site: same-site", "X-Portico-CSRF: 1"},
		{one, "Origin: http://" + x.host, "Sec-Fetch-Site: same-origin"},
		{one, "Origin: null", "X-Portico-CSRF: 1"},
		{one},
	} {
		got := x.send(request{method: "POST", path: "/api/reload", head: append(head, jsonBody...), body: "{}"})
		if got.status != http.StatusForbidden {
			t.Errorf("%q: %d %s", head, got.status, got.body)
		}
	}

	x.again()
	if got := x.sees(one); got != http.StatusOK {
		t.Errorf("after a restart: %d", got)
	}
	x.setPassword(adminPassword + "!")
	for _, cookie := range []string{one, "Cookie: " + two} {
		if got := x.sees(cookie); got != http.StatusUnauthorized {
			t.Errorf("after another password: %d", got)
		}
	}
	x.again()
	if got := x.sees(one); got != http.StatusUnauthorized {
		t.Errorf("after another password and a restart: %d", got)
	}
	for _, name := range []string{"accounts.db", "accounts.db-wal", "accounts.db.copy"} {
		b, err := os.ReadFile(filepath.Join(x.Dir, name))
		if err == nil && strings.Contains(string(b), token[3:]) {
			t.Errorf("the token of a session is in %s", name)
		}
	}
}

// again kills the gateway and starts it anew.
func (x *target) again() {
	x.t.Helper()
	x.Kill()
	x.restart()
}

// SEC-28, sessions: one that is ended sees nothing more, and its live feed ends
// within seconds.
func TestSEC28EndSession(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	cookie := x.signIn(fmt.Sprintf(`{"token":%q}`, adminToken))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, x.Base+"/api/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", strings.TrimPrefix(cookie, "Cookie: "))
	feed, err := x.operator.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Body.Close()
	lines := bufio.NewScanner(feed.Body)
	if feed.StatusCode != http.StatusOK || !lines.Scan() {
		t.Fatalf("the feed: %d", feed.StatusCode)
	}
	if _, err := x.operator.Call(t.Context(), http.MethodDelete, "/api/sessions/all", nil, nil); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	if got := x.sees(cookie); got != http.StatusUnauthorized {
		t.Errorf("the session that was ended: %d", got)
	}
	for lines.Scan() {
	}
	if took := time.Since(at); took > 3*time.Second {
		t.Errorf("its feed went on for %s", took)
	}
}

// SEC-30: a link opens one session, for a browser on this machine, and is told
// to nobody: it stands behind the #, and in no log.
func TestSEC30LaunchLink(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	launch := func() (code, link string) {
		got := x.send(request{method: "POST", path: "/api/launch", key: adminToken})
		var l struct{ Code, URL string }
		if err := json.Unmarshal([]byte(got.body), &l, json.MatchCaseInsensitiveNames(true)); err != nil || got.status != http.StatusCreated {
			t.Fatalf("%d %s, %v", got.status, got.body, err)
		}
		return l.Code, l.URL
	}
	code, link := launch()
	if link != x.Base+"/#launch="+code || len(code) < 26 {
		t.Errorf("the link is %q", link)
	}
	cookie := x.signIn(fmt.Sprintf(`{"launch":%q}`, code))
	if got := x.sees(cookie); got != http.StatusOK {
		t.Errorf("the session: %d", got)
	}
	for name, body := range map[string]string{
		"again": fmt.Sprintf(`{"launch":%q}`, code), "another": `{"launch":"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}`, "as password": fmt.Sprintf(`{"password":%q}`, code),
	} {
		if got := x.send(request{method: "POST", path: "/api/session", head: jsonBody, body: body}); got.status != http.StatusUnauthorized || len(got.head["Set-Cookie"]) > 0 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for _, r := range []request{{path: "/api/status?launch=" + code}, {path: "/api/status", key: code}, {method: "POST", path: "/api/launch", head: jsonBody, body: "{}"}} {
		if got := x.send(r); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", r, got.status)
		}
	}
	if log := x.log(); strings.Contains(log, code) || strings.Contains(log, strings.TrimPrefix(cookie, "Cookie: ")) {
		t.Error("the log has the code or the cookie")
	}
}

// SEC-16, passwords: they are guessed no faster than keys, and a flood of
// guesses costs neither memory nor the time of others.
func TestSEC16Passwords(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	x.setPassword(adminPassword)
	began, heard := time.Now(), 0
	for i := range scaled(2000, 200) {
		got := x.send(request{method: "POST", path: "/api/session", head: jsonBody, body: fmt.Sprintf(`{"password":"guess number %d"}`, i)})
		switch got.status {
		case http.StatusUnauthorized:
			heard++
		case http.StatusTooManyRequests:
			if got.head.Get("Retry-After") == "" {
				t.Fatal("no Retry-After")
			}
		default:
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	if most := 6 + int(time.Since(began)/(12*time.Second)); heard > most {
		t.Errorf("%d guesses were heard, at most %d should be", heard, most)
	}
	x.signIn(fmt.Sprintf(`{"token":%q}`, adminToken)) // the owner is not locked out
}
