package pool

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
)

// TestCrowding: how many requests at one time an account takes is learned from
// its refusals; the others wait for a place, and more are tried ever more
// rarely.
func TestCrowding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(time.Now)
		p.Set([]Account{account("a")})
		const takes = 3
		var mu sync.Mutex
		now, refused, served, most := 0, 0, 0, 0
		var all sync.WaitGroup
		for i := range 600 {
			if i%4 == 0 {
				time.Sleep(400 * time.Millisecond) // 10 a second for a minute, four at a time
			}
			all.Go(func() {
				w := patient("x", 30*time.Second)
				w.Since = time.Now()
				for range 20 {
					l, none := p.Wait(context.Background(), w)
					if none != nil {
						return
					}
					mu.Lock()
					now++
					most = max(most, now)
					full := now > takes
					mu.Unlock()
					var f *fault.Fault
					if full {
						f = &fault.Fault{Class: fault.RateLimited, Scope: fault.Account, Limit: fault.AtOnce}
					} else {
						time.Sleep(280 * time.Millisecond) // just what three at a time can do
					}
					mu.Lock()
					now--
					if full {
						refused++
					} else {
						served++
					}
					mu.Unlock()
					l.Done(f, 0, 0)
					if f == nil {
						return
					}
				}
			})
		}
		all.Wait()
		if served != 600 || refused > 6 {
			t.Errorf("served %d, refused %d, at most %d at one time", served, refused, most)
		}
		if v := p.Views()[0]; v.Health.State != Ready {
			t.Errorf("it is %s", v.Health.State)
		}
		// Without load for long the limit is forgotten.
		e := p.entry("a")
		if e.crowding.most.Load() == 0 {
			t.Error("nothing was learned")
		}
		time.Sleep(time.Hour)
		take(p, chat, nil)
		if e.crowding.most.Load() != 0 {
			t.Error("it is remembered for ever")
		}
	})
}
