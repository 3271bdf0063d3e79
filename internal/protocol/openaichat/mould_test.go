package openaichat

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
)

// bothWays reads a stream with the mould and without, and returns how many
// events fitted.
func bothWays(t *testing.T, name string, stream []byte) (fitted int) {
	t.Helper()
	var fast, slow tap
	reads := 0
	frame := func(event, data []byte) protocol.Mark {
		if _, ok := fast.mould.Text(event, bytes.TrimSpace(data)); ok {
			reads++
		}
		return fast.Frame(event, data)
	}
	read := func(event, data []byte) protocol.Mark {
		if data = bytes.TrimSpace(data); len(data) == 0 {
			return slow.Frame(event, data)
		}
		return slow.read(event, data)
	}
	if diff := codectest.SameReaders(stream, codectest.Reader{Frame: frame, Seen: &fast.seen}, codectest.Reader{Frame: read, Seen: &slow.seen}); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	return reads
}

var mouldStreams = []struct {
	name, stream string
	fitted       int
}{
	{"a call and reasoning", `data: {"choices":[{"index":0,"delta":{"reasoning_content":"a"}}]}

data: {"choices":[{"index":0,"delta":{"reasoning_content":"b"}}]}

data: {"choices":[{"index":0,"delta":{"content":"c"}}]}

data: {"choices":[{"index":0,"delta":{"content":"d"}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1"}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"2"}}]}}]}

data: {"choices":[{"index":0,"delta":{"content":"d"}}]}

data: {"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"e"}]}}]}

data: {"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"f"}]}}]}

`, 2},
	{"texts", `data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"obfuscation":"xyz"}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"bcd"},"finish_reason":null}],"obfuscation":""}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"\"quoted\""},"finish_reason":null}],"obfuscation":"x"}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"\n"},"finish_reason":null}],"obfuscation":"x"}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],"obfuscation":"x"}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"1","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}

data: [DONE]

`, 2},
	{"usage that changes", `data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}

data: {"choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}

data: {"choices":[{"index":0,"delta":{"content":"c"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}

data: {"choices":[{"index":0,"delta":{"content":"c"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}

`, 1},
	{"several choices", `data: {"choices":[{"index":0,"delta":{"content":"a"}}]}

data: {"choices":[{"index":1,"delta":{"content":"a"}}]}

data: {"choices":[{"index":0,"delta":{"content":"b"}},{"index":1,"delta":{"content":"b"}}]}

data: {"choices":[{"index":0,"delta":{"content":"c"}},{"index":1,"delta":{"content":"b"}}]}

data: {"choices":[{"index":0,"delta":{"reasoning":"c","reasoning_content":"c"}}]}

data: {"choices":[{"index":0,"delta":{"reasoning":"c","reasoning_content":"cd"}}]}

data: {"choices":[{"index":0,"delta":{"content":"c"},"finish_reason":"stop"}]}

data: {"choices":[{"index":0,"delta":{"content":"c"}}]}

data: {"choices":[{"index":0,"delta":{"content":"d"}}]}

event: error
data: {"choices":[{"index":0,"delta":{"content":"e"}}]}

`, 1},
}

// decodedBothWays decodes a stream with the mould and without.
func decodedBothWays(t *testing.T, name string, stream []byte) {
	t.Helper()
	var fast, slow streamDecoder
	feed := func(event, data []byte) ([]llm.Event, error) { return fast.Feed(nil, event, data) }
	read := func(event, data []byte) ([]llm.Event, error) {
		slow.mould.Forget()
		return slow.Feed(nil, event, data)
	}
	if diff := codectest.SameFeeds(stream, feed, read); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	if a, b := fast.End(nil), slow.End(nil); !reflect.DeepEqual(a, b) {
		t.Errorf("%s: the end: %v and %v", name, a, b)
	}
}

// TestMould: an event that is not read counts as if it had been.
func TestMould(t *testing.T) {
	for _, c := range mouldStreams {
		decodedBothWays(t, c.name, []byte(c.stream))
		if n := bothWays(t, c.name, []byte(c.stream)); n != c.fitted {
			t.Errorf("%s: %d events fitted, want %d", c.name, n, c.fitted)
		}
	}
}

// TestMouldCorpus does the same with recorded streams.
func TestMouldCorpus(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	files, err := filepath.Glob(filepath.Join(root, "openai-c*", "*", "response.sse"))
	if err != nil {
		t.Fatal(err)
	}
	fitted, all := 0, 0
	for _, file := range files {
		stream, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decodedBothWays(t, file, stream)
		fitted += bothWays(t, file, stream)
		all += len(codectest.Frames(stream))
	}
	t.Logf("%d of %d events fitted", fitted, all)
}

func FuzzMould(f *testing.F) {
	for _, c := range mouldStreams {
		f.Add([]byte(c.stream))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		decodedBothWays(t, "fuzz", stream)
		bothWays(t, "fuzz", stream)
	})
}
