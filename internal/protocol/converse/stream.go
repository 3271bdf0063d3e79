package converse

import (
	"bytes"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// The events of a stream; spec: upstreams §1E.
const (
	messageStart = "messageStart"
	blockStart   = "contentBlockStart"
	blockDelta   = "contentBlockDelta"
	blockStop    = "contentBlockStop"
	messageStop  = "messageStop"
	metadata     = "metadata"
)

// NewDecoder returns a decoder for one stream. Its end is told when the tokens
// are, which comes after the reason why the model stopped.
func (*Codec) NewDecoder() protocol.Decoder { return &decoder{} }

type decoder struct {
	blocks  []opened
	parts   int
	begun   bool
	calls   bool
	stopped bool
	ended   bool
}

// An opened block is one that may still grow.
type opened struct {
	index, part int
	kind        kind
}

type kind uint8

const (
	ofText kind = iota
	ofCall
	ofThought
)

// Feed implements protocol.Decoder.
func (d *decoder) Feed(dst []llm.Event, event, data []byte) ([]llm.Event, error) {
	if d.ended {
		return dst, nil
	}
	if !d.begun {
		d.begun = true
		dst = append(dst, llm.Event{Kind: llm.Begin})
	}
	switch string(event) {
	case blockStart:
		return d.start(dst, data), nil
	case blockDelta:
		return d.delta(dst, data)
	case blockStop:
		return d.close(dst, number(jsonedit.Get(data, "contentBlockIndex"))), nil
	case messageStop:
		dst = d.closeAll(dst)
		d.stopped = true
		return append(dst, llm.Event{Kind: llm.Halt, Stop: stopOf(jsonedit.Get(data, "stopReason"), d.calls)}), nil
	case metadata:
		if u, ok := usageOf(jsonedit.Get(data, "usage")); ok {
			dst = append(dst, llm.Event{Kind: llm.Tally, Usage: u})
		}
		return d.finish(dst), nil
	}
	return dst, nil
}

// start opens a block that says at once what it is. One of text says nothing.
func (d *decoder) start(dst []llm.Event, data []byte) []llm.Event {
	call := jsonedit.Path(data, "start", "toolUse")
	if call == nil {
		return dst
	}
	d.calls = true
	return d.open(dst, number(jsonedit.Get(data, "contentBlockIndex")), ofCall,
		&llm.Call{ID: wire.Text(jsonedit.Get(call, "toolUseId")), Name: wire.Text(jsonedit.Get(call, "name"))})
}

// delta lets a block grow.
func (d *decoder) delta(dst []llm.Event, data []byte) ([]llm.Event, error) {
	index, v := -1, []byte(nil)
	for m, err := range jsonedit.Members(data) {
		if err != nil {
			return dst, fault.New(fault.Broken, "an event of the upstream's answer: %s", err)
		}
		switch string(m.Name) {
		case "contentBlockIndex":
			index = number(m.Value)
		case "delta":
			v = m.Value
		}
	}
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "text":
			dst = d.grow(dst, index, ofText, m.Value)
		case "toolUse":
			dst = d.grow(dst, index, ofCall, jsonedit.Get(m.Value, "input"))
		case "reasoningContent":
			dst = d.think(dst, index, m.Value)
		case "citation":
			if b := d.find(index); b != nil && b.kind == ofText {
				c := citation(m.Value)
				dst = append(dst, llm.Event{Kind: llm.Cited, Part: b.part, Cite: &c})
			}
		case "image":
			data := jsonedit.Path(m.Value, "source", "bytes")
			if wire.StringLen(data) > 0 {
				d.parts++
				dst = append(dst, llm.Event{Kind: llm.Whole, Part: d.parts - 1, What: &llm.Blob{Kind: llm.Image, Type: "image/png", Data: llm.Wire(bytes.Clone(data))}})
			}
		}
	}
	return dst, nil
}

// think takes reasoning, its signature, or what there is of it if it is not
// shown.
func (d *decoder) think(dst []llm.Event, index int, v []byte) []llm.Event {
	for m := range wire.Object(v) {
		if wire.StringLen(m.Value) == 0 {
			continue
		}
		switch string(m.Name) {
		case "text":
			dst = d.grow(dst, index, ofThought, m.Value)
		case "signature":
			dst = d.opened(dst, index, ofThought)
			dst = append(dst, llm.Event{Kind: llm.Sealed, Part: d.find(index).part, Seal: seal(llm.Signature, m.Value)})
		case "redactedContent":
			d.parts++
			dst = append(dst, llm.Event{Kind: llm.Whole, Part: d.parts - 1, What: &llm.Thought{Redacted: true, Seal: seal(llm.Encrypted, bytes.Clone(m.Value))}})
		}
	}
	return dst
}

// grow adds text to a block, which is opened by it if it is not open. What
// grows a call that did not begin is of no use.
func (d *decoder) grow(dst []llm.Event, index int, k kind, text []byte) []llm.Event {
	if wire.StringLen(text) == 0 {
		return dst
	}
	if k == ofCall {
		if b := d.find(index); b == nil || b.kind != ofCall {
			return dst
		}
	}
	dst = d.opened(dst, index, k)
	return append(dst, llm.Event{Kind: llm.Grow, Part: d.find(index).part, Text: llm.Wire(text)})
}

// opened makes sure that a block of a kind is open.
func (d *decoder) opened(dst []llm.Event, index int, k kind) []llm.Event {
	if b := d.find(index); b != nil {
		if b.kind == k {
			return dst
		}
		dst = d.close(dst, index)
	}
	if k == ofThought {
		return d.open(dst, index, k, &llm.Thought{})
	}
	return d.open(dst, index, k, &llm.Prose{})
}

// maxOpen bounds the blocks that are open at one time; an upstream that opens
// more has the first closed.
const maxOpen = 64

func (d *decoder) open(dst []llm.Event, index int, k kind, what llm.Part) []llm.Event {
	dst = d.close(dst, index)
	if len(d.blocks) == maxOpen {
		dst = d.close(dst, d.blocks[0].index)
	}
	d.blocks = append(d.blocks, opened{index, d.parts, k})
	d.parts++
	return append(dst, llm.Event{Kind: llm.Open, Part: d.parts - 1, What: what})
}

func (d *decoder) find(index int) *opened {
	for i := range d.blocks {
		if d.blocks[i].index == index {
			return &d.blocks[i]
		}
	}
	return nil
}

func (d *decoder) close(dst []llm.Event, index int) []llm.Event {
	for i := range d.blocks {
		if d.blocks[i].index == index {
			dst = append(dst, llm.Event{Kind: llm.Close, Part: d.blocks[i].part})
			d.blocks = append(d.blocks[:i], d.blocks[i+1:]...)
			return dst
		}
	}
	return dst
}

func (d *decoder) closeAll(dst []llm.Event) []llm.Event {
	for len(d.blocks) > 0 {
		dst = d.close(dst, d.blocks[0].index)
	}
	return dst
}

func (d *decoder) finish(dst []llm.Event) []llm.Event {
	dst = d.closeAll(dst)
	if d.stopped && !d.ended {
		d.ended = true
		dst = append(dst, llm.Event{Kind: llm.End})
	}
	return dst
}

// End implements protocol.Decoder.
func (d *decoder) End(dst []llm.Event) []llm.Event { return d.finish(dst) }
