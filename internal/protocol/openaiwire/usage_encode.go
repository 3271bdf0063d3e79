package openaiwire

import (
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
)

// Losses of an answer of whose usage a protocol cannot tell all.
const (
	OneCache = "approximated: what is cached for an hour is told with what is cached for less"
	NoTools  = "dropped: the protocol does not tell how often the upstream's own tools were used"
	NoMedia  = "dropped: the protocol does not tell how much of it is sound or pictures"
)

// AppendChatUsage appends u as the usage object of Chat Completions, in which
// the prompt includes what was cached and the completion what was reasoned. lost
// is why it does not tell all, "" if it does.
func AppendChatUsage(dst []byte, u llm.Usage) (out []byte, lost string) {
	read, written := u.Read(), u.Output+u.Reasoning
	dst = jsonw.Int(append(dst, '{'), "prompt_tokens", read)
	dst = jsonw.Int(append(jsonw.Name(dst, "prompt_tokens_details"), '{'), "cached_tokens", u.CacheRead)
	dst = some(dst, "cache_write_tokens", u.CacheWrite)
	dst = append(some(some(dst, "audio_tokens", u.AudioIn), "image_tokens", u.ImageIn), '}')
	dst = jsonw.Int(dst, "completion_tokens", written)
	dst = jsonw.Int(append(jsonw.Name(dst, "completion_tokens_details"), '{'), "reasoning_tokens", u.Reasoning)
	dst = append(some(some(dst, "audio_tokens", u.AudioOut), "image_tokens", u.ImageOut), '}')
	dst = append(jsonw.Int(dst, "total_tokens", read+written), '}')
	if u.CacheHalfDay > 0 {
		return dst, OneCache
	}
	return dst, untold(u)
}

// AppendResponsesUsage appends u as the usage object of Responses. lost is as
// that of AppendChatUsage.
func AppendResponsesUsage(dst []byte, u llm.Usage) (out []byte, lost string) {
	read, written := u.Read(), u.Output+u.Reasoning
	dst = jsonw.Int(append(dst, '{'), "input_tokens", read)
	dst = jsonw.Int(append(jsonw.Name(dst, "input_tokens_details"), '{'), "cached_tokens", u.CacheRead)
	dst = some(dst, "cache_write_tokens", u.CacheWrite)
	if u.CacheHalfDay > 0 {
		dst = jsonw.Int(append(jsonw.Name(dst, "cache_write_tokens_details"), '{'), "ttl_30m_tokens", u.CacheWrite-u.CacheHalfDay)
		dst = append(jsonw.Int(dst, "ttl_12h_tokens", u.CacheHalfDay), '}')
	}
	dst = jsonw.Int(append(dst, '}'), "output_tokens", written)
	dst = append(jsonw.Int(append(jsonw.Name(dst, "output_tokens_details"), '{'), "reasoning_tokens", u.Reasoning), '}')
	dst = append(jsonw.Int(dst, "total_tokens", read+written), '}')
	if lost = untold(u); lost == "" && u.AudioIn+u.ImageIn+u.AudioOut+u.ImageOut > 0 {
		lost = NoMedia
	}
	return dst, lost
}

func untold(u llm.Usage) string {
	switch {
	case u.CacheHour > 0:
		return OneCache
	case u.Searches+u.Fetches > 0:
		return NoTools
	}
	return ""
}

// some appends a count that is told only if there is any.
func some(dst []byte, name string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return jsonw.Int(dst, name, n)
}
