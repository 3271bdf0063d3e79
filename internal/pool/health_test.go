package pool

import (
	"testing"
	"time"

	"portico/internal/fault"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A step is one end of an attempt, some time after the one before.
type step struct {
	later time.Duration
	f     *fault.Fault
	state State
	until time.Duration // since the step; 0 if the state does not wait
}

func of(c fault.Class, after time.Duration) *fault.Fault {
	return &fault.Fault{Class: c, Scope: fault.Account, After: after}
}

// TestAfter is the specification of an account's health.
func TestAfter(t *testing.T) {
	for name, steps := range map[string][]step{
		"a request's own fault says nothing": {
			{0, of(fault.BadRequest, 0), Ready, 0},
			{0, of(fault.ContextTooLong, 0), Ready, 0},
			{0, of(fault.Canceled, 0), Ready, 0},
			{0, &fault.Fault{Class: fault.RateLimited, Scope: fault.Request}, Ready, 0},
		},
		"the vendor's own word counts": {
			{0, of(fault.RateLimited, 17*time.Second), Cooling, 17 * time.Second},
		},
		"without it pauses double": {
			{0, of(fault.RateLimited, 0), Cooling, 2 * time.Second},
			{2 * time.Second, of(fault.RateLimited, 0), Cooling, 4 * time.Second},
			{4 * time.Second, of(fault.RateLimited, 0), Cooling, 8 * time.Second},
		},
		"but not for requests that were under way": {
			{0, of(fault.RateLimited, 0), Cooling, 2 * time.Second},
			{time.Second, of(fault.RateLimited, 0), Cooling, time.Second},
			{0, of(fault.RateLimited, 0), Cooling, time.Second},
		},
		"a longer word of the vendor's lengthens a pause": {
			{0, of(fault.RateLimited, 0), Cooling, 2 * time.Second},
			{time.Second, of(fault.RateLimited, time.Minute), Cooling, time.Minute},
		},
		"a success from before the pause is no news": {
			{0, of(fault.RateLimited, time.Minute), Cooling, time.Minute},
			{time.Second, nil, Cooling, 59 * time.Second},
		},
		"a success on trial heals": {
			{0, of(fault.RateLimited, 0), Cooling, 2 * time.Second},
			{3 * time.Second, nil, Ready, 0},
			{0, of(fault.RateLimited, 0), Cooling, 2 * time.Second},
		},
		"a rejected key is down, and tried again": {
			{0, of(fault.CredentialInvalid, 0), Down, 15 * time.Minute},
			{15 * time.Minute, of(fault.CredentialInvalid, 0), Down, 30 * time.Minute},
			{30 * time.Minute, nil, Ready, 0},
		},
		"one broken answer is forgiven, three are not": {
			{0, of(fault.Broken, 0), Ready, 0},
			{0, of(fault.Network, 0), Ready, 0},
			{0, of(fault.Timeout, 0), Cooling, 5 * time.Second},
		},
		"a success between them forgets": {
			{0, of(fault.Broken, 0), Ready, 0},
			{0, of(fault.Broken, 0), Ready, 0},
			{0, nil, Ready, 0},
			{0, of(fault.Broken, 0), Ready, 0},
		},
		"on trial one failure is enough": {
			{0, of(fault.Overloaded, 0), Cooling, 100 * time.Millisecond},
			{2 * time.Second, of(fault.Network, 0), Cooling, 5 * time.Second},
		},
	} {
		var h Health
		now := t0
		for i, s := range steps {
			now = now.Add(s.later)
			h = h.After(s.f, now)
			if got := h.At(now); got.State != s.state {
				t.Errorf("%s: after step %d it is %s, want %s", name, i, got.State, s.state)
			}
			if s.until != 0 && h.Until.Sub(now) != s.until {
				t.Errorf("%s: after step %d it waits %s, want %s", name, i, h.Until.Sub(now), s.until)
			}
		}
	}
}

func TestEveryStateEnds(t *testing.T) {
	for c := range penalties {
		var h Health
		now := t0
		for range 50 {
			h = h.After(of(c, 0), now)
			if h.State == Cooling || h.State == Down {
				if d := h.Until.Sub(now); d <= 0 || d > penalties[c].most {
					t.Fatalf("%s: a pause of %s", c, d)
				}
				now = h.Until
				if got := h.At(now).State; got != Trial {
					t.Fatalf("%s: after its pause it is %s", c, got)
				}
			}
		}
	}
}

// A clock that is put back must not leave an account waiting for years.
func TestClockPutBack(t *testing.T) {
	h := Health{}.After(of(fault.QuotaSpent, 20*time.Hour), t0)
	if got := h.At(t0.Add(-48 * time.Hour)).State; got != Trial {
		t.Errorf("two days earlier it is %s", got)
	}
	if got := h.At(t0.Add(-time.Hour)).State; got != Cooling {
		t.Errorf("an hour earlier it is %s", got)
	}
}
