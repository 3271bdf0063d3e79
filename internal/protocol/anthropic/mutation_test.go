package anthropic

import (
	"encoding/json/jsontext"
	"fmt"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/jsonw"
)

// rich is a request in which everything occurs that the protocol has.
const rich = `{"model":"claude-opus-4-6","max_tokens":64000,"stream":true,"temperature":1.0,"stop_sequences":["X","\n"],"service_tier":"auto","metadata":{"user_id":"u"},
"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"1h"}}],"thinking":{"type":"enabled","budget_tokens":2048,"display":"summarized"},
"output_config":{"effort":"high","format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"string"}}}},"task_budget":{"type":"tokens","total":9}},
"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"enum":[1.50,"x"]}}},"strict":true,"defer_loading":true,"input_examples":[{}]},{"type":"web_search_20250305","name":"web_search","max_uses":3},{"type":"mcp_toolset","mcp_server_name":"wiki"}],
"mcp_servers":[{"type":"url","name":"wiki","url":"https://e.example"}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true},"context_management":{"edits":[]},"cache_control":{"type":"ephemeral"},
"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"text","text":"a","citations":[{"type":"char_location","cited_text":"q","document_index":0,"document_title":"T","start_char_index":1,"end_char_index":2}]},{"type":"server_tool_use","id":"s","name":"bash_code_execution","input":{"command":"ls"}},{"type":"bash_code_execution_tool_result","tool_use_id":"s","content":{"type":"bash_code_execution_result","stdout":"a","stderr":"","return_code":0,"content":[]}},{"type":"tool_use","id":"c","name":"f","input":{"a":1e400},"caller":{"type":"direct"}}]},
{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","is_error":true,"content":[{"type":"text","text":"t"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iV"}},{"type":"tool_reference","tool_name":"g"},{"type":"search_result","source":"u","title":"T","content":[{"type":"text","text":"x"}]}]},{"type":"document","source":{"type":"content","content":"c"},"title":"T","context":"x","citations":{"enabled":true}},{"type":"document","source":{"type":"file","file_id":"f"}},{"type":"container_upload","file_id":"f"}]},
{"role":"system","content":"now","output_config":{"effort":"low"}}]}`

// richAnswer is such an answer.
const richAnswer = `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"a","citations":[{"type":"web_search_result_location","cited_text":"q","url":"u","title":"T","encrypted_index":"e"}]},{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","url":"u","title":"T","encrypted_content":"e"}]},{"type":"compaction","content":"so far"},{"type":"tool_use","id":"c","name":"f","input":{"a":1.50}}],"stop_reason":"refusal","stop_sequence":"X","stop_details":{"type":"refusal","category":"bio","explanation":"no"},"container":{"id":"c"},"usage":{"input_tokens":1,"output_tokens":2,"cache_creation":{"ephemeral_5m_input_tokens":3},"iterations":[{"type":"compaction","input_tokens":4}],"service_tier":"standard"}}`

// odd replaces about one of n values of v by another of any type.
func (d dice) odd(v []byte, n int) []byte {
	if d.IntN(n) == 0 {
		return []byte(pick(d, `null`, `""`, `"x"`, `0`, `-1.5e3`, `[]`, `{}`, `true`, `[1]`, `{"type":"text"}`, `"\ud800"`))
	}
	switch v[0] {
	case '{':
		out := []byte{'{'}
		for m, err := range jsonedit.Members(v) {
			if err == nil && d.IntN(4*n) > 0 {
				out = jsonw.Raw(out, string(m.Name), d.odd(m.Value, n))
			}
		}
		return append(out, '}')
	case '[':
		out := []byte{'['}
		for e, err := range jsonedit.Elements(v) {
			if err == nil && d.IntN(4*n) > 0 {
				out = append(jsonw.Comma(out), d.odd(e, n)...)
			}
		}
		return append(out, ']')
	}
	return v
}

