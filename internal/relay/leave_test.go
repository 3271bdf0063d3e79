package relay

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/journal"
)

// TestClientLeaves: the upstream is cancelled at once, nobody is blamed, and
// what was used so far is in the ledger.
func TestClientLeaves(t *testing.T) {
	d := dialects["anthropic"]
	for _, tt := range []struct {
		name    string
		up      upstream
		stream  bool
		status  int
		partial bool
		usage   bool
	}{
		{"before the answer", silent, true, 499, false, false},
		{"before anything meaningful", hanging(d.prelude...), true, 499, false, false},
		{"in the middle of a stream", hanging(append(append([]string{}, d.prelude...), d.middle...)...), true, 200, true, true},
		{"in the middle of a whole answer", func(*http.Request, []byte) (*http.Response, error) {
			a := answerOf(200, "application/json", d.whole[:20])
			a.Body.(*scripted).hang = true
			return a, nil
		}, false, 499, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var up context.Context
				r := newRig(t, func(out *http.Request, b []byte) (*http.Response, error) { up = out.Context(); return tt.up(out, b) })
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				w := newClient()
				r.do(ctx, w, r.call(d, tt.stream))
				if took := time.Since(start); took != time.Second || up.Err() == nil {
					t.Errorf("over after %s, upstream %v", took, up.Err())
				}
				x := r.ledger.last()
				if x.Status != tt.status || x.Partial != tt.partial || x.Fault != fault.Canceled.String() || (x.Usage.Total() > 0) != tt.usage {
					t.Errorf("%+v", x)
				}
				if v := r.pool.Views()[0]; v.InFlight != 0 || v.Health.Failed != 0 || v.Health.State != 0 || len(v.Models) != 0 {
					t.Errorf("%+v", v)
				}
				if len(r.asked) != 1 {
					t.Errorf("asked %d times", len(r.asked))
				}
			})
		})
	}
}

// TestClientLeavesAtTheEnd: a client that closes as soon as it has all has had
// a whole answer.
func TestClientLeavesAtTheEnd(t *testing.T) {
	for name, d := range dialects {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, hanging(d.parts()...))
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel)
			r.do(ctx, newClient(), r.call(d, true))
			if x := r.ledger.last(); x.Partial || x.Fault != "" || x.Status != 200 {
				t.Errorf("%s: %+v", name, x)
			}
		})
	}
	// Some do not wait for [DONE].
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, hanging(d.parts()[:len(d.parts())-1]...))
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		r.do(ctx, newClient(), r.call(d, true))
		if x := r.ledger.last(); x.Partial || x.Fault != "" || x.Open {
			t.Errorf("%+v", x)
		}
	})
}

// TestShutdown: a cause that is a fault is told to the client, before the
// commit and after it.
func TestShutdown(t *testing.T) {
	d := dialects["openai-chat"]
	for _, up := range []upstream{silent, hanging(d.middle...)} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, up, streaming(d.parts()...))
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(time.Second, func() { cancel(&fault.Fault{Class: fault.Busy, Msg: "the gateway shuts down"}) })
			w := newClient()
			r.do(ctx, w, r.call(d, true))
			if !strings.Contains(w.text(), "the gateway shuts down") || r.ledger.last().Fault != "busy" || len(r.asked) != 1 {
				t.Errorf("%s\n%+v", w.text(), r.ledger.last())
			}
		})
	}
}

// TestDeadline: the time that a request was given is kept.
func TestDeadline(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, silent, silent)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		w := newClient()
		start := time.Now()
		r.do(ctx, w, r.call(d, true))
		if w.status != 504 || time.Since(start) != time.Second || len(r.asked) != 1 {
			t.Errorf("status %d, asked %d times", w.status, len(r.asked))
		}
	})
}

// TestJournalFirst: an exchange is recorded before the last byte of its answer
// goes out, with all that the client will have, and every record tells what
// the one before told, or more.
func TestJournalFirst(t *testing.T) {
	for name, d := range dialects {
		for _, tt := range []struct {
			name   string
			up     upstream
			stream bool
			last   string // what makes the answer whole
		}{
			{"whole", replyWith(200, "application/json", d.whole), false, d.whole[len(d.whole)-1:]},
			{"stream in one piece", streaming(strings.Join(d.parts(), "")), true, d.success},
			{"stream in pieces", streaming(d.parts()...), true, d.success},
			{"stream in bytes", streaming(strings.Split(strings.Join(d.parts(), ""), "")...), true, d.success},
			{"refusal", replyWith(400, "application/json", d.errorBody), false, d.errorBody},
			{"nobody", replyWith(500, "application/json", d.errorBody), false, "}"},
			{"break", cutting(io.ErrUnexpectedEOF, d.middle...), true, d.broke},
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				r := newRig(t, tt.up)
				w := newClient()
				w.onWrite = func(p []byte) error {
					if !strings.Contains(string(p), tt.last) {
						return nil
					}
					x := r.ledger.last()
					if x == nil {
						t.Fatalf("not recorded before %q", p)
					}
					if x.Status != w.status || x.BytesOut != int64(w.body.Len()+len(p)) || len(x.Attempts) == 0 {
						t.Errorf("before %q: %+v", p, x)
					}
					if tt.stream && strings.Contains(string(p), d.success) && x.Usage.Total() != 10 {
						t.Errorf("before %q: %+v", p, x.Usage)
					}
					return nil
				}
				r.do(context.Background(), w, r.call(d, tt.stream))
				var before *journal.Exchange
				for _, x := range r.ledger.all {
					if before != nil && (x.ID != before.ID || x.BytesOut < before.BytesOut || x.Usage.Total() < before.Usage.Total() || x == before) {
						t.Errorf("%+v after %+v", x, before)
					}
					before = x
				}
				if n := int64(w.body.Len()) - before.BytesOut; n < 0 || n > 1 || before.Open { // the LF of a CRLF may come late
					t.Errorf("open %v, %d bytes in the ledger, %d went out", before.Open, before.BytesOut, w.body.Len())
				}
				for _, x := range r.ledger.all[:len(r.ledger.all)-1] {
					if !x.Open { // a listener would hear of two
						t.Errorf("recorded anew: %+v", x)
					}
				}
			})
		}
	}
}

// TestRecorderFails: serving goes on.
func TestRecorderFails(t *testing.T) {
	d := dialects["openai-chat"]
	r := newRig(t, replyWith(200, "application/json", d.whole))
	r.ledger.err = io.ErrShortWrite
	if w := r.run(r.call(d, false)); w.status != 200 || w.text() != d.whole {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
}
