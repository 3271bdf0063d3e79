package openaichat

import (
	"bytes"
	"encoding/json/jsontext"
	"slices"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// NewDecoder returns a decoder for one stream of chunks (spec: upstreams
// §1A.3).
func (*Codec) NewDecoder() protocol.Decoder { return &streamDecoder{} }

type streamDecoder struct {
	begun, ended bool
	choices      []*choiceDecoder
	mould        wire.Mould // of a chunk that gave a text and changed nothing
	grown        llm.Event  // what it gave
	text, pad    []byte     // of the chunk that is read: its last text, and OpenAI's padding
}

// A choiceDecoder is the state of one answer.
type choiceDecoder struct {
	stream   *streamDecoder
	answer   int
	parts    int      // how many were opened
	open     openKind // the text that is open
	part     int      // … and its number
	calls    []callDecoder
	declined bool // the model refused in words
	halted   bool
	heard    []byte // the sound so far
}

type openKind uint8

const (
	openNone openKind = iota
	openText
	openThought
	openRefusal
)

// A callDecoder is one call under way. It opens once its name is known, since
// no protocol has room for a call without one (spec: translation-traps A26).
type callDecoder struct {
	index  int64 // the upstream's, -1 if it tells none
	id     string
	custom bool
	name   string
	part   int
	opened bool
	held   []byte // arguments that came before the name
}

// Feed reads one chunk. What follows the end is not read any more: the client
// has its answer (spec: translation-traps E19).
func (s *streamDecoder) Feed(dst []llm.Event, _, data []byte) ([]llm.Event, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || s.ended {
		return dst, nil
	}
	if text, ok := s.mould.Text(nil, data); ok {
		s.grown.Text = llm.Wire(text)
		return append(dst, s.grown), nil
	}
	s.mould.Forget()
	s.text, s.pad = nil, nil
	n := len(dst)
	dst, err := s.read(dst, data)
	if err == nil && len(dst) == n+1 && dst[n].Kind == llm.Grow {
		s.grown = dst[n]
		s.mould.Learn(nil, data, s.text, s.pad)
	}
	return dst, err
}

// read reads one chunk, without white space around it.
func (s *streamDecoder) read(dst []llm.Event, data []byte) ([]llm.Event, error) {
	if string(data) == "[DONE]" {
		return s.End(dst), nil
	}
	var id, model, choices, usage []byte
	for m, err := range jsonedit.Members(data) {
		if err != nil {
			return dst, fault.New(fault.Broken, "a chunk of the upstream's answer: %s", err)
		}
		switch string(m.Name) {
		case "id":
			id = m.Value
		case "model":
			model = m.Value
		case "choices":
			choices = m.Value
		case "usage":
			usage = m.Value
		case "x_groq":
			if u := jsonedit.Get(m.Value, "usage"); u != nil {
				usage = u
			}
		case "obfuscation":
			s.pad = m.Value
		}
	}
	if !s.begun {
		s.begun = true
		dst = append(dst, llm.Event{Kind: llm.Begin, ID: wire.Text(id), Model: wire.Text(model)})
	}
	if len(choices) > 0 && choices[0] == '[' {
		for c, err := range jsonedit.Elements(choices) {
			if err != nil {
				return dst, fault.New(fault.Broken, "a chunk of the upstream's answer: %s", err)
			}
			if len(c) > 0 && c[0] == '{' {
				dst = s.choice(dst, c)
			}
		}
	}
	if !wire.Null(usage) {
		if u, ok := openaiwire.Usage(usage); ok {
			dst = append(dst, llm.Event{Kind: llm.Tally, Usage: u})
		}
	}
	return dst, nil
}

// End closes what is open and says that the stream is whole if an answer
// stopped.
func (s *streamDecoder) End(dst []llm.Event) []llm.Event {
	if s.ended || !s.begun {
		return dst
	}
	s.ended = true
	for _, c := range s.choices {
		dst = c.tellSound(dst)
		dst = c.close(dst)
		dst = c.closeCalls(dst)
	}
	return append(dst, llm.Event{Kind: llm.End})
}

func (s *streamDecoder) at(index int64) *choiceDecoder {
	i := int(min(max(index, 0), maxChoices-1))
	for len(s.choices) <= i {
		s.choices = append(s.choices, &choiceDecoder{stream: s, answer: len(s.choices)})
	}
	return s.choices[i]
}

func (s *streamDecoder) choice(dst []llm.Event, v []byte) []llm.Event {
	var index int64
	var delta, finish, logprobs, sequence []byte
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "index":
			index, _ = jsonedit.Int(m.Value)
		case "delta":
			delta = m.Value
		case "message":
			if delta == nil {
				delta = m.Value
			}
		case "finish_reason":
			finish = m.Value
		case "stop_reason":
			sequence = m.Value
		case "logprobs":
			logprobs = m.Value
		}
	}
	c := s.at(index)
	if len(delta) > 0 && delta[0] == '{' {
		dst = c.delta(dst, delta)
	}
	if !wire.Empty(logprobs) {
		dst = append(dst, llm.Event{Kind: llm.Odds, Answer: c.answer, Logprobs: jsontext.Value(logprobs)})
	}
	if wire.Empty(finish) || c.halted {
		return dst
	}
	c.halted = true
	named := slices.ContainsFunc(c.calls, func(call callDecoder) bool { return call.opened })
	dst = c.tellSound(dst)
	dst = c.close(dst)
	dst = c.closeCalls(dst)
	e := llm.Event{Kind: llm.Halt, Answer: c.answer, Stop: stopOf(reason(finish))}
	switch {
	case len(c.calls) == 0 || e.Stop != llm.StopEnd && e.Stop != llm.StopCall:
	case named:
		e.Stop = llm.StopCall
	default: // a client that is told of calls would look for them
		e.Stop = llm.StopMalformed
	}
	if c.declined && e.Stop == llm.StopEnd {
		e.Stop = llm.StopRefusal
	}
	if len(sequence) > 0 && sequence[0] == '"' {
		e.Sequence = llm.Wire(sequence)
		if e.Stop == llm.StopEnd {
			e.Stop = llm.StopSequence
		}
	}
	return append(dst, e)
}

