package relay

import (
	"net/http"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// embeddingCall asks for embeddings in the protocol of d.
func (r *rig) embeddingCall(d *dialect, path, body string) *Call {
	c := r.call(d, false)
	c.Op, c.Path, c.Body = protocol.Embed, path, []byte(body)
	return c
}

// googleVectors answers batches: one vector for each text, that holds its
// number in the whole request.
func googleVectors(n *int, bodies *[]string) upstream {
	return func(_ *http.Request, body []byte) (*http.Response, error) {
		*bodies = append(*bodies, string(body))
		var out []string
		for range strings.Count(string(body), `"text":`) {
			out = append(out, `{"values":[`+strings.Repeat("1", *n%3+1)+`,-0.5]}`)
			*n++
		}
		return answerOf(200, "application/json", `{"embeddings":[`+strings.Join(out, ",")+`]}`), nil
	}
}

// TestEmbeddingsByGoogle: a client of OpenAI's gets vectors of Google's.
func TestEmbeddingsByGoogle(t *testing.T) {
	var got seen
	r := speaking(t, []string{"gemini"}, watching(&got, replyWith(200, "application/json", `{"embeddings":[{"values":[0.125,-1]},{"values":[1e-3,2]}],"usageMetadata":{"promptTokenCount":5}}`)))
	w := r.run(r.embeddingCall(dialects["openai-chat"], "/embeddings", `{"model":"m","input":["a","b<\u00e9"],"dimensions":2,"user":"u"}`))
	const want = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.125,-1]},{"object":"embedding","index":1,"embedding":[1e-3,2]}],"model":"m","usage":{"prompt_tokens":5,"total_tokens":5}}`
	if w.status != 200 || w.text() != want || w.sent.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v\n%s", w.status, w.sent, w.text())
	}
	const asked = `{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"outputDimensionality":2},{"model":"models/m","content":{"parts":[{"text":"b<\u00e9"}]},"outputDimensionality":2}]}`
	if got.path != "/models/m:batchEmbedContents" || string(got.body) != asked {
		t.Errorf("asked %s\n%s", got.path, got.body)
	}
	if x := r.ledger.last(); x.Op != "embed" || x.Outbound != protocol.Gemini || x.Usage != (llm.Usage{Input: 5}) || len(x.Losses) != 0 {
		t.Errorf("%+v", x)
	}
	w = r.run(r.embeddingCall(dialects["openai-chat"], "/embeddings", `{"model":"m","input":["a","b"],"encoding_format":"base64"}`))
	if !strings.Contains(w.text(), `"embedding":"AAAAPgAAgL8="`) {
		t.Errorf("encoded: %s", w.text())
	}
}

// TestEmbeddingsInBatches: what Google does not take at once is asked for in
// turn, from one model, and counted by guess if nobody counts.
func TestEmbeddingsInBatches(t *testing.T) {
	var n int
	var bodies []string
	r := speaking(t, []string{"gemini"}, googleVectors(&n, &bodies))
	input := strings.Repeat(`"some text",`, 249) + `"the last"`
	w := r.run(r.embeddingCall(dialects["openai-chat"], "/embeddings", `{"model":"m","input":[`+input+`]}`))
	if w.status != 200 || len(bodies) != 3 || strings.Count(bodies[2], `"text":`) != 50 || strings.Count(w.text(), `"object":"embedding"`) != 250 {
		t.Fatalf("%d after %d requests: %.300s", w.status, len(bodies), w.text())
	}
	if !strings.Contains(w.text(), `"index":249,"embedding":[1,-0.5]`) || strings.Contains(w.text(), `"prompt_tokens":0`) {
		t.Errorf("%s", w.text()[len(w.text())-300:])
	}

	// A second model's vectors do not go with the first one's.
	n, bodies = 0, nil
	good := googleVectors(&n, &bodies)
	failing := func(out *http.Request, body []byte) (*http.Response, error) {
		if len(bodies) > 0 {
			return answerOf(500, "application/json", dialects["gemini"].errorBody), nil
		}
		return good(out, body)
	}
	r = speaking(t, []string{"gemini", "gemini"}, failing, good)
	all := r.accounts()
	all[0], all[1] = only(all[0], "m"), only(all[1], "other")
	r.pool.Set(all)
	r.routes(rule("m", "m", "other"))
	w = r.run(r.embeddingCall(dialects["openai-chat"], "/embeddings", `{"model":"m","input":[`+input+`]}`))
	if w.status < 400 || len(bodies) != 1 {
		t.Errorf("%d after %d batches: %.300s", w.status, len(bodies), w.text())
	}
}

// TestEmbeddingsByOpenAI: a client of Google's gets vectors of OpenAI's.
func TestEmbeddingsByOpenAI(t *testing.T) {
	const answer = `{"object":"list","model":"text-embedding-3-small","data":[{"object":"embedding","index":1,"embedding":[2]},{"object":"embedding","index":0,"embedding":[1]}],"usage":{"prompt_tokens":5,"total_tokens":5}}`
	for _, tt := range []struct{ method, body, answer, asked, want, lost string }{
		{
			"batchEmbedContents", `{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"},{"text":"b"}]},"outputDimensionality":1},{"content":{"parts":[{"text":"c"}]},"output_dimensionality":1}]}`,
			answer, `{"model":"m","input":["a\nb","c"],"dimensions":1,"encoding_format":"float"}`,
			`{"embeddings":[{"values":[1]},{"values":[2]}],"usageMetadata":{"promptTokenCount":5}}`, "",
		},
		{
			"embedContent", `{"content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","title":"t"}`,
			`{"object":"list","data":[{"index":0,"embedding":"AAAAPgAAgL8="}]}`, `{"model":"m","input":["a"],"encoding_format":"float"}`,
			`{"embedding":{"values":[0.125,-1]}}`, "taskType=dropped: OpenAI's vectors are the same for every task",
		},
	} {
		var got seen
		r := speaking(t, []string{"openai-chat"}, watching(&got, replyWith(200, "application/json", tt.answer)))
		c := r.embeddingCall(dialects["gemini"], "/models/m:"+tt.method, tt.body)
		w := r.run(c)
		if w.status != 200 || w.text() != tt.want || got.path != "/embeddings" || string(got.body) != tt.asked {
			t.Errorf("%s: %d %s\nasked %s %s", tt.method, w.status, w.text(), got.path, got.body)
		}
		if x := r.ledger.last(); strings.Join(x.Losses, ",") != "" && tt.lost == "" || tt.lost != "" && (len(x.Losses) != 2 || x.Losses[0] != tt.lost || w.sent.Get("X-Portico-Loss") == "") {
			t.Errorf("%s: %+v", tt.method, x)
		}
		c = r.embeddingCall(dialects["gemini"], "/models/m:"+tt.method, tt.body)
		c.Header.Set("X-Portico-Strict", "1")
		if w = r.run(c); (w.status == 400) != (tt.lost != "") {
			t.Errorf("%s, strict: %d %s", tt.method, w.status, w.text())
		}
	}
}

