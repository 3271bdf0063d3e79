package relay

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/internal/llm"
	"portico/internal/protocol"
)

func (r *rig) drawingCall(body string) *Call {
	c := r.call(dialects["openai-chat"], false)
	c.Op, c.Path, c.Body, c.Start = protocol.Other, "/images/generations", []byte(body), time.Unix(9, 0)
	return c
}

// TestDrawings: pictures that OpenAI's API is asked for are drawn by a model of
// Google's, one request for each.
func TestDrawings(t *testing.T) {
	const answer = `{"candidates":[{"content":{"role":"model","parts":[{"text":"Here."},{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8}}`
	var got seen
	r := speaking(t, []string{"gemini"}, watching(&got, replyWith(200, "application/json", answer)))
	w := r.run(r.drawingCall(`{"model":"m","prompt":"a cat","n":2,"size":"1536x1024","background":"opaque"}`))
	const want = `{"created":9,"data":[{"b64_json":"aGk="},{"b64_json":"aGk="}],"output_format":"png","usage":{"input_tokens":6,"input_tokens_details":{"text_tokens":6,"image_tokens":0},"output_tokens":10,"total_tokens":16}}`
	if w.status != 200 || w.text() != want || w.sent.Get("X-Portico-Loss") != "background=dropped: the model has no such setting" {
		t.Errorf("%d %v\n%s", w.status, w.sent, w.text())
	}
	if got.path != "/models/m:generateContent" || !strings.Contains(string(got.body), `"imageConfig":{"aspectRatio":"3:2"}`) || len(r.asked) != 2 {
		t.Errorf("asked %d times, %s\n%s", len(r.asked), got.path, got.body)
	}
	if x := r.ledger.last(); x.Outbound != protocol.Gemini || x.Usage != (llm.Usage{Input: 6, Output: 10}) || len(x.Losses) != 1 {
		t.Errorf("%+v", x)
	}

	// An account that has the API itself is asked in it.
	r = speaking(t, []string{"gemini openai-chat"}, watching(&got, replyWith(200, "application/json", `{"data":[]}`)))
	if w = r.run(r.drawingCall(`{"model":"m","prompt":"a cat"}`)); got.path != "/images/generations" || w.text() != `{"data":[]}` {
		t.Errorf("asked %s: %s", got.path, w.text())
	}
}

// TestDrawingsFail: a model that will not draw is quoted, in the client's
// dialect, and nobody else is asked.
func TestDrawingsFail(t *testing.T) {
	const refused = `{"candidates":[{"finishReason":"IMAGE_SAFETY"}]}`
	r := speaking(t, []string{"gemini", "gemini"}, replyWith(200, "application/json", refused), replyWith(200, "application/json", refused))
	if w := r.run(r.drawingCall(`{"model":"m","prompt":"a cat"}`)); w.status != 400 || len(r.asked) != 1 || !strings.Contains(w.text(), "refused to draw") {
		t.Errorf("%d %s, asked %v", w.status, w.text(), r.asked)
	}
	r = speaking(t, []string{"gemini"}, replyWith(200, "application/json", dialects["gemini"].whole))
	if w := r.run(r.drawingCall(`{"model":"m","prompt":"a cat"}`)); w.status != http.StatusServiceUnavailable || !strings.Contains(w.text(), "no picture") {
		t.Errorf("%d %s", w.status, w.text())
	}
	r = speaking(t, []string{"gemini"}, failing(nil))
	if w := r.run(r.drawingCall(`{"model":"m","n":2}`)); w.status != 400 || len(r.asked) != 0 || !strings.Contains(w.text(), "no prompt") {
		t.Errorf("%d %s", w.status, w.text())
	}
}
