package pool

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/glob"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/schedule"
	"portico/internal/secret"
)

// speaker is a provider that offers chat in one protocol.
type speaker struct {
	provider.Provider
	speaks []string
}

func (s speaker) Speaks(_ *provider.Account, op protocol.Op, _ string) []string {
	if op == protocol.Chat {
		return s.speaks
	}
	return nil
}

func account(name string, change ...func(*Account)) Account {
	u := &url.URL{Scheme: "https", Host: "a.example"}
	a := Account{Account: &provider.Account{Name: name, Provider: "p", BaseURL: u, Key: secret.Of("k")}, By: speaker{speaks: []string{"x"}}, Weight: 1}
	for _, c := range change {
		c(&a)
	}
	return a
}

func serves(t *testing.T, patterns ...string) func(*Account) {
	return func(a *Account) {
		for _, p := range patterns {
			g, err := glob.Compile(p)
			if err != nil {
				t.Fatal(err)
			}
			a.Models = append(a.Models, g)
		}
	}
}

// A clock that the test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func pool(as ...Account) (*Pool, *clock) {
	c := &clock{t0}
	p := New(c.now)
	p.Set(as)
	return p, c
}

var chat = Want{Ways: []Way{{protocol.Chat, "x"}}, Model: "m", Strategy: schedule.Balance{}}

// take leases, ends the lease with f and returns the account's name, or "".
func take(p *Pool, w Want, f *fault.Fault) string {
	l, none := p.Lease(w)
	if none != nil {
		return ""
	}
	l.Done(f, 0, 0)
	return l.Account.Name
}

func TestLeasePrefers(t *testing.T) {
	second := func(a *Account) { a.Priority = 1 }
	p, c := pool(account("b", second), account("a"))
	if got := take(p, chat, of(fault.RateLimited, time.Minute)); got != "a" {
		t.Errorf("the lower priority number goes first, got %s", got)
	}
	if got := take(p, chat, nil); got != "b" {
		t.Errorf("the other takes over, got %s", got)
	}
	l, _ := p.Lease(chat)
	if len(l.Passed) != 1 || l.Passed[0].Account != "a" || l.Passed[0].Class != fault.RateLimited || !l.Passed[0].Until.Equal(t0.Add(time.Minute)) {
		t.Errorf("passed over: %+v", l.Passed)
	}
	l.Done(nil, 0, 0)
	c.t = c.t.Add(time.Minute)
	if got := take(p, chat, nil); got != "a" {
		t.Errorf("it comes back by itself, got %s", got)
	}
}

func TestLeaseSaysWhyNot(t *testing.T) {
	off := func(a *Account) { a.Disabled = true }
	mute := func(a *Account) { a.By = speaker{speaks: []string{"y"}} }
	p, _ := pool(account("off", off), account("mute", mute), account("else", serves(t, "other-*")), account("a"), account("b"))
	take(p, chat, of(fault.QuotaSpent, time.Hour))
	take(p, chat, of(fault.CredentialInvalid, 0))
	_, n := p.Lease(chat)
	if n == nil {
		t.Fatal("an account was able")
	}
	if n.Accounts != 4 || n.Mute != 1 || n.Known != 2 || len(n.Passed) != 2 || !n.Until.Equal(t0.Add(15*time.Minute)) {
		t.Errorf("got %+v", n)
	}
}

func TestModelFaultStaysWithTheModel(t *testing.T) {
	p, c := pool(account("a"))
	f := &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: time.Minute}
	take(p, chat, f)
	if got := take(p, chat, nil); got != "" {
		t.Error("the model is served while it cools")
	}
	other := chat
	other.Model = "n"
	if got := take(p, other, nil); got != "a" {
		t.Error("another model is not served")
	}
	c.t = c.t.Add(time.Minute)
	if got := take(p, chat, nil); got != "a" {
		t.Error("the model does not come back")
	}
	if v := p.Views()[0]; len(v.Models) != 0 {
		t.Errorf("a healed model is still listed: %v", v.Models)
	}
}

func TestModelsAreBounded(t *testing.T) {
	p, _ := pool(account("a"))
	for i := range maxModels * 3 {
		w := chat
		w.Model = fmt.Sprint("m", i)
		take(p, w, &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: time.Hour})
	}
	if n := len(p.Views()[0].Models); n > maxModels {
		t.Errorf("%d models of one account are remembered", n)
	}
}

