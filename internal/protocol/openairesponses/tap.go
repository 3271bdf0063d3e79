package openairesponses

import (
	"bytes"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// A tap watches one answer. It scans and decodes nothing: an ordinary event
// costs no allocation, and if it is like the one before it is not even read; a
// terminal event that repeats megabytes of output costs two passes over it.
type tap struct {
	seen  protocol.Seen
	mould wire.Mould
	// Of the event that is read: its text, and what varies beside it.
	text, number, pad []byte
	grew              bool // a delta came since the last item was done
}

var _ protocol.Tap = (*tap)(nil)

func (t *tap) Seen() *protocol.Seen { return &t.seen }

// Frame reads one event. Its type is the one in the data; the event's name,
// which some upstreams leave out, is read if there is none.
func (t *tap) Frame(event, data []byte) protocol.Mark {
	data = bytes.TrimSpace(data)
	if text, ok := t.mould.Text(event, data); ok {
		t.seen.OutBytes += wire.StringLen(text)
		return protocol.Meaningful
	}
	before := t.seen.OutBytes
	t.text, t.number, t.pad = nil, nil, nil
	mark := t.read(event, data)
	// An event that means no more than its text changes nothing when it comes
	// again, but the length of the text.
	if t.mould.Forget(); mark == protocol.Meaningful && t.grew && t.seen.OutBytes-before == wire.StringLen(t.text) {
		t.mould.Learn(event, data, t.text, t.number, t.pad)
	}
	return mark
}

// read reads one event, without white space around its data.
func (t *tap) read(event, data []byte) protocol.Mark {
	if len(data) == 0 {
		return 0
	}
	if string(data) == "[DONE]" { // no part of this protocol, but vendors send it after the terminal event
		return protocol.Final
	}
	var typ, response, delta, item []byte
	failed := false
	for m, err := range jsonedit.Members(data) {
		if err != nil {
			return t.failure("the upstream sent an event that is no event of an answer: ", data)
		}
		switch string(m.Name) {
		case "type":
			typ = m.Value
		case "response":
			response = m.Value
		case "delta":
			delta = m.Value
		case "item":
			item = m.Value
		case "sequence_number":
			t.number = m.Value
		case "obfuscation":
			t.pad = m.Value
		case "error":
			failed = failed || !wire.Empty(m.Value)
		}
	}
	if wire.StringLen(typ) > 0 {
		typ = typ[1 : len(typ)-1]
	} else {
		typ = event
	}
	switch string(typ) {
	case "response.created", "response.queued", "response.in_progress":
		t.response(response)
		return 0
	case "response.output_item.added":
		return announced(item)
	case "response.content_part.added", "response.reasoning_summary_part.added":
		return 0 // an empty shell, which its deltas fill
	case "response.completed", "response.incomplete":
		t.response(response)
		t.seen.Finished = true
		return protocol.Meaningful | protocol.Final
	case "response.failed", "response.cancelled":
		t.response(response)
		e := jsonedit.Get(response, "error")
		if wire.Empty(e) {
			return t.failure("the upstream ended its answer with "+string(typ)+": ", data[:min(len(data), 256)])
		}
		return t.fail(e)
	case "error":
		return t.fail(data)
	case "response.audio.delta", "response.image_generation_call.partial_image": // base64, no text
		return protocol.Meaningful
	case "response.output_item.done":
		if !t.grew {
			t.seen.OutBytes += itemBytes(item)
		}
		t.grew = false
		return protocol.Meaningful
	}
	if !bytes.HasPrefix(typ, []byte("response.")) {
		if failed { // an error as other protocols send it
			return t.fail(data)
		}
		return 0 // keep-alives and vendors' own, such as codex.rate_limits
	}
	if n := wire.StringLen(delta); n > 0 {
		t.seen.OutBytes += n
		t.grew, t.text = true, delta
	}
	return protocol.Meaningful
}

// announced says what the announcement of an item means. Messages and
// reasoning begin empty. A call already tells which tool it is for, and a
// hosted tool has begun to work.
func announced(item []byte) protocol.Mark {
	switch string(jsonedit.Get(item, "type")) {
	case `"message"`, `"reasoning"`, "":
		return 0
	}
	return protocol.Meaningful
}

// Body reads a whole answer: a response object, or the answer to a count. A
// response that failed after it wrote something is an answer, which the client
// gets as it is; Stop tells "failed".
func (t *tap) Body(body []byte) protocol.Mark {
	var output, problem []byte
	count := false
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return t.failure("the upstream's answer is not the JSON object that it should be ("+err.Error()+"): ", body)
		}
		switch string(m.Name) {
		case "output":
			output = m.Value
		case "error":
			problem = m.Value
		case "input_tokens":
			count = true
		}
	}
	t.response(body)
	switch {
	case wire.Empty(output) && !wire.Empty(problem):
		return t.fail(body)
	case wire.Empty(output) && (t.seen.Stop == "failed" || t.seen.Stop == "cancelled"):
		return t.failure("the upstream's answer has the status "+t.seen.Stop+": ", body)
	case len(output) == 0 && !count:
		return t.failure("the upstream's answer has no output: ", body)
	}
	if len(output) > 0 && output[0] == '[' {
		for item, err := range jsonedit.Elements(output) {
			if err != nil {
				break
			}
			t.seen.OutBytes += itemBytes(item)
		}
	}
	t.seen.Finished = true
	return protocol.Meaningful | protocol.Final
}

// response takes what a response object tells.
func (t *tap) response(v []byte) {
	var status, why []byte
	for m, err := range jsonedit.Members(v) {
		if err != nil {
			break
		}
		switch string(m.Name) {
		case "id": // GitHub Copilot gives every event another; the last is the answer's
			if id := wire.Text(m.Value); id != "" {
				t.seen.ID = id
			}
		case "model":
			if t.seen.Model == "" {
				t.seen.Model = wire.Text(m.Value)
			}
		case "status":
			status = m.Value
		case "incomplete_details":
			why = jsonedit.Get(m.Value, "reason")
		case "usage":
			if u, ok := openaiwire.Usage(m.Value); ok {
				t.seen.Usage, t.seen.HasUsage = u, true
			}
		}
	}
	switch string(status) {
	case "", `"in_progress"`, "null":
		return
	case `"incomplete"`:
		if s := wire.Text(why); s != "" {
			t.seen.Stop = s
			return
		}
	}
	t.seen.Stop = wire.Text(status)
}

// itemBytes is how many bytes of text, reasoning, arguments and input an item
// holds.
func itemBytes(item []byte) (n int64) {
	if len(item) == 0 || item[0] != '{' {
		return 0
	}
	for m, err := range jsonedit.Members(item) {
		if err != nil {
			break
		}
		switch string(m.Name) {
		case "arguments", "input", "code":
			n += wire.StringLen(m.Value)
		case "content", "summary":
			if len(m.Value) == 0 || m.Value[0] != '[' {
				continue
			}
			for part, err := range jsonedit.Elements(m.Value) {
				if err != nil {
					break
				}
				n += wire.StringLen(jsonedit.Get(part, "text")) + wire.StringLen(jsonedit.Get(part, "refusal"))
			}
		}
	}
	return n
}

// fail takes an error in the protocol's own form.
func (t *tap) fail(data []byte) protocol.Mark { return t.seen.Fail("", wire.DecodeError(0, data)) }

// failure takes what is no answer of this protocol at all; what says so.
func (t *tap) failure(what string, data []byte) protocol.Mark {
	return t.seen.Fail(what, wire.DecodeError(0, data))
}
