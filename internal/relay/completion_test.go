package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// completionCall is a call of the legacy text completion.
func (r *rig) completionCall(body string) *Call {
	c := r.call(dialects["openai-chat"], strings.Contains(body, `"stream":true`))
	c.Op, c.Path, c.Body = protocol.Complete, "/completions", []byte(body)
	return c
}

// TestCompletionNative: an account that takes completions gets the client's
// bytes.
func TestCompletionNative(t *testing.T) {
	const body = `{"model":"m","prompt":"say"}`
	const answer = `{"id":"cmpl-1","object":"text_completion","model":"m","choices":[{"text":"hi","index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}`
	r := newRig(t, func(out *http.Request, b []byte) (*http.Response, error) {
		if out.URL.Path != "/completions" || string(b) != body {
			t.Errorf("asked %s: %s", out.URL.Path, b)
		}
		return answerOf(200, "application/json", answer), nil
	})
	w := r.run(r.completionCall(body))
	if w.text() != answer || r.ledger.last().Usage != (llm.Usage{Input: 7, Output: 3}) || r.ledger.last().Op != "complete" {
		t.Errorf("%s, %+v", w.text(), r.ledger.last())
	}
}

// TestCompletionOverChat: others are asked for a chat, once for each prompt.
func TestCompletionOverChat(t *testing.T) {
	d := dialects["openai-chat"]
	whole := func(out *http.Request, b []byte) (*http.Response, error) {
		if out.URL.Path != "/chat/completions" || out.Method != http.MethodPost || !bytes.Contains(b, []byte(`"model":"served"`)) {
			t.Errorf("asked %s %s: %s", out.Method, out.URL.Path, b)
		}
		said := "about " + string(b[bytes.Index(b, []byte(`"content":"`))+11:][:1])
		return answerOf(200, "application/json", strings.Replace(d.whole, "hi", said, 1)), nil
	}
	streamed := func(out *http.Request, b []byte) (*http.Response, error) {
		said := "about " + string(b[bytes.Index(b, []byte(`"content":"`))+11:][:1])
		return answerOf(200, eventStream, strings.Replace(strings.Join(d.parts(), ""), `"he"`, `"`+said+`"`, 1)), nil
	}
	for _, tt := range []struct {
		name, body string
		up         upstream
		want       []string
		asked      int
	}{
		{"one", `{"model":"m","prompt":"A"}`, whole, []string{`"object":"text_completion"`, `"text":"about A"`, `"total_tokens":10`}, 1},
		{"three", `{"model":"m","prompt":["A","B","C"]}`, whole, []string{`"text":"about A","index":0`, `"text":"about B","index":1`, `"text":"about C","index":2`, `"total_tokens":30`}, 3},
		{"one streamed", `{"model":"m","prompt":"A","stream":true}`, streamed, []string{`"text":"about A"`, `"text":"llo"`, "data: [DONE]\n\n"}, 1},
		{
			"two streamed", `{"model":"m","prompt":["A","B"],"stream":true,"stream_options":{"include_usage":true}}`, streamed,
			[]string{`"text":"about A","index":0`, `"text":"about B","index":1`, `"total_tokens":20`, "data: [DONE]\n\n"},
			2,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.up)
			r.vendor.takes = []protocol.Op{protocol.Chat}
			r.routes(rule("m", "served"))
			w := r.run(r.completionCall(tt.body))
			rest := w.text()
			for _, s := range tt.want {
				i := strings.Index(rest, s)
				if i < 0 {
					t.Fatalf("%q is not, or not in its place, in\n%s", s, w.text())
				}
				rest = rest[i+len(s):]
			}
			if strings.Count(w.text(), "[DONE]") > 1 || rest != "" && rest[0] != ',' && rest[0] != '}' {
				t.Errorf("left over: %q", rest)
			}
			x := r.ledger.last()
			if x.Usage != (llm.Usage{Input: int64(7 * tt.asked), Output: int64(3 * tt.asked)}) || len(x.Attempts) != tt.asked || len(r.asked) != tt.asked ||
				x.BytesOut != int64(w.body.Len()) || x.Partial || x.Served != "served" || x.Status != 200 {
				t.Errorf("%+v", x)
			}
			if ct := w.sent.Get("Content-Type"); strings.HasPrefix(ct, eventStream) != strings.Contains(tt.body, "stream") {
				t.Errorf("content type %s", ct)
			}
		})
	}
}

