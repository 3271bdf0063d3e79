package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/completions"
	"portico/internal/protocol/gemini"
	"portico/internal/sse"
)

// each makes an upstream that d's answers come from, each with the number of
// the request in its text: "hi1" or "he1" "llo".
func each(d *dialect, n *atomic.Int64) upstream {
	return func(out *http.Request, body []byte) (*http.Response, error) {
		i := strconv.FormatInt(n.Add(1), 10)
		if bytes.Contains(body, []byte(`"stream":true`)) || strings.Contains(out.URL.Path, ":stream") {
			return answerOf(200, eventStream, numbered(d, i)...), nil
		}
		return answerOf(200, "application/json", strings.ReplaceAll(d.whole, `"hi"`, `"hi`+i+`"`)), nil
	}
}

// numbered are the events of a stream of d that says "he" with i, and "llo".
func numbered(d *dialect, i string) (all []string) {
	for _, p := range d.parts() {
		all = append(all, strings.ReplaceAll(p, `"he"`, `"he`+i+`"`))
	}
	return all
}

// several is a call for n candidates.
func (r *rig) several(d *dialect, n int, stream bool) *Call {
	c := r.call(d, stream)
	switch d.codec.Name() {
	case protocol.Gemini:
		c.Body = fmt.Appendf(nil, `{"contents":[{"role":"user","parts":[{"text":"hello"}]}],"generationConfig":{"candidateCount":%d,"seed":7}}`, n)
		c.Query = "alt=sse"
		if !stream {
			c.Path, c.Query = "/models/m:generateContent", ""
		}
	default:
		c.Body = fmt.Appendf(nil, `{"model":"m","messages":[{"role":"user","content":"hello"}],"n":%d,"seed":7,"stream":%t,"stream_options":{"include_usage":true}}`, n, stream)
	}
	return c
}

// answers are the texts of a client's answer by their numbers, and its usage.
func (d *dialect) answers(t *testing.T, answer string, streamed bool) ([]string, llm.Usage) {
	t.Helper()
	codec := d.codec.(protocol.Translator)
	var r *llm.Response
	var err error
	if streamed {
		r, err = codectest.Fold(codec.NewDecoder(), []byte(answer))
	} else {
		r, err = codec.DecodeResponse([]byte(answer))
	}
	if err != nil {
		t.Fatalf("%v in\n%s", err, answer)
	}
	var all []string
	for _, a := range r.Answers {
		var b strings.Builder
		for _, p := range a.Parts {
			if p, ok := p.(*llm.Prose); ok {
				b.WriteString(p.Text.String())
			}
		}
		if a.Stop != llm.StopEnd {
			fmt.Fprintf(&b, " [%d]", a.Stop)
		}
		all = append(all, b.String())
	}
	return all, r.Usage
}

