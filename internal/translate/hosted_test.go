package translate

import (
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
)

func server(proto, neutral, name, config string) llm.Tool {
	return llm.Tool{Kind: llm.Server, Server: neutral, Name: name, Config: []byte(config), Extra: llm.Extra{Protocol: proto}}
}

// Anthropic's tools that the client runs are plain functions elsewhere (spec:
// upstreams §2.4).
func TestBuiltins(t *testing.T) {
	for kind, c := range map[string]struct{ server, name, want, member string }{
		"bash_20250124":        {"bash", "bash", "bash", "restart"},
		"text_editor_20250124": {"text_editor", "str_replace_editor", "str_replace_editor", "undo_edit"},
		"text_editor_20250728": {"text_editor", "str_replace_based_edit_tool", "str_replace_based_edit_tool", "insert_text"},
		"memory_20250818":      {"memory", "", "memory", "old_path"},
	} {
		r := &llm.Request{
			Tools:  []llm.Tool{server(protocol.Anthropic, c.server, c.name, `{"type":"`+kind+`"}`)},
			Choice: llm.Choice{Mode: llm.ChoiceNamed, Tools: []llm.ToolRef{{Kind: llm.Server, Name: c.server}}},
		}
		d := prepared(t, crossing(protocol.Anthropic, protocol.OpenAIChat, r, Options{}), native("m"))
		got := d.Tools[0]
		if got.Kind != llm.Function || got.Name != c.want || !strings.Contains(string(got.Schema), c.member) || !got.Schema.IsValid() {
			t.Errorf("%s: %+v", kind, got)
		}
		if ref := d.Choice.Tools[0]; ref.Kind != llm.Function || ref.Name != c.want || len(d.losses) != 1 || d.losses[0].Path != "tools[0]" {
			t.Errorf("%s: chosen %+v, lost %+v", kind, ref, d.losses)
		}
	}
}

// OpenAI's own tools that the client runs: their declarations, calls and
// results, there and back.
func TestOwnItems(t *testing.T) {
	for kind, c := range map[string]struct{ call, args, output string }{
		"shell":       {"shell_call", `{"commands":["ls"],"timeout_ms":5}`, `[{"stdout":"a","stderr":"","outcome":{"type":"exit","exit_code":0}}]`},
		"local_shell": {"local_shell_call", `{"type":"exec","command":["ls"]}`, `"a"`},
		"apply_patch": {"apply_patch_call", `{"type":"create_file","path":"x","diff":"+a"}`, `"done"`},
	} {
		holds := "action"
		if kind == "apply_patch" {
			holds = "operation"
		}
		item := func(kind, rest string) *llm.Opaque {
			return &llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: kind, Raw: []byte(`{"type":"` + kind + `","call_id":"c1",` + rest + `}`)}
		}
		r := &llm.Request{
			Tools:    []llm.Tool{server(protocol.OpenAIResponses, kind, "", `{"type":"`+kind+`"}`)},
			Messages: []llm.Message{user(say("hi")), model(item(c.call, `"`+holds+`":`+c.args)), user(item(c.call+"_output", `"output":`+c.output))},
		}
		b := crossing(protocol.OpenAIResponses, protocol.Anthropic, r, Options{})
		d := prepared(t, b, native("m"))
		if got := draw(d.Messages[1:2]); got != "M["+kind+":c1("+c.args+")]" {
			t.Errorf("%s: %s", kind, got)
		}
		if r, ok := d.Messages[2].Parts[0].(*llm.Result); !ok || r.CallID != "c1" || r.Parts[0].(*llm.Prose).Text.Empty() {
			t.Errorf("%s: %s", kind, draw(d.Messages[2:]))
		}
		if len(d.Tools) != 1 || d.Tools[0].Kind != llm.Function || !d.Tools[0].Schema.IsValid() {
			t.Errorf("%s: %+v", kind, d.Tools)
		}
		a := backward(t, b, llm.StopCall, call("c2", kind, c.args))
		o, ok := a.Parts[0].(*llm.Opaque)
		if !ok || o.Kind != c.call || !o.Raw.IsValid() || string(jsonedit.Get(o.Raw, "call_id")) != `"c2"` {
			t.Fatalf("%s: %s", kind, drawParts(a.Parts))
		}
		if got := string(jsonedit.Get(o.Raw, holds)); got != c.args {
			t.Errorf("%s: %s, want %s", kind, got, c.args)
		}
		// Arguments that make no item are told as an ordinary call.
		if a = backward(t, b, llm.StopCall, call("c2", kind, `{"cut`)); drawParts(a.Parts) != "["+kind+`:c2({"cut)]` {
			t.Errorf("%s: %s", kind, drawParts(a.Parts))
		}
	}
}

