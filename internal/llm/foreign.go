package llm

import (
	"encoding/json/jsontext"
	"strconv"
	"strings"
)

// Foreign lists what stands in Extras of other protocols than protocol and so
// cannot be carried there: one Loss for each member, in the order of the
// request.
func Foreign(r *Request, protocol string) []Loss {
	w := foreign{to: protocol}
	w.extra("", r.Extra)
	for i := range r.Messages {
		m := &r.Messages[i]
		at := "messages[" + strconv.Itoa(i) + "]"
		w.extra(at, m.Extra)
		w.parts(at+".content", m.Parts)
	}
	for i := range r.Tools {
		t := &r.Tools[i]
		w.extra("tools["+strconv.Itoa(i)+"]", t.Extra)
		w.cache("tools["+strconv.Itoa(i)+"]", t.Cache)
	}
	w.extra("tool_choice", r.Choice.Extra)
	w.extra("reasoning", r.Reason.Extra)
	w.extra("output", r.Output.Extra)
	return w.out
}

type foreign struct {
	to  string
	out []Loss
}

func (w *foreign) extra(at string, x Extra) {
	if x.Protocol == w.to || len(x.Members) == 0 {
		return
	}
	for _, name := range x.Names() {
		path := name
		if at != "" {
			path = at + "." + name
		}
		w.out = append(w.out, Loss{Path: path, Why: "dropped: only " + x.Protocol + " knows it"})
	}
}

func (w *foreign) cache(at string, b *Breakpoint) {
	if b != nil {
		w.extra(at+".cache_control", b.Extra)
	}
}

func (w *foreign) parts(at string, parts []Part) {
	for i, p := range parts {
		at := at + "[" + strconv.Itoa(i) + "]"
		switch p := p.(type) {
		case *Prose:
			w.extra(at, p.Extra)
			w.cache(at, p.Cache)
		case *Refusal:
			w.extra(at, p.Extra)
		case *Thought:
			w.extra(at, p.Extra)
		case *Call:
			w.extra(at, p.Extra)
			w.cache(at, p.Cache)
		case *Result:
			w.extra(at, p.Extra)
			w.cache(at, p.Cache)
			w.parts(at+".content", p.Parts)
		case *Blob:
			w.extra(at, p.Extra)
			w.cache(at, p.Cache)
		case *Reference:
			w.extra(at, p.Extra)
		case *ServerCall:
			w.extra(at, p.Extra)
		case *ServerResult:
			w.extra(at, p.Extra)
		case *Opaque:
			// An encoder tells what it makes of it.
		}
	}
}

// Names lists the names of x's members.
func (x Extra) Names() (names []string) {
	d := jsontext.NewDecoder(strings.NewReader("{"+string(x.Members)+"}"), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if _, err := d.ReadToken(); err != nil {
		return nil
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return names
		}
		names = append(names, name.String())
		if err := d.SkipValue(); err != nil {
			return names
		}
	}
	return names
}

// Add appends the member name, whose value is JSON, as it was written.
func (x *Extra) Add(protocol string, name, value []byte) {
	x.Protocol = protocol
	if len(x.Members) > 0 {
		x.Members = append(x.Members, ',')
	}
	x.Members = append(x.Members, '"')
	x.Members = append(append(x.Members, name...), `":`...)
	x.Members = append(x.Members, value...)
}

// AppendTo appends x's members to an object that is being written in
// protocol, with a comma before each if the object is not empty.
func (x Extra) AppendTo(dst []byte, protocol string) []byte {
	if x.Protocol != protocol || len(x.Members) == 0 {
		return dst
	}
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(dst, x.Members...)
}