// TestFan: candidates that the upstream does not give at once are asked for one
// by one, and make one answer.
func TestFan(t *testing.T) {
	for _, inbound := range []string{"openai-chat", "gemini"} {
		for _, outbound := range []string{"anthropic", "openai-responses", "openai-chat"} {
			for _, stream := range []bool{false, true} {
				name := fmt.Sprintf("%s by %s, %t", inbound, outbound, stream)
				client := dialects[inbound]
				var n atomic.Int64
				var bodies atomic.Pointer[[]byte]
				up := each(dialects[outbound], &n)
				r := speaking(t, []string{outbound}, func(out *http.Request, b []byte) (*http.Response, error) {
					bodies.Store(&b)
					return up(out, b)
				})
				r.vendor.quirks.Lacks = []string{"n"}
				w := r.run(r.several(client, 3, stream))
				got, usage := client.answers(t, w.text(), stream)
				slices.Sort(got)
				want := []string{"hi1", "hi2", "hi3"}
				if stream {
					want = []string{"he1llo", "he2llo", "he3llo"}
				}
				all := llm.Usage{Input: 21, Output: 9}
				if w.status != 200 || !slices.Equal(got, want) || usage != all {
					t.Errorf("%s: %d, %q, %+v in\n%s", name, w.status, got, usage, w.text())
				}
				if b := *bodies.Load(); jsonedit.Get(b, "n") != nil || !bytes.Contains(b, []byte("hello")) {
					t.Errorf("%s: asked\n%s", name, b)
				}
				x := r.ledger.last()
				if x.Usage != all || x.Outbound != outbound || x.Account != "a" || x.Served != "m" || x.Status != 200 || x.Fault != "" || x.Partial || x.Open ||
					x.BytesOut != int64(w.body.Len()) || len(x.Attempts) != 3 || x.Stop == "" || x.First == 0 || x.Stream != stream || x.Upstream == "" {
					t.Errorf("%s: %+v", name, x)
				}
				legs := 0
				for _, a := range x.Attempts {
					legs += 1 << a.Leg
					if a.Usage != (llm.Usage{Input: 7, Output: 3}) || a.Step != "served" {
						t.Errorf("%s: %+v", name, a)
					}
				}
				if legs != 1<<1+1<<2+1<<3 {
					t.Errorf("%s: the attempts are not for three candidates: %+v", name, x.Attempts)
				}
				loss := w.sent.Get("X-Portico-Loss")
				seed := map[bool]string{true: "seed=approximated", false: "seed=dropped"}[outbound == "openai-chat"]
				if !strings.HasPrefix(loss, lostN+", ") || strings.Count(loss, "n=emulated") != 1 || strings.Count(loss, "seed=") != 1 || !strings.Contains(loss, seed) || loss != strings.Join(x.Losses, ", ") {
					t.Errorf("%s: lost %q and %q", name, loss, x.Losses)
				}
				switch {
				case !stream && w.sent.Get("Content-Length") != strconv.Itoa(w.body.Len()):
					t.Errorf("%s: its length is %s", name, w.sent.Get("Content-Length"))
				case stream && inbound == "openai-chat":
					if strings.Count(w.text(), "[DONE]") != 1 || !strings.HasSuffix(w.text(), "data: [DONE]\n\n") || strings.Count(w.text(), `"prompt_tokens"`) != 1 {
						t.Errorf("%s: it ends otherwise:\n%s", name, w.text())
					}
				}
				if v := r.pool.Views()[0]; v.InFlight != 0 {
					t.Errorf("%s: %d are in flight", name, v.InFlight)
				}
			}
		}
	}
}

