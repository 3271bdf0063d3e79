package anthropic

import (
	"bytes"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// A tap watches one answer. It scans and decodes nothing: an ordinary delta
// costs no allocation, and if it is like the one before it is not even read.
type tap struct {
	seen  protocol.Seen
	mould wire.Mould
	text  []byte // the last text of the event that is read
	texts int    // how many of them it has
	bill  bill
	some  bool // something of the answer was seen
}

var _ protocol.Tap = (*tap)(nil)

func (t *tap) Seen() *protocol.Seen { return &t.seen }

// Frame reads one event. Its type is the one in the data; the event's name is
// read if there is none. Events of other types are passed over, since the
// protocol promises new ones.
//
// A message_start, a ping and a block that opens empty are not Meaningful: they
// promise an answer and hold nothing of it, and a vendor that is overloaded
// often says so just after them. A message_delta with a stop_reason is Final
// like message_stop: some clients need no more than it, some not even it, and
// others wait for message_stop (spec: clients §4).
func (t *tap) Frame(event, data []byte) protocol.Mark {
	data = bytes.TrimSpace(data)
	if text, ok := t.mould.Text(event, data); ok {
		t.seen.OutBytes += wire.StringLen(text)
		return protocol.Meaningful
	}
	before := t.seen.OutBytes
	t.text, t.texts = nil, 0
	mark := t.read(event, data)
	// An event that means no more than its text changes nothing when it comes
	// again, but the length of the text.
	if t.mould.Forget(); mark == protocol.Meaningful && t.texts == 1 && t.seen.OutBytes-before == wire.StringLen(t.text) {
		t.mould.Learn(event, data, t.text)
	}
	return mark
}

// read reads one event, without white space around its data.
func (t *tap) read(event, data []byte) protocol.Mark {
	if len(data) == 0 || string(data) == "[DONE]" { // the latter no part of this protocol, but some vendors send it
		return 0
	}
	var typ, message, block, delta, usage []byte
	failed := false
	for m, err := range jsonedit.Members(data) {
		if err != nil {
			return t.unreadable(event, data)
		}
		switch string(m.Name) {
		case "type":
			typ = m.Value
		case "message":
			message = m.Value
		case "content_block":
			block = m.Value
		case "delta":
			delta = m.Value
		case "usage":
			usage = m.Value
		case "error":
			failed = !wire.Empty(m.Value)
		}
	}
	if string(event) == "error" {
		return t.fail(data)
	}
	if wire.StringLen(typ) > 0 {
		typ = typ[1 : len(typ)-1]
	} else if failed { // an error as other protocols send it
		return t.fail(data)
	} else {
		typ = event
	}
	switch string(typ) {
	case "content_block_delta":
		return t.piece(delta)
	case "content_block_start":
		if string(jsonedit.Get(block, "type")) == `"fallback"` { // another model goes on (beta)
			if name := wire.Text(jsonedit.Path(block, "to", "model")); name != "" {
				t.seen.Model = name
			}
		}
		return t.piece(block)
	case "message_start":
		return t.begin(message)
	case "message_delta":
		t.usage(usage)
		return t.stop(jsonedit.Get(delta, "stop_reason"))
	case "message_stop":
		if !t.some {
			return t.failure("the upstream ended its answer without content and without a stop reason: ", data)
		}
		t.seen.Finished = t.seen.Error == nil
		return protocol.Final
	case "error":
		return t.fail(data)
	}
	return 0
}

// Body reads a whole answer: a message, or the answer to a count, which is free
// and tells no usage. A message may be empty if it says why it stopped: a
// refusal, a pause, a cache that was only to be warmed.
func (t *tap) Body(body []byte) protocol.Mark {
	var content, stop []byte
	failed, count := false, false
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return t.failure("the upstream's answer is not the JSON object that it should be ("+err.Error()+"): ", body)
		}
		switch string(m.Name) {
		case "type":
			failed = failed || string(m.Value) == `"error"`
		case "error":
			failed = failed || !wire.Empty(m.Value)
		case "content":
			content = m.Value
		case "stop_reason":
			stop = m.Value
		case "input_tokens":
			_, count = jsonedit.Int(m.Value)
		default:
			t.member(m)
		}
	}
	switch {
	case failed:
		return t.fail(body)
	case wire.Empty(content) && wire.Empty(stop) && !count:
		return t.failure("the upstream's answer has neither content nor a stop reason: ", body)
	}
	t.content(content)
	t.stop(stop)
	t.seen.Finished = true
	return protocol.Meaningful | protocol.Final
}

