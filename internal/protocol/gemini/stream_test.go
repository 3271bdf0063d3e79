package gemini

import (
	"fmt"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/openaichat"
)

var kindNames = [...]string{"begin", "open", "grow", "sealed", "cited", "whole", "close", "tally", "halt", "odds", "end", "note"}

// lines says what events are, one a line.
func lines(events []llm.Event) string {
	var b strings.Builder
	for i := range events {
		e := &events[i]
		fmt.Fprintf(&b, "%s %d.%d", kindNames[e.Kind], e.Answer, e.Part)
		switch e.Kind {
		case llm.Begin:
			fmt.Fprintf(&b, " %s %s", e.ID, e.Model)
		case llm.Open, llm.Whole:
			b.WriteString(" " + linePart(e.What))
		case llm.Grow:
			fmt.Fprintf(&b, " %q", e.Text.String())
		case llm.Sealed:
			fmt.Fprintf(&b, " %s", e.Seal.Data.String())
		case llm.Cited:
			fmt.Fprintf(&b, " %s %d-%d", e.Cite.URL, e.Cite.Start, e.Cite.End)
		case llm.Tally:
			fmt.Fprintf(&b, " %d", e.Usage.Total())
		case llm.Halt:
			fmt.Fprintf(&b, " %d", e.Stop)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func linePart(p llm.Part) string {
	seal := func(s *llm.Seal) string {
		if s == nil {
			return ""
		}
		return " sealed " + s.Data.String()
	}
	switch p := p.(type) {
	case *llm.Prose:
		return "prose" + seal(p.Seal)
	case *llm.Thought:
		return "thought" + seal(p.Seal)
	case *llm.Call:
		return "call " + p.Name + " " + p.Args.String() + seal(p.Seal)
	case *llm.Blob:
		return "blob " + p.Type
	case *llm.ServerCall:
		return "runs " + p.Name + " " + p.Query.String()
	case *llm.ServerResult:
		return "ran " + p.Name
	}
	return fmt.Sprintf("%T", p)
}

// piece is a chunk whose only candidate is c.
func piece(c string) string {
	return `{"candidates":[` + c + `],"modelVersion":"m","responseId":"r"}`
}

func part(p string) string { return piece(`{"content":{"parts":[` + p + `]}}`) }

func TestDecodeStream(t *testing.T) {
	const stop = `{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}`
	for _, c := range []struct {
		name   string
		chunks []string
		want   string
	}{
		{
			"texts of one kind are one part, of another another",
			[]string{part(`{"text":"a","thought":true}`), part(`{"text":"b","thought":true},{"text":"c"}`), part(`{"text":"d","thought":false}`), stop},
			"begin 0.0 r m\nopen 0.0 thought\ngrow 0.0 \"a\"\ngrow 0.0 \"b\"\nclose 0.0\nopen 0.1 prose\ngrow 0.1 \"c\"\ngrow 0.1 \"d\"\nclose 0.1\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"C7 a signature on a text ends its part",
			[]string{part(`{"text":"a","thoughtSignature":"s"}`), part(`{"text":"b"}`), stop},
			"begin 0.0 r m\nopen 0.0 prose\ngrow 0.0 \"a\"\nsealed 0.0 s\nclose 0.0\nopen 0.1 prose\ngrow 0.1 \"b\"\nclose 0.1\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"C7 a signature that comes alone is of the text before it",
			[]string{part(`{"text":"a"}`), part(`{"text":"","thoughtSignature":"s"}`), stop},
			"begin 0.0 r m\nopen 0.0 prose\ngrow 0.0 \"a\"\nsealed 0.0 s\nclose 0.0\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"C7 a signature without a text before it is a part",
			[]string{part(`{"text":"a","thought":true}`), part(`{"text":"","thoughtSignature":"s"}`), stop},
			"begin 0.0 r m\nopen 0.0 thought\ngrow 0.0 \"a\"\nclose 0.0\nwhole 0.1 prose sealed s\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"C30 D3 whole calls, one a chunk",
			[]string{part(`{"functionCall":{"id":"a","name":"f","args":{"x":1}},"thoughtSignature":"s"}`), part(`{"functionCall":{"id":"b","name":"g"}}`), stop},
			"begin 0.0 r m\nwhole 0.0 call f {\"x\":1} sealed s\nwhole 0.1 call g \nhalt 0.0 5\nend 0.0\n",
		},
		{
			"C15 calls win over the limit of tokens",
			[]string{piece(`{"content":{"parts":[{"functionCall":{"id":"a","name":"f"}}]},"finishReason":"MAX_TOKENS"}`)},
			"begin 0.0 r m\nwhole 0.0 call f \nhalt 0.0 5\nend 0.0\n",
		},
		{
			"C14 a call that cannot be read is no end of the turn",
			[]string{piece(`{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"x"}`)},
			"begin 0.0 r m\nhalt 0.0 9\nend 0.0\n",
		},
		{
			"C16 the prompt was refused",
			[]string{`{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}`},
			"begin 0.0  \ntally 0.0 3\nhalt 0.0 7\nend 0.0\n",
		},
		{
			"C28 of the usage the last holds",
			[]string{`{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":3}}`, `{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}}`},
			"begin 0.0  \nopen 0.0 prose\ngrow 0.0 \"a\"\ntally 0.0 3\ntally 0.0 4\nclose 0.0\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"old models say STOP with every chunk",
			[]string{piece(`{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}`), piece(`{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}`)},
			"begin 0.0 r m\nopen 0.0 prose\ngrow 0.0 \"a\"\ngrow 0.0 \"b\"\nclose 0.0\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"D10 several answers",
			[]string{piece(`{"index":0,"content":{"parts":[{"text":"a"}]}},{"index":1,"content":{"parts":[{"text":"b"}]}}`), piece(`{"index":1,"finishReason":"STOP"}`), piece(`{"index":0,"finishReason":"MAX_TOKENS"}`)},
			"begin 0.0 r m\nopen 0.0 prose\ngrow 0.0 \"a\"\nopen 1.0 prose\ngrow 1.0 \"b\"\nclose 0.0\nhalt 0.0 3\nclose 1.0\nhalt 1.0 1\nend 0.0\n",
		},
		{
			"a stream that was cut has no end",
			[]string{part(`{"text":"a"}`)},
			"begin 0.0 r m\nopen 0.0 prose\ngrow 0.0 \"a\"\nclose 0.0\n",
		},
		{
			"a mark of another protocol is the end",
			[]string{piece(`{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}`), "[DONE]", part(`{"text":"b"}`)},
			"begin 0.0 r m\nopen 0.0 prose\ngrow 0.0 \"a\"\nclose 0.0\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"D19 an array of chunks",
			[]string{`[` + part(`{"text":"a"}`) + `,` + stop + `]`},
			"begin 0.0 r m\nopen 0.0 prose\ngrow 0.0 \"a\"\nclose 0.0\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"D16 what it rests on comes last, in characters",
			[]string{part(`{"text":"Grüße. "}`), piece(`{"content":{"parts":[{"text":"Öl."}]},"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["q"],"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"startIndex":9,"endIndex":13,"text":"Öl."},"groundingChunkIndices":[0]}]}}`)},
			"begin 0.0 r m\nopen 0.0 prose\ngrow 0.0 \"Grüße. \"\ngrow 0.0 \"Öl.\"\ncited 0.0 u 7-10\nclose 0.0\nwhole 0.1 runs web_search q\nwhole 0.2 ran web_search\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"a call that Google makes by itself",
			[]string{piece(`{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}`), part(`{"functionResponse":{"name":"f","response":{"output":"x"}}}`), part(`{"text":"a"}`), stop},
			"begin 0.0 r m\nwhole 0.0 runs mcp f\nwhole 0.1 ran mcp\nopen 0.2 prose\ngrow 0.2 \"a\"\nclose 0.2\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"code and pictures",
			[]string{part(`{"executableCode":{"language":"PYTHON","code":"1"}}`), part(`{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1"}},{"inlineData":{"mimeType":"image/png","data":"iVBO"}}`), stop},
			"begin 0.0 r m\nwhole 0.0 runs code_execution 1\nwhole 0.1 ran code_execution\nwhole 0.2 blob image/png\nhalt 0.0 1\nend 0.0\n",
		},
		{
			"arguments in pieces, and a call after them",
			[]string{part(`{"functionCall":{"name":"f","willContinue":true},"thoughtSignature":"s"}`), part(`{"functionCall":{"partialArgs":[{"jsonPath":"$.a[1]['b c']","stringValue":"x\"","willContinue":true}],"willContinue":true}}`), part(`{"functionCall":{"partialArgs":[{"jsonPath":"$.a[1]['b c']","stringValue":"y"},{"jsonPath":"$.n","numberValue":1.50},{"jsonPath":"$.z","nullValue":"NULL_VALUE"}],"willContinue":true}}`), part(`{"functionCall":{}}`), part(`{"functionCall":{"id":"b","name":"g","args":{}}}`), stop},
			"begin 0.0 r m\nwhole 0.0 call f {\"a\":[null,{\"b c\":\"x\\\"y\"}],\"n\":1.50,\"z\":null} sealed s\nwhole 0.1 call g {}\nhalt 0.0 5\nend 0.0\n",
		},
		{
			"arguments in pieces without an end",
			[]string{part(`{"functionCall":{"name":"f","willContinue":true}}`), part(`{"functionCall":{"partialArgs":[{"jsonPath":"$.a","boolValue":true}]}}`), part(`{"functionCall":{"name":"g","willContinue":true}}`), stop},
			"begin 0.0 r m\nwhole 0.0 call f {\"a\":true}\nwhole 0.1 call g {}\nhalt 0.0 5\nend 0.0\n",
		},
	} {
		d := New().NewDecoder()
		var events []llm.Event
		for _, data := range c.chunks {
			var err error
			if events, err = d.Feed(events, nil, []byte(data)); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		events = d.End(events)
		if got := lines(events); got != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, got, c.want)
		}
	}
}

// TestIDs: a call without an id gets the same one in a stream and in a whole
// answer, another in every answer, and one for each call (F16, C31, D4).
func TestIDs(t *testing.T) {
	body := `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"f","args":{"a":1}}}]},"finishReason":"STOP"}],"responseId":"%s"}`
	read := func(id string) (whole, streamed []string) {
		r, err := New().DecodeResponse(fmt.Appendf(nil, body, id))
		if err != nil {
			t.Fatal(err)
		}
		s, err := codectest.Fold(New().NewDecoder(), fmt.Appendf(nil, "data: "+body+"\n\n", id))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			whole = append(whole, r.Answers[0].Parts[i].(*llm.Call).ID)
			streamed = append(streamed, s.Answers[0].Parts[i].(*llm.Call).ID)
		}
		return whole, streamed
	}
	a, b := read("one")
	if a[0] != b[0] || a[1] != b[1] || a[0] == a[1] || !minted(a[0]) {
		t.Errorf("whole %q, as a stream %q", a, b)
	}
	if c, _ := read("two"); c[0] == a[0] {
		t.Errorf("two answers have the same id %q", c[0])
	}
}

// write writes events for a client.
func write(c *Codec, echo *protocol.Echo, events ...llm.Event) (string, []llm.Loss) {
	e := c.NewEncoder(echo)
	var out []byte
	for i := range events {
		out = e.Feed(out, &events[i])
	}
	return string(e.End(out)), e.Losses()
}

func TestEncodeStream(t *testing.T) {
	text := func(part int, s string) llm.Event {
		return llm.Event{Kind: llm.Grow, Part: part, Text: llm.Plain(s)}
	}
	open := func(part int, p llm.Part) llm.Event { return llm.Event{Kind: llm.Open, Part: part, What: p} }
	shut := func(part int) llm.Event { return llm.Event{Kind: llm.Close, Part: part} }
	begin := llm.Event{Kind: llm.Begin, ID: "r"}
	halt := llm.Event{Kind: llm.Halt, Stop: llm.StopEnd}
	data := func(parts string) string {
		return `data: {"candidates":[{"content":{"parts":[` + parts + `],"role":"model"},"index":0}],"modelVersion":"m","responseId":"r"}` + "\n\n"
	}
	last := func(part, finish, more string) string {
		return `data: {"candidates":[{"content":{"parts":[` + part + `],"role":"model"},"finishReason":"` + finish + `","index":0` + more + "\n\n"
	}
	const tail = `}],"modelVersion":"m","responseId":"r"}`
	shown := &protocol.Echo{Model: "m", Request: &llm.Request{Reason: llm.Reason{Show: llm.ShowSummary}}}
	hidden := &protocol.Echo{Model: "m", Request: &llm.Request{}}
	for _, c := range []struct {
		name   string
		echo   *protocol.Echo
		events []llm.Event
		want   string
	}{
		{
			"texts at once, the usage at the end", hidden,
			[]llm.Event{begin, open(0, &llm.Prose{}), text(0, "a<b"), text(0, ""), shut(0), halt, {Kind: llm.Tally, Usage: llm.Usage{Input: 3, CacheRead: 2, Output: 4, Reasoning: 1}}, {Kind: llm.End}},
			data(`{"text":"a<b"}`) + last(`{"text":""}`, "STOP", `}],"usageMetadata":{"promptTokenCount":5,"cachedContentTokenCount":2,"candidatesTokenCount":4,"thoughtsTokenCount":1,"totalTokenCount":10},"modelVersion":"m","responseId":"r"}`),
		},
		{
			"C30 a call is whole, however it came", hidden,
			[]llm.Event{begin, open(0, &llm.Call{ID: "a", Name: "f"}), open(1, &llm.Call{ID: "b", Name: "g"}), text(0, `{"x"`), text(1, `{}`), shut(1), text(0, `:1}`), shut(0), halt},
			data(`{"functionCall":{"id":"b","name":"g","args":{}}}`) + data(`{"functionCall":{"id":"a","name":"f","args":{"x":1}}}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"A12 a call without arguments", hidden,
			[]llm.Event{begin, open(0, &llm.Call{ID: "a", Name: "f"}), shut(0), halt},
			data(`{"functionCall":{"id":"a","name":"f","args":{}}}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"a call that stays open is told at the end", hidden,
			[]llm.Event{begin, open(0, &llm.Call{ID: "a", Name: "f"}), text(0, "{}")},
			data(`{"functionCall":{"id":"a","name":"f","args":{}}}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"thoughts for who asked for them", shown,
			[]llm.Event{begin, open(0, &llm.Thought{}), text(0, "hm"), shut(0), open(1, &llm.Prose{}), text(1, "a"), shut(1), halt},
			data(`{"text":"hm","thought":true}`) + data(`{"text":"a"}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"… and for nobody else", hidden,
			[]llm.Event{begin, open(0, &llm.Thought{}), text(0, "hm"), shut(0), open(1, &llm.Prose{}), text(1, "a"), shut(1), halt},
			data(`{"text":"a"}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"another's seal goes onto the next call", hidden,
			[]llm.Event{begin, open(0, &llm.Thought{}), {Kind: llm.Sealed, Seal: &llm.Seal{Protocol: "anthropic", Data: llm.Plain("s")}}, shut(0), open(1, &llm.Call{ID: "a", Name: "f"}), shut(1), halt},
			data(`{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"s"}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"… or text", hidden,
			[]llm.Event{begin, {Kind: llm.Whole, What: &llm.Thought{Redacted: true, Seal: &llm.Seal{Protocol: "anthropic", Data: llm.Plain("s")}}}, open(1, &llm.Prose{}), text(1, "a"), text(1, "b"), shut(1), halt},
			data(`{"text":"a","thoughtSignature":"s"}`) + data(`{"text":"b"}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"… or to the end", shown,
			[]llm.Event{begin, open(0, &llm.Thought{}), text(0, "hm"), {Kind: llm.Sealed, Seal: &llm.Seal{Protocol: "anthropic", Data: llm.Plain("s")}}, shut(0), halt},
			data(`{"text":"hm","thought":true}`) + last(`{"text":"","thoughtSignature":"s"}`, "STOP", tail),
		},
		{
			"a seal of Google's stays where it is", shown,
			[]llm.Event{begin, open(0, &llm.Prose{}), text(0, "a"), {Kind: llm.Sealed, Seal: &llm.Seal{Protocol: "gemini", Data: llm.Plain("s")}}, shut(0), halt},
			data(`{"text":"a"}`) + data(`{"text":"","thoughtSignature":"s"}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"a seal that comes before its text goes out with it", hidden,
			[]llm.Event{begin, open(0, &llm.Prose{}), {Kind: llm.Sealed, Seal: &llm.Seal{Protocol: "gemini", Data: llm.Plain("s")}}, text(0, "a"), shut(0), halt},
			data(`{"text":"a","thoughtSignature":"s"}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"X7 what is verbatim stands on one line", hidden,
			[]llm.Event{begin, {Kind: llm.Whole, What: &llm.Call{ID: "a", Name: "f", Args: llm.Plain("{\n\"x\":\r\n\"\\\"\\n\"}")}}, {Kind: llm.Whole, Part: 1, What: &llm.Opaque{Protocol: "gemini", Raw: []byte("{\n\"new\": 1}")}}, halt},
			data(`{"functionCall":{"id":"a","name":"f","args":{"x":"\"\n"}}}`) + data(`{"new": 1}`) + last(`{"text":""}`, "STOP", tail),
		},
		{
			"sources in bytes, each once", hidden,
			[]llm.Event{begin, open(0, &llm.Prose{}), text(0, "Öl."), {Kind: llm.Cited, Cite: &llm.Citation{URL: "u", Title: "t", Start: 1, End: 3}}, shut(0), open(1, &llm.Prose{}), text(1, "ab"), {Kind: llm.Cited, Part: 1, Cite: &llm.Citation{URL: "u", Title: "t"}}, shut(1), {Kind: llm.Whole, Part: 2, What: &llm.ServerCall{Name: "web_search", Query: llm.Plain("q")}}, halt},
			data(`{"text":"Öl."}`) + data(`{"text":"ab"}`) + last(`{"text":""}`, "STOP", `,"groundingMetadata":{"webSearchQueries":["q"],"groundingChunks":[{"web":{"uri":"u","title":"t"}}],"groundingSupports":[{"segment":{"startIndex":2,"endIndex":4,"text":"l."},"groundingChunkIndices":[0]},{"segment":{"startIndex":4,"endIndex":6,"text":"ab"},"groundingChunkIndices":[0]}]}`+tail),
		},
		{
			"a refusal is text that a filter cut", hidden,
			[]llm.Event{begin, open(0, &llm.Refusal{}), text(0, "no"), shut(0), {Kind: llm.Halt, Stop: llm.StopRefusal}},
			data(`{"text":"no"}`) + last(`{"text":""}`, "SAFETY", tail),
		},
		{
			"log probabilities", hidden,
			[]llm.Event{begin, {Kind: llm.Odds, Logprobs: []byte(`{"content":[{"token":"a","logprob":-1.50,"top_logprobs":[]}]}`)}, halt},
			`data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0,"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-1.50}],"topCandidates":[{"candidates":[]}]}}],"modelVersion":"m","responseId":"r"}` + "\n\n" + last(`{"text":""}`, "STOP", tail),
		},
		{"an answer in which there is nothing", hidden, []llm.Event{begin, {Kind: llm.Halt, Stop: llm.StopFilter}}, last(`{"text":""}`, "SAFETY", tail)},
		{
			"events that make no sense", hidden,
			[]llm.Event{begin, text(3, "x"), shut(4), {Kind: llm.Sealed, Part: 9, Seal: &llm.Seal{}}, {Kind: llm.Cited, Part: 9, Cite: &llm.Citation{}}, {Kind: llm.Note}, {Kind: llm.End}, text(0, "late")},
			last(`{"text":""}`, "STOP", `,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"","title":""}}]}`+tail),
		},
		{"an answer without a beginning has the gateway's id", &protocol.Echo{Model: "m", ID: "r"}, []llm.Event{open(0, &llm.Prose{}), text(0, "a"), halt}, data(`{"text":"a"}`) + last(`{"text":""}`, "STOP", tail)},
	} {
		got, losses := write(New(), c.echo, c.events...)
		if got != c.want || len(losses) > 0 {
			t.Errorf("%s: %v\n%swant\n%s", c.name, losses, got, c.want)
		}
	}
}

// TestEncodeArray: without alt=sse a client gets an array (D19), in which an
// error is the last element.
func TestEncodeArray(t *testing.T) {
	echo := &protocol.Echo{Model: "m", ID: "r"}
	const chunk = `{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}],"modelVersion":"m","responseId":"r"}`
	const last = `{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"modelVersion":"m","responseId":"r"}`
	grow := llm.Event{Kind: llm.Grow, Text: llm.Plain("a")}
	if got, _ := write(NewArray(), echo, llm.Event{Kind: llm.Open, What: &llm.Prose{}}, grow); got != "["+chunk+",\n"+last+"\n]" {
		t.Error(got)
	}
	if got, _ := write(NewArray(), echo); got != "["+last+"\n]" {
		t.Error(got)
	}
	broken := fault.New(fault.Broken, "it broke")
	for _, n := range []int{0, 1} {
		for _, c := range []*Codec{New(), NewArray()} {
			e := c.NewEncoder(echo)
			var out []byte
			for range n {
				out = e.Feed(out, &llm.Event{Kind: llm.Open, What: &llm.Prose{}})
				out = e.Feed(out, &grow)
			}
			out = e.Fail(out, broken, "id")
			if more := e.End(out); len(more) != len(out) {
				t.Errorf("something follows the failure: %s", more[len(out):])
			}
			if c.array {
				x := New().NewTap()
				if x.Body(out); x.Seen().Error == nil || x.Seen().Error.Message != "it broke" {
					t.Errorf("%s", out)
				}
			} else if !strings.HasSuffix(string(out), "\n\n") || !strings.Contains(string(out), `data: {"error":{"code":502,`) {
				t.Errorf("%s", out)
			}
		}
	}
}

// TestStreamLosses: what a stream cannot say is told.
func TestStreamLosses(t *testing.T) {
	_, losses := write(New(), &protocol.Echo{Model: "m"},
		llm.Event{Kind: llm.Whole, What: &llm.Opaque{Protocol: "x", Kind: "y"}},
		llm.Event{Kind: llm.Whole, Part: 1, What: &llm.ServerResult{Name: "file_search"}},
		llm.Event{Kind: llm.Whole, Part: 2, What: &llm.Call{Name: "f", Args: llm.Plain("[")}})
	if len(losses) != 3 {
		t.Error(losses)
	}
}

// TestThroughChat: a recorded stream for a chat client and back says the same.
func TestThroughChat(t *testing.T) {
	n := 0
	for name, stream := range streams(t) {
		one, err := codectest.Fold(New().NewDecoder(), stream)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d, e := New().NewDecoder(), openaichat.New().NewEncoder(&protocol.Echo{Model: "m", Request: &llm.Request{StreamUsage: true}})
		var out []byte
		var events []llm.Event
		for _, f := range codectest.Frames(stream) {
			if events, err = d.Feed(events[:0], f.Event, f.Data); err != nil {
				t.Fatal(err)
			}
			for i := range events {
				out = e.Feed(out, &events[i])
			}
		}
		events = d.End(events[:0])
		for i := range events {
			out = e.Feed(out, &events[i])
		}
		two, err := codectest.Fold(openaichat.New().NewDecoder(), e.End(out))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a, b := digest(one), digest(two); a != b {
			t.Errorf("%s: %.600s\n%.600s", name, a, b)
			continue
		}
		n++
	}
	t.Logf("%d streams", n)
}

// digest is what of an answer no protocol may lose: its texts and its calls.
func digest(r *llm.Response) string {
	var b strings.Builder
	for i, a := range r.Answers {
		var said, thought, calls string
		for _, p := range a.Parts {
			switch p := p.(type) {
			case *llm.Prose:
				said += p.Text.String()
			case *llm.Thought:
				thought += p.Text.String()
			case *llm.Call:
				args := p.Args.String()
				if args == "" {
					args = "{}"
				}
				calls += p.Name + "(" + args + ")"
			}
		}
		if a.Stop == llm.StopOther { // chat has no word for it
			a.Stop = llm.StopEnd
		}
		fmt.Fprintf(&b, "%d %q %q %s %d\n", i, said, thought, calls, a.Stop)
	}
	return b.String()
}
