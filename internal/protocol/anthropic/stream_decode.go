package anthropic

import (
	"bytes"
	"slices"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// NewDecoder returns a decoder for one stream (spec: upstreams §1C.7). The
// Begin that it gives has the usage that the upstream told at the beginning,
// which is that of the prompt.
func (*Codec) NewDecoder() protocol.Decoder { return &streamDecoder{} }

type streamDecoder struct {
	begun, halted, ended bool
	parts                int // how many were opened
	open                 []openBlock
	bill                 bill
	calls                bool
	firm                 bool       // something beside thinking was told, which cannot be taken back
	mould                wire.Mould // of an event that gave a text and changed nothing
	grown                llm.Event  // what it gave
	text                 []byte     // of the event that is read
}

// An openBlock is a block under way. There is one at a time, but some copies
// of the protocol do not close one before the next.
type openBlock struct {
	index int64
	part  int
	as    byte   // what it grows to: one of the kinds below
	input []byte // of a call that came whole, until a delta shows that it did not
	raw   []byte // of a block that is gathered: its start
	grown []byte // … and its input, or the delta with its content
	// summary: what is gathered is a summary, not a call.
	summary bool
}

// The kinds of blocks under way.
const (
	asText    = 't'
	asThought = 'h'
	asCall    = 'c'
	gathered  = 'g' // a hosted tool's call, a summary: it comes in one piece
	done      = 'd' // it came whole when it began
)

// Feed reads one event. Its type is the one in the data; its name counts if
// there is none.
func (s *streamDecoder) Feed(dst []llm.Event, event, data []byte) ([]llm.Event, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || string(data) == "[DONE]" || s.ended {
		return dst, nil
	}
	if text, ok := s.mould.Text(event, data); ok {
		s.grown.Text = llm.Wire(text)
		return append(dst, s.grown), nil
	}
	s.mould.Forget()
	s.text = nil
	n := len(dst)
	dst, err := s.read(dst, event, data)
	if err == nil && len(dst) == n+1 && dst[n].Kind == llm.Grow {
		s.grown = dst[n]
		s.mould.Learn(event, data, s.text)
	}
	return dst, err
}

// read reads one event, without white space around its data.
func (s *streamDecoder) read(dst []llm.Event, event, data []byte) ([]llm.Event, error) {
	var typ, message, block, delta, usage []byte
	index := int64(-1)
	var rest llm.Extra
	for m, err := range jsonedit.Members(data) {
		if err != nil {
			return dst, fault.New(fault.Broken, "an event of the upstream's answer: %s", err)
		}
		switch string(m.Name) {
		case "type":
			typ = m.Value
		case "index":
			index, _ = jsonedit.Int(m.Value)
		case "message":
			message = m.Value
		case "content_block":
			block = m.Value
		case "delta":
			delta = m.Value
		case "usage":
			usage = m.Value
		case "context_management":
			if !wire.Null(m.Value) {
				keep(&rest, m)
			}
		}
	}
	if len(typ) > 2 && typ[0] == '"' {
		event = typ[1 : len(typ)-1]
	}
	switch string(event) {
	case "content_block_delta":
		dst = s.delta(dst, index, delta)
	case "content_block_start":
		dst = s.start(dst, index, block)
	case "content_block_stop":
		dst = s.stop(dst, index)
	case "message_start":
		if s.firm {
			return dst, fault.New(fault.Broken, "the upstream began its answer anew when a part of it had gone out")
		}
		dst = s.begin(dst, message)
	case "message_delta":
		dst = s.halt(dst, delta, usage, rest)
	case "message_stop":
		s.halted = true
		dst = s.End(dst)
	case "ping", "":
	default: // the protocol promises new ones (spec: translation-traps X6)
		inside := bytes.TrimSuffix(bytes.TrimPrefix(data, []byte("{")), []byte("}"))
		dst = append(dst, llm.Event{Kind: llm.Note, ID: string(event), Extra: llm.Extra{Protocol: protocol.Anthropic, Members: inside}})
	}
	return dst, nil
}

// End closes what is open, and says that the stream is whole if the answer
// stopped.
func (s *streamDecoder) End(dst []llm.Event) []llm.Event {
	if s.ended || !s.begun {
		return dst
	}
	s.ended = true
	for len(s.open) > 0 {
		dst = s.close(dst, len(s.open)-1)
	}
	if s.halted {
		dst = append(dst, llm.Event{Kind: llm.End})
	}
	return dst
}

// begin takes the message that opens the stream. A second one belongs to an
// answer that was begun anew: what came before is given up.
func (s *streamDecoder) begin(dst []llm.Event, message []byte) []llm.Event {
	if s.begun {
		for len(s.open) > 0 {
			dst = s.close(dst, len(s.open)-1)
		}
		return dst
	}
	s.begun = true
	e := llm.Event{Kind: llm.Begin}
	var content []byte
	for m := range wire.Object(message) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type", "role", "stop_reason", "stop_sequence", "stop_details":
		case "id":
			e.ID = wire.Text(m.Value)
		case "model":
			e.Model = wire.Text(m.Value)
		case "content":
			content = m.Value
		case "usage":
			s.bill.add(m.Value)
			e.Usage = s.bill.usage()
			keep(&e.Extra, m)
		default:
			keep(&e.Extra, m)
		}
	}
	dst = append(dst, e)
	if e.Usage.Total() > 0 {
		dst = append(dst, llm.Event{Kind: llm.Tally, Usage: e.Usage})
	}
	if !wire.Empty(content) && content[0] == '[' {
		for b, err := range jsonedit.Elements(content) {
			if err == nil && b[0] == '{' {
				dst = s.stop(s.start(dst, -1, b), -1)
			}
		}
	}
	return dst
}

