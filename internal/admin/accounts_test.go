package admin

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/secret"
)

func TestListAccounts(t *testing.T) {
	f := newFake()
	now := began
	f.views[0].Health = pool.Health{State: pool.Down, Since: now, Until: now.Add(time.Hour), Why: fault.CredentialInvalid, Msg: "Incorrect API key", Link: "https://vendor.example/keys"}
	f.views[0].InFlight, f.views[0].Served, f.views[0].First = 2, 9, 300*time.Millisecond
	f.views[2].Models = map[string]pool.Health{
		"claude-z": {State: pool.Trial, Since: now, Until: now, Why: fault.Overloaded},
		"claude-a": {State: pool.Cooling, Since: now, Until: now.Add(time.Minute), Why: fault.RateLimited, Msg: "slow down"},
	}
	off := viewOf(config.Account{Name: "z", Provider: "gemini", Disabled: true, Priority: 3, Weight: 2, Limits: config.AccountLimits{RPM: 1, TPM: 2, Concurrency: 3}})
	off.Health = pool.Health{State: pool.Cooling, Why: fault.Timeout}
	f.views = append(f.views, off)
	got := decode[List[Account]](t, call(t, New(f.options()), "GET", "/api/accounts", ""))
	want := []Account{{
		Name: "office", Provider: "openai", Protocols: []string{"openai-chat"}, Key: "sk-…ghij", Tags: []string{}, Models: []string{}, Weight: 1, Quota: []Quota{}, Headers: []string{}, Options: []string{"region"}, Origin: "file",
		State: "down", Since: now, Until: now.Add(time.Hour), Why: "credential_invalid", Text: "Needs you: its key was rejected.",
		Message: "Incorrect API key", Link: "https://vendor.example/keys", Trouble: []Trouble{}, InFlight: 2, Served: 9, FirstMS: 300,
	}, {
		Name: "simulator", Provider: "simulator", Protocols: []string{}, Tags: []string{}, Models: []string{}, Weight: 1, Quota: []Quota{}, Headers: []string{}, Options: []string{}, Origin: "built_in",
		State: "ready", Text: "Ready.", Trouble: []Trouble{},
	}, {
		Name: "mine", Provider: "anthropic", Protocols: []string{"anthropic"}, BaseURL: "https://api.example.com", Key: "sk-…ghij", Models: []string{"claude-*"}, Weight: 1,
		Tags: []string{}, Quota: []Quota{}, Headers: []string{"X-Team"}, Options: []string{}, Origin: "store", Version: 7, State: "ready", Text: "Ready.",
		Trouble: []Trouble{
			{Model: "claude-a", State: "cooling", Since: now, Until: now.Add(time.Minute), Why: "rate_limited", Text: "Waiting: too many requests in too short a time.", Message: "slow down"},
			{Model: "claude-z", State: "trial", Since: now, Why: "overloaded", Text: "About to be tried again; before, the vendor was short of capacity."},
		},
	}, {
		Name: "z", Provider: "gemini", Protocols: []string{}, Tags: []string{}, Models: []string{}, Priority: 3, Weight: 2, Limits: Limits{1, 2, 3}, Quota: []Quota{}, Headers: []string{}, Options: []string{}, Origin: "built_in",
		State: "off", Text: "Switched off.", Trouble: []Trouble{},
	}}
	if diff := cmp.Diff(want, got.Items); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGetAccount(t *testing.T) {
	h := New(newFake().options())
	if got := decode[Account](t, call(t, h, "GET", "/api/accounts/mine", "")); got.Name != "mine" {
		t.Errorf("got %+v", got)
	}
	isProblem(t, call(t, h, "GET", "/api/accounts/nobody", ""), 404, CodeNoAccount)
}

func TestAddAccount(t *testing.T) {
	f := newFake()
	h := New(f.options())
	w := call(t, h, "POST", "/api/accounts", `{"name":"new one","provider":"openai-compatible","preset":"groq","protocols":["openai-chat"],"base_url":"https://x.example/v1",
		"api_key":"sk-CANARY-0123456789abcdefwxyz","models":["llama-*"],"priority":-1,"weight":2,"limits":{"rpm":1,"tpm":2,"concurrency":3},"proxy":"socks5://p.example:1","disabled":true,
		"headers":{"X-A":"b"},"options":{"o":"p"}}`)
	if w.Code != http.StatusCreated {
		t.Errorf("status %d", w.Code)
	}
	if got := decode[Account](t, w); got.Key != "sk-…wxyz" || got.State != "off" || got.Origin != "store" {
		t.Errorf("got %+v", got)
	}
	want := config.Account{
		Name: "new one", Provider: "openai-compatible", Preset: "groq", Protocols: []string{"openai-chat"}, BaseURL: "https://x.example/v1",
		APIKey: secret.Of("sk-CANARY-0123456789abcdefwxyz"), Models: []string{"llama-*"}, Priority: -1, Weight: 2,
		Limits: config.AccountLimits{RPM: 1, TPM: 2, Concurrency: 3}, Proxy: "socks5://p.example:1", Disabled: true,
		Headers: map[string]string{"X-A": "b"}, Options: map[string]string{"o": "p"},
	}
	if diff := cmp.Diff(want, f.stored["new one"], compareSecrets); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := decode[Account](t, call(t, h, "POST", "/api/accounts", `{"name":"bare","provider":"ollama"}`)); got.Weight != 1 || got.Key != "" {
		t.Errorf("got %+v", got)
	}
}

var compareSecrets = cmp.Comparer(func(a, b secret.Text) bool { return a.Reveal() == b.Reveal() })

func TestAddAccountRefused(t *testing.T) {
	f := newFake()
	h := New(f.options())
	for _, tt := range []struct {
		name, body string
		failed     error
		status     int
		code       string
		where      string
	}{
		{"taken", `{"name":"office","provider":"openai"}`, nil, 409, CodeTaken, ""},
		{"what the provider does not take", `{"name":"x","provider":"nonsense"}`, Invalid{errDisk}, 422, CodeInvalid, ""},
		{"a failure", `{"name":"x","provider":"openai"}`, errDisk, 500, CodeInternal, ""},
		{"no JSON", `{`, nil, 400, CodeMalformed, "body"},
		{"nothing", ``, nil, 400, CodeMalformed, ""},
		{"no name", `{"provider":"openai"}`, nil, 422, CodeInvalid, "body"},
		{"a bad name", `{"name":"a/b","provider":"openai"}`, nil, 422, CodeInvalid, "body.name"},
		{"a bad protocol", `{"name":"a","provider":"openai","protocols":["smtp"]}`, nil, 422, CodeInvalid, "body.protocols[0]"},
		{"an unknown member", `{"name":"a","provider":"openai","apikey":"sk-CANARY"}`, nil, 422, CodeInvalid, "body.apikey"},
		{"a key of another type", `{"name":"a","provider":"openai","api_key":["sk-CANARY"]}`, nil, 422, CodeInvalid, "body.api_key"},
		{"a limit below nothing", `{"name":"a","provider":"openai","limits":{"rpm":-1,"tpm":0,"concurrency":0}}`, nil, 422, CodeInvalid, "body.limits.rpm"},
	} {
		f.failed = tt.failed
		p := isProblem(t, call(t, h, "POST", "/api/accounts", tt.body), tt.status, tt.code)
		if tt.where != "" && (len(p.Errors) == 0 || p.Errors[0].Where != tt.where) {
			t.Errorf("%s: %+v, want %s", tt.name, p.Errors, tt.where)
		}
	}
}

func TestChangeAccount(t *testing.T) {
	old := config.Account{
		Name: "mine", Provider: "openai", Preset: "p", Protocols: []string{"openai-chat"}, BaseURL: "https://a.example", APIKey: secret.Of("old"),
		Models: []string{"a"}, Priority: 1, Weight: 1, Limits: config.AccountLimits{RPM: 1, TPM: 2, Concurrency: 3}, Options: map[string]string{"o": "p"},
	}
	with := func(f func(*config.Account)) config.Account { a := old; f(&a); return a }
	for _, tt := range []struct {
		body string
		want config.Account
	}{
		{`{}`, old},
		{`{"disabled":true}`, with(func(a *config.Account) { a.Disabled = true })},
		{`{"priority":0,"weight":5}`, with(func(a *config.Account) { a.Priority, a.Weight = 0, 5 })},
		{`{"limits":{"tpm":9}}`, with(func(a *config.Account) { a.Limits.TPM = 9 })},
		{`{"models":[]}`, with(func(a *config.Account) { a.Models = []string{} })},
		{`{"api_key":"new"}`, with(func(a *config.Account) { a.APIKey = secret.Of("new") })},
		{`{"base_url":"https://a.example"}`, old},
		{`{"base_url":"https://b.example","api_key":"new"}`, with(func(a *config.Account) { a.BaseURL, a.APIKey = "https://b.example", secret.Of("new") })},
		{`{"base_url":"https://b.example","api_key":""}`, with(func(a *config.Account) { a.BaseURL, a.APIKey = "https://b.example", secret.Of("") })},
		{`{"options":{"o":"p"},"preset":"p"}`, old},
		{`{"protocols":["openai-responses"],"headers":{"X-A":"b"}}`, with(func(a *config.Account) {
			a.Protocols, a.Headers = []string{"openai-responses"}, map[string]string{"X-A": "b"}
		})},
	} {
		f := newFake()
		f.put(old)
		decode[Account](t, call(t, New(f.options()), "PATCH", "/api/accounts/mine", tt.body))
		if diff := cmp.Diff(tt.want, f.stored["mine"], compareSecrets); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.body, diff)
		}
	}
}

