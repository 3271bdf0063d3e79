package gemini

import (
	"encoding/json/jsontext"
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// result writes a functionResponse (spec: upstreams §2.4). What a tool shows
// stands in it where the model takes that, which is from Gemini 3 on and, but for
// Vertex AI, as bytes only; else it is added to shown (spec: translation-traps C26). Without shown it stands in
// it, whatever the model.
func (e *requestEncoder) result(dst []byte, at string, r *llm.Result, id, name string, shown *[]llm.Part) []byte {
	dst = append(jsonw.Comma(dst), `{"functionResponse":{`...)
	if id != "" && !minted(id) {
		dst = jsonw.String(dst, "id", id)
	}
	dst = jsonw.String(dst, "name", name)
	var blobs []llm.Part
	texts := make([]llm.Text, 0, 2)
	var instead []llm.Text
	wrapped := false
	for i, p := range r.Parts {
		here := at + ".content[" + strconv.Itoa(i) + "]"
		switch p := p.(type) {
		case *llm.Prose:
			texts = append(texts, p.Text)
			wrapped = wrapped || p.Extra.Protocol == protocol.Gemini
		case *llm.Blob:
			switch {
			case p.Prose.IsSet():
				e.lose(here, wire.TextOnly)
				texts = append(texts, p.Prose)
			case shown == nil || e.gen >= 30 && (e.vertex || p.Data.IsSet()) && (e.fit.Images || !e.fit.Known || p.Kind != llm.Image):
				blobs = append(blobs, p)
			default:
				*shown = append(*shown, p)
				instead = append(instead, llm.Plain("["+kinds[p.Kind]+" "+strconv.Itoa(len(*shown))+" follows below]"))
				e.lose(here, "moved: what a tool shows stands behind its result")
			}
		case *llm.Reference:
			e.lose(here, wire.ToolInWords)
			texts = append(texts, llm.Plain("[Tool loaded: "+p.Name+"]"))
		case *llm.Opaque:
			switch {
			case p.Protocol == protocol.Gemini:
				blobs = append(blobs, p)
			case p.Alt.IsSet():
				e.lose(here, "approximated: a part of kind "+p.Kind+" as text")
				texts = append(texts, p.Alt)
			default:
				e.lose(here, "dropped: there is no seat for a part of kind "+p.Kind)
			}
		default:
			e.lose(here, "dropped: it has no seat in a result")
		}
	}
	if len(texts) == 0 {
		texts = instead
	}
	dst = response(jsonw.Name(dst, "response"), texts, r.Failed, wrapped)
	if len(blobs) > 0 {
		from := len(dst)
		dst = append(jsonw.Name(dst, "parts"), '[')
		empty := len(dst)
		for i, p := range blobs {
			dst = e.part(dst, at+".content["+strconv.Itoa(i)+"]", p, llm.User)
		}
		if len(dst) == empty {
			dst = dst[:from]
		} else {
			dst = append(dst, ']')
		}
	}
	x, beside := inner(r.Extra, "functionResponse")
	dst = append(x.AppendTo(dst, protocol.Gemini), '}')
	return append(beside.AppendTo(dst, protocol.Gemini), '}')
}

// response writes what a function gave back, which is an object at Google: a
// text that is one as it is, any other as its "output", and what is wrong as
// its "error". wrapped: the text came out of such an object, whatever it looks
// like.
func response(dst []byte, texts []llm.Text, failed, wrapped bool) []byte {
	name := "output"
	if failed {
		name = "error"
	}
	if len(texts) == 0 {
		if failed {
			return append(dst, `{"error":"the tool failed"}`...)
		}
		return append(dst, "{}"...)
	}
	text := llm.Join(texts, "")
	if !wrapped && len(texts) == 1 {
		from := len(dst)
		dst = text.Append(dst)
		v := jsontext.Value(dst[from:])
		switch {
		case v.Kind() != '{' || !v.IsValid(jsontext.AllowDuplicateNames(true)):
		case failed && wire.Empty(v): // an empty error would be none
		case !failed || jsonedit.Get(v, "error") != nil:
			return dst
		default:
			v = append([]byte(nil), v...)
			return append(append(append(dst[:from], `{"error":`...), v...), '}')
		}
		dst = dst[:from]
	}
	return append(jsonw.Text(append(dst, '{'), name, text), '}')
}

// orphan writes a result whose call nobody knows as a text, since Google
// refuses one without its call (spec: translation-traps C4).
func (e *requestEncoder) orphan(dst []byte, at string, r *llm.Result) []byte {
	e.lose(at, "approximated: a result without its call as text")
	name := r.Name
	if name == "" {
		name = r.CallID
	}
	dst = appendText(dst, llm.Plain("[Result of "+name+"]"), false, nil, llm.Extra{})
	for i, p := range r.Parts {
		dst = e.part(dst, at+".content["+strconv.Itoa(i)+"]", p, llm.User)
	}
	return dst
}
