package relay

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/pool"
	"portico/internal/protocol"
)

// trailer stands behind every event in one of the spellings. What comes after
// the end of an answer is carried, but is not in the ledger's count of bytes.
const trailer = ": more\n\n\n"

// spellings are ways to write one stream of events.
var spellings = map[string]func(string) string{
	"as it is":           func(s string) string { return s },
	"LF":                 func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") },
	"CRLF":               func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n") },
	"CR":                 func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r") },
	"BOM":                func(s string) string { return "\xef\xbb\xbf" + s },
	"no space":           func(s string) string { return strings.ReplaceAll(s, "data: ", "data:") },
	"comments":           func(s string) string { return ": hello\n\n" + strings.ReplaceAll(s, "\n\n", "\n\n"+trailer) },
	"no last blank line": func(s string) string { return strings.TrimRight(s, "\r\n") },
	"wide characters":    func(s string) string { return strings.ReplaceAll(s, `llo"`, `llo 😀 ĀЖ中"`) },
}

// TestSplits: whatever the pieces in which a stream comes, the client gets the
// same bytes, and the ledger tells the same.
func TestSplits(t *testing.T) {
	for name, d := range dialects {
		for how, spell := range spellings {
			whole := spell(strings.Join(d.parts(), ""))
			step := 7
			if how == "as it is" || how == "CR" || how == "CRLF" {
				step = 1
			}
			for at := 0; at < len(whole); at += step {
				r := newRig(t, streaming(whole[:at], whole[at:]))
				if at == 0 {
					r = newRig(t, streaming(strings.Split(whole, "")...))
				}
				w := r.run(r.call(d, true))
				if w.status != 200 || w.text() != whole {
					t.Fatalf("%s, %s, split at %d: status %d, body\n%q\nwant\n%q", name, how, at, w.status, w.text(), whole)
				}
				if x := r.ledger.last(); x.Usage != (llm.Usage{Input: 7, Output: 3}) || x.Partial || x.Fault != "" || x.BytesOut < int64(len(whole)-len(trailer)) {
					t.Fatalf("%s, %s, split at %d: %+v", name, how, at, x)
				}
			}
		}
	}
}

// FuzzStream: bytes in any pieces, sound or not, come out as they are, up to
// where they stop making sense.
func FuzzStream(f *testing.F) {
	for _, d := range dialects {
		f.Add(strings.Join(d.parts(), ""), uint64(1))
		f.Add(strings.Join(d.middle, "")+d.errorEvent, uint64(2))
	}
	d := dialects["openai-chat"]
	f.Fuzz(func(t *testing.T, stream string, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		var parts []string
		for rest := stream; rest != ""; {
			n := 1 + rnd.IntN(min(len(rest), 64))
			parts, rest = append(parts, rest[:n]), rest[n:]
		}
		r := newRig(t, streaming(parts...))
		w := newClient()
		r.do(context.Background(), w, r.call(d, true))
		one := newClient()
		r1 := newRig(t, streaming(stream))
		r1.do(context.Background(), one, r1.call(d, true))
		if x := r.ledger.last(); x.Fault == "" && w.text() != stream {
			t.Errorf("served, but %q came out of %q", w.text(), stream)
		} else if w.status == 200 && x.Fault != "" {
			own := strings.Index(w.text(), `data: {"error"`)
			if own < 0 {
				t.Errorf("no word of the failure in %q", w.text())
			} else if head := strings.TrimSuffix(w.text()[:own], "\n\n"); !strings.HasPrefix(stream, head) {
				t.Errorf("%q is not how %q begins", head, stream)
			}
		}
		if one.status != w.status && one.status == 200 {
			// In one piece an error may come together with what precedes it,
			// and is then not seen at all; the other way round is impossible.
			t.Errorf("status %d in pieces, %d in one", w.status, one.status)
		}
	})
}

// TestCommit: the client gets nothing before something meaningful came, and
// everything at once when it did.
func TestCommit(t *testing.T) {
	for name, d := range dialects {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(*http.Request, []byte) (*http.Response, error) {
				a := answerOf(200, eventStream, d.parts()...)
				a.Body.(*scripted).pause = time.Second
				return a, nil
			})
			w := newClient()
			go r.do(context.Background(), w, r.call(d, true))
			for i := range d.parts() {
				synctest.Wait()
				want := ""
				if i > len(d.prelude) {
					want = strings.Join(d.parts()[:i], "")
				}
				if w.text() != want {
					t.Errorf("%s: after %d events: %q", name, i, w.text())
				}
				time.Sleep(time.Second)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if w.writes != len(d.parts())-len(d.prelude) || w.flushes != w.writes {
				t.Errorf("%s: %d writes, %d flushes", name, w.writes, w.flushes)
			}
		})
	}
}

