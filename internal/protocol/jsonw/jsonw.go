// Package jsonw writes JSON by appending, member by member, without a tree in
// between. It keeps the commas right and nothing else; whoever writes sees to
// it that what is opened is closed.
package jsonw

import (
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/llm"
)

// Comma appends a comma unless a value stands first in what encloses it, or in
// dst.
func Comma(dst []byte) []byte {
	if len(dst) == 0 {
		return dst
	}
	switch dst[len(dst)-1] {
	case '{', '[', ',', ':':
		return dst
	}
	return append(dst, ',')
}

// Name appends the name of a member, which needs no escapes, and its colon.
func Name(dst []byte, name string) []byte {
	dst = append(Comma(dst), '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// Raw appends a member whose value is JSON.
func Raw(dst []byte, name string, v []byte) []byte { return append(Name(dst, name), v...) }

// String appends a member whose value is the text s.
func String(dst []byte, name, s string) []byte { return jsonedit.Quote(Name(dst, name), s) }

// Text appends a member whose value is the text t.
func Text(dst []byte, name string, t llm.Text) []byte { return t.AppendJSON(Name(dst, name)) }

// Int appends a member whose value is n.
func Int(dst []byte, name string, n int64) []byte { return strconv.AppendInt(Name(dst, name), n, 10) }

// Bool appends a member whose value is b.
func Bool(dst []byte, name string, b bool) []byte { return strconv.AppendBool(Name(dst, name), b) }

// Number appends a member whose value is the number n as it was written, or
// nothing if it is absent.
func Number(dst []byte, name string, n llm.Number) []byte {
	if n == "" {
		return dst
	}
	return append(Name(dst, name), n...)
}
