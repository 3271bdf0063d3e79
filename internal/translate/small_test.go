package translate

import (
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaichat"
	"portico/internal/provider"
)

// Trap A42: Claude Code's billing line leaves no trace, and is told.
func TestBilling(t *testing.T) {
	const line = "x-anthropic-billing-header: cc_version=2.1.330; cch=1;"
	for name, head := range map[string]llm.Part{
		"as text":            say(line),
		"as it came":         &llm.Prose{Text: llm.Wire([]byte(`"` + line + `"`))},
		"as the codec keeps": &llm.Opaque{Protocol: protocol.Anthropic, Kind: "attribution"},
	} {
		r := &llm.Request{Messages: []llm.Message{told(head, say("You are Claude Code.")), user(say(line))}}
		d := prepared(t, crossing(protocol.Anthropic, protocol.OpenAIChat, r, Options{}), native("m"))
		if got := draw(d.Messages); got != "S[say(You are Claude Code.)] U[say("+line+")]" || len(d.losses) != 1 {
			t.Errorf("%s: %s, lost %+v", name, got, d.losses)
		}
		r = &llm.Request{Messages: []llm.Message{told(head), user(say("hi"))}}
		if d = prepared(t, crossing(protocol.Anthropic, protocol.Gemini, r, Options{}), native("m")); draw(d.Messages) != "U[say(hi)]" {
			t.Errorf("%s, alone: %s", name, draw(d.Messages))
		}
	}
}