// TestCompletionFailover: a leg fails over as long as nothing of it was shown,
// even if what it was made of was given to the carrier already.
func TestCompletionFailover(t *testing.T) {
	d := dialects["openai-chat"]
	good := strings.Join(d.parts(), "")
	for _, tt := range []struct {
		name string
		a    func(leg int) (*http.Response, error)
	}{
		{"the first leg", func(leg int) (*http.Response, error) {
			if leg == 0 {
				return answerOf(200, eventStream, d.middle[0]+d.errorEvent), nil
			}
			return answerOf(200, eventStream, good), nil
		}},
		{"the second leg", func(leg int) (*http.Response, error) {
			if leg == 1 {
				return answerOf(200, eventStream, d.prelude[0]), nil
			}
			return answerOf(200, eventStream, good), nil
		}},
		{"refused", func(leg int) (*http.Response, error) {
			if leg == 1 {
				return answerOf(529, "application/json", d.errorBody), nil
			}
			return answerOf(200, eventStream, good), nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			r := newRig(t, func(*http.Request, []byte) (*http.Response, error) { n++; return tt.a(n - 1) }, streaming(good))
			r.vendor.takes = []protocol.Op{protocol.Chat}
			w := r.run(r.completionCall(`{"model":"m","prompt":["A","B"],"stream":true,"echo":true}`))
			if strings.Count(w.text(), `"text":"A"`) != 1 || strings.Count(w.text(), `"text":"B"`) != 1 || strings.Count(w.text(), `"text":"he"`) != 2 || !strings.HasSuffix(w.text(), "data: [DONE]\n\n") || strings.Contains(w.text(), "error") {
				t.Error(w.text())
			}
			if x := r.ledger.last(); x.Fault != "" || x.Usage != (llm.Usage{Input: 14, Output: 6}) || len(x.Attempts) != 3 {
				t.Errorf("%+v", x)
			}
		})
	}
}

// TestCompletionBreak: a leg that breaks after it was shown ends the answer.
func TestCompletionBreak(t *testing.T) {
	d := dialects["openai-chat"]
	for name, second := range map[string]upstream{
		"cut":     cutting(io.ErrUnexpectedEOF, d.middle...),
		"error":   streaming(append(append([]string{}, d.middle...), d.errorEvent)...),
		"garbage": streaming(append(append([]string{}, d.middle...), "data: {\"x\n\n")...),
		"nobody":  failing(errors.New("connection reset by peer")),
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			r := newRig(t, func(out *http.Request, b []byte) (*http.Response, error) {
				if n++; n == 1 {
					return answerOf(200, eventStream, strings.Join(d.parts(), "")), nil
				}
				return second(out, b)
			})
			r.vendor.takes = []protocol.Op{protocol.Chat}
			w := r.run(r.completionCall(`{"model":"m","prompt":["A","B"],"stream":true}`))
			if w.status != 200 || strings.Contains(w.text(), "[DONE]") || strings.Count(w.text(), `data: {"error"`) != 1 {
				t.Error(w.text())
			}
			if x := r.ledger.last(); !x.Partial || x.Fault == "" || x.Usage.Total() < 10 {
				t.Errorf("%+v", x)
			}
		})
	}
}

// TestCompletionRefusals: what a chat cannot do is told; an account that takes
// completions is asked all the same.
func TestCompletionRefusals(t *testing.T) {
	const suffix = `{"model":"m","prompt":"A","suffix":"B"}`
	r := newRig(t, replyWith(500, "application/json", "{}"))
	r.vendor.takes = []protocol.Op{protocol.Chat}
	w := r.run(r.completionCall(suffix))
	if w.status != 400 || !strings.Contains(w.text(), "suffix") || len(r.asked) != 0 {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
	if x := r.ledger.last(); len(x.Attempts) != 0 || x.Fault != "unsupported" {
		t.Errorf("%+v", x)
	}

	const answer = `{"id":"cmpl-1","choices":[{"text":"hi","index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}`
	r = newRig(t, replyWith(500, "", ""), replyWith(200, "application/json", answer))
	chats := &vendor{takes: []protocol.Op{protocol.Chat}}
	as := r.accounts()
	as[0].By = chats
	r.pool.Set(as)
	if w := r.run(r.completionCall(suffix)); w.text() != answer || len(r.asked) != 1 || r.asked[0] != "b" {
		t.Errorf("status %d, body %s, asked %v", w.status, w.text(), r.asked)
	}

	// A refusal by the upstream keeps its status.
	r = newRig(t, replyWith(422, "application/json", `{"error":{"message":"too hot","type":"invalid_request_error"}}`))
	r.vendor.takes = []protocol.Op{protocol.Chat}
	if w := r.run(r.completionCall(`{"model":"m","prompt":"A"}`)); w.status != 422 || !strings.Contains(w.text(), "too hot") {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
}

// TestCompletionBeats: heartbeats go on between the legs.
func TestCompletionBeats(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := newRig(t, func(out *http.Request, _ []byte) (*http.Response, error) {
			if n++; n == 2 {
				time.Sleep(50 * time.Second)
			}
			return answerOf(200, eventStream, strings.Join(d.parts(), "")), nil
		})
		r.vendor.takes = []protocol.Op{protocol.Chat}
		w := newClient()
		r.do(context.Background(), w, r.completionCall(`{"model":"m","prompt":["A","B"],"stream":true}`))
		if n := strings.Count(w.text(), string(d.codec.Heartbeat())); n != 3 {
			t.Errorf("%d heartbeats in\n%s", n, w.text())
		}
	})
}
