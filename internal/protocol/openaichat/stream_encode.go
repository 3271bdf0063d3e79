package openaichat

import (
	"bytes"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
)

// NewEncoder returns an encoder for one stream of chunks.
func (*Codec) NewEncoder(echo *protocol.Echo) protocol.Encoder { return &streamEncoder{echo: echo} }

type streamEncoder struct {
	echo    *protocol.Echo
	head    []byte // what every chunk begins with
	choices []*choiceEncoder
	usage   llm.Usage
	ended   bool
	losses  []llm.Loss
}

// A choiceEncoder is the state of one choice.
type choiceEncoder struct {
	begun, halted bool
	declined      bool          // the model refused in words
	calls         int           // tool calls that were opened
	parts         []partEncoder // by the number of the part
	runes         int           // characters of text that went out, for citations
	logprobs      []byte        // of the text that goes out next
}

type partEncoder struct {
	what  llm.Part
	call  int // its index among the calls
	start int // where its text begins, in characters
}

// Losses is what could not be said.
func (s *streamEncoder) Losses() []llm.Loss { return s.losses }

func (s *streamEncoder) lose(at, why string) {
	s.losses = append(s.losses, llm.Loss{Path: at, Why: why})
}

func (s *streamEncoder) at(i int) *choiceEncoder {
	for len(s.choices) <= i {
		s.choices = append(s.choices, &choiceEncoder{})
	}
	return s.choices[i]
}

func (c *choiceEncoder) part(i int) *partEncoder {
	for len(c.parts) <= i {
		c.parts = append(c.parts, partEncoder{})
	}
	return &c.parts[i]
}

// Feed writes the chunks that e makes.
func (s *streamEncoder) Feed(dst []byte, e *llm.Event) []byte {
	switch e.Kind {
	case llm.Begin:
		s.begin(e.ID)
		return dst
	case llm.Tally:
		s.usage = e.Usage
		return dst
	case llm.End:
		return s.End(dst)
	}
	if s.head == nil {
		s.begin("")
	}
	c := s.at(e.Answer)
	switch e.Kind {
	case llm.Open:
		p := c.part(e.Part)
		p.what, p.start = e.What, c.runes
		if r, ok := e.What.(*llm.Refusal); ok {
			c.declined = c.declined || declines(r)
		}
		if call, ok := e.What.(*llm.Call); ok {
			p.call = c.calls
			c.calls++
			dst = s.openCall(dst, e.Answer, c, p.call, call)
		}
	case llm.Grow:
		dst = s.grow(dst, e, c)
	case llm.Sealed:
		dst = s.sealed(dst, e, c)
	case llm.Cited:
		dst = s.cited(dst, e, c)
	case llm.Whole:
		dst = s.whole(dst, e, c)
	case llm.Odds:
		// It is about text that went out already, so it goes with an empty delta.
		c.logprobs = e.Logprobs
		dst = s.close(s.delta(dst, e.Answer, c), c)
	case llm.Halt:
		if !c.halted {
			c.halted = true
			dst = bytes.TrimSuffix(s.delta(dst, e.Answer, c), []byte{','}) // behind the role
			dst = append(dst, `},"logprobs":null,"finish_reason":"`...)
			dst = append(append(dst, finish(stopOfRefusal(e.Stop, c.declined), c.calls > 0)...), "\"}]}\n\n"...)
		}
	case llm.Close, llm.Note, llm.Begin, llm.Tally, llm.End:
	}
	return dst
}

func (s *streamEncoder) begin(id string) {
	if s.head != nil {
		return
	}
	h := append([]byte(nil), `data: {`...)
	h = jsonw.String(h, "id", answerID(id, s.echo))
	h = jsonw.String(h, "object", "chat.completion.chunk")
	h = jsonw.Int(h, "created", s.echo.Created)
	s.head = append(jsonw.String(h, "model", s.echo.Model), `,"choices":[`...)
}

