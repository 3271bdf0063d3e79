package openairesponses

import (
	"encoding/json/jsontext"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// input reads the conversation: a string, or items. Items of the model that
// follow one another become one message, as do results of tools, since that is
// how all other protocols group them (spec: upstreams §2.4).
func (d *decoder) input(v []byte) {
	switch {
	case wire.Null(v):
		return
	case v[0] == '"':
		d.r.Messages = append(d.r.Messages, llm.Message{Role: llm.User, Parts: []llm.Part{&llm.Prose{Text: llm.Wire(v)}}})
		return
	case v[0] != '[':
		d.bad("input", "it must be a string or an array of items")
		return
	}
	var last itemSide
	d.each("input", v, func(path string, e []byte) {
		if e[0] != '{' {
			d.bad(path, "it must be an object")
			return
		}
		role, parts, side := d.item(path, e)
		if len(parts) == 0 && side == sideNone {
			return
		}
		if side != sideMessage && side == last && len(d.r.Messages) > 0 {
			m := &d.r.Messages[len(d.r.Messages)-1]
			m.Parts = append(m.Parts, parts...)
			return
		}
		last = side
		d.r.Messages = append(d.r.Messages, llm.Message{Role: role, Parts: parts})
	})
}

// itemSide says with what an item is grouped.
type itemSide uint8

const (
	sideNone    itemSide = iota
	sideMessage          // a message of its own
	sideModel            // a turn of the model
	sideResults          // results of tools
)

var roles = map[string]llm.Role{"system": llm.System, "developer": llm.Developer, "user": llm.User, "assistant": llm.Assistant}

// item reads one item. An item with a role and without a type is a message.
func (d *decoder) item(path string, v []byte) (llm.Role, []llm.Part, itemSide) {
	kind := wire.Text(d.doc.Get(v, "type"))
	switch kind {
	case "message", "":
		return d.message(path, v)
	case "reasoning":
		return llm.Assistant, []llm.Part{d.reasoning(v)}, sideModel
	case "function_call", "custom_tool_call":
		return llm.Assistant, []llm.Part{d.call(v, kind)}, sideModel
	case "function_call_output", "custom_tool_call_output":
		return llm.User, []llm.Part{d.result(path, v, kind)}, sideResults
	case "web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call":
		return llm.Assistant, d.server(v, kind), sideModel
	case "additional_tools": // tools that join in mid-conversation
		d.each(path+".tools", d.doc.Get(v, "tools"), func(path string, e []byte) { d.found(path, e) })
		return llm.Developer, []llm.Part{&llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: kind, Raw: jsontext.Value(v)}}, sideMessage
	case "tool_search_output": // what a search found may be called from now on
		if list := d.doc.Get(v, "tools"); len(list) > 0 && list[0] == '[' {
			d.each(path+".tools", list, func(path string, e []byte) { d.found(path, e) })
		}
		return llm.User, []llm.Part{&llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: kind, Raw: jsontext.Value(v), Alt: alternative(v, kind)}}, sideResults
	}
	side, role := sideModel, llm.Assistant
	if strings.HasSuffix(kind, "_output") || kind == "mcp_approval_response" {
		side, role = sideResults, llm.User
	}
	return role, []llm.Part{&llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: kind, Raw: jsontext.Value(v), Alt: alternative(v, kind)}}, side
}

// found adds a tool that is not declared yet.
func (d *decoder) found(path string, v []byte) {
	before := len(d.r.Tools)
	d.tool(path, "", v)
	for i := len(d.r.Tools) - 1; i >= before; i-- {
		d.r.Tools[i].Joined = true
		for j := range before {
			a, b := &d.r.Tools[i], &d.r.Tools[j]
			if a.Name == b.Name && a.Namespace == b.Namespace && a.Kind == b.Kind {
				b.Deferred = false
				d.r.Tools = append(d.r.Tools[:i], d.r.Tools[i+1:]...)
				break
			}
		}
	}
}

