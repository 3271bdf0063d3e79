package gemini

import (
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/wire"
)

// The bounds of a call whose arguments arrive in pieces: of them in bytes, of
// how deep they are nested, and of an index of a list.
const (
	maxPartial = 1 << 20
	maxNesting = 64
	maxIndex   = 1 << 12
)

// A partial is a call of Vertex AI whose arguments arrive in pieces, which it
// does if the client asks for it (streamFunctionCallArguments). Each piece has
// a path to where it belongs.
type partial struct {
	call    *llm.Call
	args    shoot
	size    int
	ordinal int // of the call among those of its answer
}

// continues reports whether the functionCall v begins such a call, or goes on
// with one that is under way.
func continues(v []byte, underWay bool) bool {
	named := false
	for m := range wire.Object(v) {
		switch string(camel(m.Name)) {
		case "partialArgs":
			return true
		case "willContinue":
			if string(m.Value) == "true" {
				return true
			}
		case "name":
			named = true
		}
	}
	return underWay && !named
}

// take takes the pieces in v. It reports whether the call is complete.
func (p *partial) take(v []byte) (complete bool) {
	complete = true
	for m := range wire.Object(v) {
		switch string(camel(m.Name)) {
		case "willContinue":
			complete = string(m.Value) != "true"
		case "partialArgs":
			each(m.Value, p.piece)
		}
	}
	return complete
}

// piece puts one value where its path says.
func (p *partial) piece(v []byte) {
	if p.size += len(v); p.size > maxPartial {
		return
	}
	var path string
	var value []byte
	for m := range wire.Object(v) {
		switch string(camel(m.Name)) {
		case "jsonPath":
			path = wire.Text(m.Value)
		case "stringValue", "numberValue", "boolValue":
			value = m.Value
		case "nullValue":
			value = []byte("null")
		}
	}
	if value == nil {
		return
	}
	way, ok := steps(path)
	if !ok {
		return
	}
	at := &p.args
	for _, step := range way {
		if at = at.child(step); at == nil {
			return
		}
	}
	if value[0] == '"' {
		at.text = append(at.text, value[1:len(value)-1]...)
		at.kind = '"'
		return
	}
	at.kind, at.text = 'v', append(at.text[:0], value...)
}

// done is the call with its arguments, and the id that it would have had if it
// had come at once.
func (p *partial) done(d *decoder) *llm.Call {
	if p.args.kind == 0 {
		p.args.kind = '{'
	}
	p.call.Args = llm.PlainBytes(p.args.append(nil))
	if minted(p.call.ID) {
		p.call.ID = mint(d.salt, d.turn, p.ordinal, p.call.Name, p.call.Args)
	}
	return p.call
}

// A step of a path is a name, or an index that is not negative.
type step struct {
	name  string
	index int
}

// steps are those of a path such as $.a[0]['b c']. ok is false if there is none,
// or one that nobody understands or follows.
func steps(path string) (out []step, ok bool) {
	rest := strings.TrimPrefix(path, "$")
	for rest != "" {
		s := step{index: -1}
		switch {
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			s.name, rest = rest[1:1+end], rest[1+end:]
		case len(rest) > 1 && rest[0] == '[' && (rest[1] == '\'' || rest[1] == '"'):
			name, after, ok := strings.Cut(rest[2:], rest[1:2]+"]")
			if !ok {
				return nil, false
			}
			s.name, rest = name, after
		case rest[0] == '[':
			index, after, ok := strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(index)
			if !ok || err != nil || n < 0 || n >= maxIndex {
				return nil, false
			}
			s.index, rest = n, after
		default:
			return nil, false
		}
		if out = append(out, s); len(out) > maxNesting {
			return nil, false
		}
	}
	return out, len(out) > 0
}

// A shoot is a value that grows.
type shoot struct {
	kind  byte   // '{', '[', '"', or 'v' for any other value; 0: nothing yet
	text  []byte // of a string what stands between its quotes, of a value its JSON
	names []string
	kids  []*shoot
}

// child is where a step leads to, or nil if it leads nowhere.
func (s *shoot) child(to step) *shoot {
	want := byte('{')
	if to.index >= 0 {
		want = '['
	}
	if s.kind == 0 {
		s.kind = want
	}
	if s.kind != want {
		return nil
	}
	if want == '[' {
		for len(s.kids) <= to.index {
			s.kids = append(s.kids, &shoot{})
		}
		return s.kids[to.index]
	}
	for i, name := range s.names {
		if name == to.name {
			return s.kids[i]
		}
	}
	kid := &shoot{}
	s.names, s.kids = append(s.names, to.name), append(s.kids, kid)
	return kid
}

// append appends s as JSON.
func (s *shoot) append(dst []byte) []byte {
	switch s.kind {
	case '"':
		return append(append(append(dst, '"'), s.text...), '"')
	case 'v':
		return append(dst, s.text...)
	case '{', '[':
		dst = append(dst, s.kind)
		for i, kid := range s.kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			if s.kind == '{' {
				dst = append(jsonedit.Quote(dst, s.names[i]), ':')
			}
			dst = kid.append(dst)
		}
		return append(dst, s.kind+2) // the bracket that closes it
	}
	return append(dst, "null"...)
}