func TestOwnCallOfTheLocalShell(t *testing.T) {
	for args, want := range map[string]string{`{ }`: `{"type":"exec"}`, `{"command":["ls"]}`: `{"type":"exec","command":["ls"]}`} {
		o := ownCall(call("c", "local_shell", args), "local_shell_call")
		if got := string(jsonedit.Get(o.Raw, "action")); got != want || !o.Raw.IsValid() {
			t.Errorf("%s: %s", args, o.Raw)
		}
	}
}

// Trap B17 and clients §2.2: deferred tools are shown, what keeps them deferred
// is not.
func TestDeferred(t *testing.T) {
	r := &llm.Request{Tools: []llm.Tool{
		{Name: "WebFetch", Deferred: true},
		{Name: placeholder, Deferred: true},
		server(protocol.Anthropic, "tool_search", "tool_search_tool_bm25", `{"type":"tool_search_tool_bm25_20251119"}`),
	}}
	d := prepared(t, crossing(protocol.Anthropic, protocol.OpenAIChat, r, Options{}), native("m"))
	if len(d.Tools) != 1 || d.Tools[0].Name != "WebFetch" || d.Tools[0].Deferred || !lost(d.losses, "tools[2]") || len(d.losses) != 1 {
		t.Errorf("%+v, lost %+v", d.Tools, d.losses)
	}
	// Anthropic searches itself.
	r.Tools[2].Extra.Protocol = protocol.OpenAIResponses
	d = prepared(t, crossing(protocol.OpenAIResponses, protocol.Anthropic, r, Options{}), native("m"))
	if len(d.Tools) != 2 || !d.Tools[0].Deferred || len(d.losses) > 0 {
		t.Errorf("%+v, lost %+v", d.Tools, d.losses)
	}
}

// Trap B24: OpenAI's models fill what they leave out of Claude Code's Read; no
// other tool loses an empty text.
func TestPadding(t *testing.T) {
	b := crossing(protocol.Anthropic, protocol.OpenAIResponses, &llm.Request{Tools: []llm.Tool{{Name: "Read"}, {Name: "Edit"}}}, Options{})
	prepared(t, b, native("m"))
	got := drawParts(backward(t, b, llm.StopCall,
		call("1", "Read", `{"file_path":"/a","pages":""}`), call("2", "Edit", `{"new_string":"","pages":""}`),
		call("3", "Read", `{"pages":"1-2","offset":1}`), call("4", "Read", `{"pages":""}`)).Parts)
	want := `[Read:1({"file_path":"/a"}) Edit:2({"new_string":"","pages":""}) Read:3({"pages":"1-2","offset":1}) Read:4({})]`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Trap F9: a picture that OpenAI's tool drew is a picture to everybody else.
func TestDrawing(t *testing.T) {
	x := llm.Extra{Protocol: protocol.OpenAIResponses}
	parts := []llm.Part{
		&llm.ServerCall{ID: "i", Name: drawing, Extra: x},
		&llm.ServerResult{CallID: "i", Name: drawing, Blobs: []llm.Blob{{Kind: llm.Image, Data: llm.Plain("AA")}}, Extra: x}, say("there"),
	}
	b := crossing(protocol.Gemini, protocol.OpenAIResponses, &llm.Request{}, Options{})
	prepared(t, b, native("m"))
	if got := drawParts(backward(t, b, llm.StopEnd, parts...).Parts); got != "[blob say(there)]" {
		t.Error(got)
	}
}
