//go:build unix

package pool

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/schedule"
)

// A cost is a pool of some accounts, of which some are limited, and requests.
type cost struct {
	name     string
	limited  int // of a thousand
	strategy string
	session  func(i int) uint64
}

// costs are: the conversation is known, new, and none; half of the accounts are
// limited, or all but one; and other strategies.
var costs = []cost{
	{"home", 0, "cache_first", func(int) uint64 { return 7 }},
	{"new", 0, "cache_first", func(i int) uint64 { return uint64(i) + 1 }},
	{"none", 0, "cache_first", func(int) uint64 { return 0 }},
	{"half", 500, "cache_first", func(int) uint64 { return 0 }},
	{"one", 999, "cache_first", func(int) uint64 { return 0 }},
	{"drain_expiring", 0, "drain_expiring", func(int) uint64 { return 0 }},
	{"performance_first", 0, "performance_first", func(int) uint64 { return 0 }},
}

// pool is c with n accounts, each of which was asked once.
func (c *cost) pool(tb testing.TB, n int) (p *Pool, w Want) {
	tb.Helper()
	var as []Account
	for i := range n {
		as = append(as, account(fmt.Sprint("a", i)))
	}
	p = New(time.Now)
	p.Set(as)
	w = chat
	w.Strategy, _ = schedule.ByName(c.strategy, "")
	m := p.moments()
	l, r := p.lane(&w)
	for i := range r.slots {
		var lease Lease
		if !p.take(&lease, l, r, &r.slots[i], &w, &m) {
			tb.Fatal("an account is not able")
		}
		var f *fault.Fault
		if i < c.limited*n/1000 {
			f = &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: time.Hour}
		}
		lease.Done(f, time.Millisecond, 100)
	}
	return p, w
}

// BenchmarkLease is the CPU time of a lease and its end, of a lone account and of
// one among a thousand; the goal is less than 20 µs (cpu-ns/op, since what else
// runs on the machine is in ns/op).
func BenchmarkLease(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, n := range []int{1, 1000} {
		for _, c := range costs {
			if n == 1 && c.limited > 0 {
				continue
			}
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				p, w := c.pool(b, n)
				b.ReportAllocs()
				i, began := 0, spent(b)
				for b.Loop() {
					w.Query.Session = c.session(i)
					l, _ := p.Lease(w)
					l.Done(nil, 0, 0)
					i++
				}
				b.ReportMetric(float64(spent(b)-began)/float64(i), "cpu-ns/op")
			})
		}
	}
}

// spent is the CPU time of the process so far: of a benchmark that is all there
// is.
func spent(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestCost: a choice among a thousand accounts allocates nothing, or one list of
// those that were passed over, which is bounded.
func TestCost(t *testing.T) {
	for _, c := range costs {
		p, w := c.pool(t, 1000)
		m := p.moments()
		_, r := p.lane(&w)
		s := new(scratch)
		passed := p.scan(s, r, &w, &m) // its memory is used again
		if len(s.xs)+c.limited != 1000 || len(passed) != min(c.limited, maxPassed) {
			t.Errorf("%s: %d are able, %d passed over", c.name, len(s.xs), len(passed))
		}
		if n := testing.AllocsPerRun(20, func() {
			p.scan(s, r, &w, &m)
			s.pick(&w)
		}); n > float64(min(c.limited, 1)) {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