func TestPassedIsBounded(t *testing.T) {
	var as []Account
	for i := range maxPassed * 2 {
		as = append(as, account(fmt.Sprint("a", i)))
	}
	p, _ := pool(as...)
	for range as {
		take(p, chat, of(fault.QuotaSpent, time.Hour))
	}
	if _, n := p.Lease(chat); n == nil || len(n.Passed) != maxPassed {
		t.Errorf("got %+v", n)
	}
}

func TestLimits(t *testing.T) {
	p, c := pool(account("a", func(a *Account) { a.RPM = 2 }))
	for range 2 {
		if take(p, chat, nil) == "" {
			t.Fatal("within its limit it does not serve")
		}
	}
	_, n := p.Lease(chat)
	if n == nil || n.Until.Before(c.t) || n.Until.After(c.t.Add(2*time.Minute+time.Second)) {
		t.Fatalf("over its limit: %+v", n)
	}
	c.t = n.Until
	if take(p, chat, nil) == "" {
		t.Error("it does not serve when it said it would")
	}

	p, _ = pool(account("a", func(a *Account) { a.Parallel = 1 }))
	l, _ := p.Lease(chat)
	if take(p, chat, nil) != "" {
		t.Error("two at one time")
	}
	l.Done(nil, 0, 0)
	if take(p, chat, nil) == "" {
		t.Error("not even one at one time")
	}

	p, c = pool(account("a", func(a *Account) { a.TPM = 100 }))
	l, _ = p.Lease(chat)
	l.Done(nil, 0, 150)
	if take(p, chat, nil) != "" {
		t.Error("over its tokens it serves")
	}
	c.t = c.t.Add(2 * time.Minute)
	if take(p, chat, nil) == "" {
		t.Error("it does not recover")
	}
}

func TestReserved(t *testing.T) {
	sim := account("sim", serves(t, "simulator*"), func(a *Account) { a.Reserved = true })
	p, _ := pool(sim, account("a"))
	w := chat
	w.Model = "simulator-fast"
	for range 5 {
		if got := take(p, w, nil); got != "sim" {
			t.Fatalf("a reserved name went to %q", got)
		}
	}
	if got := take(p, chat, nil); got != "a" {
		t.Errorf("another name went to %q", got)
	}
	take(p, w, of(fault.RateLimited, time.Minute))
	if got := take(p, w, nil); got != "sim" {
		t.Errorf("after a fault that it played a reserved name went to %q", got)
	}
}

// With nobody else able, an account that broke down is asked all the same.
func TestLastResort(t *testing.T) {
	p, _ := pool(account("a"))
	for range 5 {
		if got := take(p, chat, of(fault.Broken, 0)); got != "a" {
			t.Fatal("the only account is not asked")
		}
	}
	if v := p.Views()[0]; v.Health.State != Cooling {
		t.Errorf("it is %s", v.Health.State)
	}
	p.Set([]Account{account("a"), account("b")})
	for range 3 {
		if got := take(p, chat, nil); got != "b" {
			t.Errorf("it is asked before one that is well: %s", got)
		}
	}
	p.Set([]Account{account("a")})
	take(p, chat, nil)
	if v := p.Views()[0]; v.Health.State != Ready {
		t.Error("a success does not heal it")
	}
	take(p, chat, of(fault.Overloaded, time.Minute)) // the vendor's own word holds
	if got := take(p, chat, nil); got != "" {
		t.Error("it is asked although the vendor named a time")
	}
}

// Ways at the end may be kept to the accounts of which the operator said that
// they serve the model.
func TestNamed(t *testing.T) {
	far := func(a *Account) { a.By = speaker{speaks: []string{"y"}} }
	p, _ := pool(account("silent", far), account("told", far, serves(t, "m*")))
	w := Want{Ways: []Way{{protocol.Chat, "x"}, {protocol.Chat, "y"}}, Equal: 1, Named: true, Model: "m", Strategy: schedule.Balance{}}
	for range 3 {
		if got := take(p, w, nil); got != "told" {
			t.Fatalf("got %q", got)
		}
	}
	w.Model = "n"
	if got := take(p, w, nil); got != "" {
		t.Errorf("an account that does not name the model: %q", got)
	}
	w.Named = false
	if got := take(p, w, nil); got != "silent" {
		t.Errorf("got %q", got)
	}
}

func TestAble(t *testing.T) {
	p, _ := pool(account("a"))
	w := chat
	if !p.Able(w) {
		t.Error("a is able")
	}
	if v := p.Views()[0]; v.InFlight != 0 || v.Served != 0 {
		t.Errorf("asking left a trace: %+v", v)
	}
	w.Not = []string{"a"}
	if p.Able(w) {
		t.Error("nobody else is able")
	}
}

