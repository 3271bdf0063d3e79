package openaichat

import (
	"portico/internal/llm"
	"portico/internal/protocol"
)

// Inline reports whether b, which is at an address, has to be sent by its bytes.
func (*Codec) Inline(fit *protocol.Fit, b *llm.Blob) bool { return inline(fit, b) }

// inline: sound has no seat for an address, and OpenAI's own documents neither.
func inline(fit *protocol.Fit, b *llm.Blob) bool {
	return b.URL != "" && (b.Kind == llm.Audio || b.Kind == llm.Document && fit.Native)
}
