package relay

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
)

var counts = map[string]struct{ path, answer, member string }{
	"anthropic":        {"/v1/messages/count_tokens", `{"input_tokens":42}`, "input_tokens"},
	"openai-responses": {"/responses/input_tokens", `{"object":"response.input_tokens","input_tokens":42}`, "input_tokens"},
	"gemini":           {"/models/m:countTokens", `{"totalTokens":42}`, "totalTokens"},
}

func (r *rig) countCall(name string) *Call {
	c := r.call(dialects[name], false)
	c.Op, c.Path = protocol.Count, counts[name].path
	return c
}

// TestCountExact: where the upstream counts, its answer passes as it is.
func TestCountExact(t *testing.T) {
	for name, count := range counts {
		r := newRig(t, replyWith(200, "application/json", count.answer))
		w := r.run(r.countCall(name))
		if w.status != 200 || w.text() != count.answer || w.sent.Get(countHeader) != "exact" {
			t.Errorf("%s: status %d, headers %v, body %s", name, w.status, w.sent, w.text())
		}
		if x := r.ledger.last(); x.Estimated || x.Usage.Total() != 0 || x.Op != "count" {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

// TestCountEstimate: where nobody counts, or nobody can now, the answer is an
// estimate and never 0, and no account is the worse for it.
func TestCountEstimate(t *testing.T) {
	for name, count := range counts {
		for how, up := range map[string]upstream{
			"not offered":    nil,
			"no endpoint":    replyWith(404, "application/json", `{"error":{"message":"not found"}}`),
			"no page":        replyWith(404, "text/html", "<html>not found</html>"),
			"no method":      replyWith(405, "application/json", `{"detail":"Method Not Allowed"}`),
			"not built":      replyWith(501, "application/json", `{}`),
			"limited":        replyWith(429, "application/json", `{"error":{"message":"slow down"}}`),
			"down":           replyWith(500, "application/json", `{}`),
			"unreachable":    failing(errors.New("connection reset")),
			"no such answer": replyWith(200, "application/json", `{"hello":1}`),
		} {
			r := newRig(t, up)
			if up == nil {
				r.vendor.takes = []protocol.Op{protocol.Chat}
			}
			w := r.run(r.countCall(name))
			n, ok := jsonedit.Int(jsonedit.Get(w.body.Bytes(), count.member))
			if w.status != 200 || !ok || n < 1 || n > 100 || w.sent.Get(countHeader) != "estimate" {
				t.Errorf("%s, %s: status %d, headers %v, body %s", name, how, w.status, w.sent, w.text())
			}
			if x := r.ledger.last(); !x.Estimated || x.Status != 200 || x.Fault != "" || x.Account != "" {
				t.Errorf("%s, %s: %+v", name, how, x)
			}
			if v := r.pool.Views()[0]; how != "limited" && (v.Health.State != 0 || len(v.Models) != 0 && how != "down" && how != "unreachable") || len(r.asked) > 2 {
				t.Errorf("%s, %s: asked %d times, %+v", name, how, len(r.asked), v)
			}
		}
	}
}

// TestCountRefused: what is wrong with the request is told.
func TestCountRefused(t *testing.T) {
	const body = `{"type":"error","error":{"type":"invalid_request_error","message":"messages: at least one message is required"}}`
	r := newRig(t, replyWith(400, "application/json", body))
	if w := r.run(r.countCall("anthropic")); w.status != 400 || w.text() != body {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
	r = newRig(t)
	if w := r.run(r.countCall("anthropic")); w.status != 404 || !strings.Contains(w.text(), "no account") {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
}

// TestCountAsksOnce: an endpoint that one account does not have is not looked
// for at all the others.
func TestCountAsksOnce(t *testing.T) {
	missing := replyWith(http.StatusNotFound, "application/json", `{}`)
	r := newRig(t, missing, missing, missing)
	if r.run(r.countCall("anthropic")); len(r.asked) != 1 {
		t.Errorf("asked %v", r.asked)
	}
}

// TestCountTranslated: an upstream of another protocol that counts is asked to,
// with a request that its counter takes, and its count is told as exact. Chat
// has no counter, and its upstreams' models are estimated.
func TestCountTranslated(t *testing.T) {
	bodies := map[string]string{
		protocol.Anthropic:       `{"model":"m","system":"be kind","messages":[{"role":"user","content":"hello"}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`,
		protocol.OpenAIResponses: `{"model":"m","instructions":"be kind","input":"hello","tools":[{"type":"function","name":"f","parameters":{"type":"object"}}]}`,
		protocol.Gemini:          `{"generateContentRequest":{"model":"models/m","systemInstruction":{"parts":[{"text":"be kind"}]},"contents":[{"role":"user","parts":[{"text":"hello"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}]}}`,
	}
	for client, count := range counts {
		for _, up := range allCodecs {
			if up.Name() == client {
				continue
			}
			name := up.Name() + " for a client of " + client
			counter, counts := up.(protocol.Counted)
			var got seen
			answer := replyWith(404, "application/json", `{}`)
			if counts {
				answer = replyWith(200, "application/json", "{\"input_tokens\":42,\"totalTokens\":42}")
			}
			r := speaking(t, []string{up.Name()}, watching(&got, answer))
			c := r.countCall(client)
			c.Body = []byte(bodies[client])
			w := r.run(c)
			n, _ := jsonedit.Int(jsonedit.Get(w.body.Bytes(), count.member))
			if w.status != 200 || n < 1 {
				t.Errorf("%s: status %d, body %s", name, w.status, w.text())
			}
			if !counts {
				if how := w.sent.Get(countHeader); how != "estimate" || len(r.asked) > 0 {
					t.Errorf("%s: %s, asked %v", name, how, r.asked)
				}
				continue
			}
			path, _ := counter.AskCount([]byte(`{}`), "m")
			if how := w.sent.Get(countHeader); how != "exact" || n != 42 || got.path != path || got.query != "" {
				t.Errorf("%s: %s %d of %s?%s", name, how, n, got.path, got.query)
			}
			for _, s := range []string{"be kind", "hello", `"f"`, `"m"`, `models/m"`} {
				if (s != `"m"` || up.Name() != protocol.Gemini) && (s != `models/m"` || up.Name() == protocol.Gemini) && !strings.Contains(string(got.body), s) {
					t.Errorf("%s: no %s in %s", name, s, got.body)
				}
			}
			for _, s := range []string{"max_tokens", "max_output_tokens", `"stream"`, `"store"`, "include"} {
				if strings.Contains(string(got.body), s) {
					t.Errorf("%s: %s in %s", name, s, got.body)
				}
			}
			if x := r.ledger.last(); x.Estimated || x.Usage.Total() != 0 || x.Account == "" || len(x.Losses) > 0 {
				t.Errorf("%s: %+v", name, x)
			}
		}
	}
}
