package openaichat

import (
	"encoding/json/jsontext"
	"slices"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

var roles = map[string]llm.Role{"system": llm.System, "developer": llm.Developer, "user": llm.User, "assistant": llm.Assistant}

// messages reads the conversation. Tool messages that follow one another
// become one message of results.
func (d *decoder) messages(v []byte) {
	d.r.Messages = make([]llm.Message, 0, 8)
	results := false
	d.each("messages", v, func(path string, e []byte) {
		if e[0] != '{' {
			d.bad(path, "it must be an object")
			return
		}
		role := wire.Text(d.doc.Get(e, "role"))
		if role == "tool" || role == "function" {
			part := d.result(path, e, role)
			if results {
				last := &d.r.Messages[len(d.r.Messages)-1]
				last.Parts = append(last.Parts, part)
			} else {
				d.r.Messages = append(d.r.Messages, llm.Message{Role: llm.User, Parts: []llm.Part{part}})
			}
			results = true
			return
		}
		results = false
		neutral, ok := roles[role]
		if !ok {
			d.bad(path+".role", "%q is none of system, developer, user, assistant, tool and function", role)
			return
		}
		m := llm.Message{Role: neutral}
		if neutral == llm.Assistant {
			d.assistant(path, &m, e)
		} else {
			d.plain(path, &m, e)
		}
		d.r.Messages = append(d.r.Messages, m)
	})
}

// plain reads a message of the user or an instruction.
func (d *decoder) plain(path string, m *llm.Message, v []byte) {
	for x := range wire.ObjectIn(d.doc, v) {
		switch string(x.Name) {
		case "role":
		case "name":
			m.Name = wire.Text(x.Value)
		case "content":
			m.Parts = d.content(path+".content", x.Value)
		case "cache_control":
			if n := len(m.Parts); n > 0 {
				setCache(m.Parts[n-1], breakpoint(x))
				continue
			}
			d.keep(&m.Extra, x)
		default:
			d.keep(&m.Extra, x)
		}
	}
}

// assistant reads a turn of the model: reasoning first, as the model wrote it,
// then text, then calls.
func (d *decoder) assistant(path string, m *llm.Message, v []byte) {
	var content, refusal, calls, call, details, blocks []byte
	var thought llm.Text
	for x := range wire.ObjectIn(d.doc, v) {
		if wire.Null(x.Value) {
			continue
		}
		switch string(x.Name) {
		case "role":
		case "name":
			m.Name = wire.Text(x.Value)
		case "content":
			content = x.Value
		case "refusal":
			refusal = x.Value
		case "tool_calls":
			calls = x.Value
		case "function_call":
			call = x.Value
		case "reasoning_content", "reasoning":
			if t := openaiwire.String(x.Value); !t.Empty() {
				thought = t
			}
		case "reasoning_details":
			details = x.Value
		case "thinking_blocks":
			blocks = x.Value
		default:
			d.keep(&m.Extra, x)
		}
	}
	switch {
	case !wire.Empty(blocks) && blocks[0] == '[':
		d.each(path+".thinking_blocks", blocks, func(_ string, e []byte) {
			if t := thinkingBlock(e); t != nil {
				m.Parts = append(m.Parts, t)
			}
		})
	case !wire.Empty(details) && details[0] == '[':
		m.Parts = append(m.Parts, d.details(path+".reasoning_details", details)...)
	case !thought.Empty():
		m.Parts = append(m.Parts, &llm.Thought{Text: thought})
	}
	if content != nil {
		m.Parts = append(m.Parts, d.content(path+".content", content)...)
	}
	if t := openaiwire.String(refusal); !t.Empty() {
		m.Parts = append(m.Parts, &llm.Refusal{Text: t})
	}
	if !wire.Empty(calls) {
		d.each(path+".tool_calls", calls, func(path string, e []byte) {
			if e[0] != '{' {
				d.bad(path, "it must be an object")
				return
			}
			m.Parts = append(m.Parts, d.call(e))
		})
	}
	if call != nil && call[0] == '{' { // deprecated, and without an id
		name := wire.Text(d.doc.Get(call, "name"))
		m.Parts = append(m.Parts, &llm.Call{ID: "call_" + name, Name: name, Args: openaiwire.String(d.doc.Get(call, "arguments"))})
	}
}

// call reads one entry of tool_calls.
func (d *decoder) call(v []byte) *llm.Call {
	c := &llm.Call{}
	for x := range wire.ObjectIn(d.doc, v) {
		switch string(x.Name) {
		case "id":
			c.ID = wire.Text(x.Value)
		case "type", "index":
		case "function":
			if name := wire.Text(d.doc.Get(x.Value, "name")); name != "" || c.Name == "" {
				c.Name, c.Args = name, arguments(d.doc.Get(x.Value, "arguments"))
				d.within(&c.Extra, x, "arguments")
			}
		case "custom": // some fill in both, and one of them says nothing
			if name := wire.Text(d.doc.Get(x.Value, "name")); name != "" || c.Name == "" {
				c.Name, c.Args = name, openaiwire.String(d.doc.Get(x.Value, "input"))
				if name != "" {
					c.Kind = llm.Custom
				}
				d.within(&c.Extra, x, "input")
			}
		case "extra_content": // Google's seat for a thought signature
			if s := jsonedit.Path(x.Value, "google", "thought_signature"); len(s) > 2 && s[0] == '"' {
				c.Seal = &llm.Seal{Protocol: protocol.OpenAIChat, Data: llm.Wire(s)}
				continue
			}
			d.keep(&c.Extra, x)
		default:
			d.keep(&c.Extra, x)
		}
	}
	return c
}

// within keeps what else stands in the object m of a call, under that object's
// name and a dot.
func (d *decoder) within(x *llm.Extra, m jsonedit.Member, known string) {
	for in := range wire.ObjectIn(d.doc, m.Value) {
		if !in.Is("name") && !in.Is(known) {
			d.keep(x, jsonedit.Member{Name: append(append(slices.Clone(m.Name), '.'), in.Name...), Value: in.Value})
		}
	}
}

// arguments reads a function's arguments, which some clients send as an object
// instead of its text.
func arguments(v []byte) llm.Text {
	if len(v) > 0 && (v[0] == '{' || v[0] == '[') {
		return llm.PlainBytes(v)
	}
	return openaiwire.String(v)
}

// result reads a tool message, or a message of the deprecated role function.
func (d *decoder) result(path string, v []byte, role string) *llm.Result {
	p := &llm.Result{}
	for x := range wire.ObjectIn(d.doc, v) {
		switch string(x.Name) {
		case "role":
		case "tool_call_id":
			p.CallID = wire.Text(x.Value)
		case "name":
			p.Name = wire.Text(x.Value)
		case "content":
			p.Parts = d.content(path+".content", x.Value)
		case "cache_control":
			p.Cache = breakpoint(x)
		default:
			d.keep(&p.Extra, x)
		}
	}
	if role == "function" && p.CallID == "" {
		p.CallID = "call_" + p.Name
	}
	return p
}

// content reads a message's content: a string, parts, or nothing.
func (d *decoder) content(path string, v []byte) []llm.Part {
	switch {
	case wire.Null(v):
		return nil
	case v[0] == '"':
		return []llm.Part{&llm.Prose{Text: llm.Wire(v)}}
	case v[0] == '[':
		parts := make([]llm.Part, 0, 2)
		d.each(path, v, func(path string, e []byte) {
			switch {
			case e[0] == '"':
				parts = append(parts, &llm.Prose{Text: llm.Wire(e)})
			case e[0] == '{':
				parts = append(parts, d.part(e))
			default:
				d.bad(path, "it must be an object")
			}
		})
		return parts
	}
	d.bad(path, "it must be a string or an array of parts")
	return nil
}

func (d *decoder) part(v []byte) llm.Part {
	kind := wire.Text(d.doc.Get(v, "type"))
	var p llm.Part
	var extra *llm.Extra
	var cache **llm.Breakpoint
	var take func(m jsonedit.Member) bool
	switch kind {
	case "text", "input_text", "output_text":
		t := &llm.Prose{}
		p, extra, cache = t, &t.Extra, &t.Cache
		take = func(m jsonedit.Member) bool {
			if string(m.Name) == "text" {
				t.Text = openaiwire.String(m.Value)
				return true
			}
			return false
		}
	case "refusal":
		t := &llm.Refusal{}
		p, extra = t, &t.Extra
		take = func(m jsonedit.Member) bool {
			if string(m.Name) == "refusal" {
				t.Text = openaiwire.String(m.Value)
				return true
			}
			return false
		}
	case "image_url":
		b := &llm.Blob{Kind: llm.Image}
		p, extra, cache = b, &b.Extra, &b.Cache
		take = func(m jsonedit.Member) bool { return string(m.Name) == "image_url" && imageURL(b, m.Value) }
	case "input_audio":
		b := &llm.Blob{Kind: llm.Audio}
		p, extra, cache = b, &b.Extra, &b.Cache
		take = func(m jsonedit.Member) bool { return string(m.Name) == "input_audio" && sound(b, m.Value) }
	case "video_url": // Qwen, Moonshot, vLLM
		b := &llm.Blob{Kind: llm.Video}
		p, extra, cache = b, &b.Extra, &b.Cache
		take = func(m jsonedit.Member) bool { return string(m.Name) == "video_url" && imageURL(b, m.Value) }
	case "file":
		b := &llm.Blob{Kind: llm.Document}
		p, extra, cache = b, &b.Extra, &b.Cache
		take = func(m jsonedit.Member) bool { return string(m.Name) == "file" && file(b, m.Value) }
	case "thinking": // Mistral: the reasoning stands among the content
		return &llm.Thought{Text: joined(d.doc.Get(v, "thinking"))}
	default:
		return &llm.Opaque{Protocol: protocol.OpenAIChat, Kind: kind, Raw: jsontext.Value(v)}
	}
	for m := range wire.ObjectIn(d.doc, v) {
		switch name := string(m.Name); {
		case name == "type" || take(m):
		case cache != nil && (name == "cache_control" || name == "prompt_cache_breakpoint") && m.Value[0] == '{':
			*cache = breakpoint(m)
		default:
			d.keep(extra, m)
		}
	}
	return p
}

// joined is the text of Mistral's thinking: a string or text parts.
func joined(v []byte) llm.Text {
	if len(v) == 0 || v[0] != '[' {
		return openaiwire.String(v)
	}
	var ts []llm.Text
	for e, err := range jsonedit.Elements(v) {
		if err == nil {
			ts = append(ts, openaiwire.String(jsonedit.Get(e, "text")))
		}
	}
	return llm.Join(ts, "")
}

// imageURL takes {"url","detail"} or a bare URL.
func imageURL(b *llm.Blob, v []byte) bool {
	at := v
	if len(v) > 0 && v[0] == '{' {
		at = nil
		for m := range wire.Object(v) {
			switch string(m.Name) {
			case "url":
				at = m.Value
			case "detail":
				b.Detail = wire.Text(m.Value)
			default:
				b.Extra.Add(protocol.OpenAIChat, append([]byte("image_url."), m.Name...), m.Value)
			}
		}
	}
	if mime, data, ok := openaiwire.DataURL(at); ok {
		b.Type, b.Data = mime, data
		return true
	}
	b.URL = wire.Text(at)
	return true
}

func sound(b *llm.Blob, v []byte) bool {
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "data":
			if mime, data, ok := openaiwire.DataURL(m.Value); ok {
				b.Type, b.Data = mime, data
				continue
			}
			b.Data = openaiwire.String(m.Value)
		case "format":
			b.Type = audioType(wire.Text(m.Value))
		}
	}
	return true
}

