package openairesponses

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

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
	{"texts", `event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"id":"r","model":"m","status":"in_progress"}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":9,"item_id":"i","delta":"a","obfuscation":"xyz"}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":10,"item_id":"i","delta":"bc","obfuscation":""}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":11,"item_id":"j","delta":"bc","obfuscation":""}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":12,"item":{"type":"message","content":[{"type":"output_text","text":"abcbc"}]}}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":12,"item":{"type":"message","content":[{"type":"output_text","text":"more"}]}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":13,"item_id":"j","delta":"d","obfuscation":""}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":14,"item_id":"j","delta":"","obfuscation":""}

event: response.completed
data: {"type":"response.completed","response":{"id":"r","status":"completed","usage":{"input_tokens":1,"output_tokens":2}}}

`, 1},
	{"the type is in the name only", `event: response.output_text.delta
data: {"delta":"a"}

event: response.output_text.delta
data: {"delta":"b"}

event: error
data: {"delta":"c"}

event: response.audio.delta
data: {"delta":"d"}

event: response.audio.delta
data: {"delta":"e"}

`, 1},
}

// TestMould: an event that is not read counts as if it had been.
func TestMould(t *testing.T) {
	for _, c := range mouldStreams {
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
	files, err := filepath.Glob(filepath.Join(root, "openai-responses*", "*", "response.sse"))
	if err != nil {
		t.Fatal(err)
	}
	fitted, all := 0, 0
	for _, file := range files {
		stream, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fitted += bothWays(t, file, stream)
		all += len(codectest.Frames(stream))
	}
	t.Logf("%d of %d events fitted", fitted, all)
}

func FuzzMould(f *testing.F) {
	for _, c := range mouldStreams {
		f.Add([]byte(c.stream))
	}
	f.Fuzz(func(t *testing.T, stream []byte) { bothWays(t, "fuzz", stream) })
}
