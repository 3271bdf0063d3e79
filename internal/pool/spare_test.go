package pool

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/provider"
	"portico/internal/schedule"
)

// TestSpare: who may be asked beside an account that is at work already.
func TestSpare(t *testing.T) {
	lease := func(p *Pool, w Want) *Lease {
		l, none := p.Lease(w)
		if none != nil {
			t.Fatalf("nobody: %+v", none)
		}
		return &l
	}
	first := chat
	first.Only = "a"
	onB := chat
	onB.Only = "b"
	for _, tt := range []struct {
		name string
		b    func(*Account)
		then func(p *Pool)
		want string
	}{
		{"one that is idle", func(*Account) {}, func(*Pool) {}, "b"},
		{"one of a better priority", func(b *Account) { b.Priority = -1 }, func(*Pool) {}, "b"},
		{"one that comes after", func(b *Account) { b.Priority = 1 }, func(*Pool) {}, ""},
		{"one whose token has to be fetched first", with(&credential{id: "b", now: provider.Condition{State: provider.Refreshing}}), func(*Pool) {}, ""},
		{"one whose token is fresh", with(&credential{id: "b"}), func(*Pool) {}, "b"},
		{"one that is off", func(b *Account) { b.Disabled = true }, func(*Pool) {}, ""},
		{"one that cools", func(*Account) {}, func(p *Pool) { lease(p, onB).Done(of(fault.RateLimited, time.Minute), 0, 0) }, ""},
		{"one that fails often", func(*Account) {}, func(p *Pool) {
			lease(p, onB).Done(&fault.Fault{Class: fault.Broken, Scope: fault.Account}, 0, 0)
		}, ""},
		{"one with half of its places taken", func(b *Account) { b.Parallel = 2 }, func(p *Pool) { lease(p, onB) }, ""},
		{"one with few of its places taken", func(b *Account) { b.Parallel = 4 }, func(p *Pool) { lease(p, onB) }, "b"},
		{"one with most of its minute used", func(b *Account) { b.RPM = 4 }, func(p *Pool) {
			for range 3 {
				lease(p, onB).Done(nil, 0, 0)
			}
		}, ""},
		{"one with some of its minute used", func(b *Account) { b.RPM = 4 }, func(p *Pool) { lease(p, onB).Done(nil, 0, 0) }, "b"},
		{"one that says it is half empty", func(*Account) {}, func(p *Pool) {
			l := lease(p, onB)
			l.Heard(200, http.Header{"X-Ratelimit-Limit-Requests": {"100"}, "X-Ratelimit-Remaining-Requests": {"40"}, "X-Ratelimit-Reset-Requests": {"36s"}})
			l.Done(nil, 0, 0)
		}, ""},
		{"one that says it has room", func(*Account) {}, func(p *Pool) {
			l := lease(p, onB)
			l.Heard(200, http.Header{"X-Ratelimit-Limit-Requests": {"100"}, "X-Ratelimit-Remaining-Requests": {"90"}, "X-Ratelimit-Reset-Requests": {"6s"}})
			l.Done(nil, 0, 0)
		}, "b"},
	} {
		p, _ := pool(account("a"), account("b", tt.b))
		one := lease(p, first)
		tt.then(p)
		two, ok := p.Spare(chat, one)
		got := ""
		if ok {
			got = two.Account.Name
			two.Abandon(0)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestSpareQueue: while anybody waits there is none to spare.
func TestSpareQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(time.Now)
		p.Set([]Account{account("a", func(a *Account) { a.Parallel = 1 }), account("b")})
		first := chat
		first.Only = "a"
		one, _ := p.Lease(first)
		waits := first
		waits.Queue, waits.Max = true, time.Minute
		done := make(chan Lease)
		go func() {
			l, none := p.Wait(context.Background(), waits)
			if none != nil {
				t.Errorf("nobody: %+v", none)
			}
			done <- l
		}()
		time.Sleep(time.Second)
		if _, ok := p.Spare(chat, &one); ok {
			t.Error("an account was spare while a request waited")
		}
		one.Done(nil, 0, 0)
		l := <-done
		l.Done(nil, 0, 0)
		if l, ok := p.Spare(chat, &l); !ok {
			t.Error("nobody waits any more, and nobody is spare")
		} else {
			l.Abandon(0)
		}
	})
}

// TestSpareStays: a conversation that is at home is not moved, and one that has
// none yet is at home where it was served.
func TestSpareStays(t *testing.T) {
	for _, known := range []bool{true, false} {
		p, _ := pool(account("a"), account("b"))
		w := chat
		w.Strategy, w.Query.Session = schedule.CacheFirst{}, 7
		onA := w
		onA.Only = "a"
		if known {
			take(p, onA, nil)
		}
		one, _ := p.Lease(onA)
		two, ok := p.Spare(w, &one)
		if !ok || (one.Why == AtHome) != known {
			t.Fatalf("spare %v, %v", ok, one.Why)
		}
		one.Abandon(0)
		two.Done(nil, 0, 0)
		if got, want := take(p, w, nil), map[bool]string{true: "a", false: "b"}[known]; got != want {
			t.Errorf("known %v: the next turn is at %s, want %s", known, got, want)
		}
	}
}

// TestOutrun: an account that was outrun is slower than it was thought.
func TestOutrun(t *testing.T) {
	p, _ := pool(account("a"))
	l, _ := p.Lease(chat)
	l.Done(nil, time.Second, 0)
	for _, after := range []time.Duration{9 * time.Second, time.Millisecond} {
		l, _ := p.Lease(chat)
		l.Outrun(after)
		l.Abandon(0)
	}
	if v := p.Views()[0]; v.First != 2*time.Second || v.InFlight != 0 || v.Health.State != Ready {
		t.Errorf("it begins to answer after %v, with %d under way, %v", v.First, v.InFlight, v.Health.State)
	}
}
