package relay

import (
	"context"
	"encoding/json/jsontext"
	"net/http"
	"strings"
	"sync"
	"testing"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
	"portico/internal/translate"
)

var allCodecs = []protocol.Codec{openaichat.New(), openairesponses.New(), anthropic.New(), gemini.New()}

// speaking is a rig whose accounts each speak one protocol.
func speaking(t testing.TB, protocols []string, ups ...upstream) *rig {
	r := newRig(t, ups...)
	r.relay = New(Options{Pool: r.pool, Record: r.ledger, Hop: "hop0123456789abcdef", Agent: "Portico/test", Codecs: allCodecs})
	for i := range r.all {
		r.all[i].Protocols = strings.Split(protocols[i], " ")
	}
	r.pool.Set(r.all)
	return r
}

// seen is what an upstream was asked.
type seen struct {
	path, query string
	body        []byte
	header      http.Header
}

func watching(s *seen, up upstream) upstream {
	var mu sync.Mutex
	return func(out *http.Request, body []byte) (*http.Response, error) {
		mu.Lock()
		*s = seen{out.URL.Path, out.URL.RawQuery, body, out.Header.Clone()}
		mu.Unlock()
		return up(out, body)
	}
}

// text is what a client of d reads in an answer.
func (d *dialect) text(t *testing.T, answer string, streamed bool) string {
	t.Helper()
	codec := d.codec.(protocol.Translator)
	var r *llm.Response
	var err error
	if streamed {
		r, err = codectest.Fold(codec.NewDecoder(), []byte(answer))
	} else {
		r, err = codec.DecodeResponse([]byte(answer))
	}
	if err != nil || len(r.Answers) != 1 {
		t.Fatalf("%v in\n%s", err, answer)
	}
	var b strings.Builder
	for _, p := range r.Answers[0].Parts {
		if p, ok := p.(*llm.Prose); ok {
			b.WriteString(p.Text.String())
		}
	}
	return b.String()
}

var paths = map[string][2]string{ // whole, streamed
	protocol.OpenAIChat:      {"/chat/completions", "/chat/completions"},
	protocol.OpenAIResponses: {"/responses", "/responses"},
	protocol.Anthropic:       {"/v1/messages", "/v1/messages"},
	protocol.Gemini:          {"/models/m:generateContent", "/models/m:streamGenerateContent"},
}

// TestTranslated: a client of each protocol is served by an upstream of each
// other, whole and streamed, also where the upstream streams nothing.
func TestTranslated(t *testing.T) {
	for inbound, client := range dialects {
		for outbound, up := range dialects {
			if inbound == outbound {
				continue
			}
			for _, stream := range []bool{false, true} {
				answers := map[string]upstream{"as asked": replyWith(200, "application/json", up.whole)}
				if stream {
					answers = map[string]upstream{"as asked": streaming(up.parts()...), "whole": replyWith(200, "application/json", " "+up.whole)}
				}
				for how, answer := range answers {
					name := inbound + " by " + outbound + ", " + how
					var got seen
					r := speaking(t, []string{outbound}, watching(&got, answer))
					w := r.run(r.call(client, stream))
					want := "hi"
					if stream && how == "as asked" {
						want = "hello"
					}
					if text := client.text(t, w.text(), stream); w.status != 200 || text != want {
						t.Errorf("%s: %d, %q, want %q in\n%s", name, w.status, text, want, w.text())
					}
					i := 0
					kind := "application/json"
					if stream {
						i, kind = 1, "text/event-stream"
					}
					if got.path != paths[outbound][i] || (got.query == "alt=sse") != (stream && outbound == protocol.Gemini) || !jsontext.Value(got.body).IsValid() {
						t.Errorf("%s: asked %s?%s: %s", name, got.path, got.query, got.body)
					}
					if got.header.Get("Content-Type") != "application/json" || got.header.Get("Anthropic-Beta") != "" {
						t.Errorf("%s: asked with %v", name, got.header)
					}
					if ct := w.sent.Get("Content-Type"); !strings.HasPrefix(ct, kind) {
						t.Errorf("%s: content type %s", name, ct)
					}
					x := r.ledger.last()
					if x.Inbound != inbound || x.Outbound != outbound || x.Usage != (llm.Usage{Input: 7, Output: 3}) || x.BytesOut != int64(w.body.Len()) || x.Partial || x.Fault != "" {
						t.Errorf("%s: %+v", name, x)
					}
				}
			}
		}
	}
}

