package openaiwire

import (
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
)

// OneCache is the loss of an answer whose cache was written for different times.
const OneCache = "approximated: what is cached for an hour is told with what is cached for less"

// AppendChatUsage appends u as the usage object of Chat Completions, in which
// the prompt includes what was cached and the completion what was reasoned.
func AppendChatUsage(dst []byte, u llm.Usage) []byte {
	return appendUsage(dst, u, "prompt_tokens", "completion_tokens")
}

// AppendResponsesUsage appends u as the usage object of Responses.
func AppendResponsesUsage(dst []byte, u llm.Usage) []byte {
	return appendUsage(dst, u, "input_tokens", "output_tokens")
}

func appendUsage(dst []byte, u llm.Usage, in, out string) []byte {
	read, written := u.Input+u.CacheRead+u.CacheWrite, u.Output+u.Reasoning
	dst = jsonw.Int(append(dst, '{'), in, read)
	dst = append(jsonw.Int(append(jsonw.Name(dst, in+"_details"), '{'), "cached_tokens", u.CacheRead), "}"...)
	if u.CacheWrite > 0 {
		dst = append(jsonw.Int(dst[:len(dst)-1], "cache_write_tokens", u.CacheWrite), '}')
	}
	dst = jsonw.Int(dst, out, written)
	dst = append(jsonw.Int(append(jsonw.Name(dst, out+"_details"), '{'), "reasoning_tokens", u.Reasoning), '}')
	return append(jsonw.Int(dst, "total_tokens", read+written), '}')
}