// ensure opens the answer for a stream without a message_start.
func (s *streamDecoder) ensure(dst []llm.Event) []llm.Event {
	if !s.begun {
		s.begun = true
		dst = append(dst, llm.Event{Kind: llm.Begin})
	}
	return dst
}

// start takes a block that opens.
func (s *streamDecoder) start(dst []llm.Event, index int64, v []byte) []llm.Event {
	if len(v) == 0 || v[0] != '{' {
		return dst
	}
	dst = s.ensure(dst)
	b := openBlock{index: index, part: s.parts}
	s.parts++
	d := decoder{r: &llm.Request{}}
	what := d.block("", v)
	if _, thought := what.(*llm.Thought); !thought {
		s.firm = true
	}
	switch part := what.(type) {
	case *llm.Prose:
		b.as = asText
		text, cites := part.Text, part.Cites
		part.Text, part.Cites = llm.Text{}, nil
		dst = append(dst, llm.Event{Kind: llm.Open, Part: b.part, What: part})
		dst = grow(dst, b.part, text)
		for i := range cites {
			dst = append(dst, llm.Event{Kind: llm.Cited, Part: b.part, Cite: &cites[i]})
		}
	case *llm.Thought:
		if part.Redacted {
			b.as = done
			dst = append(dst, llm.Event{Kind: llm.Whole, Part: b.part, What: part})
			break
		}
		b.as = asThought
		text, seal := part.Text, part.Seal
		part.Text, part.Seal = llm.Text{}, nil
		dst = append(dst, llm.Event{Kind: llm.Open, Part: b.part, What: part})
		dst = grow(dst, b.part, text)
		if seal != nil {
			dst = append(dst, llm.Event{Kind: llm.Sealed, Part: b.part, Seal: seal})
		}
	case *llm.Call:
		b.as, s.calls = asCall, s.calls || isCall(part)
		if args := part.Args.Append(nil); !wire.Empty(args) {
			b.input = bytes.Clone(args)
		}
		part.Args = llm.Text{}
		dst = append(dst, llm.Event{Kind: llm.Open, Part: b.part, What: part})
	case *llm.ServerCall:
		b.as, b.raw = gathered, bytes.Clone(v)
	case *llm.Opaque:
		if part.Kind == "compaction" {
			b.as, b.raw, b.summary = gathered, bytes.Clone(v), true
			break
		}
		b.as = done
		dst = append(dst, llm.Event{Kind: llm.Whole, Part: b.part, What: part})
	default:
		b.as = done
		dst = append(dst, llm.Event{Kind: llm.Whole, Part: b.part, What: part})
	}
	s.open = append(s.open, b)
	return dst
}

func grow(dst []llm.Event, part int, t llm.Text) []llm.Event {
	if t.Empty() {
		return dst
	}
	return append(dst, llm.Event{Kind: llm.Grow, Part: part, Text: t})
}

// find is the block of an index, the last one if the upstream tells none, or
// -1.
func (s *streamDecoder) find(index int64) int {
	for i, b := range slices.Backward(s.open) {
		if index < 0 || b.index == index {
			return i
		}
	}
	return -1
}

// maxGathered bounds what is kept of a block that is gathered, in bytes.
const maxGathered = 8 << 20

