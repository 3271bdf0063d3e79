package admin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/access"
	"portico/internal/config"
	"portico/internal/session"
	"portico/internal/store"
)

// nowhere keeps sessions in no place.
type nowhere struct{}

func (nowhere) Sessions(context.Context) ([]session.Record, string, error) { return nil, "", nil }
func (nowhere) PutSession(context.Context, *session.Record) error          { return nil }
func (nowhere) SeeSessions(context.Context, []session.Record) error        { return nil }
func (nowhere) EndSessions(context.Context, []string) error                { return nil }
func (nowhere) PutPassword(context.Context, string) error                  { return nil }

// acts takes down what was done.
type acts []store.Act

func (a *acts) KeepAct(_ context.Context, x store.Act) error { *a = append(*a, x); return nil }

func (a *acts) Acts(context.Context, store.Past) ([]store.Act, string, error) {
	return *a, "", nil
}

// A browser keeps the cookies that it is given.
type browser struct {
	t       *testing.T
	h       http.Handler
	cookies []*http.Cookie
	peer    string
}

func (b *browser) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, "http://127.0.0.1:8045"+path, strings.NewReader(body))
	r.RequestURI, r.URL.Host, r.URL.Scheme = path, "", ""
	r.RemoteAddr = b.peer
	for _, c := range b.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := do(b.h, r)
	for _, c := range w.Result().Cookies() {
		b.cookies = slices.DeleteFunc(b.cookies, func(old *http.Cookie) bool { return old.Name == c.Name })
		if c.MaxAge > 0 {
			b.cookies = append(b.cookies, c)
		}
	}
	return w
}

