package translate

import (
	"slices"

	"portico/internal/llm"
	"portico/internal/protocol"
)

func sealFrom(s *llm.Seal, at seat) sealed {
	return sealed{Seat: at, Kind: s.Kind, ID: s.ID, Data: s.Data.String()}
}

// capsule is seals for the client, nil if there are none.
func (k *back) capsule(seals []sealed) *llm.Seal {
	if len(seals) == 0 {
		return nil
	}
	return k.wrapping(seals)
}

func (k *back) wrapping(seals []sealed) *llm.Seal {
	c := capsule{issuer: k.plan.issuer, Seals: seals}
	data := c.wrap()
	if data == "" {
		return nil
	}
	return &llm.Seal{Protocol: k.client, Kind: k.seats.kind, Data: llm.Plain(data)}
}

// reasoning is the seal of the client's reasoning. Clients of Anthropic take
// reasoning without one for broken, so what no upstream has sealed gets a
// wrapping that holds nothing.
func (k *back) reasoning(seals []sealed) *llm.Seal {
	if len(seals) == 0 && k.client != protocol.Anthropic {
		return nil
	}
	return k.wrapping(seals)
}

// keepsText reports whether a seal of reasoning needs its text: a signature is
// good for its text only, and not all clients bring that back.
func (k *back) keepsText() bool {
	return signs(k.plan.issuer.Protocol) && (k.o.Recall != nil || k.client == protocol.Gemini || k.client == protocol.OpenAIChat)
}

// signs reports whether upstreams of a protocol sign the text of reasoning: many
// a model behind chat is one of Anthropic's.
func signs(proto string) bool { return proto == protocol.Anthropic || proto == protocol.OpenAIChat }

// sealed takes the seal of a part.
func (k *back) sealed(t *turn, e *llm.Event) {
	p := t.at(e.Part)
	if e.Seal == nil || e.Seal.Data.Empty() || t.over {
		return
	}
	switch what := p.what.(type) {
	case *llm.Thought:
		s := sealFrom(e.Seal, onThought)
		s.Summary, s.Redacted = what.Summary, s.Redacted || what.Redacted
		p.seals = append(p.seals, s)
	case *llm.Call:
		p.seals = append(p.seals, sealFrom(e.Seal, onCall))
		if k.seats.call && p.number >= 0 {
			k.make(llm.Event{Kind: llm.Sealed, Answer: e.Answer, Part: p.number, Seal: k.capsule(append(slices.Clip(p.rode), p.seals...))})
		}
	case *llm.Prose:
		k.proseSeal(t, e.Seal)
	}
}

// proseSeal takes the seal of a text, which only Gemini has and which the model
// does without; it is remembered and rides on nothing.
func (k *back) proseSeal(t *turn, s *llm.Seal) {
	if k.o.Recall != nil && !s.Data.Empty() {
		t.remember(sealFrom(s, onProse))
	}
}

// endThought ends reasoning. Where a call has no seat for its seal, the end
// waits for what comes next, which may be that call.
func (k *back) endThought(t *turn, answer int, p *piece) {
	k.sealThought(t, p)
	t.waiting = p
	if k.seats.call || !sealsCalls(k.plan.issuer.Protocol) {
		k.settle(t, answer, nil)
	}
}

// remember keeps seals until the next call or the end of the turn.
func (t *turn) remember(seals ...sealed) {
	for _, s := range seals {
		if t.size += len(s.Data) + len(s.Text); t.size <= maxHeld {
			t.since = append(t.since, s)
		}
	}
}

// sealThought settles where the seals of reasoning go that is whole.
func (k *back) sealThought(t *turn, p *piece) {
	if len(p.text) > maxHeld {
		p.seals = nil // without its text the seal is good for nothing
	}
	for i := range p.seals {
		if s := &p.seals[i]; s.Seat == onThought && !s.Redacted {
			s.Text = string(p.text)
		}
	}
	p.text = nil
	if k.o.Recall != nil {
		t.remember(p.seals...)
	}
	if !k.seats.thought {
		t.loose = append(t.loose, p.seals...)
		p.seals = nil
	}
}

// sealsCalls reports whether upstreams of a protocol seal calls.
func sealsCalls(proto string) bool { return proto == protocol.Gemini || proto == protocol.OpenAIChat }

