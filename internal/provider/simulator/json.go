package simulator

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"strconv"

	"portico/internal/jsonedit"
)

// absent is the value of a member that is left out.
type absent struct{}

// given returns v, or absent unless ok.
func given(ok bool, v any) any {
	if ok {
		return v
	}
	return absent{}
}

// object writes a JSON object of name and value pairs in the order given.
// Values are what appendValue takes.
func object(pairs ...any) jsontext.Value {
	dst := []byte{'{'}
	for i := 0; i+1 < len(pairs); i += 2 {
		if _, out := pairs[i+1].(absent); out {
			continue
		}
		if len(dst) > 1 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, pairs[i].(string))
		dst = appendValue(append(dst, ':'), pairs[i+1])
	}
	return append(dst, '}')
}

// list writes a JSON array.
func list(items ...jsontext.Value) jsontext.Value { return appendValue(nil, items) }

func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendString(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	case jsontext.Value:
		if len(v) == 0 {
			return append(dst, "null"...)
		}
		return append(dst, v...)
	case []jsontext.Value:
		return appendList(dst, v, func(dst []byte, v jsontext.Value) []byte { return appendValue(dst, v) })
	case []string:
		return appendList(dst, v, appendString)
	case []float32:
		return appendList(dst, v, func(dst []byte, f float32) []byte {
			return strconv.AppendFloat(dst, float64(f), 'g', -1, 32)
		})
	}
	return append(dst, "null"...)
}

func appendList[T any](dst []byte, items []T, one func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, v := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, v)
	}
	return append(dst, ']')
}

// appendString quotes s; bytes that are no UTF-8 become U+FFFD, which is all
// that the error of AppendQuote would tell.
func appendString(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// decode reads a request as tolerantly as upstreams do: unknown and repeated
// members and stray bytes are no errors.
func decode(body []byte, v any, more ...json.Options) error {
	more = append(more, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return json.Unmarshal(body, v, more...)
}

// textOrParts reads what may be a string, one part or a list of parts.
func textOrParts[T any](v jsontext.Value, opts ...json.Options) (text string, parts []T, err error) {
	switch v.Kind() {
	case '"':
		err = decode(v, &text, opts...)
	case '[':
		err = decode(v, &parts, opts...)
	case '{':
		parts = make([]T, 1)
		err = decode(v, &parts[0], opts...)
	}
	return text, parts, err
}

// stringOrList reads what may be a string or a list of strings. Anything else
// is none.
func stringOrList(v jsontext.Value) []string {
	switch v.Kind() {
	case '"':
		return []string{str(v)}
	case '[':
		var ss []string
		if decode(v, &ss) == nil {
			return ss
		}
	}
	return nil
}

// str is the string v, or "" if v is no string.
func str(v jsontext.Value) string {
	s, _ := jsonedit.Unquote(v)
	return s
}

// whole64 is the whole number v, which may stand in a string as Google's JSON
// has it, or nil if v is none.
func whole64(v jsontext.Value) *int64 {
	if v.Kind() == '"' {
		v = jsontext.Value(str(v))
	}
	if len(v) == 0 || v.Kind() != '0' {
		return nil
	}
	n, ok := jsonedit.Int(v)
	if !ok {
		return nil
	}
	return &n
}

// oneLine returns v without line ends, for a place that copies it into an
// event. v is shared where it has none.
func oneLine(v jsontext.Value) jsontext.Value {
	if bytes.IndexByte(v, '\n') < 0 && bytes.IndexByte(v, '\r') < 0 {
		return v
	}
	c := v.Clone()
	if err := c.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil // decoding has found it sound
	}
	return c
}
