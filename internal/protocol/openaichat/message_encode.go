package openaichat

import (
	"bytes"
	"slices"
	"strconv"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// messages writes the conversation. Results of tools are text only in this
// protocol and must follow the calls at once, so what they hold besides text
// is shown by the user after the last of them (spec: translation-traps A5, A6).
func (e *requestEncoder) messages(dst []byte) []byte {
	dst = append(jsonw.Name(dst, "messages"), '[')
	var shown []llm.Part // taken out of results, to be shown by the user
	for i := 0; i < len(e.r.Messages); i++ {
		m := &e.r.Messages[i]
		at := "messages[" + strconv.Itoa(i) + "].content"
		rest := m.Parts
		if m.Role == llm.User {
			rest = nil
			for j, p := range m.Parts {
				if r, ok := p.(*llm.Result); ok {
					dst, shown = e.result(dst, at+"["+strconv.Itoa(j)+"]", r, shown)
				} else {
					rest = append(rest, p)
				}
			}
			if rest == nil && len(m.Parts) > 0 {
				continue // results only
			}
		}
		if len(shown) > 0 {
			if m.Role != llm.User {
				dst = e.user(dst, at, &llm.Message{Role: llm.User}, shown)
			} else {
				rest = append(slices.Clip(shown), rest...)
			}
			shown = nil
		}
		if m.Role == llm.Assistant {
			m, i = e.turn(i)
			dst = e.assistant(dst, at, m)
		} else {
			dst = e.user(dst, at, m, rest)
		}
	}
	if len(shown) > 0 {
		dst = e.user(dst, "messages", &llm.Message{Role: llm.User}, shown)
	}
	return append(dst, ']')
}

// turn is the model's turn that begins with message i, and its last message. What
// the model says behind a call, before there is a result, has to stand in the
// call's own message: nothing may come between a call and its result (spec:
// translation-traps E3).
func (e *requestEncoder) turn(i int) (*llm.Message, int) {
	m := &e.r.Messages[i]
	if e.home {
		return m, i
	}
	for i+1 < len(e.r.Messages) && e.r.Messages[i+1].Role == llm.Assistant && slices.ContainsFunc(m.Parts, isCall) {
		i++
		whole := *m
		whole.Parts = append(slices.Clip(m.Parts), e.r.Messages[i].Parts...)
		m = &whole
	}
	return m, i
}

func isCall(p llm.Part) bool {
	_, ok := p.(*llm.Call)
	return ok
}

func (e *requestEncoder) role(r llm.Role) string {
	switch {
	case r == llm.Developer && e.fit.Native:
		return "developer"
	case r.IsInstruction():
		return "system" // copies of the protocol know no developer
	case r == llm.Assistant:
		return "assistant"
	}
	return "user"
}

// user writes a message of the user, or an instruction.
func (e *requestEncoder) user(dst []byte, at string, m *llm.Message, parts []llm.Part) []byte {
	dst = append(jsonw.Comma(dst), '{')
	dst = jsonw.String(dst, "role", e.role(m.Role))
	if m.Name != "" {
		dst = jsonw.String(dst, "name", m.Name)
	}
	dst = e.content(jsonw.Name(dst, "content"), at, parts)
	return append(m.Extra.AppendTo(dst, protocol.OpenAIChat), '}')
}

// content writes a lone text as a string, as most copies of the protocol
// expect it of instructions, and everything else as parts.
func (e *requestEncoder) content(dst []byte, at string, parts []llm.Part) []byte {
	if len(parts) == 1 {
		if t, ok := parts[0].(*llm.Prose); ok && !e.marks(t.Cache) && len(t.Extra.Members) == 0 {
			e.unmarked = e.unmarked || t.Cache != nil
			return t.Text.AppendJSON(dst)
		}
	}
	switch {
	case len(parts) == 0 && e.home:
		return append(dst, "null"...) // as it was said
	case len(parts) == 0:
		return append(dst, `""`...)
	}
	dst = append(dst, '[')
	for i, p := range parts {
		dst = e.part(dst, at+"["+strconv.Itoa(i)+"]", p)
	}
	if dst[len(dst)-1] == '[' { // nothing of it has a seat
		return append(dst[:len(dst)-1], `""`...)
	}
	return append(dst, ']')
}

func (e *requestEncoder) part(dst []byte, at string, p llm.Part) []byte {
	switch p := p.(type) {
	case *llm.Prose:
		dst = append(jsonw.Comma(dst), `{"type":"text"`...)
		dst = jsonw.Text(dst, "text", p.Text)
		return e.close(dst, p.Cache, p.Extra)
	case *llm.Refusal:
		dst = append(jsonw.Comma(dst), `{"type":"refusal"`...)
		dst = jsonw.Text(dst, "refusal", p.Text)
		return e.close(dst, nil, p.Extra)
	case *llm.Blob:
		return e.blob(dst, at, p)
	case *llm.Reference:
		e.lose(at, wire.ToolInWords)
		return saying(dst, "[Tool loaded: "+p.Name+"]")
	case *llm.Opaque:
		switch {
		case p.Protocol == protocol.OpenAIChat:
			return append(jsonw.Comma(dst), p.Raw...)
		case p.Alt.IsSet():
			e.lose(at, "approximated: a part of kind "+p.Kind+" as text")
			dst = append(jsonw.Comma(dst), `{"type":"text"`...)
			return append(jsonw.Text(dst, "text", p.Alt), '}')
		}
		e.lose(at, "dropped: the upstream knows no part of kind "+p.Kind)
	case *llm.Thought:
		e.lose(at, "dropped: reasoning has no seat here")
	case *llm.ServerCall:
		e.lose(at, wire.RanElsewhere)
	case *llm.ServerResult:
		if len(p.Blobs) > 0 {
			e.lose(at, wire.Drawn)
		} else {
			e.lose(at, wire.RanElsewhere)
		}
	case *llm.Call, *llm.Result:
		e.lose(at, "dropped: a call or result has no seat here")
	}
	return dst
}

func saying(dst []byte, text string) []byte {
	dst = append(jsonw.Comma(dst), `{"type":"text"`...)
	return append(jsonw.String(dst, "text", text), '}')
}

func (e *requestEncoder) close(dst []byte, b *llm.Breakpoint, x llm.Extra) []byte {
	return append(x.AppendTo(e.mark(dst, b, true), protocol.OpenAIChat), '}')
}

func (e *requestEncoder) blob(dst []byte, at string, b *llm.Blob) []byte {
	if b.Prose.IsSet() {
		e.lose(at, wire.TextOnly)
		if b.Name != "" {
			dst = saying(dst, "["+b.Name+"]")
		}
		dst = append(jsonw.Comma(dst), `{"type":"text"`...)
		return e.close(jsonw.Text(dst, "text", b.Prose), b.Cache, b.Extra)
	}
	own, inner := split(b.Extra)
	switch b.Kind {
	case llm.Image, llm.Video:
		kind := "image_url"
		if b.Kind == llm.Video {
			kind = "video_url"
		}
		if b.File != "" {
			e.lose(at, wire.HeldElsewhere)
			return dst
		}
		dst = jsonw.String(append(jsonw.Comma(dst), '{'), "type", kind)
		dst = append(jsonw.Name(dst, kind), '{')
		dst = address(dst, "url", b)
		if b.Detail != "" {
			dst = jsonw.String(dst, "detail", b.Detail)
		}
		dst = append(inner.AppendTo(dst, protocol.OpenAIChat), '}')
	case llm.Audio:
		if !b.Data.IsSet() {
			e.lose(at, wire.SoundInline)
			return dst
		}
		dst = append(jsonw.Comma(dst), `{"type":"input_audio","input_audio":{`...)
		dst = jsonw.Text(dst, "data", b.Data)
		dst = append(jsonw.String(dst, "format", audioFormat(b.Type)), '}')
	case llm.Document:
		if inline(e.fit, b) {
			e.lose(at, wire.DocumentInline)
			return dst
		}
		if b.File != "" && openaiwire.Foreign(e.r.Protocol) {
			e.lose(at, wire.HeldElsewhere)
			return dst
		}
		dst = append(jsonw.Comma(dst), `{"type":"file","file":{`...)
		if b.File != "" {
			dst = jsonw.String(dst, "file_id", b.File)
		} else {
			dst = address(dst, "file_data", b)
		}
		switch {
		case b.Name != "":
			dst = jsonw.String(dst, "filename", b.Name)
		case b.Data.IsSet() && e.fit.Native: // it is required beside file_data
			dst = jsonw.String(dst, "filename", "document"+extension(b.Type))
		}
		dst = append(inner.AppendTo(dst, protocol.OpenAIChat), '}')
	}
	return e.close(dst, b.Cache, own)
}

func extension(mime string) string {
	switch mime {
	case "application/pdf":
		return ".pdf"
	case "text/plain":
		return ".txt"
	}
	return ""
}

// address writes where a blob's bytes are: a data: URL, or the URL.
func address(dst []byte, name string, b *llm.Blob) []byte {
	if b.URL != "" {
		return jsonw.String(dst, name, b.URL)
	}
	if b.Type == "" {
		if b.Kind != llm.Image {
			return jsonw.Text(dst, name, b.Data)
		}
	}
	dst = append(jsonw.Name(dst, name), `"data:`...)
	mime := b.Type
	if mime == "" {
		mime = openaiwire.Sniff(b.Data)
	}
	dst = append(append(dst, mime...), ";base64,"...)
	return append(b.Data.AppendInner(dst), '"')
}

// split parts a blob's members into its own and those of the object within,
// which the decoder marked with that object's name and a dot.
func split(x llm.Extra) (own, inner llm.Extra) {
	if x.Protocol != protocol.OpenAIChat || len(x.Members) == 0 {
		return x, llm.Extra{}
	}
	own.Protocol, inner.Protocol = x.Protocol, x.Protocol
	for m := range members(x) {
		if _, name, nested := bytes.Cut(m.Name, []byte(".")); nested {
			inner.Add(x.Protocol, name, m.Value)
		} else {
			own.Add(x.Protocol, m.Name, m.Value)
		}
	}
	return own, inner
}

// result writes a tool message; what is no text is added to shown. The text of
// a tool that failed is left to say so itself: the protocol has no mark for it,
// and words that the tool did not say would be taken for its own (spec:
// translation-traps A9).
func (e *requestEncoder) result(dst []byte, at string, r *llm.Result, shown []llm.Part) ([]byte, []llm.Part) {
	dst = append(jsonw.Comma(dst), `{"role":"tool"`...)
	dst = jsonw.String(dst, "tool_call_id", r.CallID)
	var texts, instead []llm.Part
	for i, p := range r.Parts {
		at := at + ".content[" + strconv.Itoa(i) + "]"
		switch p := p.(type) {
		case *llm.Blob:
			if p.Prose.IsSet() {
				e.lose(at, wire.TextOnly)
				texts = append(texts, &llm.Prose{Text: p.Prose})
				continue
			}
			shown = append(shown, p)
			instead = append(instead, &llm.Prose{Text: llm.Plain("[" + kinds[p.Kind] + " " + strconv.Itoa(len(shown)) + " follows below]")})
			e.lose(at, "moved: what a tool shows stands in the user's message after it")
		case *llm.Opaque:
			if p.Protocol != protocol.OpenAIChat && !p.Alt.IsSet() {
				e.lose(at, "dropped: the upstream knows no part of kind "+p.Kind)
				continue
			}
			texts = append(texts, p)
		default:
			texts = append(texts, p)
		}
	}
	if len(texts) == 0 {
		texts = instead
	}
	if r.Failed {
		if len(texts) == 0 {
			texts = []llm.Part{&llm.Prose{Text: llm.Plain("Error: the tool failed")}}
		}
		e.lose(at+".is_error", "dropped: the upstream has no mark for a tool that failed, so its text stands for itself")
	}
	cache := r.Cache
	if e.breaks && cache != nil && len(texts) > 0 && !(e.home && cache.Extra.Protocol == protocol.OpenAIChat) {
		texts, cache = marked(texts, cache), nil
	}
	dst = e.content(jsonw.Name(dst, "content"), at+".content", texts)
	if (e.home || r.Extra.Protocol == protocol.OpenAIChat) && r.Name != "" {
		dst = jsonw.String(dst, "name", r.Name)
	}
	return append(r.Extra.AppendTo(e.mark(dst, cache, false), protocol.OpenAIChat), '}'), shown
}

// marked is parts with a breakpoint behind the last text, which is where OpenAI
// has a seat for that of a result.
func marked(parts []llm.Part, b *llm.Breakpoint) []llm.Part {
	parts = slices.Clone(parts)
	for i := len(parts) - 1; i >= 0; i-- {
		if t, ok := parts[i].(*llm.Prose); ok {
			own := *t
			own.Cache, parts[i] = b, &own
			return parts
		}
	}
	return parts
}

var kinds = [...]string{llm.Image: "image", llm.Audio: "sound", llm.Video: "film", llm.Document: "document"}

// assistant writes a turn of the model.
func (e *requestEncoder) assistant(dst []byte, at string, m *llm.Message) []byte {
	dst = append(jsonw.Comma(dst), `{"role":"assistant"`...)
	if m.Name != "" {
		dst = jsonw.String(dst, "name", m.Name)
	}
	var said []llm.Part
	var thoughts []*llm.Thought
	var refusal llm.Text
	calls := 0
	for i, p := range m.Parts {
		at := at + "[" + strconv.Itoa(i) + "]"
		switch p := p.(type) {
		case *llm.Thought:
			thoughts = append(thoughts, p)
			if e.fit.Native {
				e.lose(at, "dropped: the upstream takes no reasoning back")
			}
		case *llm.Refusal:
			refusal = p.Text
		case *llm.Call:
			calls++
		case *llm.Blob:
			e.lose(at, "dropped: the model's own "+kinds[p.Kind]+" has no seat in its turn")
		case *llm.Prose:
			if e.home || !p.Text.Empty() {
				said = append(said, p)
			}
		default:
			said = append(said, p)
		}
	}
	dst = jsonw.Name(dst, "content")
	if len(said) == 0 && (calls > 0 || refusal.IsSet()) {
		dst = append(dst, "null"...)
	} else {
		dst = e.content(dst, at, said)
	}
	if refusal.IsSet() {
		dst = jsonw.Text(dst, "refusal", refusal)
	}
	if !e.fit.Native {
		dst = e.thoughts(dst, thoughts)
	}
	if calls > 0 {
		dst = append(jsonw.Name(dst, "tool_calls"), '[')
		for _, p := range m.Parts {
			if c, ok := p.(*llm.Call); ok {
				dst = e.call(dst, c)
			}
		}
		dst = append(dst, ']')
	}
	return append(m.Extra.AppendTo(dst, protocol.OpenAIChat), '}')
}

// thoughts writes reasoning the way most vendors take it back; seals of the
// upstream's own go into reasoning_details.
func (e *requestEncoder) thoughts(dst []byte, ts []*llm.Thought) []byte {
	var texts []llm.Text
	sealed := false
	for _, t := range ts {
		if t.Text.IsSet() { // some vendors demand the member, be it empty (spec: translation-traps E6)
			texts = append(texts, t.Text)
		}
		sealed = sealed || t.Seal != nil
	}
	if len(texts) > 0 {
		dst = jsonw.Text(dst, "reasoning_content", llm.Join(texts, "\n\n"))
	}
	if !sealed {
		return dst
	}
	dst = append(jsonw.Name(dst, "reasoning_details"), '[')
	for _, t := range ts {
		dst = appendDetail(dst, t.Text, t.Summary, t.Seal)
	}
	return append(dst, ']')
}

func (e *requestEncoder) call(dst []byte, c *llm.Call) []byte {
	e.unmarked = e.unmarked || c.Cache != nil
	own, inner := split(c.Extra)
	dst = jsonw.String(append(jsonw.Comma(dst), '{'), "id", c.ID)
	if c.Kind == llm.Custom {
		dst = append(dst, `,"type":"custom","custom":{`...)
		dst = append(inner.AppendTo(jsonw.Text(jsonw.String(dst, "name", c.Name), "input", c.Args), protocol.OpenAIChat), '}')
	} else {
		dst = append(dst, `,"type":"function","function":{`...)
		args := c.Args
		if args.Empty() {
			args = llm.Plain("{}")
		}
		dst = append(inner.AppendTo(jsonw.Text(jsonw.String(dst, "name", c.Name), "arguments", args), protocol.OpenAIChat), '}')
	}
	if c.Seal != nil {
		dst = append(jsonw.Text(append(jsonw.Name(dst, "extra_content"), `{"google":{`...), "thought_signature", c.Seal.Data), "}}"...)
	}
	return append(own.AppendTo(dst, protocol.OpenAIChat), '}')
}
