package anthropic

import (
	"errors"
	"testing"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/wire"
)

// TestTrapsOfAnswers is what a client of this protocol gets whole.
func TestTrapsOfAnswers(t *testing.T) {
	one := func(a llm.Answer) *llm.Response {
		return &llm.Response{ID: "chatcmpl-1", Model: "x", Answers: []llm.Answer{a}}
	}
	call := func(args llm.Text) *llm.Call { return &llm.Call{ID: "c", Name: "f", Args: args} }
	text := &llm.Prose{Text: llm.Wire([]byte(`"<hi>"`))}
	for _, tt := range []struct {
		name   string
		r      *llm.Response
		want   string // compared member by member
		losses int
	}{
		{
			"X26 every member that clients need, and the model that was asked for", one(llm.Answer{Stop: llm.StopEnd, Parts: []llm.Part{text}}),
			`{"id":"msg_chatcmpl-1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"<hi>"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}`, 0,
		},
		{"C16 an empty answer", &llm.Response{}, `{"id":"msg_1","content":[],"stop_reason":"end_turn"}`, 0},
		{
			"A21 C28 X19 X21 usage", &llm.Response{Usage: llm.Usage{Input: 1, CacheRead: 2, CacheWrite: 4, Output: 8, Reasoning: 16}, Answers: []llm.Answer{{Stop: llm.StopContext}}},
			`{"stop_reason":"model_context_window_exceeded","usage":{"input_tokens":1,"cache_creation_input_tokens":4,"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":0},"cache_read_input_tokens":2,"output_tokens":24,"output_tokens_details":{"thinking_tokens":16}}}`, 0,
		},
		{
			"A22 C15 calls win", one(llm.Answer{Stop: llm.StopEnd, Parts: []llm.Part{call(llm.Plain(`{"a":1.50}`)), text}}),
			`{"content":[{"type":"tool_use","id":"c","name":"f","input":{"a":1.50}},{"type":"text","text":"<hi>"}],"stop_reason":"tool_use"}`, 0,
		},
		{
			"A12 arguments that are none", one(llm.Answer{Stop: llm.StopCall, Parts: []llm.Part{call(llm.Wire([]byte(`"{\"a\":"`)))}}),
			`{"content":[{"type":"tool_use","id":"c","name":"f","input":"{\"a\":"}],"stop_reason":"tool_use"}`, 0,
		},
		{
			"A12 no arguments", one(llm.Answer{Stop: llm.StopCall, Parts: []llm.Part{call(llm.Text{})}}),
			`{"content":[{"type":"tool_use","id":"c","name":"f","input":{}}]}`, 0,
		},
		{
			"A30 thinking without a signature", one(llm.Answer{Stop: llm.StopEnd, Parts: []llm.Part{&llm.Thought{Text: llm.Plain("hm")}, text}}),
			`{"content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"<hi>"}]}`, 0,
		},
		{
			"A25 empty parts", one(llm.Answer{Stop: llm.StopEnd, Parts: []llm.Part{&llm.Prose{}, &llm.Thought{}, text}}),
			`{"content":[{"type":"text","text":"<hi>"}]}`, 0,
		},
		{
			"B18 a filter", one(llm.Answer{Stop: llm.StopFilter}),
			`{"content":[],"stop_reason":"refusal","stop_details":{"type":"refusal","category":null,"explanation":null}}`, 0,
		},
		{
			"B30 a refusal", one(llm.Answer{Stop: llm.StopEnd, Parts: []llm.Part{&llm.Refusal{Text: llm.Plain("no")}}}),
			`{"content":[{"type":"text","text":"no"}],"stop_reason":"refusal","stop_details":{"type":"refusal","category":null,"explanation":"no"}}`, 0,
		},
		{"A21 a pause", one(llm.Answer{Stop: llm.StopPause}), `{"stop_reason":"pause_turn"}`, 0},
		{"A20 a stop sequence", one(llm.Answer{Stop: llm.StopSequence, Sequence: llm.Plain("X"), Parts: []llm.Part{text}}), `{"stop_reason":"stop_sequence","stop_sequence":"X"}`, 0},
		{
			"citations of another protocol", one(llm.Answer{Stop: llm.StopEnd, Parts: []llm.Part{&llm.Prose{Text: llm.Plain("né E"), Cites: []llm.Citation{{URL: "u", Title: "T", Start: 1, End: 2}, {URL: "v"}}}}}),
			`{"content":[{"type":"text","text":"né E","citations":[{"type":"web_search_result_location","cited_text":"é","url":"u","title":"T","encrypted_index":""},{"type":"web_search_result_location","cited_text":"né E","url":"v","title":null,"encrypted_index":""}]}]}`, 0,
		},
		{
			"two answers, logprobs, a sound", &llm.Response{Answers: []llm.Answer{{Stop: llm.StopEnd, Logprobs: []byte(`{}`), Parts: []llm.Part{&llm.Blob{Kind: llm.Audio}}}, {}}},
			`{"content":[{"type":"text","text":"[The model made a sound, for which this protocol has no room.]"}]}`, 3,
		},
	} {
		out, losses, err := New().EncodeResponse(nil, tt.r, echoOf("m"))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		for m := range wire.Object([]byte(tt.want)) {
			if d := codectest.Same(m.Value, jsonedit.Get(out, string(m.Name))); d != "" {
				t.Errorf("%s: %s: %s", tt.name, m.Name, d)
			}
		}
		if len(losses) != tt.losses {
			t.Errorf("%s: losses %v", tt.name, losses)
		}
	}
}

// TestUnreadableCall: an answer that broke off in a call nobody can read is no
// end of a turn, but an error to try again after (C14).
func TestUnreadableCall(t *testing.T) {
	_, _, err := New().EncodeResponse(nil, &llm.Response{Answers: []llm.Answer{{Stop: llm.StopMalformed}}}, echoOf("m"))
	var f *fault.Fault
	if !errors.As(err, &f) || f.Class != fault.Broken {
		t.Errorf("%v", err)
	}
}

// TestStops: every reason crosses both ways.
func TestStops(t *testing.T) {
	for reason, want := range map[string]llm.Stop{
		"end_turn": llm.StopEnd, "tool_use": llm.StopCall, "max_tokens": llm.StopLength, "stop_sequence": llm.StopSequence,
		"pause_turn": llm.StopPause, "refusal": llm.StopRefusal, "model_context_window_exceeded": llm.StopContext, "compaction": llm.StopOther,
	} {
		body := []byte(`{"type":"message","content":[],"stop_reason":"` + reason + `"}`)
		r, err := New().DecodeResponse(body)
		if err != nil || r.Answers[0].Stop != want {
			t.Errorf("%s: %v, %v", reason, r.Answers[0].Stop, err)
			continue
		}
		out, _, _ := New().EncodeResponse(nil, r, echoOf("m"))
		if got := wire.Text(jsonedit.Get(out, "stop_reason")); got != reason {
			t.Errorf("%s came back as %s", reason, got)
		}
	}
}
