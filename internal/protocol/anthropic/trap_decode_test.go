package anthropic

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
)

// same compares neutral values by their texts.
var same = []cmp.Option{
	cmp.Comparer(func(a, b llm.Text) bool { return a.IsSet() == b.IsSet() && a.Equal(b) }),
	cmpopts.EquateEmpty(),
}

// TestTrapsOfDecoding is what blocks of this protocol mean to others.
func TestTrapsOfDecoding(t *testing.T) {
	own := llm.Extra{Protocol: protocol.Anthropic}
	with := func(members string) llm.Extra {
		return llm.Extra{Protocol: protocol.Anthropic, Members: []byte(members)}
	}
	for _, tt := range []struct {
		name, block string
		want        llm.Part
	}{
		{
			"text", `{"type":"text","text":"hi","cache_control":{"type":"ephemeral","ttl":"1h"},"x":1}`,
			&llm.Prose{Text: llm.Plain("hi"), Cache: &llm.Breakpoint{TTL: "1h"}, Extra: with(`"x":1`)},
		},
		{
			"a citation of a web search", `{"type":"text","text":"hi","citations":[{"type":"web_search_result_location","url":"u","title":"T","cited_text":"q","encrypted_index":"e"}]}`,
			&llm.Prose{Text: llm.Plain("hi"), Extra: own, Cites: []llm.Citation{{URL: "u", Title: "T", Quote: llm.Plain("q"), Extra: with(`"type":"web_search_result_location","url":"u","title":"T","cited_text":"q","encrypted_index":"e"`)}}},
		},
		{
			"one that this gateway made is nobody's own", `{"type":"text","text":"hi","citations":[{"type":"web_search_result_location","url":"u","title":null,"cited_text":"q","encrypted_index":""}]}`,
			&llm.Prose{Text: llm.Plain("hi"), Extra: own, Cites: []llm.Citation{{URL: "u", Quote: llm.Plain("q")}}},
		},
		{
			"thinking", `{"type":"thinking","thinking":"","signature":"s"}`,
			&llm.Thought{Text: llm.Plain(""), Seal: &llm.Seal{Protocol: protocol.Anthropic, Data: llm.Plain("s")}},
		},
		{"A30 thinking without a signature", `{"type":"thinking","thinking":"hm","signature":""}`, &llm.Thought{Text: llm.Plain("hm")}},
		{
			"A33 redacted thinking", `{"type":"redacted_thinking","data":"d"}`,
			&llm.Thought{Redacted: true, Seal: &llm.Seal{Protocol: protocol.Anthropic, Kind: llm.Encrypted, Data: llm.Plain("d")}},
		},
		{"A13 a call with an odd input", `{"type":"tool_use","id":"c","name":"f","input":[1]}`, &llm.Call{ID: "c", Name: "f", Args: llm.Plain("[1]")}},
		{"A8 a result without content", `{"type":"tool_result","tool_use_id":"c","content":null}`, &llm.Result{CallID: "c"}},
		{"A9 a failed one", `{"type":"tool_result","tool_use_id":"c","content":"no","is_error":true}`, &llm.Result{CallID: "c", Failed: true, Parts: []llm.Part{&llm.Prose{Text: llm.Plain("no")}}}},
		{
			"A6 A7 B13 a result with all kinds of content", `{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"t"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iV"}},{"type":"tool_reference","tool_name":"WebFetch"},{"type":"search_result","source":"https://e.example","title":"T","content":[{"type":"text","text":"x"}]},{"type":"document","source":{"type":"content","content":[{"type":"text","text":"y"}]},"title":"D"}]}`,
			&llm.Result{CallID: "c", Parts: []llm.Part{
				&llm.Prose{Text: llm.Plain("t"), Extra: own},
				&llm.Blob{Type: "image/png", Data: llm.Plain("iV"), Extra: own},
				&llm.Reference{Name: "WebFetch"},
				&llm.Opaque{Protocol: protocol.Anthropic, Kind: "search_result", Alt: llm.Plain("T\nhttps://e.example\nx")},
				&llm.Opaque{Protocol: protocol.Anthropic, Kind: "document", Alt: llm.Plain("D\ny")},
			}},
		},
		{
			"A40 documents", `{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"},"title":"T","context":"c","citations":{"enabled":true}}`,
			&llm.Blob{Kind: llm.Document, Type: "text/plain", Prose: llm.Plain("d"), Name: "T", Extra: with(`"context":"c","citations":{"enabled":true}`)},
		},
		{"A40 a document at a URL", `{"type":"document","source":{"type":"url","url":"https://e.example/a.pdf"}}`, &llm.Blob{Kind: llm.Document, URL: "https://e.example/a.pdf", Extra: own}},
		{"A40 a file", `{"type":"document","source":{"type":"file","file_id":"file_1"}}`, &llm.Blob{Kind: llm.Document, File: "file_1", Extra: own}},
		{
			"B14 a search", `{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}}`,
			&llm.ServerCall{ID: "s", Name: "web_search", Input: []byte(`{"query":"q"}`), Query: llm.Plain("q"), Extra: own},
		},
		{
			"B14 what it found", `{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","url":"u","title":"T","encrypted_content":"e"}]}`,
			&llm.ServerResult{CallID: "s", Name: "web_search", Sources: []llm.Citation{{URL: "u", Title: "T"}}, Extra: own},
		},
		{
			"B14 an error of it", `{"type":"web_search_tool_result","tool_use_id":"s","content":{"type":"web_search_tool_result_error","error_code":"max_uses_exceeded"}}`,
			&llm.ServerResult{CallID: "s", Name: "web_search", Failed: true, Text: llm.Plain("max_uses_exceeded"), Extra: own},
		},
		{
			"a page", `{"type":"web_fetch_tool_result","tool_use_id":"s","content":{"type":"web_fetch_result","url":"u","content":{"type":"document","title":"T","source":{"type":"text","data":"d"}}}}`,
			&llm.ServerResult{CallID: "s", Name: "web_fetch", Sources: []llm.Citation{{URL: "u", Title: "T"}}, Text: llm.Plain("d"), Extra: own},
		},
		{
			"code", `{"type":"server_tool_use","id":"s","name":"bash_code_execution","input":{"command":"ls"}}`,
			&llm.ServerCall{ID: "s", Name: "code_execution", Input: []byte(`{"command":"ls"}`), Query: llm.Plain("ls"), Extra: with(`"name":"bash_code_execution"`)},
		},
		{
			"what code wrote", `{"type":"bash_code_execution_tool_result","tool_use_id":"s","content":{"type":"bash_code_execution_result","stdout":"a","stderr":"b","return_code":0,"content":[]}}`,
			&llm.ServerResult{CallID: "s", Name: "code_execution", Text: llm.Plain("a\nb"), Extra: own},
		},
		{
			"a tool server", `{"type":"mcp_tool_use","id":"s","name":"ask","server_name":"wiki","input":{}}`,
			&llm.ServerCall{ID: "s", Name: "mcp", Input: []byte(`{}`), Extra: with(`"name":"ask","server_name":"wiki"`)},
		},
		{
			"what it said", `{"type":"mcp_tool_result","tool_use_id":"s","is_error":true,"content":[{"type":"text","text":"no"}]}`,
			&llm.ServerResult{CallID: "s", Name: "mcp", Failed: true, Text: llm.Plain("no"), Extra: own},
		},
		{
			"a tool search", `{"type":"tool_search_tool_result","tool_use_id":"s","content":{"type":"tool_search_tool_search_result","tool_references":[{"type":"tool_reference","tool_name":"a"},{"type":"tool_reference","tool_name":"b"}]}}`,
			&llm.ServerResult{CallID: "s", Name: "tool_search", Text: llm.Plain("a\nb"), Extra: own},
		},
		{
			"B26 a summary of the conversation", `{"type":"compaction","content":"so far"}`,
			&llm.Opaque{Protocol: protocol.Anthropic, Kind: "compaction", Alt: llm.Plain("[Summary of the conversation so far]\nso far")},
		},
		{"X6 an unknown block", `{"type":"hologram","x":1}`, &llm.Opaque{Protocol: protocol.Anthropic, Kind: "hologram"}},
	} {
		d := decoder{r: &llm.Request{}}
		got := d.block("", []byte(tt.block))
		bare(got)
		if diff := cmp.Diff(tt.want, got, same...); diff != "" || d.err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", tt.name, d.err, diff)
		}
	}
}

