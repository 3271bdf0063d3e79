package relay

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// limitedFor makes an upstream that refuses for d and then serves, each time
// it is asked too early anew.
func limitedFor(d time.Duration, body string, header ...string) upstream {
	var begun time.Time
	return func(*http.Request, []byte) (*http.Response, error) {
		if begun.IsZero() {
			begun = time.Now()
		}
		if time.Since(begun) >= d {
			return answerOf(200, "application/json", body), nil
		}
		a := answerOf(429, "application/json", `{"error":{"message":"slow down"}}`)
		for i := 0; i < len(header); i += 2 {
			a.Header[header[i]] = []string{header[i+1]}
		}
		return a, nil
	}
}

// TestWait: a pause that ends in time is waited out, whatever its length; a
// longer one is told at once.
func TestWait(t *testing.T) {
	d := dialects["openai-chat"]
	for _, tt := range []struct {
		ms    string
		after time.Duration
		max   time.Duration
		waits bool
	}{
		{"300", 300 * time.Millisecond, 8 * time.Second, true},
		{"5000", 5 * time.Second, 8 * time.Second, true},
		{"9000", 9 * time.Second, 8 * time.Second, false},
		{"300", 300 * time.Millisecond, 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, limitedFor(tt.after, d.whole, "Retry-After-Ms", tt.ms))
			r.settings.MaxWait = tt.max
			start := time.Now()
			w := r.run(r.call(d, false))
			took := time.Since(start)
			if tt.waits && (w.status != 200 || took != tt.after || len(r.asked) != 2) ||
				!tt.waits && (w.status != 429 || took != 0 || w.sent.Get("Retry-After-Ms") != tt.ms || len(r.asked) != 1) {
				t.Errorf("%s ms of %s: status %d after %s and %d tries, headers %v", tt.ms, tt.max, w.status, took, len(r.asked), w.sent)
			}
		})
	}
}

// TestWaitsEnd: nobody waits for ever, and not beyond the request's own time.
func TestWaitsEnd(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, limitedFor(time.Hour, d.whole, "Retry-After-Ms", "500"))
		r.settings.MaxWait = 8 * time.Second
		start := time.Now()
		w := r.run(r.call(d, false))
		if took := time.Since(start); took > r.settings.MaxWait || w.status != 429 || len(r.asked) != maxWaits+1 {
			t.Errorf("status %d after %s and %d tries", w.status, took, len(r.asked))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, limitedFor(time.Hour, d.whole, "Retry-After-Ms", "500"))
		r.settings.MaxWait = 8 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
		defer cancel()
		start := time.Now()
		w := newClient()
		r.do(ctx, w, r.call(d, false))
		if took := time.Since(start); took != 0 || w.status != 429 {
			t.Errorf("status %d after %s", w.status, took)
		}
	})
}

// TestWaitLeaves: a client that leaves while it waits is gone at once.
func TestWaitLeaves(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, limitedFor(5*time.Second, d.whole, "Retry-After-Ms", "5000"))
		r.settings.MaxWait = 8 * time.Second
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		r.do(ctx, newClient(), r.call(d, false))
		if took := time.Since(start); took != time.Second || r.ledger.last().Fault != "canceled" {
			t.Errorf("after %s: %+v", took, r.ledger.last())
		}
	})
}

// TestArrival: many that find a pause under way wait for its end, and none of
// them asks before.
func TestArrival(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, limitedFor(time.Second, d.whole, "Retry-After", "1"))
		r.settings.MaxWait = 8 * time.Second
		var served atomic.Int32
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if r.run(r.call(d, false)).status == 200 {
					served.Add(1)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if served.Load() != 100 || len(r.asked) != 101 {
			t.Errorf("%d served, asked %d times", served.Load(), len(r.asked))
		}
	})
}
