package gemini

import (
	"portico/internal/llm"
	"portico/internal/protocol/wire"
)

// usage reads a usageMetadata into counts that do not overlap (spec: upstreams
// §2.11). The prompt includes what was read from a cache, and the candidates do
// not include the thoughts; what the upstream's own tools added to the prompt
// is counted beside it and billed as input. ok is false if v is no object or
// every count is zero.
//
// It comes with every chunk and counts from the beginning, so the last one
// holds.
func usage(v []byte) (u llm.Usage, ok bool) {
	var prompt, cached, tools int64
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "promptTokenCount":
			prompt = wire.Tokens(m.Value)
		case "cachedContentTokenCount":
			cached = wire.Tokens(m.Value)
		case "toolUsePromptTokenCount":
			tools = wire.Tokens(m.Value)
		case "candidatesTokenCount":
			u.Output = wire.Tokens(m.Value)
		case "thoughtsTokenCount":
			u.Reasoning = wire.Tokens(m.Value)
		}
	}
	in := prompt + tools
	u.CacheRead = min(cached, in)
	u.Input = in - u.CacheRead
	return u, u.Total() > 0
}
