package anthropic

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/wire"
)

// answers are the recorded answers of a kind: "response.json" or
// "response.sse".
func answers(t *testing.T, file string) map[string][]byte {
	t.Helper()
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	out := map[string][]byte{}
	files, _ := filepath.Glob(filepath.Join(root, "anthropic", "*", file))
	for _, f := range files {
		out[filepath.Base(filepath.Dir(f))], _ = os.ReadFile(f)
	}
	return out
}

func echoOf(model string) *protocol.Echo { return &protocol.Echo{ID: "req_1", Model: model} }

// TestAnswerIdentity: a whole answer is written as it was read.
func TestAnswerIdentity(t *testing.T) {
	cases, same := 0, 0
	for name, body := range answers(t, "response.json") {
		if wire.Text(jsonedit.Get(body, "type")) != "message" {
			continue // an error, a count, a list of models
		}
		cases++
		r, err := New().DecodeResponse(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, losses, err := New().EncodeResponse(nil, r, echoOf(r.Model))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := codectest.Same(tidy(body), tidy(out)); d != "" || len(losses) > 0 {
			t.Errorf("%s: %s\nlosses: %v", name, d, losses)
			continue
		}
		same++
	}
	t.Logf("%d of %d answers are the same", same, cases)
}

// TestStreamIsWhole: a recorded stream and the one that is written of its
// events are the same answer, and that answer is the one that is written whole.
func TestStreamIsWhole(t *testing.T) {
	cases, same := 0, 0
	for name, stream := range answers(t, "response.sse") {
		cases++
		first, err := codectest.Fold(New().NewDecoder(), stream)
		if err != nil && bytes.Count(stream, []byte(`"type":"message_start"`)) > 1 {
			t.Logf("%s: %v", name, err) // it was made up to begin anew
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		written, losses := reencode(t, stream, echoOf(first.Model))
		if err := lawful(written); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		second, err := codectest.Fold(New().NewDecoder(), written)
		if err != nil {
			t.Errorf("%s, written again: %v", name, err)
			continue
		}
		a, _, _ := New().EncodeResponse(nil, first, echoOf("m"))
		b, _, _ := New().EncodeResponse(nil, second, echoOf("m"))
		if d := codectest.Same(a, b); d != "" || len(losses) > 0 {
			t.Errorf("%s: %s\nlosses: %v", name, d, losses)
			continue
		}
		for _, name := range []string{"message_start", "message_delta"} {
			if d := codectest.Same(tidy(frame(stream, name)), tidy(frame(written, name))); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		same++
	}
	t.Logf("%d of %d streams are the same", same, cases)
}

// reencode decodes a stream and encodes its events.
func reencode(t *testing.T, stream []byte, echo *protocol.Echo) (out []byte, losses []llm.Loss) {
	t.Helper()
	d, e := New().NewDecoder(), New().NewEncoder(echo)
	var events []llm.Event
	for _, f := range codectest.Frames(stream) {
		var err error
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
	return e.End(out), e.Losses()
}

// TestCuts: how an upstream cuts its text, thinking and arguments into deltas
// makes no difference to the answer.
func TestCuts(t *testing.T) {
	const said = `né <b> "x" \u and {"a":[1]}`
	var want []byte
	for size := 1; size <= len(said); size++ {
		e := New().NewEncoder(echoOf("m"))
		var out []byte
		for i, what := range []llm.Part{&llm.Thought{}, &llm.Prose{}, &llm.Call{ID: "c", Name: "f"}} {
			out = e.Feed(out, &llm.Event{Kind: llm.Open, Part: i, What: what})
			for rest := []rune(said); len(rest) > 0; rest = rest[min(size, len(rest)):] {
				out = e.Feed(out, &llm.Event{Kind: llm.Grow, Part: i, Text: llm.Plain(string(rest[:min(size, len(rest))]))})
			}
			out = e.Feed(out, &llm.Event{Kind: llm.Close, Part: i})
		}
		out = e.End(e.Feed(out, &llm.Event{Kind: llm.Halt, Stop: llm.StopCall}))
		r, err := codectest.Fold(New().NewDecoder(), out)
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := New().EncodeResponse(nil, &llm.Response{Answers: r.Answers}, echoOf("m"))
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("in pieces of %d: %s, want %s", size, got, want)
		}
	}
	if !bytes.Contains(want, []byte(`né <b> \"x\" \\u`)) {
		t.Errorf("%s", want)
	}
}

// frame is the data of the first event of a name.
func frame(stream []byte, name string) []byte {
	for _, f := range codectest.Frames(stream) {
		if string(f.Event) == name {
			return f.Data
		}
	}
	return nil
}
