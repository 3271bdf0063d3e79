package pool

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/schedule"
)

// turn is a turn of a conversation.
func turn(session uint64) Want {
	w := patient("x", 8*time.Second)
	w.Strategy, w.Query = schedule.CacheFirst{}, schedule.Query{Session: session}
	return w
}

// converse has a turn and says who served it.
func converse(t *testing.T, p *Pool, w Want, f *fault.Fault) (string, Choice) {
	t.Helper()
	l, none := p.Wait(context.Background(), w)
	if none != nil {
		t.Fatalf("nobody: %+v", none)
	}
	l.Done(f, 10*time.Millisecond, 0)
	return l.Account.Name, l.Why
}

func limitedFor(d time.Duration) *fault.Fault {
	return &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: d}
}

// TestHome: a conversation stays where it is, moves when it would have to wait
// for longer than that is worth, and stays where it moved to.
func TestHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(time.Now)
		p.Set([]Account{account("a"), account("b"), account("c")})
		home, _ := converse(t, p, turn(1), nil)
		for range 5 {
			if got, why := converse(t, p, turn(1), nil); got != home || why != AtHome {
				t.Fatalf("at home: %s, %s, want %s", got, why, home)
			}
		}
		// A short pause is waited out.
		start := time.Now()
		l, _ := p.Lease(turn(1))
		l.Done(limitedFor(300*time.Millisecond), 0, 0)
		if got, why := converse(t, p, turn(1), nil); got != home || why != AtHome || time.Since(start) != 300*time.Millisecond {
			t.Errorf("after a short pause: %s, %s after %s", got, why, time.Since(start))
		}
		time.Sleep(5 * time.Second) // as much may go there again
		// A long one is not.
		start = time.Now()
		l, _ = p.Lease(turn(1))
		l.Done(limitedFor(5*time.Second), 0, 0)
		away, why := converse(t, p, turn(1), nil)
		if away == home || why != Moved || time.Since(start) != 0 {
			t.Errorf("in a long pause: %s, %s after %s", away, why, time.Since(start))
		}
		time.Sleep(time.Minute)
		if got, why := converse(t, p, turn(1), nil); got != away || why != AtHome {
			t.Errorf("after the pause: %s, %s, want %s, without flapping back", got, why, away)
		}
		// With a long prompt it is worth waiting for.
		start = time.Now()
		l, _ = p.Lease(turn(1))
		l.Done(limitedFor(5*time.Second), 0, 0)
		long := turn(1)
		long.Query.Tokens = 100_000
		if got, _ := converse(t, p, long, nil); got != away || time.Since(start) != 5*time.Second {
			t.Errorf("with a long prompt: %s after %s", got, time.Since(start))
		}
		// After hours its cache is gone, and it is a conversation like any.
		time.Sleep(2 * time.Hour)
		if _, why := converse(t, p, turn(1), nil); why == AtHome {
			t.Error("it is remembered for hours")
		}
	})
}

// TestHomeEscapes: an account that fails again and again loses its
// conversations, though it is able, and one that is a little slower does not.
func TestHomeEscapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(time.Now)
		p.Set([]Account{account("a"), account("b"), account("c")})
		home, _ := converse(t, p, turn(1), nil)
		w := turn(1)
		w.Not = []string{}
		for _, name := range []string{"a", "b", "c"} {
			if name != home {
				w.Not = append(w.Not, name)
			}
		}
		for range 12 {
			converse(t, p, w, &fault.Fault{Class: fault.Overloaded, Scope: fault.Model})
			time.Sleep(time.Minute)
		}
		converse(t, p, w, nil) // it is ready again
		if got, why := converse(t, p, turn(1), nil); got == home || why != Moved {
			t.Errorf("it stays at %s, which fails (%s)", got, why)
		}
	})
}

// TestHomeScope: what asks for two models has two homes, and nothing is kept
// for a strategy that keeps nothing.
func TestHomeScope(t *testing.T) {
	p, _ := pool(account("a"), account("b"))
	for _, model := range []string{"m", "n"} {
		w := turn(1)
		w.Model = model
		l, _ := p.Lease(w)
		l.Done(nil, 0, 0)
	}
	w := turn(2)
	w.Strategy = schedule.Balance{}
	l, _ := p.Lease(w)
	l.Done(nil, 0, 0)
	if n := p.homes.size(); n != 2 {
		t.Errorf("%d homes, want 2", n)
	}
}

// TestHomesAreBounded: a flood of conversations is forgotten, oldest first as
// far as a few of them tell.
func TestHomesAreBounded(t *testing.T) {
	var h homes
	const last = 3 * maxHomes
	for i := range uint64(last) {
		h.set(schedule.Mix(i), home{account: 1, last: time.Duration(i) + 1})
	}
	if n := h.size(); n > maxHomes {
		t.Errorf("%d homes are remembered", n)
	}
	young := 0
	for i := uint64(last - maxHomes/10); i < last; i++ {
		if _, ok := h.get(schedule.Mix(i), last); ok {
			young++
		}
	}
	if young < maxHomes/10*9/10 {
		t.Errorf("of the youngest %d only %d are remembered", maxHomes/10, young)
	}
	if _, ok := h.get(schedule.Mix(last-1), last+homeLife+1); ok {
		t.Error("one is remembered beyond its time")
	}
}

// TestLanesAreBounded: clients name models as they like.
func TestLanesAreBounded(t *testing.T) {
	p, _ := pool(account("a"), account("b"))
	for i := range maxLanes * 2 {
		w := chat
		w.Model = fmt.Sprint("m", i)
		take(p, w, nil)
	}
	if n := p.lanes.Load(); n.count > maxLanes || n.slots > maxSlots {
		t.Errorf("%d lanes with %d slots", n.count, n.slots)
	}
	for _, e := range *p.entries.Load() {
		if len(e.seats) > maxModels {
			t.Errorf("%d models of one account are remembered", len(e.seats))
		}
	}
}
