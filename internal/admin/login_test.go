package admin

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/config"
	"portico/internal/secret"
)

// fakeLogins has one login.
type fakeLogins struct {
	asked    LoginAsk
	pasted   string
	canceled string
	waited   time.Duration
	failed   error
}

var one = Login{ID: "L1", Name: "new", Mode: "browser", State: "waiting", URL: "https://issuer.example/auth", Redirect: "http://127.0.0.1:9/oauth2callback", Expires: began}

func (f *fakeLogins) Begin(_ context.Context, ask LoginAsk) (Login, error) {
	f.asked = ask
	return one, f.failed
}

func (f *fakeLogins) Look(ctx context.Context, id string) (Login, error) {
	until, _ := ctx.Deadline()
	f.waited = time.Until(until).Round(time.Second)
	if id != one.ID {
		return Login{}, ErrNoLogin
	}
	return one, f.failed
}

func (f *fakeLogins) Paste(id, answer string) error { f.pasted = id + " " + answer; return f.failed }

func (f *fakeLogins) Cancel(id string) error { f.canceled = id; return f.failed }

func TestLogins(t *testing.T) {
	f, l := newFake(), &fakeLogins{}
	o := f.options()
	o.Logins = l
	h := New(o)
	w := call(t, h, "POST", "/api/logins", `{"name":"new","mode":"device","client":"{CANARY}","test":false,"account":{"provider":"vertex","options":{"project":"p"},"models":["gemini-*"]}}`)
	if w.Code != http.StatusCreated {
		t.Errorf("status %d", w.Code)
	}
	if got := decode[Login](t, w); got != one {
		t.Errorf("got %+v", got)
	}
	want := LoginAsk{Account: config.Account{Name: "new", Provider: "vertex", Weight: 1, Options: map[string]string{"project": "p"}, Models: []string{"gemini-*"}}, Client: secret.Of("{CANARY}"), Device: true}
	if diff := cmp.Diff(want, l.asked, compareSecrets); diff != "" {
		t.Errorf("a new account (-want +got):\n%s", diff)
	}
	decode[Login](t, call(t, h, "POST", "/api/logins", `{"name":"mine"}`))
	if diff := cmp.Diff(LoginAsk{Account: config.Account{Name: "mine"}, Again: true, Test: true}, l.asked, compareSecrets); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	for path, want := range map[string]time.Duration{"/api/logins/L1": 0, "/api/logins/L1?wait=7": 7 * time.Second} {
		if got := decode[Login](t, call(t, h, "GET", path, "")); got != one || l.waited != want {
			t.Errorf("%s: %+v after %v", path, got, l.waited)
		}
	}
	if got := decode[Login](t, call(t, h, "POST", "/api/logins/L1/callback", `{"answer":"4/code"}`)); got != one || l.pasted != "L1 4/code" {
		t.Errorf("%+v, pasted %q", got, l.pasted)
	}
	if w := call(t, h, "DELETE", "/api/logins/L1", ""); w.Code != http.StatusNoContent || l.canceled != "L1" {
		t.Errorf("%d, cancelled %q", w.Code, l.canceled)
	}
}

func TestLoginsRefused(t *testing.T) {
	f, l := newFake(), &fakeLogins{}
	o := f.options()
	o.Logins = l
	h := New(o)
	for _, tt := range []struct {
		name, method, path, body string
		failed                   error
		status                   int
		code                     string
	}{
		{"a name that is taken", "POST", "/api/logins", `{"name":"mine","account":{"provider":"gemini"}}`, nil, 409, CodeTaken},
		{"an account that is not there", "POST", "/api/logins", `{"name":"nobody"}`, nil, 404, CodeNoAccount},
		{"an account of the file", "POST", "/api/logins", `{"name":"office"}`, nil, 409, CodeDeclared},
		{"a credential beside it", "POST", "/api/logins", `{"name":"x","account":{"provider":"gemini","api_key":"sk-CANARY"}}`, nil, 422, CodeInvalid},
		{"another mode", "POST", "/api/logins", `{"name":"mine","mode":"password"}`, nil, 422, CodeInvalid},
		{"a provider without logins", "POST", "/api/logins", `{"name":"mine"}`, Invalid{errDisk}, 422, CodeInvalid},
		{"too many", "POST", "/api/logins", `{"name":"mine"}`, ErrManyLogins, 503, CodeUnavailable},
		{"no such login", "GET", "/api/logins/L2", "", nil, 404, CodeNoLogin},
		{"too long a wait", "GET", "/api/logins/L1?wait=61", "", nil, 422, CodeInvalid},
		{"an answer that is none", "POST", "/api/logins/L1/callback", `{"answer":"CANARY"}`, Invalid{errDisk}, 422, CodeInvalid},
		{"an answer too late", "POST", "/api/logins/L1/callback", `{"answer":"4/x"}`, ErrLoginOver, 409, CodeLoginOver},
		{"no answer", "POST", "/api/logins/L1/callback", `{"answer":""}`, nil, 422, CodeInvalid},
		{"none to cancel", "DELETE", "/api/logins/L2", "", ErrNoLogin, 404, CodeNoLogin},
	} {
		l.failed = tt.failed
		t.Log(tt.name)
		isProblem(t, call(t, h, tt.method, tt.path, tt.body), tt.status, tt.code)
	}
}

// Those who wait for logins are bounded, and nobody waits who does not want to.
func TestManyLooks(t *testing.T) {
	f, l := newFake(), &blocking{hold: make(chan struct{}), in: make(chan struct{})}
	o := f.options()
	o.Logins = l
	h := New(o)
	done := make(chan int)
	for range maxLooks {
		go func() { done <- call(t, h, "GET", "/api/logins/L1?wait=60", "").Code }()
		<-l.in
	}
	isProblem(t, call(t, h, "GET", "/api/logins/L1?wait=1", ""), 503, CodeUnavailable)
	close(l.hold)
	for range maxLooks {
		if code := <-done; code != http.StatusOK {
			t.Errorf("status %d", code)
		}
	}
}

// blocking holds up those who look.
type blocking struct {
	fakeLogins
	hold, in chan struct{}
}

func (b *blocking) Look(context.Context, string) (Login, error) {
	b.in <- struct{}{}
	<-b.hold
	return one, nil
}
