package wire

import (
	"encoding/json/jsontext"
	"slices"

	"portico/internal/jsonedit"
)

// A Counted gathers what costs tokens in a request. It keeps the first error.
type Counted struct {
	Dst   []byte // texts, each followed by a line end
	Media int    // images, documents and sounds
	Err   error
}

// Text adds the JSON string v; anything else is passed over.
func (c *Counted) Text(v []byte) {
	if c.Err != nil || len(v) == 0 || v[0] != '"' {
		return
	}
	c.Dst, c.Err = jsontext.AppendUnquote(c.Dst, v)
	c.Dst = append(c.Dst, '\n')
}

// JSON adds v as it is written, if it carries anything: a schema, or a call's
// arguments as an object.
func (c *Counted) JSON(v []byte) {
	if !Empty(v) {
		c.Dst = append(append(c.Dst, v...), '\n')
	}
}

// Each calls f for every element of the array v, if it is one.
func (c *Counted) Each(v []byte, f func(e []byte)) {
	if len(v) == 0 || v[0] != '[' {
		return
	}
	for e, err := range jsonedit.Elements(v) {
		if err != nil {
			c.fail(err)
			return
		}
		f(e)
	}
}

// Members calls f for every member of the object v, if it is one.
func (c *Counted) Members(v []byte, f func(m jsonedit.Member)) {
	if len(v) == 0 || v[0] != '{' {
		return
	}
	for m, err := range jsonedit.Members(v) {
		if err != nil {
			c.fail(err)
			return
		}
		f(m)
	}
}

// Tools adds the definitions of tools, whose types and names cost tokens as
// much as their schemas do.
func (c *Counted) Tools(v []byte) {
	c.Each(v, c.JSON)
}

func (c *Counted) fail(err error) {
	if c.Err == nil {
		c.Err = err
	}
}

// Only is the object v with those members alone that names lists, as they are.
func Only(v []byte, names []string) []byte {
	out := []byte{'{'}
	for m, err := range jsonedit.Members(v) {
		if err != nil {
			break
		}
		if !slices.ContainsFunc(names, m.Is) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), m.Name...), `":`...)
		out = append(out, m.Value...)
	}
	return append(out, '}')
}
