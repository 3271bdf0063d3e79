package egress

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func proxies(names ...string) (ps []Proxy) {
	for _, n := range names {
		ps = append(ps, Proxy{Name: n, URL: &url.URL{Scheme: "http", Host: n + ".example:3128"}})
	}
	return ps
}

func set(t *testing.T, out *Out, ps []Proxy) {
	t.Helper()
	if err := out.SetProxies(ps); err != nil {
		t.Fatal(err)
	}
}

// spread is which proxy each of n accounts has.
func spread(t *testing.T, out *Out, n int) map[string]string {
	t.Helper()
	m := map[string]string{}
	for i := range n {
		account := fmt.Sprintf("account-%d", i)
		p, err := out.pool.choose("", account)
		if err != nil {
			t.Fatal(err)
		}
		m[account] = p.Name
	}
	return m
}

// TestSticky: accounts are spread over the pool and stay where they are. When a
// proxy dies its own accounts move, and nobody else's; when it lives again they
// come back.
func TestSticky(t *testing.T) {
	out := New(time.Second, nil)
	set(t, out, proxies("a", "b", "c", "d"))
	const n = 1000
	first := spread(t, out, n)
	count := map[string]int{}
	for _, p := range first {
		count[p]++
	}
	for p, c := range count {
		if c < n/8 || c > n/2 {
			t.Errorf("%s has %d of %d accounts", p, c, n)
		}
	}
	b := out.pool.find("b")
	out.pool.note(b, Condition{State: Dead, Why: "gone"})
	for account, p := range spread(t, out, n) {
		if p == "b" || first[account] != "b" && p != first[account] {
			t.Errorf("%s moved from %s to %s", account, first[account], p)
		}
	}
	out.pool.note(b, Condition{State: Alive})
	for account, p := range spread(t, out, n) {
		if p != first[account] {
			t.Errorf("%s did not come back to %s: %s", account, first[account], p)
		}
	}
	more := proxies("a", "b", "c", "d", "e")
	more[0].Off = true
	set(t, out, more)
	for account, p := range spread(t, out, n) {
		if p == "a" || first[account] != "a" && p != first[account] && p != "e" {
			t.Errorf("%s moved from %s to %s", account, first[account], p)
		}
	}
}

// TestFailClosed: whom the pool cannot serve is not served past it.
func TestFailClosed(t *testing.T) {
	up, cert := private(t)
	roots, err := Roots([]byte(cert))
	if err != nil {
		t.Fatal(err)
	}
	out := New(time.Second, roots)
	x := startProxy(t, "http")
	pool := func(ps ...Proxy) {
		t.Helper()
		set(t, out, ps)
	}
	for _, tt := range []struct {
		name, proxy string
		pool        func()
		want        string
	}{
		{"an empty pool", "pool", func() { pool() }, "no proxy of the pool is alive"},
		{"one that is not there", "pool:other", func() { pool(Proxy{Name: "x", URL: x.URL}) }, "the pool has none of this name"},
		{"one that is off", "pool:x", func() { pool(Proxy{Name: "x", URL: x.URL, Off: true}) }, "it is switched off"},
		{"all are off", "pool", func() { pool(Proxy{Name: "x", URL: x.URL, Off: true}) }, "no proxy of the pool is alive"},
		{"all are dead", "pool", func() {
			pool(Proxy{Name: "x", URL: x.URL})
			out.pool.note(out.pool.find("x"), Condition{State: Dead})
		}, "no proxy of the pool is alive"},
		{"it lives", "pool", func() { pool(Proxy{Name: "x", URL: x.URL}); out.pool.note(out.pool.find("x"), Condition{State: Alive}) }, ""},
		{"by its name, though found dead", "pool:x", func() { out.pool.note(out.pool.find("x"), Condition{State: Dead}) }, ""},
	} {
		tt.pool()
		way, err := out.Way(tt.proxy, "account", true)
		if err != nil {
			t.Fatal(err)
		}
		got, err := get(t, way, up.URL)
		if tt.want == "" && got != "hello" || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !IsDial(err)) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	out.CloseIdle()
}

// TestFoundDead: a proxy that cannot be connected to is left alone at once, and
// the next request goes through another.
func TestFoundDead(t *testing.T) {
	up, cert := private(t)
	roots, err := Roots([]byte(cert))
	if err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"http", "socks5"} {
		out := New(time.Second, roots)
		gone, good := startProxy(t, scheme), startProxy(t, scheme)
		gone.close()
		set(t, out, []Proxy{{Name: "gone", URL: gone.URL}, {Name: "good", URL: good.URL}})
		account := ""
		for i := range 1000 {
			account = fmt.Sprint(i)
			if m, _ := out.pool.choose("", account); m.Name == "gone" {
				break
			}
		}
		way, err := out.Way(Pooled, account, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := get(t, way, up.URL); !IsDial(err) {
			t.Errorf("%s: the first: %v", scheme, err)
		}
		if got, err := get(t, way, up.URL); got != "hello" {
			t.Errorf("%s: the second: %v", scheme, err)
		}
		look := out.Proxies()[0]
		if look.State != Dead || look.Why == "" || strings.Contains(look.Why, "CANARY") {
			t.Errorf("%s: %+v", scheme, look)
		}
		// A target that cannot be reached says nothing of the proxy.
		if _, err := get(t, way, "https://127.0.0.1:1/"); err == nil {
			t.Error("there is something at port 1")
		}
		if look := out.Proxies()[1]; look.State == Dead {
			t.Errorf("%s: a target that is not there kills the proxy: %+v", scheme, look)
		}
		out.CloseIdle()
	}
}

