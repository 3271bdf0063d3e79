package openairesponses

import (
	"portico/internal/llm"
	"portico/internal/protocol"
)

// Inline reports whether b, which is at an address, has to be sent by its bytes:
// only sound has no seat for one.
func (*Codec) Inline(_ *protocol.Fit, b *llm.Blob) bool { return b.URL != "" && b.Kind == llm.Audio }
