package anthropic

import "portico/internal/llm"

const (
	bytesPerToken  = 4    // of a usual text
	tokensPerMedia = 1500 // of an image or a page
)

// estimate is about how many tokens a request has, for clients that want a
// number before there is one. It counts bytes and looks at nothing.
func estimate(r *llm.Request) int64 {
	if r == nil {
		return 0
	}
	var bytes, media int
	for i := range r.Tools {
		t := &r.Tools[i]
		if !t.Deferred {
			bytes += len(t.Name) + t.Description.Len() + len(t.Schema) + len(t.Config)
		}
	}
	for i := range r.Messages {
		b, m := size(r.Messages[i].Parts)
		bytes, media = bytes+b, media+m
	}
	return int64(bytes/bytesPerToken + media*tokensPerMedia)
}

// size is how many bytes of text parts have, and how many media.
func size(parts []llm.Part) (bytes, media int) {
	for _, p := range parts {
		switch p := p.(type) {
		case *llm.Prose:
			bytes += p.Text.Len()
		case *llm.Refusal:
			bytes += p.Text.Len()
		case *llm.Thought:
			bytes += p.Text.Len()
		case *llm.Call:
			bytes += len(p.Name) + p.Args.Len()
		case *llm.Result:
			b, m := size(p.Parts)
			bytes, media = bytes+b, media+m
		case *llm.Blob:
			if bytes += p.Prose.Len(); !p.Prose.IsSet() {
				media++
			}
		case *llm.ServerResult:
			bytes += p.Text.Len()
		case *llm.Opaque:
			bytes += p.Alt.Len()
		}
	}
	return bytes, media
}