func (c *choiceDecoder) delta(dst []llm.Event, v []byte) []llm.Event {
	var reasoning, details []byte
	for m := range wire.Object(v) {
		if wire.Empty(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "content":
			dst = c.content(dst, m.Value)
		case "refusal":
			dst, c.declined = c.grow(dst, openRefusal, m.Value), true
		case "reasoning_content", "reasoning":
			if reasoning == nil && m.Value[0] == '"' { // some send it under both names
				reasoning = m.Value
				dst = c.grow(dst, openThought, m.Value)
			}
		case "reasoning_details":
			details = m.Value
		case "tool_calls":
			for e, err := range jsonedit.Elements(m.Value) {
				if err != nil {
					break
				}
				dst = c.call(dst, e)
			}
		case "audio":
			dst = c.sound(dst, m.Value)
		case "function_call":
			dst = c.legacy(dst, m.Value)
		case "annotations":
			for e, err := range jsonedit.Elements(m.Value) {
				if err != nil {
					break
				}
				if cite, ok := citation(e); ok && c.parts > 0 {
					dst = append(dst, llm.Event{Kind: llm.Cited, Answer: c.answer, Part: c.part, Cite: &cite})
				}
			}
		case "images":
			for e, err := range jsonedit.Elements(m.Value) {
				if err != nil {
					break
				}
				b := &llm.Blob{Kind: llm.Image}
				imageURL(b, jsonedit.Get(e, "image_url"))
				dst = append(c.close(dst), llm.Event{Kind: llm.Whole, Answer: c.answer, Part: c.parts, What: b})
				c.parts++
			}
		}
	}
	if details != nil {
		dst = c.details(dst, details, reasoning != nil)
	}
	return dst
}

