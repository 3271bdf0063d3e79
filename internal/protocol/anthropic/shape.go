package anthropic

import (
	"bytes"
	"strconv"
	"strings"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
)

// A shaper gives the parts of an answer the shapes that this protocol has.
type shaper struct {
	losses  []llm.Loss
	refused llm.Text // why the model declined, if it said so
}

func (e *shaper) lose(at, why string) { e.losses = append(e.losses, llm.Loss{Path: at, Why: why}) }

// shape is what part i of an answer becomes: texts, thoughts, calls, and what
// Anthropic itself sent, or nil for nothing. What another upstream ran is told as text: without
// Anthropic's seals its own blocks would be refused when they come back (spec:
// upstreams §2.9).
func (e *shaper) shape(i int, p llm.Part) llm.Part {
	switch p := p.(type) {
	case *llm.Prose:
		if p.Text.Empty() && len(p.Cites) == 0 {
			return nil
		}
	case *llm.Thought:
		if p.Seal == nil && p.Text.Empty() && len(p.Extra.Members) == 0 {
			return nil
		}
		if p.Redacted && p.Seal == nil {
			return nil
		}
	case *llm.Refusal:
		if p.Text.Empty() {
			return nil
		}
		e.refused = p.Text
		if p.Extra.Protocol == protocol.Anthropic {
			return nil // it stands in the details
		}
		return prose(p.Text)
	case *llm.ServerCall:
		if p.Extra.Protocol == protocol.Anthropic {
			break
		}
		e.lose(at(i), "approximated: what the upstream ran is told as text")
		if p.Name != "code_execution" || p.Query.Empty() {
			return nil
		}
		return fenced(p.Query)
	case *llm.ServerResult:
		if p.Extra.Protocol == protocol.Anthropic {
			break
		}
		e.lose(at(i), "approximated: what the upstream found is told as text")
		return retold(p)
	case *llm.Opaque:
		if p.Protocol == protocol.Anthropic {
			break
		}
		if p.Alt.Empty() {
			e.lose(at(i), "dropped: the protocol has no part of kind "+p.Kind)
			return nil
		}
		e.lose(at(i), "approximated: a part of kind "+p.Kind+" as text")
		return prose(p.Alt)
	case *llm.Blob:
		e.lose(at(i), "dropped: the protocol has no seat for a "+shows[p.Kind]+" in an answer")
		return prose(llm.Plain("[The model made a " + shows[p.Kind] + ", for which this protocol has no room.]"))
	case *llm.Result, *llm.Reference:
		e.lose(at(i), "dropped: it has no seat in an answer")
		return nil
	}
	return p
}

func at(i int) string { return "content[" + strconv.Itoa(i) + "]" }

func prose(t llm.Text) llm.Part { return &llm.Prose{Text: t} }

// fenced is code, or what it wrote, as text.
func fenced(t llm.Text) llm.Part {
	plain := t.String()
	fence := "```"
	for strings.Contains(plain, fence) {
		fence += "`"
	}
	return prose(llm.Plain(fence + "\n" + strings.TrimSuffix(plain, "\n") + "\n" + fence + "\n"))
}

// retold is what a tool of another upstream found or wrote.
func retold(r *llm.ServerResult) llm.Part {
	if len(r.Sources) > 0 {
		var b strings.Builder
		b.WriteString("Sources:\n")
		for _, c := range r.Sources {
			b.WriteString("- " + strings.TrimSpace(c.Title+" "+c.URL) + "\n")
		}
		return prose(llm.Plain(b.String()))
	}
	if !r.Text.Empty() {
		return fenced(r.Text)
	}
	return nil
}

// appendPart appends what shape made of part i of the answer called message, as
// a block.
func appendPart(dst []byte, p llm.Part, message string, i int) []byte {
	switch p := p.(type) {
	case *llm.Prose:
		dst = appendProse(dst, p)
		if len(p.Cites) > 0 {
			dst = append(jsonw.Name(dst, "citations"), '[')
			for i := range p.Cites {
				dst = appendCitation(jsonw.Comma(dst), &p.Cites[i], span(p.Text, &p.Cites[i]))
			}
			dst = append(dst, ']')
		}
		return append(p.Extra.AppendTo(dst, protocol.Anthropic), '}')
	case *llm.Thought:
		return append(p.Extra.AppendTo(appendThought(dst, p), protocol.Anthropic), '}')
	case *llm.Call:
		dst = appendCall(dst, callID(p.ID, message, i), p.Name)
		if p.Kind == llm.Custom { // the protocol has no free text for tools
			dst = append(p.Args.AppendJSON(append(dst, freeText...)), '}')
		} else {
			dst = appendInput(dst, p.Args)
		}
		return append(p.Extra.AppendTo(dst, protocol.Anthropic), '}')
	case *llm.ServerCall:
		return append(append(appendServerCall(dst, p), inputOf(p)...), '}')
	case *llm.ServerResult:
		return append(dst, p.Raw...)
	case *llm.Opaque:
		return append(dst, p.Raw...)
	}
	return dst
}

// freeText begins the input of a call whose tool takes free text elsewhere.
const freeText = `{"input":`

// span is the text that a citation is about: the range that it names, or all.
func span(t llm.Text, c *llm.Citation) llm.Text {
	if c.Quote.IsSet() || c.Extra.Protocol == protocol.Anthropic {
		return llm.Text{}
	}
	if c.Start >= c.End {
		return t
	}
	runes := []rune(t.String())
	return llm.Plain(string(runes[min(c.Start, len(runes)):min(c.End, len(runes))]))
}

// appendInput appends a call's arguments. What is no JSON at all becomes a
// string, word by word, which no tool takes for arguments and nobody mistakes
// for an empty object (spec: translation-traps A12, A13).
func appendInput(dst []byte, args llm.Text) []byte {
	n := len(dst)
	dst = args.Append(dst)
	if len(bytes.TrimSpace(dst[n:])) == 0 {
		return append(dst[:n], "{}"...)
	}
	if json, _ := sound(dst[n:]); !json {
		return args.AppendJSON(dst[:n])
	}
	return dst
}

// messageID is the id of an answer, in the form that this protocol's have.
func messageID(id string, echo *protocol.Echo) string {
	const prefix = "msg_"
	if id == "" {
		id = strings.TrimPrefix(echo.ID, "req_")
	}
	if strings.HasPrefix(id, prefix) {
		return id
	}
	return prefix + id
}

// callID is the id of a call, or if it has none one made of where it stands:
// part i of the answer called message.
func callID(id, message string, i int) string {
	if id != "" {
		return id
	}
	return "toolu_" + strings.TrimPrefix(message, "msg_") + "_" + strconv.Itoa(i)
}
