package gemini

import (
	"portico/internal/llm"
	"portico/internal/protocol/wire"
)

// reasons are the finish reasons; spec: upstreams §1D.4, §2.10,
// translation-traps C14. What is not among them is StopOther.
var reasons = map[string]llm.Stop{
	"STOP": llm.StopEnd, "MAX_TOKENS": llm.StopLength,
	"SAFETY": llm.StopFilter, "RECITATION": llm.StopFilter, "LANGUAGE": llm.StopFilter, "BLOCKLIST": llm.StopFilter,
	"PROHIBITED_CONTENT": llm.StopFilter, "SPII": llm.StopFilter, "MODEL_ARMOR": llm.StopFilter,
	"IMAGE_SAFETY": llm.StopFilter, "IMAGE_PROHIBITED_CONTENT": llm.StopFilter, "IMAGE_RECITATION": llm.StopFilter,
	"MALFORMED_FUNCTION_CALL": llm.StopMalformed, "UNEXPECTED_TOOL_CALL": llm.StopMalformed, "MALFORMED_RESPONSE": llm.StopMalformed,
	"MISSING_THOUGHT_SIGNATURE": llm.StopMalformed,
	"CONTINUATION":              llm.StopPause, "TOO_MANY_TOOL_CALLS": llm.StopPause,
	"": llm.StopUnset, "FINISH_REASON_UNSPECIFIED": llm.StopUnset,
}

// numbers are the names of the enum's values, which are sent with
// $alt=json;enum-encoding=int.
var numbers = [...]string{
	"", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL",
	"IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "IMAGE_PROHIBITED_CONTENT", "IMAGE_OTHER", "NO_IMAGE", "IMAGE_RECITATION",
}

// stopOf reads a finish reason. An answer with calls stopped to have them made:
// Google says STOP, and a call that came is whole even if the limit of tokens
// cut what followed it (spec: translation-traps C15).
func stopOf(v []byte, calls bool) llm.Stop {
	name := wire.Text(v)
	if len(v) > 0 && v[0] >= '0' && v[0] <= '9' {
		if n := whole(v); n != nil && *n < int64(len(numbers)) {
			name = numbers[*n]
		} else {
			name = "OTHER"
		}
	}
	s, ok := reasons[name]
	if !ok {
		s = llm.StopOther
	}
	if calls && (s == llm.StopEnd || s == llm.StopLength || s == llm.StopUnset) {
		return llm.StopCall
	}
	return s
}

// finish is how Google says why an answer stopped.
func finish(s llm.Stop) string {
	switch s {
	case llm.StopLength, llm.StopContext:
		return "MAX_TOKENS"
	case llm.StopRefusal, llm.StopFilter:
		return "SAFETY"
	case llm.StopMalformed:
		return "MALFORMED_FUNCTION_CALL"
	case llm.StopPause, llm.StopOther:
		return "OTHER"
	}
	return "STOP"
}

// stop is why an answer stopped. A refusal that is told in words, as OpenAI's
// upstreams tell it beside an ordinary stop, has its own reason here, as it
// has no other seat.
func (s *shownAnswer) stop(why llm.Stop) llm.Stop {
	if s.refused && why == llm.StopEnd {
		return llm.StopRefusal
	}
	return why
}