// TestBreak: once a part of the answer is out, a break is told in the client's
// dialect, and nothing looks like success.
func TestBreak(t *testing.T) {
	reset := errors.New("connection reset by peer")
	for name, d := range dialects {
		begun := append(slices.Clip(d.prelude), d.middle...)
		for _, tt := range []struct {
			name  string
			up    upstream
			class fault.Class
			told  bool // by the upstream
		}{
			{"cut", cutting(reset, begun...), fault.Network, false},
			{"cut within an event", cutting(io.ErrUnexpectedEOF, append(slices.Clip(begun), d.middle[0][:20])...), fault.Network, false},
			{"end", streaming(begun...), fault.Broken, false},
			{"silence", hanging(begun...), fault.Timeout, false},
			{"garbage", streaming(append(slices.Clip(begun), "data: {\"a\": nonsense}\n\n", d.end[0])...), fault.Broken, false},
			{"half an event", streaming(append(slices.Clip(begun), d.middle[0][:len(d.middle[0])-8])...), fault.Broken, false},
			{"error", streaming(append(slices.Clip(begun), append([]string{d.errorEvent}, d.end...)...)...), fault.Broken, true},
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, tt.up, streaming(d.parts()...))
					r.settings.Timeouts.Heartbeat = 0
					w := newClient()
					if r.do(context.Background(), w, r.call(d, true)) {
						t.Error("the connection was broken")
					}
					head := strings.Join(begun, "")
					rest, ok := strings.CutPrefix(w.text(), head)
					if !ok || w.status != 200 {
						t.Fatalf("status %d, body %q", w.status, w.text())
					}
					if tt.told && rest != d.errorEvent || !tt.told && !strings.HasPrefix(rest, d.broke) || strings.Contains(rest, d.success) {
						t.Errorf("told: %q", rest)
					}
					x := r.ledger.last()
					if !x.Partial || x.Status != 200 || x.Fault != tt.class.String() || len(x.Attempts) != 1 || x.BytesOut != int64(w.body.Len()) || x.Usage.Total() == 0 {
						t.Errorf("%+v", x)
					}
					if v := r.pool.Views()[0]; v.InFlight != 0 || v.Health.Failed+v.Models["m"].Failed != 1 {
						t.Errorf("%+v", v)
					}
				})
			})
		}
	}
}

// TestCutAtTheEnd: an answer whose connection is cut before the protocol's own
// mark of the end has not ended well; after the mark nothing is missing.
func TestCutAtTheEnd(t *testing.T) {
	reset := errors.New("connection reset by peer")
	for name, d := range dialects {
		parts := d.parts()
		for missing := range len(d.end) + 1 {
			r := newRig(t, cutting(reset, parts[:len(parts)-missing]...))
			w := r.run(r.call(d, true))
			broke := strings.Contains(w.text(), d.broke)
			if broke != (missing > 0) {
				t.Errorf("%s: without the last %d events the client got\n%s", name, missing, w.text())
			}
		}
	}
	// An upstream that closes without the mark has ended its answer, if it had
	// told why it stopped.
	d := dialects["openai-chat"]
	parts := d.parts()
	r := newRig(t, streaming(parts[:len(parts)-1]...))
	if w := r.run(r.call(d, true)); w.text() != strings.Join(parts[:len(parts)-1], "") {
		t.Errorf("without [DONE]: %q", w.text())
	}
}

// TestLinger: an upstream that keeps a stream open after its end does not keep
// the client waiting.
func TestLinger(t *testing.T) {
	for name, d := range dialects {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, hanging(d.parts()...))
			start := time.Now()
			w := r.run(r.call(d, true))
			if d := time.Since(start); d > 2*tail || w.text() != strings.Join(dialects[name].parts(), "") {
				t.Errorf("%s: after %s: %q", name, d, w.text())
			}
			if x := r.ledger.last(); x.Fault != "" || x.Partial {
				t.Errorf("%s: %+v", name, x)
			}
		})
	}
}

