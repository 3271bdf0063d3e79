package anthropic

import (
	"encoding/json/jsontext"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// kinds are the tools that have a type: what it begins with and the neutral
// name. The version behind it says which revision is meant. Of bash,
// text_editor, memory, computer and browser the client runs the calls, which
// are ordinary ones, but the model knows their schemas by heart.
var kinds = []struct{ prefix, neutral string }{
	{"web_search_", "web_search"},
	{"web_fetch_", "web_fetch"},
	{"code_execution_", "code_execution"},
	{"tool_search_tool_", "tool_search"},
	{"mcp_toolset", "mcp"},
	{"computer_", "computer"},
	{"browser_", "browser"},
	{"bash_", "bash"},
	{"text_editor_", "text_editor"},
	{"memory_", "memory"},
	{"advisor_", "advisor"},
}

// neutral is the neutral name of a type of tool, or the type itself.
func neutral(kind string) string {
	for _, k := range kinds {
		if strings.HasPrefix(kind, k.prefix) {
			return k.neutral
		}
	}
	return kind
}

func (d *decoder) tool(path string, v []byte) {
	if v[0] != '{' {
		d.bad(path, "it must be an object")
		return
	}
	if kind := wire.Text(jsonedit.Get(v, "type")); kind != "" && kind != "custom" {
		d.r.Tools = append(d.r.Tools, llm.Tool{
			Kind:     llm.Server,
			Server:   neutral(kind),
			Name:     wire.Text(jsonedit.Get(v, "name")),
			Deferred: string(jsonedit.Get(v, "defer_loading")) == "true",
			Config:   jsontext.Value(v),
			Extra:    llm.Extra{Protocol: protocol.Anthropic},
		})
		return
	}
	t := llm.Tool{}
	for m := range wire.Object(v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "name":
			t.Name = wire.Text(m.Value)
		case "description":
			t.Description = openaiwire.String(m.Value)
		case "input_schema":
			t.Schema = jsontext.Value(m.Value)
		case "strict":
			t.Strict = openaiwire.Bool(m.Value)
		case "defer_loading":
			t.Deferred = string(m.Value) == "true"
		case "cache_control":
			t.Cache = breakpoint(m.Value)
		default:
			keep(&t.Extra, m)
		}
	}
	d.r.Tools = append(d.r.Tools, t)
}

// server takes an entry of mcp_servers, which is where a tool server is: a
// tool in the neutral language, as it is for OpenAI.
func (d *decoder) server(path string, v []byte) {
	if v[0] != '{' {
		d.bad(path, "it must be an object")
		return
	}
	d.r.Tools = append(d.r.Tools, llm.Tool{
		Kind: llm.Server, Server: "mcp", Name: wire.Text(jsonedit.Get(v, "name")),
		Config: jsontext.Value(v), Extra: llm.Extra{Protocol: protocol.Anthropic},
	})
}

// isServer reports whether t is an entry of mcp_servers.
func isServer(t *llm.Tool) bool {
	return t.Kind == llm.Server && t.Server == "mcp" && t.Extra.Protocol == protocol.Anthropic &&
		wire.Text(jsonedit.Get(t.Config, "type")) != "mcp_toolset"
}

func (d *decoder) choice() {
	v := d.chosen
	if wire.Null(v) {
		return
	}
	if v[0] != '{' {
		d.bad("tool_choice", "it must be an object")
		return
	}
	c := &d.r.Choice
	var kind, name string
	for m := range wire.Object(v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
			kind = wire.Text(m.Value)
		case "name":
			name = wire.Text(m.Value)
		case "disable_parallel_tool_use":
			if b := openaiwire.Bool(m.Value); b != nil {
				d.r.Parallel = new(!*b)
			}
		default:
			keep(&c.Extra, m)
		}
	}
	switch kind {
	case "auto":
		c.Mode = llm.ChoiceAuto
	case "none":
		c.Mode = llm.ChoiceNone
	case "any":
		c.Mode = llm.ChoiceRequired
	case "tool":
		c.Mode, c.Tools = llm.ChoiceNamed, []llm.ToolRef{d.ref(name)}
	default:
		d.bad("tool_choice.type", "%q is none of auto, any, tool and none", kind)
	}
}

// ref is the tool that has a name.
func (d *decoder) ref(name string) llm.ToolRef {
	for i := range d.r.Tools {
		if t := &d.r.Tools[i]; t.Kind == llm.Server && t.Name == name && !isServer(t) {
			return llm.ToolRef{Kind: llm.Server, Name: t.Server}
		}
	}
	return llm.ToolRef{Name: name}
}

// breakpoint reads a cache_control, nil if it is none.
func breakpoint(v []byte) *llm.Breakpoint {
	if len(v) == 0 || v[0] != '{' {
		return nil
	}
	b := &llm.Breakpoint{}
	for m := range wire.Object(v) {
		switch {
		case wire.Null(m.Value):
		case string(m.Name) == "type" && wire.Text(m.Value) == "ephemeral":
		case string(m.Name) == "ttl" && wire.Text(m.Value) != "":
			b.TTL = wire.Text(m.Value)
		default:
			keep(&b.Extra, m)
		}
	}
	return b
}
