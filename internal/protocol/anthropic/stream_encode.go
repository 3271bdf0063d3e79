package anthropic

import (
	"bytes"
	"strconv"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
	"portico/internal/sse"
)

// NewEncoder returns an encoder for one stream (spec: upstreams §1C.7, §2.12).
//
// Blocks stand strictly one behind the other. A text or a thought gives way to
// what comes next and goes on in a new block; a call keeps its place until it
// is complete, and what comes meanwhile waits (spec: translation-traps A27,
// A28).
func (*Codec) NewEncoder(echo *protocol.Echo) protocol.Encoder {
	return &streamEncoder{echo: echo, current: none}
}

const (
	none     = -1
	maxParts = 1 << 14 // of one answer
	maxHeld  = 4 << 20 // bytes of all that waits
)

type streamEncoder struct {
	echo *protocol.Echo
	shaper
	id                          string
	begun, halted, summed, over bool

	parts   []part
	current int    // the part whose block is open, or none
	next    int64  // index of the next block
	queue   []int  // parts that wait, in order
	held    int    // bytes that they hold
	said    []byte // the text of the open block as it stands in JSON, for citations
	scratch []byte
	calls   bool

	input   int64 // tokens of the prompt, as they were estimated
	written int64 // bytes of the answer
	usage   llm.Usage
	counted bool      // the upstream told the usage
	sums    llm.Extra // … in its own words
	last    llm.Event // the halt
}

// A part is one part of the answer.
type part struct {
	what   llm.Part // nil: it never opened
	begun  bool     // a block of it was written
	waits  bool     // it is in the queue
	closed bool     // nothing of it will come
	call   scanner
	text   []byte // what it holds while it waits, as the inside of a JSON string
	block  []byte // … as a whole block
	seal   *llm.Seal
	cites  []llm.Citation
}

const afterHalt = "dropped: what came after the answer had stopped"

// Losses is what could not be said.
func (s *streamEncoder) Losses() []llm.Loss { return s.losses }

// once tells a loss that may happen with every event.
func (s *streamEncoder) once(at, why string) {
	for _, l := range s.losses {
		if l.Path == at && l.Why == why {
			return
		}
	}
	s.lose(at, why)
}

// Feed writes what e makes.
func (s *streamEncoder) Feed(dst []byte, e *llm.Event) []byte {
	switch {
	case s.over:
		return dst
	case e.Kind == llm.Begin:
		return s.begin(dst, e)
	case e.Kind == llm.End:
		return s.End(dst)
	case e.Answer > 0:
		s.once("answers", "dropped: the protocol has room for one answer")
		return dst
	case e.Part >= maxParts:
		s.once("content", "dropped: the answer has too many parts")
		return dst
	}
	if !s.begun {
		dst = s.begin(dst, &llm.Event{})
	}
	switch e.Kind {
	case llm.Tally:
		s.usage, s.counted, s.sums = e.Usage, true, kept(e.Extra)
		if s.halted {
			dst = s.sum(dst)
		}
	case llm.Halt:
		dst = s.halt(dst, e)
	case llm.Odds:
		s.once("logprobs", "dropped: the protocol does not tell them")
	case llm.Open, llm.Grow, llm.Sealed, llm.Cited, llm.Whole, llm.Close:
		if !s.halted {
			return s.part(dst, e)
		}
		if e.Kind != llm.Close {
			s.once("content", afterHalt)
		}
	case llm.Note:
		if e.Extra.Protocol == protocol.Anthropic && e.ID != "" && !s.summed {
			return sse.Append(dst, e.ID, object(e.Extra))
		}
	case llm.Begin, llm.End:
	}
	return dst
}

// kept is a copy of x that outlives the event.
func kept(x llm.Extra) llm.Extra {
	x.Members = bytes.Clone(x.Members)
	return x
}

