package gemini

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

// roles are those that Google has, and those of others that are clear.
var roles = map[string]llm.Role{
	"": llm.User, "user": llm.User, "function": llm.User, "tool": llm.User, "model": llm.Assistant, "assistant": llm.Assistant,
	"system": llm.System, "developer": llm.Developer,
}

// contents reads the conversation: contents, one content, or a text.
func (d *decoder) contents(v []byte) {
	d.list("contents", v, func(path string, e []byte) {
		m := llm.Message{Role: llm.User}
		switch e[0] {
		case '"':
			m.Parts = []llm.Part{&llm.Prose{Text: llm.Wire(e)}}
		case '{':
			d.turn, d.seen = d.turn+1, 0
			var parts []byte
			for x := range wire.ObjectIn(d.doc, e) {
				switch string(x.Name) {
				case "role":
					role, ok := roles[wire.Text(x.Value)]
					if !ok {
						d.bad(path+".role", "%s is none of user and model", x.Value)
					}
					m.Role = role
				case "parts":
					parts = x.Value
				default:
					keep(&m.Extra, x)
				}
			}
			if !wire.Null(parts) {
				m.Parts = d.partList(path+".parts", parts)
			}
		default:
			d.bad(path, "it must be an object")
		}
		d.r.Messages = append(d.r.Messages, m)
	})
}

// parts reads a content in any form that SDKs take: a content, a list of
// parts, one part, a text.
func (d *decoder) parts(path string, v []byte) []llm.Part {
	if v[0] == '{' {
		if p := d.doc.Get(v, "parts"); p != nil {
			return d.partList(path+".parts", p)
		}
		if d.doc.Get(v, "role") != nil {
			return nil
		}
	}
	return d.partList(path, v)
}

// partList reads a list of parts.
func (d *decoder) partList(path string, v []byte) []llm.Part {
	out := make([]llm.Part, 0, 2)
	d.list(path, v, func(path string, e []byte) {
		switch e[0] {
		case '"':
			out = append(out, &llm.Prose{Text: llm.Wire(e)})
		case '{':
			out = append(out, d.part(path, e))
		default:
			d.bad(path, "it must be an object")
		}
	})
	return out
}

// part reads one part. It has one member with data and others that say
// something of it (spec: upstreams §1D.2). The signature stays on the part that
// it came on (spec: translation-traps C7).
func (d *decoder) part(path string, v []byte) llm.Part {
	var kind string
	var data, signature, resolution []byte
	var extra llm.Extra
	thought := false
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch name := string(camel(m.Name)); name {
		case "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
			kind, data = name, m.Value
		case "thought":
			thought = string(m.Value) == "true"
		case "thoughtSignature":
			signature = m.Value
		case "mediaResolution":
			resolution = m.Value
		default:
			keep(&extra, m)
		}
	}
	var seal *llm.Seal
	if len(signature) > 2 && signature[0] == '"' {
		seal = &llm.Seal{Protocol: protocol.Gemini, Data: llm.Wire(signature)}
	}
	if thought && kind != "text" && kind != "" {
		if kind == "inlineData" || kind == "fileData" { // a picture it only thinks of
			return &llm.Opaque{Protocol: protocol.Gemini, Kind: "thought", Raw: jsontext.Value(v)}
		}
		extra.Add(protocol.Gemini, []byte("thought"), []byte("true"))
	}
	switch kind {
	case "text":
		if thought {
			return &llm.Thought{Text: openaiwire.String(data), Summary: true, Seal: seal, Extra: extra}
		}
		return &llm.Prose{Text: openaiwire.String(data), Seal: seal, Extra: extra}
	case "inlineData", "fileData":
		b := d.blob(kind, data)
		detail(b, resolution)
		b.Seal = seal
		b.Extra = joined(b.Extra, extra)
		return b
	case "functionCall":
		c := d.call(data)
		c.Seal = seal
		c.Extra = joined(c.Extra, extra)
		return c
	case "functionResponse":
		r := d.result(path+"."+kind, data)
		r.Extra = joined(r.Extra, extra)
		return r
	case "":
		if seal != nil {
			if thought {
				return &llm.Thought{Summary: true, Seal: seal, Extra: extra}
			}
			return &llm.Prose{Seal: seal, Extra: extra}
		}
		return &llm.Opaque{Protocol: protocol.Gemini, Kind: firstName(v), Raw: jsontext.Value(v)}
	}
	if seal != nil { // there is no seat for it
		extra.Add(protocol.Gemini, []byte("thoughtSignature"), signature)
	}
	extra.Protocol = protocol.Gemini
	if kind == "codeExecutionResult" || kind == "toolResponse" {
		return d.ran(kind, data, extra)
	}
	return d.runs(kind, data, extra)
}

