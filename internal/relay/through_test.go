package relay

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"portico/internal/protocol"
)

// otherCall is a call of an operation that is not looked into.
func (r *rig) otherCall(method, path, kind, body string) *Call {
	c := r.call(dialects["openai-chat"], false)
	c.Op, c.Method, c.Path, c.Body, c.Model = protocol.Other, method, path, []byte(body), ""
	c.Header["Content-Type"] = []string{kind}
	return c
}

// TestThrough: what is no conversation is carried as it is, in pieces, and is
// in the ledger before its last byte goes out.
func TestThrough(t *testing.T) {
	sound := strings.Repeat("\x00\x01\xfe\xff", 100_000)
	for _, tt := range []struct {
		name, method, path string
		status             int
		kind, body         string
		length             bool
	}{
		{"a file", "GET", "/files/f1/content", 200, "application/octet-stream", sound, true},
		{"a file of unknown length", "GET", "/files/f1/content", 206, "audio/mpeg", sound, false},
		{"an image", "POST", "/images/generations", 200, "application/json", `{"data":[{"b64_json":"` + strings.Repeat("QUJD", 200_000) + `"}]}`, true},
		{"nothing", "DELETE", "/files/f1", 204, "", "", false},
		{"an empty body", "DELETE", "/responses/r1", 200, "application/json", "", true},
		{"events", "POST", "/images/generations", 200, eventStream, "event: x\ndata: {}\n\nevent: y\ndata: {\"error\":1}\n\n", false},
		{"what looks like an error", "GET", "/batches/b1", 200, "application/json", `{"error":{"message":"of the batch"}}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, func(out *http.Request, b []byte) (*http.Response, error) {
				if out.Method != tt.method || out.URL.Path != tt.path || string(b) != "sent" {
					t.Errorf("asked %s %s: %s", out.Method, out.URL.Path, b)
				}
				a := answerOf(tt.status, tt.kind, tt.body)
				if !tt.length {
					a.ContentLength = -1
					delete(a.Header, "Content-Length")
				}
				return a, nil
			})
			w := newClient()
			w.onWrite = func(p []byte) error {
				if tt.length && w.body.Len()+len(p) == len(tt.body) && (r.ledger.count() != 1 || r.ledger.last().BytesOut != int64(len(tt.body))) {
					t.Errorf("the last piece goes out before the record: %+v", r.ledger.last())
				}
				return nil
			}
			r.do(context.Background(), w, r.otherCall(tt.method, tt.path, "x/y", "sent"))
			if w.status != tt.status || w.text() != tt.body {
				t.Errorf("status %d, %d bytes", w.status, w.body.Len())
			}
			if (w.sent.Get("Content-Length") != "") != tt.length {
				t.Errorf("headers %v", w.sent)
			}
			x := r.ledger.last()
			if r.ledger.count() != 1 || x.Op != "other" || x.Path != tt.path || x.Status != tt.status || x.BytesOut != int64(len(tt.body)) || x.Estimated || x.Fault != "" {
				t.Errorf("%+v", x)
			}
		})
	}
}

// TestThroughFails: what fails before its first byte fails over; what breaks
// later breaks the connection, since nothing else can tell it.
func TestThroughFails(t *testing.T) {
	cut := func(body string) upstream {
		return func(*http.Request, []byte) (*http.Response, error) {
			a := answerOf(200, "audio/mpeg", body)
			a.ContentLength = 1000
			a.Body.(*scripted).err = io.ErrUnexpectedEOF
			return a, nil
		}
	}
	good := replyWith(200, "audio/mpeg", "sound")
	get := func(r *rig) *Call { return r.otherCall("GET", "/files/f1/content", "", "") }
	r := newRig(t, cut(""), good)
	if w := r.run(get(r)); w.text() != "sound" {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
	r = newRig(t, cut("so"), good)
	w := newClient()
	if !r.do(context.Background(), w, get(r)) || w.text() != "so" {
		t.Errorf("the connection was not broken after %q", w.text())
	}
	if x := r.ledger.last(); !x.Partial || x.Fault != "network" || x.Status != 200 {
		t.Errorf("%+v", x)
	}
}

// TestOnce: what makes something is not done twice because nobody knows whether
// it was done.
func TestOnce(t *testing.T) {
	reset := failing(errors.New("connection reset by peer"))
	good := replyWith(200, "application/json", "{}")
	r := newRig(t, reset, good)
	if w := r.run(r.otherCall("POST", "/batches", "application/json", "{}")); w.status != 502 || len(r.asked) != 1 {
		t.Errorf("POST: status %d, asked %v", w.status, r.asked)
	}
	r = newRig(t, reset, good)
	if w := r.run(r.otherCall("GET", "/batches", "", "")); w.status != 200 {
		t.Errorf("GET: status %d, asked %v", w.status, r.asked)
	}
	r = newRig(t, replyWith(500, "application/json", "{}"), good)
	if w := r.run(r.otherCall("POST", "/batches", "application/json", "{}")); w.status != 200 {
		t.Errorf("refused: status %d, asked %v", w.status, r.asked)
	}
}

// TestObjects: an object that one account does not have may be another's, and
// is nobody's fault.
func TestObjects(t *testing.T) {
	missing := replyWith(404, "application/json", `{"error":{"message":"No such file"}}`)
	r := newRig(t, missing, replyWith(200, "application/json", "{}"))
	if w := r.run(r.otherCall("GET", "/files/f1", "", "")); w.status != 200 || len(r.asked) != 2 {
		t.Errorf("status %d, asked %v", w.status, r.asked)
	}
	r = newRig(t, missing, missing)
	for range 3 {
		if w := r.run(r.otherCall("GET", "/files/f1", "", "")); w.status != 404 || !strings.Contains(w.text(), "No such file") {
			t.Errorf("status %d, body %s", w.status, w.text())
		}
	}
	for _, v := range r.pool.Views() {
		if v.Health.State != 0 || v.Health.Failed != 0 {
			t.Errorf("%+v", v.Health)
		}
	}
	r = newRig(t, replyWith(409, "application/json", `{"error":{"message":"in use"}}`), missing)
	if w := r.run(r.otherCall("DELETE", "/files/f1", "", "")); w.status != 409 || len(r.asked) != 1 {
		t.Errorf("status %d, asked %v", w.status, r.asked)
	}
}

// TestNotModified: a condition of the client's is answered.
func TestNotModified(t *testing.T) {
	r := newRig(t, replyWith(304, "", ""))
	c := r.otherCall("GET", "/files/f1", "", "")
	c.Header["If-None-Match"] = []string{`"x"`}
	if w := r.run(c); w.status != 304 {
		t.Errorf("status %d", w.status)
	}
	delete(c.Header, "If-None-Match")
	r = newRig(t, replyWith(304, "", ""))
	c.Settings = r.settings
	if w := r.run(c); w.status != 503 {
		t.Errorf("unasked: status %d", w.status)
	}
}

// TestCompressed: what comes compressed is carried unread; a refusal is told
// in the client's dialect.
func TestCompressed(t *testing.T) {
	for name, d := range dialects {
		for _, stream := range []bool{false, true} {
			zipped := func(status int) upstream {
				return func(*http.Request, []byte) (*http.Response, error) {
					a := answerOf(status, "application/json", "\x1f\x8b\x08 not really")
					a.Header["Content-Encoding"] = []string{"gzip"}
					return a, nil
				}
			}
			r := newRig(t, zipped(200))
			w := r.run(r.call(d, stream))
			if w.status != 200 || w.text() != "\x1f\x8b\x08 not really" || w.sent.Get("Content-Encoding") != "gzip" {
				t.Errorf("%s: status %d, headers %v", name, w.status, w.sent)
			}
			if x := r.ledger.last(); !x.Estimated || x.Usage.Input == 0 {
				t.Errorf("%s: %+v", name, x)
			}
			r = newRig(t, zipped(400))
			w = r.run(r.call(d, stream))
			if w.status != 400 || d.codec.DecodeError(400, w.body.Bytes()).Message == "" || w.sent.Get("Content-Encoding") != "" {
				t.Errorf("%s: status %d, headers %v, body %q", name, w.status, w.sent, w.text())
			}
			// What has to be read cannot be compressed (trap X16).
			r = speaking(t, []string{name}, zipped(200))
			other := dialects["openai-chat"]
			if name == protocol.OpenAIChat {
				other = dialects["anthropic"]
			}
			if w = r.run(r.call(other, stream)); w.status != 503 && w.status != 529 || !strings.Contains(w.text(), "its answer is compressed") {
				t.Errorf("%s, translated: status %d, body %q", name, w.status, w.text())
			}
		}
	}
}

// TestHugeAnswer: what is larger than is held goes on in pieces, unread.
func TestHugeAnswer(t *testing.T) {
	d := dialects["openai-chat"]
	huge := strings.Replace(d.whole, "hi", strings.Repeat("x", maxWhole+100), 1)
	r := newRig(t, replyWith(200, "application/json", huge))
	w := newClient()
	w.onWrite = func(p []byte) error {
		if w.body.Len()+len(p) == len(huge) && r.ledger.count() != 1 {
			t.Error("the last piece goes out before the record")
		}
		return nil
	}
	r.do(context.Background(), w, r.call(d, false))
	if w.text() != huge || !r.ledger.last().Estimated {
		t.Errorf("%d bytes of %d, %+v", w.body.Len(), len(huge), r.ledger.last())
	}
	big := strings.Replace(d.whole, "hi", strings.Repeat("x", maxWhole-1000), 1)
	r = newRig(t, replyWith(200, "application/json", big))
	if w := r.run(r.call(d, false)); w.text() != big || r.ledger.last().Estimated {
		t.Errorf("%d bytes of %d, %+v", w.body.Len(), len(big), r.ledger.last())
	}
}

// TestHugeRefusal: an error body has a bound.
func TestHugeRefusal(t *testing.T) {
	d := dialects["openai-chat"]
	r := newRig(t, replyWith(400, "application/json", `{"error":{"message":"`+strings.Repeat("x", 2*maxError)+`"}}`))
	if w := r.run(r.call(d, false)); w.status != 400 || w.body.Len() > 8<<10 || d.codec.DecodeError(400, w.body.Bytes()).Message == "" {
		t.Errorf("status %d, %d bytes", w.status, w.body.Len())
	}
}
