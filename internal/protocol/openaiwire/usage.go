package openaiwire

import (
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/wire"
)

// Usage reads a usage object of either protocol, in the spelling of any vendor
// that is known, into counts that do not overlap (spec: upstreams §2.11). ok is
// false if v is no object or every count is zero, as some vendors fill it in:
// no answer costs nothing, so that tells nothing.
//
// The total that the upstream tells is taken for what it bills. Where its parts
// do not fit it, they are made to fit:
//   - cached tokens are part of the prompt, reasoning tokens part of the
//     completion, and never more than that (Azure's Grok reports more cached
//     tokens than prompt, OpenRouter somewhat more reasoning than completion);
//   - unless the reasoning is more than the completion by a quarter: that is no
//     rounding between tokenizers, it was counted and billed beside it (Gemini
//     behind Vercel's gateway, as its costs show);
//   - if the total exceeds prompt and completion by the reasoning, that was not
//     counted in the completion (xAI), or it was not told at all (Gemini behind
//     its OpenAI-compatible address);
//   - if it exceeds them by the prompt's audio, that was not counted in the
//     prompt (Mistral).
func Usage(v []byte) (u llm.Usage, ok bool) {
	if len(v) == 0 || v[0] != '{' {
		return u, false
	}
	var in, out, total, read, write, hit, created, reasoning int64
	for m, err := range jsonedit.Members(v) {
		if err != nil {
			break
		}
		switch string(m.Name) {
		case "prompt_tokens", "input_tokens":
			in = wire.Tokens(m.Value)
		case "completion_tokens", "output_tokens":
			out = wire.Tokens(m.Value)
		case "total_tokens":
			total = wire.Tokens(m.Value)
		case "prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens": // DeepSeek, Moonshot, Claude behind proxies
			hit = max(hit, wire.Tokens(m.Value))
		case "cache_creation_input_tokens":
			created = wire.Tokens(m.Value)
		case "reasoning_tokens":
			reasoning = max(reasoning, wire.Tokens(m.Value))
		case "prompt_tokens_details", "input_tokens_details":
			for d := range wire.Object(m.Value) {
				switch string(d.Name) {
				case "cached_tokens":
					read = wire.Tokens(d.Value)
				case "cache_write_tokens":
					write = wire.Tokens(d.Value)
				case "cache_write_tokens_details":
					u.CacheHalfDay = wire.Tokens(jsonedit.Get(d.Value, "ttl_12h_tokens"))
				case "audio_tokens":
					u.AudioIn = wire.Tokens(d.Value)
				case "image_tokens":
					u.ImageIn = wire.Tokens(d.Value)
				}
			}
		case "completion_tokens_details", "output_tokens_details":
			for d := range wire.Object(m.Value) {
				switch string(d.Name) {
				case "reasoning_tokens":
					reasoning = max(reasoning, wire.Tokens(d.Value))
				case "audio_tokens":
					u.AudioOut = wire.Tokens(d.Value)
				case "image_tokens":
					u.ImageOut = wire.Tokens(d.Value)
				}
			}
		case "server_tool_use": // as Anthropic has it, in OpenRouter's answers
			u.Searches = wire.Tokens(jsonedit.Get(m.Value, "web_search_requests"))
			u.Fetches = wire.Tokens(jsonedit.Get(m.Value, "web_fetch_requests"))
		}
	}
	if read == 0 {
		read = hit
	}
	if write == 0 {
		write = created
	}
	switch extra := total - in - out; {
	case extra <= 0 && out > 0 && reasoning > out+out/4:
		out += reasoning
	case extra <= 0:
	case extra == u.AudioIn:
		in += extra
	case extra == reasoning:
		out += extra
	case reasoning == 0 && in > 0 && out > 0:
		out, reasoning = out+extra, extra
	}
	u.CacheRead = min(read, in)
	u.CacheWrite = min(write, in-u.CacheRead)
	u.Input = in - u.CacheRead - u.CacheWrite
	u.Reasoning = min(reasoning, out)
	u.Output = out - u.Reasoning
	return u.Fitted(), u.Total() > 0
}
