package pool

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/pace"
	"portico/internal/schedule"
)

// jumps are what a clock may do: a machine that slept, or a clock that was set.
var jumps = []time.Duration{time.Hour, 24 * time.Hour, -time.Hour, -24 * time.Hour}

// TestHealthJumps: whatever happened to an account, and wherever the clock went,
// its pause is neither negative nor longer than the longest, and it is over when
// that has passed.
func TestHealthJumps(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	for range 2000 {
		h, now := Health{}, t0
		for range 30 {
			if now = now.Add(time.Duration(rng.Int64N(int64(20 * time.Minute)))); rng.IntN(4) == 0 {
				now = now.Add(jumps[rng.IntN(len(jumps))])
			}
			var f *fault.Fault
			if rng.IntN(4) > 0 {
				f = &fault.Fault{Class: fault.Class(rng.IntN(int(fault.Canceled) + 1)), Scope: fault.Scope(rng.IntN(4))}
				if rng.IntN(2) == 0 {
					f.After = time.Duration(rng.Int64N(int64(fault.MaxWait)))
				}
			}
			if h = h.At(now); h.State == Trial && rng.IntN(2) == 0 {
				h = h.Probe(now)
			}
			h = h.After(f, now)
			if h.Pause < 0 || h.Pause > fault.MaxWait || h.Failed < 0 || h.holds(now) && h.Until.Sub(now) > fault.MaxWait {
				t.Fatalf("after %+v at %s: %+v", f, now, h)
			}
			if at := h.Until; h.holds(at) || h.holds(at.Add(time.Hour)) || h.holds(at.Add(-fault.MaxWait-time.Second)) {
				t.Fatalf("it does not end: %+v", h)
			}
		}
	}
}

