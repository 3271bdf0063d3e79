package gemini

import (
	"bytes"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
)

// NewEncoder returns an encoder for one stream of chunks, in the codec's
// framing (spec: upstreams §2.12, translation-traps D19). Each text is a chunk
// at once; a call is one when its arguments are complete. Why the answers
// stopped, what they rest on and the usage come in the last chunk, beside an
// empty text, as Google does it.
func (c *Codec) NewEncoder(echo *protocol.Echo) protocol.Encoder {
	return &streamEncoder{codec: c, echo: echo, thoughts: shows(echo)}
}

type streamEncoder struct {
	answerEncoder
	codec      *Codec
	echo       *protocol.Echo
	tail       []byte // what every chunk ends with
	chunks     int    // that were written
	usage      llm.Usage
	hasUsage   bool
	candidates []*candidateEncoder
	ended      bool
}

// A candidateEncoder is the state of one answer.
type candidateEncoder struct {
	shownAnswer
	open    []openPart // parts that are open
	carried *llm.Seal  // of a thought that another upstream sealed
	stop    llm.Stop
	stopped bool
	said    []visible // texts that may yet be cited
	size    int       // of them, in bytes
}

// An openPart is a part that is open: a call gathers its arguments.
type openPart struct {
	number int
	what   llm.Part
	grown  bool // some of its text went out
	call   llm.Call
	args   []byte
}

// Losses is what could not be said.
func (s *streamEncoder) Losses() []llm.Loss { return s.losses }

func (s *streamEncoder) at(i int) *candidateEncoder {
	for len(s.candidates) <= i {
		s.candidates = append(s.candidates, &candidateEncoder{})
	}
	return s.candidates[i]
}

func (c *candidateEncoder) part(number int) *openPart {
	for i := range c.open {
		if c.open[i].number == number {
			return &c.open[i]
		}
	}
	return nil
}

// Feed writes the chunks that e makes.
func (s *streamEncoder) Feed(dst []byte, e *llm.Event) []byte {
	if s.ended {
		return dst
	}
	switch e.Kind {
	case llm.Begin:
		s.begin(e.ID)
		return dst
	case llm.Tally:
		s.usage, s.hasUsage = e.Usage, true
		return dst
	case llm.End:
		return s.End(dst)
	case llm.Note:
		return dst
	}
	if s.tail == nil {
		s.begin("")
	}
	c := s.at(e.Answer)
	switch e.Kind {
	case llm.Open:
		dst = s.openPart(dst, e, c)
	case llm.Grow:
		dst = s.grow(dst, e, c)
	case llm.Sealed:
		dst = s.sealed(dst, e, c)
	case llm.Cited:
		s.cited(e, c)
	case llm.Whole:
		dst = s.whole(dst, e.Answer, c, e.Part, e.What)
	case llm.Close:
		dst = s.closePart(dst, e, c)
	case llm.Halt:
		c.stop, c.stopped = e.Stop, true
	case llm.Odds:
		if out, ok := appendLogprobs(nil, e.Logprobs); ok {
			dst = s.chunk(dst, e.Answer, func(dst []byte) []byte { return appendText(dst, llm.Plain(""), false, nil, llm.Extra{}) }, out)
		}
	case llm.Begin, llm.Tally, llm.End, llm.Note:
	}
	return dst
}

func (s *streamEncoder) begin(id string) {
	if s.tail == nil {
		s.tail = jsonw.String([]byte(`],`), "modelVersion", s.echo.Model)
		s.tail = append(jsonw.String(s.tail, "responseId", answerID(id, s.echo)), '}')
	}
}

// frame begins a chunk in the codec's framing.
func (s *streamEncoder) frame(dst []byte) []byte {
	s.chunks++
	switch {
	case !s.codec.array:
		return append(dst, "data: "...)
	case s.chunks == 1:
		return append(dst, '[')
	}
	return append(dst, ",\n"...)
}

