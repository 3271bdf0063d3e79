package openaichat

import (
	"bytes"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// maxChoices is how many choices of one answer are kept apart: OpenAI takes an
// n of up to 128. What lies beyond is not waited for.
const maxChoices = 128

// A tap watches one answer. It scans and decodes nothing: an ordinary chunk
// costs no allocation, and if it is like the one before it is not even read.
type tap struct {
	seen          protocol.Seen
	mould         wire.Mould
	text, pad     []byte                  // of the chunk that is read: its last text, and OpenAI's padding
	texts         int                     // how many of them it has
	begun, ended  [maxChoices / 64]uint64 // choices seen, and those that told a finish reason
	toldReason    bool                    // some choice told one
	stopFromFirst bool                    // Seen.Stop is of the choice with index 0
}

var _ protocol.Tap = (*tap)(nil)

func (t *tap) Seen() *protocol.Seen { return &t.seen }

// Frame reads one chunk. A chunk with a finish reason is Final like [DONE]
// is, since some clients wait for no more.
//
// Finished means that every choice seen told a finish reason. A vendor that
// never tells one (Snowflake) ends its answer by [DONE].
func (t *tap) Frame(event, data []byte) protocol.Mark {
	data = bytes.TrimSpace(data)
	if text, ok := t.mould.Text(event, data); ok {
		t.seen.OutBytes += wire.StringLen(text)
		return protocol.Meaningful
	}
	before := t.seen.OutBytes
	t.text, t.pad, t.texts = nil, nil, 0
	mark := t.read(event, data)
	// A chunk that means no more than its text changes nothing when it comes
	// again, but the length of the text.
	if t.mould.Forget(); mark == protocol.Meaningful && t.texts == 1 && t.seen.OutBytes-before == wire.StringLen(t.text) {
		t.mould.Learn(event, data, t.text, t.pad)
	}
	return mark
}

// read reads one chunk, without white space around it.
func (t *tap) read(event, data []byte) protocol.Mark {
	if string(data) == "[DONE]" {
		if !t.toldReason && t.begun != [len(t.begun)]uint64{} && t.seen.Error == nil {
			t.seen.Finished = true
		}
		return protocol.Final
	}
	if len(data) == 0 {
		return 0
	}
	if string(event) == "error" {
		return t.fail(data)
	}
	var choices []byte
	failed := false
	for m, err := range jsonedit.Members(data) {
		if err != nil {
			return t.failure("the upstream sent an event that is no chunk of an answer: ", data)
		}
		switch string(m.Name) {
		case "choices":
			choices = m.Value
		case "error":
			failed = failed || !wire.Empty(m.Value)
		case "object":
			failed = failed || string(m.Value) == `"error"`
		case "obfuscation":
			t.pad = m.Value
		default:
			t.member(m)
		}
	}
	mark := t.choices(choices, false)
	if failed {
		return mark&protocol.Meaningful | t.fail(data)
	}
	return mark
}

// Body reads a whole answer. A list of vectors is one too, since embeddings
// are asked for in this protocol; anything else without choices is not.
func (t *tap) Body(body []byte) protocol.Mark {
	var choices []byte
	failed, list := false, false
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return t.failure("the upstream's answer is not the JSON object that it should be ("+err.Error()+"): ", body)
		}
		switch string(m.Name) {
		case "choices":
			choices = m.Value
		case "error":
			failed = failed || !wire.Empty(m.Value)
		case "object":
			failed = failed || string(m.Value) == `"error"`
		case "data":
			list = m.Value[0] == '['
		default:
			t.member(m)
		}
	}
	switch {
	case failed:
		return t.fail(body)
	case wire.Empty(choices) && !list:
		return t.failure("the upstream's answer has no choices: ", body)
	}
	if mark := t.choices(choices, true); mark&protocol.Failed != 0 {
		return mark
	}
	t.seen.Finished = true
	return protocol.Meaningful | protocol.Final
}

// member takes the top-level members that chunks and whole answers share.
func (t *tap) member(m jsonedit.Member) {
	switch string(m.Name) {
	case "id":
		if t.seen.ID == "" {
			t.seen.ID = wire.Text(m.Value)
		}
	case "model":
		if t.seen.Model == "" { // Azure's first chunk, of the prompt's filter, names none
			t.seen.Model = wire.Text(m.Value)
		}
	case "usage":
		t.usage(m.Value)
	case "x_groq":
		if u := jsonedit.Get(m.Value, "usage"); u != nil {
			t.usage(u)
		}
	}
}

// usage sets the usage; some vendors tell the sum so far with every chunk.
func (t *tap) usage(v []byte) {
	if u, ok := openaiwire.Usage(v); ok {
		t.seen.Usage, t.seen.HasUsage = u, true
	}
}

