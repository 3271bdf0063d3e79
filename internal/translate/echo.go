package translate

import (
	"portico/internal/llm"
	"portico/internal/protocol"
)

// echo settles whether the model's reasoning goes back to a vendor who copied
// OpenAI's chat. Some demand it in every turn with calls, be it empty; to the
// others it is an unknown member (spec: upstreams §1F, translation-traps E6).
// Of an upstream of which nothing is known it is believed that it takes it.
func (d *draft) echo() {
	if d.b.upstream.Name() != protocol.OpenAIChat || d.to.Fit.Native || !d.to.Preset {
		return
	}
	for i := range d.Messages {
		m := &d.Messages[i]
		if m.Role != llm.Assistant {
			continue
		}
		if d.to.Quirks.Echo {
			m.Parts = thoughtful(m.Parts, d.Reason.Mode != llm.ReasonOff)
			continue
		}
		kept := m.Parts[:0]
		for j, p := range m.Parts {
			if isThought(p) {
				d.lose(at(i, j), "dropped: the upstream takes no reasoning back")
				continue
			}
			kept = append(kept, p)
		}
		m.Parts = kept
	}
}

// thoughtful is a turn with calls that has some reasoning, be it none.
func thoughtful(parts []llm.Part, thinks bool) []llm.Part {
	calls := false
	for _, p := range parts {
		if isThought(p) {
			return parts
		}
		_, call := isCall(p)
		calls = calls || call
	}
	if !calls || !thinks {
		return parts
	}
	return append([]llm.Part{&llm.Thought{Text: llm.Plain("")}}, parts...)
}
