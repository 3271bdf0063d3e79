package gemini

import (
	"bytes"
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// CountText appends the texts of a count request in either form, contents
// alone or a whole generateContentRequest, or of a generateContent or embed
// request: contents with their calls and results, the system's instruction,
// the definitions of tools, and the schema of the answer. Names may be in camel
// or snake case, as Google takes both.
func (*Codec) CountText(dst, body []byte) (text []byte, media int, err error) {
	c := &wire.Counted{Dst: dst}
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return dst, 0, err
		}
		switch string(m.Name) {
		case "generateContentRequest", "generate_content_request":
			c.Members(m.Value, func(m jsonedit.Member) { countMember(c, m) })
		default:
			countMember(c, m)
		}
	}
	return c.Dst, c.Media, c.Err
}

// countMember counts a member of a request.
func countMember(c *wire.Counted, m jsonedit.Member) {
	switch string(m.Name) {
	case "contents", "content", "systemInstruction", "system_instruction":
		c.Text(m.Value)
		countContent(c, m.Value)
		c.Each(m.Value, func(e []byte) { countContent(c, e) })
	case "requests": // a batch of texts to embed
		c.Each(m.Value, func(r []byte) { countContent(c, jsonedit.Get(r, "content")) })
	case "tools":
		c.Tools(m.Value)
	case "generationConfig", "generation_config":
		c.Members(m.Value, func(m jsonedit.Member) {
			switch string(m.Name) {
			case "responseSchema", "response_schema", "responseJsonSchema", "response_json_schema":
				c.JSON(m.Value)
			}
		})
	}
}

func countContent(c *wire.Counted, content []byte) {
	c.Members(content, func(m jsonedit.Member) {
		switch string(m.Name) {
		case "role":
			c.Text(m.Value)
		case "parts":
			c.Each(m.Value, func(p []byte) { countPart(c, p) })
			countPart(c, m.Value) // one part without an array is taken, too
		}
	})
}

// countPart counts a part; signatures are not read as text.
func countPart(c *wire.Counted, part []byte) {
	c.Members(part, func(m jsonedit.Member) {
		switch string(m.Name) {
		case "text":
			c.Text(m.Value)
		case "inlineData", "inline_data", "fileData", "file_data":
			if !wire.Empty(m.Value) {
				c.Media++
			}
		case "functionCall", "function_call", "functionResponse", "function_response", "toolCall", "tool_call", "toolResponse", "tool_response":
			c.Members(m.Value, func(m jsonedit.Member) {
				switch string(m.Name) {
				case "name", "toolType", "tool_type":
					c.Text(m.Value)
				case "args", "response":
					c.JSON(m.Value)
				case "parts": // media that a function returned
					c.Each(m.Value, func(p []byte) { countPart(c, p) })
				}
			})
		case "executableCode", "executable_code", "codeExecutionResult", "code_execution_result":
			c.Text(jsonedit.Get(m.Value, "code"))
			c.Text(jsonedit.Get(m.Value, "output"))
		}
	})
}

// EncodeCount writes {"totalTokens":n}.
func (*Codec) EncodeCount(tokens int64) []byte {
	return append(strconv.AppendInt([]byte(`{"totalTokens":`), tokens, 10), '}')
}

// AskCount implements protocol.Counted. Google counts instructions and tools
// only in a whole request, which names its model.
func (*Codec) AskCount(body []byte, model string) (path string, count []byte) {
	path, ok := SetPathModel("/models/m:countTokens", model)
	if !ok {
		return "", nil
	}
	count = jsonw.String([]byte(`{"generateContentRequest":{`), "model", "models/"+strings.TrimPrefix(model, "models/"))
	if inner := bytes.TrimSpace(body); len(inner) > 2 {
		count = append(append(count, ','), inner[1:len(inner)-1]...)
	}
	return path, append(count, "}}"...)
}

// ReadCount implements protocol.Counted.
func (*Codec) ReadCount(body []byte) (tokens int64, ok bool) {
	return jsonedit.Int(jsonedit.Get(body, "totalTokens"))
}