// TestTranslatedChoice: an account that speaks the client's protocol is asked
// in it; another one in its own first.
func TestTranslatedChoice(t *testing.T) {
	for speaks, want := range map[string]string{
		"openai-chat anthropic":               protocol.Anthropic,
		"openai-chat openai-responses":        protocol.OpenAIChat,
		"openai-responses openai-chat":        protocol.OpenAIResponses,
		"gemini openai-chat openai-responses": protocol.Gemini,
		"openai-responses gemini anthropic":   protocol.Anthropic,
		"gemini openai-responses openai-chat": protocol.Gemini,
	} {
		r := speaking(t, []string{speaks}, replyWith(200, "application/json", dialects[want].whole))
		w := r.run(r.call(dialects["anthropic"], false))
		if x := r.ledger.last(); x.Outbound != want || w.status != 200 {
			t.Errorf("%s: asked in %s, answered %d: %s", speaks, x.Outbound, w.status, w.text())
		}
	}
}

// TestTranslatedFailover: accounts of any protocol stand in for one another.
func TestTranslatedFailover(t *testing.T) {
	r := speaking(t, []string{"anthropic", "openai-chat", "gemini"},
		replyWith(529, "application/json", dialects["anthropic"].errorBody),
		streaming(dialects["openai-chat"].prelude[0], dialects["openai-chat"].errorEvent),
		streaming(dialects["gemini"].parts()...))
	for i := range r.all { // who names a model serves it in any protocol
		r.all[i] = only(r.all[i], "m")
	}
	r.pool.Set(r.all)
	w := r.run(r.call(dialects["anthropic"], true))
	if text := dialects["anthropic"].text(t, w.text(), true); text != "hello" || strings.Join(r.asked, "") != "abc" {
		t.Errorf("%q from %v", text, r.asked)
	}
	if x := r.ledger.last(); x.Outbound != protocol.Gemini || len(x.Attempts) != 3 {
		t.Errorf("%+v", x)
	}
}

// TestTranslatedErrors: whatever an upstream's error looks like, the client
// reads one of its own.
func TestTranslatedErrors(t *testing.T) {
	for inbound, client := range dialects {
		for outbound, up := range dialects {
			if inbound == outbound {
				continue
			}
			r := speaking(t, []string{outbound}, replyWith(400, "application/json", up.errorBody))
			w := r.run(r.call(client, true))
			sign := client.codec.DecodeError(w.status, w.body.Bytes())
			if w.status != 400 || !strings.Contains(sign.Message, "it burns") {
				t.Errorf("%s by %s: %d %s", inbound, outbound, w.status, w.text())
			}
			// One that breaks off is told in the client's own stream.
			r = speaking(t, []string{outbound}, streaming(append(append(append([]string{}, up.prelude...), up.middle...), up.errorEvent)...))
			w = newClient()
			r.do(context.Background(), w, r.call(client, true))
			if text := w.text(); !strings.Contains(text, client.broke) || strings.Contains(text, client.success) {
				t.Errorf("%s by %s: %s", inbound, outbound, text)
			}
			if x := r.ledger.last(); !x.Partial || x.Fault == "" {
				t.Errorf("%s by %s: %+v", inbound, outbound, x)
			}
		}
	}
}

