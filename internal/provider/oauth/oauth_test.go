package oauth

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/credential"
	"portico/internal/provider"
	"portico/internal/provider/oauth/oauthtest"
	"portico/internal/secret"
)

// A bench is a desk, an issuer, and what came of the logins.
type bench struct {
	t    *testing.T
	s    *oauthtest.Server
	desk *Desk
	mu   sync.Mutex
	got  []*credential.Credential
	seed []credential.Grant
}

func newBench(t *testing.T, s *oauthtest.Server) *bench {
	b := &bench{t: t, s: s, desk: NewDesk()}
	t.Cleanup(func() { _ = b.desk.Close() })
	return b
}

func (b *bench) ask(m Method) Ask {
	b.t.Helper()
	c, err := ParseClient(secret.Of(b.s.ClientFile()), b.s.At())
	if err != nil {
		b.t.Fatal(err)
	}
	return Ask{Client: c, Method: m, Way: b.s.Way(), Done: func(_ context.Context, c *credential.Credential, g credential.Grant) (string, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.got, b.seed = append(b.got, c), append(b.seed, g)
		return "It works.", nil
	}}
}

func (b *bench) begin(a Ask) Status {
	b.t.Helper()
	s, err := b.desk.Begin(b.t.Context(), a)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// ends waits until all logins are over, and returns how the one called id is.
func (b *bench) ends(id string) Status {
	b.t.Helper()
	b.desk.all.Wait()
	s, err := b.desk.Look(id)
	if err != nil {
		b.t.Fatal(err)
	}
	if strings.Contains(s.Text, "canary") {
		b.t.Errorf("what came of it tells a secret: %s", s.Text)
	}
	return s
}

// visit asks for an address and follows nothing.
func visit(t *testing.T, method, address, host string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

// answerOf is where the issuer sends a browser that opens address.
func answerOf(t *testing.T, address string) string {
	t.Helper()
	status, body, h := visit(t, http.MethodGet, address, "")
	if status != http.StatusFound {
		t.Fatalf("the issuer answers with %d %s", status, body)
	}
	return h.Get("Location")
}

func query(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// A login in a browser, from the address to the credential; the listener is
// this machine's own, and gone once it has had its answer.
func TestBrowser(t *testing.T) {
	b := newBench(t, oauthtest.New(t))
	s := b.begin(b.ask(Browser))
	redirect, err := url.Parse(s.Redirect)
	if err != nil || redirect.Hostname() != "127.0.0.1" || redirect.Port() == "" {
		t.Fatalf("it leads back to %s", s.Redirect)
	}
	if left := time.Until(s.Until); left > 5*time.Minute || left < 4*time.Minute {
		t.Errorf("it has %v", left)
	}
	if q := query(t, s.URL); q.Get("code_challenge_method") != "S256" || q.Get("code_verifier") != "" || strings.Contains(s.URL, oauthtest.ClientSecret) {
		t.Errorf("the address is %s", s.URL)
	}
	final, page := oauthtest.Agree(t, s.URL)
	if final.Host != redirect.Host || !strings.Contains(page, "You may close this window") {
		t.Errorf("the browser ends at %s with %s", final, page)
	}
	if s = b.ends(s.ID); s.State != Done || s.Text != "It works." {
		t.Fatalf("%+v", s)
	}
	c := b.got[0]
	if c.Email != oauthtest.Email || c.Subject != oauthtest.Subject || !b.s.Valid("Bearer "+b.seed[0].Access.Reveal()) {
		t.Errorf("the credential is %+v", c)
	}
	if _, err := credential.Parse(c.Text(), b.s.At()); err != nil {
		t.Errorf("it cannot be kept: %v", err)
	}
	if conn, err := net.DialTimeout("tcp", redirect.Host, time.Second); err == nil {
		conn.Close()
		t.Error("the listener is still there")
	}
	if err := b.desk.Paste(s.ID, final.String()); !errors.Is(err, ErrOver) {
		t.Errorf("a second answer: %v", err)
	}
}

// What comes to the listener that is not the answer harms nothing.
func TestStrangers(t *testing.T) {
	b := newBench(t, oauthtest.New(t))
	s, other := b.begin(b.ask(Browser)), b.begin(b.ask(Browser))
	right, wrong := answerOf(t, s.URL), answerOf(t, other.URL)
	with := func(name, value string) string {
		q := query(t, right)
		if q.Set(name, value); value == "" {
			q.Del(name)
		}
		return s.Redirect + "?" + q.Encode()
	}
	for name, tt := range map[string]struct {
		method, address, host string
		status                int
	}{
		"another state":          {"GET", with("state", "x"), "", 400},
		"no state":               {"GET", with("state", ""), "", 400},
		"the answer of another":  {"GET", s.Redirect + "?" + query(t, wrong).Encode(), "", 400},
		"another issuer":         {"GET", with("iss", "https://evil.example"), "", 400},
		"no code":                {"GET", with("code", ""), "", 400},
		"an error without state": {"GET", s.Redirect + "?error=access_denied", "", 400},
		"another path":           {"GET", strings.Replace(right, callback, "/", 1), "", 404},
		"another method":         {"POST", right, "", 404},
		"another host":           {"GET", right, "evil.example", 421},
		"localhost":              {"GET", right, "localhost", 421},
		"an icon":                {"GET", strings.TrimSuffix(s.Redirect, callback) + "/favicon.ico", "", 404},
	} {
		if status, body, _ := visit(t, tt.method, tt.address, tt.host); status != tt.status {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if now, err := b.desk.Look(s.ID); err != nil || now.State != Waiting {
		t.Fatalf("after them it is %+v, %v", now, err)
	}
	status, _, h := visit(t, "GET", right, "")
	if status != 200 || h.Get("Content-Security-Policy") == "" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer: %d %v", status, h)
	}
	visit(t, "GET", wrong, "")
	if s, o := b.ends(s.ID), b.ends(other.ID); s.State != Done || o.State != Done {
		t.Errorf("%+v and %+v", s, o)
	}
}

// What the issuer says is told, as text.
func TestDenied(t *testing.T) {
	b := newBench(t, oauthtest.New(t))
	b.s.Deny(true)
	s := b.begin(b.ask(Browser))
	visit(t, "GET", answerOf(t, s.URL), "")
	if s = b.ends(s.ID); s.State != Failed || s.Text != "What was asked for was refused at the test's issuer." {
		t.Errorf("%+v", s)
	}
	s = b.begin(b.ask(Browser))
	q := query(t, answerOf(t, s.URL))
	q.Set("error", "server_error")
	q.Set("error_description", "<script>alert(1)</script>\r\nno")
	_, body, _ := visit(t, "GET", s.Redirect+"?"+q.Encode(), "")
	if strings.Contains(body, "<script") || !strings.Contains(body, "&lt;script&gt;") {
		t.Errorf("the page is %s", body)
	}
	if s = b.ends(s.ID); s.State != Failed || !strings.Contains(s.Text, "server_error: <script>alert(1)</script>  no") {
		t.Errorf("%+v", s)
	}
}

func TestPaste(t *testing.T) {
	iss := oauthtest.New(t)
	for name, tt := range map[string]struct {
		text func(address string, q url.Values) string
		ok   bool
	}{
		"the address":             {func(a string, _ url.Values) string { return "  " + a + "\n" }, true},
		"the code":                {func(_ string, q url.Values) string { return q.Get("code") }, true},
		"the code as it is there": {func(_ string, q url.Values) string { return url.QueryEscape(q.Get("code")) }, true},
		"the query":               {func(_ string, q url.Values) string { return "?" + q.Encode() }, true},
		"nothing":                 {func(string, url.Values) string { return " " }, false},
		"prose":                   {func(string, url.Values) string { return "it did not work" }, false},
		"an address without all":  {func(a string, _ url.Values) string { return strings.Split(a, "?")[0] }, false},
		"too much":                {func(string, url.Values) string { return strings.Repeat("x", maxAnswer+1) }, false},
		"another login's": {func(a string, q url.Values) string {
			return strings.Replace(a, q.Get("state"), strings.ToLower(q.Get("state")), 1)
		}, false},
	} {
		b := newBench(t, iss)
		s := b.begin(b.ask(Browser))
		address := answerOf(t, s.URL)
		err := b.desk.Paste(s.ID, tt.text(address, query(t, address)))
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
		if !tt.ok { // it harms nothing
			if err := b.desk.Paste(s.ID, address); err != nil {
				t.Errorf("%s: then %v", name, err)
			}
		}
		if s = b.ends(s.ID); s.State != Done {
			t.Errorf("%s: %+v", name, s)
		}
	}
	b := newBench(t, iss)
	if err := b.desk.Paste("x", "4/code"); !errors.Is(err, ErrUnknown) {
		t.Errorf("for no login: %v", err)
	}
	s := b.begin(b.ask(Browser))
	if err := b.desk.Paste(s.ID, "4/of-somebody-else"); err != nil {
		t.Fatal(err)
	}
	if s = b.ends(s.ID); s.State != Failed || !strings.Contains(s.Text, "Malformed auth code") || len(b.got) != 0 {
		t.Errorf("with a code of somebody else's: %+v", s)
	}
}

// A code that somebody has read on its way is of no use to them, and one that
// is used twice ends the login that it made.
func TestIntercepted(t *testing.T) {
	b := newBench(t, oauthtest.New(t))
	s, thief := b.begin(b.ask(Browser)), b.begin(b.ask(Browser))
	code := query(t, answerOf(t, s.URL)).Get("code")
	if err := b.desk.Paste(thief.ID, code); err != nil {
		t.Fatal(err)
	}
	if err := b.desk.Cancel(s.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.ends(thief.ID); got.State != Failed || !strings.Contains(got.Text, "code verifier") && !strings.Contains(got.Text, "redirect_uri") {
		t.Errorf("%+v", got)
	}
	if got := b.ends(s.ID); got.State != Failed || got.Text != "It was cancelled." {
		t.Errorf("%+v", got)
	}
}

// A login that nobody ends is over by itself, and its listener with it.
func TestPatience(t *testing.T) {
	b := newBench(t, oauthtest.New(t))
	b.desk.patience = 10 * time.Millisecond
	s := b.begin(b.ask(Browser))
	at := strings.TrimSuffix(strings.TrimPrefix(s.Redirect, "http://"), callback)
	if s = b.ends(s.ID); s.State != Failed || s.Text != "Its time is up." {
		t.Errorf("%+v", s)
	}
	if conn, err := net.DialTimeout("tcp", at, time.Second); err == nil {
		conn.Close()
		t.Error("the listener is still there")
	}
}

func TestBounds(t *testing.T) {
	b := newBench(t, oauthtest.New(t))
	for range maxWaiting {
		b.begin(b.ask(Browser))
	}
	if _, err := b.desk.Begin(t.Context(), b.ask(Browser)); !errors.Is(err, ErrMany) {
		t.Errorf("one more: %v", err)
	}
	b.desk.mu.Lock()
	for _, l := range b.desk.logins {
		l.cancel(errors.New("enough"))
	}
	b.desk.mu.Unlock()
	b.desk.all.Wait()
	for range 2 * maxLogins {
		s := b.begin(b.ask(Browser))
		if err := b.desk.Cancel(s.ID); err != nil {
			t.Fatal(err)
		}
		b.desk.all.Wait()
	}
	if n := len(b.desk.logins); n > maxLogins {
		t.Errorf("%d logins are remembered", n)
	}
}

// Only who was expected may sign in again.
func TestOtherIdentity(t *testing.T) {
	b := newBench(t, oauthtest.New(t))
	a := b.ask(Browser)
	a.Subject, a.Email = oauthtest.Subject, oauthtest.Email
	s := b.begin(a)
	if query(t, s.URL).Get("login_hint") != oauthtest.Email {
		t.Errorf("the issuer is not told who is meant: %s", s.URL)
	}
	b.s.Is("2002", "thief@example.com")
	oauthtest.Agree(t, s.URL)
	if s = b.ends(s.ID); s.State != Failed || !strings.Contains(s.Text, "another identity than thief@example.com, who has signed in") || len(b.got) != 0 {
		t.Errorf("%+v", s)
	}
}

// Where the issuer's own name of the one who must sign in is not known, the
// e-mail address says who it is.
func TestAdmits(t *testing.T) {
	for _, tt := range []struct {
		ask  Ask
		of   credential.Grant
		want bool
	}{
		{Ask{}, credential.Grant{Subject: "1", Email: "a@x.example"}, true},
		{Ask{}, credential.Grant{}, true},
		{Ask{Subject: "1"}, credential.Grant{Subject: "1"}, true},
		{Ask{Subject: "1", Email: "a@x.example"}, credential.Grant{Subject: "1", Email: "new@x.example"}, true},
		{Ask{Subject: "1", Email: "a@x.example"}, credential.Grant{Subject: "2", Email: "a@x.example"}, false},
		{Ask{Subject: "1"}, credential.Grant{}, false},
		{Ask{Email: "a@x.example"}, credential.Grant{Subject: "1", Email: "A@X.example"}, true},
		{Ask{Email: "a@x.example"}, credential.Grant{Subject: "1", Email: "b@x.example"}, false},
		{Ask{Email: "a@x.example"}, credential.Grant{Subject: "1"}, false},
	} {
		if got := tt.ask.admits(&tt.of); got != tt.want {
			t.Errorf("%+v for %+v: %v", tt.of, tt.ask, got)
		}
	}
}

// Whoever waits for a login is told of its end at once, or how it stands.
func TestWait(t *testing.T) {
	b := newBench(t, oauthtest.New(t))
	a := b.ask(Browser)
	a.For = "mine"
	s := b.begin(a)
	now, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := b.desk.Wait(now, s.ID); err != nil || got.State != Waiting || got.For != "mine" {
		t.Errorf("at once: %+v, %v", got, err)
	}
	told := make(chan Status, 1)
	go func() {
		got, err := b.desk.Wait(t.Context(), s.ID)
		if err != nil {
			t.Error(err)
		}
		told <- got
	}()
	oauthtest.Agree(t, s.URL)
	if got := <-told; got.State != Done || got.Text != "It works." {
		t.Errorf("at the end: %+v", got)
	}
	if _, err := b.desk.Wait(t.Context(), "x"); !errors.Is(err, ErrUnknown) {
		t.Errorf("for none: %v", err)
	}
}

// What an issuer may give that makes no login.
func TestUseless(t *testing.T) {
	for name, tt := range map[string]struct{ body, want string }{
		"no refresh token": {`{"access_token":"a","expires_in":3600,"token_type":"Bearer"}`, "no refresh token"},
		"not all scopes":   {`{"access_token":"a","refresh_token":"r","scope":"openid"}`, "The permission api was not given"},
		"no token":         {`{"token_type":"Bearer"}`, "missing access_token"},
		"another kind":     {`{"access_token":"a","refresh_token":"r","token_type":"mac"}`, "another kind"},
	} {
		b := newBench(t, oauthtest.New(t))
		b.s.Intrude(func(w http.ResponseWriter, _ url.Values) bool {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, tt.body)
			return true
		})
		s := b.begin(b.ask(Browser))
		oauthtest.Agree(t, s.URL)
		if s = b.ends(s.ID); s.State != Failed || !strings.Contains(s.Text, tt.want) || len(b.got) != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestDevice(t *testing.T) {
	iss := oauthtest.New(t)
	for name, tt := range map[string]struct {
		do    func(user string)
		state State
		text  string
		after time.Duration // at least
	}{
		"agreed to":  {func(u string) { iss.Decide(u, "approved") }, Done, "It works.", time.Second},
		"slow down":  {func(u string) { iss.SlowDown(); iss.Decide(u, "approved") }, Done, "It works.", 7 * time.Second},
		"refused":    {func(u string) { iss.Decide(u, "denied") }, Failed, "What was asked for was refused at the test's issuer.", time.Second},
		"too late":   {func(u string) { iss.Decide(u, "expired") }, Failed, "Its time is up.", time.Second},
		"never":      {func(string) {}, Failed, "Its time is up.", 590 * time.Second},
		"after long": {func(u string) { time.Sleep(5 * time.Minute); iss.Decide(u, "approved") }, Done, "It works.", 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, iss)
			began := time.Now()
			s := b.begin(b.ask(Device))
			if s.UserCode == "" || s.Redirect != "" || !strings.HasPrefix(s.URL, iss.URL) {
				t.Fatalf("%s: %+v", name, s)
			}
			if err := b.desk.Paste(s.ID, "4/x"); err == nil {
				t.Errorf("%s: a code ends it", name)
			}
			tt.do(s.UserCode)
			s = b.ends(s.ID)
			if s.State != tt.state || s.Text != tt.text || time.Since(began) < tt.after {
				t.Errorf("%s: %+v after %v", name, s, time.Since(began))
			}
			if (len(b.got) == 1) != (tt.state == Done) {
				t.Errorf("%s: %d credentials", name, len(b.got))
			}
			b.desk.Close()
		})
	}
}

// That the issuer cannot be reached for a while does not end a login on another
// device.
func TestDeviceCut(t *testing.T) {
	iss := oauthtest.New(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, iss)
		a := b.ask(Device)
		way := &flaky{RoundTripper: iss.Way()}
		a.Way = way
		s := b.begin(a)
		way.set(true)
		time.Sleep(time.Minute)
		iss.Decide(s.UserCode, "approved")
		way.set(false)
		if s = b.ends(s.ID); s.State != Done {
			t.Errorf("%+v", s)
		}
		b.desk.Close()
	})
}

// flaky is a way that can be cut.
type flaky struct {
	http.RoundTripper
	mu  sync.Mutex
	cut bool
}

func (f *flaky) set(cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut = cut
}

func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	cut := f.cut
	f.mu.Unlock()
	if cut {
		return nil, errors.New("the network is down")
	}
	return f.RoundTripper.RoundTrip(r)
}

// Google gives devices no scope that its APIs take; that is said at once.
func TestNoDevice(t *testing.T) {
	l := &provider.Login{Issuer: "Google", Token: "https://oauth2.googleapis.com/token", Device: "https://oauth2.googleapis.com/device/code", Domains: []string{"googleapis.com"}}
	c, err := ParseClient(secret.Of(`{"client_id":"42-x","client_secret":"s"}`), l)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewDesk().Begin(t.Context(), Ask{Client: c, Method: Device}); err == nil || !strings.Contains(err.Error(), "paste the address") {
		t.Errorf("%v", err)
	}
}

func TestParseClient(t *testing.T) {
	l := &provider.Login{Auth: "https://accounts.google.com/o/oauth2/v2/auth", Token: "https://oauth2.googleapis.com/token", Domains: []string{"googleapis.com", "accounts.google.com"}}
	for name, tt := range map[string]struct{ text, auth, want string }{
		"the console's":            {`{"installed":{"client_id":"42-x","client_secret":"canary","auth_uri":"https://accounts.google.com/o/oauth2/auth","token_uri":"https://oauth2.googleapis.com/token"}}`, l.Auth, ""},
		"what stands inside":       {`{"client_id":"42-x","client_secret":"canary"}`, l.Auth, ""},
		"an issuer here":           {`{"client_id":"42-x","auth_uri":"http://127.0.0.1:1/auth","token_uri":"http://127.0.0.1:1/token"}`, "http://127.0.0.1:1/auth", ""},
		"for a web server":         {`{"web":{"client_id":"42-x","client_secret":"canary"}}`, "", "desktop"},
		"tokens at another host":   {`{"client_id":"42-x","client_secret":"canary","token_uri":"https://evil.example/"}`, "", "evil.example"},
		"people sent to a script":  {`{"client_id":"42-x","auth_uri":"javascript:alert(1)","token_uri":"http://127.0.0.1:1/token"}`, "", "address"},
		"people sent to a program": {`{"client_id":"42-x","auth_uri":"file:///usr/bin/calc","token_uri":"http://127.0.0.1:1/token"}`, "", "address"},
		"the vendor's own":         {`{"client_id":"681255809395-x","client_secret":"canary"}`, "", "Gemini CLI"},
		"no id":                    {`{"client_secret":"canary"}`, "", "client_id"},
		"no JSON":                  {`canary`, "", "no file"},
	} {
		c, err := ParseClient(secret.Of(tt.text), l)
		switch {
		case tt.want == "" && (err != nil || c.login.Auth != tt.auth):
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary")):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("http://127.0.0.1:1/oauth2callback?code=4%2Fx&state=right")
	f.Add("4/0Axyz")
	f.Add("?code=4/x&state=wrong")
	f.Add("http://h/?error=access_denied&state=right")
	f.Fuzz(func(t *testing.T, text string) {
		l := &login{state: "right", issuer: "https://i.example", ask: Ask{Client: &Client{}}}
		a, err := l.read(text)
		if err == nil && a.err == nil && (a.code == "" || len(a.code) > maxAnswer) {
			t.Errorf("%q has the code %q", text, a.code)
		}
		if err == nil && strings.Contains(text, "://") && !strings.Contains(text, "right") && !strings.Contains(text, "%") {
			t.Errorf("%q is taken without its state", text)
		}
	})
}
