package gemini

import (
	"bytes"
	"encoding/json/jsontext"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A tree is a JSON value in which numbers keep their text: an object (map), an
// array (slice), or any other value as it is written.
type tree any

type object = map[string]tree

// grow reads v.
func grow(t *testing.T, v []byte) tree {
	t.Helper()
	d := jsontext.NewDecoder(bytes.NewReader(v), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	x, err := growNext(d)
	if err != nil {
		t.Fatalf("no JSON: %v\n%s", err, v)
	}
	return x
}

func growNext(d *jsontext.Decoder) (tree, error) {
	switch d.PeekKind() {
	case '{':
		out := object{}
		if _, err := d.ReadToken(); err != nil {
			return nil, err
		}
		for d.PeekKind() != '}' {
			name, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			if out[key], err = growNext(d); err != nil {
				return nil, err
			}
		}
		_, err := d.ReadToken()
		return out, err
	case '[':
		out := []tree{}
		if _, err := d.ReadToken(); err != nil {
			return nil, err
		}
		for d.PeekKind() != ']' {
			x, err := growNext(d)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
		_, err := d.ReadToken()
		return out, err
	case '"':
		tok, err := d.ReadToken()
		return `"` + tok.String(), err
	}
	v, err := d.ReadValue()
	return string(v), err
}

// differ says where a and b differ first, "" if nowhere.
func differ(at string, a, b tree) string {
	switch a := a.(type) {
	case object:
		b, ok := b.(object)
		if !ok {
			return at + ": an object and none"
		}
		names := make([]string, 0, len(a)+len(b))
		for n := range a {
			names = append(names, n)
		}
		for n := range b {
			if _, ok := a[n]; !ok {
				return fmt.Sprintf("%s.%s: not there and %v", at, n, b[n])
			}
		}
		slices.Sort(names)
		for _, n := range names {
			if _, ok := b[n]; !ok {
				return fmt.Sprintf("%s.%s: %v and not there", at, n, a[n])
			}
			if d := differ(at+"."+n, a[n], b[n]); d != "" {
				return d
			}
		}
	case []tree:
		b, ok := b.([]tree)
		if !ok || len(a) != len(b) {
			return fmt.Sprintf("%s: %v and %v", at, a, b)
		}
		for i := range a {
			if d := differ(fmt.Sprintf("%s[%d]", at, i), a[i], b[i]); d != "" {
				return d
			}
		}
	default:
		if a != b {
			return fmt.Sprintf("%s: %v and %v", at, a, b)
		}
	}
	return ""
}

// verbatim are the members whose values are the client's own and no business of
// the protocol's.
var verbatim = []string{"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "partMetadata", "labels", "structValue"}

// tidy puts a request into the one form in which Google and this package write
// it: names in camel case, no nulls, one list for all functions. What means
// nothing goes: the role of the instructions, thought: false.
func tidy(x tree) tree {
	switch x := x.(type) {
	case object:
		out := object{}
		for n, v := range x {
			n = string(camel([]byte(n)))
			if v == "null" || n == "thought" && v == "false" {
				continue
			}
			if !slices.Contains(verbatim, n) {
				v = tidy(v)
			}
			switch n {
			case "data":
				v = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(v.(string)), "=")
			case "mode", "thinkingLevel":
				v = strings.ToUpper(v.(string))
			}
			out[n] = v
		}
		return out
	case []tree:
		out := make([]tree, len(x))
		for i := range x {
			out[i] = tidy(x[i])
		}
		return out
	}
	return x
}

func tidyRequest(x tree) tree {
	r, ok := tidy(x).(object)
	if !ok {
		return x
	}
	if in, ok := r["generateContentRequest"].(object); ok {
		r = in
	}
	delete(r, "model")
	if s, ok := r["systemInstruction"].(object); ok {
		delete(s, "role")
		if one, ok := s["parts"].(object); ok {
			s["parts"] = []tree{one}
		}
	} else if s, ok := r["systemInstruction"].(string); ok {
		r["systemInstruction"] = object{"parts": []tree{object{"text": s}}}
	}
	if one, ok := r["tools"].(object); ok {
		r["tools"] = []tree{one}
	}
	tools, _ := r["tools"].([]tree)
	var functions []tree
	hosted := []tree{}
	for _, tool := range tools {
		for n, v := range tool.(object) {
			if n == "functionDeclarations" {
				functions = append(functions, v.([]tree)...)
			} else {
				hosted = append(hosted, object{n: v})
			}
		}
	}
	if functions != nil {
		hosted = append([]tree{object{"functionDeclarations": functions}}, hosted...)
	}
	if r["tools"] = hosted; len(hosted) == 0 {
		delete(r, "tools")
	}
	contents, _ := r["contents"].([]tree)
	for _, c := range contents {
		c, ok := c.(object)
		if !ok {
			continue
		}
		if c["role"] == nil || c["role"] == `"function` {
			c["role"] = `"user`
		}
	}
	for _, n := range []string{"toolConfig", "generationConfig"} {
		if o, ok := r[n].(object); ok && len(o) == 0 {
			delete(r, n)
		}
	}
	return r
}