// begin writes message_start. Clients read there how large the prompt was:
// what the upstream told, or an estimate, which message_delta corrects (spec:
// translation-traps A23).
func (s *streamEncoder) begin(dst []byte, e *llm.Event) []byte {
	if s.begun {
		return dst
	}
	s.begun = true
	s.id = messageID(e.ID, s.echo)
	usage := e.Usage
	if usage.Total() == 0 {
		s.input = estimate(s.echo.Request)
		usage.Input = s.input
	}
	dst = append(dst, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{"...)
	dst = jsonw.String(dst, "id", s.id)
	dst = jsonw.String(append(dst, `,"type":"message","role":"assistant"`...), "model", s.echo.Model)
	dst = append(dst, `,"content":[],"stop_reason":null,"stop_sequence":null`...)
	dst = appendUsage(dst, usage, &e.Extra)
	return append(others(dst, e.Extra), "}}\n\n"...)
}

// others appends members of x but for the usage and what stands in the delta.
func others(dst []byte, x llm.Extra) []byte {
	if x.Protocol != protocol.Anthropic {
		return dst
	}
	for m := range members(x) {
		switch name := string(m.Name); {
		case name == "usage" || name == "stop_reason" || name == "stop_details" || bytes.HasPrefix(m.Name, []byte(inDelta)):
		default:
			dst = jsonw.Raw(dst, name, m.Value)
		}
	}
	return dst
}

// part takes an event of one part.
func (s *streamEncoder) part(dst []byte, e *llm.Event) []byte {
	for len(s.parts) <= e.Part {
		s.parts = append(s.parts, part{})
	}
	p := &s.parts[e.Part]
	switch e.Kind {
	case llm.Open:
		return s.open(dst, e, p)
	case llm.Whole:
		return s.whole(dst, e, p)
	case llm.Grow:
		if e.Text.Empty() {
			return dst
		}
		dst = s.seat(dst, e.Part)
		return s.grow(dst, e, &s.parts[e.Part])
	case llm.Sealed:
		if _, ok := p.what.(*llm.Thought); !ok {
			return dst // only a thought has a seat for it
		}
		dst = s.seat(dst, e.Part)
		return s.seal(dst, e, &s.parts[e.Part])
	case llm.Cited:
		if _, ok := p.what.(*llm.Prose); !ok {
			s.once("citations", "dropped: only a text has citations")
			return dst
		}
		if !p.begun && e.Cite.Extra.Protocol == protocol.Anthropic { // which cites before it says
			dst = s.seat(dst, e.Part)
		}
		return s.cite(dst, e, &s.parts[e.Part])
	case llm.Close:
		p.closed = true
		if s.current == e.Part {
			dst = s.drain(s.stop(dst))
		}
	}
	return dst
}

// open takes the head of a part. A call is shown at once, the rest as soon as
// there is something to show, so that no block is empty.
func (s *streamEncoder) open(dst []byte, e *llm.Event, p *part) []byte {
	p.what = e.What
	var text llm.Text
	switch w := e.What.(type) {
	case *llm.Call:
		s.calls = s.calls || isCall(w)
		text = w.Args
		dst = s.seat(dst, e.Part)
	case *llm.Prose:
		text = w.Text
	case *llm.Thought:
		text = w.Text
	case *llm.Refusal:
		text = w.Text
	}
	if !text.Empty() {
		dst = s.part(dst, &llm.Event{Kind: llm.Grow, Part: e.Part, Text: text})
	}
	return dst
}

// seat makes part i the open block if it may be, else it waits.
func (s *streamEncoder) seat(dst []byte, i int) []byte {
	p := &s.parts[i]
	_, call := p.what.(*llm.Call)
	switch {
	case s.current == i || p.waits || p.what == nil:
		return dst
	case call && p.begun: // it was closed: a call has one block
		return dst
	case s.busy():
		p.waits = true
		s.queue = append(s.queue, i)
		return dst
	}
	return s.start(s.stop(dst), i)
}

// busy reports whether the open block must not be closed: it is a call whose
// arguments are not complete, or others wait for their turn already.
func (s *streamEncoder) busy() bool {
	if len(s.queue) > 0 {
		return true
	}
	if s.current == none {
		return false
	}
	_, call := s.parts[s.current].what.(*llm.Call)
	return call && !s.parts[s.current].call.complete
}

// start writes content_block_start for part i.
func (s *streamEncoder) start(dst []byte, i int) []byte {
	p := &s.parts[i]
	p.begun, s.current, s.said = true, i, s.said[:0]
	dst = s.head(dst)
	switch w := p.what.(type) {
	case *llm.Call:
		dst = append(appendCall(dst, callID(w.ID, s.id, i), w.Name), "{}"...)
		dst = append(w.Extra.AppendTo(dst, protocol.Anthropic), '}')
	case *llm.Thought:
		dst = append(dst, `{"type":"thinking","thinking":"","signature":""`...)
		dst = append(w.Extra.AppendTo(dst, protocol.Anthropic), '}')
	case *llm.Prose:
		dst = append(dst, `{"type":"text","text":""`...)
		dst = append(w.Extra.AppendTo(dst, protocol.Anthropic), '}')
	default:
		dst = append(dst, `{"type":"text","text":""}`...)
	}
	dst = append(dst, "}\n\n"...)
	if custom(p.what) {
		dst = append(append(s.delta(dst, inputDelta), `{\"input\":\"`...), endString...)
	}
	return dst
}

// custom reports whether p is a call of a tool that takes free text, which has
// to stand in an object here.
func custom(p llm.Part) bool {
	c, ok := p.(*llm.Call)
	return ok && c.Kind == llm.Custom
}

// head writes a content_block_start up to its block.
func (s *streamEncoder) head(dst []byte) []byte {
	dst = append(dst, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"...)
	dst = append(strconv.AppendInt(dst, s.next, 10), `,"content_block":`...)
	s.next++
	return dst
}

// delta writes a content_block_delta up to the inside of its delta's text.
func (s *streamEncoder) delta(dst []byte, inside string) []byte {
	dst = append(dst, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	dst = append(strconv.AppendInt(dst, s.next-1, 10), `,"delta":{"type":"`...)
	return append(dst, inside...)
}

const (
	textDelta      = `text_delta","text":"`
	thinkingDelta  = `thinking_delta","thinking":"`
	inputDelta     = `input_json_delta","partial_json":"`
	signatureDelta = `signature_delta","signature":"`
	citationsDelta = `citations_delta","citation":`
	endString      = "\"}}\n\n"
)

// stop closes the open block.
func (s *streamEncoder) stop(dst []byte) []byte {
	if s.current == none {
		return dst
	}
	if custom(s.parts[s.current].what) {
		dst = append(append(s.delta(dst, inputDelta), `\"}`...), endString...)
	}
	s.current = none
	dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	return append(strconv.AppendInt(dst, s.next-1, 10), "}\n\n"...)
}

// grow writes a piece of a part, or keeps it while the part waits.
func (s *streamEncoder) grow(dst []byte, e *llm.Event, p *part) []byte {
	if p.waits {
		n := len(p.text)
		p.text = e.Text.AppendInner(p.text)
		s.written += int64(len(p.text) - n)
		return s.hold(dst, len(p.text)-n)
	}
	if s.current != e.Part {
		s.once("content", "dropped: what came of a call after it was closed")
		return dst
	}
	inside := textDelta
	switch p.what.(type) {
	case *llm.Call:
		inside = inputDelta
	case *llm.Thought:
		inside = thinkingDelta
	}
	dst = s.delta(dst, inside)
	from := len(dst)
	if custom(p.what) {
		s.scratch = e.Text.AppendInner(s.scratch[:0])
		dst = llm.PlainBytes(s.scratch).AppendInner(dst)
	} else {
		dst = e.Text.AppendInner(dst)
	}
	s.written += int64(len(dst) - from)
	switch w := p.what.(type) {
	case *llm.Call:
		if w.Kind != llm.Custom {
			s.scratch = e.Text.Append(s.scratch[:0])
			p.call.scan(s.scratch)
		}
	case *llm.Refusal:
		s.said = append(s.said, dst[from:]...)
		s.refused = llm.Wire(quoted(s.said))
	case *llm.Prose:
		s.said = append(s.said, dst[from:]...)
	}
	dst = append(dst, endString...)
	if len(s.queue) > 0 && p.call.complete {
		dst = s.drain(s.stop(dst))
	}
	return dst
}

func quoted(inner []byte) []byte { return append(append([]byte{'"'}, inner...), '"') }

// hold notes how much waits. What waits too long for a call that never ends
// gets its turn.
func (s *streamEncoder) hold(dst []byte, n int) []byte {
	if s.held += n; s.held <= maxHeld {
		return dst
	}
	s.once("content", "approximated: a call was closed before it ended, since too much waited for it")
	return s.drain(s.stop(dst))
}

// drain writes what waits, up to a part that is still under way.
func (s *streamEncoder) drain(dst []byte) []byte {
	for len(s.queue) > 0 && s.current == none {
		i := s.queue[0]
		s.queue = s.queue[1:]
		dst = s.release(dst, i)
	}
	return dst
}

// release writes a part that has waited.
func (s *streamEncoder) release(dst []byte, i int) []byte {
	p := &s.parts[i]
	held := *p
	p.waits, p.text, p.block, p.seal, p.cites = false, nil, nil, nil, nil
	s.held -= len(held.text) + len(held.block)
	if held.block != nil {
		return s.emit(dst, held.block)
	}
	written := s.written
	dst = s.start(dst, i)
	if len(held.text) > 0 {
		dst = s.grow(dst, &llm.Event{Part: i, Text: llm.Wire(quoted(held.text))}, p)
	}
	s.written = written
	for j := range held.cites {
		dst = s.cite(dst, &llm.Event{Part: i, Cite: &held.cites[j]}, p)
	}
	if held.seal != nil {
		dst = s.seal(dst, &llm.Event{Part: i, Seal: held.seal}, p)
	}
	if _, call := p.what.(*llm.Call); s.current == i && (p.closed || len(s.queue) > 0 && (!call || p.call.complete)) {
		dst = s.stop(dst)
	}
	return dst
}

func (s *streamEncoder) seal(dst []byte, e *llm.Event, p *part) []byte {
	switch {
	case p.waits:
		own := *e.Seal
		own.Data = own.Data.Own()
		p.seal = &own
	case s.current == e.Part:
		dst = append(e.Seal.Data.AppendInner(s.delta(dst, signatureDelta)), endString...)
	}
	return dst
}

func (s *streamEncoder) cite(dst []byte, e *llm.Event, p *part) []byte {
	switch {
	case p.waits:
		own := *e.Cite
		own.Quote, own.Extra = own.Quote.Own(), kept(own.Extra)
		p.cites = append(p.cites, own)
	case s.current == e.Part:
		dst = s.delta(dst, citationsDelta)
		dst = appendCitation(dst, e.Cite, span(llm.Wire(quoted(s.said)), e.Cite))
		dst = append(dst, "}}\n\n"...)
	default:
		s.once("citations", wire.LateCitation)
	}
	return dst
}
