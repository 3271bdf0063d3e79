package pool

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/schedule"
)

// A wait is a request that waits, as a test follows it.
type wait struct {
	name string
	at   time.Duration // since the start, when it was served or refused
	l    Lease
	none *None
}

// waits gathers what becomes of requests.
type waits struct {
	p     *Pool
	start time.Time
	mu    sync.Mutex
	all   []wait
	wg    sync.WaitGroup
}

// ask asks under a name and serves for so long.
func (ws *waits) ask(ctx context.Context, name string, w Want, serves time.Duration) {
	ws.wg.Go(func() {
		l, none := ws.p.Wait(ctx, w)
		ws.mu.Lock()
		ws.all = append(ws.all, wait{name, time.Since(ws.start), l, none})
		ws.mu.Unlock()
		if none == nil {
			time.Sleep(serves)
			l.Done(nil, 0, 0)
		}
	})
	synctest.Wait()
}

func (ws *waits) names() (out []string) {
	ws.wg.Wait()
	for _, w := range ws.all {
		name := w.name
		if w.none != nil {
			name = "no " + name
		}
		out = append(out, name)
	}
	return out
}

func (ws *waits) over(t *testing.T) {
	t.Helper()
	if n := ws.p.crowd.waiting.Load(); n != 0 || len(ws.p.crowd.queues) != 0 {
		t.Errorf("%d still wait", n)
	}
}

func waiting(as ...Account) *waits {
	p := New(time.Now)
	p.Set(as)
	return &waits{p: p, start: time.Now()}
}

func alone(a *Account) { a.Parallel = 1 }

// patient wants what chat wants, and waits for it.
func patient(key string, most time.Duration) Want {
	w := chat
	w.Key, w.Queue, w.Max = key, true, most
	return w
}

// TestWaitInTurn: keys that wait are served in turn, and within a key who came
// first is first.
func TestWaitInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a", alone))
		ctx := context.Background()
		for i := range 4 {
			ws.ask(ctx, fmt.Sprint("x", i), patient("x", time.Hour), time.Second)
		}
		for i := range 2 {
			ws.ask(ctx, fmt.Sprint("y", i), patient("y", time.Hour), time.Second)
		}
		if got, want := ws.names(), []string{"x0", "x1", "y0", "x2", "y1", "x3"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for i, w := range ws.all {
			if want := time.Duration(i) * time.Second; w.at != want || w.l.Waited != want {
				t.Errorf("%s: served at %s after %s, want %s: just when a place is free", w.name, w.at, w.l.Waited, want)
			}
		}
		ws.over(t)
	})
}

// TestWaitKeepsRank: one that comes again, because its account refused it,
// stands where it stood.
func TestWaitKeepsRank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a", alone))
		ctx := context.Background()
		ws.ask(ctx, "first", patient("x", time.Hour), time.Second)
		old := patient("x", time.Hour)
		old.Since = time.Now()
		time.Sleep(time.Millisecond)
		ws.ask(ctx, "young", patient("x", time.Hour), time.Second)
		ws.ask(ctx, "old", old, time.Second)
		if got, want := ws.names(), []string{"first", "old", "young"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestWaitTooLong: what would take too long is refused at once, with the time
// at which it would be its turn; what took too long is refused then.
func TestWaitTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a"))
		take(ws.p, chat, of(fault.QuotaSpent, time.Minute))
		_, none := ws.p.Wait(context.Background(), patient("x", 30*time.Second))
		if none == nil || none.Until.Sub(ws.start) != time.Minute || time.Since(ws.start) != 0 {
			t.Errorf("a pause of a minute: %+v after %s", none, time.Since(ws.start))
		}
		ws.ask(context.Background(), "patient", patient("x", 2*time.Minute), 0)
		ws.wg.Wait()
		if w := ws.all[0]; w.none != nil || w.at != time.Minute {
			t.Errorf("with more patience: %+v", w)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a", alone))
		l, _ := ws.p.Lease(chat)
		ws.ask(context.Background(), "x", patient("x", 3*time.Second), 0)
		ws.wg.Wait()
		if w := ws.all[0]; w.none == nil || w.at != 3*time.Second || len(w.none.Passed) != 1 {
			t.Errorf("a request that never ends: %+v", w)
		}
		l.Done(nil, 0, 0)
		ws.over(t)
	})
}

// TestWaitQueueCounts: who waits already is counted in what one is told.
func TestWaitQueueCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a", alone))
		l, _ := ws.p.Lease(chat)
		time.Sleep(time.Second)
		l.Done(nil, 0, 0) // a request takes a second
		ctx := context.Background()
		for i := range 6 {
			ws.ask(ctx, fmt.Sprint(i), patient("x", 4500*time.Millisecond), time.Second)
		}
		got := ws.names()
		if slices.Contains(got[:2], "no 5") == false || ws.all[slices.Index(got, "no 5")].at != time.Second {
			t.Errorf("the sixth for places of a second was to be refused at once: %v", got)
		}
		if n := slices.IndexFunc(ws.all, func(w wait) bool { return w.name == "4" && w.none == nil }); n < 0 || ws.all[n].at != 5*time.Second {
			t.Errorf("the fifth was to be served: %v", got)
		}
	})
}