// delta opens a chunk up to the inside of its delta. The first of a choice
// says who speaks.
func (s *streamEncoder) delta(dst []byte, answer int, c *choiceEncoder) []byte {
	dst = append(dst, s.head...)
	dst = append(jsonw.Int(append(dst, '{'), "index", int64(answer)), `,"delta":{`...)
	if !c.begun {
		c.begun = true
		dst = append(dst, `"role":"assistant",`...)
	}
	return dst
}

// close ends the chunk that delta opened; the log probabilities of c, if it is
// given, go with it.
func (s *streamEncoder) close(dst []byte, c *choiceEncoder) []byte {
	if n := len(dst); dst[n-1] == ',' {
		dst = dst[:n-1]
	}
	dst = append(dst, `},"logprobs":`...)
	if c != nil && c.logprobs != nil {
		dst = append(dst, c.logprobs...)
		c.logprobs = nil
	} else {
		dst = append(dst, "null"...)
	}
	return append(dst, ",\"finish_reason\":null}]}\n\n"...)
}

func (s *streamEncoder) openCall(dst []byte, answer int, c *choiceEncoder, index int, call *llm.Call) []byte {
	dst = append(s.delta(dst, answer, c), `"tool_calls":[{`...)
	dst = jsonw.Int(dst, "index", int64(index))
	dst = jsonw.String(dst, "id", call.ID)
	if call.Kind == llm.Custom {
		dst = append(dst, `,"type":"custom","custom":{`...)
		dst = append(jsonw.Text(jsonw.String(dst, "name", call.Name), "input", call.Args), "}}]"...)
	} else {
		dst = append(dst, `,"type":"function","function":{`...)
		dst = append(jsonw.Text(jsonw.String(dst, "name", call.Name), "arguments", call.Args), "}"...)
		if call.Seal != nil {
			dst = append(jsonw.Text(append(jsonw.Name(dst, "extra_content"), `{"google":{`...), "thought_signature", call.Seal.Data), "}}"...)
		}
		dst = append(dst, "}]"...)
	}
	return s.close(dst, nil)
}

func (s *streamEncoder) grow(dst []byte, e *llm.Event, c *choiceEncoder) []byte {
	p := c.part(e.Part)
	switch what := p.what.(type) {
	case *llm.Call:
		name := "arguments"
		kind := "function"
		if what.Kind == llm.Custom {
			name, kind = "input", "custom"
		}
		dst = append(s.delta(dst, e.Answer, c), `"tool_calls":[{`...)
		dst = append(jsonw.Name(jsonw.Int(dst, "index", int64(p.call)), kind), '{')
		dst = append(jsonw.Text(dst, name, e.Text), "}}]"...)
	case *llm.Thought:
		dst = e.Text.AppendJSON(append(s.delta(dst, e.Answer, c), `"reasoning_content":`...))
	case *llm.Refusal:
		dst = e.Text.AppendJSON(append(s.delta(dst, e.Answer, c), `"refusal":`...))
	default:
		c.runes += e.Text.Runes()
		dst = e.Text.AppendJSON(append(s.delta(dst, e.Answer, c), `"content":`...))
	}
	return s.close(dst, nil)
}

// cited writes a citation; its range is within the whole text of the choice.
func (s *streamEncoder) cited(dst []byte, e *llm.Event, c *choiceEncoder) []byte {
	cite, p := *e.Cite, c.part(e.Part)
	if cite.Start == 0 && cite.End == 0 {
		cite.End = c.runes - p.start
	}
	cite.Start, cite.End = cite.Start+p.start, cite.End+p.start
	dst = append(s.delta(dst, e.Answer, c), `"annotations":[`...)
	return s.close(append(appendCitation(dst, &cite), ']'), nil)
}

