package anthropic

import (
	"bytes"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/wire"
)

// digest tells a stream in short: what blocks start with, what comes in their
// deltas, and how the message ends. Members that are always there are left out.
func digest(stream []byte) string {
	var out []string
	for _, f := range codectest.Frames(stream) {
		switch string(f.Event) {
		case "message_start":
			out = append(out, "begin "+wire.Text(jsonedit.Path(f.Data, "message", "id"))+" "+string(jsonedit.Path(f.Data, "message", "usage", "input_tokens")))
		case "content_block_start":
			b := jsonedit.Get(f.Data, "content_block")
			out = append(out, strings.TrimSpace("["+wire.Text(jsonedit.Get(b, "type"))+" "+wire.Text(jsonedit.Get(b, "id"))+" "+wire.Text(jsonedit.Get(b, "name"))))
		case "content_block_delta":
			for m := range wire.Object(jsonedit.Get(f.Data, "delta")) {
				if string(m.Name) != "type" {
					out = append(out, string(m.Name)+" "+string(m.Value))
				}
			}
		case "content_block_stop":
			out = append(out, "]")
		case "message_delta":
			d, u := jsonedit.Get(f.Data, "delta"), jsonedit.Get(f.Data, "usage")
			line := "stop " + wire.Text(jsonedit.Get(d, "stop_reason")) + " " + string(jsonedit.Get(u, "input_tokens")) + "/" + string(jsonedit.Get(u, "output_tokens"))
			if s := jsonedit.Get(d, "stop_sequence"); string(s) != "null" {
				line += " at " + string(s)
			}
			if s := jsonedit.Path(d, "stop_details", "explanation"); s != nil {
				line += " for " + string(s)
			}
			out = append(out, line)
		case "message_stop":
			out = append(out, "end")
		case "error":
			out = append(out, "error "+wire.Text(jsonedit.Path(f.Data, "error", "type")))
		}
	}
	return strings.Join(out, "\n")
}

// write encodes events for a client.
func write(t *testing.T, echo *protocol.Echo, events []llm.Event) (string, []llm.Loss) {
	t.Helper()
	e := New().NewEncoder(echo)
	var out []byte
	for i := range events {
		out = e.Feed(out, &events[i])
	}
	out = e.End(out)
	if err := lawful(out); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return digest(out), e.Losses()
}

func opens(part int, what llm.Part) llm.Event {
	return llm.Event{Kind: llm.Open, Part: part, What: what}
}

func grows(part int, text string) llm.Event {
	return llm.Event{Kind: llm.Grow, Part: part, Text: llm.Plain(text)}
}
func closes(part int) llm.Event { return llm.Event{Kind: llm.Close, Part: part} }
func wholes(part int, what llm.Part) llm.Event {
	return llm.Event{Kind: llm.Whole, Part: part, What: what}
}
func halts(s llm.Stop) llm.Event { return llm.Event{Kind: llm.Halt, Stop: s} }
func tallies(in, out int64) llm.Event {
	return llm.Event{Kind: llm.Tally, Usage: llm.Usage{Input: in, Output: out}}
}

