package relay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/schedule"
)

// late answers like up, but its round trip takes d. left is set when it is
// ended before.
func late(d time.Duration, up upstream, left *time.Duration) upstream {
	return func(out *http.Request, body []byte) (*http.Response, error) {
		began := time.Now()
		select {
		case <-time.After(d):
			return up(out, body)
		case <-out.Context().Done():
			if left != nil {
				*left = time.Since(began)
			}
			return nil, out.Context().Err()
		}
	}
}

// hedging is a rig on which a second account is asked after 3 s.
func hedging(t testing.TB, ups ...upstream) *rig {
	return hedged3s(newRig(t, ups...))
}

func hedged3s(r *rig) *rig {
	r.settings.Hedge, r.settings.Strategy = &Hedge{After: 3 * time.Second, Share: 1}, schedule.Priority{}
	for i := range r.all {
		r.all[i].Priority = 0
	}
	r.pool.Set(r.all)
	return r
}

// steps are the attempts of x in short.
func steps(x *journal.Exchange) (out []string) {
	for _, a := range x.Attempts {
		out = append(out, strings.TrimSpace(fmt.Sprint(a.Account, " ", a.Why, " ", a.Step, " ", a.Fault)))
	}
	return out
}

// idle checks that no account has a request.
func (r *rig) idle() {
	r.t.Helper()
	for _, v := range r.pool.Views() {
		if v.InFlight != 0 {
			r.t.Errorf("%d requests are still at %s", v.InFlight, v.Name)
		}
	}
}

// TestHedge: an answer that does not begin in time is asked of another account,
// and the client gets the one that begins first, whole and nothing of the other.
func TestHedge(t *testing.T) {
	for name, d := range dialects {
		for _, stream := range []bool{false, true} {
			good := replyWith(200, "application/json", d.whole)
			want := d.whole
			if stream {
				good, want = streaming(d.parts()...), strings.Join(d.parts(), "")
			}
			broken, cut := replyWith(500, "application/json", d.errorBody), failing(errors.New("reset"))
			for _, tt := range []struct {
				name  string
				first upstream
				then  time.Duration // how long the second takes
				steps []string
				took  time.Duration
			}{
				{"in time", late(2900*time.Millisecond, good, nil), 0, []string{"a picked served"}, 2900 * time.Millisecond},
				{"the second wins", late(time.Minute, good, nil), time.Second, []string{"a picked outrun canceled", "b hedge served"}, 4 * time.Second},
				{"the first wins", late(5*time.Second, good, nil), time.Minute, []string{"a picked served", "b hedge outrun canceled"}, 5 * time.Second},
				{"the first fails late", late(5*time.Second, broken, nil), 4 * time.Second, []string{"a picked another broken", "b hedge served"}, 7 * time.Second},
				{"the first is cut late", late(5*time.Second, cut, nil), 4 * time.Second, []string{"a picked another network", "b hedge served"}, 7 * time.Second},
				{"the first fails soon", late(time.Second, broken, nil), time.Second, []string{"a picked again broken", "b only served"}, 2 * time.Second},
				{"silence", silent, time.Second, []string{"a picked outrun canceled", "b hedge served"}, 4 * time.Second},
			} {
				synctest.Test(t, func(t *testing.T) {
					r := hedging(t, tt.first, late(tt.then, good, nil))
					began := time.Now()
					w := r.run(r.call(d, stream))
					took := time.Since(began)
					got, x := steps(r.ledger.last()), r.ledger.last()
					if w.status != 200 || w.text() != want || took != tt.took {
						t.Errorf("status %d after %v, body %q, want 200 after %v", w.status, took, w.text(), tt.took)
					}
					if d := cmp.Diff(tt.steps, got); d != "" {
						t.Errorf("attempts (-want +got):\n%s", d)
					}
					if last := tt.steps[len(tt.steps)-1]; x.Fault != "" || strings.HasSuffix(last, "served") && x.Account != last[:1] {
						t.Errorf("the ledger says %+v", x)
					}
					r.idle()
				})
				if t.Failed() {
					t.Fatalf("%s, stream %v: %s", name, stream, tt.name)
				}
			}
		}
	}
}

// TestHedgeStream: a stream that has begun without a word of an answer is no
// answer yet, and what it came to is not told to the client.
func TestHedgeStream(t *testing.T) {
	for name, d := range dialects {
		synctest.Test(t, func(t *testing.T) {
			r := hedging(t, hanging(d.prelude...), streaming(d.parts()...))
			began := time.Now()
			w := r.run(r.call(d, true))
			if took := time.Since(began); w.text() != strings.Join(d.parts(), "") || took != 3*time.Second {
				t.Errorf("%s: after %v %q", name, took, w.text())
			}
			r.idle()
		})
	}
}