// content takes text, or Mistral's array of text and thinking.
func (c *choiceDecoder) content(dst []llm.Event, v []byte) []llm.Event {
	if v[0] != '[' {
		return c.grow(dst, openText, v)
	}
	for e, err := range jsonedit.Elements(v) {
		if err != nil {
			break
		}
		if t := jsonedit.Get(e, "thinking"); t != nil {
			if x := joined(t); !x.Empty() {
				dst = c.add(dst, openThought, x)
			}
			continue
		}
		dst = c.grow(dst, openText, jsonedit.Get(e, "text"))
	}
	return dst
}

func (c *choiceDecoder) grow(dst []llm.Event, kind openKind, v []byte) []llm.Event {
	if len(v) < 3 || v[0] != '"' {
		return dst
	}
	c.stream.text = v
	return c.add(dst, kind, llm.Wire(v))
}

func (c *choiceDecoder) add(dst []llm.Event, kind openKind, t llm.Text) []llm.Event {
	if c.open != kind {
		dst = c.close(dst)
		dst = c.begin(dst, kind)
	}
	return append(dst, llm.Event{Kind: llm.Grow, Answer: c.answer, Part: c.part, Text: t})
}

func (c *choiceDecoder) begin(dst []llm.Event, kind openKind) []llm.Event {
	var what llm.Part
	switch kind {
	case openThought:
		what = &llm.Thought{}
	case openRefusal:
		what = &llm.Refusal{}
	default:
		what = &llm.Prose{}
	}
	c.open, c.part = kind, c.parts
	c.parts++
	return append(dst, llm.Event{Kind: llm.Open, Answer: c.answer, Part: c.part, What: what})
}

func (c *choiceDecoder) close(dst []llm.Event) []llm.Event {
	if c.open == openNone {
		return dst
	}
	c.open = openNone
	return append(dst, llm.Event{Kind: llm.Close, Answer: c.answer, Part: c.part})
}

// details takes a delta of reasoning_details. Its text repeats what stands in
// reasoning, if that was told; its seal stands nowhere else.
func (c *choiceDecoder) details(dst []llm.Event, v []byte, told bool) []llm.Event {
	for e, err := range jsonedit.Elements(v) {
		if err != nil {
			break
		}
		kind := wire.Text(jsonedit.Get(e, "type"))
		for _, name := range []string{"text", "summary"} {
			if t := jsonedit.Get(e, name); !told && len(t) > 2 && t[0] == '"' {
				dst = c.grow(dst, openThought, t)
			}
		}
		s := &llm.Seal{Protocol: protocol.OpenAIChat, ID: wire.Text(jsonedit.Get(e, "id"))}
		switch kind {
		case "reasoning.encrypted":
			s.Kind, s.Data = llm.Encrypted, openaiwire.String(jsonedit.Get(e, "data"))
		default:
			s.Data = openaiwire.String(jsonedit.Get(e, "signature"))
		}
		if s.Data.Empty() {
			continue
		}
		if c.open != openThought {
			dst = c.close(dst)
			dst = c.begin(dst, openThought)
		}
		dst = append(dst, llm.Event{Kind: llm.Sealed, Answer: c.answer, Part: c.part, Seal: s})
	}
	return dst
}

