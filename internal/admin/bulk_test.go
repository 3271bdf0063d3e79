package admin

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/config"
	"portico/internal/pool"
	"portico/internal/secret"
)

// crowd has five accounts, one of them of the file.
func crowd() *fake {
	f := newFake()
	f.views = f.views[:1] // office
	f.views[0].Tags = []string{"a"}
	f.stored = map[string]config.Account{}
	for _, c := range []config.Account{
		{Name: "one", Provider: "openai", Tags: []string{"a", "b"}, Weight: 1, APIKey: secret.Of(canary), Proxy: "http://p.example:1"},
		{Name: "two", Provider: "openai", Tags: []string{"a"}, Label: "Second", Weight: 1, Disabled: true},
		{Name: "three", Provider: "gemini", Weight: 1, Headers: map[string]string{"X-Team": canary}, Options: map[string]string{"project": canary}, Proxy: "http://u:" + canary + "@p.example:1"},
	} {
		f.put(c)
	}
	return f
}

func TestSelection(t *testing.T) {
	for _, tt := range []struct {
		selects string
		done    []string
		kept    []string
	}{
		{`{"all":true}`, []string{"one", "two", "three"}, []string{"office"}},
		{`{"names":["three","one"]}`, []string{"one", "three"}, []string{}},
		{`{"tags":["a"]}`, []string{"one", "two"}, []string{"office"}},
		{`{"tags":["a","b"]}`, []string{"one"}, []string{}},
		{`{"provider":"openai"}`, []string{"one", "two"}, []string{"office"}},
		{`{"state":"off"}`, []string{"two"}, []string{}},
		{`{"text":"SECO"}`, []string{"two"}, []string{}},
		{`{"text":"E","provider":"openai"}`, []string{"one", "two"}, []string{"office"}},
		{`{"names":["one","two"],"tags":["b"]}`, []string{"one"}, []string{}},
		{`{"tags":["none"]}`, []string{}, []string{}},
	} {
		f := crowd()
		got := decode[BulkResult](t, call(t, New(f.options()), "POST", "/api/accounts/bulk", `{"select":`+tt.selects+`,"remove":true,"preview":true}`))
		if !slices.Equal(got.Done, tt.done) || !slices.Equal(got.Kept, tt.kept) {
			t.Errorf("%s: %+v", tt.selects, got)
		}
		if len(f.stored) != 3 {
			t.Errorf("%s: a preview removed something", tt.selects)
		}
	}
	h := New(crowd().options())
	isProblem(t, call(t, h, "POST", "/api/accounts/bulk", `{"select":{},"remove":true}`), 422, CodeInvalid)
	isProblem(t, call(t, h, "POST", "/api/accounts/bulk", `{"select":{"names":["one","nobody"]},"remove":true}`), 404, CodeNoAccount)
	isProblem(t, call(t, h, "POST", "/api/accounts/bulk", `{"select":{"all":true}}`), 422, CodeInvalid)
	isProblem(t, call(t, h, "POST", "/api/accounts/bulk", `{"select":{"all":true},"remove":true,"heal":true}`), 422, CodeInvalid)
}

func TestBulk(t *testing.T) {
	f := crowd()
	h := New(f.options())
	decode[BulkResult](t, call(t, h, "POST", "/api/accounts/bulk", `{"select":{"tags":["a"]},"change":{"disabled":false,"label":"L","add_tags":["c","a"],"remove_tags":["b"],"priority":-2,"weight":7,"limits":{"rpm":5},"models":["m*"]}}`))
	want := config.Account{Name: "one", Provider: "openai", Label: "L", Tags: []string{"a", "c"}, Priority: -2, Weight: 7, Models: []string{"m*"}, APIKey: secret.Of(canary), Proxy: "http://p.example:1"}
	want.Limits.RPM = 5
	if diff := cmp.Diff(want, f.stored["one"], compareSecrets); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if two := f.stored["two"]; two.Disabled || two.Label != "L" || f.stored["three"].Label != "" {
		t.Errorf("%+v, %+v", two, f.stored["three"])
	}
	decode[BulkResult](t, call(t, h, "POST", "/api/accounts/bulk", `{"select":{"names":["three"]},"change":{"proxy":"socks5://q.example:1"}}`)) // the token proves who asks
	if got := f.stored["three"].Proxy; got != "socks5://q.example:1" {
		t.Errorf("the proxy is %q", got)
	}
	decode[BulkResult](t, call(t, h, "POST", "/api/accounts/bulk", `{"select":{"names":["office","one"]},"heal":true}`))
	if !slices.Equal(f.healed, []string{"office", "one"}) {
		t.Errorf("healed %q", f.healed)
	}
	decode[BulkResult](t, call(t, h, "POST", "/api/accounts/bulk", `{"select":{"provider":"openai"},"remove":true}`))
	if _, there := f.stored["three"]; !there || len(f.stored) != 1 {
		t.Errorf("left are %v", f.stored)
	}
	f.failed = Invalid{errDisk}
	isProblem(t, call(t, h, "POST", "/api/accounts/bulk", `{"select":{"all":true},"change":{"label":"x"}}`), 422, CodeInvalid)
}

