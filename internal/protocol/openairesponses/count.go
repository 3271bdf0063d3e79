package openairesponses

import (
	"portico/internal/jsonedit"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// CountText appends the texts of a Responses request or of a request to
// /responses/input_tokens: instructions, items, the definitions of tools and
// the schema of the answer. Encrypted reasoning is left out: how many tokens
// it stands for cannot be seen.
func (*Codec) CountText(dst, body []byte) (text []byte, media int, err error) {
	c := &wire.Counted{Dst: dst}
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return dst, 0, err
		}
		switch string(m.Name) {
		case "instructions":
			c.Text(m.Value)
		case "input":
			c.Text(m.Value)
			c.Each(m.Value, func(item []byte) { countItem(c, item) })
		case "tools":
			c.Tools(m.Value)
		case "text":
			if f := jsonedit.Get(m.Value, "format"); string(jsonedit.Get(f, "type")) == `"json_schema"` {
				c.JSON(f)
			}
		}
	}
	return c.Dst, c.Media, c.Err
}

// countItem adds one item of the input: a message, a call, a result or
// reasoning.
func countItem(c *wire.Counted, item []byte) {
	c.Members(item, func(m jsonedit.Member) {
		switch string(m.Name) {
		case "role", "name", "arguments", "input", "code":
			c.Text(m.Value)
		case "content", "output", "summary":
			openaiwire.CountContent(c, m.Value)
		case "tools":
			c.Tools(m.Value)
		case "action", "operation", "results", "outputs":
			c.JSON(m.Value)
		}
	})
}

// EncodeCount writes {"object":"response.input_tokens","input_tokens":n}.
func (*Codec) EncodeCount(tokens int64) []byte { return openaiwire.EncodeCount(tokens) }

// counted are the members of a request that one for its count takes (spec:
// schemas openai-openapi, TokenCountsBody).
var counted = []string{"model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "truncation", "parallel_tool_calls", "previous_response_id", "conversation"}

// AskCount implements protocol.Counted.
func (*Codec) AskCount(body []byte, _ string) (path string, count []byte) {
	return "/responses/input_tokens", wire.Only(body, counted)
}

// ReadCount implements protocol.Counted.
func (*Codec) ReadCount(body []byte) (tokens int64, ok bool) {
	return jsonedit.Int(jsonedit.Get(body, "input_tokens"))
}
