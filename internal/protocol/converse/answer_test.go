package converse

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
)

// stream is the events of a stream: names and data by turns.
func stream(pairs ...string) []byte {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = append(b, "event: "+pairs[i]+"\ndata: "+pairs[i+1]+"\n\n"...)
	}
	return b
}

const (
	tokens = `{"inputTokens":7,"outputTokens":5,"totalTokens":32,"cacheReadInputTokens":11,"cacheWriteInputTokens":9}`
	end    = `{"usage":` + tokens + `,"metrics":{"latencyMs":3}}`
)

// answers are the same, in one piece and as streams.
var answers = []struct{ name, whole, stop, content string }{
	{
		"text", `[{"text":"Hello, é\n"}]`, "end_turn",
		string(stream(blockDelta, `{"contentBlockIndex":0,"delta":{"text":"Hello, "},"p":"abc"}`, blockDelta, `{"contentBlockIndex":0,"delta":{"text":"é\n"}}`, blockStop, `{"contentBlockIndex":0}`)),
	},
	{
		"thoughts, text and calls",
		`[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"SIG"}}},{"reasoningContent":{"redactedContent":"RED"}},{"text":"See:"},{"toolUse":{"toolUseId":"t1","name":"weather","input":{"city":"A"}}},{"toolUse":{"toolUseId":"t2","name":"now","input":{}}}]`, "tool_use",
		string(stream(
			blockDelta, `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"h"}}}`, blockDelta, `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"m"}}}`,
			blockDelta, `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"SIG"}}}`, blockStop, `{"contentBlockIndex":0}`,
			blockDelta, `{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"RED"}}}`, blockStop, `{"contentBlockIndex":1}`,
			blockDelta, `{"contentBlockIndex":2,"delta":{"text":"See:"}}`, blockStop, `{"contentBlockIndex":2}`,
			blockStart, `{"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"t1","name":"weather"}}}`,
			blockDelta, `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"city\":"}}}`,
			blockStart, `{"contentBlockIndex":4,"start":{"toolUse":{"toolUseId":"t2","name":"now"}}}`, // some open the next before they close
			blockDelta, `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"\"A\"}"}}}`, blockDelta, `{"contentBlockIndex":4,"delta":{"toolUse":{"input":"{}"}}}`,
			blockStop, `{"contentBlockIndex":3}`, blockStop, `{"contentBlockIndex":4}`,
		)),
	},
	{
		"what a text rests on", `[{"citationsContent":{"content":[{"text":"so"}],"citations":[{"title":"T","sourceContent":[{"text":"quote"}],"location":{"web":{"url":"https://x.example"}}}]}}]`, "end_turn",
		string(stream(blockDelta, `{"contentBlockIndex":0,"delta":{"text":"so"}}`, blockDelta, `{"contentBlockIndex":0,"delta":{"citation":{"title":"T","sourceContent":[{"text":"quote"}],"location":{"web":{"url":"https://x.example"}}}}}`, blockStop, `{"contentBlockIndex":0}`)),
	},
	{"nothing, for a reason", `[]`, "guardrail_intervened", ""},
	{"a call at an ordinary stop", `[{"toolUse":{"toolUseId":"t1","name":"now","input":{"a":1}}}]`, "end_turn", string(stream(
		blockStart, `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t1","name":"now"}}}`, blockDelta, `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"a\":1}"}}}`))},
}

func wholeOf(content, stop string) []byte {
	return []byte(`{"output":{"message":{"role":"assistant","content":` + content + `}},"stopReason":"` + stop + `","usage":` + tokens + `,"metrics":{"latencyMs":3}}`)
}

func streamOf(content, stop string) []byte {
	return append(append(stream(messageStart, `{"role":"assistant"}`), content...), stream(messageStop, `{"stopReason":"`+stop+`"}`, metadata, end)...)
}

