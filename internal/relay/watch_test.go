package relay

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/protocol"
)

// TestFirstByte: how long is waited for the beginning of an answer.
func TestFirstByte(t *testing.T) {
	d := dialects["openai-chat"]
	for _, tt := range []struct {
		name   string
		stream bool
		op     protocol.Op
		slow   time.Duration // how long the upstream is known to be silent
		want   time.Duration
	}{
		{"stream", true, protocol.Chat, 0, 120 * time.Second},
		{"stream, slow upstream", true, protocol.Chat, 5 * time.Minute, 300 * time.Second},
		{"stream, fast upstream", true, protocol.Chat, time.Minute, 120 * time.Second},
		{"whole", false, protocol.Chat, 0, 600 * time.Second},
		{"whole, slow upstream", false, protocol.Chat, 15 * time.Minute, 900 * time.Second},
		{"count", false, protocol.Count, 5 * time.Minute, 120 * time.Second},
		{"images", false, protocol.Other, 0, 600 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, silent)
			r.vendor.quirks.FirstByte = tt.slow
			c := r.call(d, tt.stream)
			c.Op = tt.op
			start := time.Now()
			r.run(c)
			if got := time.Since(start); got < tt.want || got > tt.want+2*time.Second {
				t.Errorf("%s: gave up after %s, want %s", tt.name, got, tt.want)
			}
			if a := r.ledger.last().Attempts[0]; a.Fault != fault.Timeout.String() || a.Phase != "sent" {
				t.Errorf("%s: %+v", tt.name, a)
			}
		})
	}
}

// TestNoTotalLimit: a stream that is alive is never cut, however long it takes.
func TestNoTotalLimit(t *testing.T) {
	d := dialects["anthropic"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(*http.Request, []byte) (*http.Response, error) {
			var parts []string
			parts = append(parts, d.prelude...)
			for range 100 {
				parts = append(parts, d.middle...)
			}
			a := answerOf(200, eventStream, append(parts, d.end...)...)
			a.Body.(*scripted).pause = 299 * time.Second
			return a, nil
		})
		r.settings.Timeouts.Heartbeat = 0
		if w := r.run(r.call(d, true)); !strings.Contains(w.text(), "message_stop") || strings.Contains(w.text(), "event: error") {
			t.Error("it was cut")
		}
	})
}

// TestIdle: what is silent for longer than the limit is given up.
func TestIdle(t *testing.T) {
	d := dialects["anthropic"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, hanging(append(d.prelude, d.middle...)...))
		r.settings.Timeouts.Heartbeat = 0
		start := time.Now()
		r.run(r.call(d, true))
		if got := time.Since(start); got < 300*time.Second || got > 302*time.Second {
			t.Errorf("gave up after %s", got)
		}
	})
}

// TestHeartbeat: after the commit silence is filled, but never within an event.
func TestHeartbeat(t *testing.T) {
	for name, d := range dialects {
		synctest.Test(t, func(t *testing.T) {
			beat := string(d.codec.Heartbeat())
			parts := d.parts()
			n := len(d.prelude) + 1
			r := newRig(t, func(*http.Request, []byte) (*http.Response, error) {
				a := answerOf(200, eventStream, strings.Join(parts[:n], ""), strings.Join(parts[n:], ""))
				a.Body.(*scripted).pause = 100 * time.Second
				return a, nil
			})
			w := r.run(r.call(d, true))
			want := strings.Join(parts[:n], "") + strings.Repeat(beat, 6) + strings.Join(parts[n:], "")
			if w.text() != want {
				t.Errorf("%s: got\n%s\nwant\n%s", name, w.text(), want)
			}
			if x := r.ledger.last(); x.BytesOut != int64(len(want)) {
				t.Errorf("%s: %d bytes in the ledger, want %d", name, x.BytesOut, len(want))
			}
		})
	}
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		big := `data: {"id":"c1","choices":[{"index":0,"delta":{"content":"` + strings.Repeat("x", 2*maxHeld) + `"}}]}` + "\n\n"
		stream := d.middle[0] + big + strings.Join(d.end, "")
		at := len(d.middle[0]) + maxHeld + 5000
		r := newRig(t, func(*http.Request, []byte) (*http.Response, error) {
			a := answerOf(200, eventStream, stream[:at], stream[at:])
			a.Body.(*scripted).pause = 100 * time.Second
			return a, nil
		})
		if w := r.run(r.call(d, true)); w.text() != stream {
			t.Error("a heartbeat stands within an event")
		}
	})
}

// TestWriteStall: a client that takes nothing is given up, and the upstream
// with it. The time limit is set for a while ahead, not for every piece.
func TestWriteStall(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		var up context.Context
		r := newRig(t, func(out *http.Request, _ []byte) (*http.Response, error) {
			up = out.Context()
			a := answerOf(200, eventStream, append(append([]string{}, d.middle...), d.middle...)...)
			a.Body.(*scripted).pause, a.Body.(*scripted).hang = time.Second, true
			return a, nil
		})
		w := newClient()
		writes, limits := 0, map[time.Time]bool{}
		w.onWrite = func([]byte) error {
			limits[w.limit] = true
			if writes++; writes < 3 {
				return nil
			}
			time.Sleep(time.Until(w.limit))
			return os.ErrDeadlineExceeded
		}
		start := time.Now()
		r.do(context.Background(), w, r.call(d, true))
		if got := time.Since(start); got < 60*time.Second || got > 80*time.Second {
			t.Errorf("gave up after %s", got)
		}
		if len(limits) != 1 {
			t.Errorf("the time limit was set %d times", len(limits))
		}
		if x := r.ledger.last(); x.Fault != fault.Canceled.String() || !x.Partial || x.Status != 200 || x.Usage.Total() == 0 {
			t.Errorf("%+v", x)
		}
		if up.Err() == nil {
			t.Error("the upstream was not cancelled")
		}
		if v := r.pool.Views()[0]; v.InFlight != 0 || v.Health.Failed != 0 {
			t.Errorf("%+v", v)
		}
	})
}

// TestDeadHeartbeat: a client that is found gone by a heartbeat ends the call.
func TestDeadHeartbeat(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, hanging(d.middle...))
		w := newClient()
		w.onWrite = func(p []byte) error {
			if p[0] == ':' {
				return os.ErrDeadlineExceeded
			}
			return nil
		}
		start := time.Now()
		r.do(context.Background(), w, r.call(d, true))
		if got := time.Since(start); got > 20*time.Second || r.ledger.last().Fault != fault.Canceled.String() {
			t.Errorf("after %s: %+v", got, r.ledger.last())
		}
	})
}

// TestTimerRests: a call that is over leaves no timer behind.
func TestTimerRests(t *testing.T) {
	d := dialects["openai-chat"]
	r := newRig(t, streaming(d.parts()...))
	r.run(r.call(d, true))
	if a := r.relay.answers.Get().(*answer); a.watch.timer.Stop() || a.watch.due != 0 {
		t.Error("the timer runs on")
	}
}
