package openairesponses

import (
	"encoding/json/jsontext"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/wire"
)

func corpus(t *testing.T, name string) map[string][]byte {
	t.Helper()
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	out := map[string][]byte{}
	files, _ := filepath.Glob(filepath.Join(root, "openai-responses", "*", name))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(filepath.Dir(f))] = b
	}
	return out
}

// TestIdentity: what comes in this protocol and goes out in it means the same,
// whatever members it has: read again, it is the same conversation.
func TestIdentity(t *testing.T) {
	cases, same := 0, 0
	for name, body := range corpus(t, "request.json") {
		if jsonedit.Get(body, "input") == nil {
			continue
		}
		cases++
		r, err := New().DecodeRequest(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, _, err := New().EncodeRequest(nil, r, &protocol.Fit{Model: wire.Text(jsonedit.Get(body, "model")), Native: true})
		if err != nil || !jsontext.Value(out).IsValid() {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		again, err := New().DecodeRequest(out)
		if err != nil {
			t.Errorf("%s: what was written is not read: %v", name, err)
			continue
		}
		if d := cmp.Diff(r, again, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: (-first +again)\n%s", name, d)
			continue
		}
		same++
	}
	t.Logf("%d of %d requests are the same", same, cases)
}

// TestStreamIsWhole: a recorded stream says what its own terminal event
// repeats, and written again it still does.
func TestStreamIsWhole(t *testing.T) {
	n := 0
	for name, stream := range corpus(t, "response.sse") {
		one, err := codectest.Fold(New().NewDecoder(), stream)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again := reencode(t, stream)
		lawful(t, name, again)
		two, err := codectest.Fold(New().NewDecoder(), again)
		if err != nil {
			t.Errorf("%s, written again: %v", name, err)
			continue
		}
		a, _, _ := New().EncodeResponse(nil, one, &protocol.Echo{Model: "m"})
		b, _, _ := New().EncodeResponse(nil, two, &protocol.Echo{Model: "m"})
		if d := codectest.Same(strip(a), strip(b)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		n++
	}
	t.Logf("%d streams", n)
}

// strip leaves out what differs by nature: ids.
func strip(answer []byte) []byte { return ids.ReplaceAll(answer, nil) }

var ids = regexp.MustCompile(`"id":"[^"]*",?`)

func reencode(t *testing.T, stream []byte) (out []byte) {
	t.Helper()
	d := New().NewDecoder()
	e := New().NewEncoder(&protocol.Echo{Model: "m"})
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
	return e.End(out)
}

// lawful checks a stream event by event: numbers rise by one from 0, items are
// added before and done after everything else of them, one terminal event ends
// it and repeats every item that is done.
func lawful(t *testing.T, name string, stream []byte) {
	t.Helper()
	added, done := map[int64]bool{}, map[int64]string{}
	terminal := 0
	for i, f := range codectest.Frames(stream) {
		typ := wire.Text(jsonedit.Get(f.Data, "type"))
		if string(f.Event) != typ || !jsontext.Value(f.Data).IsValid() {
			t.Fatalf("%s: event %q is of type %q: %s", name, f.Event, typ, f.Data)
		}
		if got := string(jsonedit.Get(f.Data, "sequence_number")); got != strconv.Itoa(i) {
			t.Fatalf("%s: number %s at place %d", name, got, i)
		}
		index, _ := jsonedit.Int(jsonedit.Get(f.Data, "output_index"))
		switch typ {
		case "response.created", "response.in_progress":
		case "response.output_item.added":
			if added[index] {
				t.Errorf("%s: item %d is added twice", name, index)
			}
			added[index] = true
		case "response.output_item.done":
			if !added[index] || done[index] != "" {
				t.Errorf("%s: item %d is done but not under way", name, index)
			}
			done[index] = string(jsonedit.Get(f.Data, "item"))
		case "response.completed", "response.incomplete":
			terminal++
			k := int64(0)
			for e, err := range jsonedit.Elements(jsonedit.Path(f.Data, "response", "output")) {
				if err != nil || string(e) != done[k] {
					t.Errorf("%s: item %d of the terminal event is not the one that was done", name, k)
				}
				k++
			}
			if int(k) != len(done) || len(added) != len(done) {
				t.Errorf("%s: %d items added, %d done, %d in the terminal event", name, len(added), len(done), k)
			}
		default:
			if !added[index] || done[index] != "" {
				t.Errorf("%s: %s for item %d, which is not under way", name, typ, index)
			}
		}
		if terminal > 0 && typ != "response.completed" && typ != "response.incomplete" {
			t.Errorf("%s: %s after the end", name, typ)
		}
	}
	if terminal != 1 {
		t.Errorf("%s: %d terminal events", name, terminal)
	}
}

func TestDeltaAllocates(t *testing.T) {
	d := New().NewDecoder()
	e := New().NewEncoder(&protocol.Echo{Model: "m"})
	data := []byte(`{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hello","logprobs":[],"obfuscation":"x"}`)
	events := make([]llm.Event, 0, 8)
	out := make([]byte, 0, 1<<16)
	feed := func() {
		events, _ = d.Feed(events[:0], nil, data)
		out = out[:0]
		for i := range events {
			out = e.Feed(out, &events[i])
		}
	}
	feed()
	if n := testing.AllocsPerRun(100, feed); n > 2 {
		t.Errorf("%v allocations for a delta", n)
	}
}