// TestEmbeddingsFail: errors are told in the client's dialect, nonsense is a
// broken upstream, and what cannot cross is refused.
func TestEmbeddingsFail(t *testing.T) {
	chat, gem := dialects["openai-chat"], dialects["gemini"]
	const ask, asked = `{"model":"m","input":["a"]}`, `{"content":{"parts":[{"text":"a"}]}}`
	for name, tt := range map[string]struct {
		d          *dialect
		path, body string
		status     int // of the upstream
		answer     string
		want       int
		says       string
	}{
		"refused by Google":     {chat, "/embeddings", ask, 400, `{"error":{"code":400,"message":"no such thing","status":"INVALID_ARGUMENT"}}`, 400, `"type":"invalid_request_error"`},
		"refused by OpenAI":     {gem, "/models/m:embedContent", asked, 400, `{"error":{"message":"no such thing","type":"invalid_request_error"}}`, 400, `"status":"INVALID_ARGUMENT"`},
		"too few vectors":       {chat, "/embeddings", ask, 200, `{"embeddings":[]}`, 503, "embeddings make no sense"},
		"no vectors":            {gem, "/models/m:embedContent", asked, 200, `{"data":[{"index":0,"embedding":["x"]}]}`, 503, "embeddings make no sense"},
		"token numbers":         {chat, "/embeddings", `{"model":"m","input":[1,2]}`, 0, "", 400, "send the input as text"},
		"a picture":             {gem, "/models/m:embedContent", `{"content":{"parts":[{"inlineData":{}}]}}`, 0, "", 400, "nothing but text"},
		"vectors of two sizes":  {gem, "/models/m:batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":1},{"content":{"parts":[{"text":"a"}]},"outputDimensionality":2}]}`, 0, "", 400, "different sizes"},
		"nothing":               {chat, "/embeddings", `{"model":"m"}`, 0, "", 400, "no input"},
		"a size that is no one": {chat, "/embeddings", `{"model":"m","input":"a","dimensions":-1}`, 0, "", 400, "whole number"},
	} {
		other := "gemini"
		if tt.d == gem {
			other = "openai-chat"
		}
		r := speaking(t, []string{other}, replyWith(tt.status, "application/json", tt.answer))
		w := r.run(r.embeddingCall(tt.d, tt.path, tt.body))
		if w.status != tt.want || !strings.Contains(w.text(), tt.says) || (len(r.asked) == 0) != (tt.status == 0) {
			t.Errorf("%s: %d %s, asked %v", name, w.status, w.text(), r.asked)
		}
	}
}
