package translate

import (
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// Traps A4, A5, B1, C3, E3, E4: every call is answered at once and every result
// answers a call.
func TestPair(t *testing.T) {
	for name, c := range map[string]struct {
		in   []llm.Message
		want string
		lost string // "": nothing
	}{
		"in order": {
			[]llm.Message{user(say("a")), model(call("1", "f", "{}")), user(result("1", "r"))},
			"U[say(a)] M[f:1({})] U[=1[say(r)]]", "",
		},
		"in the order of the calls": {
			[]llm.Message{model(call("1", "f", "{}"), call("2", "f", "{}")), user(result("2", "s"), result("1", "r"))},
			"M[f:1({}) f:2({})] U[=1[say(r)] =2[say(s)]]", "",
		},
		"results first": {
			[]llm.Message{model(call("1", "f", "{}")), user(say("b"), result("1", "r"))},
			"M[f:1({})] U[=1[say(r)] say(b)]", "",
		},
		"results one by one": {
			[]llm.Message{model(call("1", "f", "{}"), call("2", "f", "{}")), user(result("1", "r")), user(result("2", "s")), user(say("go"))},
			"M[f:1({}) f:2({})] U[=1[say(r)] =2[say(s)]] U[say(go)]", "",
		},
		"the model's turn in two messages": {
			[]llm.Message{model(call("1", "f", "{}")), model(say("and"), call("2", "f", "{}")), user(result("1", "r"), result("2", "s"))},
			"M[f:1({})] M[say(and) f:2({})] U[=1[say(r)] =2[say(s)]]", "",
		},
		"an instruction between": {
			[]llm.Message{model(call("1", "f", "{}")), told(say("be brief")), user(result("1", "r"))},
			"M[f:1({})] U[=1[say(r)]] S[say(be brief)]", "messages[2].content[0]",
		},
		"a late result": {
			[]llm.Message{model(call("1", "f", "{}")), user(say("wait")), model(say("ok")), user(result("1", "r"))},
			"M[f:1({})] U[=1[say(r)] say(wait)] M[say(ok)]", "messages[3].content[0]",
		},
		"no result": {
			[]llm.Message{model(call("1", "f", "{}")), user(say("stop"))},
			"M[f:1({})] U[!1[say(" + noResult + ")] say(stop)]", "messages[0].content[0]",
		},
		"no result at the end": {
			[]llm.Message{model(call("1", "f", "{}"))},
			"M[f:1({})] U[!1[say(" + noResult + ")]]", "messages[0].content[0]",
		},
		"no call": {
			[]llm.Message{user(say("a")), model(say("b")), user(result("9", "r"), say("c"))},
			"U[say(a)] M[say(b)] U[say(" + noCall + ") say(r) say(c)]", "messages[2].content[0]",
		},
		"answered twice": {
			[]llm.Message{model(call("1", "f", "{}")), user(result("1", "r"), result("1", "s"))},
			"M[f:1({})] U[=1[say(r)] say(" + noCall + ") say(s)]", "messages[1].content[1]",
		},
		"answered before it is called": {
			[]llm.Message{user(result("1", "r")), model(call("1", "f", "{}")), user(result("1", "s"))},
			"U[say(" + noCall + ") say(r)] M[f:1({})] U[=1[say(s)]]", "messages[0].content[0]",
		},
		"ids that begin anew": {
			[]llm.Message{model(call("1", "f", "{}")), user(result("1", "r")), model(call("1", "f", "{}")), user(result("1", "s"))},
			"M[f:1({})] U[=1[say(r)]] M[f:1_2({})] U[=1_2[say(s)]]", "",
		},
	} {
		d := prepared(t, crossing(protocol.OpenAIChat, protocol.Gemini, &llm.Request{Messages: c.in}, Options{}), native("m"))
		if got := draw(d.Messages); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
		if c.lost == "" && len(d.losses) > 0 || c.lost != "" && (len(d.losses) != 1 || d.losses[0].Path != c.lost) {
			t.Errorf("%s: lost %+v", name, d.losses)
		}
	}
}

// Gemini's results need no ids: they are found by name and order, and get ids
// that are always the same (trap C31).
func TestPairWithoutIDs(t *testing.T) {
	in := func() *llm.Request {
		named := func(name, text string) *llm.Result {
			return &llm.Result{Name: name, Parts: []llm.Part{say(text)}}
		}
		return &llm.Request{Messages: []llm.Message{
			model(call("", "f", `{"a":1}`), call("", "g", "{}"), call("", "f", `{"a":1}`)),
			user(named("g", "from g"), named("f", "first f"), named("f", "second f")),
		}}
	}
	b := crossing(protocol.Gemini, protocol.Anthropic, in(), Options{})
	d := prepared(t, b, native("m"))
	again := prepared(t, crossing(protocol.Gemini, protocol.Anthropic, in(), Options{}), native("m"))
	if draw(d.Messages) != draw(again.Messages) {
		t.Error("the ids change")
	}
	seen := map[string]bool{}
	for i, want := range []string{"first f", "from g", "second f"} {
		c, r := d.Messages[0].Parts[i].(*llm.Call), d.Messages[1].Parts[i].(*llm.Result)
		if c.ID != r.CallID || seen[c.ID] || !anthropicID.takes(c.ID) {
			t.Errorf("call %d has the id %q, its result %q", i, c.ID, r.CallID)
		}
		if got := r.Parts[0].(*llm.Prose).Text.String(); got != want {
			t.Errorf("call %d is answered %q, want %q", i, got, want)
		}
		seen[c.ID] = true
	}
	if len(d.losses) > 0 {
		t.Errorf("lost %+v", d.losses)
	}
}

// Trap A10: ids that the upstream does not take, the same in call and result.
func TestIDs(t *testing.T) {
	r := &llm.Request{Messages: []llm.Message{model(call("functions.read:0", "f", "{}"), call("call_ok", "f", "{}")), user(result("functions.read:0", "r"), result("call_ok", "s"))}}
	for _, upstream := range []string{protocol.Anthropic, protocol.OpenAIChat} {
		to := native("m")
		if upstream == protocol.OpenAIChat {
			q := *to.Quirks
			q.CallID = 9
			to.Quirks = &q
		}
		d := prepared(t, crossing(protocol.OpenAIResponses, upstream, r, Options{}), to)
		for i := range 2 {
			c, answer := d.Messages[0].Parts[i].(*llm.Call), d.Messages[1].Parts[i].(*llm.Result)
			if c.ID != answer.CallID || !d.takes.id.takes(c.ID) {
				t.Errorf("%s: call %q, result %q", upstream, c.ID, answer.CallID)
			}
		}
	}
}
