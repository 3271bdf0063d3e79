package pool

import (
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/schedule"
)

func TestRejoins(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		guess bool
		why   fault.Class
		over  time.Duration // for how long its pause has been
		want  bool
	}{
		{"the vendor named the time", false, fault.QuotaSpent, 0, true},
		{"it was rejected", false, fault.CredentialInvalid, 0, true},
		{"it broke down", true, fault.Broken, 59 * time.Second, false},
		{"long enough ago", true, fault.Broken, time.Minute, true},
		{"it kept a request waiting", true, fault.Timeout, time.Minute, false},
		{"longer ago", true, fault.Timeout, 5 * time.Minute, true},
	} {
		h := Health{State: Trial, Guess: tt.guess, Why: tt.why, Until: now.Add(-tt.over)}
		if got := h.rejoins(now); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

// TestRejoined: whatever an account suffered, it serves again when that is over,
// though others are able all the time. Until then, and while it is tried, they
// serve.
func TestRejoined(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fails  []*fault.Fault // one after the other, when it is asked
		within time.Duration
	}{
		{"a quota that comes back", []*fault.Fault{of(fault.QuotaSpent, 20*time.Second)}, 21 * time.Second},
		{"a key that was mended", []*fault.Fault{of(fault.CredentialInvalid, 0)}, 15*time.Minute + time.Second},
		{"one failure", []*fault.Fault{{Class: fault.Broken, Scope: fault.Account}}, 11 * time.Second},
		{"a breakdown", []*fault.Fault{{Class: fault.Broken, Scope: fault.Account}, {Class: fault.Broken, Scope: fault.Account}, {Class: fault.Broken, Scope: fault.Account}}, 100 * time.Second},
	} {
		p, c := pool(account("a"), account("b"))
		w := chat
		w.Strategy = schedule.Priority{} // b serves only when a is not to
		for i := 0; i < len(tt.fails); {
			if take(p, w, nil) == "a" {
				w := w
				w.Only = "a"
				take(p, w, tt.fails[i])
				i++
			}
			c.t = c.t.Add(time.Second)
		}
		if got := take(p, w, nil); got != "b" {
			t.Errorf("%s: right after it %q serves", tt.name, got)
		}
		c.t = c.t.Add(tt.within)
		one, none := p.Lease(w)
		if none != nil || one.Account.Name != "a" {
			t.Fatalf("%s: %s later %v serves", tt.name, tt.within, one.Account)
		}
		if other := take(p, w, nil); other != "b" {
			t.Errorf("%s: while it is tried %q serves too", tt.name, other)
		}
		for range 12 { // until it is known to be well
			one.Done(nil, 0, 0)
			c.t = c.t.Add(again + time.Second)
			if one, none = p.Lease(w); none != nil || one.Account.Name != "a" {
				t.Fatalf("%s: it is tried no more", tt.name)
			}
		}
		one.Done(nil, 0, 0)
		for range 3 {
			if got := take(p, w, nil); got != "a" {
				t.Errorf("%s: well again, but %q serves", tt.name, got)
			}
		}
	}
}
