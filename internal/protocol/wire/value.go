package wire

import (
	"iter"

	"portico/internal/jsonedit"
)

// Null reports whether v is absent or null.
func Null(v []byte) bool { return len(v) == 0 || string(v) == "null" }

// Empty reports whether v is absent, null, false, or an empty string, array or
// object: whether it carries nothing.
func Empty(v []byte) bool {
	switch {
	case Null(v), string(v) == "false":
		return true
	case v[0] == '"':
		return len(v) == 2
	case v[0] == '[' || v[0] == '{':
		for _, c := range v[1 : len(v)-1] {
			if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				return false
			}
		}
		return true
	}
	return false
}

// StringLen is the length of the JSON string v without its quotes, escapes as
// they are written, or 0 if v is no string.
func StringLen(v []byte) int64 {
	if len(v) < 2 || v[0] != '"' {
		return 0
	}
	return int64(len(v) - 2)
}

// Text is the JSON string v, or "" if v is no string.
func Text(v []byte) string {
	s, _ := jsonedit.Unquote(v)
	return s
}

// Object yields the members of v if it is an object, and those before the
// defect if it is not a sound one.
func Object(v []byte) iter.Seq[jsonedit.Member] { return ObjectIn(nil, v) }

// ObjectIn is Object for a v of which o may know more.
func ObjectIn(o *jsonedit.Outline, v []byte) iter.Seq[jsonedit.Member] {
	return func(yield func(jsonedit.Member) bool) {
		if len(v) == 0 || v[0] != '{' {
			return
		}
		for m, err := range o.Members(v) {
			if err != nil || !yield(m) {
				return
			}
		}
	}
}

// maxTokens is the largest count that is believed; more would be a defect of
// the upstream, and sums of such numbers could overflow.
const maxTokens = 1 << 40

// Tokens is the count v, between 0 and about 10^12, or 0 if v is no whole
// number.
func Tokens(v []byte) int64 {
	n, ok := jsonedit.Int(v)
	if !ok {
		return 0
	}
	return min(max(n, 0), maxTokens)
}
