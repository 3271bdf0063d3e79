package openaiwire

import (
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
)

// CountContent adds to c the content of a message or of a tool's result: a
// string, or an array of parts in the spelling of either protocol. What a part
// names by a URL, as base64 or by the id of a file is one piece of media.
func CountContent(c *wire.Counted, v []byte) {
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

// EncodeCount writes {"object":"response.input_tokens","input_tokens":n}.
func EncodeCount(n int64) []byte {
	return append(strconv.AppendInt([]byte(`{"object":"response.input_tokens","input_tokens":`), n, 10), '}')
}
