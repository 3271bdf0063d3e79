package simulator

import (
	"encoding/base64"
	"encoding/json/jsontext"
	"strconv"

	"portico/internal/llm"
)

// fingerprint is the system_fingerprint of every answer.
const fingerprint = "simulator"

// chatStops are finish_reason.
var chatStops = [...]string{stopEnd: "stop", stopSequence: "stop", stopLength: "length", stopCalls: "tool_calls"}

// chatWriter writes answers of Chat Completions (spec: upstreams §1A.2, §1A.3,
// clients §4). A thought goes in reasoning_content and an image in images,
// which are not OpenAI's but what its imitators and their clients use.
type chatWriter struct {
	script *script
	id     func(prefix string) string
	head   []byte // what is the same at the head of an answer and of all chunks
	tail   []byte // what ends a chunk after its choices
	usage  bool   // a chunk tells the usage
}

func newChatWriter(s *Simulator, r *chatRequest, plan *script) *chatWriter {
	w := &chatWriter{script: plan, id: s.id, usage: r.StreamOptions.IncludeUsage}
	kind := "chat.completion"
	if r.Stream {
		kind = "chat.completion.chunk"
	}
	head := object("id", s.id("chatcmpl-"), "object", kind, "created", s.now().Unix(), "model", r.Model,
		"service_tier", "default", "system_fingerprint", fingerprint)
	w.head = append(head[:len(head)-1], `,"choices":[`...)
	w.tail = []byte("]}\n\n")
	if w.usage {
		w.tail = []byte(`],"usage":null}` + "\n\n")
	}
	return w
}

// chatUsage writes u; cached tokens are part of the prompt and reasoning is
// part of the completion.
func chatUsage(u llm.Usage) jsontext.Value {
	in := u.Input + u.CacheRead + u.CacheWrite
	return object("prompt_tokens", in, "completion_tokens", u.Output+u.Reasoning, "total_tokens", u.Total(),
		"prompt_tokens_details", object("cached_tokens", u.CacheRead, "cache_write_tokens", u.CacheWrite, "audio_tokens", 0),
		"completion_tokens_details", object("reasoning_tokens", u.Reasoning, "audio_tokens", 0,
			"accepted_prediction_tokens", 0, "rejected_prediction_tokens", 0))
}

// dataURL is data as an address.
func dataURL(mime string, data []byte) string {
	return "data:" + mime + ";base64," + base64.StdEncoding.EncodeToString(data)
}

func chatImages(png []byte) jsontext.Value {
	return list(object("index", 0, "type", "image_url", "image_url", object("url", dataURL("image/png", png))))
}

// chatCallOf writes a call; input is its arguments, or as much as is sent yet.
func chatCallOf(c *call, id, input string) jsontext.Value {
	if c.custom {
		return object("id", id, "type", "custom", "custom", object("name", c.name, "input", input))
	}
	return object("id", id, "type", "function", "function", object("name", c.name, "arguments", input))
}

// whole writes the answer unstreamed.
func (w *chatWriter) whole() []byte {
	s := w.script
	dst := w.head
	for i := range s.copies {
		if i > 0 {
			dst = append(dst, ',')
		}
		calls := make([]jsontext.Value, len(s.calls))
		for j := range s.calls {
			calls[j] = chatCallOf(&s.calls[j], w.id("call_"), s.calls[j].input)
		}
		var content any = s.text
		if s.text == "" && len(calls) > 0 {
			content = nil
		}
		message := object("role", "assistant", "content", content, "refusal", nil,
			"reasoning_content", given(s.thinks, s.thought),
			"tool_calls", given(len(calls) > 0, calls),
			"images", given(s.image != nil, chatImages(s.image)),
			"annotations", []jsontext.Value{})
		dst = append(dst, object("index", i, "message", message, "logprobs", nil, "finish_reason", chatStops[s.stop])...)
	}
	dst = append(append(dst, `],"usage":`...), chatUsage(s.usage)...)
	return append(dst, '}')
}

// open begins a chunk up to its delta.
func (w *chatWriter) open(f *frames, index int) {
	f.buf = append(append(f.buf, "data: "...), w.head...)
	f.buf = strconv.AppendInt(append(f.buf, `{"index":`...), int64(index), 10)
	f.buf = append(f.buf, `,"delta":`...)
}

// shut ends a chunk after its delta; finish is in JSON.
func (w *chatWriter) shut(f *frames, finish string) {
	f.buf = append(append(append(f.buf, `,"logprobs":null,"finish_reason":`...), finish...), '}')
	f.buf = append(f.buf, w.tail...)
	f.end()
}

// chunk adds a chunk with delta.
func (w *chatWriter) chunk(f *frames, index int, delta jsontext.Value) {
	w.open(f, index)
	f.buf = append(f.buf, delta...)
	w.shut(f, "null")
}

// piece adds a chunk whose delta is text between before and after.
func (w *chatWriter) piece(f *frames, index int, before, text, after string) {
	w.open(f, index)
	f.buf = append(appendString(append(f.buf, before...), text), after...)
	w.shut(f, "null")
}

func (w *chatWriter) write(f *frames, b beat) {
	s := w.script
	switch b.stage {
	case atStart:
		w.chunk(f, b.copy, object("role", "assistant", "content", "", "refusal", nil))
	case atThought:
		w.piece(f, b.copy, `{"reasoning_content":`, b.text, `}`)
	case atText:
		w.piece(f, b.copy, `{"content":`, b.text, `}`)
	case atImage:
		w.chunk(f, b.copy, object("images", chatImages(s.image)))
	case atCall:
		c := chatCallOf(&s.calls[b.call], w.id("call_"), "")
		w.open(f, b.copy)
		f.buf = strconv.AppendInt(append(f.buf, `{"tool_calls":[{"index":`...), int64(b.call), 10)
		f.buf = append(append(append(f.buf, ','), c[1:]...), "]}"...)
		w.shut(f, "null")
	case atInput:
		before := `,"function":{"arguments":`
		if s.calls[b.call].custom {
			before = `,"custom":{"input":`
		}
		w.piece(f, b.copy, `{"tool_calls":[{"index":`+strconv.Itoa(b.call)+before, b.text, `}}]}`)
	case atStop:
		w.open(f, b.copy)
		f.buf = append(f.buf, "{}"...)
		w.shut(f, `"`+chatStops[s.stop]+`"`)
	case atClose:
		if w.usage {
			f.buf = append(append(f.buf, "data: "...), w.head...)
			f.buf = append(append(append(f.buf, `],"usage":`...), chatUsage(s.usage)...), "}\n\n"...)
			f.end()
		}
		f.event("", []byte("[DONE]"))
	}
}

// fail sends an error object as OpenAI does; no [DONE] follows.
func (*chatWriter) fail(f *frames, x *failure) { f.event("", openAIFailure(x, "")) }
