package pool

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/schedule"
)

// TestNoCoolingViolated: of 10,000 requests for two models none goes to an
// account that asked for a pause for that model, or as a whole, before its end
// (reliability REL-36), under any strategy. What is not cooling serves.
func TestNoCoolingViolated(t *testing.T) {
	for _, name := range schedule.Names() {
		t.Run(name, func(t *testing.T) {
			strategy, _ := schedule.ByName(name, "a-3")
			rng := rand.New(rand.NewSource(1))
			var as []Account
			for i := range 8 {
				as = append(as, account(fmt.Sprint("a-", i)))
			}
			p, c := pool(as...)
			type pair struct{ account, model string }
			until := map[pair]time.Time{} // of a whole account under the model ""
			free := func(account, model string) bool {
				return !c.t.Before(until[pair{account, model}]) && !c.t.Before(until[pair{account, ""}])
			}
			refused := 0
			for n := range 10_000 {
				c.t = c.t.Add(time.Duration(rng.Intn(6000)) * time.Microsecond)
				model := fmt.Sprint("m-", rng.Intn(2))
				l, none := p.Lease(Want{Ways: chat.Ways, Model: model, Strategy: strategy, Query: schedule.Query{Session: uint64(n%50) + 1}})
				if none != nil {
					if none.Until.Before(c.t) {
						t.Fatalf("request %d: told to come back %s ago", n, c.t.Sub(none.Until))
					}
					continue
				}
				if !free(l.Account.Name, model) {
					t.Fatalf("request %d for %s went to %s while that asked for a pause", n, model, l.Account.Name)
				}
				if rng.Intn(3) > 0 {
					l.Done(nil, time.Millisecond, 0)
					continue
				}
				refused++
				f := &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: time.Duration(1+rng.Intn(900)) * time.Millisecond}
				of := model
				if rng.Intn(10) == 0 {
					f.Class, f.Scope, of = fault.QuotaSpent, fault.Account, ""
				}
				if got := l.Done(f, 0, 0); got.Before(c.t.Add(f.After)) {
					t.Fatalf("request %d: a pause of %s lasts %s", n, f.After, got.Sub(c.t))
				}
				until[pair{l.Account.Name, of}] = c.t.Add(f.After)
			}
			if refused < 100 {
				t.Errorf("only %d were refused", refused)
			}
		})
	}
}

// TestClockJumps: after the clock jumped by an hour or a day no account is
// stuck for longer than the jump and its pause, and nobody is told a time that
// has passed.
func TestClockJumps(t *testing.T) {
	const pause = 30 * time.Second
	for _, jump := range []time.Duration{time.Hour, 24 * time.Hour, -time.Hour, -24 * time.Hour} {
		for _, class := range []fault.Class{fault.RateLimited, fault.QuotaSpent, fault.CredentialInvalid, fault.Overloaded} {
			p, c := pool(account("a"))
			for range 5 {
				take(p, chat, nil)
			}
			take(p, chat, &fault.Fault{Class: class, Scope: fault.Account, After: pause})
			c.t = c.t.Add(jump)
			if jump > 0 {
				if take(p, chat, nil) != "a" {
					t.Errorf("%s, %s later: it is still away", class, jump)
				}
				continue
			}
			if _, none := p.Lease(chat); none != nil && none.Until.Before(c.t) {
				t.Errorf("%s, %s: told to come back %s ago", class, jump, c.t.Sub(none.Until))
			}
			c.t = c.t.Add(-jump + pause + time.Second)
			if take(p, chat, nil) != "a" {
				t.Errorf("%s: away although the clock that was put back by %s has gone on by that and the pause", class, -jump)
			}
		}
	}
}