// Traps E14, E15: a conversation that is stored elsewhere is refused, not
// answered without it.
func TestStateful(t *testing.T) {
	extra := func(name string) (x llm.Extra) {
		x.Add(protocol.OpenAIResponses, []byte(name), []byte(`"c"`))
		return x
	}
	for name, c := range map[string]struct {
		r     *llm.Request
		param string
	}{
		"all is there":          {&llm.Request{Extra: extra("truncation")}, ""},
		"an earlier response":   {&llm.Request{Previous: "resp_1"}, "previous_response_id"},
		"a stored conversation": {&llm.Request{Extra: extra("conversation")}, "conversation"},
		"a stored prompt":       {&llm.Request{Extra: extra("prompt")}, "prompt"},
		"cached content":        {&llm.Request{Cache: llm.Caching{Content: "cachedContents/x"}}, "cachedContent"},
		"a sealed summary":      {&llm.Request{Messages: []llm.Message{user(say("a")), model(&llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: "compaction"})}}, "input[1]"},
		"B26 a summary wanted":  {&llm.Request{Messages: []llm.Message{user(say("a")), model(&llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: "compaction_trigger"})}}, "input[1]"},
		"a stored item":         {&llm.Request{Messages: []llm.Message{user(say("a")), model(&llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: "item_reference"})}}, "input[1]"},
	} {
		c.r.Protocol = protocol.OpenAIResponses
		f := stateful(c.r)
		if (f != nil) != (c.param != "") || f != nil && (f.Param != c.param || f.Class != fault.Unsupported) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// A thread of Anthropic's that is gone on with is not found, so that its SDKs send
// the whole conversation; one that begins is whole as it is.
func TestThread(t *testing.T) {
	for thread, want := range map[string]int{
		`{"type":"continue","previous_message_id":"msg_1"}`: 404,
		`{"type":"create"}`: 0,
		`null`:              0,
	} {
		r := &llm.Request{Protocol: protocol.Anthropic}
		r.Extra.Add(protocol.Anthropic, []byte("thread"), []byte(thread))
		got, code := 0, ""
		if f := stateful(r); f != nil {
			got, code = f.Status, f.Code
		}
		if got != want || want != 0 && code != "thread_not_found" {
			t.Errorf("%s: %d %s", thread, got, code)
		}
	}
}

// What only one protocol knows is told, unless it changes nothing.
func TestForeign(t *testing.T) {
	var x llm.Extra
	x.Add(protocol.Anthropic, []byte("context_management"), []byte(`{}`))
	x.Add(protocol.Anthropic, []byte("safeguards"), []byte(`[]`))
	var tool llm.Extra
	tool.Add(protocol.Anthropic, []byte("eager_input_streaming"), []byte(`true`))
	r := &llm.Request{Extra: x, Tools: []llm.Tool{{Extra: tool}}}
	got := foreign(r, protocol.OpenAIChat)
	if len(got) != 1 || got[0].Path != "context_management" {
		t.Errorf("%+v", got)
	}
}

// Trap A37: an answer's schema as the schema of a function, and its call as the
// answer.
func TestForm(t *testing.T) {
	schema := llm.Output{Kind: llm.OutputSchema, Schema: []byte(`{"type":"object"}`), Description: llm.Plain("A title.")}
	for name, c := range map[string]struct {
		tools  []llm.Tool
		choice llm.ChoiceMode
		mode   llm.ChoiceMode
	}{
		"alone":                 {nil, llm.ChoiceUnset, llm.ChoiceNamed},
		"beside tools":          {[]llm.Tool{{Name: "f"}}, llm.ChoiceAuto, llm.ChoiceRequired},
		"a tool of that name":   {[]llm.Tool{{Name: answerTool}}, llm.ChoiceUnset, llm.ChoiceRequired},
		"no tool is to be used": {[]llm.Tool{{Name: "f"}}, llm.ChoiceNone, llm.ChoiceNamed},
		"a tool is demanded":    {[]llm.Tool{{Name: "f"}}, llm.ChoiceRequired, llm.ChoiceRequired},
	} {
		b := crossing(protocol.OpenAIChat, protocol.Anthropic, &llm.Request{Output: schema, Tools: c.tools, Choice: llm.Choice{Mode: c.choice}}, Options{})
		b.upstream = named{Translator: b.client, name: protocol.Anthropic, schemas: false}
		d := prepared(t, b, native("m"))
		last := d.Tools[len(d.Tools)-1]
		if d.Output.Kind != llm.OutputUnset || len(d.Tools) != len(c.tools)+1 || d.Choice.Mode != c.mode || string(last.Schema) != `{"type":"object"}` || !lost(d.losses, "response_format") {
			t.Errorf("%s: %+v, %+v, lost %+v", name, d.Tools, d.Choice, d.losses)
		}
		a := backward(t, b, llm.StopCall, say("So: "), call("c", last.Name, `{"title":"x"}`))
		if got := drawParts(a.Parts); got != `[say(So: ) say({"title":"x"})]` || a.Stop != llm.StopEnd {
			t.Errorf("%s: %s, stopped for %d", name, got, a.Stop)
		}
		if len(c.tools) == 1 {
			if a = backward(t, b, llm.StopCall, call("c", c.tools[0].Name, `{}`)); a.Stop != llm.StopCall || len(a.Parts) != 1 {
				t.Errorf("%s: the client's own call is %s", name, drawParts(a.Parts))
			}
		}
	}
	// A model that takes a schema gets it; JSON without one is asked for.
	d := prepared(t, crossing(protocol.OpenAIChat, protocol.Anthropic, &llm.Request{Output: schema}, Options{}), native("m"))
	if d.Output.Kind != llm.OutputSchema || len(d.losses) > 0 {
		t.Errorf("%+v, lost %+v", d.Output, d.losses)
	}
	d = prepared(t, crossing(protocol.OpenAIChat, protocol.Anthropic, &llm.Request{Output: llm.Output{Kind: llm.OutputJSON}, Messages: []llm.Message{told(say("a")), user(say("b"))}}, Options{}), native("m"))
	if len(d.Messages) != 3 || d.Messages[1].Role != llm.System || !lost(d.losses, "response_format") {
		t.Errorf("%s, lost %+v", draw(d.Messages), d.losses)
	}
}

// One call at a time, where the upstream cannot be asked for that.
func TestSingle(t *testing.T) {
	r := &llm.Request{Parallel: new(bool)}
	b := crossing(protocol.OpenAIChat, protocol.Gemini, r, Options{})
	d := prepared(t, b, native("m"))
	if !lost(d.losses, "parallel_tool_calls") {
		t.Errorf("lost %+v", d.losses)
	}
	a := backward(t, b, llm.StopEnd, say("so"), call("1", "f", "{}"), call("2", "g", "{}"))
	if got := drawParts(a.Parts); got != "[say(so) f:1({})]" || a.Stop != llm.StopCall {
		t.Errorf("%s, stopped for %d", got, a.Stop)
	}
	b = crossing(protocol.OpenAIChat, protocol.Anthropic, r, Options{})
	prepared(t, b, native("m"))
	if a = backward(t, b, llm.StopEnd, call("1", "f", "{}"), call("2", "g", "{}")); len(a.Parts) != 2 {
		t.Errorf("%s", drawParts(a.Parts))
	}
}

// §2.7: an upstream that caches only what it is told to is told, unless the
// client says itself what is worth it.
func TestCaching(t *testing.T) {
	r := func() *llm.Request {
		return &llm.Request{Tools: []llm.Tool{{Name: "a"}, {Name: "b"}}, Messages: []llm.Message{
			told(say("sys")), user(say("1")), model(call("c", "a", "{}")), user(result("c", "r")), model(say("2")), user(say("3"), say("")),
		}}
	}
	d := prepared(t, crossing(protocol.OpenAIResponses, protocol.Anthropic, r(), Options{}), native("m"))
	var marks []bool
	for _, m := range d.Messages {
		marks = append(marks, cacheOf(m.Parts[len(m.Parts)-1]) != nil)
	}
	if d.Tools[0].Cache != nil || d.Tools[1].Cache == nil || !marks[0] || !marks[1] || !marks[3] || marks[2] || marks[4] || marks[5] {
		t.Errorf("tools %v, messages %v", d.Tools[1].Cache != nil, marks)
	}
	own := r()
	own.Messages[1].Parts[0].(*llm.Prose).Cache = &llm.Breakpoint{}
	if d = prepared(t, crossing(protocol.OpenAIChat, protocol.Anthropic, own, Options{}), native("m")); d.Tools[1].Cache != nil {
		t.Error("the client's own marks do not count")
	}
	if d = prepared(t, crossing(protocol.Anthropic, protocol.OpenAIChat, r(), Options{}), native("m")); marked(d.Request) {
		t.Error("marks for an upstream that caches by itself")
	}
}

// An upstream that takes pictures as data only is told where they are.
func TestAddresses(t *testing.T) {
	to := native("m")
	to.Quirks = &provider.Quirks{InlineImages: true}
	r := &llm.Request{Messages: []llm.Message{user(&llm.Blob{Kind: llm.Image, URL: "https://x/y.png"}, &llm.Blob{Kind: llm.Image, Data: llm.Plain("AA")})}}
	d := prepared(t, crossing(protocol.Anthropic, protocol.OpenAIChat, r, Options{}), to)
	if got := draw(d.Messages); got != "U[say([Picture at https://x/y.png]) blob]" || len(d.losses) != 1 || !strings.Contains(d.losses[0].Why, "fetch.enabled") {
		t.Errorf("%s, lost %+v", got, d.losses)
	}
}

// What an upstream takes by its bytes only is listed once, in results of tools
// too, and what was fetched stands in the place of its address.
func TestFiles(t *testing.T) {
	at := func(kind llm.BlobKind, url string) *llm.Blob { return &llm.Blob{Kind: kind, URL: url} }
	request := func() *llm.Request {
		shown := result("1", "r")
		shown.Parts = append(shown.Parts, at(llm.Image, "https://x/b"))
		return &llm.Request{Messages: []llm.Message{
			user(say("u"), at(llm.Image, "https://x/a"), at(llm.Video, "https://x/film"), &llm.Blob{Kind: llm.Image, Data: llm.Plain("AA")}),
			model(call("1", "f", "{}")),
			user(shown, at(llm.Image, "https://x/a"), at(llm.Document, "https://x/c"), at(llm.Audio, "https://x/d"), &llm.Blob{Kind: llm.Document, File: "file-1"}),
		}}
	}
	named := func(all []Address) (out string) {
		for _, a := range all {
			out += a.Path + " " + a.URL + "\n"
		}
		return out
	}
	data := native("m")
	data.Quirks = &provider.Quirks{InlineImages: true}
	chat := func(client string, r *llm.Request) *Bridge {
		b := crossing(client, protocol.OpenAIChat, r, Options{})
		b.client, b.upstream = as(client), openaichat.New()
		return b
	}
	const pictures = "messages[0].content[1] https://x/a\nmessages[2].content[0] https://x/b\n"
	const document, sound = "messages[2].content[2] https://x/c\n", "messages[2].content[3] https://x/d\n"
	b := chat(protocol.Anthropic, request())
	for name, c := range map[string]struct {
		b    *Bridge
		to   *Upstream
		want string
	}{
		"data only":                 {b, data, pictures + document + sound},
		"addresses of pictures":     {b, native("m"), document + sound},
		"its own client, data only": {chat(protocol.OpenAIChat, request()), data, pictures + document},
		"its own client":            {chat(protocol.OpenAIChat, request()), native("m"), ""},
	} {
		if got := named(c.b.Addresses(c.to)); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	b.Give("https://x/a", File{Type: "image/png", Data: []byte(`"cGln"`)})
	b.Give("https://x/b", File{Type: "image/gif", Data: []byte(`"Z2lm"`)})
	if got := named(b.Addresses(data)); got != document+sound {
		t.Errorf("what was given is wanted still: %s", got)
	}
	d := prepared(t, b, data)
	first, shown := d.Messages[0].Parts[1].(*llm.Blob), d.Messages[2].Parts[0].(*llm.Result).Parts[1].(*llm.Blob)
	if first.URL != "" || first.Type != "image/png" || first.Data.String() != "cGln" || shown.URL != "" || shown.Data.String() != "Z2lm" || len(d.losses) != 0 {
		t.Errorf("%+v, %+v, lost %+v", first, shown, d.losses)
	}
	// Another upstream is told the address, and the client's request is as it was.
	if d := prepared(t, b, native("m")); d.Messages[0].Parts[1].(*llm.Blob).URL != "https://x/a" || b.req.Messages[2].Parts[0].(*llm.Result).Parts[1].(*llm.Blob).URL != "https://x/b" {
		t.Error("the address is gone where it is taken")
	}
}

// What is held back of an answer has a bound, beyond which it is told as it is.
func TestHeldIsBounded(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	stream := func(b *Bridge, name, open string) string {
		got := &folder{}
		way := newBack(b)
		way.enc = got
		way.feed(&llm.Event{Kind: llm.Open, What: &llm.Call{ID: "c", Name: name}})
		way.feed(&llm.Event{Kind: llm.Grow, Text: llm.Plain(open)})
		for range 6 {
			way.feed(&llm.Event{Kind: llm.Grow, Text: llm.Plain(big)})
		}
		if p := way.turns[0].parts[0]; len(p.text) > maxHeld+len(big) || p.input != nil && len(p.input.held) > maxHeld+len(big) {
			t.Errorf("%s: too much is held", name)
		}
		way.feed(&llm.Event{Kind: llm.Close})
		way.feed(&llm.Event{Kind: llm.Halt})
		way.feed(&llm.Event{Kind: llm.End})
		parts := got.parts()
		return parts[0].(*llm.Call).Args.String()
	}
	b := crossing(protocol.Anthropic, protocol.OpenAIResponses, &llm.Request{Tools: []llm.Tool{{Name: "Read"}}}, Options{})
	prepared(t, b, native("m"))
	if got := stream(b, "Read", `{"pages":"`); got != `{"pages":"`+strings.Repeat(big, 6) {
		t.Errorf("%d bytes of a call", len(got))
	}
	b = crossing(protocol.OpenAIResponses, protocol.Anthropic, &llm.Request{Tools: []llm.Tool{{Kind: llm.Custom, Name: "p"}}}, Options{})
	prepared(t, b, native("m"))
	if got := stream(b, "p", `{"other":"`); got != `{"other":"`+strings.Repeat(big, 6) {
		t.Errorf("%d bytes of an input", len(got))
	}
}

// Trap E6: reasoning goes back to those who demand it, and to nobody who does
// not know it.
func TestEcho(t *testing.T) {
	r := &llm.Request{Messages: []llm.Message{
		user(say("u")), model(think("why"), call("1", "f", "{}")), user(result("1", "r")), model(call("2", "f", "{}")), user(result("2", "r")), model(say("so")), user(say("v")),
	}}
	for name, c := range map[string]struct {
		preset, echo bool
		mode         llm.ReasonMode
		want         string
	}{
		"demanded":                    {true, true, 0, "M[think(why) f:1({})] M[think() f:2({})] M[say(so)]"},
		"demanded of one that thinks": {true, true, llm.ReasonOff, "M[think(why) f:1({})] M[f:2({})] M[say(so)]"},
		"unknown":                     {true, false, 0, "M[f:1({})] M[f:2({})] M[say(so)]"},
		"nobody knows":                {false, false, 0, "M[think(why) f:1({})] M[f:2({})] M[say(so)]"},
	} {
		to := native("m")
		to.Fit.Native, to.Preset, to.Quirks = false, c.preset, &provider.Quirks{Echo: c.echo}
		r.Reason.Mode = c.mode
		d := prepared(t, crossing(protocol.Anthropic, protocol.OpenAIChat, r, Options{}), to)
		got := draw([]llm.Message{d.Messages[1], d.Messages[3], d.Messages[5]})
		if got != c.want || lost(d.losses, "messages[1].content[0]") != (c.preset && !c.echo) {
			t.Errorf("%s: %s, lost %+v", name, got, d.losses)
		}
	}
}
