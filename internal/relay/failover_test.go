package relay

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"portico/internal/fault"
)

// unseen are the failures of an upstream that a client never sees while another
// account can serve. stream and whole say in which kind of answer they occur.
var unseen = []struct {
	name          string
	stream, whole bool
	up            func(d *dialect) upstream
	class         fault.Class
	phase         fault.Phase
}{
	{"refused connection", true, true, func(*dialect) upstream {
		return failing(&net.OpError{Op: "dial", Err: errors.New("connection refused")})
	}, fault.Network, fault.Dialing},
	{"reset before the answer", true, true, func(*dialect) upstream { return failing(errors.New("read: connection reset by peer")) }, fault.Network, fault.Sent},
	{"silence before the answer", true, true, func(*dialect) upstream { return silent }, fault.Timeout, fault.Sent},
	{"429", true, true, func(d *dialect) upstream { return replyWith(429, "application/json", d.errorBody) }, fault.RateLimited, fault.Answered},
	{"401", true, true, func(d *dialect) upstream { return replyWith(401, "application/json", d.errorBody) }, fault.CredentialInvalid, fault.Answered},
	{"403", true, true, func(d *dialect) upstream { return replyWith(403, "application/json", d.errorBody) }, fault.Permission, fault.Answered},
	{"404", true, true, func(d *dialect) upstream { return replyWith(404, "application/json", d.errorBody) }, fault.ModelDenied, fault.Answered},
	{"500", true, true, func(d *dialect) upstream { return replyWith(500, "application/json", d.errorBody) }, fault.Broken, fault.Answered},
	{"502 with a page", true, true, func(*dialect) upstream { return replyWith(502, "text/html", "<html><h1>Bad Gateway</h1></html>") }, fault.Broken, fault.Answered},
	{"529", true, true, func(d *dialect) upstream { return replyWith(529, "application/json", d.errorBody) }, fault.Overloaded, fault.Answered},
	{"redirect", true, true, func(*dialect) upstream {
		return func(*http.Request, []byte) (*http.Response, error) {
			r := answerOf(307, "text/plain", "there")
			r.Header["Location"] = []string{"http://elsewhere.invalid/"}
			return r, nil
		}
	}, fault.Broken, fault.Answered},
	{"switching protocols", true, true, func(*dialect) upstream { return replyWith(101, "", "") }, fault.Broken, fault.Answered},
	{"200 with a page", true, true, func(*dialect) upstream {
		return replyWith(200, "text/html", "<html><title>Log in</title></html>")
	}, fault.Broken, fault.Answered},
	{"200 with an error", true, true, func(d *dialect) upstream { return replyWith(200, "application/json", d.errorBody) }, fault.Broken, fault.Answered},
	{"200 with nothing", true, true, func(*dialect) upstream { return replyWith(200, "application/json", "") }, fault.Broken, fault.Answered},
	{"204", true, true, func(*dialect) upstream { return replyWith(204, "", "") }, fault.Broken, fault.Answered},
	{"200 with half an object", false, true, func(d *dialect) upstream {
		return func(*http.Request, []byte) (*http.Response, error) {
			r := answerOf(200, "application/json", d.whole[:40])
			r.Body.(*scripted).err = io.ErrUnexpectedEOF
			return r, nil
		}
	}, fault.Network, fault.Answered},
	{"a stream that nobody asked for", false, true, func(d *dialect) upstream { return streaming(d.parts()...) }, fault.Broken, fault.Answered},
	{"an empty stream", true, false, func(*dialect) upstream { return streaming() }, fault.Broken, fault.Answered},
	{"a stream of comments", true, false, func(*dialect) upstream { return streaming(": one\n\n", ": two\n\n") }, fault.Broken, fault.Answered},
	{"a page as a stream", true, false, func(*dialect) upstream { return streaming("<html>\n\n<body>x</body></html>\n") }, fault.Broken, fault.Answered},
	{"an error in plain JSON as a stream", true, false, func(d *dialect) upstream { return streaming(d.errorBody) }, fault.Broken, fault.Answered},
	{"a prelude and an end", true, false, func(d *dialect) upstream { return streaming(d.prelude...) }, fault.Broken, fault.Streaming},
	{"a prelude and a cut", true, false, func(d *dialect) upstream { return cutting(io.ErrUnexpectedEOF, d.prelude...) }, fault.Network, fault.Streaming},
	{"a prelude and silence", true, false, func(d *dialect) upstream { return hanging(d.prelude...) }, fault.Timeout, fault.Streaming},
	{"a prelude and an error", true, false, func(d *dialect) upstream { return streaming(append(slices.Clip(d.prelude), d.errorEvent)...) }, fault.Broken, fault.Streaming},
	{"a prelude and garbage", true, false, func(d *dialect) upstream {
		return streaming(append(slices.Clip(d.prelude), "data: {\"x\": \n\n")...)
	}, fault.Broken, fault.Streaming},
	{atOnce, true, false, func(d *dialect) upstream { return streaming(strings.Join(d.middle, "") + d.errorEvent) }, fault.Broken, fault.Streaming},
	{"a flood that is no event", true, false, func(*dialect) upstream { return streaming(strings.Repeat("0123456789abcdef", maxAhead/16+1)) }, fault.Broken, fault.Answered},
	{"half an event and an end", true, false, func(d *dialect) upstream { return streaming(d.middle[0][:len(d.middle[0])/2]) }, fault.Broken, fault.Streaming},
}

