package gemini

import (
	"bytes"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// keep keeps a member that has no neutral name.
func keep(x *llm.Extra, m jsonedit.Member) { x.Add(protocol.Gemini, m.Name, m.Value) }

// keepIn keeps a member of an object that is nested in what x belongs to, with
// the object's name and a dot before its own.
func keepIn(x *llm.Extra, object string, m jsonedit.Member) {
	x.Add(protocol.Gemini, append(append([]byte(object), '.'), m.Name...), m.Value)
}

// inner returns the members of x that stand in the object of a name, and the
// others.
func inner(x llm.Extra, object string) (in, out llm.Extra) {
	if x.Protocol != protocol.Gemini || !bytes.Contains(x.Members, []byte(`"`+object+`.`)) {
		return llm.Extra{}, x
	}
	for m := range wire.Object(append(append([]byte{'{'}, x.Members...), '}')) {
		if name, ok := bytes.CutPrefix(m.Name, []byte(object+".")); ok {
			in.Add(x.Protocol, name, m.Value)
		} else {
			out.Add(x.Protocol, m.Name, m.Value)
		}
	}
	return in, out
}

// rest appends those members of x that stand in no object within.
func rest(dst []byte, x llm.Extra, objects ...string) []byte {
	for _, o := range objects {
		_, x = inner(x, o)
	}
	return x.AppendTo(dst, protocol.Gemini)
}
