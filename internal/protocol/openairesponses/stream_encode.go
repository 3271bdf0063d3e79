package openairesponses

import (
	"bytes"
	"slices"
	"strconv"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// NewEncoder returns an encoder for one stream of events. Everything that was
// told in pieces is told whole at the end of its item, and all items once more
// at the end of the answer, as the protocol has it and as Codex and Copilot
// need it (spec: clients §4).
func (*Codec) NewEncoder(echo *protocol.Echo) protocol.Encoder {
	return &streamEncoder{echo: echo}
}

type streamEncoder struct {
	answerEncoder
	begun, ended bool
	number       int64          // the next sequence_number
	outputs      int            // items that were begun
	output       [][]byte       // items that are done, by their output_index
	parts        []*partEncoder // by the number of the part
	said         *partEncoder   // the text that grew last
	usage        llm.Usage
	stop         llm.Stop
}

// A partEncoder is one part under way, which is an item of the output.
type partEncoder struct {
	what  llm.Part
	index int    // its output_index, -1: not begun
	text  []byte // the inside of a JSON string
	cites []llm.Citation
	odds  []byte // a list of log probabilities, without its brackets
	seal  *llm.Seal
	done  bool
}

// Feed writes the events that e makes.
func (s *streamEncoder) Feed(dst []byte, e *llm.Event) []byte {
	if e.Answer > 0 {
		if e.Kind == llm.Halt {
			s.lose("choices", "dropped: the protocol has one answer")
		}
		return dst
	}
	dst = s.begin(dst, e.ID)
	switch e.Kind {
	case llm.Open:
		p := s.at(e.Part)
		p.what = e.What
		if c, ok := e.What.(*llm.Call); ok {
			dst = s.open(dst, p)
			if !c.Args.Empty() {
				dst = s.grow(dst, p, c.Args)
			}
		}
	case llm.Grow:
		dst = s.grow(dst, s.at(e.Part), e.Text)
	case llm.Sealed:
		p := s.at(e.Part)
		seal := *e.Seal
		seal.Data = seal.Data.Own()
		p.seal = &seal
	case llm.Cited:
		dst = s.cited(dst, s.at(e.Part), *e.Cite)
	case llm.Whole:
		dst = s.whole(dst, e)
	case llm.Close:
		dst = s.close(dst, s.at(e.Part))
	case llm.Tally:
		s.usage = e.Usage
	case llm.Halt:
		s.stop = e.Stop
	case llm.End:
		return s.End(dst)
	case llm.Odds:
		dst = s.likely(dst, jsonedit.Get(e.Logprobs, "content"))
	case llm.Begin, llm.Note:
	}
	return dst
}

func (s *streamEncoder) at(i int) *partEncoder {
	for len(s.parts) <= i {
		s.parts = append(s.parts, &partEncoder{index: -1})
	}
	return s.parts[i]
}

// event opens an event; the caller appends its members and calls shut.
func (s *streamEncoder) event(dst []byte, typ string) []byte {
	dst = append(append(append(dst, "event: "...), typ...), "\ndata: {"...)
	dst = jsonw.String(dst, "type", typ)
	dst = jsonw.Int(dst, "sequence_number", s.number)
	s.number++
	return dst
}

func shut(dst []byte) []byte { return append(dst, "}\n\n"...) }

func (s *streamEncoder) begin(dst []byte, id string) []byte {
	if s.begun {
		return dst
	}
	s.begun, s.id = true, responseID(id, s.echo)
	for _, typ := range []string{"response.created", "response.in_progress"} {
		dst = append(jsonw.Name(s.event(dst, typ), "response"), '{')
		dst = s.head(dst, s.echo.Created, "in_progress", llm.StopUnset)
		dst = shut(append(dst, `,"output":[],"usage":null}`...))
	}
	return dst
}

// place writes where an event belongs.
func (s *streamEncoder) place(dst []byte, p *partEncoder) []byte {
	return jsonw.Int(jsonw.String(dst, "item_id", s.idOf(p)), "output_index", int64(p.index))
}

func (s *streamEncoder) idOf(p *partEncoder) string {
	switch w := p.what.(type) {
	case *llm.Thought:
		return s.itemID("rs", p.index)
	case *llm.Call:
		if w.Kind == llm.Custom {
			return s.itemID("ctc", p.index)
		}
		return s.itemID("fc", p.index)
	}
	return s.itemID("msg", p.index)
}

// open begins the item of p.
func (s *streamEncoder) open(dst []byte, p *partEncoder) []byte {
	p.index = s.outputs
	s.outputs++
	dst = jsonw.Int(s.event(dst, "response.output_item.added"), "output_index", int64(p.index))
	dst = append(jsonw.Name(dst, "item"), '{')
	switch w := p.what.(type) {
	case *llm.Call:
		dst = s.call(dst, p.index, w, llm.Plain(""), "in_progress")
		return shut(append(dst, '}'))
	case *llm.Thought:
		dst = jsonw.String(append(dst, `"type":"reasoning"`...), "id", s.idOf(p))
		dst = shut(append(dst, `,"summary":[],"status":"in_progress"}`...))
		dst = s.place(s.event(dst, "response.reasoning_summary_part.added"), p)
		return shut(append(dst, `,"summary_index":0,"part":{"type":"summary_text","text":""}`...))
	case *llm.Refusal:
		dst = shut(append(s.answerEncoder.message(dst, s.idOf(p), "in_progress", nil), '}'))
		dst = s.place(s.event(dst, "response.content_part.added"), p)
		return shut(append(dst, `,"content_index":0,"part":{"type":"refusal","refusal":""}`...))
	}
	dst = shut(append(s.answerEncoder.message(dst, s.idOf(p), "in_progress", nil), '}'))
	dst = s.place(s.event(dst, "response.content_part.added"), p)
	return shut(append(dst, `,"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}`...))
}

func (s *streamEncoder) grow(dst []byte, p *partEncoder, t llm.Text) []byte {
	if t.Empty() || p.done {
		return dst
	}
	if p.index < 0 {
		dst = s.open(dst, p)
	}
	p.text = t.AppendInner(p.text)
	switch w := p.what.(type) {
	case *llm.Call:
		typ := "response.function_call_arguments.delta"
		if w.Kind == llm.Custom {
			typ = "response.custom_tool_call_input.delta"
		}
		dst = s.place(s.event(dst, typ), p)
	case *llm.Thought:
		dst = append(s.place(s.event(dst, "response.reasoning_summary_text.delta"), p), `,"summary_index":0`...)
	case *llm.Refusal:
		dst = append(s.place(s.event(dst, "response.refusal.delta"), p), `,"content_index":0`...)
	default:
		s.said = p
		dst = append(s.place(s.event(dst, "response.output_text.delta"), p), `,"content_index":0,"logprobs":[]`...)
	}
	return shut(jsonw.Text(dst, "delta", t))
}

// likely tells the log probabilities of the text that just grew. It has gone
// out already, so they go with a delta that adds nothing to it.
func (s *streamEncoder) likely(dst, list []byte) []byte {
	p := s.said
	switch {
	case len(list) <= 2 || list[0] != '[':
		return dst
	case p == nil || p.done:
		s.lose("logprobs", "dropped: there is no text that they are about")
		return dst
	}
	p.odds = append(jsonw.Comma(p.odds), list[1:len(list)-1]...)
	dst = append(s.place(s.event(dst, "response.output_text.delta"), p), `,"content_index":0`...)
	return shut(append(appendOdds(dst, list), `,"delta":""`...))
}

func (s *streamEncoder) cited(dst []byte, p *partEncoder, c llm.Citation) []byte {
	if p.index < 0 || p.done {
		s.lose("citations", wire.LateCitation)
		return dst
	}
	if c.Start == 0 && c.End == 0 {
		c.End = p.whole().Runes()
	}
	p.cites = append(p.cites, c)
	dst = s.place(s.event(dst, "response.output_text.annotation.added"), p)
	dst = jsonw.Int(append(dst, `,"content_index":0`...), "annotation_index", int64(len(p.cites)-1))
	return shut(appendCitation(jsonw.Name(dst, "annotation"), &c))
}

// whole is the text that has grown.
func (p *partEncoder) whole() llm.Text {
	return llm.Wire(append(append([]byte{'"'}, p.text...), '"'))
}

// close ends the item of p and keeps it for the end of the answer. A part that
// said nothing was never begun and is no item.
func (s *streamEncoder) close(dst []byte, p *partEncoder) []byte {
	if p.done {
		return dst
	}
	if t, ok := p.what.(*llm.Thought); ok && p.index < 0 && (p.seal != nil || t.Seal != nil) {
		dst = s.open(dst, p)
	}
	p.done = true
	if p.index < 0 {
		return dst
	}
	text := p.whole()
	var item []byte
	switch w := p.what.(type) {
	case *llm.Call:
		text = orEmpty(w, text)
		typ, name := "response.function_call_arguments.done", "arguments"
		if w.Kind == llm.Custom {
			typ, name = "response.custom_tool_call_input.done", "input"
		}
		dst = s.place(s.event(dst, typ), p)
		dst = jsonw.String(dst, "name", w.Name)
		dst = shut(jsonw.Text(dst, name, text))
		item = append(s.call([]byte{'{'}, p.index, w, text, callStatus(w, text)), '}')
	case *llm.Thought:
		dst = append(s.place(s.event(dst, "response.reasoning_summary_text.done"), p), `,"summary_index":0`...)
		dst = shut(jsonw.Text(dst, "text", text))
		dst = append(s.place(s.event(dst, "response.reasoning_summary_part.done"), p), `,"summary_index":0,"part":{"type":"summary_text"`...)
		dst = shut(append(jsonw.Text(dst, "text", text), '}'))
		full := llm.Thought{Text: text, Summary: true, Seal: p.seal}
		if full.Seal == nil {
			full.Seal = w.Seal
		}
		if full.Seal != nil {
			own := *full.Seal
			own.ID = s.idOf(p)
			full.Seal = &own
		}
		item = append(appendReasoning([]byte{'{'}, &full, s.idOf(p)), '}')
	case *llm.Refusal:
		dst = append(s.place(s.event(dst, "response.refusal.done"), p), `,"content_index":0`...)
		dst = shut(jsonw.Text(dst, "refusal", text))
		dst, item = s.endMessage(dst, p, &llm.Refusal{Text: text})
	default:
		var odds []byte
		if p.odds != nil {
			odds = append(append([]byte{'['}, p.odds...), ']')
		}
		dst = append(s.place(s.event(dst, "response.output_text.done"), p), `,"content_index":0`...)
		dst = shut(jsonw.Text(appendOdds(dst, odds), "text", text))
		s.odds = odds
		dst, item = s.endMessage(dst, p, &llm.Prose{Text: text, Cites: p.cites})
	}
	return s.keep(dst, p.index, item)
}

func (s *streamEncoder) endMessage(dst []byte, p *partEncoder, what llm.Part) ([]byte, []byte) {
	dst = append(s.place(s.event(dst, "response.content_part.done"), p), `,"content_index":0`...)
	odds := s.odds
	dst = shut(s.part(jsonw.Name(dst, "part"), what))
	s.odds = odds // they are told twice
	return dst, append(s.answerEncoder.message([]byte{'{'}, s.idOf(p), "completed", []llm.Part{what}), '}')
}

// keep tells that an item is done, and keeps it for the terminal event.
func (s *streamEncoder) keep(dst []byte, index int, item []byte) []byte {
	for len(s.output) <= index {
		s.output = append(s.output, nil)
	}
	s.output[index] = item
	dst = jsonw.Int(s.event(dst, "response.output_item.done"), "output_index", int64(index))
	return shut(jsonw.Raw(dst, "item", item))
}

// whole writes a part that comes in one piece.
func (s *streamEncoder) whole(dst []byte, e *llm.Event) []byte {
	p := s.at(e.Part)
	p.what = e.What
	switch w := e.What.(type) {
	case *llm.Prose:
		dst = s.grow(dst, p, w.Text)
		for _, c := range w.Cites {
			dst = s.cited(dst, p, c)
		}
		return s.close(dst, p)
	case *llm.Refusal:
		return s.close(s.grow(dst, p, w.Text), p)
	case *llm.Thought:
		return s.close(s.grow(dst, p, w.Text), p)
	case *llm.Call:
		return s.close(s.grow(s.open(dst, p), p, w.Args), p)
	}
	before := len(s.losses)
	item := s.items(nil, &llm.Answer{Parts: []llm.Part{e.What}}, s.outputs)
	if len(item) == 0 || len(s.losses) > before {
		return dst
	}
	p.index, p.done = s.outputs, true
	s.outputs++
	dst = jsonw.Int(s.event(dst, "response.output_item.added"), "output_index", int64(p.index))
	dst = shut(jsonw.Raw(dst, "item", item))
	return s.keep(dst, p.index, item)
}

// End closes what is open and writes the terminal event.
func (s *streamEncoder) End(dst []byte) []byte {
	if s.ended {
		return dst
	}
	dst = s.begin(dst, "")
	s.ended = true
	for _, p := range s.parts {
		if p.what != nil {
			dst = s.close(dst, p)
		}
	}
	dst = s.speak(dst)
	if s.stop == llm.StopRefusal && !slices.ContainsFunc(s.parts, func(p *partEncoder) bool { return isRefusal(p.what) && p.index >= 0 }) {
		s.stop = llm.StopFilter
	}
	status := statusOf(s.stop)
	dst = append(jsonw.Name(s.event(dst, "response."+status), "response"), '{')
	dst = s.head(dst, s.echo.Created, status, s.stop)
	dst = append(append(append(jsonw.Name(dst, "output"), '['), bytes.Join(s.output, []byte(","))...), ']')
	dst, lost := openaiwire.AppendResponsesUsage(jsonw.Name(dst, "usage"), s.usage)
	if lost != "" {
		s.lose("usage", lost)
	}
	return shut(append(dst, '}'))
}

// speak says what was thought, if an answer that is complete says nothing else.
func (s *streamEncoder) speak(dst []byte) []byte {
	a := llm.Answer{Stop: s.stop}
	for _, p := range s.parts {
		switch _, ok := p.what.(*llm.Thought); {
		case ok:
			a.Parts = append(a.Parts, &llm.Thought{Text: p.whole()})
		case p.index >= 0:
			return dst
		}
	}
	said := onlyThought(&a)
	if said == nil {
		return dst
	}
	s.lose("output", whySpoken)
	return s.whole(dst, &llm.Event{Kind: llm.Whole, Part: len(s.parts), What: said})
}

// Losses is what could not be said.
func (s *streamEncoder) Losses() []llm.Loss { return s.losses }

// Fail writes response.failed with the next number.
func (s *streamEncoder) Fail(dst []byte, f *fault.Fault, id string) []byte {
	if s.ended {
		return dst
	}
	s.ended = true
	if !s.begun {
		return New().StreamError(dst, f, id)
	}
	n := len(dst)
	dst = New().StreamError(dst, f, id)
	return append(dst[:n], bytes.Replace(dst[n:], []byte(lastNumber), strconv.AppendInt(nil, s.number, 10), 1)...)
}