// TestOnlyTheMark: a stream that is nothing but its end is empty.
func TestOnlyTheMark(t *testing.T) {
	d := dialects["openai-chat"]
	r := newRig(t, streaming("data: [DONE]\n\n"), streaming(d.parts()...))
	if w := r.run(r.call(d, true)); w.text() != strings.Join(d.parts(), "") {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
}

// mute is a codec whose taps see that an answer is finished and nothing else.
type mute struct{ protocol.Codec }

func (mute) NewTap() protocol.Tap { return &muteTap{} }

type muteTap struct{ seen protocol.Seen }

func (t *muteTap) Seen() *protocol.Seen               { return &t.seen }
func (t *muteTap) Frame([]byte, []byte) protocol.Mark { t.seen.Finished = true; return 0 }
func (t *muteTap) Body([]byte) protocol.Mark          { return 0 }

// TestNothingMeant: what never meant anything is no answer, whatever its codec
// says of its end.
func TestNothingMeant(t *testing.T) {
	d := *dialects["openai-chat"]
	d.codec = mute{d.codec}
	r := newRig(t, streaming(d.parts()...))
	if w := r.run(r.call(&d, true)); w.status != 503 {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
}

// TestToldAfresh: that one upstream's error was meant for the client is no word
// on how the next one's answer breaks.
func TestToldAfresh(t *testing.T) {
	d := dialects["openai-chat"]
	r := newRig(t, streaming(d.middle[0]+d.errorEvent), cutting(io.ErrUnexpectedEOF, d.middle...))
	w := r.run(r.call(d, true))
	if rest, ok := strings.CutPrefix(w.text(), strings.Join(d.middle, "")); !ok || !strings.HasPrefix(rest, d.broke) {
		t.Errorf("told: %s", w.text())
	}
}

// TestShrink: the memory that a large event took is not kept for the rest of
// its stream.
func TestShrink(t *testing.T) {
	home := make([]byte, 0, streamBuffer)
	s := flow{home: home, buf: append(make([]byte, 0, 1<<20), "large event|rest"...), start: len("large event|"), sent: 3}
	s.shift()
	if string(s.buf) != "rest" || cap(s.buf) != streamBuffer || s.start != 0 || s.sent != 0 {
		t.Errorf("%q of %d, %d, %d", s.buf, cap(s.buf), s.start, s.sent)
	}
	s = flow{home: home, buf: append(make([]byte, 0, 2*streamBuffer), "event|rest"...), start: len("event|"), sent: len("event|re")}
	s.shift()
	if string(s.buf) != "rest" || cap(s.buf) != 2*streamBuffer || s.sent != 2 {
		t.Errorf("%q of %d, %d", s.buf, cap(s.buf), s.sent)
	}
}

// TestLargeEvents: events of 8 MiB pass unchanged in pieces of any size, and
// what is larger than an event may be ends in a clean error.
func TestLargeEvents(t *testing.T) {
	d := dialects["openai-chat"]
	big := `data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"` + strings.Repeat("x😀", 8<<20/5) + `"}}]}` + "\n\n"
	stream := d.prelude[0] + d.middle[0] + big + d.middle[1] + strings.Join(d.end, "")
	first := d.prelude[0] + big + strings.Join(d.end, "")
	for i, whole := range []string{stream, first} {
		for _, size := range [][]int{{1000, 65537}, {4096, len(whole)}}[i] {
			var parts []string
			for rest := whole; rest != ""; {
				n := min(size, len(rest))
				parts, rest = append(parts, rest[:n]), rest[n:]
			}
			r := newRig(t, streaming(parts...))
			held := 0
			w := newClient()
			var body *scripted
			c := r.call(d, true)
			r.pool.Set([]pool.Account{r.account("a", 0, func(*http.Request, []byte) (*http.Response, error) {
				a := answerOf(200, eventStream, parts...)
				body = a.Body.(*scripted)
				return a, nil
			})})
			w.onWrite = func([]byte) error { held = max(held, body.read-w.body.Len()); return nil }
			r.do(context.Background(), w, c)
			if w.text() != whole {
				t.Errorf("pieces of %d: %d bytes came out of %d", size, w.body.Len(), len(whole))
			}
			if most := maxAhead + 2*max(size, streamBuffer); size < len(whole) && held > most {
				t.Errorf("pieces of %d: %d bytes were held, want at most %d", size, held, most)
			}
			if x := r.ledger.last(); x.Fault != "" || x.Usage != (llm.Usage{Input: 7, Output: 3}) {
				t.Errorf("%+v", x)
			}
		}
	}
	over := d.middle[0] + "data: {\"x\":\"" + strings.Repeat("x", maxEvent+1)
	r := newRig(t, streaming(over))
	w := r.run(r.call(d, true))
	if !strings.HasPrefix(w.text(), d.middle[0]) || !strings.Contains(w.text()[len(w.text())-400:], "\n\n"+d.broke) || r.ledger.last().Fault != fault.Broken.String() {
		t.Errorf("%q", w.text()[len(w.text())-400:])
	}
}

// TestBackPressure: an upstream is read no further than the client takes.
func TestBackPressure(t *testing.T) {
	d := dialects["openai-chat"]
	var parts []string
	for range 4000 {
		parts = append(parts, d.middle[0])
	}
	parts = append(parts, d.end...)
	synctest.Test(t, func(t *testing.T) {
		var body *scripted
		r := newRig(t, func(*http.Request, []byte) (*http.Response, error) {
			a := answerOf(200, eventStream, strings.Join(parts, ""))
			body = a.Body.(*scripted)
			return a, nil
		})
		w := newClient()
		held, n := 0, 0
		w.onWrite = func(p []byte) error {
			if n++; n < 20 {
				time.Sleep(time.Second) // a slow reader
			}
			held = max(held, body.read-w.body.Len())
			return nil
		}
		r.do(context.Background(), w, r.call(d, true))
		if held > 256<<10 || w.text() != strings.Join(parts, "") {
			t.Errorf("%d bytes held", held)
		}
	})
}
