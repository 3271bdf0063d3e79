package relay

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/llm"
	"portico/internal/protocol/openaichat"
	"portico/internal/route"
)

func TestPrefaced(t *testing.T) {
	for _, c := range []struct{ protocol, body, want string }{
		{"openai-chat", `{"messages":[{"role":"user","content":"x"}]}`, `{"messages":[{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"x"}]}`},
		{"openai-chat", `{"messages":[ ]}`, `{"messages":[{"role":"system","content":"Be \"brief\"."} ]}`},
		{"openai-responses", `{"input":"x"}`, `{"instructions":"Be \"brief\".","input":"x"}`},
		{"openai-responses", `{"instructions":"Old.","input":"x"}`, `{"instructions":"Be \"brief\".\n\nOld.","input":"x"}`},
		{"anthropic", `{"a":1}`, `{"system":"Be \"brief\".","a":1}`},
		{"anthropic", `{"system":"Old.","a":1}`, `{"system":"Be \"brief\".\n\nOld.","a":1}`},
		{"anthropic", `{"system":[{"type":"text","text":"Old."}]}`, `{"system":[{"type":"text","text":"Be \"brief\"."},{"type":"text","text":"Old."}]}`},
		{"gemini", `{"contents":[]}`, `{"systemInstruction":{"parts":[{"text":"Be \"brief\"."}]},"contents":[]}`},
		{"gemini", `{"system_instruction":{"parts":[{"text":"Old."}]}}`, `{"system_instruction":{"parts":[{"text":"Be \"brief\"."},{"text":"Old."}]}}`},
		{"openai-chat", `[]`, ``},
	} {
		got, err := prefaced(c.protocol, []byte(c.body), `Be "brief".`)
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %s:\n%s, %v, want\n%s", c.protocol, c.body, got, err, c.want)
		}
	}
}

