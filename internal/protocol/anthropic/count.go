package anthropic

import (
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
)

// maxNesting is how deep content lies within content: a message holds a tool's
// result, which holds a document, which holds texts. What lies deeper is not
// counted, since every level is one more pass over what is in it.
const maxNesting = 6

// CountText appends the texts of a request or of a count request: the system
// prompt, messages with calls, results, thinking and documents, the definitions
// of tools, and the schema of the answer. What is base64 (images, files,
// signatures, encrypted results) is no text; images and files are media.
func (*Codec) CountText(dst, body []byte) (text []byte, media int, err error) {
	c := &wire.Counted{Dst: dst}
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return dst, 0, err
		}
		switch string(m.Name) {
		case "system":
			countContent(c, m.Value, 0)
		case "messages":
			c.Each(m.Value, func(message []byte) { countMessage(c, message) })
		case "tools":
			c.Each(m.Value, func(tool []byte) { countTool(c, tool) })
		case "output_config":
			c.JSON(jsonedit.Path(m.Value, "format", "schema"))
		case "output_format": // the older place
			c.JSON(jsonedit.Get(m.Value, "schema"))
		}
	}
	return c.Dst, c.Media, c.Err
}

func countMessage(c *wire.Counted, message []byte) {
	c.Members(message, func(m jsonedit.Member) {
		switch string(m.Name) {
		case "role":
			c.Text(m.Value)
		case "content":
			countContent(c, m.Value, 0)
		}
	})
}

// countTool adds the definition of a tool, but not of one whose loading is
// deferred: the model only sees those that it searched for.
func countTool(c *wire.Counted, tool []byte) {
	if string(jsonedit.Get(tool, "defer_loading")) != "true" {
		c.JSON(tool)
	}
}

// countContent adds content: a string, a block, or an array of blocks.
func countContent(c *wire.Counted, v []byte, depth int) {
	if depth == maxNesting {
		return
	}
	c.Text(v)
	countBlock(c, v, depth)
	c.Each(v, func(block []byte) { countBlock(c, block, depth) })
}

// countBlock adds a block of any type by the members that hold text.
func countBlock(c *wire.Counted, block []byte, depth int) {
	c.Members(block, func(m jsonedit.Member) {
		switch string(m.Name) {
		case "text", "thinking", "title", "context", "url", "stdout", "stderr", "name", "tool_name":
			c.Text(m.Value)
		case "input":
			c.JSON(m.Value)
		case "content":
			countContent(c, m.Value, depth+1)
		case "source":
			c.Text(m.Value) // where a search result comes from
			countSource(c, m.Value, depth)
		}
	})
}

// countSource adds the source of an image or a document.
func countSource(c *wire.Counted, source []byte, depth int) {
	switch string(jsonedit.Get(source, "type")) {
	case `"base64"`, `"url"`, `"file"`:
		c.Media++
	case `"text"`:
		c.Text(jsonedit.Get(source, "data"))
	case `"content"`:
		countContent(c, jsonedit.Get(source, "content"), depth+1)
	}
}

// EncodeCount writes {"input_tokens":n}.
func (*Codec) EncodeCount(tokens int64) []byte {
	return append(strconv.AppendInt([]byte(`{"input_tokens":`), tokens, 10), '}')
}

// counted are the members of a request that one for its count takes; others
// are refused (spec: upstreams §1C.8).
var counted = []string{"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "mcp_servers", "cache_control", "speed"}

// AskCount implements protocol.Counted.
func (*Codec) AskCount(body []byte, _ string) (path string, count []byte) {
	return "/v1/messages/count_tokens", wire.Only(body, counted)
}

// ReadCount implements protocol.Counted.
func (*Codec) ReadCount(body []byte) (tokens int64, ok bool) {
	return jsonedit.Int(jsonedit.Get(body, "input_tokens"))
}
