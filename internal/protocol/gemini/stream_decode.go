package gemini

import (
	"bytes"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// NewDecoder returns a decoder for one stream of chunks (spec: upstreams
// §1D.5), in either framing. Each chunk holds new parts of each candidate.
//
// Why a candidate stopped is told at the end: some go on after their finish
// reason, old models name one with every chunk, and what the answer rests on
// comes last. A call beside a finish reason waits for the next chunk, or the
// end: Google says STOP, too, before it makes a call by itself and goes on.
func (*Codec) NewDecoder() protocol.Decoder { return &streamDecoder{} }

// maxVisible bounds how much of an answer's text is kept to find the places of
// its citations, in bytes. What lies beyond is cited without a place.
const maxVisible = 1 << 20

type streamDecoder struct {
	begun, ended, blocked bool
	salt                  string
	head                  head
	candidates            []*candidateStream
}

// A candidateStream is the state of one answer.
type candidateStream struct {
	candidateDecoder
	answer int
	count  int         // parts that were opened
	open   openKind    // the text that is open
	sealed bool        // … and has its signature
	calls  bool        // there was a call
	held   []*llm.Call // whole calls that Google may have made by itself
	said   []visible
	size   int // of the texts in said
}

type openKind uint8

const (
	openNone openKind = iota
	openText
	openThought
)

// Feed reads one chunk, or an array of them.
func (s *streamDecoder) Feed(dst []llm.Event, _, data []byte) ([]llm.Event, error) {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return dst, nil
	case string(data) == "[DONE]": // gateways add it
		return s.End(dst), nil
	case data[0] != '[':
		return s.chunk(dst, data)
	}
	for e, err := range jsonedit.Elements(data) {
		if err != nil {
			return dst, fault.New(fault.Broken, "a chunk of the upstream's answer: %s", err)
		}
		if dst, err = s.chunk(dst, e); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (s *streamDecoder) chunk(dst []llm.Event, data []byte) ([]llm.Event, error) {
	if s.ended {
		return dst, nil
	}
	s.head = head{other: s.head.other[:0]}
	h := &s.head
	if err := h.read(data); err != nil {
		return dst, fault.New(fault.Broken, "a chunk of the upstream's answer: %s", err)
	}
	if s.salt == "" {
		s.salt = wire.Text(h.id)
	}
	if !s.begun {
		s.begun = true
		dst = append(dst, llm.Event{Kind: llm.Begin, ID: s.salt, Model: wire.Text(h.model)})
	}
	s.blocked = s.blocked || refused(h.feedback)
	if len(h.candidates) > 0 && h.candidates[0] == '[' {
		for c, err := range jsonedit.Elements(h.candidates) {
			if err != nil {
				return dst, fault.New(fault.Broken, "a chunk of the upstream's answer: %s", err)
			}
			if len(c) > 0 && c[0] == '{' {
				dst = s.candidate(dst, c)
			}
		}
	}
	if u, ok := usage(h.usage); ok {
		dst = append(dst, llm.Event{Kind: llm.Tally, Usage: u})
	}
	return dst, nil
}

func (s *streamDecoder) candidate(dst []llm.Event, v []byte) []llm.Event {
	index, content, told, finish := members(v)
	for len(s.candidates) <= index {
		i := len(s.candidates)
		s.candidates = append(s.candidates, &candidateStream{candidateDecoder: *newCandidate(i), answer: i})
	}
	c := s.candidates[index]
	c.d.salt = s.salt
	if list := parts(content); len(list) > 0 && list[0] == '[' {
		for p, err := range jsonedit.Elements(list) {
			if err != nil {
				break // it was skipped as sound
			}
			if len(p) > 0 && p[0] == '{' {
				dst = c.take(dst, p)
			}
		}
	}
	if finish == nil {
		dst = c.release(dst)
	}
	for _, p := range c.held {
		p.Args, p.Seal, p.Extra.Members = p.Args.Own(), own(p.Seal), bytes.Clone(p.Extra.Members)
	}
	for i := range told {
		if string(told[i].Name) == "logprobsResult" {
			if odds := openaiLogprobs(told[i].Value); odds != nil {
				dst = append(dst, llm.Event{Kind: llm.Odds, Answer: c.answer, Logprobs: odds})
			}
		}
		told[i].Name, told[i].Value = bytes.Clone(told[i].Name), bytes.Clone(told[i].Value)
	}
	c.tell(told, bytes.Clone(finish))
	return dst
}

// take reads a part. Text, by far the most, is told without a copy.
func (c *candidateStream) take(dst []llm.Event, v []byte) []llm.Event {
	var text, signature []byte
	kind, other := openText, false
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "text":
			text = m.Value
		case "thought":
			if string(m.Value) == "true" {
				kind = openThought
			}
		case "thoughtSignature":
			signature = m.Value
		default:
			other = true
		}
	}
	if other || len(text) < 2 || text[0] != '"' {
		return c.piece(dst, v)
	}
	signed := len(signature) > 2 && signature[0] == '"'
	if len(text) == 2 && (!signed || c.open != kind || c.sealed) { // nothing, or a signature of its own
		return c.piece(dst, v)
	}
	if len(text) > 2 {
		dst = c.release(dst)
		if c.partial != nil {
			dst = c.whole(c.close(dst), c.settle())
		}
		dst = c.grow(dst, kind, llm.Wire(text))
	}
	if signed {
		c.sealed = true
		dst = append(dst, llm.Event{Kind: llm.Sealed, Answer: c.answer, Part: c.count - 1, Seal: &llm.Seal{Protocol: protocol.Gemini, Data: llm.Wire(signature)}})
	}
	return dst
}

