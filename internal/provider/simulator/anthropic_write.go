package simulator

import (
	"encoding/json/jsontext"
	"strconv"

	"portico/internal/llm"
)

// anthropicStops are stop_reason.
var anthropicStops = [...]string{stopEnd: "end_turn", stopSequence: "stop_sequence", stopLength: "max_tokens", stopCalls: "tool_use"}

// An anthropicWriter writes answers of the Messages protocol (spec: upstreams
// §1C.3, §1C.7, clients §4).
type anthropicWriter struct {
	script *script
	id     func(prefix string) string
	model  string
	index  int64 // of the block that is being sent
}

// anthropicUsage writes u; the input leaves out what is cached, and thinking is
// part of the output. partial is for the beginning of a stream.
func anthropicUsage(u llm.Usage, partial bool) jsontext.Value {
	out := u.Output + u.Reasoning
	if partial {
		out = 1
	}
	return object("input_tokens", u.Input, "cache_creation_input_tokens", u.CacheWrite, "cache_read_input_tokens", u.CacheRead,
		"cache_creation", object("ephemeral_5m_input_tokens", u.CacheWrite, "ephemeral_1h_input_tokens", 0),
		"output_tokens", out, "output_tokens_details", given(!partial, object("thinking_tokens", u.Reasoning)), "service_tier", "standard")
}

// message writes the message around content; before its end nothing is known
// of why it stopped.
func (w *anthropicWriter) message(content []jsontext.Value, whole bool) jsontext.Value {
	var reason, sequence any
	if whole {
		reason, sequence = w.reason()
	}
	return object("id", w.id("msg_"), "type", "message", "role", "assistant", "model", w.model, "content", content,
		"stop_reason", reason, "stop_sequence", sequence, "stop_details", nil, "usage", anthropicUsage(w.script.usage, !whole))
}

func (w *anthropicWriter) reason() (reason, sequence any) {
	return anthropicStops[w.script.stop], orNull(w.script.stopAt)
}

// whole writes the answer unstreamed.
func (w *anthropicWriter) whole() []byte {
	s := w.script
	content := []jsontext.Value{}
	if s.thinks {
		thought := ""
		if s.shown {
			thought = s.thought
		}
		content = append(content, object("type", "thinking", "thinking", thought, "signature", s.seal()))
	}
	if s.text != "" {
		content = append(content, object("type", "text", "text", s.text))
	}
	for i := range s.calls {
		content = append(content, object("type", "tool_use", "id", w.id("toolu_"), "name", s.calls[i].name, "input", oneLine(jsontext.Value(s.calls[i].input))))
	}
	return w.message(content, true)
}

// start begins a block.
func (w *anthropicWriter) start(f *frames, block jsontext.Value) {
	f.event("content_block_start", object("type", "content_block_start", "index", w.index, "content_block", block))
}

// delta adds a piece of a block under the name member.
func (w *anthropicWriter) delta(f *frames, kind, member, text string) {
	f.buf = append(f.buf, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	f.buf = strconv.AppendInt(f.buf, w.index, 10)
	f.buf = append(append(append(f.buf, `,"delta":{"type":"`...), kind...), `","`...)
	f.buf = appendString(append(append(f.buf, member...), `":`...), text)
	f.buf = append(f.buf, "}}\n\n"...)
	f.end()
}

func (w *anthropicWriter) stop(f *frames) {
	f.event("content_block_stop", object("type", "content_block_stop", "index", w.index))
	w.index++
}

func (w *anthropicWriter) write(f *frames, b beat) {
	s := w.script
	switch b.stage {
	case atOpen:
		f.event("message_start", object("type", "message_start", "message", w.message([]jsontext.Value{}, false)))
		f.event("ping", []byte(`{"type":"ping"}`))
	case atThink:
		w.start(f, object("type", "thinking", "thinking", "", "signature", ""))
	case atThought:
		if s.shown {
			w.delta(f, "thinking_delta", "thinking", b.text)
		}
	case atThoughtEnd:
		w.delta(f, "signature_delta", "signature", s.seal())
		w.stop(f)
	case atSpeak:
		if s.text != "" {
			w.start(f, object("type", "text", "text", ""))
		}
	case atText:
		w.delta(f, "text_delta", "text", b.text)
	case atTextEnd:
		if s.text != "" {
			w.stop(f)
		}
	case atCall:
		w.start(f, object("type", "tool_use", "id", w.id("toolu_"), "name", s.calls[b.call].name, "input", object()))
	case atInput:
		w.delta(f, "input_json_delta", "partial_json", b.text)
	case atCallEnd:
		w.stop(f)
	case atStop:
		reason, sequence := w.reason()
		f.event("message_delta", object("type", "message_delta",
			"delta", object("stop_reason", reason, "stop_sequence", sequence, "stop_details", nil), "usage", anthropicUsage(s.usage, false)))
	case atClose:
		f.event("message_stop", []byte(`{"type":"message_stop"}`))
	}
}

func (w *anthropicWriter) fail(f *frames, x *failure) {
	f.event("error", anthropicFailure(x, w.id("req_")))
}