// TestFanOfCompletions: text completions likewise; the choices of a prompt stand
// together.
func TestFanOfCompletions(t *testing.T) {
	for _, stream := range []bool{false, true} {
		for _, outbound := range []string{"anthropic", "gemini", "openai-chat"} {
			r := speaking(t, []string{outbound}, func(_ *http.Request, b []byte) (*http.Response, error) {
				d := dialects[outbound]
				said := "A"
				if bytes.Contains(b, []byte("BBB")) {
					said = "B"
				}
				if bytes.Contains(b, []byte("andidateCount")) {
					return answerOf(400, "application/json", `{"error":{"code":400,"message":"Multiple candidates is not enabled for this model","status":"INVALID_ARGUMENT"}}`), nil
				}
				if stream {
					return answerOf(200, eventStream, numbered(d, said)...), nil
				}
				return answerOf(200, "application/json", strings.ReplaceAll(d.whole, `"hi"`, `"he`+said+`llo"`)), nil
			})
			r.vendor.takes, r.vendor.quirks.Lacks = []protocol.Op{protocol.Chat}, []string{"n", "logprobs"}
			r.vendor.rules = fault.Rules{{Status: 400, Says: "candidates", Class: fault.BadRequest, Param: "candidateCount"}}
			w := r.run(r.completionCall(fmt.Sprintf(`{"model":"m","prompt":["AAA","BBB"],"n":3,"best_of":4,"stream":%t,"stream_options":{"include_usage":true}}`, stream)))
			var got [6]string
			frames := codectest.Frames(w.body.Bytes())
			if !stream {
				frames = []sse.Frame{{Data: w.body.Bytes()}}
			}
			for _, f := range frames {
				for c := range jsonedit.Elements(jsonedit.Get(f.Data, "choices")) {
					i, _ := jsonedit.Int(jsonedit.Get(c, "index"))
					s, _ := jsonedit.Unquote(jsonedit.Get(c, "text"))
					got[i] += s
				}
			}
			if want := [6]string{"heAllo", "heAllo", "heAllo", "heBllo", "heBllo", "heBllo"}; w.status != 200 || got != want {
				t.Errorf("%s, %t: %d %q in\n%s", outbound, stream, w.status, got, w.text())
			}
			if n := strings.Count(w.text(), `"total_tokens":60`); n != 1 {
				t.Errorf("%s, %t: the usage is told %d times in\n%s", outbound, stream, n, w.text())
			}
			best := lostBest
			if stream {
				best = completions.LostStreamed
			}
			if loss := w.sent.Get(lossHeader); strings.Count(loss, lostN) != 1 || strings.Count(loss, best) != 1 {
				t.Errorf("%s, %t: the loss of %q", outbound, stream, loss)
			}
			if x := r.ledger.last(); x.Usage != (llm.Usage{Input: 42, Output: 18}) || x.Op != "complete" {
				t.Errorf("%s, %t: %+v", outbound, stream, x)
			}
		}
	}
}

// TestFanInterleaves: the candidates are made at the same time, and what comes
// of any of them goes out at once.
func TestFanInterleaves(t *testing.T) {
	d := dialects["anthropic"]
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		r := speaking(t, []string{"anthropic"}, func(out *http.Request, b []byte) (*http.Response, error) {
			i := n.Add(1)
			resp := answerOf(200, eventStream, numbered(d, strconv.FormatInt(i, 10))...)
			resp.Body.(*scripted).pause = time.Duration(i) * time.Second
			return resp, nil
		})
		w := newClient()
		var at []string
		start := time.Now()
		w.onWrite = func(p []byte) error {
			for _, f := range codectest.Frames(p) {
				for c, err := range jsonedit.Elements(jsonedit.Get(f.Data, "choices")) {
					if err != nil {
						break // [DONE]
					}
					s, _ := jsonedit.Unquote(jsonedit.Path(c, "delta", "content"))
					at = append(at, fmt.Sprintf("%d:%s", time.Since(start)/time.Second, s))
				}
			}
			return nil
		}
		r.do(context.Background(), w, r.several(dialects["openai-chat"], 2, true))
		// The text begins with the fourth event, and the last is the eighth;
		// the second candidate takes twice as long.
		want := []string{"4:he1", "5:llo", "7:", "8:he2", "10:llo", "14:"}
		if !slices.Equal(at, want) || time.Since(start) != 16*time.Second {
			t.Errorf("%q after %s, want %q", at, time.Since(start), want)
		}
		if !strings.HasSuffix(w.text(), "data: [DONE]\n\n") || w.flushes == 0 {
			t.Error(w.text())
		}
	})
}

