package relay

import (
	"net/http"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// recording is a call for what is said in a recording.
func (r *rig) recording(stream bool, fields ...string) *Call {
	body := "--b\r\nContent-Disposition: form-data; name=file; filename=a.mp3\r\n\r\nID3\x04\r\n"
	for i := 0; i < len(fields); i += 2 {
		body += "--b\r\nContent-Disposition: form-data; name=" + fields[i] + "\r\n\r\n" + fields[i+1] + "\r\n"
	}
	c := r.call(dialects["openai-chat"], stream)
	c.Op, c.Path, c.Body = protocol.Other, "/audio/transcriptions", []byte(body+"--b--")
	c.Header = http.Header{"Content-Type": {"multipart/form-data; boundary=b"}}
	return c
}

// TestTranscriptions: a recording goes to a model of Google's that hears, whole
// and as a stream; what it cannot tell is a loss, or a refusal.
func TestTranscriptions(t *testing.T) {
	const answer = `{"candidates":[{"content":{"parts":[{"text":"Hello.\n"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":40,"candidatesTokenCount":2,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":32}]}}`
	const usage = `"usage":{"type":"tokens","input_tokens":40,"input_token_details":{"text_tokens":8,"audio_tokens":32},"output_tokens":2,"total_tokens":42}}`
	const streamed = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hello.\"}\n\ndata: {\"type\":\"transcript.text.done\",\"text\":\"Hello.\"," + usage + "\n\n"
	var got seen
	r := speaking(t, []string{"gemini"}, watching(&got, replyWith(200, "application/json", answer)))
	if w := r.run(r.recording(false)); w.status != 200 || w.text() != `{"text":"Hello.",`+usage || w.sent.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v %s", w.status, w.sent, w.text())
	}
	if got.path != "/models/m:generateContent" || !strings.Contains(string(got.body), `"mimeType":"audio/mp3","data":"SUQzBA=="`) || r.ledger.last().Usage != (llm.Usage{Input: 40, Output: 2, AudioIn: 32}) {
		t.Errorf("asked %s %s; %+v", got.path, got.body, r.ledger.last())
	}
	if w := r.run(r.recording(false, "response_format", "text")); w.text() != "Hello.\n" || !strings.HasPrefix(w.sent.Get("Content-Type"), "text/plain") {
		t.Errorf("text: %v %s", w.sent, w.text())
	}
	if w := r.run(r.recording(true, "stream", "true")); w.text() != streamed {
		t.Errorf("a whole answer as a stream: %s", w.text())
	}
	c := r.recording(false, "response_format", "srt")
	c.Header.Set("X-Portico-Strict", "1")
	if w := r.run(c); w.status != 400 || !strings.Contains(w.text(), `"code":"lossy"`) {
		t.Errorf("strict: %d %s", w.status, w.text())
	}
	if w := r.run(r.recording(false, "response_format", "diarized_json")); w.status != 400 || !strings.Contains(w.text(), "response_format") || len(r.asked) != 3 {
		t.Errorf("refused: %d %s, asked %d times", w.status, w.text(), len(r.asked))
	}

	r = speaking(t, []string{"gemini"}, watching(&got, streaming(strings.Split("data: "+answer+"\n\n", "")...)))
	if w := r.run(r.recording(true, "stream", "true")); w.status != 200 || w.text() != streamed || got.path != "/models/m:streamGenerateContent" || got.query != "alt=sse" {
		t.Errorf("a stream: %d %s, asked %s?%s", w.status, w.text(), got.path, got.query)
	}
	// An account that has the API itself gets the form as it is.
	r = speaking(t, []string{"gemini openai-chat"}, watching(&got, replyWith(200, "application/json", `{"text":"x"}`)))
	c = r.recording(false)
	if w := r.run(c); got.path != "/audio/transcriptions" || string(got.body) != string(c.Body) || w.text() != `{"text":"x"}` {
		t.Errorf("asked %s: %s", got.path, w.text())
	}
}
