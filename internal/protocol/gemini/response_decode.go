package gemini

import (
	"bytes"
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// DecodeResponse reads a whole answer, or the chunks of one as an array (spec:
// upstreams §1D.4). What Google tells of an answer beside its text stays in the
// Extra of the answer; where it says what was searched and what the text rests
// on, that is read into citations and calls as well.
func (*Codec) DecodeResponse(body []byte) (*llm.Response, error) {
	w := answerDecoder{r: &llm.Response{}}
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		w.pieces = true
		for e, err := range jsonedit.Elements(body) {
			if err == nil {
				err = w.chunk(e)
			}
			if err != nil {
				return nil, fault.New(fault.Broken, "the upstream's answer: %s", err)
			}
		}
	} else if err := w.chunk(body); err != nil {
		return nil, fault.New(fault.Broken, "the upstream's answer: %s", err)
	}
	return w.done(), nil
}

// An answerDecoder gathers a whole answer.
type answerDecoder struct {
	r          *llm.Response
	pieces     bool // the answer came in chunks, whose texts go on
	salt       string
	blocked    bool
	top        llm.Extra
	candidates []*candidateDecoder
}

// A candidateDecoder gathers one of the answers.
type candidateDecoder struct {
	d       decoder
	parts   []llm.Part
	partial *partial
	told    []jsonedit.Member // what is told of it beside its content; the last of a name holds
	finish  []byte
	ran     map[string]bool // tools of whose use there is a trace
}

// A head is the members of a chunk.
type head struct {
	id, model, candidates, usage, feedback []byte
	other                                  []jsonedit.Member
}

func (h *head) read(chunk []byte) error {
	for m, err := range jsonedit.Members(chunk) {
		if err != nil {
			return err
		}
		switch string(m.Name) {
		case "responseId":
			h.id = m.Value
		case "modelVersion":
			h.model = m.Value
		case "candidates":
			h.candidates = m.Value
		case "usageMetadata":
			h.usage = m.Value
		case "promptFeedback":
			h.feedback = m.Value
			h.other = append(h.other, m)
		default:
			h.other = append(h.other, m)
		}
	}
	return nil
}

func (w *answerDecoder) chunk(v []byte) error {
	var h head
	if err := h.read(v); err != nil {
		return err
	}
	if w.r.ID == "" {
		w.r.ID = wire.Text(h.id)
		w.salt = w.r.ID
	}
	if w.r.Model == "" {
		w.r.Model = wire.Text(h.model)
	}
	if u, ok := usage(h.usage); ok {
		w.r.Usage, w.r.HasUsage = u, true
		w.top.Members = nil
		for m := range wire.Object(h.usage) {
			switch string(m.Name) {
			case "promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount":
			default:
				keepIn(&w.top, "usageMetadata", m)
			}
		}
	}
	for _, m := range h.other {
		if string(m.Name) == "createTime" {
			if t, err := time.Parse(time.RFC3339Nano, wire.Text(m.Value)); err == nil {
				w.r.Created = t.Unix()
			}
		}
		if jsonedit.Get(append(append([]byte{'{'}, w.r.Extra.Members...), '}'), string(m.Name)) == nil {
			keep(&w.r.Extra, m)
		}
	}
	w.blocked = w.blocked || refused(h.feedback)
	if len(h.candidates) == 0 || h.candidates[0] != '[' {
		return nil
	}
	for c, err := range jsonedit.Elements(h.candidates) {
		if err != nil {
			return err
		}
		w.candidate(c)
	}
	return nil
}

// refused reports whether a promptFeedback says that the prompt was refused.
func refused(v []byte) bool {
	for m := range wire.Object(v) {
		if string(m.Name) == "blockReason" && !unset(m.Value) || string(m.Name) == "blockReasonMessage" && !wire.Empty(m.Value) {
			return true
		}
	}
	return false
}

func (w *answerDecoder) candidate(v []byte) {
	if len(v) == 0 || v[0] != '{' {
		return
	}
	index, content, told, finish := members(v)
	for len(w.candidates) <= index {
		w.candidates = append(w.candidates, newCandidate(len(w.candidates)))
	}
	c := w.candidates[index]
	c.d.salt = w.salt
	c.tell(told, finish)
	if list := parts(content); len(list) > 0 && list[0] == '[' {
		for p, err := range jsonedit.Elements(list) {
			if err != nil {
				break // it was skipped as sound
			}
			if len(p) > 0 && p[0] == '{' {
				c.add(p, w.pieces)
			}
		}
	}
}