// flat is a part as a text, whatever holds its texts.
func flat(p llm.Part) string {
	seal := func(s *llm.Seal) string {
		if s == nil {
			return ""
		}
		return s.Protocol + "/" + s.Data.String()
	}
	switch p := p.(type) {
	case *llm.Prose:
		s := "prose " + p.Text.String()
		for _, c := range p.Cites {
			s += " [" + c.Title + " " + c.URL + " " + c.Quote.String() + "]"
		}
		return s
	case *llm.Thought:
		return "thought " + p.Text.String() + " " + seal(p.Seal)
	case *llm.Call:
		return "call " + p.ID + " " + p.Name + " " + p.Args.String()
	}
	return reflect.TypeOf(p).String()
}

// TestStreamIsWhole: a stream and the whole answer tell the same.
func TestStreamIsWhole(t *testing.T) {
	want := map[string][]string{
		"text":                       {"prose Hello, é\n"},
		"thoughts, text and calls":   {"thought hm bedrock-converse/SIG", "thought  bedrock-converse/RED", "prose See:", `call t1 weather {"city":"A"}`, "call t2 now {}"},
		"what a text rests on":       {"prose so [T https://x.example quote]"},
		"a call at an ordinary stop": {`call t1 now {"a":1}`},
	}
	stops := map[string]llm.Stop{"text": llm.StopEnd, "thoughts, text and calls": llm.StopCall, "what a text rests on": llm.StopEnd, "nothing, for a reason": llm.StopFilter, "a call at an ordinary stop": llm.StopCall}
	for _, a := range answers {
		whole, err := New().DecodeResponse(wholeOf(a.whole, a.stop))
		if err != nil {
			t.Fatal(err)
		}
		folded, err := codectest.Fold(New().NewDecoder(), streamOf(a.content, a.stop))
		if err != nil {
			t.Errorf("%s: %v", a.name, err)
			continue
		}
		for form, r := range map[string]*llm.Response{"whole": whole, "stream": folded} {
			var got []string
			for _, p := range r.Answers[0].Parts {
				got = append(got, flat(p))
			}
			if !reflect.DeepEqual(got, want[a.name]) || r.Answers[0].Stop != stops[a.name] {
				t.Errorf("%s, %s: %q stopped by %v, want %q and %v", a.name, form, got, r.Answers[0].Stop, want[a.name], stops[a.name])
			}
			if u := (llm.Usage{Input: 7, CacheRead: 11, CacheWrite: 9, Output: 5}); r.Usage != u || !r.HasUsage {
				t.Errorf("%s, %s: %+v, want %+v", a.name, form, r.Usage, u)
			}
		}
	}
}

func TestTap(t *testing.T) {
	for _, a := range answers {
		for _, form := range []string{"whole", "stream"} {
			tap, marks := New().NewTap(), protocol.Mark(0)
			if form == "whole" {
				marks = tap.Body(wholeOf(a.whole, a.stop))
			} else {
				for _, f := range codectest.Frames(streamOf(a.content, a.stop)) {
					if m := tap.Frame(f.Event, f.Data); m&protocol.Final != 0 && !tap.Seen().Finished {
						t.Errorf("%s: final, and not finished", a.name)
					} else {
						marks |= m
					}
				}
			}
			s := tap.Seen()
			if marks != protocol.Meaningful|protocol.Final || !s.Finished || s.Error != nil || s.Stop != a.stop || s.Usage.Total() != 32 {
				t.Errorf("%s, %s: marks %v, %+v", a.name, form, marks, s)
			}
			if a.name != "nothing, for a reason" && s.OutBytes == 0 {
				t.Errorf("%s, %s: nothing was written", a.name, form)
			}
		}
	}
	for name, marks := range map[string]protocol.Mark{
		string(stream(messageStart, `{"role":"assistant"}`)):                                                          0,
		string(stream(blockStart, `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"n"}}}`)):        protocol.Meaningful,
		string(stream(blockDelta, `{"contentBlockIndex":0,"delta":{"text":""}}`)):                                     0,
		string(stream(blockDelta, `{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"UkVE"}}}`)): protocol.Meaningful,
		string(stream(Exception, `{"__type":"throttlingException","message":"slow"}`)):                                protocol.Failed,
		string(stream(Exception, `nonsense`)):                                                                         protocol.Failed,
		"data: {\"error\":{\"message\":\"no\"}}\n\n":                                                                  protocol.Failed,
		string(stream("later", `{"x":1}`)):                                                                            0,
	} {
		tap := New().NewTap()
		f := codectest.Frames([]byte(name))[0]
		if got := tap.Frame(f.Event, f.Data); got != marks || (marks == protocol.Failed) != (tap.Seen().Error != nil) {
			t.Errorf("%s: %v, want %v", name, got, marks)
		}
	}
	for _, body := range []string{``, `{`, `[]`, `{}`, `{"output":{"message":{"content":[]}}}`, `{"message":"no"}`} {
		tap := New().NewTap()
		if tap.Body([]byte(body)) != protocol.Failed || tap.Seen().Error == nil || tap.Seen().Finished {
			t.Errorf("%q was taken for an answer", body)
		}
	}
}