// TestFanTakesTurns: where the only account takes one request at a time, the
// candidates are asked for one after the other, however long each takes.
func TestFanTakesTurns(t *testing.T) {
	d := dialects["anthropic"]
	synctest.Test(t, func(t *testing.T) {
		var open, most atomic.Int64
		r := speaking(t, []string{"anthropic"}, func(*http.Request, []byte) (*http.Response, error) {
			most.Store(max(most.Load(), open.Add(1)))
			time.Sleep(20 * time.Second)
			open.Add(-1)
			return answerOf(200, "application/json", d.whole), nil
		})
		r.settings.MaxWait = 8 * time.Second
		all := r.accounts()
		all[0].Parallel = 1
		r.pool.Set(all)
		start := time.Now()
		w := r.run(r.several(dialects["openai-chat"], 4, false))
		if got, _ := dialects["openai-chat"].answers(t, w.text(), false); len(got) != 4 || most.Load() != 1 || time.Since(start) != 80*time.Second {
			t.Errorf("%q after %s, at most %d at a time", got, time.Since(start), most.Load())
		}
		if x := r.ledger.last(); len(x.Attempts) != 4 || x.Usage != (llm.Usage{Input: 28, Output: 12}) {
			t.Errorf("%+v", x)
		}
	})
}

// TestFanFailsOver: each candidate has tries of its own. What cannot be had is
// told as long as nothing was shown, and then the others end at once.
func TestFanFailsOver(t *testing.T) {
	d, client := dialects["anthropic"], dialects["openai-chat"]
	for _, stream := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			up := each(d, &n)
			var failed atomic.Bool
			r := speaking(t, []string{"anthropic", "anthropic"}, func(out *http.Request, b []byte) (*http.Response, error) {
				if !failed.Swap(true) {
					return answerOf(529, "application/json", d.errorBody), nil
				}
				return up(out, b)
			}, up)
			w := r.run(r.several(client, 2, stream))
			if got, _ := client.answers(t, w.text(), stream); len(got) != 2 || w.status != 200 {
				t.Errorf("%t: %q in\n%s", stream, got, w.text())
			}
			x := r.ledger.last()
			if len(x.Attempts) != 3 || x.Fault != "" || x.Usage != (llm.Usage{Input: 14, Output: 6}) {
				t.Errorf("%t: %+v", stream, x)
			}
			if i := slices.IndexFunc(x.Attempts, func(a journal.Attempt) bool { return a.Fault != "" }); i < 0 || x.Attempts[i].Leg == 0 || x.Attempts[i].Usage.Total() != 0 {
				t.Errorf("%t: %+v", stream, x.Attempts)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			var n, ended atomic.Int64
			r := speaking(t, []string{"anthropic"}, func(out *http.Request, _ []byte) (*http.Response, error) {
				if n.Add(1) == 2 {
					time.Sleep(time.Second)
					return answerOf(400, "application/json", `{"type":"error","error":{"type":"invalid_request_error","message":"it is no good"}}`), nil
				}
				<-out.Context().Done()
				ended.Add(1)
				return nil, out.Context().Err()
			})
			start := time.Now()
			w := r.run(r.several(client, 3, stream))
			if w.status != 400 || !strings.Contains(w.text(), "it is no good") || ended.Load() != 2 || time.Since(start) != time.Second {
				t.Errorf("%t: %d %s, after %s; %d ended", stream, w.status, w.text(), time.Since(start), ended.Load())
			}
			x := r.ledger.last()
			if x.Fault != "bad_request" || x.Partial || len(x.Attempts) != 3 || r.ledger.count() != 1 {
				t.Errorf("%t: %+v", stream, x)
			}
			if v := r.pool.Views()[0]; v.InFlight != 0 || v.Health.State != 0 {
				t.Errorf("%t: %+v", stream, v)
			}
		})
	}
}

