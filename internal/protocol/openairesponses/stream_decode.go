package openairesponses

import (
	"bytes"
	"slices"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// NewDecoder returns a decoder for one stream of events (spec: upstreams
// §1B.5).
func (*Codec) NewDecoder() protocol.Decoder { return &streamDecoder{} }

type streamDecoder struct {
	begun, ended bool
	parts        int
	items        []*itemDecoder // by the upstream's output_index, as they came
}

// An itemDecoder is one item of the output under way.
type itemDecoder struct {
	index int64
	kind  string
	part  int  // the part that grows, -1: none is open
	grown bool // it has grown, so that its end need not repeat it
	at    int64
	done  bool
}

// Feed reads one event.
func (s *streamDecoder) Feed(dst []llm.Event, event, data []byte) ([]llm.Event, error) {
	data = bytes.TrimSpace(data)
	if s.ended || len(data) == 0 || string(data) == "[DONE]" {
		return dst, nil
	}
	var typ, delta, item, response, part, text, odds []byte
	index, inner := int64(0), int64(0)
	for m, err := range jsonedit.Members(data) {
		if err != nil {
			return dst, fault.New(fault.Broken, "an event of the upstream's answer: %s", err)
		}
		switch string(m.Name) {
		case "type":
			typ = m.Value
		case "output_index":
			index, _ = jsonedit.Int(m.Value)
		case "content_index", "summary_index":
			inner, _ = jsonedit.Int(m.Value)
		case "delta":
			delta = m.Value
		case "item":
			item = m.Value
		case "response":
			response = m.Value
		case "annotation":
			part = m.Value
		case "logprobs":
			odds = m.Value
		case "text", "arguments", "input", "refusal":
			text = m.Value
		}
	}
	if wire.StringLen(typ) > 0 {
		typ = typ[1 : len(typ)-1]
	} else {
		typ = event
	}
	switch string(typ) {
	case "response.created", "response.in_progress", "response.queued":
		if !s.begun {
			s.begun = true
			dst = append(dst, llm.Event{Kind: llm.Begin, ID: wire.Text(jsonedit.Get(response, "id")), Model: wire.Text(jsonedit.Get(response, "model"))})
		}
	case "response.output_item.added":
		dst = s.added(dst, index, item)
	case "response.output_text.delta":
		dst = s.grow(dst, s.item(index, "message"), inner, delta, func() llm.Part { return &llm.Prose{} })
		if len(odds) > 2 && odds[0] == '[' {
			dst = append(dst, llm.Event{Kind: llm.Odds, Logprobs: oddsOf(odds[1 : len(odds)-1])})
		}
	case "response.refusal.delta":
		dst = s.grow(dst, s.item(index, "message"), inner, delta, func() llm.Part { return &llm.Refusal{} })
	case "response.reasoning_summary_text.delta":
		dst = s.think(dst, s.item(index, "reasoning"), inner, delta, true)
	case "response.reasoning_text.delta":
		dst = s.think(dst, s.item(index, "reasoning"), inner, delta, false)
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		dst = s.call(dst, index, delta)
	case "response.function_call_arguments.done", "response.custom_tool_call_input.done":
		if i := s.find(index); i != nil && !i.grown { // it came in one piece
			dst = s.call(dst, index, text)
		}
	case "response.output_text.annotation.added":
		if i := s.find(index); i != nil && i.part >= 0 {
			if c, ok := citation(part); ok {
				dst = append(dst, llm.Event{Kind: llm.Cited, Part: i.part, Cite: &c})
			}
		}
	case "response.output_item.done":
		dst = s.done(dst, index, item)
	case "response.completed", "response.incomplete":
		dst = s.complete(dst, response)
	}
	return dst, nil
}

func (s *streamDecoder) find(index int64) *itemDecoder {
	for _, v := range slices.Backward(s.items) {
		if v.index == index {
			return v
		}
	}
	return nil
}

// item is the item at index; one whose beginning was left out begins here.
func (s *streamDecoder) item(index int64, kind string) *itemDecoder {
	if i := s.find(index); i != nil && !i.done {
		return i
	}
	i := &itemDecoder{index: index, kind: kind, part: -1}
	s.items = append(s.items, i)
	return i
}

func (s *streamDecoder) added(dst []llm.Event, index int64, item []byte) []llm.Event {
	kind := wire.Text(jsonedit.Get(item, "type"))
	i := s.item(index, kind)
	i.kind = kind
	switch kind {
	case "function_call", "custom_tool_call":
		dst = s.openCall(dst, i, item)
	case "reasoning":
		dst = s.open(dst, i, &llm.Thought{})
	}
	return dst
}

func (s *streamDecoder) open(dst []llm.Event, i *itemDecoder, what llm.Part) []llm.Event {
	i.part = s.parts
	s.parts++
	return append(dst, llm.Event{Kind: llm.Open, Part: i.part, What: what})
}

// openCall begins a call without its arguments: they come in deltas, or whole
// when the item is done, and some vendors tell them here besides (spec:
// translation-traps B22).
func (s *streamDecoder) openCall(dst []llm.Event, i *itemDecoder, item []byte) []llm.Event {
	d := decoder{r: &llm.Request{}}
	c := d.call(item, i.kind)
	c.Args, c.Extra = llm.Text{}, llm.Extra{}
	return s.open(dst, i, c)
}

// grow takes a delta of a message. Each of its contents is a part.
func (s *streamDecoder) grow(dst []llm.Event, i *itemDecoder, inner int64, delta []byte, what func() llm.Part) []llm.Event {
	t := openaiwire.String(delta)
	if t.Empty() {
		return dst
	}
	if i.part < 0 || inner != i.at {
		dst = s.close(dst, i)
		i.at = inner
		dst = s.open(dst, i, what())
	}
	i.grown = true
	return append(dst, llm.Event{Kind: llm.Grow, Part: i.part, Text: t})
}

// think takes a delta of reasoning; its summaries are parted by blank lines.
func (s *streamDecoder) think(dst []llm.Event, i *itemDecoder, inner int64, delta []byte, summary bool) []llm.Event {
	t := openaiwire.String(delta)
	if t.Empty() {
		return dst
	}
	if i.part < 0 {
		dst = s.open(dst, i, &llm.Thought{Summary: summary})
	}
	if i.grown && inner != i.at {
		dst = append(dst, llm.Event{Kind: llm.Grow, Part: i.part, Text: blankLine})
	}
	i.at, i.grown = inner, true
	return append(dst, llm.Event{Kind: llm.Grow, Part: i.part, Text: t})
}

var blankLine = llm.Wire([]byte(`"\n\n"`))

func (s *streamDecoder) call(dst []llm.Event, index int64, delta []byte) []llm.Event {
	i := s.find(index)
	t := openaiwire.String(delta)
	if i == nil || i.part < 0 || t.Empty() {
		return dst
	}
	i.grown = true
	return append(dst, llm.Event{Kind: llm.Grow, Part: i.part, Text: t})
}

func (s *streamDecoder) close(dst []llm.Event, i *itemDecoder) []llm.Event {
	if i.part < 0 {
		return dst
	}
	part := i.part
	i.part = -1
	return append(dst, llm.Event{Kind: llm.Close, Part: part})
}

// done ends an item. What did not come in deltas is told now.
func (s *streamDecoder) done(dst []llm.Event, index int64, item []byte) []llm.Event {
	kind := wire.Text(jsonedit.Get(item, "type"))
	i := s.item(index, kind)
	i.kind = kind
	d := decoder{r: &llm.Request{}}
	switch kind {
	case "message":
		if !i.grown {
			_, parts, _ := d.message("item", item)
			for _, p := range parts {
				if t, ok := p.(*llm.Prose); ok {
					t.Extra = llm.Extra{}
					if t.Text.Empty() {
						continue
					}
				}
				dst = append(dst, llm.Event{Kind: llm.Whole, Part: s.parts, What: p})
				s.parts++
			}
			if odds := oddsOf(d.odds); odds != nil {
				dst = append(dst, llm.Event{Kind: llm.Odds, Logprobs: odds})
			}
		}
	case "reasoning":
		t := d.reasoning(item)
		if i.part < 0 && i.grown {
			break
		}
		if i.part < 0 {
			dst = s.open(dst, i, &llm.Thought{Summary: t.Summary, Redacted: t.Redacted})
		}
		if !i.grown && !t.Text.Empty() {
			dst = append(dst, llm.Event{Kind: llm.Grow, Part: i.part, Text: t.Text})
		}
		if t.Seal != nil {
			dst = append(dst, llm.Event{Kind: llm.Sealed, Part: i.part, Seal: t.Seal})
		}
	case "function_call", "custom_tool_call":
		if i.part < 0 {
			dst = s.openCall(dst, i, item)
		}
		if !i.grown {
			if c := d.call(item, kind); !c.Args.Empty() {
				dst = append(dst, llm.Event{Kind: llm.Grow, Part: i.part, Text: c.Args})
			}
		}
	default:
		_, parts, _ := d.item("item", item)
		for _, p := range parts {
			dst = append(dst, llm.Event{Kind: llm.Whole, Part: s.parts, What: p})
			s.parts++
		}
	}
	i.done = true
	return s.close(dst, i)
}

// complete takes the terminal event. Output that no event told before is told
// now (spec: translation-traps B20 the other way round).
func (s *streamDecoder) complete(dst []llm.Event, response []byte) []llm.Event {
	if s.ended {
		return dst
	}
	for _, i := range s.items {
		dst = s.close(dst, i)
	}
	d := decoder{r: &llm.Request{}}
	r, a := d.response(response)
	if !s.begun {
		s.begun = true
		dst = append(dst, llm.Event{Kind: llm.Begin, ID: r.ID, Model: r.Model})
	}
	if len(s.items) == 0 {
		for _, p := range a.Parts {
			dst = append(dst, llm.Event{Kind: llm.Whole, Part: s.parts, What: p})
			s.parts++
		}
		if a.Logprobs != nil {
			dst = append(dst, llm.Event{Kind: llm.Odds, Logprobs: a.Logprobs})
		}
	}
	if a.Stop == llm.StopEnd || a.Stop == llm.StopUnset {
		for _, i := range s.items { // output may be left out here
			if i.kind == "function_call" || i.kind == "custom_tool_call" {
				a.Stop = llm.StopCall
			}
		}
	}
	if r.HasUsage {
		dst = append(dst, llm.Event{Kind: llm.Tally, Usage: r.Usage})
	}
	dst = append(dst, llm.Event{Kind: llm.Halt, Stop: a.Stop})
	s.ended = true
	return append(dst, llm.Event{Kind: llm.End})
}

// End closes what is open, if the upstream left without a terminal event.
func (s *streamDecoder) End(dst []llm.Event) []llm.Event {
	if s.ended || !s.begun {
		return dst
	}
	s.ended = true
	for _, i := range s.items {
		dst = s.close(dst, i)
	}
	return append(dst, llm.Event{Kind: llm.End})
}
