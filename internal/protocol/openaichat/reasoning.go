package openaichat

import (
	"iter"
	"slices"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// Reasoning has no seat in OpenAI's own protocol. Vendors made four: the
// members reasoning_content and reasoning with its text, reasoning_details
// with text and seals (OpenRouter), and thinking_blocks, which are Anthropic's
// own (LiteLLM). All are read; spec: upstreams §1A.3, translation-traps A29,
// A30.

// thinkingBlock reads one of thinking_blocks, nil if it is no such block.
func thinkingBlock(v []byte) *llm.Thought {
	switch wire.Text(jsonedit.Get(v, "type")) {
	case "thinking":
		t := &llm.Thought{Text: openaiwire.String(jsonedit.Get(v, "thinking"))}
		if s := openaiwire.String(jsonedit.Get(v, "signature")); !s.Empty() {
			t.Seal = &llm.Seal{Protocol: protocol.OpenAIChat, Data: s}
		}
		return t
	case "redacted_thinking":
		return &llm.Thought{Redacted: true, Seal: &llm.Seal{Protocol: protocol.OpenAIChat, Kind: llm.Encrypted, Data: openaiwire.String(jsonedit.Get(v, "data"))}}
	}
	return nil
}

// details reads reasoning_details: entries of text or summary, and encrypted
// ones, which seal what stands before them.
func (d *decoder) details(path string, v []byte) (parts []llm.Part) {
	var last *llm.Thought
	d.each(path, v, func(_ string, e []byte) {
		if e[0] != '{' {
			return
		}
		switch wire.Text(jsonedit.Get(e, "type")) {
		case "reasoning.text":
			t := &llm.Thought{Text: openaiwire.String(jsonedit.Get(e, "text"))}
			if s := openaiwire.String(jsonedit.Get(e, "signature")); !s.Empty() {
				t.Seal = &llm.Seal{Protocol: protocol.OpenAIChat, Data: s}
			}
			parts, last = append(parts, t), t
		case "reasoning.summary":
			t := &llm.Thought{Text: openaiwire.String(jsonedit.Get(e, "summary")), Summary: true}
			parts, last = append(parts, t), t
		case "reasoning.encrypted":
			s := &llm.Seal{Protocol: protocol.OpenAIChat, Kind: llm.Encrypted, Data: openaiwire.String(jsonedit.Get(e, "data")), ID: wire.Text(jsonedit.Get(e, "id"))}
			if last != nil && last.Seal == nil {
				last.Seal = s
				return
			}
			t := &llm.Thought{Redacted: true, Seal: s}
			parts, last = append(parts, t), t
		}
	})
	// Some vendors tell that there was reasoning and nothing of it.
	return slices.DeleteFunc(parts, func(p llm.Part) bool {
		t := p.(*llm.Thought)
		return !t.Text.IsSet() && t.Seal == nil
	})
}

// appendDetail appends entries of reasoning_details for one thought.
func appendDetail(dst []byte, t llm.Text, summary bool, s *llm.Seal) []byte {
	if s != nil && s.Kind == llm.Encrypted {
		if !t.Empty() {
			dst = append(jsonw.Comma(dst), `{"type":"reasoning.summary"`...)
			dst = append(jsonw.Text(dst, "summary", t), '}')
		}
		dst = append(jsonw.Comma(dst), `{"type":"reasoning.encrypted"`...)
		if s.ID != "" {
			dst = jsonw.String(dst, "id", s.ID)
		}
		return append(jsonw.Text(dst, "data", s.Data), '}')
	}
	kind, name := "reasoning.text", "text"
	if summary {
		kind, name = "reasoning.summary", "summary"
	}
	dst = jsonw.String(append(jsonw.Comma(dst), '{'), "type", kind)
	dst = jsonw.Text(dst, name, t)
	if s != nil {
		dst = jsonw.Text(dst, "signature", s.Data)
	}
	return append(dst, '}')
}

// members yields the members of x.
func members(x llm.Extra) iter.Seq[jsonedit.Member] {
	return wire.Object(append(append([]byte{'{'}, x.Members...), '}'))
}
