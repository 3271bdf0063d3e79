package anthropic

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/sse"
)

const (
	meaningful = protocol.Meaningful
	whole      = protocol.Meaningful | protocol.Final
)

func TestFrameMarks(t *testing.T) {
	for name, c := range map[string]struct {
		event, data string
		want        protocol.Mark
	}{
		"message_start":            {"message_start", `{"type":"message_start","message":{"id":"m","content":[],"stop_reason":null,"usage":{"input_tokens":5,"output_tokens":1}}}`, 0},
		"a prefilled message":      {"message_start", `{"type":"message_start","message":{"id":"m","content":[{"type":"text","text":"x"}]}}`, meaningful},
		"ping":                     {"ping", `{"type":"ping"}`, 0},
		"ping without data":        {"ping", ``, 0},
		"an empty text":            {"content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":[ ]}}`, 0},
		"an empty thought":         {"content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`, 0},
		"an empty summary":         {"content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"compaction","content":null}}`, 0},
		"a text that has begun":    {"content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"x"}}`, meaningful},
		"a hidden thought":         {"content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"Eq"}}`, meaningful},
		"a call":                   {"content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}`, meaningful},
		"an unknown block":         {"content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"hologram","x":[1]}}`, meaningful},
		"a block of nothing":       {"content_block_start", `{"type":"content_block_start","index":0,"content_block":7}`, 0},
		"text":                     {"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}`, meaningful},
		"no text":                  {"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}`, 0},
		"arguments":                {"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}`, meaningful},
		"no arguments":             {"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}`, 0},
		"a thought not shown":      {"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":""}}`, 0},
		"how long it thought":      {"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"","estimated_tokens":64}}`, meaningful},
		"a signature":              {"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Eq"}}`, meaningful},
		"a citation":               {"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"url":"u"}}}`, meaningful},
		"an unknown delta":         {"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"smell_delta","smell":"x"}}`, meaningful},
		"content_block_stop":       {"content_block_stop", `{"type":"content_block_stop","index":0}`, 0},
		"usage so far":             {"message_delta", `{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":5}}`, 0},
		"the stop reason":          {"message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}`, whole},
		"a refusal":                {"message_delta", `{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"cyber"}}}`, whole},
		"message_stop, nothing":    {"message_stop", `{"type":"message_stop"}`, protocol.Failed},
		"overloaded":               {"error", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, protocol.Failed},
		"an error without a type":  {"error", `{"error":{"message":"x"}}`, protocol.Failed},
		"an error in prose":        {"error", `upstream connect error`, protocol.Failed},
		"an error without a name":  {"", `{"type":"error","error":{"type":"api_error","message":"x"}}`, protocol.Failed},
		"another protocol's error": {"", `{"error":{"message":"x","code":500}}`, protocol.Failed},
		"no name but a type":       {"", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}`, meaningful},
		"no type but a name":       {"content_block_delta", `{"index":0,"delta":{"type":"text_delta","text":"x"}}`, meaningful},
		"an unknown event":         {"vendor_note", `{"type":"vendor_note","error":"none"}`, 0},
		"an unknown event's prose": {"vendor_note", `hello`, 0},
		"prose":                    {"", `<html>`, protocol.Failed},
		"half an event":            {"content_block_delta", `{"type":"content_block_delta","delta":{"te`, protocol.Failed},
		"an array":                 {"message_delta", `[1]`, protocol.Failed},
		"OpenAI's mark":            {"", `[DONE]`, 0},
	} {
		x := New().NewTap()
		if got := x.Frame([]byte(c.event), []byte(c.data)); got != c.want {
			t.Errorf("%s: got %b, want %b", name, got, c.want)
		}
		if failed := c.want&protocol.Failed != 0; failed != (x.Seen().Error != nil) || failed && x.Seen().Error.Message == "" {
			t.Errorf("%s: error %+v", name, x.Seen().Error)
		}
		if x.Seen().Finished != (c.want == whole) {
			t.Errorf("%s: finished is %v", name, x.Seen().Finished)
		}
	}
}

// stream is an answer with thinking, text and a call, written with all that
// the protocol allows between.
const stream = "event: message_start\n" +
	`data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":300,"cache_creation":{"ephemeral_5m_input_tokens":15,"ephemeral_1h_input_tokens":5},"output_tokens":2}}}` + "\n\n" +
	"event: ping\ndata: {\"type\": \"ping\"}\n\n" +
	": a comment\n\n" +
	"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n" +
	"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"Hm.\"}}\n\n" +
	"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"EqQB\"}}\n\n" +
	"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
	"event: content_block_start\r\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\r\n\r\n" +
	"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\n" + "data: \"delta\":{\"type\":\"text_delta\",\"text\":\"Grüß Gott\"}}\n\n" +
	"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n" +
	"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{}}}\n\n" +
	"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"\"}}\n\n" +
	"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":1}\"}}\n\n" +
	"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":2}\n\n" +
	"event: some_day\ndata: {\"type\":\"some_day\"}\n\n" +
	"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":40,\"output_tokens_details\":{\"thinking_tokens\":12}}}\n\n" +
	"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

var streamSeen = protocol.Seen{
	ID: "msg_1", Model: "claude-x", Stop: "tool_use", HasUsage: true, Finished: true,
	Usage:    llm.Usage{Input: 10, CacheRead: 300, CacheWrite: 20, CacheHour: 5, Output: 28, Reasoning: 12},
	OutBytes: int64(len("Hm.") + len("Grüß Gott") + len(`{\"a\":1}`)),
}

// watch feeds the events of raw, which arrives in pieces of at most size
// bytes, to a new tap. It gives the marks of all events.
func watch(raw string, size int) (*protocol.Seen, []protocol.Mark) {
	x := New().NewTap()
	var marks []protocol.Mark
	var buf []byte
	var c sse.Cutter
	take := func(event []byte) {
		if f := sse.Parse(event); f.Data != nil {
			marks = append(marks, x.Frame(f.Event, f.Data))
		}
		clear(event) // the tap must have kept nothing of it
	}
	for len(raw) > 0 {
		n := min(size, len(raw))
		buf, raw = append(buf, raw[:n]...), raw[n:]
		for n := c.Cut(buf); n > 0; n = c.Cut(buf) {
			take(buf[:n])
			buf = buf[n:]
		}
	}
	if len(buf) > 0 {
		take(buf)
	}
	return x.Seen(), marks
}

func TestStream(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 61, 500, len(stream)} {
		got, marks := watch(stream, size)
		if d := cmp.Diff(&streamSeen, got); d != "" {
			t.Errorf("in pieces of %d bytes: (-want +got)\n%s", size, d)
		}
		want := []protocol.Mark{0, 0, 0, meaningful, meaningful, 0, 0, meaningful, 0, meaningful, 0, meaningful, 0, 0, whole, protocol.Final}
		if d := cmp.Diff(want, marks); d != "" {
			t.Errorf("marks: (-want +got)\n%s", d)
		}
	}
}

// TestStreamBrokenOff cuts a stream at every byte: the tap takes it for whole
// from the stop reason on, and never before.
func TestStreamBrokenOff(t *testing.T) {
	told := strings.Index(stream, `"thinking_tokens":12}}}`) + len(`"thinking_tokens":12}}}`)
	for n := range len(stream) {
		s, _ := watch(stream[:n], n+1)
		unreadable := s.Error != nil
		if want := n >= told; s.Finished != (want && !unreadable) {
			t.Fatalf("after %d of %d bytes, %q: finished is %v", n, len(stream), stream[max(0, n-60):n], s.Finished)
		}
	}
}

func TestStreamEnds(t *testing.T) {
	const (
		start = `{"type":"message_start","message":{"id":"a","model":"m","usage":{"input_tokens":5,"output_tokens":1}}}`
		text  = `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"abc"}}`
		end   = `{"type":"message_delta","delta":{"stop_reason":"pause_turn"},"usage":{"output_tokens":7}}`
		stop  = `{"type":"message_stop"}`
		fail  = `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}`
	)
	for name, c := range map[string]struct {
		events   []string
		finished bool
		stop     string
		id       string
		failed   string
		out      int64
	}{
		"whole":                     {[]string{start, text, end, stop}, true, "pause_turn", "a", "", 7},
		"without message_stop":      {[]string{start, text, end}, true, "pause_turn", "a", "", 7},
		"without a stop reason":     {[]string{start, text, stop}, true, "", "a", "", 1},
		"broken off":                {[]string{start, text}, false, "", "a", "", 1},
		"no content, a stop reason": {[]string{start, end, stop}, true, "pause_turn", "a", "", 7},
		"nothing at all":            {[]string{start, stop}, false, "", "a", "the upstream ended its answer without content and without a stop reason: ", 1},
		"an error":                  {[]string{start, text, fail}, false, "", "a", "Overloaded", 1},
		"an error, then the end":    {[]string{start, text, fail, end, stop}, false, "pause_turn", "a", "Overloaded", 7},
		"a message starts anew":     {[]string{start, text, end, strings.Replace(start, `"a"`, `"b"`, 1), text}, false, "", "b", "", 1},
	} {
		x := New().NewTap()
		for _, e := range c.events {
			x.Frame(nil, []byte(e))
		}
		s := x.Seen()
		msg := ""
		if s.Error != nil {
			msg = s.Error.Message
		}
		if s.Finished != c.finished || s.Stop != c.stop || s.ID != c.id || !strings.HasPrefix(msg, c.failed) || (msg == "") != (c.failed == "") || s.Usage.Output != c.out {
			t.Errorf("%s: got %+v, error %q", name, *s, msg)
		}
	}
}

// When a model declines and another goes on, the answer is the other's, as an
// unstreamed answer says.
func TestStreamTakenOver(t *testing.T) {
	x := New().NewTap()
	x.Frame(nil, []byte(`{"type":"message_start","message":{"id":"a","model":"claude-one","usage":{"input_tokens":5,"output_tokens":1}}}`))
	mark := x.Frame(nil, []byte(`{"type":"content_block_start","index":0,"content_block":{"type":"fallback","from":{"model":"claude-one"},"to":{"model":"claude-two"}}}`))
	if got := x.Seen().Model; got != "claude-two" || mark != meaningful {
		t.Errorf("got %q, %b", got, mark)
	}
}

func TestBody(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want protocol.Mark
		stop string
		out  int64
	}{
		"an answer": {
			`{"id":"a","type":"message","model":"m","content":[{"type":"thinking","thinking":"ab","signature":"cdef"},{"type":"text","text":"cde","citations":null},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}],"stop_reason":"tool_use","usage":{"input_tokens":5,"output_tokens":3}}`, whole, "tool_use", 5 + int64(len(`{"a":1}`)),
		},
		"a refusal":                     {`{"id":"a","type":"message","content":[],"stop_reason":"refusal","stop_details":{"type":"refusal"}}`, whole, "refusal", 0},
		"nothing more to say":           {`{"id":"a","type":"message","content":[],"stop_reason":"end_turn"}`, whole, "end_turn", 0},
		"a warmed cache":                {`{"id":"a","type":"message","content":[],"stop_reason":"max_tokens","usage":{"input_tokens":5,"output_tokens":0}}`, whole, "max_tokens", 0},
		"a reason from the future":      {`{"content":[{"type":"text","text":"x"}],"stop_reason":"bored"}`, whole, "bored", 1},
		"a vendor tells no reason":      {`{"content":[{"type":"text","text":"x"}],"stop_reason":null}`, whole, "", 1},
		"a count":                       {`{"input_tokens":12}`, whole, "", 0},
		"a count with more":             {`{"input_tokens":12,"context_management":{"original_input_tokens":50}}`, whole, "", 0},
		"an error":                      {`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}`, protocol.Failed, "", 0},
		"an error of another vendor":    {`{"error":{"message":"no","code":"x"}}`, protocol.Failed, "", 0},
		"an error beside content":       {`{"content":[{"type":"text","text":"x"}],"error":{"message":"no"}}`, protocol.Failed, "", 0},
		"no error beside content":       {`{"content":[{"type":"text","text":"x"}],"error":null}`, whole, "", 1},
		"a type without an error":       {`{"type":"error"}`, protocol.Failed, "", 0},
		"neither content nor reason":    {`{"id":"a","type":"message","content":[],"stop_reason":null}`, protocol.Failed, "", 0},
		"another object":                {`{"id":"msgbatch_1","type":"message_batch"}`, protocol.Failed, "", 0},
		"a count that is no number":     {`{"input_tokens":"12"}`, protocol.Failed, "", 0},
		"an array":                      {`[]`, protocol.Failed, "", 0},
		"HTML":                          {`<html><title>Welcome</title></html>`, protocol.Failed, "", 0},
		"cut off":                       {`{"content":[{"type":"text","text":"x"}],"stop_reason":"end_tu`, protocol.Failed, "", 0},
		"nothing":                       {``, protocol.Failed, "", 0},
		"content is a string":           {`{"content":"x","stop_reason":"end_turn"}`, whole, "end_turn", 0},
		"content holds no objects":      {`{"content":[1,"x",null],"stop_reason":"end_turn"}`, whole, "end_turn", 0},
		"a stop reason that is no text": {`{"content":[],"stop_reason":7}`, whole, "7", 0},
	} {
		x := New().NewTap()
		got := x.Body([]byte(c.body))
		s := x.Seen()
		if got != c.want || s.Stop != c.stop || s.OutBytes != c.out || s.Finished != (got == whole) {
			t.Errorf("%s: got %b, %+v", name, got, *s)
		}
		if failed := got&protocol.Failed != 0; failed != (s.Error != nil) || failed && s.Error.Message == "" {
			t.Errorf("%s: error %+v", name, s.Error)
		}
	}
	x := New().NewTap()
	x.Body([]byte(`{"input_tokens":12}`))
	if x.Seen().HasUsage {
		t.Error("a count, which is free, has a usage")
	}
}

func TestFrameDoesNotAllocate(t *testing.T) {
	x := New().NewTap()
	event := []byte("content_block_delta")
	for _, data := range []string{
		`{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":" and so on"}}`,
		`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}`,
		`{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"so"}}`,
		`{"type":"ping"}`,
	} {
		b := []byte(data)
		if n := testing.AllocsPerRun(100, func() { x.Frame(event, b) }); n != 0 {
			t.Errorf("%s: %v allocations", data, n)
		}
	}
}

func FuzzFrame(f *testing.F) {
	for event := range strings.SplitSeq(stream, "\n\n") {
		frame := sse.Parse([]byte(event))
		f.Add(frame.Event, frame.Data)
	}
	f.Add([]byte("error"), []byte(`{"error":"x"}`))
	f.Add([]byte(""), []byte(`{"type":"message_delta","delta":{"stop_reason":[]},"usage":{"iterations":[{"type":"compaction","input_tokens":1e18}],"output_tokens":-1}}`))
	f.Fuzz(func(t *testing.T, event, data []byte) {
		before := bytes.Clone(data)
		x := New().NewTap()
		x.Frame([]byte("message_start"), []byte(`{"type":"message_start","message":{"id":"a","usage":{"input_tokens":1}}}`))
		mark := x.Frame(event, data)
		check(t, x.Seen(), mark)
		if !bytes.Equal(before, data) {
			t.Error("the event was written to")
		}
	})
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"type":"message","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn","usage":{"input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":3}}}`))
	f.Add([]byte(`{"input_tokens":1}`))
	f.Add([]byte(`{"type":"error","error":{"message":"\ud800"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		x := New().NewTap()
		mark := x.Body(body)
		check(t, x.Seen(), mark)
		if mark != whole && mark != protocol.Failed {
			t.Errorf("%q: a whole answer has the mark %b", body, mark)
		}
	})
}

// check holds what is true of every answer.
func check(t *testing.T, s *protocol.Seen, mark protocol.Mark) {
	t.Helper()
	u := s.Usage
	if (mark&protocol.Failed != 0) != (s.Error != nil) || s.Error != nil && (s.Finished || s.Error.Message == "" && s.Error.Code == "" && s.Error.Type == "") {
		t.Errorf("mark %b, error %+v, finished %v", mark, s.Error, s.Finished)
	}
	if s.Finished && mark&protocol.Final == 0 {
		t.Error("finished by a frame that is not final")
	}
	if u.Input < 0 || u.CacheRead < 0 || u.CacheWrite < 0 || u.Output < 0 || u.Reasoning < 0 || u.Total() < 0 || s.OutBytes < 0 {
		t.Errorf("out of bounds: %+v", *s)
	}
}
