package anthropic

import (
	"bytes"
	"encoding/json/jsontext"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// content reads what a message, a system prompt or a tool's result holds: a
// string, blocks, or nothing. The Extra of a text that came as a block names
// the protocol even if it is empty, so that it is written back as one.
func (d *decoder) content(path string, v []byte) []llm.Part {
	switch {
	case wire.Null(v):
		return nil
	case v[0] == '"':
		return []llm.Part{&llm.Prose{Text: llm.Wire(v)}}
	}
	parts := make([]llm.Part, 0, 2)
	d.each(path, v, func(path string, e []byte) {
		if e[0] != '{' {
			d.bad(path, "it must be an object")
			return
		}
		parts = append(parts, d.block(path, e))
	})
	return parts
}

// block reads one block of any kind.
func (d *decoder) block(path string, v []byte) llm.Part {
	switch kind := d.kindOf(v); kind {
	case "text":
		return d.text(v)
	case "thinking":
		return thinking(v)
	case "redacted_thinking":
		return redacted(v)
	case "tool_use":
		return call(v)
	case "tool_result":
		return d.result(path, v)
	case "image", "document":
		return blob(v, kind)
	case "tool_reference":
		return reference(v)
	case "server_tool_use", "mcp_tool_use":
		return serverCall(v, kind)
	default:
		if strings.HasSuffix(kind, "_tool_result") {
			return serverResult(v, kind)
		}
		return opaque(v, kind)
	}
}

// kindOf is the type of a block. Nearly always it stands first, and what comes
// after it, which may be a megabyte, is not looked at.
func (d *decoder) kindOf(v []byte) string {
	for m := range wire.ObjectIn(d.doc, v) {
		if string(m.Name) == "type" {
			return wire.Text(m.Value)
		}
	}
	return ""
}

func (d *decoder) text(v []byte) *llm.Prose {
	p := &llm.Prose{Extra: llm.Extra{Protocol: protocol.Anthropic}}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "text":
			p.Text = openaiwire.String(m.Value)
		case "cache_control":
			p.Cache = breakpoint(m.Value)
		case "citations":
			if m.Value[0] != '[' {
				keep(&p.Extra, m)
				continue
			}
			for e, err := range jsonedit.Elements(m.Value) {
				if err == nil {
					p.Cites = append(p.Cites, citation(e))
				}
			}
		default:
			keep(&p.Extra, m)
		}
	}
	return p
}

// citation reads one citation. All but its URL, title and quote stays in its
// Extra. One of a web search without the search's own index is one that this
// package made of another protocol's, so it is nothing of Anthropic's.
func citation(v []byte) (c llm.Citation) {
	if len(v) == 0 || v[0] != '{' {
		return c
	}
	kind := wire.Text(jsonedit.Get(v, "type"))
	if kind == "web_search_result_location" && wire.StringLen(jsonedit.Get(v, "encrypted_index")) == 0 {
		return llm.Citation{URL: wire.Text(jsonedit.Get(v, "url")), Title: wire.Text(jsonedit.Get(v, "title")), Quote: openaiwire.String(jsonedit.Get(v, "cited_text"))}
	}
	c.Extra.Protocol = protocol.Anthropic
	for m := range wire.Object(v) {
		switch name := string(m.Name); {
		case name == "url" || name == "source" && kind == "search_result_location":
			c.URL = wire.Text(m.Value)
		case (name == "title" || name == "document_title") && !wire.Null(m.Value):
			c.Title = wire.Text(m.Value)
		case name == "cited_text":
			c.Quote = openaiwire.String(m.Value)
		}
		keep(&c.Extra, m)
	}
	return c
}

func thinking(v []byte) *llm.Thought {
	t := &llm.Thought{}
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "type":
		case "thinking":
			t.Text = openaiwire.String(m.Value)
		case "signature":
			if s := openaiwire.String(m.Value); !s.Empty() {
				t.Seal = &llm.Seal{Protocol: protocol.Anthropic, Data: s}
			}
		default:
			if !wire.Null(m.Value) {
				keep(&t.Extra, m)
			}
		}
	}
	return t
}

func redacted(v []byte) *llm.Thought {
	t := &llm.Thought{Redacted: true, Seal: &llm.Seal{Protocol: protocol.Anthropic, Kind: llm.Encrypted}}
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "type":
		case "data":
			t.Seal.Data = openaiwire.String(m.Value)
		default:
			keep(&t.Extra, m)
		}
	}
	return t
}