// begin takes the message that opens a stream. All that came before belongs
// to a message that was given up.
func (t *tap) begin(message []byte) (mark protocol.Mark) {
	t.bill = bill{}
	t.seen.Stop, t.seen.Finished = "", false
	for m := range wire.Object(message) {
		if string(m.Name) == "content" {
			mark = t.content(m.Value)
			continue
		}
		t.member(m)
	}
	return mark
}

// member takes the members that every message has.
func (t *tap) member(m jsonedit.Member) {
	switch string(m.Name) {
	case "id":
		t.seen.ID = wire.Text(m.Value)
	case "model":
		t.seen.Model = wire.Text(m.Value)
	case "usage":
		t.usage(m.Value)
	}
}

// usage takes the counts so far. Until message_delta the output is a
// placeholder of a few tokens.
func (t *tap) usage(v []byte) {
	t.bill.add(v)
	if u := t.bill.total(); u.Total() > 0 {
		t.seen.Usage, t.seen.HasUsage = u, true
	}
}

// content takes the blocks of a message.
func (t *tap) content(blocks []byte) (mark protocol.Mark) {
	if wire.Empty(blocks) || blocks[0] != '[' {
		return 0
	}
	for b, err := range jsonedit.Elements(blocks) {
		if err != nil {
			break // Members has skipped it as sound
		}
		mark |= t.piece(b)
	}
	return mark
}

// piece takes a block or a delta.
func (t *tap) piece(v []byte) protocol.Mark {
	n, full := t.carries(v)
	if !full {
		return 0
	}
	t.seen.OutBytes += n
	t.some = true
	return protocol.Meaningful
}

// carries reports whether a block or a delta holds anything beside its type,
// and how many bytes of text, thinking and arguments. Signatures, citations
// and what hosted tools found are not counted.
func (t *tap) carries(v []byte) (n int64, full bool) {
	for m := range wire.Object(v) {
		if string(m.Name) == "type" || wire.Empty(m.Value) {
			continue
		}
		full = true
		switch string(m.Name) {
		case "text", "thinking", "partial_json", "content": // the last: a summary of what was compacted
			n += wire.StringLen(m.Value)
			t.text, t.texts = m.Value, t.texts+1
		case "input":
			n += int64(len(m.Value))
		}
	}
	return n, full
}

// stop takes the reason why a message stopped, after which it is whole.
func (t *tap) stop(reason []byte) protocol.Mark {
	if wire.Empty(reason) {
		return 0
	}
	t.some = true
	t.seen.Stop = stopName(reason)
	t.seen.Finished = t.seen.Error == nil
	return protocol.Meaningful | protocol.Final
}

// stopName is the text of a stop reason, without an allocation for the common
// ones.
func stopName(v []byte) string {
	switch string(v) {
	case `"end_turn"`:
		return "end_turn"
	case `"tool_use"`:
		return "tool_use"
	case `"max_tokens"`:
		return "max_tokens"
	}
	if s := wire.Text(v); s != "" {
		return s
	}
	return string(v)
}

// unreadable takes an event whose data is no JSON object. Where its name is
// none of the protocol's, clients pass it over, and so does the tap.
func (t *tap) unreadable(event, data []byte) protocol.Mark {
	switch string(event) {
	case "error":
		return t.fail(data)
	case "", "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop":
		return t.failure("the upstream sent an event that is no event of an answer: ", data)
	}
	return 0
}

// fail takes an error in the protocol's own form or that of another.
func (t *tap) fail(data []byte) protocol.Mark { return t.seen.Fail("", wire.DecodeError(0, data)) }

// failure takes what is no answer of this protocol at all; what says so.
func (t *tap) failure(what string, data []byte) protocol.Mark {
	return t.seen.Fail(what, wire.DecodeError(0, data))
}
