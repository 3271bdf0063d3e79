package translate

import (
	"bytes"
	"slices"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// billingMark begins the text by which Claude Code tells its vendor what to
// bill.
var billingMark = []byte("x-anthropic-billing-header:")

// billing takes that text out. It is no instruction, it is for nobody else's
// eyes, and since it changes all the time the upstream's prompt cache would
// never find anything (spec: translation-traps A42).
func (d *draft) billing() {
	if d.Protocol != protocol.Anthropic {
		return
	}
	for i := range d.Head() {
		parts := d.Messages[i].Parts
		kept := parts[:0]
		for j, p := range parts {
			if bills(p) {
				d.lose(at(i, j), "dropped: Claude Code's billing line is for Anthropic alone")
				continue
			}
			kept = append(kept, p)
		}
		d.Messages[i].Parts = kept
	}
	d.Messages = slices.DeleteFunc(d.Messages, func(m llm.Message) bool { return m.Role.IsInstruction() && len(m.Parts) == 0 })
}

func bills(p llm.Part) bool {
	switch p := p.(type) {
	case *llm.Prose:
		return bytes.Equal(p.Text.Head(len(billingMark)), billingMark)
	case *llm.Opaque: // as the codec keeps it
		return p.Protocol == protocol.Anthropic && p.Kind == "attribution"
	}
	return false
}