// settle ends the reasoning that waits, before the part next, which may be nil.
// The seals of a call that has no seat for them go with it; where no reasoning
// stands before the call, some that says nothing is put there.
func (k *back) settle(t *turn, answer int, next *piece) {
	var seals []sealed
	if next != nil && !k.seats.call {
		seals = next.seals
	}
	p := t.waiting
	t.waiting = nil
	if p == nil {
		if len(seals) > 0 {
			k.make(llm.Event{Kind: llm.Whole, Answer: answer, Part: t.next, What: &llm.Thought{Text: llm.Plain(""), Seal: k.capsule(seals)}})
			t.next++
		}
		return
	}
	s := k.reasoning(k.carried(p.seals, seals))
	switch {
	case p.thought != nil: // a whole answer, in which it stands already
		p.thought.Seal = s
		return
	case s != nil:
		k.make(llm.Event{Kind: llm.Sealed, Answer: answer, Part: p.number, Seal: s})
	}
	k.make(llm.Event{Kind: llm.Close, Answer: answer, Part: p.number})
}

// carried are seals as the client's own reasoning carries them: without the
// text that stands beside them. Chat's clients bring that back elsewhere, or not
// at all.
func (k *back) carried(own, more []sealed) []sealed {
	if len(own)+len(more) == 0 {
		return nil
	}
	out := append(append(make([]sealed, 0, len(own)+len(more)), own...), more...)
	for i := range out {
		if k.client != protocol.OpenAIChat {
			out[i].Text = ""
		}
	}
	return out
}

// wholeThought takes reasoning that comes in one piece.
func (k *back) wholeThought(t *turn, answer int, p *piece, what *llm.Thought) {
	k.settle(t, answer, nil)
	own := *what
	p.what = &own
	if own.Seal != nil && !own.Seal.Data.Empty() {
		s := sealFrom(own.Seal, onThought)
		s.Summary, s.Redacted = own.Summary, own.Redacted
		p.seals = append(p.seals, s)
	}
	own.Seal = nil
	p.redact(&own, k)
	if k.keepsText() {
		p.text = own.Text.Append(nil)
	}
	text := own.Text
	switch {
	case text.Empty() && (len(p.seals) == 0 || !k.seats.thought):
		k.sealThought(t, p) // there is nothing to show; its seals ride on what follows
		return
	case k.parts != nil:
		p.thought = &own
		k.make(llm.Event{Kind: llm.Whole, Answer: answer, Part: t.number(p), What: &own})
	default:
		own.Text = llm.Text{}
		k.make(llm.Event{Kind: llm.Open, Answer: answer, Part: t.number(p), What: &own})
		if !text.Empty() {
			k.make(llm.Event{Kind: llm.Grow, Answer: answer, Part: p.number, Text: text})
		}
	}
	k.endThought(t, answer, p)
}

// riding are the seals that go with the next part, for a client whose
// reasoning has no seat for them.
func (k *back) riding(t *turn) *llm.Seal {
	s := k.capsule(t.loose)
	t.loose = nil
	return s
}

// ride seals the part p, which has just begun, with what rides on it and its
// own.
func (k *back) ride(t *turn, answer int, p *piece) {
	p.rode, t.loose = t.loose, nil
	all := p.rode
	if k.seats.call {
		all = append(slices.Clip(all), p.seals...)
	}
	if s := k.capsule(all); s != nil {
		k.make(llm.Event{Kind: llm.Sealed, Answer: answer, Part: p.number, Seal: s})
	}
}

// keep remembers the seals up to the call p.
func (k *back) keep(t *turn, p *piece) {
	if k.o.Recall == nil {
		return
	}
	c := capsule{issuer: k.plan.issuer, Seals: append(t.since, p.seals...)}
	t.since = nil
	if len(c.Seals) > 0 {
		k.o.Recall.Put(k.o.Scope, byCall(p.call.ID), c.wrap())
	}
}

// last tells the seals that nothing followed, and remembers those of a turn
// without calls by its text.
func (k *back) last(t *turn, answer int) {
	if len(t.loose) > 0 {
		k.make(llm.Event{Kind: llm.Whole, Answer: answer, Part: t.next, What: &llm.Prose{Text: llm.Plain(""), Seal: k.riding(t)}})
		t.next++
	}
	if k.o.Recall != nil && t.calls == 0 && len(t.since) > 0 && t.said != nil {
		c := capsule{issuer: k.plan.issuer, Seals: t.since}
		k.o.Recall.Put(k.o.Scope, byText(t.said), c.wrap())
	}
	t.since = nil
}
