package openaichat

import (
	"encoding/json/jsontext"
	"slices"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// DecodeResponse reads a whole answer (spec: upstreams §1A.2).
func (*Codec) DecodeResponse(body []byte) (*llm.Response, error) {
	r := &llm.Response{}
	d := decoder{r: &llm.Request{}}
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return nil, fault.New(fault.Broken, "the upstream's answer: %s", err)
		}
		switch string(m.Name) {
		case "object":
		case "id":
			r.ID = wire.Text(m.Value)
		case "model":
			r.Model = wire.Text(m.Value)
		case "created":
			r.Created, _ = jsonedit.Int(m.Value)
		case "service_tier":
			r.Tier = wire.Text(m.Value)
		case "usage":
			r.Usage, r.HasUsage = openaiwire.Usage(m.Value)
		case "choices":
			if m.Value[0] == '[' {
				d.each("choices", m.Value, func(path string, e []byte) { r.Answers = append(r.Answers, d.answer(path, e)) })
			}
		default:
			d.keep(&r.Extra, m)
		}
	}
	if d.err != nil {
		d.err.Class = fault.Broken
		return nil, d.err
	}
	return r, nil
}

func (d *decoder) answer(path string, v []byte) (a llm.Answer) {
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "index":
		case "finish_reason":
			a.Stop = stopOf(wire.Text(m.Value))
		case "logprobs":
			if !wire.Null(m.Value) {
				a.Logprobs = jsontext.Value(m.Value)
			}
		case "message":
			a.Parts = d.message(path+".message", m.Value)
		case "stop_reason": // vLLM: which stop sequence it was
			if m.Value[0] == '"' {
				a.Sequence = llm.Wire(m.Value)
			}
		default:
			d.keep(&a.Extra, m)
		}
	}
	if a.Sequence.IsSet() && a.Stop == llm.StopEnd {
		a.Stop = llm.StopSequence
	}
	if slices.ContainsFunc(a.Parts, nameless) {
		if a.Parts = slices.DeleteFunc(a.Parts, nameless); a.Stop == llm.StopCall {
			a.Stop = llm.StopMalformed // unless there is another call
		}
	}
	if a.Stop = stopWithCalls(a.Stop, a.Parts); a.Stop == llm.StopEnd && slices.ContainsFunc(a.Parts, isRefusal) {
		a.Stop = llm.StopRefusal
	}
	return a
}

func isRefusal(p llm.Part) bool {
	_, ok := p.(*llm.Refusal)
	return ok
}

// nameless reports whether p is a call without a name, which nobody can answer:
// some vendors fill in every member of the protocol and mean no call (spec:
// translation-traps A26).
func nameless(p llm.Part) bool {
	c, ok := p.(*llm.Call)
	return ok && c.Name == ""
}

// stopWithCalls is what an answer with calls stopped for: some vendors say
// "stop" (spec: translation-traps A22).
func stopWithCalls(s llm.Stop, parts []llm.Part) llm.Stop {
	if s != llm.StopEnd && s != llm.StopUnset && s != llm.StopMalformed {
		return s
	}
	for _, p := range parts {
		if _, ok := p.(*llm.Call); ok {
			return llm.StopCall
		}
	}
	return s
}

// message reads the message of an answer, which has more than one of the
// history: annotations, images, sound.
func (d *decoder) message(path string, v []byte) []llm.Part {
	var m llm.Message
	if len(v) == 0 || v[0] != '{' {
		return nil
	}
	d.assistant(path, &m, v)
	if cites := jsonedit.Get(v, "annotations"); !wire.Empty(cites) && cites[0] == '[' {
		for _, p := range m.Parts {
			if t, ok := p.(*llm.Prose); ok {
				d.each(path+".annotations", cites, func(_ string, e []byte) {
					if c, ok := citation(e); ok {
						t.Cites = append(t.Cites, c)
					}
				})
				break
			}
		}
	}
	if images := jsonedit.Get(v, "images"); !wire.Empty(images) && images[0] == '[' { // OpenRouter
		d.each(path+".images", images, func(_ string, e []byte) {
			b := &llm.Blob{Kind: llm.Image}
			imageURL(b, jsonedit.Get(e, "image_url"))
			m.Parts = append(m.Parts, b)
		})
	}
	if a := jsonedit.Get(v, "audio"); len(a) > 0 && a[0] == '{' {
		b := &llm.Blob{Kind: llm.Audio, Data: openaiwire.String(jsonedit.Get(a, "data")), Extra: llm.Extra{Protocol: protocol.OpenAIChat}}
		if t := openaiwire.String(jsonedit.Get(a, "transcript")); !t.Empty() {
			m.Parts = append(m.Parts, &llm.Prose{Text: t})
		}
		m.Parts = append(m.Parts, b)
	}
	return dropEmpty(m.Parts)
}