// TestTranslatedLosses: what does not cross is told, and refused to those who
// want no losses.
func TestTranslatedLosses(t *testing.T) {
	r := speaking(t, []string{"openai-responses"}, replyWith(200, "application/json", dialects["openai-responses"].whole))
	c := r.call(dialects["openai-chat"], false)
	c.Body = []byte(`{"model":"m","messages":[{"role":"user","content":"hello"}],"seed":7}`)
	w := r.run(c)
	const want = "seed=dropped: the upstream has no such setting"
	if got := w.sent.Get("X-Portico-Loss"); got != want {
		t.Errorf("the header tells %q", got)
	}
	if x := r.ledger.last(); len(x.Losses) != 1 || x.Losses[0] != want {
		t.Errorf("the ledger tells %q", x.Losses)
	}
	c = r.call(dialects["openai-chat"], false)
	c.Body = []byte(`{"model":"m","messages":[{"role":"user","content":"hello"}],"seed":7}`)
	c.Header.Set("X-Portico-Strict", "1")
	if w = r.run(c); w.status != 400 || !strings.Contains(w.text(), "lossy") || len(r.asked) != 1 {
		t.Errorf("%d %s", w.status, w.text())
	}
	c = r.call(dialects["openai-chat"], false)
	c.Header.Set("X-Portico-Strict", "1")
	if w = r.run(c); w.status != 200 {
		t.Errorf("without a loss: %d %s", w.status, w.text())
	}
}

// TestUnfit: a request that cannot cross at all is refused as what it is.
func TestUnfit(t *testing.T) {
	r := speaking(t, []string{"anthropic"}, failing(nil))
	c := r.call(dialects["openai-responses"], false)
	c.Body = []byte(`{"model":"m","input":"go on","previous_response_id":"resp_9"}`)
	w := r.run(c)
	if w.status != 400 || !strings.Contains(w.text(), "previous_response_not_found") || len(r.asked) != 0 {
		t.Errorf("%d %s, asked %v", w.status, w.text(), r.asked)
	}
}

// TestCompletionTranslated: a legacy completion goes over any protocol, one
// answer for each prompt.
func TestCompletionTranslated(t *testing.T) {
	for _, outbound := range []string{protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini} {
		up := dialects[outbound]
		for _, stream := range []bool{false, true} {
			answer := replyWith(200, "application/json", up.whole)
			body := `{"model":"m","prompt":["A","B"]}`
			said := `"text":"hi"`
			if stream {
				answer = streaming(up.parts()...)
				body = `{"model":"m","prompt":["A","B"],"stream":true,"stream_options":{"include_usage":true}}`
				said = `"text":"llo"`
			}
			r := speaking(t, []string{outbound}, answer)
			w := r.run(r.completionCall(body))
			text := w.text()
			if w.status != 200 || strings.Count(text, said) != 2 || !strings.Contains(text, `"index":1`) || !strings.Contains(text, `"total_tokens":20`) || strings.Contains(text, "[DONE]") != stream {
				t.Errorf("%s, stream %v: %d %s", outbound, stream, w.status, text)
			}
			if x := r.ledger.last(); x.Usage != (llm.Usage{Input: 14, Output: 6}) || len(x.Attempts) != 2 || x.Outbound != outbound {
				t.Errorf("%s, stream %v: %+v", outbound, stream, x)
			}
		}
	}
}

// TestArray: Gemini's clients that ask for no events get an array.
func TestArray(t *testing.T) {
	r := speaking(t, []string{"openai-chat"}, streaming(dialects["openai-chat"].parts()...))
	c := r.call(dialects["gemini"], true)
	c.Codec = gemini.NewArray()
	w := r.run(c)
	if ct := w.sent.Get("Content-Type"); ct != "application/json" || !jsontext.Value(w.body.Bytes()).IsValid() || w.text()[0] != '[' {
		t.Errorf("%s: %s", ct, w.text())
	}
}