// alternative says what a foreign reader may know of an item: its text, if it
// has one.
func alternative(v []byte, kind string) llm.Text {
	for _, name := range []string{"output", "text", "summary"} {
		if t := openaiwire.String(jsonedit.Get(v, name)); !t.Empty() {
			return llm.Plain("[" + kind + "] " + t.String())
		}
	}
	return llm.Text{}
}

func (d *decoder) message(path string, v []byte) (llm.Role, []llm.Part, itemSide) {
	name := wire.Text(d.doc.Get(v, "role"))
	role, ok := roles[name]
	if name == "" && d.r.Protocol == "" { // of an answer, in which only the model speaks
		role, ok = llm.Assistant, true
	}
	if !ok {
		d.bad(path+".role", "%q is none of user, assistant, system and developer", name)
		return 0, nil, sideNone
	}
	var extra llm.Extra
	var parts []llm.Part
	for m := range wire.ObjectIn(d.doc, v) {
		switch string(m.Name) {
		case "type", "role":
		case "content":
			parts = d.content(path+".content", m.Value)
		default: // id, status, phase: they belong to the item
			d.keep(&extra, jsonedit.Member{Name: append([]byte("message."), m.Name...), Value: m.Value})
		}
	}
	if len(parts) > 0 {
		mark(parts[0], extra)
	}
	side := sideMessage
	if role == llm.Assistant {
		side = sideModel
	}
	if side == sideModel && len(parts) == 0 {
		parts = []llm.Part{&llm.Prose{Text: llm.Plain(""), Extra: extra}}
	}
	return role, parts, side
}

// mark puts what an item says of itself on its first part, since items of the
// model share a message.
func mark(p llm.Part, x llm.Extra) {
	if len(x.Members) == 0 {
		return
	}
	into := func(dst *llm.Extra) {
		for m := range wire.Object(append(append([]byte{'{'}, x.Members...), '}')) {
			dst.Add(x.Protocol, m.Name, m.Value)
		}
	}
	switch p := p.(type) {
	case *llm.Prose:
		into(&p.Extra)
	case *llm.Refusal:
		into(&p.Extra)
	case *llm.Blob:
		into(&p.Extra)
	}
}

func (d *decoder) content(path string, v []byte) []llm.Part {
	switch {
	case wire.Null(v):
		return nil
	case v[0] == '"':
		return []llm.Part{&llm.Prose{Text: llm.Wire(v)}}
	}
	var parts []llm.Part
	d.each(path, v, func(path string, e []byte) {
		if e[0] != '{' {
			d.bad(path, "it must be an object")
			return
		}
		parts = append(parts, d.part(e))
	})
	return parts
}

func (d *decoder) part(v []byte) llm.Part {
	switch kind := wire.Text(d.doc.Get(v, "type")); kind {
	case "input_text", "output_text", "text", "summary_text":
		return d.prose(v)
	case "refusal":
		p := &llm.Refusal{}
		for m := range wire.ObjectIn(d.doc, v) {
			switch string(m.Name) {
			case "type":
			case "refusal":
				p.Text = openaiwire.String(m.Value)
			default:
				d.keep(&p.Extra, m)
			}
		}
		return p
	case "input_image", "input_file", "input_audio", "input_video":
		return d.blob(v, kind)
	default:
		return &llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: kind, Raw: jsontext.Value(v)}
	}
}

func (d *decoder) prose(v []byte) *llm.Prose {
	p := &llm.Prose{}
	for m := range wire.ObjectIn(d.doc, v) {
		switch string(m.Name) {
		case "type":
		case "text":
			p.Text = openaiwire.String(m.Value)
		case "annotations":
			if wire.Empty(m.Value) {
				continue
			}
			other := false
			d.each("annotations", m.Value, func(_ string, e []byte) {
				if c, ok := citation(e); ok {
					p.Cites = append(p.Cites, c)
				} else {
					other = true
				}
			})
			if other {
				d.keep(&p.Extra, m)
			}
		case "logprobs":
			switch {
			case wire.Empty(m.Value):
			case d.r.Protocol == "" && m.Value[0] == '[': // of an answer
				d.odds = append(jsonw.Comma(d.odds), m.Value[1:len(m.Value)-1]...)
			default:
				d.keep(&p.Extra, m)
			}
		case "prompt_cache_breakpoint":
			p.Cache = breakpoint(m.Value)
		default:
			d.keep(&p.Extra, m)
		}
	}
	return p
}