// choices reads the choices of a chunk or of a whole answer.
func (t *tap) choices(v []byte, whole bool) (mark protocol.Mark) {
	if len(v) == 0 || v[0] != '[' {
		return 0
	}
	for c, err := range jsonedit.Elements(v) {
		if err != nil {
			return mark | t.failure("the upstream sent choices that cannot be read: ", v)
		}
		mark |= t.choice(c)
	}
	if !whole {
		t.seen.Finished = t.begun != [len(t.begun)]uint64{} && t.begun == t.ended
	}
	return mark
}

// choice reads one choice.
func (t *tap) choice(c []byte) (mark protocol.Mark) {
	if len(c) == 0 || c[0] != '{' {
		return 0
	}
	var index int64
	var delta, message, finish []byte
	for m, err := range jsonedit.Members(c) {
		if err != nil {
			break // Elements has skipped it as sound
		}
		switch string(m.Name) {
		case "index":
			index, _ = jsonedit.Int(m.Value)
		case "delta":
			delta = m.Value
		case "message": // Perplexity repeats the message so far beside the delta
			message = m.Value
		case "text": // legacy completions
			if n := wire.StringLen(m.Value); n > 0 {
				mark |= protocol.Meaningful
			}
		case "finish_reason":
			finish = m.Value
		}
	}
	if wire.Null(delta) {
		delta = message
	}
	if n, full := t.carries(delta); full {
		mark |= protocol.Meaningful
		t.seen.OutBytes += n
	} else if wire.Null(delta) {
		t.seen.OutBytes += wire.StringLen(jsonedit.Get(c, "text"))
	}
	if index < 0 || index >= maxChoices {
		index = maxChoices - 1
	}
	bit := uint64(1) << (index % 64)
	t.begun[index/64] |= bit
	if wire.Empty(finish) {
		return mark
	}
	t.ended[index/64] |= bit
	t.toldReason = true
	if t.seen.Stop == "" || index == 0 && !t.stopFromFirst {
		t.seen.Stop, t.stopFromFirst = reason(finish), index == 0
	}
	switch string(finish) {
	case `"error"`, `"insufficient_system_resource"`, `"network_error"`:
		// OpenRouter and Mistral; DeepSeek; z.ai: the answer broke off.
		s := reason(finish)
		t.seen.Error = &fault.Sign{Type: s, Code: s, Message: "the upstream broke its answer off with finish_reason " + s}
		return mark | protocol.Failed
	}
	return mark | protocol.Meaningful | protocol.Final
}

// carries reports whether a delta or a message holds anything of the answer,
// and how many bytes of text, reasoning and arguments.
func (t *tap) carries(delta []byte) (n int64, full bool) {
	if len(delta) == 0 || delta[0] != '{' {
		return 0, false
	}
	var reasoning int64
	for m, err := range jsonedit.Members(delta) {
		if err != nil {
			break
		}
		switch string(m.Name) {
		case "content", "refusal":
			if wire.Empty(m.Value) {
				continue
			}
			if m.Value[0] == '"' {
				n += wire.StringLen(m.Value)
				t.text, t.texts = m.Value, t.texts+1
			} else { // Mistral's array of text and thinking
				n += int64(len(m.Value))
			}
		case "reasoning_content", "reasoning":
			if wire.Empty(m.Value) {
				continue
			}
			reasoning = max(reasoning, wire.StringLen(m.Value)) // some send it under both names
			t.text, t.texts = m.Value, t.texts+1
		case "tool_calls":
			if wire.Empty(m.Value) {
				continue
			}
			n += callBytes(m.Value)
		case "function_call":
			if wire.Empty(m.Value) {
				continue
			}
			n += wire.StringLen(jsonedit.Get(m.Value, "arguments"))
		case "reasoning_details", "audio", "images", "annotations", "executed_tools":
			if wire.Empty(m.Value) {
				continue
			}
		default:
			continue
		}
		full = true
	}
	return n + reasoning, full
}

// callBytes is how many bytes of arguments or input an array of calls holds.
func callBytes(calls []byte) (n int64) {
	if calls[0] != '[' {
		return 0
	}
	for c, err := range jsonedit.Elements(calls) {
		if err != nil {
			break
		}
		n += wire.StringLen(jsonedit.Path(c, "function", "arguments"))
		n += wire.StringLen(jsonedit.Path(c, "custom", "input"))
	}
	return n
}

// reason is the text of a finish reason, without an allocation for OpenAI's.
func reason(v []byte) string {
	switch string(v) {
	case `"stop"`:
		return "stop"
	case `"length"`:
		return "length"
	case `"tool_calls"`:
		return "tool_calls"
	case `"content_filter"`:
		return "content_filter"
	}
	if s := wire.Text(v); s != "" {
		return s
	}
	return string(v)
}

// fail takes an error in the protocol's own form.
func (t *tap) fail(data []byte) protocol.Mark { return t.seen.Fail("", wire.DecodeError(0, data)) }

// failure takes what is no answer of this protocol at all; what says so.
func (t *tap) failure(what string, data []byte) protocol.Mark {
	return t.seen.Fail(what, wire.DecodeError(0, data))
}
