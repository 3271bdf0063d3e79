package translate

import (
	"bytes"
	"encoding/json/jsontext"
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// Some tools are declared by a type only: the vendor's own models know their
// schemas by heart. Those that the client runs itself can be told to any model
// as plain functions (spec: upstreams §2.4). What an upstream runs has a
// counterpart elsewhere or not, which the codecs know.

// A builtin is such a tool.
type builtin struct {
	prefix      string // of its type
	name        string // unless it is declared with another
	description string
	schema      string
	call        string // OpenAI's: the type of a call, "" for an ordinary one
	holds       string // … and the member that holds what Args are
}

var anthropics = []builtin{
	{
		prefix: "bash_", name: "bash",
		description: "Runs a command in a bash session that stays open between calls.",
		schema:      `{"type":"object","properties":{"command":{"type":"string","description":"The command to run. Required unless restart is true."},"restart":{"type":"boolean","description":"Starts the session anew."}}}`,
	},
	{
		prefix: "text_editor_20250728", name: "str_replace_based_edit_tool", description: editing,
		schema: editor(`"view","create","str_replace","insert"`, `"insert_text":{"type":"string","description":"For insert: the text to insert."},`),
	},
	{
		prefix: "text_editor_20250429", name: "str_replace_based_edit_tool", description: editing,
		schema: editor(`"view","create","str_replace","insert"`, ""),
	},
	{
		prefix: "text_editor_", name: "str_replace_editor", description: editing,
		schema: editor(`"view","create","str_replace","insert","undo_edit"`, ""),
	},
	{
		prefix: "memory_", name: "memory",
		description: "Keeps files below /memories that outlive the conversation. Look there first for what is known already.",
		schema: `{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert","delete","rename"]},"path":{"type":"string","description":"A file or folder below /memories. Required for all commands but rename."},` +
			`"view_range":{"type":"array","items":{"type":"integer"},"description":"For view: the first and last line to show."},"file_text":{"type":"string","description":"For create: what the file shall hold."},` +
			`"old_str":{"type":"string","description":"For str_replace: the text to replace."},"new_str":{"type":"string","description":"For str_replace: the text in its place."},` +
			`"insert_line":{"type":"integer","description":"For insert: the line behind which to insert."},"insert_text":{"type":"string","description":"For insert: the text to insert."},` +
			`"old_path":{"type":"string","description":"For rename."},"new_path":{"type":"string","description":"For rename."}},"required":["command"]}`,
	},
}

const editing = "Views, creates and edits text files."

func editor(commands, more string) string {
	return `{"type":"object","properties":{"command":{"type":"string","enum":[` + commands + `]},"path":{"type":"string","description":"Absolute path of a file or folder."},` +
		`"view_range":{"type":"array","items":{"type":"integer"},"description":"For view: the first and last line to show, from 1; -1 is the end."},"file_text":{"type":"string","description":"For create: what the file shall hold."},` +
		`"old_str":{"type":"string","description":"For str_replace: the text to replace, which stands exactly once in the file."},"new_str":{"type":"string","description":"The text in its place."},` + more +
		`"insert_line":{"type":"integer","description":"For insert: the line behind which to insert, 0 for the beginning."}},"required":["command","path"]}`
}

var openAIs = []builtin{
	{
		prefix: "shell", name: "shell", call: "shell_call", holds: "action",
		description: "Runs shell commands on the user's machine, each of them in order, and returns what they print.",
		schema:      `{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"},"description":"The commands to run."},"timeout_ms":{"type":"integer"},"max_output_length":{"type":"integer"}},"required":["commands"]}`,
	},
	{
		prefix: "local_shell", name: "local_shell", call: "local_shell_call", holds: "action",
		description: "Runs a program on the user's machine and returns what it prints.",
		schema:      `{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"},"description":"The program and its arguments."},"timeout_ms":{"type":"integer"},"working_directory":{"type":"string"},"env":{"type":"object","additionalProperties":{"type":"string"}}},"required":["command"]}`,
	},
	{
		prefix: "apply_patch", name: "apply_patch", call: "apply_patch_call", holds: "operation",
		description: "Creates, changes or deletes a file by a diff in the V4A format.",
		schema:      `{"type":"object","properties":{"type":{"type":"string","enum":["create_file","update_file","delete_file"]},"path":{"type":"string"},"diff":{"type":"string","description":"The change in the V4A diff format; not for delete_file."}},"required":["type","path"]}`,
	},
}

// builtinOf is the tool that t declares, nil if it is no such tool.
func builtinOf(t *llm.Tool) *builtin {
	kind := wire.Text(jsonedit.Get(t.Config, "type"))
	switch t.Extra.Protocol {
	case protocol.Anthropic:
		for i := range anthropics {
			if strings.HasPrefix(kind, anthropics[i].prefix) {
				return &anthropics[i]
			}
		}
	case protocol.OpenAIResponses:
		for i := range openAIs {
			if kind == openAIs[i].prefix {
				return &openAIs[i]
			}
		}
	}
	return nil
}

// placeholder is a tool that Claude Code declares so that its own vendor keeps
// a search for tools switched on; no model must call it (spec: clients §2.2).
const placeholder = "DeferredToolPlaceholder"

// hosted turns the tools that clients run themselves into functions, and shows
// the model what it would have to search for.
func (d *draft) hosted() {
	searches := d.b.upstream.Name() == protocol.Anthropic && d.to.Fit.Native
	kept := d.Tools[:0]
	for i := range d.Tools {
		t := d.Tools[i]
		if t.Name == placeholder && t.Deferred {
			continue
		}
		if t.Kind == llm.Server && t.Server == "tool_search" && !searches {
			d.lose("tools["+strconv.Itoa(i)+"]", "emulated: all tools are shown to the model, which searches for none")
			continue
		}
		t.Deferred = t.Deferred && searches
		if b := builtinOf(&t); t.Kind == llm.Server && b != nil {
			name := t.Name
			if name == "" {
				name = b.name
			}
			d.lose("tools["+strconv.Itoa(i)+"]", "emulated: the model is told of "+t.Server+" as of any function, which its own vendor's models know by heart")
			for j := range d.Choice.Tools {
				if ref := &d.Choice.Tools[j]; ref.Kind == llm.Server && ref.Name == t.Server {
					*ref = llm.ToolRef{Name: name}
				}
			}
			if b.call != "" {
				if d.items == nil {
					d.items = map[string]string{}
				}
				d.items[name] = b.call
			}
			t = llm.Tool{Name: name, Description: llm.Plain(b.description), Schema: jsontext.Value(b.schema), Cache: t.Cache}
		}
		kept = append(kept, t)
	}
	d.Tools = kept
	if d.Protocol == protocol.OpenAIResponses {
		d.ownItems()
	}
}

// ownItems turns the items by which OpenAI's own tools are called and answered
// into calls and results.
func (d *draft) ownItems() {
	for i := range d.Messages {
		parts := d.Messages[i].Parts
		for j, p := range parts {
			o, ok := p.(*llm.Opaque)
			if !ok || o.Protocol != protocol.OpenAIResponses {
				continue
			}
			for k := range openAIs {
				switch b := &openAIs[k]; o.Kind {
				case b.call:
					parts[j] = b.callOf(o.Raw)
				case b.call + "_output":
					parts[j] = resultOf(o.Raw)
				}
			}
		}
	}
}

func itemID(raw []byte) string {
	if id := wire.Text(jsonedit.Get(raw, "call_id")); id != "" {
		return id
	}
	return wire.Text(jsonedit.Get(raw, "id"))
}

func (b *builtin) callOf(raw []byte) *llm.Call {
	return &llm.Call{ID: itemID(raw), Name: b.name, Args: llm.PlainBytes(jsonedit.Get(raw, b.holds))}
}

func resultOf(raw []byte) *llm.Result {
	r := &llm.Result{CallID: itemID(raw), Failed: wire.Text(jsonedit.Get(raw, "status")) == "failed"}
	if out := jsonedit.Get(raw, "output"); len(out) > 0 && out[0] == '"' {
		r.Parts = []llm.Part{&llm.Prose{Text: llm.Wire(out)}}
	} else if len(out) > 0 {
		r.Parts = []llm.Part{&llm.Prose{Text: llm.PlainBytes(out)}}
	}
	return r
}

// ownCall is c as the item of OpenAI's by which the client's tool is called, or
// nil if its arguments are none.
func ownCall(c *llm.Call, item string) *llm.Opaque {
	args := c.Args.Append(nil)
	if len(args) == 0 || args[0] != '{' || !jsontext.Value(args).IsValid() {
		return nil
	}
	var holds string
	for i := range openAIs {
		if openAIs[i].call == item {
			holds = openAIs[i].holds
		}
	}
	raw := append([]byte(`{"type":"`), item...)
	raw = append(raw, `","id":`...)
	raw = jsonedit.Quote(raw, item[:2]+"_"+c.ID)
	raw = append(raw, `,"call_id":`...)
	raw = jsonedit.Quote(raw, c.ID)
	raw = append(raw, `,"status":"completed","`...)
	raw = append(append(raw, holds...), `":`...)
	if item == "local_shell_call" && jsonedit.Get(args, "type") == nil {
		raw = append(raw, `{"type":"exec"`...)
		if args = bytes.TrimLeft(args[1:], " \t\r\n"); args[0] != '}' {
			raw = append(raw, ',')
		}
	}
	raw = append(append(raw, args...), '}')
	return &llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: item, Raw: raw}
}