// TestFanBreaks: a candidate that breaks off when something was shown does not
// take the others with it. They come to their end, and then the client is told.
func TestFanBreaks(t *testing.T) {
	d := dialects["anthropic"]
	for inbound, client := range map[string]*dialect{"openai-chat": dialects["openai-chat"], "gemini": dialects["gemini"]} {
		for _, shown := range []bool{true, false} { // something of the one that breaks, or only of the other
			synctest.Test(t, func(t *testing.T) {
				var n atomic.Int64
				r := speaking(t, []string{"anthropic"}, func(*http.Request, []byte) (*http.Response, error) {
					i := n.Add(1)
					resp := answerOf(200, eventStream, numbered(d, strconv.FormatInt(i, 10))...)
					b := resp.Body.(*scripted)
					if b.pause = time.Second; i > 1 {
						b.parts, b.err, b.after = b.parts[:4], errors.New("connection reset"), 100*time.Millisecond
						if !shown {
							b.parts, b.after = b.parts[:1], 4*time.Second
						}
					}
					return resp, nil
				})
				r.settings.Attempts = 1
				w := newClient()
				broke := r.do(context.Background(), w, r.several(client, 2, true))
				text := w.text()
				i := strings.Index(text, `data: {"error":`)
				if w.status != 200 || broke || i < 0 || !strings.Contains(text[i:], "the candidate with the index ") || strings.Count(text, `"error"`) != 1 || strings.Contains(text[i:], "[DONE]") || strings.Contains(text[i:], "llo") {
					t.Fatalf("%s: %d\n%s", inbound, w.status, text)
				}
				if !strings.Contains(text[:i], "he1") || !strings.Contains(text[:i], "llo") || strings.Contains(text[:i], "he2") != shown ||
					strings.Count(text[:i], `"stop"`)+strings.Count(text[:i], `"STOP"`) != 1 {
					t.Errorf("%s: the other candidate did not come to its end:\n%s", inbound, text)
				}
				x := r.ledger.last()
				if class := map[bool]string{true: "network", false: "busy"}[shown]; x.Fault != class || !x.Partial || x.Open || len(x.Attempts) != 2 || x.Usage.Input < 7 || x.Usage.Output < 3 {
					t.Errorf("%s: %+v", inbound, x)
				}
			})
		}
	}
}

// TestFanIsLeft: when the client goes, all candidates are cancelled at once.
func TestFanIsLeft(t *testing.T) {
	d := dialects["anthropic"]
	for _, begun := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var ended atomic.Int64
			r := speaking(t, []string{"anthropic"}, func(out *http.Request, b []byte) (*http.Response, error) {
				context.AfterFunc(out.Context(), func() { ended.Add(1) })
				if !begun {
					return silent(out, b)
				}
				return hanging(append(slices.Clone(d.prelude), d.middle...)...)(out, b)
			})
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel)
			start := time.Now()
			r.do(ctx, newClient(), r.several(dialects["openai-chat"], 3, true))
			took := time.Since(start)
			synctest.Wait()
			x := r.ledger.last()
			if took != time.Second || ended.Load() != 3 || x.Fault != "canceled" || len(x.Attempts) != 3 || (x.Usage.Total() > 0) != begun || x.Partial != begun {
				t.Errorf("%t: after %s, %d ended: %+v", begun, took, ended.Load(), x)
			}
			if v := r.pool.Views()[0]; v.InFlight != 0 || v.Health.Failed != 0 {
				t.Errorf("%t: %+v", begun, v)
			}
		})
	}
	// One who takes nothing any more is as gone as one who says so.
	synctest.Test(t, func(t *testing.T) {
		r := speaking(t, []string{"anthropic"}, hanging(append(slices.Clone(d.prelude), d.middle...)...))
		w := newClient()
		w.onWrite = func([]byte) error { return errors.New("broken pipe") }
		start := time.Now()
		r.do(context.Background(), w, r.several(dialects["openai-chat"], 3, true))
		if x := r.ledger.last(); x.Fault != "canceled" || time.Since(start) != 0 {
			t.Errorf("after %s: %+v", time.Since(start), x)
		}
	})
}

