package pool

import (
	"context"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/schedule"
)

// A vendor is an account's other side, with its limits and its mishaps.
type vendor struct {
	rate, burst float64 // of a token bucket; 0: no limit
	quota       int     // requests in all, 0: no limit
	fails       float64 // share of requests that it is too busy for
	rejects     bool
	latency     time.Duration

	mu     sync.Mutex
	tokens float64
	last   time.Time
	served int
	calls  int
	wasted int
}

// ask is one request to v. hint says how it tells to wait.
func (v *vendor) ask(rng func() float64, hint func(time.Duration) time.Duration) *fault.Fault {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls++
	v.wasted++
	switch now := time.Now(); {
	case v.rejects:
		return &fault.Fault{Class: fault.CredentialInvalid, Scope: fault.Account}
	case rng() < v.fails:
		return &fault.Fault{Class: fault.Overloaded, Scope: fault.Model, Phase: fault.Answered}
	case v.quota > 0 && v.served >= v.quota:
		return &fault.Fault{Class: fault.QuotaSpent, Scope: fault.Account}
	case v.rate > 0:
		v.tokens = math.Min(v.burst, v.tokens+now.Sub(v.last).Seconds()*v.rate)
		v.last = now
		if v.tokens < 1 {
			return &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: hint(time.Duration((1 - v.tokens) / v.rate * 1e9))}
		}
		v.tokens--
	}
	v.served++
	v.wasted--
	return nil
}

func milliseconds(d time.Duration) time.Duration {
	return d.Truncate(time.Millisecond) + time.Millisecond
}

func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
func unsaid(time.Duration) time.Duration { return 0 }

// A lab is a load of conversations on a pool of vendors.
type lab struct {
	vendors  []*vendor
	hint     func(time.Duration) time.Duration
	load     float64 // of what the vendors take
	sessions int
	length   time.Duration
	maxWait  time.Duration
	strategy string
	seed     int64
}

// A result is what came of it.
type result struct {
	offered, good, best int
	calls, wasted       int
	again, same         int
	latencies           []time.Duration
	late, without       int // refused after a second, and without a time
}

func (r *result) goodput() float64 { return float64(r.good) / float64(r.best) }
func (r *result) waste() float64   { return float64(r.wasted) / float64(max(r.calls, 1)) }
func (r *result) home() float64    { return float64(r.same) / float64(max(r.again, 1)) }
func (r *result) quantile(q float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	slices.Sort(r.latencies)
	return r.latencies[int(q*float64(len(r.latencies)-1))]
}

func (r *result) String() string {
	return fmt.Sprintf("offered %d, good %.3f, wasted %.3f, home %.3f, p50 %s p99 %s, late refusals %d, without a time %d",
		r.offered, r.goodput(), r.waste(), r.home(), r.quantile(.5).Round(time.Millisecond), r.quantile(.99).Round(time.Millisecond), r.late, r.without)
}