// sealedBy is a conversation with a seal that another protocol's upstream made.
func sealedBy(t *testing.T, client, upstream string, r *rig) string {
	t.Helper()
	codec := dialects[client].codec.(protocol.Translator)
	b, err := translate.New(codec, dialects[upstream].codec.(protocol.Translator), []byte(dialects[client].request), translate.Options{ID: "x", Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Request(upstreamOf(r.call(dialects[client], false), &pool.Account{Account: r.all[0].Account, By: r.vendor}, "m", false)); err != nil {
		t.Fatal(err)
	}
	out, err := b.Whole([]byte(`{"id":"r1","object":"response","status":"completed","model":"m","output":[{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"why"}],"encrypted_content":"c2VhbA=="},` +
		`{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hi"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	i := strings.Index(string(out), `"content":[`)
	j := strings.Index(string(out), `],"stop_reason"`)
	return `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":[` + string(out[i+len(`"content":[`):j]) + `]},{"role":"user","content":"more"}]}`
}

// TestSealsStayAtHome: what was sealed for a client by one upstream goes back
// to it, and to no other, whatever protocol that speaks (trap X24).
func TestSealsStayAtHome(t *testing.T) {
	var got seen
	r := speaking(t, []string{"openai-responses"}, watching(&got, replyWith(200, "application/json", dialects["openai-responses"].whole)))
	body := sealedBy(t, protocol.Anthropic, protocol.OpenAIResponses, r)
	if !strings.Contains(body, translate.SealMark) {
		t.Fatal(body)
	}
	c := r.call(dialects["anthropic"], false)
	c.Body = []byte(body)
	if w := r.run(c); w.status != 200 || !strings.Contains(string(got.body), `"encrypted_content":"c2VhbA=="`) {
		t.Errorf("%d, its issuer is told %s", w.status, got.body)
	}
	r = speaking(t, []string{"anthropic"}, watching(&got, replyWith(200, "application/json", dialects["anthropic"].whole)))
	c = r.call(dialects["anthropic"], false)
	c.Body = []byte(body)
	w := r.run(c)
	if w.status != 200 || strings.Contains(string(got.body), translate.SealMark) || !strings.Contains(string(got.body), `"hi"`) || strings.Contains(string(got.body), "thinking") {
		t.Errorf("%d, another is told %s", w.status, got.body)
	}
	if x := r.ledger.last(); len(x.Losses) == 0 || w.sent.Get("X-Portico-Loss") == "" {
		t.Errorf("it is lost in silence: %+v", x)
	}
}

// TestSealMismatch: an upstream that refuses a seal is asked once more without
// any, in its own protocol and in another.
func TestSealMismatch(t *testing.T) {
	const own = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":[{"type":"thinking","thinking":"why","signature":"other"},{"type":"text","text":"hi"}]},{"role":"user","content":"more"}]}`
	var bodies []string
	refusing := func(_ *http.Request, body []byte) (*http.Response, error) {
		bodies = append(bodies, string(body))
		if strings.Contains(string(body), "signature") {
			return answerOf(400, "application/json", `{"type":"error","error":{"type":"invalid_request_error","message":"Invalid `+"`signature`"+` in thinking block"}}`), nil
		}
		return answerOf(200, "application/json", dialects["anthropic"].whole), nil
	}
	r := speaking(t, []string{"anthropic"}, refusing)
	r.vendor.rules = sealRules
	c := r.call(dialects["anthropic"], false)
	c.Body = []byte(own)
	w := r.run(c)
	if w.status != 200 || len(bodies) != 2 || strings.Contains(bodies[1], "thinking") || !strings.Contains(bodies[1], `"hi"`) {
		t.Errorf("%d after %q", w.status, bodies)
	}
	x := r.ledger.last()
	if len(x.Attempts) != 2 || x.Attempts[0].Step != Again.String() || len(x.Losses) == 0 {
		t.Errorf("%+v", x)
	}
	// It is tried once only.
	bodies = nil
	r = speaking(t, []string{"anthropic"}, func(_ *http.Request, body []byte) (*http.Response, error) {
		bodies = append(bodies, string(body))
		return answerOf(400, "application/json", `{"type":"error","error":{"type":"invalid_request_error","message":"Invalid `+"`signature`"+` in thinking block"}}`), nil
	})
	r.vendor.rules = sealRules
	c = r.call(dialects["anthropic"], false)
	c.Body = []byte(own)
	if w = r.run(c); w.status != 400 || len(bodies) != 2 {
		t.Errorf("%d after %d tries", w.status, len(bodies))
	}
}

var sealRules = fault.Rules{{Status: 400, Says: "Invalid `signature`", Class: fault.SealMismatch, Scope: fault.Request}}
