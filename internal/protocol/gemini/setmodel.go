package gemini

import (
	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
)

// SetModel returns body with model at the places where a body repeats the name
// that is in the path, since Google refuses a request whose names differ:
// "model" itself, generateContentRequest.model of a count request, and
// requests[].model of a batch of texts to embed. A name that was written with
// its collection, "models/x", is so again. Most bodies hold no name, and are
// returned as they are.
func (*Codec) SetModel(body []byte, model string) ([]byte, error) {
	e := edit{doc: body, model: model}
	for m, err := range jsonedit.Members(body) {
		switch {
		case err != nil:
			return nil, err
		case m.Is("model"):
			e.name(m.Value, m.From)
		case m.Is("generateContentRequest") || m.Is("generate_content_request"):
			e.object(m.Value, m.From)
		case m.Is("requests") && m.Value[0] == '[':
			for r, err := range jsonedit.Elements(m.Value) {
				if err != nil {
					return nil, err
				}
				// r is a slice of m.Value, so their capacities tell its place.
				e.object(r, m.From+cap(m.Value)-cap(r))
			}
		}
	}
	return e.result(), nil
}

// An edit copies a document with other model names.
type edit struct {
	doc   []byte
	model string
	out   []byte
	done  int // bytes of doc that are in out
}

// object replaces the names in the object v, which stands at doc[at].
func (e *edit) object(v []byte, at int) {
	for m := range wire.Object(v) {
		if m.Is("model") {
			e.name(m.Value, at+m.From)
		}
	}
}

// name replaces the string v, which stands at doc[at].
func (e *edit) name(v []byte, at int) {
	was, ok := jsonedit.Unquote(v)
	if !ok {
		return
	}
	name := e.model
	if inCollection(was) && !inCollection(name) {
		name = "models/" + name
	}
	e.out = jsonedit.Quote(append(e.out, e.doc[e.done:at]...), name)
	e.done = at + len(v)
}

func (e *edit) result() []byte {
	if e.done == 0 {
		return e.doc
	}
	return append(e.out, e.doc[e.done:]...)
}