// dropEmpty leaves out texts that say nothing, which an answer with calls often
// has.
func dropEmpty(parts []llm.Part) []llm.Part {
	out := parts[:0]
	for _, p := range parts {
		if t, ok := p.(*llm.Prose); ok && t.Text.Empty() && len(t.Cites) == 0 {
			continue
		}
		out = append(out, p)
	}
	return out
}

func citation(v []byte) (c llm.Citation, ok bool) {
	u := jsonedit.Get(v, "url_citation")
	if u == nil {
		return c, false
	}
	start, _ := jsonedit.Int(jsonedit.Get(u, "start_index"))
	end, _ := jsonedit.Int(jsonedit.Get(u, "end_index"))
	return llm.Citation{URL: wire.Text(jsonedit.Get(u, "url")), Title: wire.Text(jsonedit.Get(u, "title")), Start: int(start), End: int(end)}, true
}

// stopOf reads a finish reason; spec: upstreams §2.10.
func stopOf(s string) llm.Stop {
	switch s {
	case "":
		return llm.StopUnset
	case "stop", "eos":
		return llm.StopEnd
	case "length", "model_length", "max_tokens":
		return llm.StopLength
	case "tool_calls", "function_call", "tool_use":
		return llm.StopCall
	case "content_filter", "sensitive":
		return llm.StopFilter
	}
	return llm.StopOther
}

// declines reports whether p is the model's own refusal, which OpenAI tells by
// its words alone: it has come to its end. SDKs take a filter for a failure. What
// Anthropic says of a refusal is not the model's.
func declines(p *llm.Refusal) bool { return p.Extra.Protocol != protocol.Anthropic }

func stopOfRefusal(s llm.Stop, declined bool) llm.Stop {
	if declined && s == llm.StopRefusal {
		return llm.StopEnd
	}
	return s
}

// finish is how the protocol says why an answer stopped.
func finish(s llm.Stop, calls bool) string {
	switch s {
	case llm.StopLength, llm.StopContext, llm.StopPause:
		return "length"
	case llm.StopRefusal, llm.StopFilter:
		return "content_filter"
	case llm.StopCall:
		return "tool_calls"
	}
	if calls {
		return "tool_calls"
	}
	return "stop"
}

// EncodeResponse appends a whole answer.
func (*Codec) EncodeResponse(dst []byte, r *llm.Response, echo *protocol.Echo) ([]byte, []llm.Loss, error) {
	e := answerEncoder{}
	dst = jsonw.String(append(dst, '{'), "id", answerID(r.ID, echo))
	dst = jsonw.String(dst, "object", "chat.completion")
	dst = jsonw.Int(dst, "created", created(r.Created, echo))
	dst = jsonw.String(dst, "model", echo.Model)
	dst = append(jsonw.Name(dst, "choices"), '[')
	for i := range r.Answers {
		dst = e.answer(dst, i, &r.Answers[i])
	}
	dst = append(dst, ']')
	dst, lost := openaiwire.AppendChatUsage(jsonw.Name(dst, "usage"), r.Usage)
	if lost != "" {
		e.lose("usage", lost)
	}
	switch r.Tier {
	case "":
	case "standard": // as Anthropic and Google call it
		dst = jsonw.String(dst, "service_tier", "default")
	default:
		dst = jsonw.String(dst, "service_tier", r.Tier)
	}
	return append(r.Extra.AppendTo(dst, protocol.OpenAIChat), '}'), e.losses, nil
}

func answerID(id string, echo *protocol.Echo) string {
	if id == "" {
		id = echo.ID
	}
	if strings.HasPrefix(id, "chatcmpl-") {
		return id
	}
	return "chatcmpl-" + id
}

func created(t int64, echo *protocol.Echo) int64 {
	if t != 0 {
		return t
	}
	return echo.Created
}

type answerEncoder struct{ losses []llm.Loss }

func (e *answerEncoder) lose(at, why string) {
	e.losses = append(e.losses, llm.Loss{Path: at, Why: why})
}

