package pool

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
	"portico/internal/schedule"
)

// TestForesee: what is foretold is what happens, and foretelling changes
// nothing.
func TestForesee(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	served, waited, refused := 0, 0, 0
	for i := range 300 {
		var as []Account
		for j := range 1 + rng.Intn(5) {
			as = append(as, account(fmt.Sprint("a", j), func(a *Account) { a.Priority, a.Parallel = rng.Intn(2), rng.Intn(3) }))
		}
		p, c := pool(as...)
		session := uint64(rng.Intn(3))
		for range rng.Intn(12) {
			w := turn(uint64(rng.Intn(3)))
			w.Max = 0
			l, none := p.Lease(w)
			if none != nil {
				continue
			}
			if rng.Intn(5) > 0 {
				f := &fault.Fault{Class: fault.Class(rng.Intn(int(fault.Canceled))), Scope: fault.Scope(rng.Intn(4))}
				if rng.Intn(2) == 0 {
					f.After = time.Duration(rng.Intn(3000)) * time.Millisecond
				}
				if rng.Intn(2) == 0 {
					f = nil
				}
				l.Done(f, time.Second, 10)
			}
			c.t = c.t.Add(time.Duration(rng.Intn(2000)) * time.Millisecond)
		}
		w := turn(session)
		before := fmt.Sprintf("%+v", p.Views()[0].Health)
		f := p.Foresee(w)
		if again := p.Foresee(w); cmp.Diff(f, again) != "" || before != fmt.Sprintf("%+v", p.Views()[0].Health) {
			t.Fatalf("foretelling changes something: %s", cmp.Diff(f, again))
		}
		l, none, cancel := p.Ask(w, func(Lease, *None) {})
		switch {
		case cancel != nil:
			waited++
			if f.Refused || f.Taken != "" && f.Wait == 0 {
				t.Errorf("%d: it waits, and %+v was foretold", i, f)
			}
			cancel()
		case none != nil:
			refused++
			if !f.Refused {
				t.Errorf("%d: it is refused, and %+v was foretold", i, f)
			}
		default:
			served++
			if f.Taken != l.Account.Name || f.Why != l.Why || f.Wait != 0 {
				t.Errorf("%d: %s serves (%s), and %+v was foretold", i, l.Account.Name, l.Why, f)
			}
		}
	}
	if served < 50 || waited < 20 || refused < 20 {
		t.Errorf("the test saw %d served, %d that waited, %d refused", served, waited, refused)
	}
}

// TestForeseenIsBounded: of a thousand accounts some are listed, the rest are
// counted.
func TestForeseenIsBounded(t *testing.T) {
	var as []Account
	for i := range 1000 {
		as = append(as, account(fmt.Sprint("a", i)))
	}
	p, _ := pool(as...)
	w := chat
	w.Strategy = schedule.Priority{}
	if f := p.Foresee(w); len(f.Accounts) != maxForeseen || f.More != 1000-maxForeseen || f.Taken != "a0" || f.Of != 1000 {
		t.Errorf("%d listed, %d more, %s taken of %d", len(f.Accounts), f.More, f.Taken, f.Of)
	}
}