// TestHedgeAbroad: the two may speak different protocols, and each has a
// translation of its own.
func TestHedgeAbroad(t *testing.T) {
	from := dialects["anthropic"]
	for _, speaks := range [][2]string{
		{protocol.OpenAIChat, protocol.OpenAIChat},
		{protocol.OpenAIChat, protocol.OpenAIResponses},
		{protocol.OpenAIResponses, protocol.OpenAIChat},
	} {
		for _, stream := range []bool{false, true} {
			for _, slow := range []int{0, 1} {
				synctest.Test(t, func(t *testing.T) {
					var ups []upstream
					for i, p := range speaks {
						up := replyWith(200, "application/json", dialects[p].whole)
						if stream {
							up = streaming(dialects[p].parts()...)
						}
						d := 4 * time.Second // one second before the other would come
						if i == slow {
							d = time.Minute
						}
						ups = append(ups, late(d, up, nil))
					}
					r := hedged3s(speaking(t, speaks[:], ups...))
					w := r.run(r.call(from, stream))
					x := r.ledger.last()
					if winner := nameOf(1 - slow); w.status != 200 || x.Account != winner || x.Outbound != speaks[1-slow] {
						t.Errorf("%v, %d slow: status %d by %s in %s: %s", speaks, slow, w.status, x.Account, x.Outbound, w.text())
					}
					if text := from.text(t, w.text(), stream); text != "hi" && text != "hello" {
						t.Errorf("%v, %d slow: the client reads %q", speaks, slow, text)
					}
					r.idle()
				})
			}
		}
	}
}

// TestOutrun: the loser is told to stop at the moment at which the other's
// answer begins, and what it has cost is counted.
func TestOutrun(t *testing.T) {
	d := dialects["anthropic"]
	for _, tt := range []struct {
		name    string
		first   func(left *time.Duration) upstream
		want    llm.Usage
		guessed bool
		status  int
	}{
		{"it told what it read", func(*time.Duration) upstream { return hanging(d.prelude...) }, llm.Usage{Input: 7, Output: 1}, false, 200},
		{"it has not answered", func(left *time.Duration) upstream { return late(time.Hour, silent, left) }, llm.Usage{Input: 3}, true, 0},
		{"it was about to refuse", func(*time.Duration) upstream {
			return func(*http.Request, []byte) (*http.Response, error) {
				r := answerOf(429, "application/json", d.errorBody)
				r.Body.(*scripted).pause = time.Hour
				return r, nil
			}
		}, llm.Usage{}, false, 429},
	} {
		synctest.Test(t, func(t *testing.T) {
			var left time.Duration
			r := hedging(t, tt.first(&left), func(*http.Request, []byte) (*http.Response, error) {
				a := answerOf(200, eventStream, d.parts()...)
				a.Body.(*scripted).pause = time.Second
				return a, nil
			})
			r.run(r.call(d, true))
			synctest.Wait() // for the loser to end
			if tt.status == 0 {
				if begins := 3*time.Second + time.Duration(len(d.prelude)+1)*time.Second; left != begins {
					t.Errorf("%s: it was ended after %v, want %v", tt.name, left, begins)
				}
			}
			x := r.ledger.last()
			i := slices.IndexFunc(x.Attempts, func(a journal.Attempt) bool { return a.Step == outrun })
			if i < 0 {
				t.Fatalf("%s: nobody was outrun: %v", tt.name, steps(x))
			}
			a := x.Attempts[i]
			if a.Usage != tt.want || a.Estimated != tt.guessed || a.Status != tt.status {
				t.Errorf("%s: %+v", tt.name, a)
			}
			own := llm.Usage{Input: 7, Output: 3}
			addUsage(&own, &a.Usage)
			if x.Usage != own || x.Estimated != tt.guessed {
				t.Errorf("%s: the exchange has %+v, want %+v", tt.name, x.Usage, own)
			}
			r.idle()
		})
	}
}

