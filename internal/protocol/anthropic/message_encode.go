package anthropic

import (
	"bytes"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
)

// conversation is the system prompt and the turns.
func (e *requestEncoder) conversation() (head []block, turns []turn) {
	ms := e.r.Messages
	from := 0
	for from < len(ms) && ms[from].Role.IsInstruction() && !e.among(&ms[from]) {
		for j, p := range ms[from].Parts {
			head = e.instruct(head, block{p, place{from, j}})
		}
		from++
	}
	if e.native {
		turns = e.repeat(from)
	} else {
		turns = e.lay(from)
	}
	e.settle(turns)
	return head, e.nudge(turns)
}

// among reports whether an instruction stood among the turns, as this protocol
// has it, and may stand there again.
func (e *requestEncoder) among(m *llm.Message) bool {
	return e.native && m.Extra.Protocol == protocol.Anthropic
}

// instruct appends what becomes of a part of the system prompt, which is text.
func (e *requestEncoder) instruct(dst []block, b block) []block {
	admitted := e.admit(nil, llm.System, b)
	for _, a := range admitted {
		switch p := a.part.(type) {
		case *llm.Prose:
			dst = append(dst, a)
		case *llm.Opaque:
			if p.Protocol == protocol.Anthropic {
				dst = append(dst, a)
			}
		default:
			e.lose(b.at.String(), "dropped: instructions are text")
		}
	}
	return dst
}

// repeat is the conversation as the client said it, without what is refused
// wherever it stands.
func (e *requestEncoder) repeat(from int) []turn {
	turns := make([]turn, 0, len(e.r.Messages)-from)
	for i := from; i < len(e.r.Messages); i++ {
		m := &e.r.Messages[i]
		t := turn{role: m.Role, blocks: make([]block, 0, len(m.Parts)), extra: m.Extra}
		for j, p := range m.Parts {
			b := block{p, place{i, j}}
			switch p := p.(type) {
			case *llm.Prose:
				if p.Text.Empty() {
					passOn(t.blocks, p.Cache)
					continue
				}
			case *llm.Thought:
				if !e.admitThought(p, m.Role, b.at) {
					continue
				}
			}
			t.blocks = append(t.blocks, b)
		}
		if len(t.blocks) == 0 && len(m.Parts) > 0 && m.Role != llm.User {
			continue
		}
		turns = append(turns, t)
	}
	return turns
}

// settle drops a budget for thinking if the model is in the middle of a tool
// loop that it began without thinking: it refuses to start then (spec:
// translation-traps A31).
func (e *requestEncoder) settle(turns []turn) {
	n := len(turns)
	if e.plan.kind != "enabled" || n < 2 || turns[n-2].role != llm.Assistant || len(turns[n-1].blocks) == 0 || len(turns[n-2].blocks) == 0 {
		return
	}
	if _, ok := turns[n-1].blocks[0].part.(*llm.Result); !ok {
		return
	}
	if _, ok := turns[n-2].blocks[0].part.(*llm.Thought); !ok {
		e.plan.kind = ""
		e.plan.lose("reasoning", "dropped: the turn under way began without thinking")
	}
}

// nudge tells a model in words that it must call a tool.
func (e *requestEncoder) nudge(turns []turn) []turn {
	if e.tools.nudge == "" {
		return turns
	}
	for i := len(turns) - 1; i >= 0; i-- {
		if turns[i].role == llm.User {
			turns[i].blocks = append(turns[i].blocks, saying(place{}, e.tools.nudge))
			break
		}
	}
	return turns
}

// system writes the system prompt: a lone text as a string, unless it came as
// a block.
func (e *requestEncoder) system(dst []byte, head []block) []byte {
	if len(head) == 0 {
		return dst
	}
	return e.content(jsonw.Name(dst, "system"), head)
}

func (e *requestEncoder) messages(dst []byte, turns []turn) []byte {
	dst = append(jsonw.Name(dst, "messages"), '[')
	for i := range turns {
		t := &turns[i]
		role := "user"
		switch t.role {
		case llm.Assistant:
			role = "assistant"
		case llm.System, llm.Developer:
			role = "system"
		}
		dst = jsonw.String(append(jsonw.Comma(dst), '{'), "role", role)
		dst = e.content(jsonw.Name(dst, "content"), t.blocks)
		dst = append(t.extra.AppendTo(dst, protocol.Anthropic), '}')
	}
	return append(dst, ']')
}

// content writes blocks: a lone text as a string, unless it came as a block or
// has more to say.
func (e *requestEncoder) content(dst []byte, blocks []block) []byte {
	if len(blocks) == 1 {
		if t, ok := blocks[0].part.(*llm.Prose); ok && plain(t) {
			return t.Text.AppendJSON(dst)
		}
	}
	dst = append(dst, '[')
	for i := range blocks {
		dst = e.block(jsonw.Comma(dst), blocks[i])
	}
	return append(dst, ']')
}

// plain reports whether a text is one that may stand without a block.
func plain(t *llm.Prose) bool {
	return t.Cache == nil && len(t.Cites) == 0 && t.Extra.Protocol != protocol.Anthropic
}