func (e *answerEncoder) answer(dst []byte, i int, a *llm.Answer) []byte {
	dst = jsonw.Int(append(jsonw.Comma(dst), '{'), "index", int64(i))
	dst = append(jsonw.Name(dst, "message"), `{"role":"assistant"`...)
	var said, thought, refused []llm.Text
	var cites []llm.Citation
	var images []*llm.Blob
	sealed, declined, calls := false, false, 0
	at := "choices[" + strconv.Itoa(i) + "]"
	runes := 0
	for j, p := range a.Parts {
		here := at + ".content[" + strconv.Itoa(j) + "]"
		switch p := p.(type) {
		case *llm.Prose:
			for _, c := range p.Cites {
				said := p.Text.String()
				if c.Start == 0 && c.End == 0 { // it is about the whole text
					c.End = len([]rune(said))
				}
				c.Start, c.End = c.Start+runes, c.End+runes
				cites = append(cites, c)
			}
			said = append(said, p.Text)
			if len(a.Parts) > 1 {
				runes += len([]rune(p.Text.String()))
			}
		case *llm.Thought:
			if !p.Text.Empty() {
				thought = append(thought, p.Text)
			}
			sealed = sealed || p.Seal != nil
		case *llm.Refusal:
			refused = append(refused, p.Text)
			declined = declined || declines(p)
		case *llm.Call:
			calls++
		case *llm.Blob:
			if p.Kind != llm.Image {
				e.lose(here, "dropped: the protocol has no seat for a "+kinds[p.Kind]+" in an answer")
				continue
			}
			images = append(images, p)
		case *llm.ServerCall, *llm.ServerResult:
			e.lose(here, "dropped: the protocol does not show what the upstream ran")
		case *llm.Opaque:
			if p.Alt.IsSet() {
				said = append(said, p.Alt)
			}
			e.lose(here, "approximated: a part of kind "+p.Kind)
		case *llm.Result, *llm.Reference:
			e.lose(here, "dropped: it has no seat in an answer")
		}
	}
	dst = jsonw.Name(dst, "content")
	if len(said) == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = llm.Join(said, "").AppendJSON(dst)
	}
	dst = jsonw.Name(dst, "refusal")
	if len(refused) == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = llm.Join(refused, "").AppendJSON(dst)
	}
	if len(thought) > 0 {
		dst = jsonw.Text(dst, "reasoning_content", llm.Join(thought, "\n\n"))
	}
	if sealed {
		dst = append(jsonw.Name(dst, "reasoning_details"), '[')
		for _, p := range a.Parts {
			if t, ok := p.(*llm.Thought); ok {
				dst = appendDetail(dst, t.Text, t.Summary, t.Seal)
			}
		}
		dst = append(dst, ']')
	}
	if calls > 0 {
		dst = append(jsonw.Name(dst, "tool_calls"), '[')
		for _, p := range a.Parts {
			if c, ok := p.(*llm.Call); ok {
				dst = (&requestEncoder{}).call(dst, c)
			}
		}
		dst = append(dst, ']')
	}
	dst = append(jsonw.Name(dst, "annotations"), '[')
	for _, c := range cites {
		dst = appendCitation(jsonw.Comma(dst), &c)
	}
	dst = append(dst, ']')
	if len(images) > 0 {
		dst = append(jsonw.Name(dst, "images"), '[')
		for _, b := range images {
			dst = appendImage(jsonw.Comma(dst), b)
		}
		dst = append(dst, ']')
	}
	dst = append(dst, '}')
	dst = jsonw.Name(dst, "logprobs")
	if a.Logprobs != nil {
		dst = append(dst, a.Logprobs...)
	} else {
		dst = append(dst, "null"...)
	}
	dst = jsonw.String(dst, "finish_reason", finish(stopOfRefusal(a.Stop, declined), calls > 0))
	return append(a.Extra.AppendTo(dst, protocol.OpenAIChat), '}')
}

func appendCitation(dst []byte, c *llm.Citation) []byte {
	dst = append(dst, `{"type":"url_citation","url_citation":{`...)
	dst = jsonw.Int(dst, "start_index", int64(c.Start))
	dst = jsonw.Int(dst, "end_index", int64(c.End))
	dst = jsonw.String(dst, "title", c.Title)
	return append(jsonw.String(dst, "url", c.URL), "}}"...)
}

// appendImage writes an image the way OpenRouter does.
func appendImage(dst []byte, b *llm.Blob) []byte {
	dst = append(dst, `{"type":"image_url","image_url":{`...)
	return append(address(dst, "url", b), "}}"...)
}
