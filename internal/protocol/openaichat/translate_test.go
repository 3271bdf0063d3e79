package openaichat

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/wire"
)

// fitOf guesses from a recorded request what kind of upstream it went to.
func fitOf(body []byte) *protocol.Fit {
	f := &protocol.Fit{Model: wire.Text(jsonedit.Get(body, "model")), Native: jsonedit.Get(body, "max_tokens") == nil}
	for _, sign := range []string{"reasoning_content", `"reasoning"`, "reasoning_details", "thinking_blocks", "cache_control", `"top_k"`} {
		if bytes.Contains(body, []byte(sign)) {
			f.Native, f.Vendor = false, "openrouter"
		}
	}
	return f
}

// TestIdentity: what comes in this protocol and goes out in it means the same,
// whatever members it has: read again, it is the same conversation.
func TestIdentity(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	cases, same := 0, 0
	for _, p := range []string{"openai-chat", "openai-compatible-other"} {
		files, _ := filepath.Glob(filepath.Join(root, p, "*", "request.json"))
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil || jsonedit.Get(body, "messages") == nil {
				continue
			}
			cases++
			r, err := New().DecodeRequest(body)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(filepath.Dir(file)), err)
				continue
			}
			out, losses, err := New().EncodeRequest(nil, r, fitOf(body))
			if err != nil {
				t.Fatal(err)
			}
			again, err := New().DecodeRequest(out)
			if err != nil {
				t.Errorf("%s: what was written is not read: %v", filepath.Base(filepath.Dir(file)), err)
				continue
			}
			r.Stream, again.StreamUsage = again.Stream, r.StreamUsage // asked for by the gateway
			if d := cmp.Diff(r, again, cmpopts.EquateEmpty()); d != "" && len(losses) == 0 {
				t.Errorf("%s: (-first +again)\n%s", filepath.Base(filepath.Dir(file)), d)
				continue
			}
			same++
		}
	}
	t.Logf("%d of %d requests are the same", same, cases)
}

// TestStreamIsWhole: a recorded stream decodes to a lawful answer that encodes
// to the same stream's meaning.
func TestStreamIsWhole(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	n := 0
	for _, p := range []string{"openai-chat", "openai-compatible-other"} {
		files, _ := filepath.Glob(filepath.Join(root, p, "*", "response.sse"))
		for _, file := range files {
			stream, _ := os.ReadFile(file)
			name := filepath.Base(filepath.Dir(file))
			one, err := codectest.Fold(New().NewDecoder(), stream)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			again := reencode(t, stream)
			two, err := codectest.Fold(New().NewDecoder(), again)
			if err != nil {
				t.Errorf("%s, written again: %v", name, err)
				continue
			}
			a, _, _ := New().EncodeResponse(nil, one, &protocol.Echo{Model: "m"})
			b, _, _ := New().EncodeResponse(nil, two, &protocol.Echo{Model: "m"})
			two.ID, one.ID = "", ""
			if d := codectest.Same(strip(a), strip(b)); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			n++
		}
	}
	t.Logf("%d streams", n)
}

func strip(answer []byte) []byte {
	out, _, _ := jsonedit.Replace(answer, "id", []byte(`""`))
	return out
}

func reencode(t *testing.T, stream []byte) (out []byte) {
	t.Helper()
	d := New().NewDecoder()
	e := New().NewEncoder(&protocol.Echo{Model: "m", Request: &llm.Request{StreamUsage: true}})
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

// A tool is a function even if nobody says so, as Mistral's SDK sends it.
func TestToolWithoutType(t *testing.T) {
	r, err := New().DecodeRequest([]byte(`{"tools":[{"function":{"name":"f","parameters":{"type":"object"}}},{"name":"g"}]}`))
	if err != nil || len(r.Tools) != 2 || r.Tools[0].Name != "f" || r.Tools[0].Schema == nil || r.Tools[1].Name != "g" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestChunkAllocates(t *testing.T) {
	d := New().NewDecoder()
	e := New().NewEncoder(&protocol.Echo{Model: "m"})
	data := []byte(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}`)
	events := make([]llm.Event, 0, 8)
	out := make([]byte, 0, 4096)
	feed := func() {
		events, _ = d.Feed(events[:0], nil, data)
		out = out[:0]
		for i := range events {
			out = e.Feed(out, &events[i])
		}
	}
	feed()
	if n := testing.AllocsPerRun(100, feed); n > 0 {
		t.Errorf("%v allocations for a chunk of text", n)
	}
}
