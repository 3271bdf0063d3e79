package relay

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/pool"
	"portico/internal/protocol"
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
		var b retryBudget
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
// client must not see stays unseen however often it happens, and in whatever way
// the answer is carried.
func TestUsefulTries(t *testing.T) {
	d, foreign := dialects["openai-chat"], dialects["anthropic"]
	for _, tt := range []struct {
		name   string
		stream bool
		op     protocol.Op
		good   upstream
		speaks string // the upstream's protocol
	}{
		{"a whole answer", false, protocol.Chat, replyWith(200, "application/json", d.whole), d.codec.Name()},
		{"a stream", true, protocol.Chat, streaming(d.parts()...), d.codec.Name()},
		{"a whole translation", false, protocol.Chat, replyWith(200, "application/json", foreign.whole), foreign.codec.Name()},
		{"a translated stream", true, protocol.Chat, streaming(foreign.parts()...), foreign.codec.Name()},
		{"what nobody looks into", false, protocol.Other, replyWith(200, "audio/mpeg", "sound"), d.codec.Name()},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			for i := range 2 * maxRetries {
				as := []pool.Account{
					r.account(fmt.Sprint("bad-", i), 0, replyWith(500, "application/json", `{}`)),
					r.account(fmt.Sprint("good-", i), 1, tt.good),
				}
				for j := range as {
					as[j].Protocols = []string{tt.speaks}
				}
				r.pool.Set(as)
				c := r.call(d, tt.stream)
				c.Op = tt.op
				if w := r.run(c); w.status != 200 {
					t.Fatalf("%s, call %d: status %d", tt.name, i, w.status)
				}
			}
			if want := 4 * maxRetries; len(r.asked) != want {
				t.Errorf("%s: %d attempts, want %d", tt.name, len(r.asked), want)
			}
		})
	}
}

// TestStreamRepays: a stream gives its tries back when it begins: it may last for
// long, and others need them meanwhile.
func TestStreamRepays(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, replyWith(500, "application/json", `{}`), hanging(append(d.prelude, d.middle...)...))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.do(ctx, newClient(), r.call(d, true))
		}()
		synctest.Wait()
		if n, left := len(r.asked), r.relay.retries.left; n != 2 || left != maxRetries {
			t.Errorf("%d attempts, %.0f tries left while the stream goes on, want %d", n, left, maxRetries)
		}
		cancel()
		<-done
	})
}
