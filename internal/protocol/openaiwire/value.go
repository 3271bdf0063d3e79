package openaiwire

import (
	"bytes"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
)

// String is the JSON string v as a text, or no text if v is no string.
func String(v []byte) llm.Text {
	if len(v) == 0 || v[0] != '"' {
		return llm.Text{}
	}
	return llm.Wire(v)
}

// Bool is v, or nil if v is no boolean.
func Bool(v []byte) *bool {
	switch string(v) {
	case "true":
		return new(true)
	case "false":
		return new(false)
	}
	return nil
}

// Whole is v, or nil if v is no whole number.
func Whole(v []byte) *int64 {
	n, ok := jsonedit.Int(v)
	if !ok {
		return nil
	}
	return &n
}

// Number is v as it is written, or "" if v is no number.
func Number(v []byte) llm.Number {
	if len(v) == 0 || v[0] != '-' && (v[0] < '0' || v[0] > '9') {
		return ""
	}
	return llm.Number(v)
}

// DataURL splits the data: URL whose JSON string is v into its media type and
// its base64. ok is false for any other URL.
func DataURL(v []byte) (mime string, data llm.Text, ok bool) {
	if !bytes.HasPrefix(v, []byte(`"data:`)) {
		return "", llm.Text{}, false
	}
	head, rest, found := bytes.Cut(v[len(`"data:`):], []byte(","))
	if !found {
		return "", llm.Text{}, false
	}
	kind, base64 := strings.CutSuffix(strings.ReplaceAll(string(head), `\/`, "/"), ";base64")
	if !base64 {
		return "", llm.Text{}, false
	}
	kind, _, _ = strings.Cut(kind, ";")
	if bytes.IndexByte(rest, '\\') >= 0 { // base64 with escaped slashes
		s, _ := jsonedit.Unquote(append([]byte{'"'}, rest...))
		return kind, llm.Plain(s), true
	}
	return kind, llm.PlainBytes(rest[:len(rest)-1]), true
}

// Sniff tells an image's media type from the first characters of its base64
// (spec: translation-traps A41).
func Sniff(data llm.Text) string {
	head := data.AppendInner(make([]byte, 0, data.Len()))
	for _, s := range []struct{ base64, mime string }{{"/9j/", "image/jpeg"}, {"iVBORw", "image/png"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"}} {
		if bytes.HasPrefix(head, []byte(s.base64)) {
			return s.mime
		}
	}
	return "image/png"
}