func newCandidate(index int) *candidateDecoder {
	return &candidateDecoder{d: decoder{r: &llm.Request{}, turn: index}}
}

// members are those of a candidate: its index, its content, why it stopped, and
// everything else.
func members(v []byte) (index int, content []byte, told []jsonedit.Member, finish []byte) {
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "index":
			n, _ := jsonedit.Int(m.Value)
			index = int(min(max(n, 0), maxCandidates-1))
		case "content":
			content = m.Value
		case "finishReason":
			if !unset(m.Value) {
				finish = m.Value
			}
		default:
			if !wire.Null(m.Value) {
				told = append(told, m)
			}
		}
	}
	return index, content, told, finish
}

// tell keeps what is told of the candidate. Of what is told twice the last
// holds, unless it is less: Google repeats metadata without what they held.
func (c *candidateDecoder) tell(told []jsonedit.Member, finish []byte) {
	if finish != nil {
		c.finish = finish
	}
	for _, m := range told {
		i := slices.IndexFunc(c.told, func(x jsonedit.Member) bool { return bytes.Equal(x.Name, m.Name) })
		switch {
		case i < 0:
			c.told = append(c.told, m)
		case !wire.Empty(m.Value):
			c.told[i] = m
		}
	}
}

func (c *candidateDecoder) get(name string) []byte {
	for _, m := range c.told {
		if string(m.Name) == name {
			return m.Value
		}
	}
	return nil
}

// part reads a part of an answer, nil if it is one that is not complete yet or
// has nothing in it. before is a call that was under way and ends here.
func (c *candidateDecoder) part(v []byte) (before, p llm.Part) {
	if call := jsonedit.Get(v, "functionCall"); call != nil && continues(call, c.partial != nil) {
		if name := wire.Text(jsonedit.Get(call, "name")); name != "" || c.partial == nil {
			before = c.settle()
			first, _ := c.d.part("", v).(*llm.Call)
			first.Extra, first.Args = llm.Extra{}, llm.Text{}
			if s := first.Seal; s != nil {
				s.Data = s.Data.Own()
			}
			c.partial = &partial{call: first, ordinal: c.d.seen - 1}
		}
		if c.partial.take(call) {
			return before, c.settle()
		}
		return before, nil
	}
	before = c.settle()
	p = c.d.part("", v)
	switch p := p.(type) {
	case *llm.Prose:
		if p.Text.Empty() && p.Seal == nil {
			return before, nil
		}
	case *llm.Thought:
		if p.Text.Empty() && p.Seal == nil {
			return before, nil
		}
	case *llm.ServerCall:
		if c.ran == nil {
			c.ran = map[string]bool{}
		}
		c.ran[p.Name] = true
	case *llm.Result:
		return before, served(p, jsonedit.Get(v, "functionResponse"))
	}
	return before, p
}

// served is the result of a call that Google had made by itself, by a server of
// tools that the client named: nobody else answers calls in an answer.
func served(r *llm.Result, raw []byte) *llm.ServerResult {
	out := &llm.ServerResult{CallID: r.CallID, Name: "mcp", Raw: raw, Failed: r.Failed, Extra: r.Extra}
	for _, p := range r.Parts {
		if t, ok := p.(*llm.Prose); ok {
			out.Text = t.Text
		}
	}
	out.Extra.Protocol = protocol.Gemini
	return out
}

// serverCall is a call that turned out to be one that Google made by itself.
func serverCall(c *llm.Call) *llm.ServerCall {
	in, beside := inner(c.Extra, "functionCall")
	raw := []byte{'{'}
	if !minted(c.ID) {
		raw = jsonw.String(raw, "id", c.ID)
	}
	raw = jsonw.String(raw, "name", c.Name)
	if c.Args.IsSet() {
		raw = c.Args.Append(jsonw.Name(raw, "args"))
	}
	raw = append(in.AppendTo(raw, protocol.Gemini), '}')
	out := &llm.ServerCall{ID: c.ID, Name: "mcp", Input: raw, Query: llm.Plain(c.Name), Extra: beside}
	if c.Seal != nil {
		out.Extra.Add(protocol.Gemini, []byte("thoughtSignature"), c.Seal.Data.AppendJSON(nil))
	}
	out.Extra.Protocol = protocol.Gemini
	return out
}

