package pool

import (
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/glob"
	"portico/internal/schedule"
)

// TestPrefer: preferred accounts serve first, whatever their priority and under
// every strategy; others take their place while they are not able, and it is told
// why.
func TestPrefer(t *testing.T) {
	later := func(a *Account) { a.Priority = 3 }
	for _, name := range schedule.Names() {
		p, c := pool(account("a"), account("b"), account("eu-1", later), account("eu-2", later))
		w := chat
		w.Strategy, _ = schedule.ByName(name, "")
		w.Prefer = []glob.Set{{globs(t, "none")}, {globs(t, "eu-*")}}
		for _, eu := range []string{"", ""} {
			l, none := p.Lease(w)
			if none != nil || l.Account.Priority != 3 || l.Why != Preferred {
				t.Fatalf("%s: %v, %s serves%s", name, none, l.Account.Name, eu)
			}
			l.Done(&fault.Fault{Class: fault.QuotaSpent, Scope: fault.Account, After: time.Hour}, 0, 0)
		}
		l, none := p.Lease(w)
		if none != nil || l.Account.Priority != 0 || len(l.Passed) != 2 || l.Passed[0].Account != "eu-1" || l.Passed[0].Class != fault.QuotaSpent {
			t.Fatalf("%s: %v, %s serves in their place, %+v", name, none, l.Account.Name, l.Passed)
		}
		l.Done(nil, 0, 0)
		if f := p.Foresee(w); f.Taken == "" || f.Why == Preferred || len(f.Accounts) != 4 {
			t.Errorf("%s: it is foreseen that %q serves (%s)", name, f.Taken, f.Why)
		}
		c.t = c.t.Add(time.Hour + time.Second)
		if l, _ := p.Lease(w); l.Account.Priority != 3 {
			t.Errorf("%s: when they are able again, %s serves", name, l.Account.Name)
		}
	}
}

// TestPreferTag: a tag stands for all accounts that have it.
func TestPreferTag(t *testing.T) {
	p, _ := pool(account("a"), account("tag"), account("b", func(a *Account) { a.Priority, a.Tags = 1, []string{"spare", "eu"} }))
	for pattern, want := range map[string]string{"tag:eu": "b", "tag:e*": "b", "eu": "a", "tag:us": "a", "tag": "tag"} {
		w := chat
		w.Prefer, w.Strategy = []glob.Set{{globs(t, pattern)}}, schedule.Priority{}
		if got := take(p, w, nil); got != want {
			t.Errorf("%s is preferred, and %q serves, want %s", pattern, got, want)
		}
	}
}

// TestPreferHome: a conversation that moved off a preferred account goes back to
// it when its cache is cold, and not before.
func TestPreferHome(t *testing.T) {
	p, c := pool(account("a"), account("b"))
	w := turn(1)
	w.Prefer = []glob.Set{{globs(t, "b")}}
	serve := func(f *fault.Fault) string {
		l, _ := p.Lease(w)
		l.Done(f, 0, 0)
		return l.Account.Name
	}
	if got := serve(nil); got != "b" {
		t.Fatalf("%s serves", got)
	}
	serve(of(fault.RateLimited, 20*time.Second))
	if got := serve(nil); got != "a" {
		t.Errorf("while b rests, %s serves", got)
	}
	c.t = c.t.Add(time.Minute)
	if got := serve(nil); got != "a" {
		t.Errorf("b is able, but the conversation is at a: %s serves", got)
	}
	c.t = c.t.Add(6 * time.Minute)
	if got := serve(nil); got != "b" {
		t.Errorf("its cache is cold, and %s serves", got)
	}
}
