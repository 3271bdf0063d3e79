package openaiwire

import (
	"encoding/json/jsontext"
	"strconv"

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

// Content adds the content of a message or of a tool's result: a string, or
// an array of parts in the spelling of either protocol. What a part names by
// a URL, as base64 or by the id of a file is one piece of media.
func (c *Counted) Content(v []byte) {
	c.Text(v)
	c.Each(v, func(part []byte) {
		c.Members(part, func(m jsonedit.Member) {
			switch string(m.Name) {
			case "text", "refusal":
				c.Text(m.Value)
			case "type":
				switch string(m.Value) {
				case `"image_url"`, `"input_audio"`, `"file"`, `"input_image"`, `"input_file"`:
					c.Media++
				}
			}
		})
	})
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

// EncodeCount writes {"object":"response.input_tokens","input_tokens":n}.
func EncodeCount(n int64) []byte {
	return append(strconv.AppendInt([]byte(`{"object":"response.input_tokens","input_tokens":`), n, 10), '}')
}
