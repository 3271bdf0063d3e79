package anthropic

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
	{"texts", `event: message_start
data: {"type":"message_start","message":{"id":"1","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}    }

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"bc"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"d"}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"d"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":""}}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}

event: message_stop
data: {"type":"message_stop"}

`, 1},
	{"the type is in the name only", `event: content_block_delta
data: {"delta":{"text":"a"}}

event: message_delta
data: {"delta":{"text":"b"}}

event: content_block_delta
data: {"delta":{"text":"c"}}

event: content_block_delta
data: {"delta":{"text":"d"}}

event: error
data: {"delta":{"text":"e"}}

`, 1},
	{"two texts", `data: {"type":"content_block_delta","delta":{"text":"a","thinking":""}}

data: {"type":"content_block_delta","delta":{"text":"b","thinking":""}}

data: {"type":"content_block_delta","delta":{"text":"b","thinking":"c"}}

data: {"type":"content_block_delta","delta":{"text":"b","thinking":"d"}}

data: {"type":"content_block_delta","delta":{"type":"signature_delta","signature":"d"}}

data: {"type":"content_block_delta","delta":{"type":"signature_delta","signature":"e"}}

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
	files, err := filepath.Glob(filepath.Join(root, "anthropic*", "*", "response.sse"))
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