// breakpoint reads a prompt_cache_breakpoint. Its Extra names the protocol even if
// it is empty, so that it is written back as it was.
func breakpoint(v []byte) *llm.Breakpoint {
	b := &llm.Breakpoint{Extra: llm.Extra{Protocol: protocol.OpenAIResponses}}
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "mode":
		case "ttl":
			b.TTL = wire.Text(m.Value)
		default:
			b.Extra.Add(protocol.OpenAIResponses, m.Name, m.Value)
		}
	}
	return b
}

// citation reads a url_citation. Files of OpenAI's own are for nobody else.
func citation(v []byte) (c llm.Citation, ok bool) {
	if wire.Text(jsonedit.Get(v, "type")) != "url_citation" {
		return c, false
	}
	start, _ := jsonedit.Int(jsonedit.Get(v, "start_index"))
	end, _ := jsonedit.Int(jsonedit.Get(v, "end_index"))
	return llm.Citation{URL: wire.Text(jsonedit.Get(v, "url")), Title: wire.Text(jsonedit.Get(v, "title")), Start: int(start), End: int(end)}, true
}

func (d *decoder) blob(v []byte, kind string) *llm.Blob {
	b := &llm.Blob{Kind: map[string]llm.BlobKind{"input_image": llm.Image, "input_file": llm.Document, "input_audio": llm.Audio, "input_video": llm.Video}[kind]}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "image_url", "file_url", "file_data", "video_url":
			if mime, data, ok := openaiwire.DataURL(m.Value); ok {
				b.Type, b.Data = mime, data
			} else if string(m.Name) == "file_data" {
				b.Data = openaiwire.String(m.Value)
			} else if m.Value[0] == '{' { // as chat spells it
				b.URL = wire.Text(d.doc.Get(m.Value, "url"))
			} else {
				b.URL = wire.Text(m.Value)
			}
		case "file_id":
			b.File = wire.Text(m.Value)
		case "filename":
			b.Name = wire.Text(m.Value)
		case "detail":
			b.Detail = wire.Text(m.Value)
		case "input_audio":
			b.Data = openaiwire.String(d.doc.Get(m.Value, "data"))
			b.Type = "audio/" + strings.Replace(wire.Text(d.doc.Get(m.Value, "format")), "mp3", "mpeg", 1)
		case "prompt_cache_breakpoint":
			b.Cache = breakpoint(m.Value)
		default:
			d.keep(&b.Extra, m)
		}
	}
	return b
}

// reasoning reads a reasoning item. Its summaries are one text, parted by
// blank lines; where there are none its raw content is.
func (d *decoder) reasoning(v []byte) *llm.Thought {
	t := &llm.Thought{}
	s := &llm.Seal{Protocol: protocol.OpenAIResponses, Kind: llm.Encrypted}
	var summary, content []llm.Text
	for m := range wire.ObjectIn(d.doc, v) {
		switch string(m.Name) {
		case "type":
		case "id":
			s.ID = wire.Text(m.Value)
		case "summary":
			summary = texts(m.Value)
		case "content":
			content = texts(m.Value)
		case "encrypted_content":
			s.Data = openaiwire.String(m.Value)
		default:
			d.keep(&t.Extra, m)
		}
	}
	switch {
	case len(summary) > 0:
		t.Text, t.Summary = llm.Join(summary, "\n\n"), true
	case len(content) > 0:
		t.Text = llm.Join(content, "\n\n")
	default:
		t.Redacted = !s.Data.Empty()
	}
	if !s.Data.Empty() || s.ID != "" {
		t.Seal = s
	}
	return t
}

