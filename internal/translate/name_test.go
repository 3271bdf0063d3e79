package translate

import (
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// Traps A11, B15, B16, C24, F4: names, namespaces and kinds that the upstream
// does not have, and the way back.
func TestNames(t *testing.T) {
	long := strings.Repeat("x", 70)
	for name, c := range map[string]struct {
		upstream string
		tool     llm.Tool
		want     string // "": anything that fits
		kind     llm.ToolKind
	}{
		"as it is":                      {protocol.OpenAIChat, llm.Tool{Name: "read_file"}, "read_file", llm.Function},
		"too long":                      {protocol.OpenAIChat, llm.Tool{Name: long}, "", llm.Function},
		"not too long for Anthropic":    {protocol.Anthropic, llm.Tool{Name: long}, long, llm.Function},
		"dots":                          {protocol.OpenAIResponses, llm.Tool{Name: "a.b"}, "", llm.Function},
		"dots at Gemini":                {protocol.Gemini, llm.Tool{Name: "a.b"}, "a.b", llm.Function},
		"a digit first":                 {protocol.Gemini, llm.Tool{Name: "3d"}, "", llm.Function},
		"not ASCII":                     {protocol.OpenAIChat, llm.Tool{Name: "grüße"}, "", llm.Function},
		"a namespace":                   {protocol.OpenAIChat, llm.Tool{Namespace: "multi_agent_v1", Name: "close_agent"}, "multi_agent_v1__close_agent", llm.Function},
		"a namespace that is known":     {protocol.OpenAIResponses, llm.Tool{Namespace: "ns", Name: "f"}, "f", llm.Function},
		"free text":                     {protocol.Gemini, llm.Tool{Kind: llm.Custom, Name: "apply_patch"}, "apply_patch", llm.Function},
		"free text that is known":       {protocol.OpenAIChat, llm.Tool{Kind: llm.Custom, Name: "apply_patch"}, "apply_patch", llm.Custom},
		"free text in a namespace":      {protocol.Anthropic, llm.Tool{Kind: llm.Custom, Namespace: "n", Name: "f"}, "n__f", llm.Function},
		"a long name within namespaces": {protocol.OpenAIChat, llm.Tool{Namespace: long, Name: "f"}, "", llm.Function},
	} {
		args := `{"a":1}`
		if c.tool.Kind == llm.Custom {
			args = "*** Begin \"Patch\"\n\U0001F600"
		}
		history := call("c1", c.tool.Name, args)
		history.Kind, history.Namespace = c.tool.Kind, c.tool.Namespace
		r := &llm.Request{
			Tools:    []llm.Tool{c.tool},
			Messages: []llm.Message{user(say("hi")), model(history), user(&llm.Result{CallID: "c1", Kind: c.tool.Kind, Parts: []llm.Part{say("ok")}})},
			Choice:   llm.Choice{Mode: llm.ChoiceNamed, Tools: []llm.ToolRef{{Kind: c.tool.Kind, Namespace: c.tool.Namespace, Name: c.tool.Name}}},
		}
		b := crossing(protocol.OpenAIResponses, c.upstream, r, Options{})
		if c.upstream == protocol.OpenAIResponses {
			b.client = as(protocol.OpenAIChat)
		}
		d := prepared(t, b, native("m"))
		got := d.Tools[0]
		if c.want != "" && got.Name != c.want || !d.takes.name.takes(got.Name) || got.Kind != c.kind {
			t.Errorf("%s: the tool is %q of kind %d", name, got.Name, got.Kind)
		}
		sent := d.Messages[1].Parts[0].(*llm.Call)
		if sent.Name != got.Name || sent.Kind != got.Kind || sent.Namespace != got.Namespace {
			t.Errorf("%s: the history calls %+v", name, sent)
		}
		if answered := d.Messages[2].Parts[0].(*llm.Result); answered.Name != got.Name || answered.Kind != got.Kind {
			t.Errorf("%s: the result is of %q", name, answered.Name)
		}
		if ref := d.Choice.Tools[0]; ref.Name != got.Name || ref.Kind != got.Kind || ref.Namespace != got.Namespace {
			t.Errorf("%s: the choice is %+v", name, ref)
		}
		if history.Name != c.tool.Name || r.Tools[0].Name != c.tool.Name {
			t.Errorf("%s: the client's request was changed", name)
		}
		back := backward(t, b, llm.StopCall, sent).Parts[0].(*llm.Call)
		if drawPart(back) != drawPart(history) {
			t.Errorf("%s: came back as %s, want %s", name, drawPart(back), drawPart(history))
		}
	}
}

// A tool without a namespace keeps its name; the same names in other places get
// others, always the same.
func TestNamesCollide(t *testing.T) {
	tools := []llm.Tool{{Namespace: "a", Name: "b"}, {Name: "a__b"}, {Name: "x.y"}, {Name: "x-y"}, {Kind: llm.Custom, Name: "x-y"}, {Name: "x y"}}
	var first []string
	for range 3 {
		d := prepared(t, crossing(protocol.OpenAIResponses, protocol.Anthropic, &llm.Request{Tools: tools}, Options{}), native("m"))
		var names []string
		seen := map[string]bool{}
		for _, tool := range d.Tools {
			if seen[tool.Name] {
				t.Errorf("%q is there twice", tool.Name)
			}
			seen[tool.Name] = true
			names = append(names, tool.Name)
		}
		if first == nil {
			first = names
		}
		if strings.Join(names, " ") != strings.Join(first, " ") {
			t.Errorf("the names change: %v, %v", names, first)
		}
	}
	if first[1] != "a__b" || first[3] != "x-y" || first[0] == "a__b" {
		t.Errorf("a tool lost its own name: %v", first)
	}
}

// A call of a tool that nobody declared goes through as it is.
func TestUnknownTool(t *testing.T) {
	b := crossing(protocol.Anthropic, protocol.OpenAIChat, &llm.Request{}, Options{})
	prepared(t, b, native("m"))
	if got := drawParts(backward(t, b, llm.StopCall, call("c", "other", `{}`)).Parts); got != "[other:c({})]" {
		t.Error(got)
	}
}

// Traps A10, C31, E17: ids that a client does not take, or that are missing.
func TestClientIDs(t *testing.T) {
	b := crossing(protocol.Anthropic, protocol.OpenAIChat, &llm.Request{}, Options{})
	prepared(t, b, native("m"))
	a := backward(t, b, llm.StopCall, call("functions.read:0", "read", `{}`), call("", "read", `{}`), call("", "read", `{}`))
	seen := map[string]bool{}
	for _, p := range a.Parts {
		id := p.(*llm.Call).ID
		if !anthropicID.takes(id) || seen[id] {
			t.Errorf("the id %q", id)
		}
		seen[id] = true
	}
}

func TestWords(t *testing.T) {
	for _, w := range []words{openAIName, anthropicName, geminiName, chatID, responsesID, anthropicID, anyID, {most: 9, exact: true}} {
		for _, s := range []string{"", "a", "read_file", "3", "ä", strings.Repeat("long.", 60), "call_abcdefghi"} {
			got := w.fit(s)
			if !w.takes(got) || got != w.fit(s) || w.takes(s) && got != s || w.fit(got) != got {
				t.Errorf("%+v: %q fits as %q", w, s, got)
			}
			if s != "" && !w.takes(s) && got == w.fit(s+"!") {
				t.Errorf("%+v: %q is not told from another", w, got)
			}
		}
	}
}

// What Codex says of a namespace is not lost with it.
func TestNamespaceIsIntroduced(t *testing.T) {
	var x llm.Extra
	x.Add(protocol.OpenAIResponses, []byte("namespace.description"), []byte(`"Other \"agents\"."`))
	r := &llm.Request{Tools: []llm.Tool{{Namespace: "n", Name: "a", Description: llm.Plain("Closes one."), Extra: x}, {Namespace: "n", Name: "b"}}}
	d := prepared(t, crossing(protocol.OpenAIResponses, protocol.Anthropic, r, Options{}), native("m"))
	if got := d.Tools[0].Description.String(); got != "[n] Other \"agents\".\n\nCloses one." || d.Tools[1].Description.IsSet() {
		t.Errorf("%q", got)
	}
}
