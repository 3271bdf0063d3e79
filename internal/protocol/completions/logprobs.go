package completions

import (
	"strconv"
	"unicode/utf8"

	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
)

// logprobs appends a chat's logprobs in the older form: four arrays of the same
// length, in place of one array of objects. text_offset counts characters from
// the beginning of the choice's text.
func (e *Encoder) logprobs(dst, v []byte, at *choice) []byte {
	list := jsonedit.Get(v, "content")
	if !e.r.logprobs && e.r.Best.Of == 0 || len(list) == 0 || list[0] != '[' {
		return append(dst, "null"...)
	}
	var names, probs, tops, offsets []byte
	for t, err := range jsonedit.Elements(list) {
		if err != nil {
			break
		}
		name := wire.Text(jsonedit.Get(t, "token"))
		if names != nil {
			names, probs, tops, offsets = append(names, ','), append(probs, ','), append(tops, ','), append(offsets, ',')
		}
		names = jsonedit.Quote(names, name)
		probs = appendNumber(probs, jsonedit.Get(t, "logprob"))
		tops = appendTop(tops, jsonedit.Get(t, "top_logprobs"))
		offsets = strconv.AppendInt(offsets, int64(at.offset), 10)
		at.offset += utf8.RuneCountInString(name)
	}
	dst = append(append(dst, `{"tokens":[`...), names...)
	dst = append(append(dst, `],"token_logprobs":[`...), probs...)
	dst = append(append(dst, `],"top_logprobs":[`...), tops...)
	dst = append(append(dst, `],"text_offset":[`...), offsets...)
	return append(dst, "]}"...)
}

// appendTop writes [{"token":…,"logprob":…}] as {token: logprob}. Of tokens
// that are spelled alike the first, likeliest, counts.
func appendTop(dst, list []byte) []byte {
	if len(list) == 0 || list[0] != '[' {
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	seen := make(map[string]bool, maxLogprobs)
	for t, err := range jsonedit.Elements(list) {
		name := wire.Text(jsonedit.Get(t, "token"))
		if err != nil || len(seen) == maxLogprobs {
			break
		}
		if seen[name] {
			continue
		}
		if len(seen) > 0 {
			dst = append(dst, ',')
		}
		seen[name] = true
		dst = jsonedit.Quote(dst, name)
		dst = appendNumber(append(dst, ':'), jsonedit.Get(t, "logprob"))
	}
	return append(dst, '}')
}

// appendNumber writes the JSON number v, or null if it is none.
func appendNumber(dst, v []byte) []byte {
	if f, err := strconv.ParseFloat(string(v), 64); err == nil && f-f == 0 {
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
	return append(dst, "null"...)
}