// A stored key goes nowhere that it was not given for; spec: security SEC-34.
func TestChangeNeedsTheKeyAgain(t *testing.T) {
	for _, body := range []string{
		`{"base_url":"https://evil.example"}`, `{"base_url":""}`, `{"preset":"other"}`, `{"proxy":"http://evil.example:1"}`, `{"options":{"insecure_http":"true"}}`,
		`{"base_url":"https://evil.example","api_key":"new"}`, // the headers of the account may hold a key too
	} {
		f := newFake()
		isProblem(t, call(t, New(f.options()), "PATCH", "/api/accounts/mine", body), 422, CodeKeyRequired)
		if f.stored["mine"].BaseURL != "https://api.example.com" {
			t.Errorf("%s moved the account", body)
		}
	}
}

func TestDeclaredAccountsAreReadOnly(t *testing.T) {
	f := newFake()
	h := New(f.options())
	for _, tt := range []struct {
		name   string
		status int
		code   string
		detail string
	}{
		{"office", 409, CodeDeclared, `the account "office" is declared in /data/portico.yaml; change it there`},
		{"simulator", 409, CodeBuiltIn, `the account "simulator" is part of Portico and cannot be changed`},
		{"nobody", 404, CodeNoAccount, `there is no account called "nobody"`},
	} {
		for _, w := range []struct{ method, body string }{{"PATCH", `{"disabled":true}`}, {"DELETE", ""}} {
			p := isProblem(t, call(t, h, w.method, "/api/accounts/"+tt.name, w.body), tt.status, tt.code)
			if p.Detail != tt.detail {
				t.Errorf("%s %s: %q, want %q", w.method, tt.name, p.Detail, tt.detail)
			}
		}
	}
	if len(f.views) != 3 {
		t.Error("an account is gone")
	}
}