// run plays the lab. It must be called in a bubble.
func (l *lab) run(t testing.TB) *result {
	p := New(time.Now)
	var as []Account
	by := map[string]*vendor{}
	capacity := 0.0
	for i, v := range l.vendors {
		name := fmt.Sprintf("account-%02d", i)
		by[name] = v
		as = append(as, account(name))
		v.tokens, v.last = v.burst, time.Now()
		switch c := v.burst + v.rate*l.length.Seconds(); {
		case v.rejects:
		case v.quota > 0:
			capacity += math.Min(c, float64(v.quota))
		default:
			capacity += c
		}
	}
	p.Set(as)
	strategy, _ := schedule.ByName(l.strategy, "")
	rng := rand.New(rand.NewSource(l.seed))
	var mu sync.Mutex
	random := func() float64 { mu.Lock(); defer mu.Unlock(); return rng.Float64() }
	homes := map[int]string{}
	r := &result{}
	rate := capacity / l.length.Seconds() * l.load
	var all sync.WaitGroup
	start := time.Now()
	for next := start; next.Sub(start) < l.length; {
		mu.Lock()
		next = next.Add(time.Duration(rng.ExpFloat64() / rate * 1e9))
		session := rng.Intn(l.sessions)
		mu.Unlock()
		time.Sleep(time.Until(next))
		r.offered++
		all.Go(func() {
			began := time.Now()
			w := Want{Ways: chat.Ways, Model: "m", Strategy: strategy, Queue: true, Since: began, Query: schedule.Query{Session: uint64(session) + 1, Tokens: 50}}
			var waited time.Duration
			for left := 4; left > 0; {
				w.Max = l.maxWait - waited
				lease, none := p.Wait(context.Background(), w)
				waited += lease.Waited
				if none != nil {
					mu.Lock()
					if time.Since(began) > time.Second {
						r.late++
					}
					if none.Until.IsZero() {
						r.without++
					}
					mu.Unlock()
					return
				}
				v := by[lease.Account.Name]
				if f := v.ask(random, l.hint); f != nil {
					time.Sleep(time.Millisecond)
					lease.Done(f, 0, 0)
					if f.Class == fault.Overloaded {
						left--
					}
					continue
				}
				mu.Lock()
				if was, known := homes[session]; known {
					r.again++
					if was == lease.Account.Name {
						r.same++
					}
				}
				homes[session] = lease.Account.Name
				mu.Unlock()
				time.Sleep(v.latency)
				lease.Done(nil, v.latency, 25)
				mu.Lock()
				r.good++
				r.latencies = append(r.latencies, time.Since(began))
				mu.Unlock()
				return
			}
		})
	}
	all.Wait()
	r.best = int(math.Min(float64(r.offered), capacity))
	for _, v := range l.vendors {
		r.calls += v.calls
		r.wasted += v.wasted
	}
	for _, v := range p.Views() {
		if v.InFlight != 0 {
			t.Errorf("%s still serves %d", v.Name, v.InFlight)
		}
	}
	if n := p.crowd.waiting.Load(); n != 0 || len(p.crowd.queues) != 0 {
		t.Errorf("%d still wait", n)
	}
	return r
}

// scenarios are the labs of the acceptance, with limits and mixes by chance.
func scenario(name string, seed int64) *lab {
	rng := rand.New(rand.NewSource(seed * 7919))
	l := &lab{hint: milliseconds, load: 0.85, sessions: 30 + rng.Intn(90), length: 15 * time.Second, maxWait: 8 * time.Second, strategy: "cache_first", seed: seed}
	ok := func(n int) {
		for range n {
			l.vendors = append(l.vendors, &vendor{rate: 2 + rng.Float64()*12, burst: float64(2 + rng.Intn(8)), latency: time.Duration(20+rng.Intn(80)) * time.Millisecond})
		}
	}
	switch name {
	case "healthy":
		ok(5 + rng.Intn(6))
	case "troubled", "overload":
		ok(4 + rng.Intn(5))
		for range 2 {
			l.vendors = append(l.vendors, &vendor{rate: 10, burst: 5, quota: 10 + rng.Intn(20), latency: 40 * time.Millisecond})
		}
		l.vendors = append(l.vendors, &vendor{rejects: true}, &vendor{rejects: true},
			&vendor{rate: 3 + rng.Float64()*4, burst: 4, fails: 0.5, latency: 40 * time.Millisecond},
			&vendor{rate: 3 + rng.Float64()*4, burst: 4, latency: 400 * time.Millisecond})
		if name == "overload" {
			l.load = 1.5
		}
	}
	rng.Shuffle(len(l.vendors), func(i, j int) { l.vendors[i], l.vendors[j] = l.vendors[j], l.vendors[i] })
	return l
}

