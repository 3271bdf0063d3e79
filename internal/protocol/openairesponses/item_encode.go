package openairesponses

import (
	"slices"
	"strconv"
	"strings"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// input writes the conversation as items.
func (e *requestEncoder) input(dst []byte) []byte {
	ms := e.r.Messages
	if len(ms) > 0 && ms[0].Role == llm.System && ms[0].Extra.Protocol == protocol.OpenAIResponses && len(ms[0].Parts) == 1 {
		if p, ok := ms[0].Parts[0].(*llm.Prose); ok {
			dst = jsonw.Text(dst, "instructions", p.Text)
			ms = ms[1:]
		}
	}
	first := len(e.r.Messages) - len(ms)
	dst = append(jsonw.Name(dst, "input"), '[')
	for i := range ms {
		at := "messages[" + strconv.Itoa(first+i) + "].content"
		if ms[i].Role == llm.Assistant {
			dst = e.turn(dst, at, &ms[i])
		} else {
			dst = e.message(dst, at, &ms[i])
		}
	}
	return append(dst, ']')
}

var roleNames = [...]string{llm.System: "system", llm.Developer: "developer", llm.User: "user", llm.Assistant: "assistant"}

// message writes results of tools as items of their own, before what the user
// says beside them.
func (e *requestEncoder) message(dst []byte, at string, m *llm.Message) []byte {
	rest := make([]llm.Part, 0, len(m.Parts))
	for i, p := range m.Parts {
		switch p := p.(type) {
		case *llm.Result:
			dst = e.result(dst, at+"["+strconv.Itoa(i)+"]", p)
		case *llm.Opaque:
			if p.Protocol == protocol.OpenAIResponses && !strings.HasPrefix(p.Kind, "input_") {
				dst = append(jsonw.Comma(dst), p.Raw...) // an item
				continue
			}
			rest = append(rest, p)
		default:
			rest = append(rest, p)
		}
	}
	if len(rest) == 0 {
		return dst
	}
	from := len(dst)
	dst = append(jsonw.Comma(dst), `{"type":"message"`...)
	dst = jsonw.String(dst, "role", roleNames[m.Role])
	dst = itemMembers(dst, rest[0])
	dst = e.content(jsonw.Name(dst, "content"), at, rest, "input_text")
	if dst[len(dst)-2] == '[' && !e.home { // nothing of it has a seat, and a list of nothing is refused
		return dst[:from]
	}
	return append(dst, '}')
}

// itemMembers appends what the decoder marked on the first part of an item.
func itemMembers(dst []byte, p llm.Part) []byte {
	x := extraOf(p)
	for m := range nested(x, "message.") {
		dst = jsonw.Raw(dst, string(m.Name), m.Value)
	}
	return dst
}

func extraOf(p llm.Part) llm.Extra {
	switch p := p.(type) {
	case *llm.Prose:
		return p.Extra
	case *llm.Refusal:
		return p.Extra
	case *llm.Blob:
		return p.Extra
	}
	return llm.Extra{}
}

// content writes parts; kind is the type of a text among them.
func (e *requestEncoder) content(dst []byte, at string, parts []llm.Part, kind string) []byte {
	dst = append(dst, '[')
	for i, p := range parts {
		dst = e.part(dst, at+"["+strconv.Itoa(i)+"]", p, kind)
	}
	return append(dst, ']')
}

func (e *requestEncoder) part(dst []byte, at string, p llm.Part, kind string) []byte {
	switch p := p.(type) {
	case *llm.Prose:
		dst = jsonw.String(append(jsonw.Comma(dst), '{'), "type", kind)
		dst = jsonw.Text(dst, "text", p.Text)
		if kind == "output_text" {
			dst = append(jsonw.Name(dst, "annotations"), '[')
			for i := range p.Cites {
				dst = appendCitation(jsonw.Comma(dst), &p.Cites[i])
			}
			dst = append(dst, ']')
			if !e.home { // it has no seat for a breakpoint
				e.unmarked = e.unmarked || p.Cache != nil
				return append(plain(dst, p.Extra), '}')
			}
		}
		return append(e.cache(plain(dst, p.Extra), p.Cache), '}')
	case *llm.Refusal:
		dst = append(jsonw.Comma(dst), `{"type":"refusal"`...)
		return append(plain(jsonw.Text(dst, "refusal", p.Text), p.Extra), '}')
	case *llm.Blob:
		return e.blob(dst, at, p)
	case *llm.Reference:
		e.lose(at, wire.ToolInWords)
		dst = jsonw.String(append(jsonw.Comma(dst), '{'), "type", kind)
		return append(jsonw.String(dst, "text", "[Tool loaded: "+p.Name+"]"), '}')
	case *llm.Opaque:
		switch {
		case p.Protocol == protocol.OpenAIResponses:
			return append(jsonw.Comma(dst), p.Raw...)
		case p.Alt.IsSet():
			e.lose(at, "approximated: a part of kind "+p.Kind+" as text")
			dst = jsonw.String(append(jsonw.Comma(dst), '{'), "type", kind)
			return append(jsonw.Text(dst, "text", p.Alt), '}')
		}
		e.lose(at, "dropped: the upstream knows no part of kind "+p.Kind)
	case *llm.Thought, *llm.Call, *llm.Result, *llm.ServerCall, *llm.ServerResult:
		e.lose(at, "dropped: it has no seat in a message")
	}
	return dst
}

// cache appends a breakpoint of the prompt cache to a part that has a seat for
// one.
func (e *requestEncoder) cache(dst []byte, b *llm.Breakpoint) []byte {
	switch {
	case b == nil:
	case e.marks(b):
		return openaiwire.AppendBreakpoint(dst, b, protocol.OpenAIResponses)
	default:
		e.unmarked = true
	}
	return dst
}

// marks reports whether b is written where there is a seat.
func (e *requestEncoder) marks(b *llm.Breakpoint) bool {
	return b != nil && (e.breaks || e.home && b.Extra.Protocol == protocol.OpenAIResponses)
}

func appendCitation(dst []byte, c *llm.Citation) []byte {
	dst = append(dst, `{"type":"url_citation"`...)
	dst = jsonw.Int(dst, "start_index", int64(c.Start))
	dst = jsonw.Int(dst, "end_index", int64(c.End))
	dst = jsonw.String(dst, "url", c.URL)
	return append(jsonw.String(dst, "title", c.Title), '}')
}

func (e *requestEncoder) blob(dst []byte, at string, b *llm.Blob) []byte {
	if b.Prose.IsSet() {
		e.lose(at, wire.TextOnly)
		dst = append(jsonw.Comma(dst), `{"type":"input_text"`...)
		return append(e.cache(jsonw.Text(dst, "text", b.Prose), b.Cache), '}')
	}
	if b.File != "" && openaiwire.Foreign(e.r.Protocol) {
		e.lose(at, wire.HeldElsewhere)
		return dst
	}
	switch b.Kind {
	case llm.Image:
		dst = append(jsonw.Comma(dst), `{"type":"input_image"`...)
		if b.File != "" {
			dst = jsonw.String(dst, "file_id", b.File)
		} else {
			dst = address(dst, "image_url", b)
		}
		switch {
		case b.Detail != "":
			dst = jsonw.String(dst, "detail", b.Detail)
		case !e.home:
			dst = jsonw.String(dst, "detail", "auto")
		}
	case llm.Document:
		dst = append(jsonw.Comma(dst), `{"type":"input_file"`...)
		switch {
		case b.File != "":
			dst = jsonw.String(dst, "file_id", b.File)
		case b.URL != "":
			dst = jsonw.String(dst, "file_url", b.URL)
		default:
			dst = address(dst, "file_data", b)
		}
		switch {
		case b.Name != "":
			dst = jsonw.String(dst, "filename", b.Name)
		case b.Data.IsSet() && !e.home: // it is required beside file_data
			dst = jsonw.String(dst, "filename", "document.pdf")
		}
		if b.Detail != "" {
			dst = jsonw.String(dst, "detail", b.Detail)
		}
	case llm.Audio:
		if !b.Data.IsSet() {
			e.lose(at, wire.SoundInline)
			return dst
		}
		dst = append(jsonw.Comma(dst), `{"type":"input_audio","input_audio":{`...)
		dst = jsonw.Text(dst, "data", b.Data)
		dst = append(jsonw.String(dst, "format", strings.Replace(strings.TrimPrefix(b.Type, "audio/"), "mpeg", "mp3", 1)), '}')
	case llm.Video:
		e.lose(at, "dropped: the upstream takes no films")
		return dst
	}
	return append(e.cache(plain(dst, b.Extra), b.Cache), '}')
}

// address writes where a blob's bytes are.
func address(dst []byte, name string, b *llm.Blob) []byte {
	if b.URL != "" {
		return jsonw.String(dst, name, b.URL)
	}
	mime := b.Type
	if mime == "" && b.Kind == llm.Image {
		mime = openaiwire.Sniff(b.Data)
	}
	if mime == "" {
		return jsonw.Text(dst, name, b.Data)
	}
	dst = append(jsonw.Name(dst, name), `"data:`...)
	dst = append(append(dst, mime...), ";base64,"...)
	return append(b.Data.AppendInner(dst), '"')
}

// result writes what a tool gave back. The text of one that failed is left to
// say so itself: the protocol has no mark for it, and words that the tool did
// not say would be taken for its own (spec: translation-traps A9).
func (e *requestEncoder) result(dst []byte, at string, r *llm.Result) []byte {
	kind := "function_call_output"
	if r.Kind == llm.Custom {
		kind = "custom_tool_call_output"
	}
	dst = jsonw.String(append(jsonw.Comma(dst), '{'), "type", kind)
	dst = jsonw.String(dst, "call_id", r.CallID)
	if r.Name != "" && e.home {
		dst = jsonw.String(dst, "name", r.Name)
	}
	parts := r.Parts
	if r.Failed {
		e.lose(at+".is_error", "dropped: the upstream has no mark for a tool that failed, so its text stands for itself")
		if len(parts) == 0 {
			parts = []llm.Part{&llm.Prose{Text: llm.Plain("Error: the tool failed")}}
		}
	}
	dst = jsonw.Name(dst, "output")
	parts = e.marked(parts, r.Cache)
	switch t, ok := e.lone(parts); {
	case ok:
		dst = t.AppendJSON(dst)
	default:
		dst = e.content(dst, at+".content", parts, "input_text")
		if n := len(dst) - 2; dst[n] == '[' && !e.home {
			dst = append(dst[:n], `""`...)
		}
	}
	return append(plain(dst, r.Extra), '}')
}

// marked is the parts of a result with the breakpoint b behind the last of
// them that has a seat for one.
func (e *requestEncoder) marked(parts []llm.Part, b *llm.Breakpoint) []llm.Part {
	if b == nil {
		return parts
	}
	for i := len(parts) - 1; i >= 0 && e.marks(b); i-- {
		if t, ok := parts[i].(*llm.Prose); ok {
			own := *t
			own.Cache, parts = b, slices.Clone(parts)
			parts[i] = &own
			return parts
		}
	}
	e.unmarked = true
	return parts
}

// lone is the text of parts if they are nothing else than one text.
func (e *requestEncoder) lone(parts []llm.Part) (llm.Text, bool) {
	if len(parts) == 0 {
		return llm.Plain(""), true
	}
	if len(parts) == 1 {
		if p, ok := parts[0].(*llm.Prose); ok && len(p.Extra.Members) == 0 && !e.marks(p.Cache) {
			e.unmarked = e.unmarked || p.Cache != nil
			return p.Text, true
		}
	}
	return llm.Text{}, false
}

// turn writes what the model said, thought and called, in its order.
func (e *requestEncoder) turn(dst []byte, at string, m *llm.Message) []byte {
	for i := 0; i < len(m.Parts); i++ {
		at := at + "[" + strconv.Itoa(i) + "]"
		switch p := m.Parts[i].(type) {
		case *llm.Prose, *llm.Refusal:
			n := i + 1
			for n < len(m.Parts) && said(m.Parts[n]) {
				n++
			}
			if t, ok := e.lone(m.Parts[i:n]); ok && t.Empty() && !e.home {
				i = n - 1
				continue
			}
			dst = append(jsonw.Comma(dst), `{"type":"message","role":"assistant"`...)
			dst = itemMembers(dst, p)
			dst = append(e.content(jsonw.Name(dst, "content"), at, m.Parts[i:n], "output_text"), '}')
			i = n - 1
		case *llm.Thought:
			dst = e.thought(dst, at, p)
		case *llm.Call:
			e.unmarked = e.unmarked || p.Cache != nil
			dst = appendCall(append(jsonw.Comma(dst), '{'), p, orEmpty(p, p.Args))
			dst = append(plain(dst, p.Extra), '}')
		case *llm.ServerCall:
			if p.Extra.Protocol != protocol.OpenAIResponses {
				e.lose(at, wire.RanElsewhere)
			}
		case *llm.ServerResult:
			if p.Extra.Protocol == protocol.OpenAIResponses {
				dst = append(jsonw.Comma(dst), p.Raw...)
			}
		case *llm.Opaque:
			switch {
			case p.Protocol == protocol.OpenAIResponses:
				dst = append(jsonw.Comma(dst), p.Raw...)
			case p.Alt.IsSet():
				e.lose(at, "approximated: a part of kind "+p.Kind+" as text")
				dst = append(jsonw.Comma(dst), `{"type":"message","role":"assistant","content":[{"type":"output_text","annotations":[]`...)
				dst = append(jsonw.Text(dst, "text", p.Alt), "}]}"...)
			default:
				e.lose(at, "dropped: the upstream knows no part of kind "+p.Kind)
			}
		case *llm.Blob:
			e.lose(at, "dropped: the model's own image has no seat in its turn")
		case *llm.Result, *llm.Reference:
			e.lose(at, "dropped: it has no seat in a turn of the model")
		}
	}
	return dst
}

// said reports whether p goes on with the item before it: a text that has no
// item members of its own.
func said(p llm.Part) bool {
	switch p.(type) {
	case *llm.Prose, *llm.Refusal:
	default:
		return false
	}
	for range nested(extraOf(p), "message.") {
		return false
	}
	return true
}

// thought writes a reasoning item. Without a seal of the upstream's own it
// would be refused, and it is told as a loss.
func (e *requestEncoder) thought(dst []byte, at string, t *llm.Thought) []byte {
	if !e.home && (t.Seal == nil || t.Seal.Data.Empty()) {
		e.lose(at, "dropped: reasoning without a seal of the upstream's has no seat")
		return dst
	}
	return append(plain(appendReasoning(append(jsonw.Comma(dst), '{'), t, ""), t.Extra), '}')
}

// appendReasoning appends the members of a reasoning item. id is its id if the
// seal has none.
func appendReasoning(dst []byte, t *llm.Thought, id string) []byte {
	dst = jsonw.String(dst, "type", "reasoning")
	if t.Seal != nil && t.Seal.ID != "" {
		id = t.Seal.ID
	}
	if id != "" {
		dst = jsonw.String(dst, "id", id)
	}
	dst = append(jsonw.Name(dst, "summary"), '[')
	if !t.Text.Empty() && (t.Summary || id == "" || t.Seal == nil || t.Seal.ID == "") {
		dst = append(jsonw.Text(append(dst, `{"type":"summary_text"`...), "text", t.Text), '}')
	}
	dst = append(dst, ']')
	if !t.Text.Empty() && !t.Summary && t.Seal != nil && t.Seal.ID != "" {
		dst = append(jsonw.Text(append(jsonw.Name(dst, "content"), `[{"type":"reasoning_text"`...), "text", t.Text), "}]"...)
	}
	if t.Seal != nil && t.Seal.Data.IsSet() && !t.Seal.Data.Empty() {
		dst = jsonw.Text(dst, "encrypted_content", t.Seal.Data)
	}
	return dst
}

// orEmpty is args, or an empty object for a function that was given none.
func orEmpty(c *llm.Call, args llm.Text) llm.Text {
	if args.Empty() && c.Kind == llm.Function {
		return llm.Plain("{}")
	}
	return args
}

// appendCall appends the members of a call's item but its id.
func appendCall(dst []byte, c *llm.Call, args llm.Text) []byte {
	kind, name := "function_call", "arguments"
	if c.Kind == llm.Custom {
		kind, name = "custom_tool_call", "input"
	}
	dst = jsonw.String(dst, "type", kind)
	dst = jsonw.String(dst, "call_id", c.ID)
	dst = jsonw.String(dst, "name", c.Name)
	if c.Namespace != "" {
		dst = jsonw.String(dst, "namespace", c.Namespace)
	}
	return jsonw.Text(dst, name, args)
}
