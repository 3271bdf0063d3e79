// Package jsonedit reads and changes single members of a JSON object and
// leaves every other byte of it alone: order, spacing, number spelling,
// duplicate names, unknown members.
//
// It looks at structure only (strings, brackets, separators): a value that it
// skips is not checked further, since the upstream checks it anyway. That
// makes one pass over a megabyte of conversation cost a fraction of a
// millisecond and no allocation.
package jsonedit

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"iter"
)

// MaxDepth is how deep values may be nested.
const MaxDepth = 512

var (
	// ErrNotObject is returned for a document that is not a JSON object.
	ErrNotObject = errors.New("the body is not a JSON object")
	// ErrDepth is returned for a document nested deeper than MaxDepth.
	ErrDepth = fmt.Errorf("the body is nested deeper than %d levels", MaxDepth)
	// ErrCut is returned for a document that ends too early.
	ErrCut = errors.New("the body ends in the middle of a JSON value")
)

// A SyntaxError says where the structure is broken.
type SyntaxError struct{ Offset int }

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("the body is not valid JSON at byte %d", e.Offset)
}

// A Member is one member of an object: Name as its quoted text without the
// quotes (escapes not resolved), Value without surrounding space, which starts
// at byte From of the document.
type Member struct {
	Name  []byte
	Value []byte
	From  int
}

// Is reports whether the member's name is name, also if it is written with
// escapes.
func (m Member) Is(name string) bool {
	if string(m.Name) == name {
		return true
	}
	if bytes.IndexByte(m.Name, '\\') < 0 {
		return false
	}
	s, ok := Unquote(append(append([]byte{'"'}, m.Name...), '"'))
	return ok && s == name
}

// Members yields the members of the object doc in order, duplicates included.
// A broken structure ends the iteration with an error, given once with a zero
// Member. Text after the object is an error.
func Members(doc []byte) iter.Seq2[Member, error] { return members(nil, doc) }

func members(o *Outline, doc []byte) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		base := o.offset(doc)
		i := space(doc, 0)
		if i == len(doc) || doc[i] != '{' {
			yield(Member{}, ErrNotObject)
			return
		}
		i = space(doc, i+1)
		if i < len(doc) && doc[i] == '}' {
			if j := space(doc, i+1); j != len(doc) {
				yield(Member{}, &SyntaxError{j})
			}
			return
		}
		for {
			if i >= len(doc) {
				yield(Member{}, ErrCut)
				return
			}
			if doc[i] != '"' {
				yield(Member{}, &SyntaxError{i})
				return
			}
			end, err := skipString(doc, i)
			if err != nil {
				yield(Member{}, err)
				return
			}
			m := Member{Name: doc[i+1 : end-1]}
			i = space(doc, end)
			if i >= len(doc) {
				yield(Member{}, ErrCut)
				return
			}
			if doc[i] != ':' {
				yield(Member{}, &SyntaxError{i})
				return
			}
			m.From = space(doc, i+1)
			if end, err = o.skip(doc, m.From, base); err != nil {
				yield(Member{}, err)
				return
			}
			m.Value = doc[m.From:end]
			if !yield(m, nil) {
				return
			}
			i = space(doc, end)
			if i >= len(doc) {
				yield(Member{}, ErrCut)
				return
			}
			if doc[i] == '}' {
				if j := space(doc, i+1); j != len(doc) {
					yield(Member{}, &SyntaxError{j})
				}
				return
			}
			if doc[i] != ',' {
				yield(Member{}, &SyntaxError{i})
				return
			}
			i = space(doc, i+1)
		}
	}
}

// Elements yields the elements of the array doc in order. A broken structure
// ends the iteration with an error.
func Elements(doc []byte) iter.Seq2[[]byte, error] { return elements(nil, doc) }

func elements(o *Outline, doc []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		base := o.offset(doc)
		i := space(doc, 0)
		if i == len(doc) || doc[i] != '[' {
			yield(nil, &SyntaxError{i})
			return
		}
		if i = space(doc, i+1); i < len(doc) && doc[i] == ']' {
			return
		}
		for {
			end, err := o.skip(doc, i, base)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(doc[i:end], nil) {
				return
			}
			i = space(doc, end)
			switch {
			case i >= len(doc):
				yield(nil, ErrCut)
				return
			case doc[i] == ']':
				return
			case doc[i] != ',':
				yield(nil, &SyntaxError{i})
				return
			}
			i = space(doc, i+1)
		}
	}
}

// Get returns the value of the last member name of the object doc, or nil if
// there is none or doc is no sound object.
func Get(doc []byte, name string) []byte { return get(nil, doc, name) }