// TestLab holds the pool against an oracle that knows every limit, at limits
// and mixes by chance. The vendors' waits are told in milliseconds, in seconds,
// or not at all.
func TestLab(t *testing.T) {
	hints := []func(time.Duration) time.Duration{milliseconds, wholeSeconds, unsaid}
	for _, tt := range []struct {
		name              string
		good, waste, home float64 // at least, at most, at least
		p99               time.Duration
		hint              int
	}{
		{"healthy", 0.99, 0.05, 0.85, 1500 * time.Millisecond, 0},
		{"healthy", 0.98, 0.08, 0.7, 8 * time.Second, 1},
		{"healthy", 0.98, 0.08, 0.65, 8 * time.Second, 2},
		{"troubled", 0.97, 0.1, 0.8, 4 * time.Second, 0},
		{"troubled", 0.97, 0.15, 0.6, 8 * time.Second, 1},
		{"troubled", 0.97, 0.15, 0.55, 8 * time.Second, 2},
		{"overload", 0.93, 0.3, 0.3, 9 * time.Second, 0},
		{"overload", 0.93, 0.3, 0.1, 9 * time.Second, 1},
		{"overload", 0.93, 0.3, 0.1, 9 * time.Second, 2},
	} {
		for seed := range int64(3) {
			synctest.Test(t, func(t *testing.T) {
				l := scenario(tt.name, seed+1)
				l.hint = hints[tt.hint]
				if r := l.run(t); r.goodput() < tt.good || r.waste() > tt.waste || r.home() < tt.home || r.quantile(.99) > tt.p99 || r.without > 0 {
					t.Errorf("%s, seed %d, hint %d: %s", tt.name, seed+1, tt.hint, r)
				}
			})
		}
	}
}

// TestStorm: of 20 accounts 19 are at their limit and the load is more than
// that of the free one. It is served up to its limit, and none of the others is
// asked more than once for each time that it said to wait.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(time.Now)
		var as []Account
		calls := make([]int, 20)
		said, until := make([]time.Time, 20), make([]time.Time, 20)
		violated, served := 0, 0
		for i := range 20 {
			as = append(as, account(fmt.Sprint(i)))
		}
		p.Set(as)
		free := &vendor{rate: 400, burst: 20, tokens: 20, last: time.Now()}
		var mu sync.Mutex
		var all sync.WaitGroup
		const rate, length = 500, 12 * time.Second
		ask := func(i int) *fault.Fault {
			if i == 7 {
				return free.ask(func() float64 { return 1 }, milliseconds)
			}
			mu.Lock()
			defer mu.Unlock()
			calls[i]++
			return &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: 5 * time.Second}
		}
		for n := range int(rate * length.Seconds()) {
			time.Sleep(time.Second / rate)
			all.Go(func() {
				w := Want{Ways: chat.Ways, Model: "m", Strategy: schedule.CacheFirst{}, Query: schedule.Query{Session: uint64(n%200) + 1}, Queue: true, Max: 2 * time.Second}
				for {
					lease, none := p.Wait(context.Background(), w)
					if none != nil {
						return
					}
					i, _ := strconv.Atoi(lease.Account.Name)
					mu.Lock()
					// At the moment of the refusal itself nobody knows who was first.
					if now := time.Now(); now.After(said[i]) && now.Before(until[i]) {
						violated++
					}
					mu.Unlock()
					time.Sleep(time.Millisecond / 2)
					f := ask(i)
					if f == nil {
						time.Sleep(30 * time.Millisecond)
					}
					lease.Done(f, 0, 0)
					if f != nil && f.After == 5*time.Second {
						mu.Lock()
						said[i] = time.Now()
						until[i] = said[i].Add(f.After)
						mu.Unlock()
					}
					if f == nil {
						mu.Lock()
						served++
						mu.Unlock()
						return
					}
				}
			})
		}
		all.Wait()
		if best := 400 * length.Seconds(); float64(served) < 0.99*best {
			t.Errorf("served %d of %.0f", served, best)
		}
		if violated > 0 {
			t.Errorf("%d times an account was asked while it said to wait", violated)
		}
		for i, n := range calls {
			if i != 7 && n > int(length/(5*time.Second))+2 {
				t.Errorf("account %d was asked %d times in %s", i, n, length)
			}
		}
	})
}
