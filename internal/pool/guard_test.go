package pool

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/glob"
	"portico/internal/pace"
)

func globs(t testing.TB, s string) glob.Glob {
	t.Helper()
	g, err := glob.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestFloors(t *testing.T) {
	g := &Guard{Else: 0.1, Floors: []Floor{{globs(t, "claude-*"), 0.2}, {globs(t, "claude-opus-*"), 0.5}, {globs(t, "gpt-*"), 0}}}
	for model, want := range map[string]float64{"claude-haiku-4": 0.2, "claude-opus-4": 0.5, "gpt-5": 0, "gemini": 0.1, "": 0.1} {
		if got := g.of(model); got != want {
			t.Errorf("%q: %v, want %v", model, got, want)
		}
	}
	if got := (*Guard)(nil).of("m"); got != 0 {
		t.Errorf("nobody protects, and %v is kept", got)
	}
}

// used is what answers say when that share was used until then.
func used(share string, reset time.Time) http.Header {
	return http.Header{
		"Anthropic-Ratelimit-Unified-5h-Utilization": {share},
		"Anthropic-Ratelimit-Unified-5h-Reset":       {reset.UTC().Format(time.RFC3339)},
	}
}

func heard(p *Pool, name string, h http.Header) {
	w := chat
	w.Only = name
	l, _ := p.Lease(w)
	l.Heard(200, h)
	l.Done(nil, 0, 0)
}

// TestProtected: an account with little left is kept out until its window ends
// or it says otherwise; nobody else being able, its user is told when.
func TestProtected(t *testing.T) {
	p, c := pool(account("a"), account("b", func(b *Account) { b.Priority = 1 }))
	p.Protect(&Guard{Else: 0.1})
	p.Set([]Account{account("a"), account("b", func(b *Account) { b.Priority = 1 })})
	heard(p, "a", used("0.89", c.t.Add(time.Hour)))
	if got := take(p, chat, nil); got != "a" {
		t.Errorf("with 11 %% left %q serves, want a", got)
	}
	heard(p, "a", used("0.95", c.t.Add(time.Hour)))
	if got := take(p, chat, nil); got != "b" {
		t.Errorf("with 5 %% left %q serves, want b", got)
	}
	f := p.Foresee(chat)
	if x := f.Accounts[0]; x.Able || x.Why != words[protected] || x.Class != fault.QuotaSpent || !x.Until.Equal(c.t.Add(time.Hour)) {
		t.Errorf("foreseen: %+v", x)
	}
	only := chat
	only.Only = "a"
	if _, none := p.Lease(only); none == nil || !none.Until.Equal(c.t.Add(time.Hour)) {
		t.Errorf("nobody else: %+v", none)
	}
	q := reopened(t, p, c, 59*time.Minute, account("a"), account("b"))
	q.Protect(&Guard{Else: 0.1})
	q.Set([]Account{account("a"), account("b")})
	if _, none := q.Lease(only); none == nil {
		t.Error("after a restart it is protected no more")
	}
	c.t = c.t.Add(2 * time.Minute)
	for _, p := range []*Pool{p, q} {
		if got := take(p, only, nil); got != "a" {
			t.Errorf("its window has ended, and %q serves", got)
		}
	}
	heard(p, "a", used("0.95", c.t.Add(time.Hour)))
	p.Told("a", []pace.Allowance{{Window: "credit", Left: 0.9, Told: c.t}})
	if got := take(p, chat, nil); got != "b" {
		t.Errorf("one of its allowances is short, and %q serves", got)
	}
	l, _ := p.Lease(chat)
	l.Done(nil, 0, 0)
	p.Protect(nil)
	p.Set([]Account{account("a"), account("b", func(b *Account) { b.Priority = 1 })})
	if got := take(p, chat, nil); got != "a" {
		t.Errorf("nothing is protected, and %q serves", got)
	}
}

// TestUnknownIsUnknown: of what nobody knows nothing is kept.
func TestUnknownIsUnknown(t *testing.T) {
	p, c := pool()
	p.Protect(&Guard{Else: 0.99})
	p.Set([]Account{account("a")})
	if got := take(p, chat, nil); got != "a" {
		t.Errorf("nothing was told, and %q serves", got)
	}
	p.Told("a", []pace.Allowance{{Window: "credit", Left: pace.Unknown, Amount: 0.01, Currency: "USD", Told: c.t}})
	if got := take(p, chat, nil); got != "a" {
		t.Errorf("no share was told, and %q serves", got)
	}
	p.Told("nobody", nil)
}

// TestReserve: the operator may have the rest used if nobody else is able.
func TestReserve(t *testing.T) {
	p, c := pool()
	p.Protect(&Guard{Else: 0.5, LastResort: true})
	as := []Account{account("a"), account("b", func(b *Account) { b.Parallel = 1 })}
	p.Set(as)
	p.Told("a", []pace.Allowance{{Window: "credit", Left: 0.1, Told: c.t}})
	one, none := p.Lease(chat)
	if none != nil || one.Account.Name != "b" {
		t.Fatalf("%+v, %+v", one.Account, none)
	}
	two, none := p.Lease(chat)
	if none != nil || two.Account.Name != "a" || two.Why != Reserve {
		t.Fatalf("%+v", none)
	}
	two.Done(nil, 0, 0)
	if f := p.Foresee(chat); f.Taken != "a" || f.Why != Reserve {
		t.Errorf("foreseen: %s, %v", f.Taken, f.Why)
	}
}

// TestProtectedQueue: who waits is served once the vendor says that there is
// more.
func TestProtectedQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(time.Now)
		p.Protect(&Guard{Else: 0.5})
		p.Set([]Account{account("a")})
		p.Told("a", []pace.Allowance{{Window: "day", Left: 0.1, Resets: time.Now().Add(30 * time.Second)}})
		w := chat
		w.Queue, w.Max = true, time.Minute
		began := time.Now()
		go func() {
			time.Sleep(10 * time.Second)
			p.Told("a", []pace.Allowance{{Window: "day", Left: 0.9, Resets: time.Now().Add(time.Hour)}})
		}()
		l, none := p.Wait(t.Context(), w)
		if none != nil || time.Since(began) != 10*time.Second {
			t.Fatalf("after %v: %+v", time.Since(began), none)
		}
		l.Done(nil, 0, 0)
	})
}