// TestCheck: a check finds what lives and what does not, up to the target.
func TestCheck(t *testing.T) {
	up, _ := private(t)
	for _, scheme := range schemes {
		x := startProxy(t, scheme)
		roots := x509.NewCertPool()
		if x.cert != nil {
			roots.AddCert(x.cert)
		}
		out := New(5*time.Second, roots)
		wrong := *x.URL
		wrong.User = nil
		set(t, out, []Proxy{
			{Name: "good", URL: x.URL, Target: up.Listener.Addr().String()},
			{Name: "idle", URL: x.URL},
			{Name: "wrong", URL: &wrong, Target: up.Listener.Addr().String()},
			{Name: "lost", URL: x.URL, Target: "127.0.0.1:1"},
		})
		for name, want := range map[string]State{"good": Alive, "idle": Alive, "wrong": Dead, "lost": Dead} {
			got, err := out.Check(t.Context(), name)
			if err != nil || got.State != want || got.Checked.IsZero() || (got.Why == "") != (want == Alive) {
				t.Errorf("%s: %s: %+v, %v", scheme, name, got.Condition, err)
			}
		}
		if _, err := out.Check(t.Context(), "none"); !errors.Is(err, ErrNoProxy) {
			t.Errorf("none: %v", err)
		}
	}
}

// TestSetProxies: a proxy that leads where it led keeps its condition and its
// connections; the pool is bounded.
func TestSetProxies(t *testing.T) {
	out := New(time.Second, nil)
	set(t, out, proxies("a", "b"))
	a, b := out.pool.find("a"), out.pool.find("b")
	out.pool.note(a, Condition{State: Dead})
	out.pool.note(b, Condition{State: Dead})
	next := proxies("b", "a")
	next[0].URL = &url.URL{Scheme: "socks5", Host: "b.example:1080"}
	next[1].Target = "api.example:443"
	set(t, out, next)
	if now := out.pool.find("a"); now.ways != a.ways || now.how.Load().State != Dead || now.Target == "" {
		t.Error("a has changed")
	}
	if now := out.pool.find("b"); now.ways == b.ways || now.how.Load().State != Unchecked {
		t.Error("b has not changed")
	}
	out.pool.note(b, Condition{State: Alive}) // a check of the old one that ends late
	if now := out.pool.find("b"); now.how.Load().State != Unchecked {
		t.Error("what was found of the old b is said of the new one")
	}
	if err := out.SetProxies(proxies("x", "x")); err == nil || len(out.Proxies()) != 2 {
		t.Errorf("two of one name: %v", err)
	}
	if err := out.SetProxies(make([]Proxy, MaxProxies+1)); err == nil {
		t.Error("the pool has no bound")
	}
}

// TestDue: the living are checked each after the time that is set, the dead
// always, and those that are off never.
func TestDue(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		how   Condition
		off   bool
		every time.Duration
		want  bool
	}{
		{Condition{}, false, time.Minute, true},
		{Condition{State: Alive, Checked: now.Add(-time.Minute)}, false, time.Minute, true},
		{Condition{State: Alive, Checked: now.Add(-time.Second)}, false, time.Minute, false},
		{Condition{State: Alive}, false, 0, false},
		{Condition{State: Dead, Checked: now}, false, 0, true},
		{Condition{State: Dead, Checked: now}, true, time.Minute, false},
	} {
		m := &member{}
		m.Off = tt.off
		m.how.Store(&tt.how)
		if got := due(m, tt.every, now); got != tt.want {
			t.Errorf("%+v, off %t, every %s: %t", tt.how, tt.off, tt.every, got)
		}
	}
}

// TestRun: it goes on until it is stopped, and ends then.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		out := New(time.Second, nil)
		var mu sync.Mutex
		asked := 0
		done := make(chan error)
		go func() {
			done <- out.Run(ctx, func() time.Duration { mu.Lock(); defer mu.Unlock(); asked++; return 0 })
		}()
		time.Sleep(5*lookEvery + time.Second)
		stop()
		if err := <-done; err != nil || asked != 6 {
			t.Errorf("%v after %d rounds", err, asked)
		}
	})
}