// bare takes out what is there verbatim, which other tests see to.
func bare(p llm.Part) {
	switch p := p.(type) {
	case *llm.Opaque:
		p.Raw = nil
	case *llm.ServerResult:
		p.Raw = nil
	case *llm.Result:
		for _, in := range p.Parts {
			bare(in)
		}
	}
}

// TestDecodeHead is what stands around the conversation.
func TestDecodeHead(t *testing.T) {
	r, err := New().DecodeRequest([]byte(`{"model":"m","messages":[{"role":"user","content":"u"},{"role":"system","content":"s","output_config":{"effort":"low"}}],"max_tokens":5,
		"tools":[{"name":"DeferredToolPlaceholder","defer_loading":true,"input_schema":{"type":"object"}},{"type":"web_search_20250305","name":"web_search","max_uses":8},{"type":"bash_20250124","name":"bash"},{"type":"hologram_1","name":"h"}],
		"mcp_servers":[{"type":"url","name":"wiki","url":"https://e.example"}],
		"tool_choice":{"type":"tool","name":"web_search","disable_parallel_tool_use":true},"thinking":{"type":"between_tools"},"output_config":{"effort":"max"},
		"metadata":{"user_id":"me"},"service_tier":"auto","stop_sequences":["X"],"system":[{"type":"text","text":"x-anthropic-billing-header: cc"},{"type":"text","text":"S"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if m := r.Messages; len(m) != 3 || m[0].Role != llm.System || m[2].Role != llm.System || r.Head() != 1 || string(m[2].Extra.Members) != `"output_config":{"effort":"low"}` {
		t.Errorf("messages: %+v", m)
	}
	if o, ok := r.Messages[0].Parts[0].(*llm.Opaque); !ok || o.Kind != attributionKind || o.Alt.IsSet() {
		t.Errorf("the attribution is for everybody: %+v", r.Messages[0].Parts[0])
	}
	want := []struct {
		server string
		defers bool
	}{{"", true}, {"web_search", false}, {"bash", false}, {"hologram_1", false}, {"mcp", false}}
	for i, w := range want {
		if got := r.Tools[i]; got.Server != w.server || got.Deferred != w.defers || (got.Kind == llm.Server) != (w.server != "") {
			t.Errorf("tool %d: %+v", i, got)
		}
	}
	if c := r.Choice; c.Mode != llm.ChoiceNamed || c.Tools[0] != (llm.ToolRef{Kind: llm.Server, Name: "web_search"}) || *r.Parallel {
		t.Errorf("choice: %+v", c)
	}
	if q := r.Reason; q.Mode != llm.ReasonAuto || q.Effort != "max" || string(q.Extra.Members) != `"type":"between_tools"` {
		t.Errorf("reasoning: %+v", q)
	}
	if r.User.String() != "me" || r.Tier != "auto" || len(r.Sampling.Stop) != 1 || *r.Sampling.MaxTokens != 5 {
		t.Errorf("the rest: %+v", r)
	}
}

// TestTurnsStay: results and words of one turn stay one turn, in their order,
// for whoever has to part them (A5); a result names its call and no tool (C4).
func TestTurnsStay(t *testing.T) {
	r, err := New().DecodeRequest([]byte(`{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"r"},{"type":"text","text":"t"}]},{"role":"user","content":"u"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []llm.Message{
		{Role: llm.User, Parts: []llm.Part{&llm.Result{CallID: "c", Parts: []llm.Part{&llm.Prose{Text: llm.Plain("r")}}}, &llm.Prose{Text: llm.Plain("t"), Extra: llm.Extra{Protocol: protocol.Anthropic}}}},
		{Role: llm.User, Parts: []llm.Part{&llm.Prose{Text: llm.Plain("u")}}},
	}
	if diff := cmp.Diff(want, r.Messages, same...); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestMalformed: what is no request says which member is wrong.
func TestMalformed(t *testing.T) {
	for body, param := range map[string]string{
		`[]`:                             "",
		`{"messages":{}}`:                "messages",
		`{"messages":["x"]}`:             "messages[0]",
		`{"messages":[{"role":"tool"}]}`: "messages[0].role",
		`{"messages":[{"content":"x"}]}`: "messages[0].role",
		`{"messages":[{"role":"user","content":5}]}`:     "messages[0].content",
		`{"messages":[{"role":"user","content":["x"]}]}`: "messages[0].content[0]",
		`{"system":5}`:                    "system",
		`{"tools":{}}`:                    "tools",
		`{"tools":[1]}`:                   "tools[0]",
		`{"tool_choice":"auto"}`:          "tool_choice",
		`{"tool_choice":{"type":"some"}}`: "tool_choice.type",
		`{"max_tokens":"x"}`:              "max_tokens",
		`{"temperature":"x"}`:             "temperature",
		`{"stop_sequences":"x"}`:          "stop_sequences",
		`{"stop_sequences":[1]}`:          "stop_sequences[0]",
		`{"thinking":"on"}`:               "thinking",
		`{"thinking":{"type":"enabled","budget_tokens":"many"}}`: "thinking.budget_tokens",
		`{"output_config":1}`: "output_config",
		`{"mcp_servers":[1]}`: "mcp_servers[0]",
	} {
		_, err := New().DecodeRequest([]byte(body))
		var f *fault.Fault
		if !errors.As(err, &f) || f.Class != fault.Malformed || f.Param != param || f.Msg == "" || !strings.HasPrefix(f.Msg, param) {
			t.Errorf("%s: %#v, want one about %q", body, err, param)
		}
	}
}

// TestTrapsOfStreamDecoding: copies of the protocol leave things out.
func TestTrapsOfStreamDecoding(t *testing.T) {
	const begin = "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":3}}}\n\n"
	const end = "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\ndata: {\"type\":\"message_stop\"}\n\n"
	event := func(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }
	for _, tt := range []struct{ name, stream, want string }{
		{
			"A22 end_turn with a call", begin + event("content_block_start", `{"index":0,"content_block":{"type":"tool_use","id":"c","name":"f","input":{}}}`) + event("content_block_stop", `{"index":0}`) + end,
			`[{"type":"tool_use","id":"c","name":"f","input":{}}] tool_use`,
		},
		{
			"B22 the input comes with the block", begin + event("content_block_start", `{"index":0,"content_block":{"type":"tool_use","id":"c","name":"f","input":{"a":1}}}`) + event("content_block_stop", `{"index":0}`) + end,
			`[{"type":"tool_use","id":"c","name":"f","input":{"a":1}}] tool_use`,
		},
		{
			"B22 and in deltas once more", begin + event("content_block_start", `{"index":0,"content_block":{"type":"tool_use","id":"c","name":"f","input":{"a":1}}}`) + event("content_block_delta", `{"index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}`) + end,
			`[{"type":"tool_use","id":"c","name":"f","input":{"a":1}}] tool_use`,
		},
		{
			"no block is opened", begin + event("content_block_delta", `{"index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}`) + event("content_block_delta", `{"index":1,"delta":{"type":"text_delta","text":"hi"}}`) + end,
			`[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"hi"}] end_turn`,
		},
		{
			"no index", begin + event("content_block_start", `{"content_block":{"type":"text","text":"h"}}`) + event("content_block_delta", `{"delta":{"type":"text_delta","text":"i"}}`) + event("content_block_stop", `{}`) + end,
			`[{"type":"text","text":"hi"}] end_turn`,
		},
		{
			"no beginning", event("content_block_delta", `{"index":0,"delta":{"type":"text_delta","text":"hi"}}`) + end,
			`[{"type":"text","text":"hi"}] end_turn`,
		},
		{
			"two beginnings, with thinking between them", begin + event("content_block_start", `{"index":0,"content_block":{"type":"thinking","thinking":""}}`) + event("content_block_delta", `{"index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}`) + begin + event("content_block_start", `{"index":0,"content_block":{"type":"text","text":""}}`) + event("content_block_delta", `{"index":0,"delta":{"type":"text_delta","text":"hi"}}`) + end,
			`[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"hi"}] end_turn`,
		},
		{
			"two beginnings", begin + begin + event("content_block_delta", `{"index":0,"delta":{"type":"text_delta","text":"hi"}}`) + end,
			`[{"type":"text","text":"hi"}] end_turn`,
		},
		{
			"the whole message at once", `data: {"type":"message_start","message":{"id":"m","content":[{"type":"text","text":"hi"}]}}` + "\n\n" + end,
			`[{"type":"text","text":"hi"}] end_turn`,
		},
		{
			"X6 unknown events and deltas", begin + event("surprise", `{"type":"surprise"}`) + event("content_block_start", `{"index":0,"content_block":{"type":"text"}}`) + event("content_block_delta", `{"index":0,"delta":{"type":"x_delta","x":1}}`) + event("content_block_delta", `{"index":0,"delta":{"type":"text_delta","text":"hi"}}`) + end,
			`[{"type":"text","text":"hi"}] end_turn`,
		},
		{
			"a hosted call", begin + event("content_block_start", `{"index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}`) + event("content_block_delta", `{"index":0,"delta":{"type":"input_json_delta","partial_json":"{\"query\":"}}`) + event("content_block_delta", `{"index":0,"delta":{"type":"input_json_delta","partial_json":"\"q\"}"}}`) + event("content_block_stop", `{"index":0}`) + end,
			`[{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}}] end_turn`,
		},
		{
			"a hosted call that was cut", begin + event("content_block_start", `{"index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}`) + event("content_block_delta", `{"index":0,"delta":{"type":"input_json_delta","partial_json":"{\"que"}}`) + end,
			`[{"type":"server_tool_use","id":"s","name":"web_search","input":{}}] end_turn`,
		},
		{
			"B30 a refusal with its reason", begin + `data: {"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"bio","explanation":"no"}}}` + "\n\n" + `data: {"type":"message_stop"}` + "\n\n",
			`[] refusal`,
		},
	} {
		r, err := codectest.Fold(New().NewDecoder(), []byte(tt.stream))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		out, _, err := New().EncodeResponse(nil, r, echoOf("m"))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		want, stop, _ := strings.Cut(tt.want, "] ")
		if d := codectest.Same([]byte(want+"]"), jsonedit.Get(out, "content")); d != "" || string(jsonedit.Get(out, "stop_reason")) != `"`+stop+`"` {
			t.Errorf("%s: %s, want %s", tt.name, out, tt.want)
		}
	}
}

// TestBegunAnew: an upstream that begins anew when text or a call has gone out
// cannot take it back, so the answer is broken.
func TestBegunAnew(t *testing.T) {
	d := New().NewDecoder()
	var err error
	for _, data := range []string{`{"type":"message_start","message":{}}`, `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"c","name":"f","input":{}}}`, `{"type":"message_start","message":{}}`} {
		_, err = d.Feed(nil, nil, []byte(data))
	}
	var f *fault.Fault
	if !errors.As(err, &f) || f.Class != fault.Broken {
		t.Errorf("%v", err)
	}
}

// TestUncut: a stream that ends without a reason is not whole (X12).
func TestUncut(t *testing.T) {
	d := New().NewDecoder()
	var events []llm.Event
	for _, data := range []string{`{"type":"message_start","message":{}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}`} {
		events, _ = d.Feed(events, nil, []byte(data))
	}
	events = d.End(events)
	if last := events[len(events)-1]; last.Kind != llm.Close {
		t.Errorf("it ends with an event of kind %d", last.Kind)
	}
	if more := d.End(nil); more != nil {
		t.Errorf("and again: %v", more)
	}
}
