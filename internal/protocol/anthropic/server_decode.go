package anthropic

import (
	"encoding/json/jsontext"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// ran are the neutral names of what the upstream ran, by the names in
// server_tool_use and by the kinds of results without "_tool_result".
var ran = map[string]string{
	"web_search":                 "web_search",
	"web_fetch":                  "web_fetch",
	"code_execution":             "code_execution",
	"bash_code_execution":        "code_execution",
	"text_editor_code_execution": "code_execution",
	"tool_search_tool_regex":     "tool_search",
	"tool_search_tool_bm25":      "tool_search",
	"tool_search":                "tool_search",
	"mcp":                        "mcp",
}

// serverCall reads a server_tool_use or an mcp_tool_use. The Extra names the
// protocol even if it is empty.
func serverCall(v []byte, kind string) *llm.ServerCall {
	c := &llm.ServerCall{Extra: llm.Extra{Protocol: protocol.Anthropic}}
	if kind == "mcp_tool_use" {
		c.Name = "mcp"
	}
	for m := range wire.Object(v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "id":
			c.ID = wire.Text(m.Value)
		case "name":
			if c.Name != "mcp" {
				name := wire.Text(m.Value)
				if c.Name = ran[name]; c.Name == "" {
					c.Name = name
				}
				if c.Name == name {
					continue // else it is needed to write the block again
				}
			}
			keep(&c.Extra, m)
		case "input":
			c.Input = jsontext.Value(m.Value)
			c.Query = query(m.Value)
		default:
			keep(&c.Extra, m)
		}
	}
	return c
}

// query is what a hosted tool was asked.
func query(input []byte) llm.Text {
	for _, name := range []string{"query", "url", "code", "command", "pattern", "path"} {
		if t := openaiwire.String(jsonedit.Get(input, name)); !t.Empty() {
			return t
		}
	}
	return llm.Text{}
}

// serverResult reads the result of a hosted tool. It is kept whole.
func serverResult(v []byte, kind string) *llm.ServerResult {
	kind = kind[:len(kind)-len("_tool_result")]
	r := &llm.ServerResult{
		CallID: wire.Text(jsonedit.Get(v, "tool_use_id")), Name: ran[kind],
		Failed: string(jsonedit.Get(v, "is_error")) == "true",
		Raw:    jsontext.Value(v), Extra: llm.Extra{Protocol: protocol.Anthropic},
	}
	if r.Name == "" {
		r.Name = kind
	}
	content := jsonedit.Get(v, "content")
	switch {
	case len(content) == 0:
	case content[0] == '"':
		r.Text = llm.Wire(content)
	case content[0] == '{':
		outcome(r, content)
	case content[0] == '[':
		found(r, content)
	}
	return r
}

// found reads a list: what a search found, or the texts of a tool server.
func found(r *llm.ServerResult, list []byte) {
	var said []byte
	for e, err := range jsonedit.Elements(list) {
		if err != nil {
			break
		}
		if wire.Text(jsonedit.Get(e, "type")) == "web_search_result" {
			r.Sources = append(r.Sources, llm.Citation{URL: wire.Text(jsonedit.Get(e, "url")), Title: wire.Text(jsonedit.Get(e, "title"))})
			continue
		}
		said = line(said, jsonedit.Get(e, "text"))
	}
	say(r, said)
}

// outcome reads a single result: a page, the output of code, tools, an error.
func outcome(r *llm.ServerResult, v []byte) {
	if code := jsonedit.Get(v, "error_code"); code != nil {
		r.Failed = true
		say(r, line(line(nil, code), jsonedit.Get(v, "error_message")))
		return
	}
	var said []byte
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "url":
			r.Sources = append(r.Sources, llm.Citation{URL: wire.Text(m.Value), Title: wire.Text(jsonedit.Path(v, "content", "title"))})
		case "stdout", "stderr", "text":
			said = line(said, m.Value)
		case "content":
			said = line(said, m.Value)
			if src := jsonedit.Get(m.Value, "source"); wire.Text(jsonedit.Get(src, "type")) == "text" {
				said = line(said, jsonedit.Get(src, "data"))
			}
		case "tool_references":
			if m.Value[0] != '[' {
				continue
			}
			for e, err := range jsonedit.Elements(m.Value) {
				if err == nil {
					said = line(said, jsonedit.Get(e, "tool_name"))
				}
			}
		}
	}
	say(r, said)
}

// say sets the text of a result, without the last line end.
func say(r *llm.ServerResult, said []byte) {
	if len(said) > 0 {
		r.Text = llm.PlainBytes(said[:len(said)-1])
	}
}