// atOnce is the case in which the answer had begun when it broke: another
// account gives one that is whole, and without another its words count.
const atOnce = "meaning and an error at once"

// TestAloneAtOnce: with nobody else to ask, words that came together with an
// error reach the client, and the error after them.
func TestAloneAtOnce(t *testing.T) {
	for name, d := range dialects {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, streaming(strings.Join(d.middle, "")+d.errorEvent))
				w := r.run(r.call(d, true))
				if want := strings.Join(d.middle, "") + d.errorEvent; w.status != 200 || w.text() != want {
					t.Errorf("status %d, body %s, want %s", w.status, w.text(), want)
				}
				if x := r.ledger.last(); x.Fault == "" || !x.Partial {
					t.Errorf("%+v", x)
				}
			})
		})
	}
}

func TestFailover(t *testing.T) {
	for name, d := range dialects {
		for _, tt := range unseen {
			for _, stream := range []bool{false, true} {
				if stream && !tt.stream || !stream && !tt.whole {
					continue
				}
				t.Run(name+"/"+tt.name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						good, want := replyWith(200, "application/json", d.whole), d.whole
						if stream {
							good, want = streaming(d.parts()...), strings.Join(d.parts(), "")
						}
						r := newRig(t, tt.up(d), good)
						w := r.run(r.call(d, stream))
						if w.status != 200 || w.text() != want {
							t.Fatalf("status %d, body\n%s", w.status, w.text())
						}
						x := r.ledger.last()
						if x.Account != "b" || x.Fault != "" || x.Partial || len(x.Attempts) != 2 {
							t.Fatalf("%+v", x)
						}
						if a := x.Attempts[0]; a.Fault != tt.class.String() || a.Phase != tt.phase.String() || a.Step == "give_up" || a.Error == "" {
							t.Errorf("%+v", a)
						}
						if n := r.ledger.count(); n > 2 || n > 1 && !stream {
							t.Errorf("recorded %d times", n)
						}
					})
				})
			}
		}
	}
}