// TestCut: a stream that is cut has no end, and leaves nothing open.
func TestCut(t *testing.T) {
	frames := codectest.Frames(streamOf(answers[1].content, answers[1].stop))
	for n := range frames {
		d := New().NewDecoder()
		open, ended := 0, 0
		count := func(events []llm.Event) {
			for i := range events {
				switch events[i].Kind {
				case llm.Open:
					open++
				case llm.Close:
					open--
				case llm.End:
					ended++
				}
			}
		}
		for _, f := range frames[:n] {
			events, err := d.Feed(nil, f.Event, f.Data)
			if err != nil {
				t.Fatal(err)
			}
			count(events)
		}
		count(d.End(nil))
		count(d.End(nil))
		whole := n >= len(frames)-1 // only the tokens are missing
		if open != 0 || ended == 1 != whole {
			t.Errorf("after %d of %d events: %d parts are open, %d ends", n, len(frames), open, ended)
		}
	}
}

// TestOpenBounds: blocks that never close are closed.
func TestOpenBounds(t *testing.T) {
	d := &decoder{}
	for i := range 10 * maxOpen {
		if _, err := d.Feed(nil, []byte(blockDelta), []byte(`{"contentBlockIndex":`+strings.Repeat("1", 1+i%5)+`,"delta":{"text":"x"}}`)); err != nil {
			t.Fatal(err)
		}
		d.open(nil, i+200000, ofText, &llm.Prose{})
		if len(d.blocks) > maxOpen {
			t.Fatalf("%d blocks are open", len(d.blocks))
		}
	}
}

// TestDeltaIsCheap: a chunk of text costs no memory.
func TestDeltaIsCheap(t *testing.T) {
	d, tap := New().NewDecoder(), New().NewTap()
	event, data := []byte(blockDelta), []byte(`{"contentBlockIndex":0,"delta":{"text":"some words"},"p":"abcdef"}`)
	events, err := d.Feed(nil, event, data)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		tap.Frame(event, data)
		events, _ = d.Feed(events[:0], event, data)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzStream(f *testing.F) {
	for _, a := range answers {
		f.Add(streamOf(a.content, a.stop))
	}
	f.Add(stream(blockDelta, `{"contentBlockIndex":-1,"delta":{"toolUse":{"input":"x"},"text":"y","image":{"source":{"bytes":"AA=="}}}}`, messageStop, `{}`, metadata, `{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := codectest.Fold(New().NewDecoder(), b); err != nil && !bytes.Contains([]byte(err.Error()), []byte("of the upstream's answer")) {
			t.Errorf("%v", err)
		}
		tap := New().NewTap()
		for _, fr := range codectest.Frames(b) {
			tap.Frame(fr.Event, fr.Data)
		}
		if s := tap.Seen(); s.Finished && s.Error != nil {
			t.Errorf("finished by an error: %+v", s)
		}
	})
}

func FuzzWhole(f *testing.F) {
	for _, a := range answers {
		f.Add(wholeOf(a.whole, a.stop))
	}
	f.Add([]byte(`{"output":{"message":{"content":[{"text":1},{"toolUse":[]},{"image":{"source":{"bytes":"AA=="}}},{"video":{}}]}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		mark := New().NewTap().Body(b)
		r, err := New().DecodeResponse(b)
		if mark&protocol.Failed == 0 && (err != nil || len(r.Answers) != 1) {
			t.Errorf("%s is sound to the tap and not to the decoder: %v", b, err)
		}
	})
}