func get(o *Outline, doc []byte, name string) []byte {
	var v []byte
	for m, err := range members(o, doc) {
		if err != nil {
			return nil
		}
		if m.Is(name) {
			v = m.Value
		}
	}
	return v
}

// Path follows names through nested objects and returns the value, or nil.
func Path(doc []byte, names ...string) []byte {
	for _, n := range names {
		if doc = Get(doc, n); doc == nil {
			return nil
		}
	}
	return doc
}

// Replace returns a copy of the object doc in which the value of every
// top-level member name is value, which is JSON; n is how many there were.
func Replace(doc []byte, name string, value []byte) (out []byte, n int, err error) {
	out = make([]byte, 0, len(doc)+len(value))
	done := 0
	for m, err := range Members(doc) {
		if err != nil {
			return nil, 0, err
		}
		if m.Is(name) {
			out = append(append(out, doc[done:m.From]...), value...)
			done = m.From + len(m.Value)
			n++
		}
	}
	return append(out, doc[done:]...), n, nil
}

// Unquote returns the text of the JSON string v.
func Unquote(v []byte) (string, bool) {
	if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
		return "", false
	}
	if in := v[1 : len(v)-1]; bytes.IndexByte(in, '\\') < 0 && bytes.IndexByte(in, '"') < 0 {
		return string(in), true
	}
	b, err := jsontext.AppendUnquote(nil, v)
	return string(b), err == nil
}

// Quote appends s to dst as a JSON string.
func Quote(dst []byte, s string) []byte {
	out, err := jsontext.AppendQuote(dst, s)
	if err != nil { // invalid UTF-8; AppendQuote has written it with replacement characters
		return out
	}
	return out
}

// Int returns the value of the JSON number v if it is a whole number that fits
// an int64; 1.0 and 1e3 are whole.
func Int(v []byte) (int64, bool) {
	var n int64
	neg := false
	for i, c := range v {
		switch {
		case c == '-' && i == 0 && len(v) > 1:
			neg = true
		case c < '0' || c > '9' || n > 1<<59:
			return slowInt(v)
		default:
			n = n*10 + int64(c-'0')
		}
	}
	if neg {
		n = -n
	}
	return n, len(v) > 0
}

// Skip returns the index after the JSON value that starts at doc[i].
func Skip(doc []byte, i int) (int, error) {
	if i >= len(doc) {
		return 0, ErrCut
	}
	switch c := doc[i]; {
	case c == '"':
		return skipString(doc, i)
	case c == '{' || c == '[':
		return skipNested(doc, i)
	case c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z':
		j := i + 1
		for j < len(doc) && !ends[doc[j]] {
			j++
		}
		if !scalar(doc[i:j]) {
			return 0, &SyntaxError{i}
		}
		return j, nil
	default:
		return 0, &SyntaxError{i}
	}
}

// ends are the bytes that may follow a number or a literal.
var ends = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ',': true, ']': true, '}': true, ':': true, '"': true, '{': true, '[': true}

func scalar(v []byte) bool {
	switch v[0] {
	case 't':
		return string(v) == "true"
	case 'f':
		return string(v) == "false"
	case 'n':
		return string(v) == "null"
	}
	for _, c := range v {
		if (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' {
			return false
		}
	}
	return true
}

// skipNested skips the object or array at doc[i]. It keeps the kinds of open
// brackets as bits, so that a mismatch is seen.
func skipNested(doc []byte, i int) (int, error) {
	var kinds [MaxDepth / 64]uint64 // bit set: object
	depth := 0
	for i < len(doc) {
		switch doc[i] {
		case '"':
			end, err := skipString(doc, i)
			if err != nil {
				return 0, err
			}
			i = end
			continue
		case '{', '[':
			if depth == MaxDepth {
				return 0, ErrDepth
			}
			if doc[i] == '{' {
				kinds[depth/64] |= 1 << (depth % 64)
			} else {
				kinds[depth/64] &^= 1 << (depth % 64)
			}
			depth++
		case '}', ']':
			depth--
			if (kinds[depth/64]>>(depth%64)&1 == 1) != (doc[i] == '}') {
				return 0, &SyntaxError{i}
			}
			if depth == 0 {
				return i + 1, nil
			}
		}
		i++
	}
	return 0, ErrCut
}

// skipString skips the string whose opening quote is doc[i].
func skipString(doc []byte, i int) (int, error) {
	for j := i + 1; ; {
		k := bytes.IndexByte(doc[j:], '"')
		if k < 0 {
			return 0, ErrCut
		}
		j += k
		n := 0 // backslashes before the quote
		for doc[j-1-n] == '\\' {
			n++
		}
		if j++; n%2 == 0 {
			return j, nil
		}
	}
}

func space(doc []byte, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\n' || doc[i] == '\t' || doc[i] == '\r') {
		i++
	}
	return i
}
