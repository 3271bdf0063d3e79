package relay

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/pool"
)

// TestBudget is the law of the budget: tries are a share of the calls, and few
// are always there.
func TestBudget(t *testing.T) {
	for _, tt := range []struct {
		calls int           // between two tries that are wanted
		pause time.Duration // and time
		want  int           // tries out of 1000
	}{
		{1, 0, maxRetries + 200},
		{5, 0, 1000},
		{0, 0, maxRetries},
		{0, time.Second, 1000},
		{0, 100 * time.Millisecond, maxRetries + 100},
		{0, -time.Hour, maxRetries}, // the clock is put back
	} {
		var b budget
		now, got := time.Unix(1e9, 0), 0
		for range 1000 {
			b.calls.Add(int64(tt.calls))
			now = now.Add(tt.pause)
			if b.spend(now) {
				got++
			}
		}
		if got < tt.want-2 || got > tt.want+2 {
			t.Errorf("%d calls and %s between: %d tries, want %d", tt.calls, tt.pause, got, tt.want)
		}
	}
}

// TestOutage: when all accounts break, calls are not multiplied.
func TestOutage(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var as []pool.Account
		for i := range 500 {
			as = append(as, r.account(fmt.Sprint(i), 0, replyWith(500, "application/json", `{}`)))
		}
		r.pool.Set(as)
		const calls = 300
		for range calls {
			if w := r.run(r.call(d, false)); w.status != 503 {
				t.Fatalf("status %d", w.status)
			}
		}
		if n, most := len(r.asked), calls+maxRetries+calls/5+1; n > most || n < calls+maxRetries {
			t.Errorf("%d calls became %d attempts, at most %d were to be", calls, n, most)
		}
	})
}

// TestUsefulTries: a try that serves its call is given back, so that what the
// client must not see stays unseen however often it happens.
func TestUsefulTries(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		for i := range 5 * maxRetries {
			stream := i%2 == 0
			good := replyWith(200, "application/json", d.whole)
			if stream {
				good = streaming(d.parts()...)
			}
			r.pool.Set([]pool.Account{
				r.account(fmt.Sprint("bad-", i), 0, replyWith(500, "application/json", `{}`)),
				r.account(fmt.Sprint("good-", i), 1, good),
			})
			if w := r.run(r.call(d, stream)); w.status != 200 {
				t.Fatalf("call %d: status %d", i, w.status)
			}
		}
		if want := 10 * maxRetries; len(r.asked) != want {
			t.Errorf("%d attempts, want %d", len(r.asked), want)
		}
	})
}
