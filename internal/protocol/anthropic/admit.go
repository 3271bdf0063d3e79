package anthropic

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// admit appends to dst the block that b.part becomes in a turn of role, if it
// has a seat there; if not, a loss says so.
func (e *requestEncoder) admit(dst []block, role llm.Role, b block) []block {
	switch p := b.part.(type) {
	case *llm.Prose:
		if blank(p.Text) { // the upstream refuses it (spec: translation-traps A34)
			passOn(dst, p.Cache)
			return dst
		}
	case *llm.Refusal:
		if blank(p.Text) {
			return dst
		}
		b.part = &llm.Prose{Text: p.Text}
	case *llm.Thought:
		if !e.admitThought(p, role, b.at) {
			return dst
		}
	case *llm.Call:
		if role != llm.Assistant {
			e.lose(b.at.String(), "dropped: only the model calls tools")
			return dst
		}
	case *llm.Result:
		e.lose(b.at.String(), "dropped: a result stands with the user")
		return dst
	case *llm.Blob:
		if role != llm.User {
			e.lose(b.at.String(), "dropped: only the user shows a "+shows[p.Kind])
			return dst
		}
		if b.part = e.blob(p, b.at); b.part == nil {
			passOn(dst, p.Cache)
			return dst
		}
	case *llm.Reference:
		b.part = &llm.Prose{Text: llm.Plain("[Tool loaded: " + p.Name + "]")}
	case *llm.ServerCall:
		if role != llm.Assistant || !e.own(p.Extra) {
			e.lose(b.at.String(), wire.RanElsewhere)
			return dst
		}
	case *llm.ServerResult:
		if role != llm.Assistant || !e.own(p.Extra) {
			why := wire.RanElsewhere
			if len(p.Blobs) > 0 {
				why = wire.Drawn
			}
			e.lose(b.at.String(), why)
			return dst
		}
	case *llm.Opaque:
		if b.part = e.opaque(p, b.at); b.part == nil {
			return dst
		}
	}
	return append(dst, b)
}

var shows = [...]string{llm.Image: "picture", llm.Audio: "sound", llm.Video: "film", llm.Document: "document"}

// own reports whether what came with x was the upstream's own and may go back
// to it. Copies of the protocol run no tools.
func (e *requestEncoder) own(x llm.Extra) bool {
	return x.Protocol == protocol.Anthropic && e.fit.Native
}

// admitThought reports whether reasoning goes back. Without a signature of its
// own Anthropic refuses it; copies of the protocol sign nothing and some want
// it back (spec: translation-traps A30, B6, C9).
func (e *requestEncoder) admitThought(t *llm.Thought, role llm.Role, at place) bool {
	sealed := t.Seal != nil && !t.Seal.Data.Empty()
	switch {
	case role != llm.Assistant:
		e.lose(at.String(), "dropped: only the model thinks")
	case sealed && t.Seal.Protocol == protocol.Anthropic:
		return true
	case sealed && t.Redacted:
		e.lose(at.String(), "dropped: another upstream's sealed reasoning")
	case t.Redacted || t.Text.Empty():
		// There is nothing of it.
	case e.fit.Native:
		e.lose(at.String(), "dropped: the upstream takes no reasoning back without its signature")
	default:
		return true
	}
	return false
}

// opaque is what becomes of a part of a kind that only one protocol knows, nil
// if nothing does.
func (e *requestEncoder) opaque(p *llm.Opaque, at place) llm.Part {
	switch {
	case p.Protocol == protocol.Anthropic && e.fit.Native:
		return p
	case p.Protocol == protocol.Anthropic && p.Kind == attributionKind:
		return nil // it is about Anthropic's bill
	case p.Alt.IsSet() && !blank(p.Alt):
		e.lose(at.String(), "approximated: a part of kind "+p.Kind+" as text")
		return &llm.Prose{Text: p.Alt}
	}
	e.lose(at.String(), "dropped: the upstream knows no part of kind "+p.Kind)
	return nil
}

// blob is b as the upstream takes it, nil if it does not.
func (e *requestEncoder) blob(b *llm.Blob, at place) llm.Part {
	sent := b.Extra.Protocol == protocol.Anthropic
	switch {
	case sent && e.fit.Native:
		return b
	case b.File != "" && !sent:
		e.lose(at.String(), wire.HeldElsewhere)
		return nil
	case b.Kind == llm.Image && e.fit.Known && !e.fit.Images:
		e.lose(at.String(), "dropped: the model does not read pictures")
		return nil
	case b.Kind == llm.Audio || b.Kind == llm.Video:
		e.lose(at.String(), "dropped: the upstream takes no "+shows[b.Kind])
		return nil
	case b.Detail != "" && b.Detail != "auto":
		e.lose(at.String()+".detail", "dropped: the upstream has no such setting")
	}
	if !b.Data.IsSet() {
		return b
	}
	own := *b
	own.Type, _, _ = strings.Cut(own.Type, ";")
	if b.Kind == llm.Document {
		return e.document(&own, at)
	}
	if kind := sniff(b.Data); kind != "" { // what it is counts, not what it is said to be (A41)
		own.Type = kind
	}
	switch own.Type {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return &own
	}
	e.lose(at.String(), "dropped: the upstream takes no picture of type "+own.Type)
	return nil
}