func TestModelFaultWithoutModel(t *testing.T) {
	p, _ := pool(account("a"))
	w := chat
	w.Model = ""
	take(p, w, &fault.Fault{Class: fault.ModelDenied, Scope: fault.Model})
	if got := take(p, chat, nil); got != "a" {
		t.Error("a fault of a model that nobody named is held against the account")
	}
}

func TestSetKeepsWhatStays(t *testing.T) {
	p, _ := pool(account("a"), account("b"))
	for range 2 {
		take(p, chat, of(fault.QuotaSpent, time.Hour))
	}
	key := func(a *Account) { a.Key = secret.Of("new") }
	p.Set([]Account{account("a", key), account("b")})
	if got := take(p, chat, nil); got != "a" {
		t.Errorf("a new key is tried, the old one is not: got %q", got)
	}
	if vs := p.Views(); len(vs) != 2 || vs[0].Health.State != Ready || vs[1].Health.State != Cooling {
		t.Errorf("got %+v", vs)
	}
	p.Heal("b")
	if vs := p.Views(); vs[1].Health.State != Ready {
		t.Error("it is not healed")
	}
	if _, ok := p.Find("b"); !ok {
		t.Error("b is not found")
	}
	if _, ok := p.Find("c"); ok {
		t.Error("c is found")
	}
}

// Leases from many goroutines keep the counts right; run with -race.
func TestLeaseConcurrently(t *testing.T) {
	p, _ := pool(account("a"), account("b"))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				l, none := p.Lease(chat)
				if none != nil {
					continue
				}
				var f *fault.Fault
				if (i+j)%50 == 0 {
					f = &fault.Fault{Class: fault.RateLimited, Scope: fault.Model}
				}
				l.Done(f, time.Millisecond, 3)
				p.Views()
			}
		})
	}
	wg.Wait()
	for _, v := range p.Views() {
		if v.InFlight != 0 {
			t.Errorf("%s still serves %d", v.Name, v.InFlight)
		}
	}
}

// TestFixed: the account that the operator prefers serves as long as it is
// able, whatever its priority.
func TestFixed(t *testing.T) {
	p, _ := pool(account("a"), account("b", func(a *Account) { a.Priority = 1 }))
	w := chat
	w.Strategy = schedule.Fixed{ID: schedule.Hash("b")}
	if got := take(p, w, of(fault.QuotaSpent, time.Hour)); got != "b" {
		t.Errorf("got %q, want b", got)
	}
	if got := take(p, w, nil); got != "a" {
		t.Errorf("while b rests: %q, want a", got)
	}
}

// TestDrainExpiring: what the vendors' headers say of allowances decides.
func TestDrainExpiring(t *testing.T) {
	p, c := pool(account("a"), account("b"), account("c"))
	w := chat
	w.Strategy = schedule.RoundRobin{}
	for range 3 {
		l, _ := p.Lease(w)
		h := http.Header{}
		if l.Account.Name != "c" {
			h.Set("X-Codex-Primary-Used-Percent", "50")
			h.Set("X-Codex-Primary-Reset-After-Seconds", map[string]string{"a": "3600", "b": "1800"}[l.Account.Name])
		}
		l.Heard(200, h)
		l.Done(nil, 0, 0)
		c.t = c.t.Add(time.Second)
	}
	w.Strategy = schedule.DrainExpiring{}
	if got := take(p, w, nil); got != "b" {
		t.Errorf("got %q, want b, which lapses first", got)
	}
	c.t = c.t.Add(time.Hour / 2)
	for _, want := range []string{"b", "c", "a", "a"} { // b may have a window again, and c been given one
		if got := take(p, w, nil); got != want {
			t.Errorf("after it has lapsed %q, want %s", got, want)
		}
	}
	if v := p.Views(); len(v[0].Left) != 1 || len(v[2].Left) != 0 {
		t.Errorf("what is left: %v", v)
	}
}

// TestOnly: what one account alone has is asked of no other.
func TestOnly(t *testing.T) {
	p, _ := pool(account("a"), account("b", func(a *Account) { a.Priority = 1 }))
	w := chat
	w.Only = "b"
	if got := take(p, w, of(fault.QuotaSpent, time.Hour)); got != "b" {
		t.Errorf("got %q, want b", got)
	}
	if _, n := p.Lease(w); n == nil || n.Known != 1 || len(n.Passed) != 1 {
		t.Errorf("while b rests: %+v", n)
	}
	if w.Only = "gone"; take(p, w, nil) != "" {
		t.Error("another account took the place of one that is not there")
	}
}