func TestRestoreAndOrder(t *testing.T) {
	f := crowd()
	h := New(f.options())
	if w := call(t, h, "POST", "/api/accounts/restore", `{"names":["x","y"]}`); w.Code != http.StatusNoContent || !slices.Equal(f.restored, []string{"x", "y"}) {
		t.Errorf("%d %s, restored %q", w.Code, w.Body, f.restored)
	}
	if w := call(t, h, "POST", "/api/accounts/order", `{"names":["two","one"]}`); w.Code != http.StatusNoContent || !slices.Equal(f.ordered, []string{"two", "one"}) {
		t.Errorf("%d %s, ordered %q", w.Code, w.Body, f.ordered)
	}
	isProblem(t, call(t, h, "POST", "/api/accounts/order", `{"names":["two","office"]}`), 409, CodeDeclared)
	isProblem(t, call(t, h, "POST", "/api/accounts/order", `{"names":[]}`), 422, CodeInvalid)
	f.failed = ErrGone
	isProblem(t, call(t, h, "POST", "/api/accounts/restore", `{"names":["x"]}`), 404, CodeGone)
}

// An export has all but what may be secret, and names that.
func TestExport(t *testing.T) {
	f := crowd()
	f.cfg.Accounts = []config.Account{{Name: "office", Provider: "openai", APIKey: secret.Of(canary), Models: []string{"gpt-*"}}}
	f.views = append(f.views, pool.View{Account: viewOf(config.Account{Name: "simulator", Provider: "simulator"}).Account})
	w := call(t, New(f.options()), "POST", "/api/accounts/export", `{"select":{"all":true}}`)
	got := decode[Export](t, w)
	if got.Version != 1 || len(got.Accounts) != 4 {
		t.Fatalf("%+v", got)
	}
	var left []string
	for _, a := range got.Accounts {
		left = append(left, a.Name+" "+a.Proxy+": "+strings.Join(a.Left, ", "))
	}
	want := []string{"office : api_key", "one http://p.example:1: api_key", "two : ", "three : proxy, the header X-Team, the option project"}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a := got.Accounts[0]; !slices.Equal(a.Models, []string{"gpt-*"}) || !slices.Equal(a.Tags, []string{"a"}) {
		t.Errorf("%+v", a)
	}
}

// The audit log names whom an act on several was done to, and has no word of
// what was looked at only.
func TestAuditOfSeveral(t *testing.T) {
	f, kept := crowd(), &acts{}
	o := f.options()
	o.Acts = kept
	h := New(o)
	for _, x := range []struct{ path, body string }{
		{"bulk", `{"select":{"all":true},"remove":true,"preview":true}`},
		{"bulk", `{"select":{"tags":["none"]},"remove":true}`},
		{"import", `{"file":"x","preview":true}`},
		{"test", `{"provider":"openai","api_key":"sk-CANARY"}`},
		{"bulk", `{"select":{"tags":["a"]},"change":{"label":"x"}}`},
		{"bulk", `{"select":{"names":["one"]},"heal":true}`},
		{"export", `{"select":{"names":["one","two"]}}`},
		{"import", `{"file":"x"}`},
		{"order", `{"names":["two","one"]}`},
		{"bulk", `{"select":{"names":["two"]},"remove":true}`},
		{"restore", `{"names":["two"]}`},
	} {
		if w := call(t, h, "POST", "/api/accounts/"+x.path, x.body); w.Code/100 != 2 {
			t.Errorf("%s: %d %s", x.body, w.Code, w.Body)
		}
	}
	var got []string
	for _, a := range *kept {
		got = append(got, a.What+": "+a.Whom)
	}
	want := []string{
		"change-accounts: one, two", "change-accounts: heal one", "export-accounts: one, two", "import-accounts: a", "order-accounts: two, one",
		"change-accounts: remove two", "restore-accounts: two",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := many(strings.Split("a b c d e f g h i j k l", " ")); got != "a, b, c, d, e, f, g, h, i, j and 2 more" {
		t.Errorf("twelve are %q", got)
	}
}

// A session that would have stored keys go by another proxy has to prove who
// asks (SEC-34); without that nothing of the act is done.
func TestBulkProxyNeedsProof(t *testing.T) {
	d, b, done := newDoors(t)
	if err := d.Book.SetPassword(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	head := []string{CSRFHeader, "1", "Content-Type", "application/json"}
	decode[Session](t, b.do("POST", sessionPath, `{"token":"`+token+`"}`, head...))
	*done = nil
	isProblem(t, b.do("POST", "/api/accounts/bulk", `{"select":{"names":["mine"]},"change":{"label":"x","proxy":"http://evil.example:1"}}`, head...), http.StatusForbidden, CodeProof)
	if v := decode[Account](t, call(t, b.h, "GET", "/api/accounts/mine", "")); v.Label != "" || len(*done) != 0 {
		t.Errorf("without a proof: %+v, audited %+v", v, *done)
	}
	w := b.do("POST", "/api/accounts/bulk", `{"select":{"names":["mine"]},"change":{"label":"x","proxy":"http://p.example:1"},"proof":{"password":"`+password+`"}}`, head...)
	if got := decode[BulkResult](t, w); len(got.Done) != 1 {
		t.Errorf("with a proof: %+v", got)
	}
	if v := decode[Account](t, call(t, b.h, "GET", "/api/accounts/mine", "")); v.Label != "x" {
		t.Errorf("with a proof: %+v", v)
	}
}