// call takes one entry of a delta's tool_calls.
func (c *choiceDecoder) call(dst []llm.Event, v []byte) []llm.Event {
	index := int64(-1)
	var id string
	var args, name, seal []byte
	custom := false
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "index":
			if n, ok := jsonedit.Int(m.Value); ok {
				index = n
			}
		case "id":
			id = wire.Text(m.Value)
		case "function":
			if n, a := jsonedit.Get(m.Value, "name"), jsonedit.Get(m.Value, "arguments"); !custom || !wire.Empty(n) || !wire.Empty(a) {
				name, args, custom = n, a, false
			}
		case "custom": // some fill in both, and one of them says nothing
			if n, in := jsonedit.Get(m.Value, "name"), jsonedit.Get(m.Value, "input"); wire.Empty(name) && wire.Empty(args) || !wire.Empty(n) || !wire.Empty(in) {
				name, args, custom = n, in, !wire.Empty(n) || !wire.Empty(in)
			}
		case "extra_content":
			seal = jsonedit.Path(m.Value, "google", "thought_signature")
		}
	}
	call := c.find(index, id)
	if call == nil {
		c.calls = append(c.calls, callDecoder{index: index, id: id, custom: custom})
		call = &c.calls[len(c.calls)-1]
	}
	if call.id == "" {
		call.id = id
	}
	call.custom = call.custom || custom
	if call.name == "" {
		call.name = wire.Text(name)
	}
	if !call.opened && call.name != "" {
		dst = c.close(dst)
		dst = c.openCall(dst, call)
	}
	t := arguments(args)
	switch {
	case t.Empty():
	case call.opened:
		dst = append(dst, llm.Event{Kind: llm.Grow, Answer: c.answer, Part: call.part, Text: t})
	case len(call.held) < maxHeldArguments:
		call.held = t.Append(call.held)
	}
	if call.opened && len(seal) > 2 && seal[0] == '"' {
		dst = append(dst, llm.Event{Kind: llm.Sealed, Answer: c.answer, Part: call.part, Seal: &llm.Seal{Protocol: protocol.OpenAIChat, Data: llm.Wire(seal)}})
	}
	return dst
}

// maxHeldArguments bounds what is kept of a call whose name has not come.
const maxHeldArguments = 1 << 20

// find is the call that a delta goes on with: that of its index, unless it
// brings another id; without an index that of its id, or the last one.
func (c *choiceDecoder) find(index int64, id string) *callDecoder {
	for i := len(c.calls) - 1; i >= 0; i-- {
		call := &c.calls[i]
		switch {
		case index >= 0 && call.index == index:
			if id != "" && call.id != "" && id != call.id {
				return nil
			}
			return call
		case index < 0 && (id == "" || call.id == id):
			return call
		}
	}
	return nil
}

func (c *choiceDecoder) openCall(dst []llm.Event, call *callDecoder) []llm.Event {
	call.opened, call.part = true, c.parts
	c.parts++
	what := &llm.Call{ID: call.id, Name: call.name}
	if call.custom {
		what.Kind = llm.Custom
	}
	dst = append(dst, llm.Event{Kind: llm.Open, Answer: c.answer, Part: call.part, What: what})
	if len(call.held) > 0 {
		dst = append(dst, llm.Event{Kind: llm.Grow, Answer: c.answer, Part: call.part, Text: llm.PlainBytes(call.held)})
		call.held = nil
	}
	return dst
}

// closeCalls ends the calls. One whose name never came is no call.
func (c *choiceDecoder) closeCalls(dst []llm.Event) []llm.Event {
	for i := range c.calls {
		if call := &c.calls[i]; call.opened {
			call.opened = false
			dst = append(dst, llm.Event{Kind: llm.Close, Answer: c.answer, Part: call.part})
		}
	}
	return dst
}

// legacy takes a delta of the deprecated function_call.
func (c *choiceDecoder) legacy(dst []llm.Event, v []byte) []llm.Event {
	name := wire.Text(jsonedit.Get(v, "name"))
	if name != "" && c.find(0, "") == nil {
		c.calls = append(c.calls, callDecoder{id: "call_" + name, name: name})
		dst = c.openCall(c.close(dst), &c.calls[len(c.calls)-1])
	}
	if call := c.find(0, ""); call != nil {
		if t := arguments(jsonedit.Get(v, "arguments")); !t.Empty() {
			dst = append(dst, llm.Event{Kind: llm.Grow, Answer: c.answer, Part: call.part, Text: t})
		}
	}
	return dst
}