// newDoors returns the handler with the ways in, a browser, and what is
// audited.
func newDoors(t *testing.T) (*Doors, *browser, *acts) {
	t.Helper()
	f := newFake()
	book, err := session.Open(t.Context(), nowhere{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	policy := access.NewPolicy(f.cfg)
	d := &Doors{Book: book, Gate: &access.Gate{}, Policy: func() *access.Policy { return policy }, Cookie: "portico_8045"}
	o, done := f.options(), &acts{}
	o.Doors, o.Authorise, o.Acts = d, d.Authorise, done
	o.ClientOf = func(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr() }
	return d, &browser{t: t, h: New(o), peer: "127.0.0.1:4000"}, done
}

const password = "correct horse battery"

func TestSignIn(t *testing.T) {
	d, b, _ := newDoors(t)
	if err := d.Book.SetPassword(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, body, peer string
		status           int
		code             string
	}{
		{"password", `{"password":"` + password + `"}`, "", 201, ""},
		{"token", `{"token":"` + token + `"}`, "", 201, ""},
		{"launch", `{"launch":"LAUNCH"}`, "", 201, ""},
		{"a used launch code", `{"launch":"LAUNCH"}`, "", 401, CodeLaunch},
		{"a launch code from afar", `{"launch":"FRESH"}`, "10.0.0.9:5", 401, CodeLaunch},
		{"a wrong password", `{"password":"correct horse batter"}`, "", 401, CodeWrongPassword},
		{"a wrong token", `{"token":"at-wrong"}`, "", 401, CodeUnauthorised},
		{"a client's key", `{"token":"` + apiKey + `"}`, "", 401, CodeUnauthorised},
		{"the token as password", `{"password":"` + token + `"}`, "", 401, CodeWrongPassword},
		{"nothing", `{}`, "", 401, CodeUnauthorised},
		{"no body", ``, "", 401, CodeUnauthorised},
		{"two", `{"password":"x","token":"` + token + `"}`, "", 400, CodeMalformed},
		{"three", `{"password":"x","token":"y","launch":"z"}`, "", 400, CodeMalformed},
		{"a long password", `{"password":"` + strings.Repeat("x", 2000) + `"}`, "", 422, CodeInvalid},
		{"a long body", `{"password":"` + strings.Repeat("x", maxPublic) + `"}`, "", 413, CodeTooLarge},
	} {
		b.peer = "127.0.0.1:4000"
		if tt.peer != "" {
			b.peer = tt.peer
		}
		body := tt.body
		if strings.Contains(body, "FRESH") || tt.status == 201 && strings.Contains(body, "LAUNCH") {
			code, _ := d.Book.Launch()
			body = strings.NewReplacer("FRESH", code, "LAUNCH", code).Replace(body)
		}
		b.cookies = nil
		w := b.do("POST", sessionPath, body, "Content-Type", "application/json")
		if tt.status != 201 {
			isProblem(t, w, tt.status, tt.code)
			if len(b.cookies) > 0 {
				t.Errorf("%s: a cookie was set", tt.name)
			}
			continue
		}
		s := decode[Session](t, w)
		if s.Way != tt.name || !s.Current || s.Address != "127.0.0.1" || len(b.cookies) != 1 {
			t.Errorf("%s: %+v, cookies %v", tt.name, s, b.cookies)
			continue
		}
		c := b.cookies[0]
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/api" || c.Domain != "" || strings.Contains(w.Body.String(), c.Value) {
			t.Errorf("%s: the cookie is %v", tt.name, c)
		}
		if self := decode[Self](t, b.do("GET", sessionPath, "")); self.Who != "session "+s.ID || self.Session == nil || !self.Password {
			t.Errorf("%s: %+v", tt.name, self)
		}
	}
}

// TestSessionIsForItsOwnPage: a session shows itself to no page of another
// origin, and changes nothing for one that could have sent the cookie along.
func TestSessionIsForItsOwnPage(t *testing.T) {
	_, b, _ := newDoors(t)
	decode[Session](t, b.do("POST", sessionPath, `{"token":"`+token+`"}`, "Content-Type", "application/json"))
	for _, tt := range []struct {
		name, method, path, body string
		header                   []string
		want                     int
	}{
		{"a read", "GET", "/api/status", "", nil, 200},
		{"a read of the own page", "GET", "/api/status", "", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8045"}, 200},
		{"a read of another port's page", "GET", "/api/status", "", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"a read of a foreign page", "GET", "/api/status", "", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a read with a foreign origin", "GET", "/api/status", "", []string{"Origin", "http://127.0.0.1:3000"}, 403},
		{"a read of no origin", "GET", "/api/status", "", []string{"Origin", "null"}, 403},
		{"a change without the header", "POST", "/api/reload", "", nil, 403},
		{"a change", "POST", "/api/reload", "", []string{CSRFHeader, "1"}, 200},
		{"a change of the own page", "POST", "/api/reload", "", []string{CSRFHeader, "1", "Origin", "http://127.0.0.1:8045", "Sec-Fetch-Site", "same-origin"}, 200},
		{"a change of another port's page", "POST", "/api/reload", "", []string{CSRFHeader, "1", "Origin", "http://127.0.0.1:3000"}, 403},
		{"a removal without the header", "DELETE", "/api/accounts/mine", "", nil, 403},
		{"signing in by a foreign page", "POST", sessionPath, `{"token":"` + token + `"}`, []string{"Origin", "http://evil.example", "Content-Type", "application/json"}, 403},
	} {
		if w := b.do(tt.method, tt.path, tt.body, tt.header...); w.Code != tt.want {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
	}
	// The token in the header needs nothing of it, with or without a cookie.
	if w := b.do("POST", "/api/reload", "", "Authorization", "Bearer "+token); w.Code != 200 {
		t.Errorf("the token: %d %s", w.Code, w.Body)
	}
	// A page on another port can put a cookie of its own beside the right one.
	b.cookies = append([]*http.Cookie{{Name: "portico_8045", Value: "ps-planted"}}, b.cookies...)
	if w := b.do("GET", "/api/status", ""); w.Code != 200 {
		t.Errorf("beside a planted cookie: %d %s", w.Code, w.Body)
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost:8045/api/status", nil)
	r.RemoteAddr = "127.0.0.1:4000"
	r.AddCookie(b.cookies[1])
	isProblem(t, do(b.h, r), 401, CodeUnauthorised)
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	_, b, done := newDoors(t)
	one := decode[Session](t, b.do("POST", sessionPath, `{"token":"`+token+`"}`, "User-Agent", "Mozilla/5.0 (one)", "Content-Type", "application/json"))
	other := &browser{t: t, h: b.h, peer: "10.0.0.9:1"}
	two := decode[Session](t, other.do("POST", sessionPath, `{"token":"`+token+`"}`, "Content-Type", "application/json"))
	l := decode[List[Session]](t, b.do("GET", "/api/sessions", ""))
	if len(l.Items) != 2 || slices.IndexFunc(l.Items, func(s Session) bool { return s.ID == one.ID && s.Current && s.Agent == "Mozilla/5.0 (one)" }) < 0 {
		t.Errorf("the list is %+v", l.Items)
	}
	isProblem(t, b.do("DELETE", "/api/sessions/nobody", "", CSRFHeader, "1"), 404, CodeNoSession)
	if w := b.do("DELETE", "/api/sessions/"+two.ID, "", CSRFHeader, "1"); w.Code != 204 {
		t.Errorf("ending the other: %d %s", w.Code, w.Body)
	}
	isProblem(t, other.do("GET", "/api/status", ""), 401, CodeUnauthorised)
	held := b.cookies[0]
	if w := b.do("DELETE", sessionPath, "", CSRFHeader, "1"); w.Code != 204 || len(b.cookies) > 0 {
		t.Errorf("signing out: %d %s, %v", w.Code, w.Body, b.cookies)
	}
	b.cookies = []*http.Cookie{held}
	isProblem(t, b.do("GET", "/api/status", ""), 401, CodeUnauthorised)
	want := []store.Act{
		{Who: "token", Peer: "127.0.0.1", What: "begin-session", Whom: one.ID},
		{Who: "token", Peer: "10.0.0.9", What: "begin-session", Whom: two.ID},
		{Who: "session " + one.ID, Peer: "127.0.0.1", What: "end-other-session", Whom: two.ID},
		{Who: "session " + one.ID, Peer: "127.0.0.1", What: "end-session", Whom: one.ID},
	}
	for i := range *done {
		(*done)[i].At = time.Time{}
	}
	if !slices.Equal(*done, want) {
		t.Errorf("audited is %+v", *done)
	}
}

// TestPasswordChange: a session cannot change a password that it does not know,
// and no session outlives the change.
func TestPasswordChange(t *testing.T) {
	d, b, _ := newDoors(t)
	head := []string{CSRFHeader, "1", "Content-Type", "application/json"}
	signIn := func() {
		t.Helper()
		decode[Session](t, b.do("POST", sessionPath, `{"token":"`+token+`"}`, head...))
	}
	signIn()
	isProblem(t, b.do("PUT", "/api/password", `{"password":"short"}`, head...), 422, CodeInvalid)
	if w := b.do("PUT", "/api/password", `{"password":"`+password+`"}`, head...); w.Code != 204 || !d.Book.HasPassword() || len(b.cookies) > 0 || len(d.Book.List()) > 0 {
		t.Fatalf("the first password: %d %s", w.Code, w.Body)
	}
	signIn()
	for body, code := range map[string]string{
		`{"password":"another password"}`:                     CodeProof,
		`{"password":""}`:                                     CodeProof,
		`{"password":"another password","current":"another"}`: CodeWrongPassword,
		`{"password":"another password","token":"at-wrong"}`:  CodeUnauthorised,
	} {
		if w := b.do("PUT", "/api/password", body, head...); w.Code/100 != 4 || !strings.Contains(w.Body.String(), code) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if len(d.Book.List()) != 1 {
		t.Error("a change that was refused ended the session")
	}
	if w := b.do("PUT", "/api/password", `{"password":"another password","current":"`+password+`"}`, head...); w.Code != 204 || len(d.Book.List()) > 0 {
		t.Errorf("a change with proof: %d %s", w.Code, w.Body)
	}
	if w := call(t, b.h, "PUT", "/api/password", `{"password":""}`); w.Code != 204 || d.Book.HasPassword() {
		t.Errorf("the token removes it: %d %s", w.Code, w.Body)
	}
	isProblem(t, b.do("POST", sessionPath, `{"password":"another password"}`, head...), 401, CodeNoPassword)
}

// TestPasswordsAreGuessedSlowly: of one address few guesses are heard, and the
// owner's other ways in stay open.
func TestPasswordsAreGuessedSlowly(t *testing.T) {
	d, b, _ := newDoors(t)
	if err := d.Book.SetPassword(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	heard := 0
	for range 12 {
		w := b.do("POST", sessionPath, `{"password":"wrong password `+string(rune('a'+heard))+`"}`, "Content-Type", "application/json")
		switch w.Code {
		case 401:
			heard++
		case 429:
			if w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if heard == 0 || heard > 6 {
		t.Errorf("%d guesses were heard", heard)
	}
	// The right one is not confirmed faster than guesses are allowed.
	isProblem(t, b.do("POST", sessionPath, `{"password":"`+password+`"}`, "Content-Type", "application/json"), 429, CodeTooMany)
	code, _ := d.Book.Launch()
	decode[Session](t, b.do("POST", sessionPath, `{"launch":"`+code+`"}`, "Content-Type", "application/json"))
	decode[Session](t, b.do("POST", sessionPath, `{"token":"`+token+`"}`, "Content-Type", "application/json"))
	other := &browser{t: t, h: b.h, peer: "192.0.2.7:1"}
	decode[Session](t, other.do("POST", sessionPath, `{"password":"`+password+`"}`, "Content-Type", "application/json"))
}

// TestWithoutDoors: nobody signs in where there are no sessions.
func TestWithoutDoors(t *testing.T) {
	f := newFake()
	o := f.options()
	o.Config = func() *config.Config { return f.cfg }
	isProblem(t, call(t, New(o), "POST", sessionPath, `{"token":"`+token+`"}`), 404, CodeNotFound)
}