// TestJumps has a pool live through much, then the clock jump: forward in the
// process, whose own clock goes on by as much if the machine slept, and back by
// a restart, since a process's clock does not go back. No account is away for
// longer than what keeps it away, and nothing is negative.
func TestJumps(t *testing.T) {
	for _, jump := range jumps {
		for seed := range uint64(20) {
			rng := rand.New(rand.NewPCG(seed, 7))
			as := []Account{
				account("a"), account("b", func(a *Account) { a.RPM = 30 }), account("c", func(a *Account) { a.TPM = 5000 }),
				account("d", func(a *Account) { a.Parallel = 2 }), account("e"),
			}
			p, c := pool(as...)
			p.Protect(&Guard{Else: .1})
			p.Set(as)
			lived := live(p, c, rng, 300)
			if jump > 0 {
				c.t = c.t.Add(jump)
			} else {
				p = reopened(t, p, c, jump, as...)
				lived = nil // they ended with the process
			}
			sane(t, p, c, len(lived))
			for _, l := range lived {
				l.Done(nil, time.Second, 100)
			}
			sane(t, p, c, 0)
			for _, l := range live(p, c, rng, 50) {
				l.Done(nil, 0, 0)
			}
			sane(t, p, c, 0)
			// The longest pause, and a window of a day that is protected.
			c.t = c.t.Add(fault.MaxWait + time.Hour)
			for _, a := range as {
				w := chat
				w.Only = a.Name
				if take(p, w, nil) != a.Name {
					t.Errorf("jump %s, seed %d: %s is still away: %+v", jump, seed, a.Name, p.Foresee(w))
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

// live has p lease, be refused and be told of limits. It returns leases that are
// under way.
func live(p *Pool, c *clock, rng *rand.Rand, steps int) (open []Lease) {
	for range steps {
		c.t = c.t.Add(time.Duration(rng.IntN(2000)) * time.Millisecond)
		w := chat
		w.Strategy, _ = schedule.ByName(schedule.Names()[rng.IntN(len(schedule.Names()))], "b")
		w.Query.Session, w.Tokens = uint64(rng.IntN(20)), int64(rng.IntN(500))
		l, none := p.Lease(w)
		if none != nil {
			continue
		}
		h := http.Header{}
		switch rng.IntN(12) {
		case 0:
			h.Set("X-Ratelimit-Limit-Requests", "60")
			h.Set("X-Ratelimit-Remaining-Requests", fmt.Sprint(rng.IntN(60)))
			h.Set("X-Ratelimit-Reset-Requests", fmt.Sprint(rng.IntN(60), "s"))
		case 1:
			h.Set("X-Codex-Primary-Used-Percent", fmt.Sprint(rng.IntN(101)))
			h.Set("X-Codex-Primary-Reset-After-Seconds", fmt.Sprint(rng.IntN(24*3600)))
		}
		l.Heard(200, h)
		var f *fault.Fault
		switch rng.IntN(6) {
		case 0:
			f = &fault.Fault{Class: fault.Class(rng.IntN(int(fault.Canceled) + 1)), Scope: fault.Scope(rng.IntN(3))}
		case 1:
			f = &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: time.Duration(rng.IntN(5000)) * time.Millisecond, Limit: fault.Limit(rng.IntN(3))}
		}
		if f == nil && rng.IntN(20) == 0 && len(open) < 4 {
			open = append(open, l)
			continue
		}
		l.Done(f, time.Duration(rng.IntN(1000))*time.Millisecond, int64(rng.IntN(1000)))
	}
	return open
}

// sane fails the test if p says what cannot be.
func sane(t *testing.T, p *Pool, c *clock, open int) {
	t.Helper()
	for _, v := range p.Views() {
		if open -= v.InFlight; v.InFlight < 0 {
			t.Errorf("%s has %d requests under way", v.Name, v.InFlight)
		}
		for _, a := range v.Left {
			if a.Left != pace.Unknown && !(a.Left >= 0 && a.Left <= 1) {
				t.Errorf("%s has %v left", v.Name, a.Left)
			}
			if at, dry := a.RunsDry(c.t); dry && (at.Before(c.t) || at.After(a.Resets)) {
				t.Errorf("%s runs dry at %s", v.Name, at)
			}
		}
	}
	if open != 0 {
		t.Errorf("%d requests are under way that are not", -open)
	}
	w := chat
	w.Max = 8 * time.Second
	f := p.Foresee(w)
	if f.Wait < 0 || f.Wait > fault.MaxWait {
		t.Errorf("a request would wait %s", f.Wait)
	}
	for _, a := range f.Accounts {
		if !a.Until.IsZero() && (a.Until.Before(c.t) || a.Until.Sub(c.t) > fault.MaxWait) {
			t.Errorf("%s is away until %s: %s", a.Account, a.Until.Sub(c.t), a.Why)
		}
	}
}

// TestQueueJumps: who waits while the clock jumps is served or told, also if the
// timers come late or early.
func TestQueueJumps(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, 24 * time.Hour} {
		for _, pause := range []time.Duration{3 * time.Second, 40 * time.Second} {
			c := &clock{t0}
			var due []*late
			p := NewAt(c.now, func(d time.Duration, f func()) Timer {
				due = append(due, &late{f})
				return due[len(due)-1]
			})
			p.Set([]Account{account("a")})
			take(p, chat, of(fault.RateLimited, pause))
			w := chat
			w.Queue, w.Max, w.Key = true, time.Minute, "k"
			ended := 0
			_, none, cancel := p.Ask(w, func(l Lease, n *None) {
				if ended++; n == nil {
					l.Done(nil, 0, 0)
				} else if n.Until.Before(c.t) && !n.Until.IsZero() {
					t.Errorf("told to come back %s ago", c.t.Sub(n.Until))
				}
			})
			if cancel == nil {
				t.Fatalf("it does not wait: %+v", none)
			}
			c.t = c.t.Add(jump)
			for range 10 {
				now := due
				due = nil
				for _, d := range now {
					if f := d.f; f != nil {
						d.f = nil
						f()
					}
				}
			}
			if ended != 1 || p.Views()[0].InFlight != 0 {
				t.Errorf("a jump of %s in a wait of %s: it ended %d times", jump, pause, ended)
			}
			if take(p, chat, nil) != "a" {
				t.Error("the account is stuck")
			}
		}
	}
}

// A late is a timer that comes when the test says so.
type late struct{ f func() }

func (l *late) Stop() bool {
	was := l.f != nil
	l.f = nil
	return was
}