// joined is the members of a and of b.
func joined(a, b llm.Extra) llm.Extra {
	switch {
	case len(b.Members) == 0:
		return a
	case len(a.Members) == 0:
		return b
	}
	a.Members = append(append(a.Members, ','), b.Members...)
	return a
}

// firstName is the name of v's first member, which is what a part of an unknown
// kind is called by.
func firstName(v []byte) string {
	for m := range wire.Object(v) {
		return string(m.Name)
	}
	return ""
}

// blob reads an inlineData or a fileData. Unknown members are kept with its
// name before theirs.
func (d *decoder) blob(kind string, v []byte) *llm.Blob {
	b := &llm.Blob{Kind: llm.Document}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(camel(m.Name)) {
		case "mimeType":
			b.Type = wire.Text(m.Value)
		case "data":
			b.Data = base64(m.Value)
		case "fileUri":
			if uri := wire.Text(m.Value); held(uri) {
				b.File = uri
			} else {
				b.URL = uri
			}
		case "displayName":
			b.Name = wire.Text(m.Value)
			b.Extra.Protocol = protocol.Gemini // it may be said again
		default:
			keepIn(&b.Extra, kind, m)
		}
	}
	b.Kind = kindOf(b.Type, b.URL)
	return b
}

// base64 is data as everybody writes it: Google takes the alphabet for URLs,
// too, and does not need the padding.
func base64(v []byte) llm.Text {
	if len(v) < 2 || v[0] != '"' {
		return llm.Text{}
	}
	in := v[1 : len(v)-1]
	if bytes.IndexByte(in, '-') < 0 && bytes.IndexByte(in, '_') < 0 && len(in)%4 == 0 || bytes.IndexByte(in, '\\') >= 0 {
		return llm.Wire(v)
	}
	out := bytes.ReplaceAll(bytes.ReplaceAll(in, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
	for len(out)%4 != 0 {
		out = append(out, '=')
	}
	return llm.PlainBytes(out)
}

// held reports whether uri names a file that Google holds, and nobody else can
// read.
func held(uri string) bool {
	return strings.HasPrefix(uri, "gs://") || strings.HasPrefix(uri, "files/") || strings.HasPrefix(uri, "https://generativelanguage.googleapis.com/")
}

func kindOf(mime, url string) llm.BlobKind {
	if mime == "" {
		mime = mimeOf(url)
	}
	switch kind, _, _ := strings.Cut(mime, "/"); kind {
	case "image":
		return llm.Image
	case "audio":
		return llm.Audio
	case "video":
		return llm.Video
	}
	return llm.Document
}

// details are the levels of mediaResolution that have a neutral name.
var details = map[string]string{"MEDIA_RESOLUTION_LOW": "low", "MEDIA_RESOLUTION_HIGH": "high", "MEDIA_RESOLUTION_ULTRA_HIGH": "original"}

// detail takes how closely to look (spec: translation-traps D12).
func detail(b *llm.Blob, v []byte) {
	if v == nil {
		return
	}
	n := 0
	for m := range wire.Object(v) {
		if n++; string(m.Name) == "level" {
			b.Detail = details[wire.Text(m.Value)]
		}
	}
	if n > 1 || b.Detail == "" { // it says more, or what nobody else knows
		b.Detail = ""
		keep(&b.Extra, jsonedit.Member{Name: []byte("mediaResolution"), Value: v})
	}
}