func valid(v []byte) bool {
	return jsontext.Value(v).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// TestOddRequests: requests whose members have any type are refused or written
// as JSON, for every upstream.
func TestOddRequests(t *testing.T) {
	refused := 0
	for seed := range uint64(4000) {
		d := newDice(seed)
		body := d.odd([]byte(rich), 40)
		r, err := New().DecodeRequest(body)
		if err != nil {
			refused++
			continue
		}
		for _, fit := range append(fits, &protocol.Fit{Model: "glm-5"}, &protocol.Fit{Native: true}) {
			for _, from := range []string{protocol.Anthropic, protocol.Gemini} {
				r.Protocol = from
				if out, _, err := New().EncodeRequest(nil, r, fit); err == nil && !valid(out) {
					t.Fatalf("seed %d to %s:\n%s\nbecame\n%s", seed, fit.Model, body, out)
				}
			}
		}
	}
	if refused == 0 || refused == 4000 {
		t.Errorf("%d requests were refused", refused)
	}
}

// TestOddAnswers is the same of answers.
func TestOddAnswers(t *testing.T) {
	for seed := range uint64(4000) {
		d := newDice(seed)
		body := d.odd([]byte(richAnswer), 25)
		r, err := New().DecodeResponse(body)
		if err != nil {
			continue
		}
		if out, _, err := New().EncodeResponse(nil, r, echoOf("m")); err == nil && !valid(out) {
			t.Fatalf("seed %d:\n%s\nbecame\n%s", seed, body, out)
		}
	}
}

// TestOddStreams: events whose members have any type give an error or a stream
// of sound events.
func TestOddStreams(t *testing.T) {
	stream := streamOf(t, []byte(richAnswer))
	for seed := range uint64(4000) {
		d := newDice(seed)
		dec, e := New().NewDecoder(), New().NewEncoder(echoOf("m"))
		var events []llm.Event
		var out []byte
		for _, f := range codectest.Frames(stream) {
			data := d.odd(f.Data, 40)
			var err error
			if events, err = dec.Feed(events[:0], f.Event, data); err != nil {
				break
			}
			for i := range events {
				out = e.Feed(out, &events[i])
			}
		}
		events = dec.End(events[:0])
		for i := range events {
			out = e.Feed(out, &events[i])
		}
		for _, data := range framesOf(e.End(out)) {
			if !valid(data) {
				t.Fatalf("seed %d: %s", seed, data)
			}
		}
	}
}

// streamOf is a whole answer as a stream.
func streamOf(t *testing.T, body []byte) []byte {
	t.Helper()
	r, err := New().DecodeResponse(body)
	if err != nil {
		t.Fatal(err)
	}
	e := New().NewEncoder(echoOf(r.Model))
	out := e.Feed(nil, &llm.Event{Kind: llm.Begin, ID: r.ID, Usage: r.Usage})
	for i, p := range r.Answers[0].Parts {
		out = e.Feed(out, &llm.Event{Kind: llm.Whole, Part: i, What: p})
	}
	out = e.Feed(out, &llm.Event{Kind: llm.Halt, Stop: r.Answers[0].Stop, Sequence: r.Answers[0].Sequence, Extra: r.Answers[0].Extra})
	out = e.Feed(out, &llm.Event{Kind: llm.Tally, Usage: r.Usage, Extra: r.Extra})
	return e.End(out)
}

// TestRich: all that the protocol has comes out as it went in, and so does what
// nobody has heard of yet.
func TestRich(t *testing.T) {
	for seed := range uint64(300) {
		d := newDice(seed)
		body := d.novel([]byte(rich), seed > 0)
		out, losses := again(t, body)
		if diff := codectest.Same(tidy(body), tidy(out)); diff != "" || len(losses) > 0 {
			t.Fatalf("request, seed %d: %s\n%v", seed, diff, losses)
		}
		answer := d.novel([]byte(richAnswer), seed > 0)
		r, err := New().DecodeResponse(answer)
		if err != nil {
			t.Fatal(err)
		}
		if out, losses, err = New().EncodeResponse(nil, r, echoOf("m")); err != nil || len(losses) > 0 {
			t.Fatal(err, losses)
		}
		if diff := codectest.Same(tidy(answer), tidy(out)); diff != "" {
			t.Fatalf("answer, seed %d: %s", seed, diff)
		}
	}
}

// novel adds members that nobody knows to objects that are the protocol's own.
func (d dice) novel(v []byte, add bool) []byte {
	switch v[0] {
	case '{':
		out := []byte{'{'}
		for m, err := range jsonedit.Members(v) {
			if err == nil {
				out = jsonw.Raw(out, string(m.Name), d.novel(m.Value, add))
			}
		}
		if add && d.IntN(3) == 0 {
			out = jsonw.Raw(out, fmt.Sprint("novel_", d.IntN(9)), []byte(pick(d, `1.50`, `"é\u00e9"`, `{"a":[null,1e400]}`, `[]`)))
		}
		return append(out, '}')
	case '[':
		out := []byte{'['}
		for e, err := range jsonedit.Elements(v) {
			if err == nil {
				out = append(jsonw.Comma(out), d.novel(e, add)...)
			}
		}
		return append(out, ']')
	}
	return v
}