func (s *streamEncoder) sealed(dst []byte, e *llm.Event, c *choiceEncoder) []byte {
	p := c.part(e.Part)
	if _, ok := p.what.(*llm.Call); ok {
		dst = append(s.delta(dst, e.Answer, c), `"tool_calls":[{`...)
		dst = append(jsonw.Name(jsonw.Int(dst, "index", int64(p.call)), "extra_content"), `{"google":{`...)
		return s.close(append(jsonw.Text(dst, "thought_signature", e.Seal.Data), "}}}]"...), nil)
	}
	dst = append(s.delta(dst, e.Answer, c), `"reasoning_details":[`...)
	return s.close(append(appendDetail(dst, llm.Text{}, false, e.Seal), ']'), nil)
}

// whole writes a part that comes in one piece.
func (s *streamEncoder) whole(dst []byte, e *llm.Event, c *choiceEncoder) []byte {
	switch p := e.What.(type) {
	case *llm.Prose:
		if !p.Text.Empty() {
			c.part(e.Part).start = c.runes
			c.runes += p.Text.Runes()
			dst = s.close(p.Text.AppendJSON(append(s.delta(dst, e.Answer, c), `"content":`...)), nil)
		}
		for i := range p.Cites {
			dst = s.cited(dst, &llm.Event{Answer: e.Answer, Part: e.Part, Cite: &p.Cites[i]}, c)
		}
	case *llm.Thought:
		dst = s.delta(dst, e.Answer, c)
		if !p.Text.Empty() {
			dst = append(p.Text.AppendJSON(append(dst, `"reasoning_content":`...)), ',')
		}
		if p.Seal != nil {
			dst = append(appendDetail(append(dst, `"reasoning_details":[`...), llm.Text{}, false, p.Seal), ']')
		}
		dst = s.close(dst, nil)
	case *llm.Refusal:
		c.declined = c.declined || declines(p)
		dst = s.close(p.Text.AppendJSON(append(s.delta(dst, e.Answer, c), `"refusal":`...)), nil)
	case *llm.Call:
		call := *p
		if call.Args.Empty() && call.Kind == llm.Function {
			call.Args = llm.Plain("{}")
		}
		dst = s.openCall(dst, e.Answer, c, c.calls, &call)
		c.calls++
	case *llm.Blob:
		if p.Kind != llm.Image {
			s.lose("answer", "dropped: the protocol has no seat for a "+kinds[p.Kind]+" in a stream")
			return dst
		}
		dst = append(appendImage(append(s.delta(dst, e.Answer, c), `"images":[`...), p), ']')
		dst = s.close(dst, nil)
	case *llm.Opaque:
		s.lose("answer", "dropped: a part of kind "+p.Kind)
	case *llm.ServerCall, *llm.ServerResult:
		s.lose("answer", "dropped: the protocol does not show what the upstream ran")
	case *llm.Result, *llm.Reference:
		s.lose("answer", "dropped: it has no seat in an answer")
	}
	return dst
}

// End writes the usage, if the client asked for it, and [DONE].
func (s *streamEncoder) End(dst []byte) []byte {
	if s.ended {
		return dst
	}
	s.ended = true
	if s.head == nil {
		s.begin("")
	}
	if len(s.choices) == 0 {
		s.at(0)
	}
	for i, c := range s.choices {
		if !c.halted {
			e := llm.Event{Kind: llm.Halt, Answer: i, Stop: llm.StopEnd}
			dst = s.Feed(dst, &e)
		}
	}
	if s.echo.Request != nil && s.echo.Request.StreamUsage {
		dst = append(append(dst, s.head...), `],"usage":`...)
		var lost string
		if dst, lost = openaiwire.AppendChatUsage(dst, s.usage); lost != "" {
			s.lose("usage", lost)
		}
		dst = append(dst, "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}

// Fail tells that the answer broke off. No [DONE] follows.
func (s *streamEncoder) Fail(dst []byte, f *fault.Fault, id string) []byte {
	if s.ended {
		return dst
	}
	s.ended = true
	return New().StreamError(dst, f, id)
}