// TestTrapsOfStreams is what a client of this protocol gets of events in any
// order.
func TestTrapsOfStreams(t *testing.T) {
	begin := llm.Event{Kind: llm.Begin, ID: "chatcmpl-1", Model: "x"}
	end := llm.Event{Kind: llm.End}
	call := func(id, name string) *llm.Call { return &llm.Call{ID: id, Name: name} }
	seal := &llm.Seal{Protocol: protocol.Anthropic, Data: llm.Plain("sig")}
	for _, tt := range []struct {
		name   string
		events []llm.Event
		want   string
		losses int
	}{
		{
			"A24 the usage comes after the halt",
			[]llm.Event{begin, opens(0, &llm.Prose{}), grows(0, "hi"), closes(0), halts(llm.StopEnd), tallies(3, 2), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"hi\"\n]\nstop end_turn 3/2\nend", 0,
		},
		{
			"A24 before it",
			[]llm.Event{begin, tallies(3, 0), opens(0, &llm.Prose{}), grows(0, "hi"), tallies(3, 2), closes(0), halts(llm.StopLength), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"hi\"\n]\nstop max_tokens 3/2\nend", 0,
		},
		{
			"A24 or never, and is guessed",
			[]llm.Event{begin, opens(0, &llm.Prose{}), grows(0, "eight by"), closes(0), halts(llm.StopEnd), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"eight by\"\n]\nstop end_turn 0/2\nend", 0,
		},
		{
			"A23 the prompt's size is there at the beginning",
			[]llm.Event{{Kind: llm.Begin, ID: "msg_1", Usage: llm.Usage{Input: 9}}, opens(0, &llm.Prose{}), grows(0, "hi"), halts(llm.StopEnd), tallies(9, 2), end},
			"begin msg_1 9\n[text\ntext \"hi\"\n]\nstop end_turn 9/2\nend", 0,
		},
		{
			"A22 B23 calls win over an end",
			[]llm.Event{begin, opens(0, call("c", "f")), grows(0, "{}"), closes(0), opens(1, &llm.Prose{}), grows(1, "ok"), closes(1), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[tool_use c f\npartial_json \"{}\"\n]\n[text\ntext \"ok\"\n]\nstop tool_use 1/1\nend", 0,
		},
		{
			"B18 but not over a limit",
			[]llm.Event{begin, opens(0, call("c", "f")), grows(0, `{"a`), closes(0), halts(llm.StopLength), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[tool_use c f\npartial_json \"{\\\"a\"\n]\nstop max_tokens 1/1\nend", 0,
		},
		{
			"A25 X14 parts that stay empty are no blocks",
			[]llm.Event{begin, opens(0, &llm.Prose{}), closes(0), opens(1, &llm.Thought{}), grows(1, ""), closes(1), opens(2, call("c", "f")), closes(2), halts(llm.StopCall), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[tool_use c f\n]\nstop tool_use 1/1\nend", 0,
		},
		{
			"A27 A28 calls that interleave come one behind the other",
			[]llm.Event{begin, opens(0, call("a", "f")), opens(1, call("b", "g")), grows(0, `{"x":`), grows(1, `{"y"`), grows(0, `1}`), grows(1, `:2}`), closes(0), closes(1), halts(llm.StopCall), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[tool_use a f\npartial_json \"{\\\"x\\\":\"\npartial_json \"1}\"\n]\n[tool_use b g\npartial_json \"{\\\"y\\\"\"\npartial_json \":2}\"\n]\nstop tool_use 1/1\nend", 0,
		},
		{
			"A28 a call that is complete holds nothing up",
			[]llm.Event{begin, opens(0, call("a", "f")), grows(0, `{"x":"}"}`), opens(1, call("b", "g")), grows(1, `{`), grows(1, `}`), halts(llm.StopCall), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[tool_use a f\npartial_json \"{\\\"x\\\":\\\"}\\\"}\"\n]\n[tool_use b g\npartial_json \"{\"\npartial_json \"}\"\n]\nstop tool_use 1/1\nend", 0,
		},
		{
			"A28 text between pieces of a call waits for it",
			[]llm.Event{begin, opens(0, call("a", "f")), grows(0, `{`), opens(1, &llm.Prose{}), grows(1, "hi"), closes(1), grows(0, `}`), halts(llm.StopCall), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[tool_use a f\npartial_json \"{\"\npartial_json \"}\"\n]\n[text\ntext \"hi\"\n]\nstop tool_use 1/1\nend", 0,
		},
		{
			"thinking and text that interleave go on in new blocks",
			[]llm.Event{begin, opens(0, &llm.Thought{}), grows(0, "hm"), opens(1, &llm.Prose{}), grows(1, "hi"), grows(0, "so"), closes(0), closes(1), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[thinking\nthinking \"hm\"\n]\n[text\ntext \"hi\"\n]\n[thinking\nthinking \"so\"\n]\nstop end_turn 1/1\nend", 0,
		},
		{
			"B4 a thought's signature comes last",
			[]llm.Event{begin, opens(0, &llm.Thought{}), grows(0, "hm"), {Kind: llm.Sealed, Part: 0, Seal: seal}, closes(0), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[thinking\nthinking \"hm\"\nsignature \"sig\"\n]\nstop end_turn 1/1\nend", 0,
		},
		{
			"B5 a signature without a thought",
			[]llm.Event{begin, opens(0, &llm.Thought{}), {Kind: llm.Sealed, Part: 0, Seal: seal}, closes(0), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[thinking\nsignature \"sig\"\n]\nstop end_turn 1/1\nend", 0,
		},
		{
			"A33 redacted thinking",
			[]llm.Event{begin, wholes(0, &llm.Thought{Redacted: true, Seal: &llm.Seal{Data: llm.Plain("enc")}}), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[redacted_thinking\n]\nstop end_turn 1/1\nend", 0,
		},
		{
			"B21 B22 C30 a whole call has its arguments once",
			[]llm.Event{begin, opens(0, &llm.Prose{}), grows(0, "hi"), wholes(1, &llm.Call{ID: "c", Name: "f", Args: llm.Plain(`{"a":1}`)}), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"hi\"\n]\n[tool_use c f\npartial_json \"{\\\"a\\\":1}\"\n]\nstop tool_use 1/1\nend", 0,
		},
		{
			"a whole call behind one that is under way",
			[]llm.Event{begin, opens(0, call("a", "f")), grows(0, "{"), wholes(1, &llm.Call{ID: "b", Name: "g"}), grows(0, "}"), halts(llm.StopCall), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[tool_use a f\npartial_json \"{\"\npartial_json \"}\"\n]\n[tool_use b g\n]\nstop tool_use 1/1\nend", 0,
		},
		{
			"A20 which stop sequence it was",
			[]llm.Event{begin, opens(0, &llm.Prose{}), grows(0, "hi"), {Kind: llm.Halt, Stop: llm.StopSequence, Sequence: llm.Plain("X")}, tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"hi\"\n]\nstop stop_sequence 1/1 at \"X\"\nend", 0,
		},
		{
			"B30 a refusal says so",
			[]llm.Event{begin, opens(0, &llm.Refusal{}), grows(0, "I "), grows(0, "won't"), closes(0), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"I \"\ntext \"won't\"\n]\nstop refusal 1/1 for \"I won't\"\nend", 0,
		},
		{
			"B30 a filter",
			[]llm.Event{begin, halts(llm.StopFilter), tallies(1, 0), end},
			"begin msg_chatcmpl-1 0\nstop refusal 1/0 for null\nend", 0,
		},
		{
			"C14 an unreadable call is no end",
			[]llm.Event{begin, opens(0, &llm.Prose{}), grows(0, "hi"), halts(llm.StopMalformed), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"hi\"\n]\nerror api_error", 0,
		},
		{
			"C16 an empty answer",
			[]llm.Event{begin, halts(llm.StopEnd), tallies(1, 0), end},
			"begin msg_chatcmpl-1 0\nstop end_turn 1/0\nend", 0,
		},
		{
			"X12 no halt at all",
			[]llm.Event{begin, opens(0, &llm.Prose{}), grows(0, "hi"), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"hi\"\n]\nstop end_turn 0/1\nend", 0,
		},
		{
			"B14 what another upstream found is text",
			[]llm.Event{begin, wholes(0, &llm.ServerCall{ID: "w", Name: "web_search", Query: llm.Plain("q")}), wholes(1, &llm.ServerResult{CallID: "w", Name: "web_search", Sources: []llm.Citation{{URL: "https://e.example", Title: "E"}}}), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"Sources:\\n- E https://e.example\\n\"\n]\nstop end_turn 1/1\nend", 2,
		},
		{
			"B14 and what it ran",
			[]llm.Event{begin, wholes(0, &llm.ServerCall{ID: "w", Name: "code_execution", Query: llm.Plain("1+1")}), wholes(1, &llm.ServerResult{CallID: "w", Name: "code_execution", Text: llm.Plain("2\n")}), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"```\\n1+1\\n```\\n\"\n]\n[text\ntext \"```\\n2\\n```\\n\"\n]\nstop end_turn 1/1\nend", 2,
		},
		{
			"a citation of another protocol",
			[]llm.Event{begin, opens(0, &llm.Prose{}), grows(0, "né E"), {Kind: llm.Cited, Part: 0, Cite: &llm.Citation{URL: "u", Start: 1, End: 4}}, closes(0), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"né E\"\ncitation {\"type\":\"web_search_result_location\",\"cited_text\":\"é E\",\"url\":\"u\",\"title\":null,\"encrypted_index\":\"\"}\n]\nstop end_turn 1/1\nend", 0,
		},
		{
			"a picture",
			[]llm.Event{begin, wholes(0, &llm.Blob{Kind: llm.Image}), halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"[The model made a picture, for which this protocol has no room.]\"\n]\nstop end_turn 1/1\nend", 1,
		},
		{
			"D10 a second answer",
			[]llm.Event{begin, opens(0, &llm.Prose{}), grows(0, "hi"), {Kind: llm.Grow, Answer: 1, Text: llm.Plain("no")}, {Kind: llm.Halt, Answer: 1}, halts(llm.StopEnd), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[text\ntext \"hi\"\n]\nstop end_turn 1/1\nend", 1,
		},
		{
			"B15 a call whose tool takes free text",
			[]llm.Event{begin, opens(0, &llm.Call{ID: "c", Name: "f", Kind: llm.Custom}), grows(0, "a \"b\""), grows(0, "\n"), closes(0), wholes(1, &llm.Call{ID: "d", Name: "f", Kind: llm.Custom, Args: llm.Plain("x")}), halts(llm.StopCall), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[tool_use c f\npartial_json \"{\\\"input\\\":\\\"\"\npartial_json \"a \\\\\\\"b\\\\\\\"\"\npartial_json \"\\\\n\"\npartial_json \"\\\"}\"\n]\n[tool_use d f\npartial_json \"{\\\"input\\\":\\\"x\\\"}\"\n]\nstop tool_use 1/1\nend", 0,
		},
		{
			"X4 C31 a call without an id",
			[]llm.Event{begin, wholes(0, &llm.Call{Name: "f"}), wholes(1, &llm.Call{Name: "f"}), halts(llm.StopCall), tallies(1, 1), end},
			"begin msg_chatcmpl-1 0\n[tool_use toolu_chatcmpl-1_0 f\n]\n[tool_use toolu_chatcmpl-1_1 f\n]\nstop tool_use 1/1\nend", 0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, losses := write(t, echoOf("m"), tt.events)
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if len(losses) != tt.losses {
				t.Errorf("losses: %v", losses)
			}
		})
	}
}

// TestHeld: what waits for a call that never ends is bounded.
func TestHeld(t *testing.T) {
	e := New().NewEncoder(echoOf("m"))
	out := e.Feed(nil, new(opens(0, &llm.Call{ID: "a", Name: "f"})))
	out = e.Feed(out, new(opens(1, &llm.Call{ID: "b", Name: "g"})))
	piece := strings.Repeat("x", 1<<20)
	for range maxHeld>>20 + 3 {
		out = e.Feed(out, new(grows(1, piece)))
	}
	out = e.Feed(out, new(grows(0, "{}")))
	out = e.End(out)
	if err := lawful(out); err != nil {
		t.Error(err)
	}
	if n := 8 * bytes.Count(out, []byte("xxxxxxxx")); n != (maxHeld>>20+3)<<20 {
		t.Errorf("%d bytes came out", n)
	}
	if n := cap(e.(*streamEncoder).parts[1].text); n > 2*maxHeld {
		t.Errorf("%d bytes are held", n)
	}
	if len(e.Losses()) != 2 {
		t.Errorf("losses: %v", e.Losses())
	}
}

// TestParts: an answer of too many parts is cut, and says so.
func TestParts(t *testing.T) {
	got, losses := write(t, echoOf("m"), []llm.Event{opens(maxParts, &llm.Prose{}), grows(maxParts, "x"), halts(llm.StopEnd)})
	if len(losses) != 1 || strings.Contains(got, "text") {
		t.Errorf("%s\n%v", got, losses)
	}
}

// TestFail: an answer that breaks off ends in an error, and nothing comes after
// it (X11).
func TestFail(t *testing.T) {
	e := New().NewEncoder(echoOf("m"))
	out := e.Feed(nil, new(opens(0, &llm.Prose{})))
	out = e.Feed(out, new(grows(0, "hi")))
	out = e.Fail(out, fault.New(fault.Overloaded, "busy"), "req_1")
	out = e.Feed(out, new(grows(0, "more")))
	out = e.Fail(e.End(out), fault.New(fault.Overloaded, "busy"), "req_1")
	if got := digest(out); got != "begin msg_1 0\n[text\ntext \"hi\"\nerror overloaded_error" {
		t.Error(got)
	}
}

// TestEstimate: before the upstream tells it, a client reads about how large
// its prompt was (A23).
func TestEstimate(t *testing.T) {
	r, err := New().DecodeRequest([]byte(`{"max_tokens":1,"system":"` + strings.Repeat("four", 100) + `","messages":[{"role":"user","content":[{"type":"text","text":"` + strings.Repeat("four", 50) + `"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + strings.Repeat("A", 9999) + `"}}]}],"tools":[{"name":"f","defer_loading":true,"input_schema":{"type":"object"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	echo := echoOf("m")
	echo.Request = r
	got, _ := write(t, echo, []llm.Event{halts(llm.StopEnd)})
	if !strings.HasPrefix(got, "begin msg_1 1650\n") {
		t.Error(got)
	}
}