// TestBalance: an account whose money falls under what is kept of its currency is
// kept out until there is more, or nobody knows.
func TestBalance(t *testing.T) {
	p, c := pool()
	p.Protect(&Guard{Money: map[string]float64{"USD": 2}})
	p.Set([]Account{account("a"), account("b", func(b *Account) { b.Priority = 1 })})
	for _, tt := range []struct {
		amount   float64
		currency string
		later    time.Duration
		want     string
	}{
		{2.01, "USD", 0, "a"},
		{1.99, "USD", 0, "b"},
		{-3, "USD", time.Hour, "b"},
		{0.5, "CNY", 0, "a"}, // nothing is kept of it
		{1, "USD", 0, "b"},
		{20, "USD", 0, "a"},             // it was paid for
		{1, "USD", 25 * time.Hour, "a"}, // long ago
	} {
		p.Told("a", []pace.Allowance{{Window: "credit", Left: pace.Unknown, Amount: tt.amount, Currency: tt.currency, Told: c.t}})
		c.t = c.t.Add(tt.later)
		if got := take(p, chat, nil); got != tt.want {
			t.Errorf("with %v %s, %s later: %q serves, want %s", tt.amount, tt.currency, tt.later, got, tt.want)
		}
	}
	p.Told("a", []pace.Allowance{{Window: "credit", Left: pace.Unknown, Amount: 1, Currency: "USD", Told: c.t}})
	if f := p.Foresee(chat).Accounts[0]; f.Able || f.Why != words[protected] || !f.Until.IsZero() {
		t.Errorf("foreseen: %+v", f)
	}
	p.Protect(nil)
	p.Set([]Account{account("a"), account("b", func(b *Account) { b.Priority = 1 })})
	if got := take(p, chat, nil); got != "a" {
		t.Errorf("nothing is kept, and %q serves", got)
	}
}
