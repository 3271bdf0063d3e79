package llm

import (
	"bytes"
	"encoding/json/jsontext"
	"unicode/utf8"
)

// A Text is prose, or the JSON text of a call's arguments. It holds what came
// over the wire as it came, since most of what crosses the gateway is written
// out again as it was read: a JSON string that is neither unescaped nor
// escaped on its way costs a copy and no more (spec: performance §5).
//
// The zero Text is absent. An empty Text is there and says nothing, which some
// protocols tell apart.
type Text struct {
	wire  []byte // a JSON string with its quotes, or nil
	plain []byte // the text itself, if wire is nil
	set   bool
}

// Wire returns the text whose JSON string is v, quotes included. v must be a
// sound JSON string; it is kept, not copied.
func Wire(v []byte) Text { return Text{wire: v, set: true} }

// Plain returns s as a text. s is kept.
func Plain(s string) Text { return Text{plain: []byte(s), set: true} }

// PlainBytes returns b as a text. b is kept, not copied.
func PlainBytes(b []byte) Text { return Text{plain: b, set: true} }

// IsSet reports whether there is a text, be it empty.
func (t Text) IsSet() bool { return t.set }

// Empty reports whether there is not one character.
func (t Text) Empty() bool {
	if t.wire != nil {
		return len(t.wire) <= 2
	}
	return len(t.plain) == 0
}

// Len is about how many bytes the text has: exact unless it holds escapes.
func (t Text) Len() int {
	if t.wire != nil {
		return max(len(t.wire)-2, 0)
	}
	return len(t.plain)
}

// Head is the text's first n bytes, or all of them, in the form in which it
// came: there may be escapes in it. It is not to be changed.
func (t Text) Head(n int) []byte {
	head := t.plain
	if t.wire != nil {
		head = t.wire[1 : len(t.wire)-1]
	}
	return head[:min(n, len(head)):min(n, len(head))]
}

// Runes is how many characters (Unicode code points) the text has.
func (t Text) Runes() int {
	if t.wire == nil {
		return utf8.RuneCount(t.plain)
	}
	body := t.wire[1 : len(t.wire)-1]
	if bytes.IndexByte(body, '\\') < 0 {
		return utf8.RuneCount(body)
	}
	return utf8.RuneCount(t.Append(nil))
}

// String is the text itself. A lone surrogate becomes U+FFFD.
func (t Text) String() string { return string(t.Append(nil)) }

// Append appends the text itself to dst.
func (t Text) Append(dst []byte) []byte {
	if t.wire == nil {
		return append(dst, t.plain...)
	}
	if body := t.wire[1 : len(t.wire)-1]; bytes.IndexByte(body, '\\') < 0 {
		return append(dst, body...)
	}
	if out, err := jsontext.AppendUnquote(dst, t.wire); err == nil {
		return out
	}
	n := len(dst)
	out, _ := jsontext.AppendUnquote(dst[:n], t.wire) // lone surrogates are replaced, and told as an error
	return out
}

// AppendJSON appends the text as a JSON string. Only what JSON demands is
// escaped, so that prompts keep their < and & (spec: translation-traps X2).
func (t Text) AppendJSON(dst []byte) []byte {
	if t.wire != nil {
		return append(dst, t.wire...)
	}
	dst = append(dst, '"')
	return append(t.AppendInner(dst), '"')
}

const hex = "0123456789abcdef"

// AppendInner appends the inside of the JSON string, without its quotes, so
// that texts can be joined.
func (t Text) AppendInner(dst []byte) []byte {
	if t.wire != nil {
		return append(dst, t.wire[1:len(t.wire)-1]...)
	}
	return appendEscaped(dst, t.plain)
}

func appendEscaped(dst, s []byte) []byte {
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(s[i:])
			if r != utf8.RuneError || n != 1 {
				i += n
				continue
			}
			dst = append(append(dst, s[done:i]...), "\uFFFD"...)
			i++
			done = i
			continue
		}
		dst = append(dst, s[done:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		done = i
	}
	return append(dst, s[done:]...)
}

// escapedHalf is how long an escaped half of a surrogate pair is, in bytes.
const escapedHalf = len(`\ud83d`)

// CutHalf cuts off the first half of a surrogate pair that the text ends with,
// nil if it ends with none. Servers that count in UTF-16 cut their answers there,
// and a half by itself is no character to clients that do not.
func (t Text) CutHalf() (rest Text, half []byte) {
	n := len(t.wire) - 1 - escapedHalf
	if n < 1 || t.wire[n] != '\\' || t.wire[n+1] != 'u' || t.wire[n+2]|0x20 != 'd' {
		return t, nil
	}
	if c := t.wire[n+3] | 0x20; c != '8' && c != '9' && c != 'a' && c != 'b' {
		return t, nil
	}
	slashes := 0
	for i := n - 1; i > 0 && t.wire[i] == '\\'; i-- {
		slashes++
	}
	if slashes%2 == 1 {
		return t, nil // the backslash is one of the text
	}
	rest = Wire(append(append(make([]byte, 0, n+1), t.wire[:n]...), '"'))
	return rest, t.wire[n : n+escapedHalf]
}

// After is the text behind a half that was cut off.
func (t Text) After(half []byte) Text {
	out := append(append(make([]byte, 0, len(half)+t.Len()+2), '"'), half...)
	return Wire(append(t.AppendInner(out), '"'))
}

// Equal reports whether a and b are the same text, however it is escaped.
func (t Text) Equal(b Text) bool {
	if t.wire != nil && b.wire != nil && bytes.Equal(t.wire, b.wire) {
		return true
	}
	return bytes.Equal(t.Append(nil), b.Append(nil))
}

// Join is all texts of ts one after the other, with sep between them.
func Join(ts []Text, sep string) Text {
	if len(ts) == 1 {
		return ts[0]
	}
	var out []byte
	for i, t := range ts {
		if i > 0 {
			out = append(out, sep...)
		}
		out = t.Append(out)
	}
	return PlainBytes(out)
}

// Own returns a copy that shares no memory with the wire, for what outlives
// the bytes it was read from.
func (t Text) Own() Text {
	t.wire, t.plain = bytes.Clone(t.wire), bytes.Clone(t.plain)
	return t
}
