package openaichat

import (
	"encoding/base64"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
)

// maxSound bounds the sound that is held, in bytes. What goes beyond it is
// told as a part of its own.
const maxSound = 4 << 20

// sound takes a delta of the answer spoken: its words are the text, as in a
// whole answer, and its samples are one part once they are there. A stream
// carries 16 bits a sample and nothing else (spec: upstreams §1A.2).
func (c *choiceDecoder) sound(dst []llm.Event, v []byte) []llm.Event {
	if len(v) == 0 || v[0] != '{' {
		return dst
	}
	dst = c.grow(dst, openText, jsonedit.Get(v, "transcript"))
	data := openaiwire.String(jsonedit.Get(v, "data"))
	if data.Empty() {
		return dst
	}
	raw, err := base64.StdEncoding.AppendDecode(c.heard, data.Append(nil))
	if err != nil {
		return dst // what is no base64 is no sound
	}
	if c.heard = raw; len(raw) >= maxSound {
		dst = c.tellSound(dst)
	}
	return dst
}

// tellSound tells what was heard as a part.
func (c *choiceDecoder) tellSound(dst []llm.Event) []llm.Event {
	if len(c.heard) == 0 {
		return dst
	}
	b := &llm.Blob{Kind: llm.Audio, Type: "audio/pcm", Data: llm.Plain(base64.StdEncoding.EncodeToString(c.heard)), Extra: llm.Extra{Protocol: protocol.OpenAIChat}}
	c.heard = nil
	dst = append(c.close(dst), llm.Event{Kind: llm.Whole, Answer: c.answer, Part: c.parts, What: b})
	c.parts++
	return dst
}