func texts(v []byte) (out []llm.Text) {
	if len(v) == 0 || v[0] != '[' {
		return nil
	}
	for e, err := range jsonedit.Elements(v) {
		if err != nil {
			break
		}
		if t := openaiwire.String(jsonedit.Get(e, "text")); !t.Empty() {
			out = append(out, t)
		}
	}
	return out
}

func (d *decoder) call(v []byte, kind string) *llm.Call {
	c := &llm.Call{}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "call_id":
			c.ID = wire.Text(m.Value)
		case "name":
			c.Name = wire.Text(m.Value)
		case "namespace":
			c.Namespace = wire.Text(m.Value)
		case "arguments", "input":
			c.Args = openaiwire.String(m.Value)
		default:
			d.keep(&c.Extra, m)
		}
	}
	if kind == "custom_tool_call" {
		c.Kind = llm.Custom
	}
	return c
}

func (d *decoder) result(path string, v []byte, kind string) *llm.Result {
	r := &llm.Result{}
	if kind == "custom_tool_call_output" {
		r.Kind = llm.Custom
	}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "call_id":
			r.CallID = wire.Text(m.Value)
		case "name":
			r.Name = wire.Text(m.Value)
		case "output":
			if m.Value[0] == '{' { // some clients send an object
				r.Parts = []llm.Part{&llm.Prose{Text: llm.PlainBytes(m.Value)}}
				continue
			}
			r.Parts = d.content(path+".output", m.Value)
		default:
			d.keep(&r.Extra, m)
		}
	}
	return r
}

// server reads an item of something that the upstream ran: what it was asked
// and what came of it stand in one item.
func (d *decoder) server(v []byte, kind string) []llm.Part {
	name := map[string]string{"web_search_call": "web_search", "file_search_call": "file_search", "code_interpreter_call": "code_execution", "image_generation_call": "image_generation", "mcp_call": "mcp"}[kind]
	c := &llm.ServerCall{ID: wire.Text(d.doc.Get(v, "id")), Name: name, Extra: llm.Extra{Protocol: protocol.OpenAIResponses}}
	r := &llm.ServerResult{CallID: c.ID, Name: name, Raw: jsontext.Value(v), Extra: llm.Extra{Protocol: protocol.OpenAIResponses}}
	switch kind {
	case "web_search_call":
		action := d.doc.Get(v, "action")
		c.Input = jsontext.Value(action)
		c.Query = openaiwire.String(d.doc.Get(action, "query"))
		if list := d.doc.Get(action, "sources"); len(list) > 0 && list[0] == '[' {
			d.each("sources", list, func(_ string, e []byte) {
				r.Sources = append(r.Sources, llm.Citation{URL: wire.Text(d.doc.Get(e, "url")), Title: wire.Text(d.doc.Get(e, "title"))})
			})
		}
	case "code_interpreter_call":
		c.Query = openaiwire.String(d.doc.Get(v, "code"))
		if list := d.doc.Get(v, "outputs"); len(list) > 0 && list[0] == '[' {
			var logs []llm.Text
			d.each("outputs", list, func(_ string, e []byte) {
				if t := openaiwire.String(d.doc.Get(e, "logs")); !t.Empty() {
					logs = append(logs, t)
				}
			})
			r.Text = llm.Join(logs, "\n")
		}
	case "image_generation_call":
		c.Query = openaiwire.String(d.doc.Get(v, "revised_prompt"))
		if data := openaiwire.String(d.doc.Get(v, "result")); !data.Empty() {
			r.Blobs = []llm.Blob{{Kind: llm.Image, Type: "image/" + imageFormat(v), Data: data}}
		}
	case "mcp_call":
		c.Input = jsontext.Value(d.doc.Get(v, "arguments"))
		c.Query = openaiwire.String(d.doc.Get(v, "name"))
		r.Text = openaiwire.String(d.doc.Get(v, "output"))
	}
	r.Failed = wire.Text(d.doc.Get(v, "status")) == "failed"
	return []llm.Part{c, r}
}

func imageFormat(v []byte) string {
	if f := wire.Text(jsonedit.Get(v, "output_format")); f != "" {
		return f
	}
	return "png"
}
