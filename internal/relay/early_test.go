package relay

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/protocol"
)

// TestForetold: a stream of pictures has heartbeats before its first picture.
// What fails until the first of them is refused with a status, and later in the
// stream.
func TestForetold(t *testing.T) {
	const piece = `data: {"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5}}` + "\n\n"
	const whole = `{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"candidatesTokenCount":5}}`
	slow := func(up upstream) upstream {
		return func(out *http.Request, b []byte) (*http.Response, error) {
			select {
			case <-time.After(50 * time.Second):
			case <-out.Context().Done():
				return nil, out.Context().Err()
			}
			return up(out, b)
		}
	}
	late := func(*http.Request, []byte) (*http.Response, error) { // its headers come at once
		a := answerOf(200, eventStream, piece)
		a.Body.(*scripted).pause = 50 * time.Second
		return a, nil
	}
	refusal := replyWith(400, "application/json", `{"error":{"code":400,"message":"no such size","status":"INVALID_ARGUMENT"}}`)
	beat := string(dialects["openai-chat"].codec.Heartbeat())
	for _, tt := range []struct {
		name, n string
		ups     []upstream
		status  int
		beats   int
		want    string
		stream  bool
	}{
		{"slow to answer", "1", []upstream{slow(streaming(piece))}, 200, 3, "image_generation.completed", true},
		{"slow to draw", "1", []upstream{late}, 200, 3, "image_generation.completed", true},
		{"slow, and whole", "1", []upstream{slow(replyWith(200, "application/json", whole))}, 200, 3, "image_generation.completed", true},
		{"several", "2", []upstream{late}, 200, 3, "image_generation.completed", true},
		{"at once", "1", []upstream{streaming(piece)}, 200, 0, "image_generation.completed", true},
		{"refused at once", "1", []upstream{refusal}, 400, 0, "no such size", false},
		{"refused late", "1", []upstream{slow(refusal)}, 200, 3, `data: {"error":`, true},
		{"refused late, of several", "2", []upstream{slow(refusal)}, 200, 3, `data: {"error":`, true},
		{"another serves", "1", []upstream{slow(replyWith(429, "application/json", `{"error":{"code":429,"message":"later","status":"RESOURCE_EXHAUSTED"}}`)), late}, 200, 6, "image_generation.completed", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			names := make([]string, len(tt.ups))
			for i := range names {
				names[i] = protocol.Gemini
			}
			r := speaking(t, names, tt.ups...)
			c := r.drawingCall(`{"model":"m","prompt":"a cat","stream":true,"background":"transparent","n":` + tt.n + `}`)
			c.Stream = true
			w := newClient()
			r.do(context.Background(), w, c)
			if w.status != tt.status || strings.Count(w.text(), beat) != tt.beats || !strings.Contains(w.text(), tt.want) {
				t.Errorf("%s: %d\n%s", tt.name, w.status, w.text())
			}
			ct := w.sent.Get("Content-Type")
			if strings.HasPrefix(ct, eventStream) != tt.stream || (w.sent.Get("X-Accel-Buffering") != "") != tt.stream {
				t.Errorf("%s: %v", tt.name, w.sent)
			}
			if x := r.ledger.last(); x.Status != tt.status || x.BytesOut != int64(w.body.Len()) || (x.Fault != "") == strings.Contains(tt.want, "completed") {
				t.Errorf("%s: %+v, %d", tt.name, x, w.body.Len())
			}
			if lost := w.sent.Get(lossHeader); tt.status == 200 && !strings.HasPrefix(lost, "background=dropped") && tt.n == "1" {
				t.Errorf("%s: lost %q", tt.name, lost)
			}
		})
	}

	// Where heartbeats are off, nothing begins before its time.
	synctest.Test(t, func(t *testing.T) {
		r := speaking(t, []string{protocol.Gemini}, slow(refusal))
		r.settings.Timeouts.Heartbeat = 0
		c := r.drawingCall(`{"model":"m","prompt":"a cat","stream":true}`)
		c.Stream = true
		if w := r.run(c); w.status != 400 {
			t.Errorf("off: %d %s", w.status, w.text())
		}
	})
}