// delta takes a piece of a block.
func (s *streamDecoder) delta(dst []llm.Event, index int64, v []byte) []llm.Event {
	var kind, text, json, signature, cite []byte
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "type":
			kind = m.Value
		case "text", "thinking":
			text = m.Value
		case "partial_json":
			json = m.Value
		case "signature":
			signature = m.Value
		case "citation":
			cite = m.Value
		}
	}
	i := s.find(index)
	if i < 0 {
		if dst, i = s.late(dst, index, kind); i < 0 {
			return dst
		}
	}
	b := &s.open[i]
	switch {
	case b.as == gathered && b.summary: // a delta has all that is in it
		if len(v) < maxGathered {
			b.grown = append(b.grown[:0], v...)
		}
	case b.as == gathered:
		if len(b.grown) < maxGathered {
			b.grown = openaiwire.String(json).Append(b.grown)
		}
	case b.as == asCall && wire.StringLen(json) > 0:
		b.input = nil
		dst = append(dst, llm.Event{Kind: llm.Grow, Part: b.part, Text: llm.Wire(json)})
	case (b.as == asText || b.as == asThought) && wire.StringLen(text) > 0:
		s.text = text
		dst = append(dst, llm.Event{Kind: llm.Grow, Part: b.part, Text: llm.Wire(text)})
	case b.as == asText && cite != nil:
		c := citation(cite)
		dst = append(dst, llm.Event{Kind: llm.Cited, Part: b.part, Cite: &c})
	case b.as == asThought && wire.StringLen(signature) > 0:
		dst = append(dst, llm.Event{Kind: llm.Sealed, Part: b.part, Seal: &llm.Seal{Protocol: protocol.Anthropic, Data: llm.Wire(signature)}})
	}
	return dst
}

// late opens a block whose beginning some copies of the protocol leave out. i
// is where it is, or -1 if its deltas do not tell what it is.
func (s *streamDecoder) late(dst []llm.Event, index int64, kind []byte) (out []llm.Event, i int) {
	switch string(kind) {
	case `"text_delta"`:
		dst = s.start(dst, index, []byte(`{"type":"text"}`))
	case `"thinking_delta"`:
		dst = s.start(dst, index, []byte(`{"type":"thinking"}`))
	default:
		return dst, -1
	}
	return dst, len(s.open) - 1
}

// stop takes a block that closes.
func (s *streamDecoder) stop(dst []llm.Event, index int64) []llm.Event {
	if i := s.find(index); i >= 0 {
		dst = s.close(dst, i)
	}
	return dst
}

// close ends the block at i of those that are open.
func (s *streamDecoder) close(dst []llm.Event, i int) []llm.Event {
	b := s.open[i]
	s.open = append(s.open[:i], s.open[i+1:]...)
	switch b.as {
	case done:
		return dst
	case gathered:
		d := decoder{r: &llm.Request{}}
		return append(dst, llm.Event{Kind: llm.Whole, Part: b.part, What: d.block("", b.whole())})
	case asCall:
		dst = grow(dst, b.part, llm.PlainBytes(b.input))
	}
	return append(dst, llm.Event{Kind: llm.Close, Part: b.part})
}

// whole is a gathered block with what grew: the input of a call, or the
// members of a summary. Input that is no JSON is no input.
func (b *openBlock) whole() []byte {
	v := bytes.TrimSpace(b.grown)
	var grown []byte // members
	if b.summary {
		for m := range wire.Object(v) {
			if string(m.Name) != "type" {
				grown = jsonw.Raw(grown, string(m.Name), m.Value)
			}
		}
	} else if ok, _ := sound(v); ok {
		grown = jsonw.Raw(nil, "input", v)
	}
	if grown == nil {
		return b.raw
	}
	out := []byte{'{'}
	set := object(llm.Extra{Members: grown})
	for m := range wire.Object(b.raw) {
		if jsonedit.Get(set, string(m.Name)) == nil {
			out = jsonw.Raw(out, string(m.Name), m.Value)
		}
	}
	return append(append(jsonw.Comma(out), grown...), '}')
}

// halt takes why the answer stopped, and the sums. The halt comes first, so
// that whoever waits for the usage behind it has it at once.
func (s *streamDecoder) halt(dst []llm.Event, delta, usage []byte, rest llm.Extra) []llm.Event {
	dst = s.ensure(dst)
	var h halt
	for m := range wire.Object(delta) {
		if !wire.Null(m.Value) && !h.take(m) {
			rest.Add(protocol.Anthropic, append([]byte(inDelta), m.Name...), m.Value)
		}
	}
	if h.reason != nil && !s.halted {
		s.halted = true
		for len(s.open) > 0 {
			dst = s.close(dst, len(s.open)-1)
		}
		e := llm.Event{Kind: llm.Halt}
		e.Stop, e.Sequence, e.Extra = h.read()
		if e.Stop == llm.StopEnd && s.calls {
			e.Stop = llm.StopCall
		}
		for m := range members(rest) {
			keep(&e.Extra, m)
		}
		if p := h.refusal(); p != nil {
			dst = append(dst, llm.Event{Kind: llm.Whole, Part: s.parts, What: p})
			s.parts++
		}
		dst = append(dst, e)
	}
	if !wire.Null(usage) {
		s.bill.add(usage)
		e := llm.Event{Kind: llm.Tally, Usage: s.bill.usage()}
		e.Extra.Add(protocol.Anthropic, []byte("usage"), usage)
		dst = append(dst, e)
	}
	return dst
}

// inDelta marks members of message_delta's delta among those beside it.
const inDelta = "delta."
