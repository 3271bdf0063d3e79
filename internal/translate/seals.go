package translate

import (
	"portico/internal/llm"
	"portico/internal/protocol"
)

const foreignSeal = "dropped: what is sealed by another model or account is of no use to this one"

// skipSeal is what Gemini's clients put in place of a signature that they lost.
const skipSeal = "skip_thought_signature_validator"

// seals unwraps the seals that are the upstream's own and takes out all others
// (spec: translation-traps B6, C9, F2, X24).
func (d *draft) seals() {
	for i := range d.Messages {
		m := &d.Messages[i]
		if m.Role != llm.Assistant || !hasSeal(m.Parts) {
			continue
		}
		s := unsealer{d: d, out: make([]llm.Part, 0, len(m.Parts)+2)}
		for j, p := range m.Parts {
			s.path = at(i, j)
			s.part(p)
		}
		m.Parts = s.out
	}
}

func hasSeal(parts []llm.Part) bool {
	for _, p := range parts {
		if sealOf(p) != nil {
			return true
		}
	}
	return false
}

func sealOf(p llm.Part) *llm.Seal {
	switch p := p.(type) {
	case *llm.Thought:
		return p.Seal
	case *llm.Call:
		return p.Seal
	case *llm.Prose:
		return p.Seal
	case *llm.Blob:
		return p.Seal
	}
	return nil
}

// An unsealer goes through one message of the model.
type unsealer struct {
	d     *draft
	path  string
	out   []llm.Part
	call  *llm.Seal // of the next call
	shown bool      // the part is reasoning with a text
}

// own is what s seals, if its issuer is the upstream. Seals that came in the
// upstream's own protocol, and Google's in the seat that Google made for them
// in chat, are left as they are: raw.
func (u *unsealer) own(s *llm.Seal) (seals []sealed, raw bool) {
	d := u.d
	if s == nil || s.Data.Empty() && s.ID == "" {
		return nil, d.home
	}
	if d.to.Bare {
		d.lose(u.path+".seal", "dropped: the upstream refused what is sealed in this conversation")
		return nil, false
	}
	if c, ok := unwrap(s.Data); ok {
		if c.issuer == d.matches {
			return c.Seals, false
		}
		u.lost()
		return nil, false
	}
	if wrapped(s) { // and then damaged
		d.lose(u.path+".seal", "dropped: the client changed the seal")
		return nil, false
	}
	if d.home {
		return nil, true
	}
	if s.Data.String() != skipSeal {
		u.lost()
	}
	return nil, false
}

// lost tells that a seal was of no use. Of reasoning that shows something the
// codec tells what becomes of it.
func (u *unsealer) lost() {
	if !u.shown {
		u.d.lose(u.path+".seal", foreignSeal)
	}
}

func (u *unsealer) part(p llm.Part) {
	proto := u.d.b.upstream.Name()
	switch p := p.(type) {
	case *llm.Thought:
		u.thought(p, proto)
	case *llm.Call:
		if p.Seal == nil && u.call == nil {
			u.out = append(u.out, p)
			return
		}
		c := *p
		if fromGoogle(p.Seal, u.d) {
			c.Seal = &llm.Seal{Protocol: proto, Data: p.Seal.Data}
		} else if seals, raw := u.own(p.Seal); !raw {
			c.Seal = u.spread(seals, onCall)
		}
		if u.call != nil {
			c.Seal, u.call = u.call, nil
		}
		u.out = append(u.out, &c)
	case *llm.Prose:
		if p.Seal == nil {
			u.out = append(u.out, p)
			return
		}
		if seals, raw := u.own(p.Seal); !raw {
			own := *p
			own.Seal = u.spread(seals, onProse)
			if own.Text.Empty() && own.Seal == nil { // it was there for its seal alone
				return
			}
			p = &own
		}
		u.out = append(u.out, p)
	case *llm.Blob:
		if p.Seal != nil && !u.d.home {
			own := *p
			own.Seal, p = nil, &own
		}
		u.out = append(u.out, p)
	default:
		u.out = append(u.out, p)
	}
}

// fromGoogle reports whether s is Google's own in the seat that Google made for it
// in chat (spec: translation-traps D1).
func fromGoogle(s *llm.Seal, d *draft) bool {
	return s != nil && !d.to.Bare && s.Protocol == protocol.OpenAIChat && d.b.upstream.Name() == protocol.Gemini && !wrapped(s) && !s.Data.Empty()
}

// spread adds the reasoning among seals to the message, before the part on
// which they were kept, and returns the seal of that part itself. What the
// client still has of that reasoning, unsealed, gives way to it.
func (u *unsealer) spread(seals []sealed, on seat) (own *llm.Seal) {
	proto := u.d.b.upstream.Name()
	cleared := false
	for i := range seals {
		s := &seals[i]
		switch s.Seat {
		case onThought:
			for n := len(u.out); !cleared && n > 0; n-- {
				if t, ok := u.out[n-1].(*llm.Thought); !ok || t.Seal != nil {
					break
				}
				u.out = u.out[:n-1]
			}
			cleared = true
			u.out = append(u.out, s.thought(proto, llm.Text{}))
		case on:
			own = s.sealOf(proto)
		case onCall:
			u.call = s.sealOf(proto)
		}
	}
	return own
}

func (u *unsealer) thought(t *llm.Thought, proto string) {
	if t.Seal == nil {
		u.out = append(u.out, t)
		return
	}
	u.shown = !t.Text.Empty() && !t.Redacted && !u.d.home
	seals, raw := u.own(t.Seal)
	u.shown = false
	if raw {
		u.out = append(u.out, t)
		return
	}
	told := false
	for i := range seals {
		switch s := &seals[i]; s.Seat {
		case onThought:
			text := t.Text
			if told {
				text = llm.Text{}
			}
			u.out = append(u.out, s.thought(proto, text))
			told = true
		case onCall:
			u.call = s.sealOf(proto)
		case onProse:
		}
	}
	if !told && !t.Text.Empty() && !t.Redacted && !u.d.home && !u.d.to.Bare {
		own := *t
		own.Seal = nil
		u.out = append(u.out, &own)
	}
}