func TestRethought(t *testing.T) {
	small := &catalog.Model{MaxOutput: 8000}
	for _, c := range []struct {
		name    string
		setting config.Thinking
		asked   llm.Reason
		model   string
		known   *catalog.Model
		want    thought
	}{
		{"custom", config.Thinking{Mode: "custom", Budget: 5000}, llm.Reason{Mode: llm.ReasonAuto}, "m", &catalog.Model{}, thought{"custom", 5000, ""}},
		{"custom beyond the model", config.Thinking{Mode: "custom", Budget: 50_000}, llm.Reason{Mode: llm.ReasonAuto}, "m", small, thought{"custom", 7999, ""}},
		{"custom for Gemini", config.Thinking{Mode: "custom", Budget: 50_000}, llm.Reason{Mode: llm.ReasonAuto}, "gemini-2.5-pro", &catalog.Model{}, thought{"custom", 24576, ""}},
		{"adaptive", config.Thinking{Mode: "adaptive", Effort: "low"}, llm.Reason{Mode: llm.ReasonBudget, Budget: 9}, "m", small, thought{"adaptive", 0, "low"}},
		{"auto within", config.Thinking{Mode: "auto"}, llm.Reason{Mode: llm.ReasonBudget, Budget: 7000}, "m", small, thought{}},
		{"auto beyond", config.Thinking{Mode: "auto"}, llm.Reason{Mode: llm.ReasonBudget, Budget: 9000}, "m", small, thought{"auto", 7999, ""}},
		{"auto of an effort", config.Thinking{Mode: "auto"}, llm.Reason{Mode: llm.ReasonEffort, Effort: "high"}, "m", small, thought{}},
	} {
		if got := rethought(&c.setting, &c.asked, func(n int64) int64 { return capped(n, c.model, c.known) }); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestThoughtInto(t *testing.T) {
	budget, effort := thought{"custom", 5000, ""}, thought{"adaptive", 0, "high"}
	longest := int64(4000)
	for _, c := range []struct {
		protocol string
		t        thought
		body     string
		longest  *int64
		want     string
	}{
		{"openai-chat", budget, `{"reasoning_effort":"high"}`, nil, `{"reasoning_effort":"low"}`},
		{"openai-chat", effort, `{"a":1}`, nil, `{"reasoning_effort":"high","a":1}`},
		{"openai-responses", effort, `{"reasoning":{"summary":"auto"}}`, nil, `{"reasoning":{"effort":"high","summary":"auto"}}`},
		{"anthropic", budget, `{"thinking":{"type":"adaptive"}}`, nil, `{"thinking":{"budget_tokens":5000,"type":"enabled"}}`},
		{"anthropic", budget, `{"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2}}`, &longest, `{"max_tokens":13192,"thinking":{"type":"enabled","budget_tokens":5000}}`},
		{"anthropic", effort, `{"thinking":{"type":"enabled","budget_tokens":2}}`, &longest, `{"output_config":{"effort":"high"},"thinking":{"type":"adaptive"}}`},
		{"gemini", budget, `{"generationConfig":{"thinkingConfig":{"thinkingLevel":"low"}}}`, nil, `{"generationConfig":{"thinkingConfig":{"thinkingBudget":5000}}}`},
		{"gemini", effort, `{}`, nil, `{"generationConfig":{"thinkingConfig":{"thinkingLevel":"high"}}}`},
		{"openai-chat", thought{}, `{}`, nil, ``},
	} {
		got, err := c.t.into(c.protocol, []byte(c.body), c.longest)
		if string(got) != c.want || err != nil {
			t.Errorf("%s %s: %s, %v, want %s", c.protocol, c.body, got, err, c.want)
		}
	}
}

// TestShape: what the settings change goes to the upstream and into the
// ledger; without them the bytes go through as they came.
func TestShape(t *testing.T) {
	for name, d := range dialects {
		for _, on := range []bool{false, true} {
			var sent string
			r := newRig(t, func(_ *http.Request, body []byte) (*http.Response, error) {
				sent = string(body)
				return answerOf(200, "application/json", d.whole), nil
			})
			if on {
				r.settings.Preamble = "Be of good cheer."
				r.settings.Thinking = config.Thinking{Mode: "custom", Budget: 3000}
			}
			c := r.call(d, false)
			before := string(c.Body)
			w := newClient()
			r.do(context.Background(), w, c)
			x := r.ledger.last()
			if w.status != 200 || strings.Contains(sent, "Be of good cheer.") != on || slices.Contains(x.Edits, "system_prompt=17 bytes") != on {
				t.Errorf("%s, %t: %d, edits %q, sent %s", name, on, w.status, x.Edits, sent)
			}
			if !on && sent != before {
				t.Errorf("%s: the bytes were changed: %s", name, sent)
			}
		}
	}
}

// TestShapeThinking: only thinking that the client asks for is changed.
func TestShapeThinking(t *testing.T) {
	d := dialects["anthropic"]
	for body, want := range map[string]string{
		`{"model":"m","max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2000},"messages":[{"role":"user","content":"x"}]}`: `"budget_tokens":3000`,
		`{"model":"m","max_tokens":9000,"messages":[{"role":"user","content":"x"}]}`:                                                    "",
		`{"model":"m","max_tokens":9000,"thinking":{"type":"disabled"},"messages":[{"role":"user","content":"x"}]}`:                     "",
	} {
		var sent string
		r := newRig(t, func(_ *http.Request, body []byte) (*http.Response, error) {
			sent = string(body)
			return answerOf(200, "application/json", d.whole), nil
		})
		r.settings.Thinking = config.Thinking{Mode: "custom", Budget: 3000}
		c := r.call(d, false)
		c.Body = []byte(body)
		r.run(c)
		switch edits := r.ledger.last().Edits; {
		case want == "" && (sent != body || edits != nil):
			t.Errorf("%s became %s, %q", body, sent, edits)
		case want != "" && (!strings.Contains(sent, want) || !slices.Equal(edits, []string{"thinking=custom budget 3000"})):
			t.Errorf("%s became %s, %q", body, sent, edits)
		}
	}
}

// TestShapeChain: a budget is one that every model of the chain takes, since any
// of them may be asked.
func TestShapeChain(t *testing.T) {
	d := dialects["anthropic"]
	var sent string
	r := newRig(t, func(_ *http.Request, body []byte) (*http.Response, error) {
		sent = string(body)
		return answerOf(200, "application/json", d.whole), nil
	})
	r.settings.Thinking = config.Thinking{Mode: "custom", Budget: 60_000}
	r.routes(route.Rule{Match: "m", To: []string{"m", "gemini-2.5-pro"}})
	c := r.call(d, false)
	c.Body = []byte(`{"model":"m","max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2000},"messages":[{"role":"user","content":"x"}]}`)
	r.run(c)
	if !strings.Contains(sent, `"budget_tokens":24576`) {
		t.Errorf("sent %s", sent)
	}
}

// countingCodec counts how often a request is read.
type countingCodec struct {
	*openaichat.Codec
	reads int
}

func (c *countingCodec) DecodeRequest(body []byte) (*llm.Request, error) {
	c.reads++
	return c.Codec.DecodeRequest(body)
}

// TestReadOnce: a request is read once for routes and settings together, and
// not at all if neither wants to know.
func TestReadOnce(t *testing.T) {
	d := dialects["openai-chat"]
	for _, curious := range []bool{false, true} {
		r := newRig(t, replyWith(200, "application/json", d.whole))
		want := 0
		if curious {
			want = 1
			r.settings.Thinking = config.Thinking{Mode: "custom", Budget: 3000}
			r.routes(route.Rule{Match: "*", To: []string{"m"}, When: route.When{Over: 1 << 30}})
		}
		c := r.call(d, false)
		codec := &countingCodec{Codec: openaichat.New()}
		c.Codec = codec
		if w := r.run(c); w.status != 200 || codec.reads != want {
			t.Errorf("status %d, read %d times, want %d", w.status, codec.reads, want)
		}
	}
}
