package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/llm"
)

// restore is a call as the client knows its tool, nil if the client must not
// get it. The tool is nil for one that nobody declared.
func (k *back) restore(t *turn, part int, c *llm.Call) (*llm.Call, *tool) {
	key := c.Name
	if c.Namespace != "" {
		key = c.Namespace + "\x00" + c.Name
	}
	own := *c
	made := k.plan.tools[key]
	if made != nil {
		own.Kind, own.Namespace, own.Name = made.kind, made.namespace, made.name
		if c.Kind == llm.Custom && own.Kind == llm.Function {
			own.Kind = llm.Custom // it is free text, whatever the tool takes
		}
		if made.as == asAnswer {
			return nil, made
		}
	}
	if k.plan.single && t.calls > 0 {
		k.lose("answer", "dropped: a further call of the turn, since the client wants one at a time")
		return nil, nil
	}
	t.calls++
	if own.ID == "" {
		sum := sha256.Sum256([]byte(k.id + "\x00" + own.Name + "\x00" + strconv.Itoa(part)))
		own.ID = "call_" + hex.EncodeToString(sum[:12])
	}
	own.ID = k.ids.fit(own.ID)
	return &own, made
}

func (k *back) openCall(t *turn, e *llm.Event, p *piece, c *llm.Call) {
	own, made := k.restore(t, e.Part, c)
	p.tool = made
	switch {
	case own == nil && made == nil:
		return
	case own == nil: // the form of the answer as a call
		t.answered = true
		k.settle(t, e.Answer, nil)
		p.what = &llm.Prose{}
		e.What = p.what
		e.Part = t.number(p)
		k.emit(e)
		return
	}
	if own.Seal != nil {
		p.seals = append(p.seals, sealFrom(own.Seal, onCall))
		own.Seal = nil
	}
	own.Args = llm.Text{}
	p.call = own
	if made != nil && made.hold {
		p.text = c.Args.Append(p.text)
		return
	}
	k.settle(t, e.Answer, p)
	e.What, e.Part = own, t.number(p)
	answer := e.Answer
	k.emit(e)
	k.ride(t, answer, p)
	if made != nil && made.as == asInput {
		p.input = &unwrapper{}
	}
	if !c.Args.Empty() {
		k.event = llm.Event{Kind: llm.Grow, Answer: answer, Part: e.Part, Text: c.Args}
		if p.input != nil {
			k.event.Text = p.input.feed(c.Args)
		}
		if !k.event.Text.Empty() {
			k.emit(&k.event)
		}
	}
}

// release tells a call that has become too large to be looked at as an ordinary
// one.
func (k *back) release(t *turn, answer int, p *piece) {
	k.settle(t, answer, p)
	k.make(llm.Event{Kind: llm.Open, Answer: answer, Part: t.number(p), What: p.call})
	k.ride(t, answer, p)
	k.make(llm.Event{Kind: llm.Grow, Answer: answer, Part: p.number, Text: llm.PlainBytes(p.text)})
	p.tool, p.text = nil, nil
}

// endCall tells what was held back of a call.
func (k *back) endCall(t *turn, answer int, p *piece) {
	switch {
	case p.call == nil:
		return
	case p.tool != nil && p.tool.hold:
		whole := *p.call
		whole.Args = llm.PlainBytes(p.text)
		k.tellCall(t, answer, p, &whole)
		p.number = -1 // it is closed
		return
	case p.input != nil:
		if rest := p.input.end(); !rest.Empty() {
			k.make(llm.Event{Kind: llm.Grow, Answer: answer, Part: p.number, Text: rest})
		}
	}
	k.keep(t, p)
}

func (k *back) wholeCall(t *turn, answer, part int, p *piece, c *llm.Call) {
	own, made := k.restore(t, part, c)
	p.tool = made
	switch {
	case own == nil && made == nil:
		return
	case own == nil:
		t.answered = true
		k.settle(t, answer, nil)
		k.make(llm.Event{Kind: llm.Whole, Answer: answer, Part: t.number(p), What: &llm.Prose{Text: c.Args, Seal: k.riding(t)}})
		return
	}
	if own.Seal != nil {
		p.seals = append(p.seals, sealFrom(own.Seal, onCall))
		own.Seal = nil
	}
	p.call = own
	k.tellCall(t, answer, p, own)
}

// tellCall tells a call whose arguments are whole.
func (k *back) tellCall(t *turn, answer int, p *piece, c *llm.Call) {
	k.settle(t, answer, p)
	var what llm.Part = c
	if p.tool != nil {
		switch p.tool.as {
		case asInput:
			c.Args = unwrapInput(c.Args)
		case asItem:
			if item := ownCall(c, p.tool.item); item != nil {
				what = item
			}
		case asItself, asAnswer:
		}
		if names := padded[c.Name]; p.tool.hold && names != nil {
			c.Args = unpad(c.Args, names)
		}
	}
	k.keep(t, p)
	if k.seats.call {
		c.Seal = k.capsule(append(t.loose, p.seals...))
		t.loose = nil
	}
	k.make(llm.Event{Kind: llm.Whole, Answer: answer, Part: t.number(p), What: what})
}

// padded are the arguments of Claude Code's tools that OpenAI's models fill
// with an empty text where they mean nothing, which the tool refuses (spec:
// translation-traps B24).
var padded = map[string][]string{"Read": {"pages"}}

// unpad is args without those of names that are empty.
func unpad(args llm.Text, names []string) llm.Text {
	raw := args.Append(nil)
	for _, name := range names {
		if string(jsonedit.Get(raw, name)) != `""` {
			continue
		}
		out := []byte{'{'}
		for m, err := range jsonedit.Members(raw) {
			if err != nil {
				return args
			}
			if m.Is(name) {
				continue
			}
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(append(append(out, '"'), m.Name...), `":`...)
			out = append(out, m.Value...)
		}
		raw = append(out, '}')
	}
	return llm.PlainBytes(raw)
}
