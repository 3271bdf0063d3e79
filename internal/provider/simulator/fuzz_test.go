package simulator

import (
	"encoding/json/jsontext"
	"testing"

	"portico/internal/protocol"
)

// places are the addresses that read a body.
var places = []struct{ dialect, path string }{
	{protocol.OpenAIChat, "/chat/completions"},
	{protocol.OpenAIResponses, "/responses"},
	{protocol.Anthropic, "/v1/messages"},
	{protocol.Gemini, "/models/m:generateContent"},
	{protocol.Gemini, "/models/m:streamGenerateContent?alt=sse"},
	{protocol.Gemini, "/models/m:streamGenerateContent"},
	{protocol.OpenAIResponses, "/responses/input_tokens"},
	{protocol.Anthropic, "/v1/messages/count_tokens"},
	{protocol.Gemini, "/models/m:countTokens"},
	{protocol.OpenAIChat, "/embeddings"},
	{protocol.Gemini, "/models/m:embedContent"},
	{protocol.Gemini, "/models/m:batchEmbedContents"},
	{protocol.OpenAIChat, "/images/generations"},
	{protocol.OpenAIChat, "/moderations"},
	{protocol.OpenAIChat, "/audio/speech"},
	{protocol.OpenAIChat, "/audio/transcriptions"},
}

// FuzzRequest sends any bytes anywhere: what comes back is a lawful answer or
// an error in the dialect's own form.
func FuzzRequest(f *testing.F) {
	for i, p := range places {
		for _, w := range []wants{
			{said: "x [[tool:add]] [[think]] [[image]] [[cached:9]]", tools: true, think: "shown", system: "s", before: true, stop: "q", limit: 50},
			{said: "\xff[[say:\xf0\x9f]]", schema: addSchema, image: true, marks: true},
			{result: "x", tools: true, choice: "add"},
			{said: "[[long:50]]", copies: 2},
		} {
			for _, streamed := range []bool{false, true} {
				_, body := w.build(p.dialect, streamed)
				f.Add(byte(i), []byte(body))
			}
		}
		f.Add(byte(i), []byte(`{"input":["a",[1]],"prompt":"x","requests":[{"content":"x"}],"content":{}}`))
	}
	f.Add(byte(15), []byte("--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n1\r\n--x--"))
	f.Fuzz(func(t *testing.T, place byte, body []byte) {
		p := places[int(place)%len(places)]
		if d := parseDirectives(string(body)); len(d.mishaps) > 0 {
			return // what faults do is tested elsewhere
		}
		r := send(t, fixed(), p.dialect, p.path, string(body), "Content-Type", "multipart/form-data; boundary=x")
		if r.err != nil {
			t.Fatal(r.err)
		}
		switch {
		case r.StatusCode >= 400:
			if r.StatusCode != 400 || !jsontext.Value(r.body).IsValid() {
				t.Errorf("%d %s", r.StatusCode, r.body)
			}
			return
		case p.path == "/chat/completions":
			q, _, err := readChat(body)
			if err != nil {
				t.Fatal(err)
			}
			judgeChat(t, r.body, q.Stream, q.Stream && q.StreamOptions.IncludeUsage)
		case p.path == "/responses":
			judgeResponses(t, r.body, r.Header.Get("Content-Type") == eventStream)
		case p.path == "/v1/messages":
			judgeAnthropic(t, r.body, r.Header.Get("Content-Type") == eventStream)
		case p.dialect == protocol.Gemini && place%16 < 6:
			judgeGemini(t, r.body, place%16 > 3)
		case r.Header.Get("Content-Type") == "application/json" && !jsontext.Value(r.body).IsValid():
			t.Errorf("no JSON: %s", r.body)
		}
	})
}

// FuzzFault plays any fault: the words are understood or refused, and no
// answer outgrows the undisturbed one by more than the fault's own bytes.
func FuzzFault(f *testing.F) {
	for _, s := range []string{"cut:after=3", "status:429, retry-after:2", "end:bytes=9;error", "garbage", "html", "times=1 key=k overloaded", "error:after=2,code:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, words string) {
		ms, err := parseMishaps(words)
		for _, m := range ms {
			if m.kind == kindHang || m.delay > 0 || m.pace > 0 {
				return // takes as long as it says
			}
		}
		path, body := wants{said: "x"}.chat(true)
		full := send(t, fixed(), protocol.OpenAIChat, path, body)
		r := send(t, fixed(), protocol.OpenAIChat, path, body, Header, words)
		if r.Response == nil || (err != nil) != (r.StatusCode == 400 && len(ms) == 0) || len(r.body) > len(full.body)+2*maxMishapText+1024 {
			t.Errorf("%q: %v, %v, %s", words, err, r.err, r.body)
		}
	})
}
