package openaichat

import (
	"portico/internal/jsonedit"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// CountText appends the texts of a chat request: messages with their calls and
// results, the definitions of tools, and the schema of the answer.
func (*Codec) CountText(dst, body []byte) (text []byte, media int, err error) {
	c := &wire.Counted{Dst: dst}
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return dst, 0, err
		}
		switch string(m.Name) {
		case "messages":
			c.Each(m.Value, func(e []byte) { countMessage(c, e) })
		case "tools", "functions":
			c.Tools(m.Value)
		case "response_format":
			c.JSON(jsonedit.Get(m.Value, "json_schema"))
		}
	}
	return c.Dst, c.Media, c.Err
}

func countMessage(c *wire.Counted, message []byte) {
	c.Members(message, func(m jsonedit.Member) {
		switch string(m.Name) {
		case "content":
			openaiwire.CountContent(c, m.Value)
		case "role", "name", "refusal", "reasoning_content", "reasoning":
			c.Text(m.Value)
		case "tool_calls":
			c.Each(m.Value, func(call []byte) {
				countCall(c, jsonedit.Get(call, "function"))
				countCall(c, jsonedit.Get(call, "custom"))
			})
		case "function_call":
			countCall(c, m.Value)
		}
	})
}

func countCall(c *wire.Counted, call []byte) {
	c.Members(call, func(m jsonedit.Member) {
		switch string(m.Name) {
		case "name", "arguments", "input":
			c.Text(m.Value)
		}
	})
}

// EncodeCount writes the count as the Responses protocol does, since this one
// has no address for counting.
func (*Codec) EncodeCount(tokens int64) []byte { return openaiwire.EncodeCount(tokens) }
