package gemini

import (
	"encoding/json/jsontext"
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// openaiLogprobs is a logprobsResult as OpenAI's object, which is the neutral
// form, or nil if it has none.
func openaiLogprobs(v []byte) jsontext.Value {
	chosen := jsonedit.Get(v, "chosenCandidates")
	if wire.Empty(chosen) || chosen[0] != '[' {
		return nil
	}
	var tops [][]byte
	if list := jsonedit.Get(v, "topCandidates"); len(list) > 0 && list[0] == '[' {
		for e, err := range jsonedit.Elements(list) {
			if err != nil {
				break
			}
			tops = append(tops, jsonedit.Get(e, "candidates"))
		}
	}
	dst := []byte(`{"content":[`)
	i := 0
	for e, err := range jsonedit.Elements(chosen) {
		if err != nil {
			break
		}
		dst = odd(append(jsonw.Comma(dst), '{'), e)
		dst = append(jsonw.Name(dst, "top_logprobs"), '[')
		if i < len(tops) && len(tops[i]) > 0 && tops[i][0] == '[' {
			for t, err := range jsonedit.Elements(tops[i]) {
				if err != nil {
					break
				}
				dst = append(odd(append(jsonw.Comma(dst), '{'), t), '}')
			}
		}
		dst = append(dst, "]}"...)
		i++
	}
	return append(dst, `],"refusal":null}`...)
}

// odd appends the members of one token.
func odd(dst, v []byte) []byte {
	token, p := jsonedit.Get(v, "token"), jsonedit.Get(v, "logProbability")
	if token == nil {
		token = []byte(`""`)
	}
	if p == nil {
		p = []byte("0")
	}
	dst = append(jsonw.Name(jsonw.Raw(jsonw.Raw(dst, "token", token), "logprob", p), "bytes"), '[')
	for _, c := range []byte(wire.Text(token)) {
		dst = strconv.AppendInt(jsonw.Comma(dst), int64(c), 10)
	}
	return append(dst, ']')
}

// appendLogprobs appends OpenAI's object as a logprobsResult, and reports
// whether there is anything in it.
func appendLogprobs(dst []byte, v jsontext.Value) ([]byte, bool) {
	list := jsonedit.Get(v, "content")
	if wire.Empty(list) || list[0] != '[' {
		return dst, false
	}
	token := func(dst, v []byte) []byte {
		dst = append(jsonw.Comma(dst), '{')
		if t := jsonedit.Get(v, "token"); t != nil {
			dst = jsonw.Raw(dst, "token", t)
		}
		if p := jsonedit.Get(v, "logprob"); p != nil {
			dst = jsonw.Raw(dst, "logProbability", p)
		}
		return append(dst, '}')
	}
	dst = append(dst, `{"chosenCandidates":[`...)
	for e, err := range jsonedit.Elements(list) {
		if err != nil {
			break
		}
		dst = token(dst, e)
	}
	dst = append(dst, `],"topCandidates":[`...)
	for e, err := range jsonedit.Elements(list) {
		if err != nil {
			break
		}
		dst = append(jsonw.Comma(dst), `{"candidates":[`...)
		if tops := jsonedit.Get(e, "top_logprobs"); len(tops) > 0 && tops[0] == '[' {
			for t, err := range jsonedit.Elements(tops) {
				if err != nil {
					break
				}
				dst = token(dst, t)
			}
		}
		dst = append(dst, "]}"...)
	}
	return append(dst, "]}"...), true
}