// block writes a part that has a seat.
func (e *requestEncoder) block(dst []byte, b block) []byte {
	switch p := b.part.(type) {
	case *llm.Prose:
		return e.close(e.cites(appendProse(dst, p), p, b.at), p.Cache, p.Extra, b.at)
	case *llm.Thought:
		return e.close(appendThought(dst, p), nil, p.Extra, b.at)
	case *llm.Call:
		dst = e.input(appendCall(dst, p.ID, p.Name), p, b.at)
		return e.close(dst, p.Cache, p.Extra, b.at)
	case *llm.Result:
		return e.answer(dst, p, b.at)
	case *llm.Blob:
		return e.show(dst, p)
	case *llm.Reference:
		dst = jsonw.String(append(dst, `{"type":"tool_reference"`...), "tool_name", p.Name)
		return e.close(dst, nil, p.Extra, b.at)
	case *llm.ServerCall:
		return append(append(appendServerCall(dst, p), inputOf(p)...), '}')
	case *llm.ServerResult:
		return append(dst, p.Raw...)
	case *llm.Opaque:
		return append(dst, p.Raw...)
	}
	return dst
}

// close ends a block with its breakpoint and what Anthropic alone knows, which
// a copy of its protocol may refuse.
func (e *requestEncoder) close(dst []byte, b *llm.Breakpoint, x llm.Extra, at place) []byte {
	dst = e.cache.append(dst, b)
	return append(e.rare(dst, x, at.String), '}')
}

// rare appends the members of x, or tells that they do not cross.
func (e *requestEncoder) rare(dst []byte, x llm.Extra, at func() string) []byte {
	if e.fit.Native || x.Protocol != protocol.Anthropic {
		return x.AppendTo(dst, protocol.Anthropic)
	}
	for m := range members(x) {
		e.lose(at()+"."+string(m.Name), notCopied)
	}
	return dst
}

const notCopied = "dropped: copies of the protocol do not know it"

// cites writes citations that are the upstream's own. Others mean nothing to
// it: they have no index of its searches.
func (e *requestEncoder) cites(dst []byte, p *llm.Prose, at place) []byte {
	n, open := 0, false
	for i := range p.Cites {
		c := &p.Cites[i]
		if !e.own(c.Extra) {
			n++
			continue
		}
		if !open {
			dst, open = append(jsonw.Name(dst, "citations"), '['), true
		}
		dst = appendCitation(jsonw.Comma(dst), c, llm.Text{})
	}
	if n > 0 {
		e.lose(at.String()+".citations", "dropped: the upstream takes back only what it cited itself")
	}
	if open {
		dst = append(dst, ']')
	}
	return dst
}

// input writes a call's arguments. The upstream takes nothing but an object:
// what else a model wrote stands in one, word by word (spec: translation-traps
// A12, A13).
func (e *requestEncoder) input(dst []byte, c *llm.Call, at place) []byte {
	n := len(dst)
	dst = c.Args.Append(dst)
	v := bytes.TrimSpace(dst[n:])
	if len(v) == 0 {
		return append(dst[:n], "{}"...)
	}
	if e.native {
		return dst
	}
	json, object := sound(v)
	if object {
		return dst
	}
	e.lose(at.String(), "approximated: arguments that are no JSON object stand in one")
	v = bytes.Clone(v)
	dst = append(dst[:n], `{"arguments":`...)
	if json {
		return append(append(dst, v...), '}')
	}
	return append(jsonedit.Quote(dst, string(v)), '}')
}

// answer writes a tool's result.
func (e *requestEncoder) answer(dst []byte, r *llm.Result, at place) []byte {
	dst = jsonw.String(append(dst, `{"type":"tool_result"`...), "tool_use_id", r.CallID)
	if r.Parts != nil && (len(r.Parts) > 0 || e.native) {
		blocks := make([]block, len(r.Parts))
		for i, p := range r.Parts {
			blocks[i] = block{p, at}
		}
		dst = e.content(jsonw.Name(dst, "content"), blocks)
	}
	if r.Failed {
		dst = jsonw.Bool(dst, "is_error", true)
	}
	return e.close(dst, r.Cache, r.Extra, at)
}

// show writes an image or a document.
func (e *requestEncoder) show(dst []byte, b *llm.Blob) []byte {
	kind := "image"
	if b.Kind == llm.Document {
		kind = "document"
	}
	dst = append(jsonw.Name(jsonw.String(append(dst, '{'), "type", kind), "source"), '{')
	switch {
	case b.Prose.IsSet() && b.Type == "" && b.Extra.Protocol == protocol.Anthropic:
		dst = jsonw.Text(jsonw.String(dst, "type", "content"), "content", b.Prose)
	case b.Prose.IsSet():
		dst = jsonw.String(jsonw.String(dst, "type", "text"), "media_type", "text/plain")
		dst = jsonw.Text(dst, "data", b.Prose)
	case b.Data.IsSet():
		dst = jsonw.String(jsonw.String(dst, "type", "base64"), "media_type", b.Type)
		dst = jsonw.Text(dst, "data", b.Data)
	case b.File != "":
		dst = jsonw.String(jsonw.String(dst, "type", "file"), "file_id", b.File)
	default:
		dst = jsonw.String(jsonw.String(dst, "type", "url"), "url", b.URL)
	}
	dst = append(nested(dst, b.Extra, inSource, ""), '}')
	if b.Name != "" && b.Kind == llm.Document {
		dst = jsonw.String(dst, "title", b.Name)
	}
	dst = e.cache.append(dst, b.Cache)
	if b.Extra.Protocol == protocol.Anthropic {
		for m := range members(b.Extra) {
			if !bytes.HasPrefix(m.Name, []byte(inSource)) {
				dst = jsonw.Raw(dst, string(m.Name), m.Value)
			}
		}
	}
	return append(dst, '}')
}