func (s *streamEncoder) endFrame(dst []byte) []byte {
	if s.codec.array {
		return dst
	}
	return append(dst, "\n\n"...)
}

// text writes a chunk with one text, by far the most frequent one.
func (s *streamEncoder) text(dst []byte, answer int, t llm.Text, thought bool, seal *llm.Seal) []byte {
	dst = append(s.frame(dst), `{"candidates":[{"content":{"parts":[`...)
	dst = appendText(dst, t, thought, seal, llm.Extra{})
	dst = jsonw.Int(append(dst, `],"role":"model"}`...), "index", int64(answer))
	return s.endFrame(append(append(dst, '}'), s.tail...))
}

// chunk writes a chunk with the parts that write appends, unless it appends
// none.
func (s *streamEncoder) chunk(dst []byte, answer int, write func(dst []byte) []byte, logprobs []byte) []byte {
	from, chunks := len(dst), s.chunks
	dst = append(s.frame(dst), `{"candidates":[{"content":{"parts":[`...)
	empty := len(dst)
	if dst = write(dst); len(dst) == empty {
		s.chunks = chunks
		return dst[:from]
	}
	dst = jsonw.Int(append(dst, `],"role":"model"}`...), "index", int64(answer))
	if logprobs != nil {
		dst = jsonw.Raw(dst, "logprobsResult", logprobs)
	}
	return s.endFrame(append(append(s.oneLine(dst, empty), '}'), s.tail...))
}

// oneLine takes the line ends out of the JSON that stands in dst from a place
// on, where they would end the event: what is carried verbatim may have some
// between its members.
func (s *streamEncoder) oneLine(dst []byte, from int) []byte {
	if s.codec.array || bytes.IndexByte(dst[from:], '\n') < 0 && bytes.IndexByte(dst[from:], '\r') < 0 {
		return dst
	}
	quoted := false
	out := dst[:from]
	for i := from; i < len(dst); i++ {
		switch c := dst[i]; {
		case quoted && c == '\\':
			out = append(out, c)
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '\n' || c == '\r'):
			continue
		}
		out = append(out, dst[i])
	}
	return out
}

func (s *streamEncoder) openPart(dst []byte, e *llm.Event, c *candidateEncoder) []byte {
	p := openPart{number: e.Part, what: e.What}
	switch what := e.What.(type) {
	case *llm.Refusal:
		c.refused = true
	case *llm.Call:
		p.call = *what
		p.args = what.Args.Append(nil)
		p.call.Seal = own(what.Seal)
	case *llm.Thought:
		if what.Seal != nil {
			c.open = append(c.open, p)
			return s.seal(dst, e.Answer, c, what, what.Seal, false)
		}
	}
	c.open = append(c.open, p)
	return dst
}

// own is a copy of a seal that outlives the event.
func own(s *llm.Seal) *llm.Seal {
	if s == nil {
		return nil
	}
	out := *s
	out.Data = out.Data.Own()
	return &out
}

func (s *streamEncoder) grow(dst []byte, e *llm.Event, c *candidateEncoder) []byte {
	p := c.part(e.Part)
	if p == nil || e.Text.Empty() {
		return dst
	}
	switch p.what.(type) {
	case *llm.Call:
		p.args = e.Text.Append(p.args)
		return dst
	case *llm.Thought:
		if !s.thoughts {
			return dst
		}
		return s.text(dst, e.Answer, e.Text, true, nil)
	}
	p.grown = true
	c.see(e.Part, e.Text)
	seal := c.carried
	c.carried = nil
	return s.text(dst, e.Answer, e.Text, false, seal)
}

