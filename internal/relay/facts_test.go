package relay

import (
	"strings"
	"testing"

	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
	"portico/internal/route"
)

func TestFacts(t *testing.T) {
	codecs := map[string]protocol.Codec{
		"c": openaichat.New(), "r": openairesponses.New(), "a": anthropic.New(), "g": gemini.New(),
	}
	picture := strings.Repeat("QUJD", 10_000)
	for _, c := range []struct {
		name, codec, body string
		want              route.Facts // without Tokens
	}{
		{"a turn", "c", `{"model":"m","messages":[{"role":"user","content":"hello"}]}`, route.Facts{}},
		{"words of a user", "c", `{"model":"m","messages":[{"role":"user","content":"Generate a title for this conversation"}]}`, route.Facts{}},
		{"no JSON", "c", `{"model":`, route.Facts{}},
		{
			"tools", "c", `{"model":"m","max_tokens":700,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}`,
			route.Facts{Output: 700, Needs: route.Tools},
		},
		{
			"a picture", "c", `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + picture + `"}}]}]}`,
			route.Facts{Needs: route.Vision},
		},
		{
			"a picture in a result", "a", `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + picture + `"}}]}]}]}`,
			route.Facts{Output: 9, Needs: route.Vision},
		},
		{
			"thinking and a document", "a", `{"model":"m","max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2000},"messages":[{"role":"user","content":[` +
				`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"` + picture + `"}}]}]}`,
			route.Facts{Output: 9000, Needs: route.Thinking | route.Documents},
		},
		{
			"a sound", "g", `{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"audio/wav","data":"` + picture + `"}}]}]}`,
			route.Facts{Needs: route.Audio},
		},
		{
			"a title by its form", "r", `{"model":"m","input":"<session>read a file</session>","text":{"format":{"type":"json_schema","name":"t","schema":{"type":"object","properties":{"title":{"type":"string"}}}}}}`,
			route.Facts{Needs: route.Schema, Background: route.Title},
		},
		{
			"a title among others", "r", `{"model":"m","input":"x","text":{"format":{"type":"json_schema","name":"t","schema":{"type":"object","properties":{"title":{"type":"string"},"body":{"type":"string"}}}}}}`,
			route.Facts{Needs: route.Schema},
		},
		{
			"a title by its instructions", "c", `{"model":"m","messages":[{"role":"system","content":"You are a title generator. Answer with a few words."},{"role":"user","content":"x"}]}`,
			route.Facts{Background: route.Title},
		},
		{
			"titles for an agent with tools", "c", `{"model":"m","messages":[{"role":"system","content":"You are a title generator."},{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}`,
			route.Facts{Needs: route.Tools},
		},
		{
			"a topic", "a", `{"model":"m","max_tokens":512,"system":[{"type":"text","text":"Say whether the message indicates a new conversation topic."}],"messages":[{"role":"user","content":"x"}]}`,
			route.Facts{Output: 512, Background: route.Topic},
		},
		{
			"a summary", "a", `{"model":"m","max_tokens":512,"system":"You are tasked with summarizing conversations.","messages":[{"role":"user","content":"x"}]}`,
			route.Facts{Output: 512, Background: route.Summary},
		},
		{"a probe", "a", `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]}`, route.Facts{Output: 1, Background: route.Probe}},
	} {
		call := &Call{Op: protocol.Chat, Codec: codecs[c.codec], Body: []byte(c.body)}
		got := facts(call, requestOf(call))
		if got.Tokens > 2000 {
			t.Errorf("%s: %d tokens", c.name, got.Tokens)
		}
		got.Tokens = 0
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	call := &Call{Op: protocol.Other, Codec: openaichat.New(), Body: make([]byte, 400)}
	if got := facts(call, requestOf(call)); got != (route.Facts{Tokens: 100}) {
		t.Errorf("of what is no conversation: %+v", got)
	}
}

// TestRouteByFacts: a conversation goes where its route's conditions lead it,
// and the ledger names them.
func TestRouteByFacts(t *testing.T) {
	d := dialects["openai-chat"]
	r := newRig(t, streaming(d.parts()...))
	r.routes(
		route.Rule{Match: "*", To: []string{"cheap"}, When: route.When{Background: route.Any}},
		route.Rule{Match: "m", To: []string{"long"}, When: route.When{Over: 1000}},
	)
	for body, want := range map[string][2]string{
		`{"model":"m","stream":true,"messages":[{"role":"system","content":"You are a title generator."},{"role":"user","content":"x"}]}`: {"cheap", "* (background title)"},
		`{"model":"m","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("word ", 1000) + `"}]}`:                      {"long", "m (over 1000 tokens)"},
		`{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`:                                                          {"m", ""},
	} {
		c := r.call(d, true)
		c.Body = []byte(body)
		if w := r.run(c); w.status != 200 {
			t.Fatalf("%d: %s", w.status, w.text())
		}
		if x := r.ledger.last(); x.Served != want[0] || x.Rule != want[1] {
			t.Errorf("%.60s went to %s by %q, want %s by %q", body, x.Served, x.Rule, want[0], want[1])
		}
	}
}

// TestOnward: a fault that the route names leads to the next model, and one
// that it does not name leads to another account or to nobody.
func TestOnward(t *testing.T) {
	d := dialects["openai-chat"]
	for _, c := range []struct {
		name   string
		status int
		on     []string
		want   string // accounts that were asked
		served string
	}{
		{"a bad request", 400, nil, "a", ""},
		{"a bad request that goes on", 400, []string{"bad_request"}, "ac", "two"},
		{"a model that is busy", 529, nil, "ab", "one"},
		{"a model that is busy and goes on", 529, []string{"overloaded"}, "ac", "two"},
	} {
		failing := replyWith(c.status, "application/json", d.errorBody)
		r := newRig(t, failing, streaming(d.parts()...), streaming(d.parts()...))
		as := r.accounts()
		r.pool.Set([]pool.Account{only(as[0], "one"), only(as[1], "one"), only(as[2], "two")})
		r.routes(route.Rule{Match: "m", To: []string{"one", "two"}, On: c.on})
		w := r.run(r.call(d, true))
		if got := strings.Join(r.asked, ""); got != c.want {
			t.Errorf("%s: asked %s, want %s", c.name, got, c.want)
		}
		if x := r.ledger.last(); c.served != "" && (w.status != 200 || x.Served != c.served) || c.served == "" && w.status != c.status {
			t.Errorf("%s: %d, served by %s", c.name, w.status, x.Served)
		}
	}
}