func TestRemoveAccount(t *testing.T) {
	f := newFake()
	h := New(f.options())
	if w := call(t, h, "DELETE", "/api/accounts/mine", ""); w.Code != http.StatusNoContent || w.Body.Len() > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if _, there := f.stored["mine"]; there {
		t.Error("it is still there")
	}
	isProblem(t, call(t, h, "DELETE", "/api/accounts/mine", ""), 404, CodeNoAccount)
}

func TestTestAccount(t *testing.T) {
	f := newFake()
	o := f.options()
	h := New(o)
	f.tested = Tested{Why: "credential_invalid", Status: 401, TookMS: 80, Text: "Its key was rejected."}
	if got := decode[Tested](t, call(t, h, "POST", "/api/accounts/office/test", "")); got != f.tested {
		t.Errorf("got %+v", got)
	}
	isProblem(t, call(t, h, "POST", "/api/accounts/nobody/test", ""), 404, CodeNoAccount)
	f.failed = errDisk
	isProblem(t, call(t, h, "POST", "/api/accounts/office/test", ""), 500, CodeInternal)
	for range maxTests {
		h.api().tests <- struct{}{}
	}
	isProblem(t, call(t, h, "POST", "/api/accounts/office/test", ""), 503, CodeUnavailable)
}

func TestHealAccount(t *testing.T) {
	f := newFake()
	h := New(f.options())
	if got := decode[Account](t, call(t, h, "POST", "/api/accounts/office/heal", "")); got.Name != "office" {
		t.Errorf("got %+v", got)
	}
	isProblem(t, call(t, h, "POST", "/api/accounts/nobody/heal", ""), 404, CodeNoAccount)
	if diff := cmp.Diff([]string{"office"}, f.healed); diff != "" {
		t.Error(diff)
	}
}

func TestCountStates(t *testing.T) {
	views := []pool.View{viewOf(config.Account{}), viewOf(config.Account{Disabled: true}), viewOf(config.Account{})}
	views[2].Health.State = pool.Down
	want := map[string]int{"ready": 1, "cooling": 0, "trial": 0, "down": 1, "refreshing": 0, "needs_login": 0, "off": 1}
	if diff := cmp.Diff(want, CountStates(views)); diff != "" {
		t.Error(diff)
	}
}