// document makes of an inline document one that the upstream takes: a PDF, or
// plain text. b may be changed.
func (e *requestEncoder) document(b *llm.Blob, at place) llm.Part {
	const pdf = "application/pdf"
	if b.Type == pdf || string(b.Data.Head(6)) == "JVBERi" { // %PDF
		b.Type = pdf
		return b
	}
	if plain, err := base64.StdEncoding.AppendDecode(nil, b.Data.Append(nil)); err == nil && isText(b.Type) && utf8.Valid(plain) {
		b.Type, b.Data, b.Prose = "text/plain", llm.Text{}, llm.PlainBytes(plain)
		return b
	}
	e.lose(at.String(), "dropped: the upstream takes no document of type "+b.Type)
	return nil
}

// isText reports whether documents of a media type are text. One whose type
// nobody told is text if it is UTF-8.
func isText(mime string) bool {
	switch mime {
	case "", "application/json", "application/xml", "application/x-yaml", "application/yaml", "application/javascript", "application/x-sh", "application/sql", "application/toml":
		return true
	}
	return strings.HasPrefix(mime, "text/") || strings.HasSuffix(mime, "+json") || strings.HasSuffix(mime, "+xml")
}

// sniff is the media type of an image by the first characters of its base64,
// "" if it is none that the protocol has.
func sniff(data llm.Text) string {
	head := string(data.Head(24))
	switch {
	case strings.HasPrefix(head, "iVBORw"):
		return "image/png"
	case strings.HasPrefix(head, "/9j/"), strings.HasPrefix(head, `\/9j\/`):
		return "image/jpeg"
	case strings.HasPrefix(head, "R0lGOD"):
		return "image/gif"
	case strings.HasPrefix(head, "UklGR"):
		return "image/webp"
	}
	return ""
}

// result is a tool's result as the upstream takes it; what has no seat in it
// is added to shown, for the user to show.
func (e *requestEncoder) result(b block, shown []block) (block, []block) {
	r := *b.part.(*llm.Result)
	var inner []block
	for _, p := range r.Parts {
		if ref, ok := p.(*llm.Reference); ok && e.declared(ref.Name) {
			inner = append(inner, block{ref, b.at})
			continue
		}
		if t, ok := p.(*llm.Prose); ok && len(inner) == 0 && r.Cache == nil && blank(t.Text) {
			r.Cache = t.Cache // it covers as much
		}
		inner = e.admit(inner, llm.User, block{p, b.at})
	}
	r.Parts = make([]llm.Part, 0, len(inner))
	for _, in := range inner {
		if _, ok := in.part.(*llm.Prose); !ok && r.Failed { // the upstream refuses it there
			e.lose(b.at.String(), "moved: what a failed tool shows stands behind its result")
			shown = append(shown, in)
			continue
		}
		r.Parts = append(r.Parts, in.part)
	}
	return block{&r, b.at}, shown
}

// declared reports whether the model can be told that a tool was found.
func (e *requestEncoder) declared(name string) bool {
	if !e.fit.Native {
		return false
	}
	for i := range e.r.Tools {
		if t := &e.r.Tools[i]; t.Name == name && t.Kind == llm.Function {
			return true
		}
	}
	return false
}

// blank reports whether t has no character that shows. It looks at the whole
// text only if it begins like one.
func blank(t llm.Text) bool {
	for _, c := range t.Head(64) {
		switch c {
		case ' ', '\n', '\r', '\t', '\\', 'n', 'r', 't': // as they are, or as escapes
		default:
			return false
		}
	}
	return strings.TrimSpace(t.String()) == ""
}

// passOn puts the breakpoint of a text that is left out behind what stands
// before it.
func passOn(blocks []block, b *llm.Breakpoint) {
	if b == nil || len(blocks) == 0 {
		return
	}
	last := &blocks[len(blocks)-1].part
	switch p := (*last).(type) {
	case *llm.Prose:
		if p.Cache == nil {
			own := *p
			own.Cache, *last = b, &own
		}
	case *llm.Blob:
		if p.Cache == nil {
			own := *p
			own.Cache, *last = b, &own
		}
	case *llm.Call:
		if p.Cache == nil {
			own := *p
			own.Cache, *last = b, &own
		}
	}
}