// call reads a tool_use. Its input is kept as it is written, be it no object
// (spec: translation-traps A13).
func call(v []byte) *llm.Call {
	c := &llm.Call{}
	for m := range wire.Object(v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "id":
			c.ID = wire.Text(m.Value)
		case "name":
			c.Name = wire.Text(m.Value)
		case "input":
			c.Args = llm.PlainBytes(m.Value)
		case "cache_control":
			c.Cache = breakpoint(m.Value)
		default:
			keep(&c.Extra, m)
		}
	}
	return c
}

func (d *decoder) result(path string, v []byte) *llm.Result {
	r := &llm.Result{}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "tool_use_id":
			r.CallID = wire.Text(m.Value)
		case "content":
			r.Parts = d.content(path+".content", m.Value)
		case "is_error":
			r.Failed = string(m.Value) == "true"
		case "cache_control":
			r.Cache = breakpoint(m.Value)
		default:
			keep(&r.Extra, m)
		}
	}
	return r
}

// blob reads an image or a document. One whose source is a list of blocks, or
// of an unknown kind, is opaque.
func blob(v []byte, kind string) llm.Part {
	b := &llm.Blob{Kind: llm.Image, Extra: llm.Extra{Protocol: protocol.Anthropic}}
	if kind == "document" {
		b.Kind = llm.Document
	}
	for m := range wire.Object(v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "source":
			if !source(b, m.Value) {
				return opaque(v, kind)
			}
		case "title":
			b.Name = wire.Text(m.Value)
		case "cache_control":
			b.Cache = breakpoint(m.Value)
		default:
			keep(&b.Extra, m)
		}
	}
	return b
}

// inSource marks a member of the source among those of the block.
const inSource = "source."

func source(b *llm.Blob, v []byte) bool {
	kind := wire.Text(jsonedit.Get(v, "type"))
	for m := range wire.Object(v) {
		name := string(m.Name)
		switch {
		case name == "type":
		case name == "media_type" && (kind == "base64" || kind == "text"):
			b.Type = wire.Text(m.Value)
		case name == "data" && kind == "base64":
			b.Data = openaiwire.String(m.Value)
		case name == "data" && kind == "text":
			b.Prose = openaiwire.String(m.Value)
		case name == "url" && kind == "url":
			b.URL = wire.Text(m.Value)
		case name == "file_id" && kind == "file":
			b.File = wire.Text(m.Value)
		case name == "content" && kind == "content" && b.Kind == llm.Document && m.Value[0] == '"':
			b.Prose = llm.Wire(m.Value)
		default:
			b.Extra.Add(protocol.Anthropic, append([]byte(inSource), m.Name...), m.Value)
		}
	}
	return b.Data.IsSet() || b.Prose.IsSet() || b.URL != "" || b.File != ""
}

func reference(v []byte) *llm.Reference {
	r := &llm.Reference{}
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "type":
		case "tool_name":
			r.Name = wire.Text(m.Value)
		default:
			if !wire.Null(m.Value) {
				keep(&r.Extra, m)
			}
		}
	}
	return r
}

// opaque keeps a block that has no neutral form, with its words for those who
// cannot read it.
func opaque(v []byte, kind string) *llm.Opaque {
	p := &llm.Opaque{Protocol: protocol.Anthropic, Kind: kind, Raw: jsontext.Value(v)}
	var said []byte
	switch kind {
	case "search_result", "document":
		said = line(said, jsonedit.Get(v, "title"))
		said = line(said, jsonedit.Get(v, "context"))
		said = line(said, jsonedit.Get(v, "source"))
		said = texts(said, jsonedit.Get(v, "content"))
		said = texts(said, jsonedit.Path(v, "source", "content"))
	case "compaction":
		if t := jsonedit.Get(v, "content"); wire.StringLen(t) > 0 {
			said = line([]byte("[Summary of the conversation so far]\n"), t)
		}
	case "browser_state":
		said = append([]byte("[browser_state] "), v...)
	}
	if len(said) > 0 {
		p.Alt = llm.PlainBytes(bytes.TrimSuffix(said, []byte("\n")))
	}
	return p
}

// line appends the text of the JSON string v and a line end, if v is one.
func line(dst, v []byte) []byte {
	if wire.StringLen(v) == 0 {
		return dst
	}
	return append(llm.Wire(v).Append(dst), '\n')
}

// texts appends the texts of blocks, a line each.
func texts(dst, v []byte) []byte {
	if len(v) == 0 || v[0] != '[' {
		return dst
	}
	for e, err := range jsonedit.Elements(v) {
		if err != nil {
			break
		}
		dst = line(dst, jsonedit.Get(e, "text"))
	}
	return dst
}