// audioTypes are the media types of OpenAI's names for sound formats.
var audioTypes = map[string]string{"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "opus": "audio/ogg", "aac": "audio/aac", "pcm16": "audio/pcm", "m4a": "audio/mp4", "ogg": "audio/ogg", "webm": "audio/webm"}

func audioType(format string) string {
	if t := audioTypes[format]; t != "" {
		return t
	}
	return "audio/" + format
}

func audioFormat(mime string) string {
	mime, _, _ = strings.Cut(mime, ";")
	switch mime {
	case "audio/mpeg", "audio/mp3":
		return "mp3"
	case "audio/x-wav", "audio/wave", "audio/vnd.wave":
		return "wav"
	case "audio/mp4", "audio/x-m4a":
		return "m4a"
	case "audio/pcm", "audio/l16":
		return "pcm16"
	}
	return strings.TrimPrefix(mime, "audio/")
}

func file(b *llm.Blob, v []byte) bool {
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "file_data":
			if mime, data, ok := openaiwire.DataURL(m.Value); ok {
				b.Type, b.Data = mime, data
				continue
			}
			if s := wire.Text(m.Value); strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
				b.URL = s // OpenRouter
				continue
			}
			b.Data = openaiwire.String(m.Value)
		case "file_id":
			b.File = wire.Text(m.Value)
		case "filename":
			b.Name = wire.Text(m.Value)
		default:
			b.Extra.Add(protocol.OpenAIChat, append([]byte("file."), m.Name...), m.Value)
		}
	}
	return true
}

// setCache puts a breakpoint behind p if it has a seat for one.
func setCache(p llm.Part, b *llm.Breakpoint) {
	switch p := p.(type) {
	case *llm.Prose:
		p.Cache = b
	case *llm.Blob:
		p.Cache = b
	case *llm.Result:
		p.Cache = b
	}
}