// TestFanHeartbeats: the silence of all of them is filled, once.
func TestFanHeartbeats(t *testing.T) {
	d, client := dialects["anthropic"], dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := speaking(t, []string{"anthropic"}, func(*http.Request, []byte) (*http.Response, error) {
			resp := answerOf(200, eventStream, append(slices.Clone(d.prelude), d.middle...)...)
			b := resp.Body.(*scripted)
			b.parts = append(b.parts, strings.Join(d.end, ""))
			b.begun = true // the first piece comes at once
			b.pause = 40 * time.Second
			return resp, nil
		})
		w := r.run(r.several(client, 3, true))
		beat := string(client.codec.Heartbeat())
		if n := strings.Count(w.text(), beat); n != 4 { // two in each of two silences
			t.Errorf("%d heartbeats in\n%s", n, w.text())
		}
		if got, _ := client.answers(t, w.text(), true); len(got) != 3 {
			t.Errorf("%q", got)
		}
	})
}

// TestFanInArray: clients of Gemini's array get one.
func TestFanInArray(t *testing.T) {
	for outbound, want := range map[string]int{"anthropic": 3, "gemini": 3} {
		var n atomic.Int64
		up := each(dialects[outbound], &n)
		r := speaking(t, []string{outbound}, func(out *http.Request, b []byte) (*http.Response, error) {
			if bytes.Contains(b, []byte("candidateCount")) {
				return answerOf(400, "application/json", `{"error":{"code":400,"message":"Only one candidate can be specified","status":"INVALID_ARGUMENT"}}`), nil
			}
			return up(out, b)
		})
		r.vendor.rules = fault.Rules{{Status: 400, Says: "one candidate", Class: fault.BadRequest, Param: "candidateCount"}}
		c := r.several(dialects["gemini"], want, true)
		c.Codec, c.Query = gemini.NewArray(), "$alt=json&key=1"
		w := r.run(c)
		var got [3]string
		for e, err := range jsonedit.Elements(w.body.Bytes()) {
			if err != nil {
				t.Fatalf("%s: %v in\n%s", outbound, err, w.text())
			}
			for c := range jsonedit.Elements(jsonedit.Get(e, "candidates")) {
				i, _ := jsonedit.Int(jsonedit.Get(c, "index"))
				for p := range jsonedit.Elements(jsonedit.Path(c, "content", "parts")) {
					s, _ := jsonedit.Unquote(jsonedit.Get(p, "text"))
					got[i] += s
				}
			}
		}
		slices.Sort(got[:])
		if got != [3]string{"he1llo", "he2llo", "he3llo"} || w.sent.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %q, %v in\n%s", outbound, got, w.sent, w.text())
		}
	}
}

// TestFanHedged: each candidate may be put to two accounts as any call. Where
// the first account gives all candidates at once, none is asked beside it that
// would give one.
func TestFanHedged(t *testing.T) {
	client := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		up := each(dialects["anthropic"], &n)
		r := hedged3s(speaking(t, []string{"anthropic", "anthropic"}, late(time.Minute, up, nil), up))
		start := time.Now()
		w := r.run(r.several(client, 2, true))
		if got, usage := client.answers(t, w.text(), true); len(got) != 2 || usage != (llm.Usage{Input: 14, Output: 6}) || time.Since(start) != 3*time.Second {
			t.Errorf("%q, %+v after %s", got, usage, time.Since(start))
		}
		served := 0
		x := r.ledger.last()
		for _, a := range x.Attempts {
			if a.Leg == 0 {
				t.Errorf("%+v", a)
			}
			if a.Step == "served" {
				served++
			}
		}
		if len(x.Attempts) != 4 || served != 2 || x.Account != "b" {
			t.Errorf("%+v", x)
		}
		r.idle()
	})
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		r := hedged3s(speaking(t, []string{"openai-chat", "anthropic"}, late(time.Minute, each(client, &n), nil), each(dialects["anthropic"], &n)))
		start := time.Now()
		w := r.run(r.several(client, 2, false))
		if w.status != 200 || n.Load() != 1 || time.Since(start) != time.Minute || !slices.Equal(r.asked, []string{"a"}) {
			t.Errorf("%d after %s, asked %q", w.status, time.Since(start), r.asked)
		}
		r.idle()
	})
}