// TestHedgeGone: a client that leaves ends both.
func TestHedgeGone(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		var one, two time.Duration
		r := hedging(t, late(time.Hour, silent, &one), late(time.Hour, silent, &two))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan bool)
		go func() {
			r.do(ctx, newClient(), r.call(d, true))
			close(done)
		}()
		time.Sleep(5 * time.Second)
		cancel()
		<-done
		synctest.Wait()
		if one != 5*time.Second || two != 2*time.Second {
			t.Errorf("they were ended after %v and %v", one, two)
		}
		x := r.ledger.last()
		if x.Fault != fault.Canceled.String() || len(x.Attempts) != 2 {
			t.Errorf("the ledger says %s: %v", x.Fault, steps(x))
		}
		r.idle()
	})
}

// TestHedgeBounds: what keeps a second account from being asked.
func TestHedgeBounds(t *testing.T) {
	d := dialects["openai-responses"]
	slow := late(10*time.Second, replyWith(200, "application/json", d.whole), nil)
	for _, tt := range []struct {
		name   string
		change func(r *rig, c *Call)
		asked  int
	}{
		{"nothing", func(*rig, *Call) {}, 2},
		{"off", func(r *rig, _ *Call) { r.settings.Hedge = nil }, 1},
		{"the share", func(r *rig, _ *Call) { r.settings.Hedge.Share = 0.5 }, 1},
		{"the size", func(r *rig, _ *Call) { r.settings.Hedge.MaxInput = 1 }, 1},
		{"nothing learned", func(r *rig, _ *Call) { r.settings.Hedge.Quantile = 0.9 }, 1},
		{"in the background", func(_ *rig, c *Call) { c.Body = []byte(`{"model":"m","input":"x","background":true}`) }, 1},
		{"an account at its limit", func(r *rig, _ *Call) {
			as := r.accounts()
			as[1].Parallel = 1
			r.pool.Set(as)
		}, 2},
		{"an account that is half used", func(r *rig, c *Call) {
			as := r.accounts()
			as[1].RPM = 1
			r.pool.Set(as)
			w := newClient()
			other := *c
			other.Settings = &Settings{Strategy: schedule.Fixed{ID: schedule.Hash("b")}, Attempts: 1, Timeouts: r.settings.Timeouts}
			r.do(context.Background(), w, &other)
			r.asked = nil
		}, 1},
		{"an account that comes after", func(r *rig, _ *Call) {
			as := r.accounts()
			as[1].Priority = 1
			r.pool.Set(as)
		}, 1},
		{"nobody else", func(r *rig, _ *Call) { r.pool.Set(r.accounts()[:1]) }, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := hedging(t, slow, slow)
			c := r.call(d, false)
			tt.change(r, c)
			w := r.run(c)
			if w.status != 200 || len(r.asked) != tt.asked {
				t.Errorf("%s: status %d, asked %v, want %d", tt.name, w.status, r.asked, tt.asked)
			}
			r.idle()
		})
	}
}

// TestHedgeLearned: it is waited for as long as an account's answers take, but
// for the slowest.
func TestHedgeLearned(t *testing.T) {
	d := dialects["openai-chat"]
	good := streaming(d.parts()...)
	synctest.Test(t, func(t *testing.T) {
		pause := 4 * time.Second
		slow := func(out *http.Request, body []byte) (*http.Response, error) { return late(pause, good, nil)(out, body) }
		r := hedging(t, slow, good)
		r.settings.Hedge.Quantile = 0.9
		for range 2 * enough {
			r.run(r.call(d, true))
		}
		if slices.Contains(r.asked, "b") {
			t.Fatalf("an answer that is as late as ever was asked of another: %v", r.asked)
		}
		pause = time.Hour
		began := time.Now()
		r.run(r.call(d, true))
		if took := time.Since(began); took < 4*time.Second || took > 8*time.Second {
			t.Errorf("it was waited for %v, want little more than 4 s", took)
		}
	})
}

// TestHedgeHome: a conversation stays at home though another account answered
// one of its turns.
func TestHedgeHome(t *testing.T) {
	d := dialects["openai-chat"]
	good := streaming(d.parts()...)
	synctest.Test(t, func(t *testing.T) {
		pause := time.Duration(0)
		slow := func(out *http.Request, body []byte) (*http.Response, error) { return late(pause, good, nil)(out, body) }
		r := hedging(t, slow, good)
		r.settings.Strategy = schedule.CacheFirst{}
		turn := func() string {
			c := r.call(d, true)
			c.Session = "one"
			r.run(c)
			return strings.Join(steps(r.ledger.last()), ", ")
		}
		turn()
		pause = time.Minute
		if got, want := turn(), "a home outrun canceled, b hedge served"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		pause = 0
		if got, want := turn(), "a home served"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}