// see keeps a text, so that the places of its citations can be told in bytes.
func (c *candidateEncoder) see(part int, t llm.Text) {
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

// sealed takes the seal of a part. Where its text went out already, an empty
// one follows with the seal, as Google does it; else it goes out with the next
// text or call.
func (s *streamEncoder) sealed(dst []byte, e *llm.Event, c *candidateEncoder) []byte {
	p := c.part(e.Part)
	if p == nil {
		return dst
	}
	if call, ok := p.what.(*llm.Call); ok && call != nil {
		p.call.Seal = own(e.Seal)
		return dst
	}
	return s.seal(dst, e.Answer, c, p.what, e.Seal, p.grown)
}

func (s *streamEncoder) seal(dst []byte, answer int, c *candidateEncoder, what llm.Part, seal *llm.Seal, grown bool) []byte {
	_, thought := what.(*llm.Thought)
	if thought && seal.Protocol != protocol.Gemini || !thought && !grown {
		c.carried = own(seal)
		return dst
	}
	return s.text(dst, answer, llm.Plain(""), thought, seal)
}

// cited takes what a text rests on.
func (s *streamEncoder) cited(e *llm.Event, c *candidateEncoder) {
	for i := range c.said {
		if v := &c.said[i]; v.part == e.Part {
			cite := *e.Cite
			cite.Quote = llm.Text{}
			c.cite(v.text, &cite, v.start)
			return
		}
	}
	cite := *e.Cite
	cite.Quote = llm.Text{}
	c.source(&cite)
}

func (s *streamEncoder) whole(dst []byte, answer int, c *candidateEncoder, number int, p llm.Part) []byte {
	c.start = c.size
	switch p := p.(type) {
	case *llm.Prose:
		c.see(number, p.Text)
	case *llm.Refusal:
		c.see(number, p.Text)
	}
	return s.chunk(dst, answer, func(dst []byte) []byte { return s.part(dst, "answer", p, &c.shownAnswer, &c.carried) }, nil)
}

func (s *streamEncoder) closePart(dst []byte, e *llm.Event, c *candidateEncoder) []byte {
	for i := range c.open {
		if c.open[i].number != e.Part {
			continue
		}
		p := c.open[i]
		c.open = append(c.open[:i], c.open[i+1:]...)
		if _, ok := p.what.(*llm.Call); ok {
			p.call.Args = llm.PlainBytes(p.args)
			dst = s.whole(dst, e.Answer, c, e.Part, &p.call)
		}
		return dst
	}
	return dst
}

// End writes the last chunk. Calls that are still open are complete, since the
// answer is.
func (s *streamEncoder) End(dst []byte) []byte {
	if s.ended {
		return dst
	}
	if s.tail == nil {
		s.begin("")
	}
	s.at(0)
	for i, c := range s.candidates {
		for len(c.open) > 0 {
			dst = s.closePart(dst, &llm.Event{Answer: i, Part: c.open[0].number}, c)
		}
	}
	s.ended = true
	dst = append(s.frame(dst), `{"candidates":[`...)
	for i, c := range s.candidates {
		dst = append(jsonw.Comma(dst), `{"content":{"parts":[`...)
		dst = appendText(dst, llm.Plain(""), false, c.carried, llm.Extra{})
		dst = jsonw.String(append(dst, `],"role":"model"}`...), "finishReason", finish(c.shownAnswer.stop(c.stop)))
		dst = append(c.ground(jsonw.Int(dst, "index", int64(i))), '}')
	}
	dst = append(dst, ']')
	if s.hasUsage {
		dst = appendUsage(jsonw.Name(dst, "usageMetadata"), s.usage, llm.Extra{})
		if lost := lostUsage(&s.usage); lost != "" {
			s.lose("usage", lost)
		}
	}
	dst = s.endFrame(append(dst, bytes.TrimPrefix(s.tail, []byte{']'})...))
	if s.codec.array {
		dst = append(dst, "\n]"...)
	}
	return dst
}

// Fail tells that the answer broke off. In an array the error is the last
// element.
func (s *streamEncoder) Fail(dst []byte, f *fault.Fault, id string) []byte {
	if s.ended {
		return dst
	}
	s.ended = true
	if s.codec.array && s.chunks == 0 {
		return append(appendError(append(dst, '['), f, id), "\n]"...)
	}
	return s.codec.StreamError(dst, f, id)
}