// piece reads a part that comes in one piece.
func (c *candidateStream) piece(dst []llm.Event, v []byte) []llm.Event {
	before, p := c.part(v)
	if before != nil {
		dst = c.whole(c.close(dst), before)
	}
	switch p := p.(type) {
	case nil:
		return dst
	case *llm.Call:
		c.held = append(c.held, p) // what comes behind it tells who makes it
		return dst
	case *llm.ServerResult:
		for i, call := range c.held {
			if call.ID == p.CallID {
				dst = c.whole(c.close(dst), serverCall(call))
				c.held = append(c.held[:i], c.held[i+1:]...)
				break
			}
		}
	}
	return c.whole(c.close(c.release(dst)), p)
}

// release tells the calls that were held: somebody else makes them.
func (c *candidateStream) release(dst []llm.Event) []llm.Event {
	for _, p := range c.held {
		dst = c.whole(c.close(dst), p)
	}
	c.held = nil
	return dst
}

func (c *candidateStream) whole(dst []llm.Event, p llm.Part) []llm.Event {
	switch p := p.(type) {
	case *llm.Call:
		c.calls = true
	case *llm.Prose:
		c.see(c.count, p.Text)
	}
	c.count++
	return append(dst, llm.Event{Kind: llm.Whole, Answer: c.answer, Part: c.count - 1, What: p})
}

func (c *candidateStream) grow(dst []llm.Event, kind openKind, t llm.Text) []llm.Event {
	if c.open != kind || c.sealed {
		dst = c.close(dst)
		var what llm.Part = &llm.Prose{}
		if kind == openThought {
			what = &llm.Thought{Summary: true}
		}
		c.open = kind
		c.count++
		dst = append(dst, llm.Event{Kind: llm.Open, Answer: c.answer, Part: c.count - 1, What: what})
	}
	if kind == openText {
		c.see(c.count-1, t)
	}
	return append(dst, llm.Event{Kind: llm.Grow, Answer: c.answer, Part: c.count - 1, Text: t})
}

func (c *candidateStream) close(dst []llm.Event) []llm.Event {
	if c.open == openNone {
		return dst
	}
	c.open, c.sealed = openNone, false
	return append(dst, llm.Event{Kind: llm.Close, Answer: c.answer, Part: c.count - 1})
}

// see keeps a text that its reader sees.
func (c *candidateStream) see(part int, t llm.Text) {
	if c.size+t.Len() > maxVisible {
		return
	}
	n := len(c.said)
	if n == 0 || c.said[n-1].part != part {
		c.said = append(c.said, visible{part: part, start: c.size})
		n++
	}
	v := &c.said[n-1]
	before := len(v.text)
	v.text = t.Append(v.text)
	c.size += len(v.text) - before
}

// End tells what the answers rest on and why they stopped, if they did.
func (s *streamDecoder) End(dst []llm.Event) []llm.Event {
	if s.ended || !s.begun {
		return dst
	}
	s.ended = true
	done := len(s.candidates) > 0
	for _, c := range s.candidates {
		dst = c.end(dst)
		done = done && c.finish != nil
	}
	if len(s.candidates) == 0 && s.blocked {
		dst = append(dst, llm.Event{Kind: llm.Halt, Stop: llm.StopFilter})
		done = true
	}
	if done {
		dst = append(dst, llm.Event{Kind: llm.End})
	}
	return dst
}

func (c *candidateStream) end(dst []llm.Event) []llm.Event {
	dst = c.release(dst)
	if p := c.settle(); p != nil {
		dst = c.whole(c.close(dst), p)
	}
	var g grounds
	if c.grounded() {
		g = c.ground(c.said)
	}
	for i := range g.cites {
		x := &g.cites[i]
		dst = append(dst, llm.Event{Kind: llm.Cited, Answer: c.answer, Part: x.part, Cite: &x.cite})
	}
	dst = c.close(dst)
	for _, p := range g.parts {
		dst = c.whole(dst, p)
	}
	if c.finish != nil {
		dst = append(dst, llm.Event{Kind: llm.Halt, Answer: c.answer, Stop: stopOf(c.finish, c.calls)})
	}
	return dst
}
