package gemini

import (
	"portico/internal/jsonedit"
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
		case "promptTokensDetails", "toolUsePromptTokensDetails":
			modalities(m.Value, &u.AudioIn, &u.ImageIn)
		case "candidatesTokensDetails":
			modalities(m.Value, &u.AudioOut, &u.ImageOut)
		}
	}
	in := prompt + tools
	u.CacheRead = min(cached, in)
	u.Input = in - u.CacheRead
	return u.Fitted(), u.Total() > 0
}

// maxModalities is how many entries of a list of counts by modality are read.
const maxModalities = 32

// modalities adds what a list of counts by modality tells of sound and pictures.
func modalities(v []byte, audio, image *int64) {
	if len(v) == 0 || v[0] != '[' {
		return
	}
	n := 0
	for e, err := range jsonedit.Elements(v) {
		if n++; err != nil || n > maxModalities {
			return
		}
		if e[0] != '{' {
			continue
		}
		switch string(jsonedit.Get(e, "modality")) {
		case `"AUDIO"`:
			*audio += wire.Tokens(jsonedit.Get(e, "tokenCount"))
		case `"IMAGE"`:
			*image += wire.Tokens(jsonedit.Get(e, "tokenCount"))
		}
	}
}
