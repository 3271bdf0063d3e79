package pool

import (
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/pace"
)

// TestRefusedForTokens: a wait for many tokens, told to the millisecond, is not
// taken for the time in which one of them comes back, which would be a rate
// far below what went out before.
func TestRefusedForTokens(t *testing.T) {
	p, c := pool(account("a"))
	want := chat
	want.Tokens = 150
	for range 20 {
		l, none := p.Lease(want)
		if none != nil {
			t.Fatal(none)
		}
		l.Done(nil, 0, 150)
		c.t = c.t.Add(100 * time.Millisecond)
	}
	l, none := p.Lease(want)
	if none != nil {
		t.Fatal(none)
	}
	l.Done(&fault.Fault{Class: fault.RateLimited, Scope: fault.Model, Limit: fault.OfTokens, After: 30 * time.Millisecond}, 0, 0)
	rate, _, window := p.entry("a").seats["m"].gate.limits.learned[pace.Tokens].Limit()
	if window != 0 || rate < 1000 || rate > 2000 {
		t.Errorf("%.0f tokens a second, window %s; 1500 a second went out", rate, window)
	}
}
