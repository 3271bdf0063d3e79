package translate

import (
	"portico/internal/llm"
	"portico/internal/protocol"
)

// caching marks what is worth caching for an upstream that caches nothing
// unless it is told to, where the client's protocol has no such marks or it set
// none: the tools, the instructions, and the conversation up to its last two
// turns of the user (spec: upstreams §2.7).
func (d *draft) caching() {
	if d.b.upstream.Name() != protocol.Anthropic || marked(d.Request) {
		return
	}
	if n := len(d.Tools); n > 0 && d.Tools[n-1].Kind != llm.Server {
		d.Tools[n-1].Cache = &llm.Breakpoint{}
	}
	head := d.Head()
	if head > 0 {
		markLast(d.Messages[head-1].Parts)
	}
	for i, left := len(d.Messages)-1, 2; i >= head && left > 0; i-- {
		if d.Messages[i].Role == llm.User && markLast(d.Messages[i].Parts) {
			left--
		}
	}
}

func marked(r *llm.Request) bool {
	for i := range r.Tools {
		if r.Tools[i].Cache != nil {
			return true
		}
	}
	for i := range r.Messages {
		for _, p := range r.Messages[i].Parts {
			if cacheOf(p) != nil {
				return true
			}
		}
	}
	return false
}

func cacheOf(p llm.Part) *llm.Breakpoint {
	switch p := p.(type) {
	case *llm.Prose:
		return p.Cache
	case *llm.Blob:
		return p.Cache
	case *llm.Call:
		return p.Cache
	case *llm.Result:
		for i := len(p.Parts) - 1; i >= 0 && p.Cache == nil; i-- { // OpenAI has them within
			if b := cacheOf(p.Parts[i]); b != nil {
				return b
			}
		}
		return p.Cache
	}
	return nil
}

// markLast puts a breakpoint behind the last of parts, if it may have one.
func markLast(parts []llm.Part) bool {
	if len(parts) == 0 {
		return false
	}
	last := &parts[len(parts)-1]
	switch p := (*last).(type) {
	case *llm.Prose:
		if p.Text.Empty() {
			return false
		}
		own := *p
		own.Cache, *last = &llm.Breakpoint{}, &own
	case *llm.Blob:
		own := *p
		own.Cache, *last = &llm.Breakpoint{}, &own
	case *llm.Result:
		own := *p
		own.Cache, *last = &llm.Breakpoint{}, &own
	default:
		return false
	}
	return true
}
