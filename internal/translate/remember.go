package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"

	"portico/internal/llm"
)

// What a seal is remembered by: the id of a call, as the client knows it, or
// the text of a turn without calls.
func byCall(id string) string             { return "c:" + id }
func byText(sum hash.Hash) string         { return "t:" + hex.EncodeToString(sum.Sum(nil)[:16]) }
func sealable(m *llm.Message) bool        { return m.Role == llm.Assistant && !hasSeal(m.Parts) }
func isThought(p llm.Part) bool           { _, ok := p.(*llm.Thought); return ok }
func isCall(p llm.Part) (*llm.Call, bool) { c, ok := p.(*llm.Call); return c, ok }

// remember puts back the seals that the client did not bring.
func (d *draft) remember() {
	if d.b.o.Recall == nil || d.to.Bare {
		return
	}
	for i := range d.Messages {
		if m := &d.Messages[i]; sealable(m) {
			if parts := d.recall(m.Parts); parts != nil {
				m.Parts = parts
			}
		}
	}
}

// recall is a turn of the model with the seals that are remembered of it, nil
// if there are none. What was thought before the first call stands at the
// beginning, before what was said.
func (d *draft) recall(parts []llm.Part) []llm.Part {
	u := unsealer{d: d, out: make([]llm.Part, 0, len(parts)+2)}
	found, called := false, false
	var sum hash.Hash
	for _, p := range parts {
		c, ok := isCall(p)
		if !ok {
			if t, is := p.(*llm.Prose); is && !called {
				if sum == nil {
					sum = sha256.New()
				}
				sum.Write(t.Text.Append(nil))
			}
			u.out = append(u.out, p)
			continue
		}
		seals := d.known(byCall(c.ID))
		if len(seals) > 0 {
			found = true
			own := *c
			own.Seal = u.put(seals, onCall, !called)
			c = &own
		}
		called = true
		u.out = append(u.out, c)
	}
	if !called && sum != nil {
		if seals := d.known(byText(sum)); len(seals) > 0 {
			found = true
			u.put(seals, onProse, true)
		}
	}
	if !found {
		return nil
	}
	return u.out
}

// known are the seals of the upstream's own that are kept under key.
func (d *draft) known(key string) []sealed {
	kept, ok := d.b.o.Recall.Get(d.b.o.Scope, key)
	if !ok {
		return nil
	}
	c, ok := unwrap(llm.Plain(kept))
	if !ok || c.issuer != d.matches {
		return nil
	}
	return c.Seals
}

// put adds the reasoning among seals, at the beginning of the turn if front is
// set, and seals the last text; it returns the seal of a call. What the client
// kept of the reasoning gives way.
func (u *unsealer) put(seals []sealed, on seat, front bool) (call *llm.Seal) {
	proto := u.d.b.upstream.Name()
	var thoughts []llm.Part
	for i := range seals {
		switch s := &seals[i]; s.Seat {
		case onThought:
			thoughts = append(thoughts, s.thought(proto, llm.Text{}))
		case onCall:
			if on == onCall {
				call = s.sealOf(proto)
			}
		case onProse:
			u.sealProse(s.sealOf(proto))
		}
	}
	if len(thoughts) == 0 {
		return call
	}
	if !front {
		u.out = append(u.out, thoughts...)
		return call
	}
	u.out = slices.DeleteFunc(u.out, isThought)
	u.out = append(thoughts, u.out...)
	return call
}

func (u *unsealer) sealProse(s *llm.Seal) {
	for i := len(u.out) - 1; i >= 0; i-- {
		if t, ok := u.out[i].(*llm.Prose); ok {
			own := *t
			own.Seal, u.out[i] = s, &own
			return
		}
	}
}