// settle is the call that was under way, or nil.
func (c *candidateDecoder) settle() llm.Part {
	if c.partial == nil {
		return nil
	}
	call := c.partial.done(&c.d)
	c.partial = nil
	return call
}

// add adds a part. A signature that comes alone belongs to the text before it
// (spec: translation-traps C7), and the texts of chunks go on where those
// before them ended.
func (c *candidateDecoder) add(v []byte, goesOn bool) {
	before, p := c.part(v)
	if before != nil {
		c.parts = append(c.parts, before)
	}
	if p == nil {
		return
	}
	if r, ok := p.(*llm.ServerResult); ok {
		for i := len(c.parts) - 1; i >= 0; i-- {
			if call, ok := c.parts[i].(*llm.Call); ok && call.ID == r.CallID {
				c.parts[i] = serverCall(call)
				break
			}
		}
	}
	if n := len(c.parts); n > 0 {
		switch last := c.parts[n-1].(type) {
		case *llm.Prose:
			if p, ok := p.(*llm.Prose); ok && last.Seal == nil && plain(last.Extra, p.Extra) && (p.Text.Empty() || goesOn) {
				last.Text, last.Seal = llm.Join([]llm.Text{last.Text, p.Text}, ""), p.Seal
				return
			}
		case *llm.Thought:
			if p, ok := p.(*llm.Thought); ok && last.Seal == nil && plain(last.Extra, p.Extra) && (p.Text.Empty() || goesOn) {
				last.Text, last.Seal = llm.Join([]llm.Text{last.Text, p.Text}, ""), p.Seal
				return
			}
		}
	}
	c.parts = append(c.parts, p)
}

// plain reports whether nothing is told of two parts but their text.
func plain(a, b llm.Extra) bool { return len(a.Members)+len(b.Members) == 0 }

// done is the whole answer.
func (w *answerDecoder) done() *llm.Response {
	r := w.r
	for _, c := range w.candidates {
		r.Answers = append(r.Answers, c.answer())
	}
	if len(r.Answers) == 0 && w.blocked {
		r.Answers = []llm.Answer{{Stop: llm.StopFilter}}
	}
	r.Extra = joined(r.Extra, llm.Extra{Protocol: protocol.Gemini, Members: w.top.Members})
	return r
}

func (c *candidateDecoder) answer() llm.Answer {
	if p := c.settle(); p != nil {
		c.parts = append(c.parts, p)
	}
	a := llm.Answer{Parts: c.parts, Stop: stopOf(c.finish, hasCall(c.parts)), Logprobs: openaiLogprobs(c.get("logprobsResult"))}
	if c.grounded() {
		g := c.ground(visibleOf(a.Parts))
		for _, x := range g.cites {
			if t, ok := a.Parts[x.part].(*llm.Prose); ok {
				t.Cites = append(t.Cites, x.cite)
			}
		}
		a.Parts = append(a.Parts, g.parts...)
	}
	for _, m := range c.told {
		keep(&a.Extra, m)
	}
	if c.finish != nil && finish(a.Stop) != wire.Text(c.finish) {
		keep(&a.Extra, jsonedit.Member{Name: []byte("finishReason"), Value: c.finish})
	}
	return a
}

// visibleOf is the texts among parts.
func visibleOf(parts []llm.Part) (said []visible) {
	n := 0
	for i, p := range parts {
		if t, ok := p.(*llm.Prose); ok {
			v := visible{part: i, start: n, text: t.Text.Append(nil)}
			n += len(v.text)
			said = append(said, v)
		}
	}
	return said
}

// grounded reports whether it was told what the answer rests on.
func (c *candidateDecoder) grounded() bool {
	return c.get("groundingMetadata") != nil || c.get("urlContextMetadata") != nil || c.get("citationMetadata") != nil
}

func (c *candidateDecoder) ground(said []visible) grounds {
	return c.d.ground(c.get("groundingMetadata"), c.get("urlContextMetadata"), c.get("citationMetadata"), said, c.ran)
}

func hasCall(parts []llm.Part) bool {
	return slices.ContainsFunc(parts, func(p llm.Part) bool { _, ok := p.(*llm.Call); return ok })
}
