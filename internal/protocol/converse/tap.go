package converse

import (
	"bytes"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// NewTap implements protocol.Codec.
func (c *Codec) NewTap() protocol.Tap { return &tap{codec: c} }

// A tap watches one answer. It decodes nothing.
type tap struct {
	codec *Codec
	seen  protocol.Seen
}

var _ protocol.Tap = (*tap)(nil)

// Seen implements protocol.Tap.
func (t *tap) Seen() *protocol.Seen { return &t.seen }

// Frame reads one event. A block that opens is Meaningful only if it is a call;
// the answer is whole with the reason why the model stopped, and its tokens come
// after it.
func (t *tap) Frame(event, data []byte) protocol.Mark {
	data = bytes.TrimSpace(data)
	switch string(event) {
	case Exception, "error":
		return t.fail(data)
	case blockDelta:
		return t.piece(jsonedit.Get(data, "delta"))
	case blockStart:
		if jsonedit.Path(data, "start", "toolUse") != nil {
			return protocol.Meaningful
		}
	case messageStop:
		return t.stop(jsonedit.Get(data, "stopReason"))
	case metadata:
		t.usage(jsonedit.Get(data, "usage"))
		if t.seen.Finished {
			return protocol.Final
		}
	case messageStart, blockStop:
	default:
		if len(event) == 0 && len(data) > 0 { // an error that somebody on the way has sent
			return t.fail(data)
		}
	}
	return 0
}

// piece takes a delta, or a block of a whole answer.
func (t *tap) piece(v []byte) (mark protocol.Mark) {
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "text":
			mark |= t.text(m.Value)
		case "toolUse":
			if in := jsonedit.Get(m.Value, "input"); len(in) > 0 && in[0] == '{' { // whole
				t.seen.OutBytes += int64(len(in))
				mark |= protocol.Meaningful
			} else {
				mark |= t.text(in)
			}
		case "reasoningContent":
			for x := range wire.Object(m.Value) {
				if string(x.Name) == "reasoningText" {
					mark |= t.text(jsonedit.Get(x.Value, "text"))
				} else if string(x.Name) == "text" {
					mark |= t.text(x.Value)
				} else if !wire.Empty(x.Value) {
					mark |= protocol.Meaningful
				}
			}
		case "citationsContent":
			for c, err := range jsonedit.Elements(jsonedit.Get(m.Value, "content")) {
				if err != nil {
					break
				}
				mark |= t.text(jsonedit.Get(c, "text"))
			}
		default:
			if !wire.Empty(m.Value) {
				mark |= protocol.Meaningful
			}
		}
	}
	return mark
}

func (t *tap) text(v []byte) protocol.Mark {
	n := wire.StringLen(v)
	if n == 0 {
		return 0
	}
	t.seen.OutBytes += n
	return protocol.Meaningful
}

func (t *tap) stop(v []byte) protocol.Mark {
	t.seen.Stop = wire.Text(v)
	t.seen.Finished = t.seen.Error == nil
	return protocol.Meaningful | protocol.Final
}

func (t *tap) usage(v []byte) {
	if u, ok := usageOf(v); ok {
		t.seen.Usage, t.seen.HasUsage = u, true
	}
}

// Body reads a whole answer. It may be empty if it says why it ended.
func (t *tap) Body(body []byte) protocol.Mark {
	var stop, content []byte
	output := false
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return t.failure("the upstream's answer is not the JSON object that it should be ("+err.Error()+"): ", body)
		}
		switch string(m.Name) {
		case "output":
			output = true
			content = jsonedit.Path(m.Value, "message", "content")
		case "stopReason":
			stop = m.Value
		case "usage":
			t.usage(m.Value)
		}
	}
	if !output || wire.Empty(content) && wire.Empty(stop) {
		return t.failure("the upstream's answer has neither content nor a stop reason: ", body)
	}
	if !wire.Empty(content) {
		for b, err := range jsonedit.Elements(content) {
			if err != nil {
				break
			}
			t.piece(b)
		}
	}
	return t.stop(stop)
}

func (t *tap) fail(data []byte) protocol.Mark { return t.seen.Fail("", t.codec.DecodeError(0, data)) }

// failure takes what is no answer of this protocol at all; what says so.
func (t *tap) failure(what string, data []byte) protocol.Mark {
	return t.seen.Fail(what, t.codec.DecodeError(0, data))
}