// TestWaitLeaves: a client that leaves takes no place and holds up nobody.
func TestWaitLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a", alone))
		ctx, cancel := context.WithCancel(context.Background())
		ws.ask(context.Background(), "first", patient("x", time.Hour), time.Second)
		ws.ask(ctx, "gone", patient("x", time.Hour), time.Second)
		ws.ask(context.Background(), "last", patient("x", time.Hour), time.Second)
		cancel()
		if got, want := ws.names(), []string{"first", "no gone", "last"}; !slices.Equal(got, want) || ws.all[1].at != 0 || ws.all[2].at != time.Second {
			t.Errorf("got %v", ws.all)
		}
		ws.over(t)
	})
}

// TestWaitBound: a queue that is full refuses at once, but a key that has
// fewer than its share gets a place of the one that has the most.
func TestWaitBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a", func(a *Account) { a.Parallel = maxWaiting }))
		for range maxWaiting {
			ws.p.Lease(chat)
		}
		ctx, cancel := context.WithCancel(context.Background())
		greedy := patient("greedy", time.Hour)
		for i := range maxWaiting {
			ws.ask(ctx, fmt.Sprint(i), greedy, 0)
		}
		if _, none := ws.p.Wait(ctx, greedy); none == nil || !none.Full {
			t.Error("there is no bound")
		}
		ws.ask(ctx, "modest", patient("modest", time.Hour), 0)
		if n := ws.p.crowd.waiting.Load(); n != maxWaiting {
			t.Errorf("%d wait, want %d", n, maxWaiting)
		}
		ws.mu.Lock()
		if len(ws.all) != 1 || ws.all[0].name != fmt.Sprint(maxWaiting-1) || !ws.all[0].none.Full {
			t.Errorf("who gave up its place: %+v", ws.all)
		}
		ws.mu.Unlock()
		cancel()
		ws.wg.Wait()
		ws.over(t)
	})
}

// TestWaitReload: who waits sees the accounts of a reload.
func TestWaitReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a", alone))
		l, _ := ws.p.Lease(chat)
		ws.ask(context.Background(), "x", patient("x", time.Hour), 0)
		time.Sleep(time.Second)
		ws.p.Set([]Account{account("a", alone), account("b")})
		ws.wg.Wait()
		if w := ws.all[0]; w.none != nil || w.l.Account.Name != "b" || w.at != time.Second {
			t.Errorf("%+v", w)
		}
		l.Done(nil, 0, 0)
		take(ws.p, chat, nil)
	})
}

// TestWaitPaced: a limit a minute that the operator sets lets those who wait
// through when it opens, and no minute holds more.
func TestWaitPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a", func(a *Account) { a.RPM = 5 }))
		for i := range 12 {
			ws.ask(context.Background(), fmt.Sprint(i), patient("x", 10*time.Minute), 0)
		}
		ws.wg.Wait()
		for i, w := range ws.all {
			if want := time.Duration(i/5) * 61 * time.Second; w.none != nil || w.at < want-2*time.Second || w.at > want {
				t.Errorf("request %d: at %s, want about %s", i, w.at, want)
			}
		}
	})
}

// TestHerd: an account of which no limit is known is not given all who wait at
// once when it comes back.
func TestHerd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := waiting(account("a"))
		take(ws.p, chat, of(fault.Overloaded, time.Second))
		for i := range 200 {
			ws.ask(context.Background(), fmt.Sprint(i), patient("x", time.Minute), 0)
		}
		at := map[time.Duration]int{}
		ws.wg.Wait()
		for _, w := range ws.all {
			if w.none != nil {
				t.Fatalf("%+v", w)
			}
			at[w.at]++
		}
		if at[time.Second] > firstStep || len(at) < 4 {
			t.Errorf("they went at %v", at)
		}
		if last := ws.all[len(ws.all)-1].at; last > 3*time.Second {
			t.Errorf("the last waited until %s", last)
		}
	})
}

// TestWaitRace is for the race detector: leases, waits, reloads, failures and
// clients that leave, all at once, and all is given back.
func TestWaitRace(t *testing.T) {
	as := []Account{account("a", alone), account("b", func(a *Account) { a.RPM = 1e6 }), account("c", func(a *Account) { a.Parallel = 2 })}
	p := New(time.Now)
	p.Set(as)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 100 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(j%5+1)*time.Millisecond)
				w := patient(fmt.Sprint("key", i%3), time.Second)
				w.Strategy, w.Query = schedule.CacheFirst{}, schedule.Query{Session: uint64(i%4) + 1}
				w.Model = fmt.Sprint("m", j%3)
				if l, none := p.Wait(ctx, w); none == nil {
					var f *fault.Fault
					switch (i + j) % 17 {
					case 0:
						f = &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: time.Millisecond / 2}
					case 1:
						f = &fault.Fault{Class: fault.Network, Scope: fault.Endpoint}
					}
					l.Heard(200, nil)
					l.Done(f, time.Microsecond, 10)
				}
				cancel()
				if j%40 == 0 {
					p.Set(as)
					p.Views()
					p.Heal("a")
				}
			}
		})
	}
	wg.Wait()
	for _, v := range p.Views() {
		if v.InFlight != 0 {
			t.Errorf("%s still serves %d", v.Name, v.InFlight)
		}
	}
	if n := p.crowd.waiting.Load(); n != 0 {
		t.Errorf("%d still wait", n)
	}
	for _, e := range *p.entries.Load() {
		for m, s := range e.seats {
			if n := s.queued.Load(); n != 0 {
				t.Errorf("%d are counted as waiting for %s at %s", n, m, e.Name)
			}
		}
	}
}