// TestAlone: where nobody else can serve, the client is told in its dialect.
func TestAlone(t *testing.T) {
	for name, d := range dialects {
		for _, tt := range unseen {
			for _, stream := range []bool{false, true} {
				if stream && !tt.stream || !stream && !tt.whole || tt.name == atOnce {
					continue
				}
				t.Run(name+"/"+tt.name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						r := newRig(t, tt.up(d))
						w := r.run(r.call(d, stream))
						sign := d.codec.DecodeError(w.status, w.body.Bytes())
						if w.status < 400 || sign.Message == "" || w.sent.Get("Content-Type") != "application/json" || w.sent.Get(idHeader) != "req_test" {
							t.Fatalf("status %d, headers %v, body %s", w.status, w.sent, w.text())
						}
						again := w.sent.Get("Retry-After") != ""
						switch tt.class {
						case fault.ModelDenied:
							if w.status != 404 || again || w.text() != d.errorBody {
								t.Errorf("status %d, again %v, body %s", w.status, again, w.text())
							}
						case fault.RateLimited:
							if w.status != 429 || !again {
								t.Errorf("status %d, again %v", w.status, again)
							}
						default:
							if w.status != 503 && w.status != 529 || !again {
								t.Errorf("status %d, again %v", w.status, again)
							}
						}
						x := r.ledger.last()
						if x.Status != w.status || x.Fault == "" || x.Error == "" || x.BytesOut != int64(w.body.Len()) || r.ledger.count() != 1 {
							t.Errorf("%+v", x)
						}
						twice := tt.class == fault.Broken || tt.class == fault.Network
						if want := map[bool]int{false: 1, true: 2}[twice]; len(r.asked) != want {
							t.Errorf("asked %d times, want %d", len(r.asked), want)
						}
					})
				})
			}
		}
	}
}

// TestFinal: what the upstream refuses for good goes back at once, as it is.
func TestFinal(t *testing.T) {
	for name, d := range dialects {
		for _, status := range []int{400, 404, 405, 413, 422} {
			body := ` {"error": {"message":"no such thing as 1e400","type":"invalid_request_error","param":"x","code":null,"more":[1,1]}}` + "\n"
			r := newRig(t, func(*http.Request, []byte) (*http.Response, error) {
				a := answerOf(status, "application/json; charset=utf-8", body)
				a.Header["X-Request-Id"], a.Header["Set-Cookie"], a.Header["X-Should-Retry"] = []string{"up1"}, []string{"a=b"}, []string{"true"}
				return a, nil
			})
			w := r.run(r.call(d, status == 400))
			if w.status != status || w.text() != body {
				t.Errorf("%s: status %d, body %s", name, w.status, w.text())
			}
			if h := w.sent; h.Get("Content-Type") != "application/json; charset=utf-8" || h.Get("X-Request-Id") != "up1" || h["Set-Cookie"] != nil || h["X-Should-Retry"] != nil {
				t.Errorf("%s: headers %v", name, h)
			}
			if x := r.ledger.last(); x.Status != status || x.Fault == "" || len(x.Attempts) != 1 || x.Attempts[0].Status != status {
				t.Errorf("%s: %+v", name, x)
			}
		}
	}
}

// TestRefusalAsPage: a page in HTML is no answer for a client of an API.
func TestRefusalAsPage(t *testing.T) {
	r := newRig(t, replyWith(413, "text/html", "<html><h1>413 Request Entity Too Large</h1></html>"))
	w := r.run(r.call(dialects["openai-chat"], false))
	if w.status != 413 || !strings.HasPrefix(w.text(), `{"error":{"message":"HTML page: 413 Request Entity Too Large"`) {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
}

// TestBlameless: what concerns the request is not laid at the account's door.
func TestBlameless(t *testing.T) {
	d := dialects["openai-chat"]
	for _, status := range []int{400, 413, 422} {
		r := newRig(t, replyWith(status, "application/json", `{"error":{"message":"no"}}`))
		for range 10 {
			r.run(r.call(d, false))
		}
		if h := r.pool.Views()[0].Health; h.State != 0 || h.Failed != 0 {
			t.Errorf("after %d: %+v", status, h)
		}
	}
}
