package schema

import (
	"bytes"
	"slices"

	"portico/internal/jsonedit"
)

// A node is a schema taken apart: its keywords in order, each once. Values are
// slices of the document or were put together from such. It serves for the
// members of properties, too.
type node []keyword

type keyword struct {
	name  string // as it is written, escapes not resolved
	value []byte
}

// parse takes the object raw apart. Of a keyword that is repeated the last one
// counts. ok is false if raw is no object but true, false or no schema at all.
func (p *pass) parse(raw []byte) (n node, ok bool) {
	if !isObject(raw) {
		return nil, false
	}
	p.work -= len(raw)
	n = make(node, 0, 8)
	for m, err := range jsonedit.Members(raw) {
		if err != nil {
			break // it was skipped as sound
		}
		n = n.with(string(m.Name), m.Value)
	}
	return n, true
}

// get is the value of a keyword, or nil.
func (n node) get(name string) []byte {
	for i := range n {
		if n[i].name == name {
			return n[i].value
		}
	}
	return nil
}

func (n node) has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return n.get(name) != nil })
}

// with is n with a keyword set, in its place if it has one. It may write into
// n.
func (n node) with(name string, value []byte) node {
	for i := range n {
		if n[i].name == name {
			n[i].value = value
			return n
		}
	}
	return append(n, keyword{name, value})
}

// without is a copy of n that lacks some keywords.
func (n node) without(names ...string) node {
	out := make(node, 0, len(n)+1)
	for _, k := range n {
		if !slices.Contains(names, k.name) {
			out = append(out, k)
		}
	}
	return out
}

// over is base with the keywords of n set over it.
func (n node) over(base node) node {
	out := slices.Clone(base)
	for _, k := range n {
		out = out.with(k.name, k.value)
	}
	return out
}

// raw writes n as an object.
func (n node) raw() []byte {
	out := []byte{'{'}
	for _, k := range n {
		out = append(member(out, k.name), k.value...)
	}
	return append(out, '}')
}

// member appends the name of a member that is written as name, with its colon
// and the comma that it needs.
func member(dst []byte, name string) []byte {
	dst = append(comma(dst), '"')
	return append(append(dst, name...), '"', ':')
}

func comma(dst []byte) []byte {
	switch dst[len(dst)-1] {
	case '{', '[':
		return dst
	}
	return append(dst, ',')
}

// elements are the elements of the array raw, or nil.
func elements(raw []byte) (out [][]byte) {
	if !isArray(raw) {
		return nil
	}
	for e, err := range jsonedit.Elements(raw) {
		if err != nil {
			break
		}
		out = append(out, e)
	}
	return out
}

// array writes es as an array.
func array(es [][]byte) []byte {
	out := []byte{'['}
	for _, e := range es {
		out = append(comma(out), e...)
	}
	return append(out, ']')
}

// union is a followed by what of b is not in it.
func union(a, b [][]byte) [][]byte {
	out := slices.Clone(a)
	for _, e := range b {
		if !contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

func contains(list [][]byte, e []byte) bool {
	return slices.ContainsFunc(list, func(x []byte) bool { return bytes.Equal(x, e) })
}

func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }
func isArray(raw []byte) bool  { return len(raw) > 0 && raw[0] == '[' }
func isString(raw []byte) bool { return len(raw) > 0 && raw[0] == '"' }
func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}

// text is the JSON string v, or "" if v is none.
func text(v []byte) string {
	s, _ := jsonedit.Unquote(v)
	return s
}
