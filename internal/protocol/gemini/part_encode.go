package gemini

import (
	"encoding/json/jsontext"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// A writer writes parts. Requests, answers and streams share it. Its methods
// return dst as it was for what has no seat, and tell it.
type writer struct {
	losses []llm.Loss
}

func (w *writer) lose(at, why string) {
	w.losses = append(w.losses, llm.Loss{Path: at, Why: why})
}

// appendSeal appends a thought signature to a part that is being written.
func appendSeal(dst []byte, s *llm.Seal) []byte {
	if !isSealed(s) {
		return dst
	}
	return jsonw.Text(dst, "thoughtSignature", s.Data)
}

// appendText appends a part that is text, or nothing but a signature.
func appendText(dst []byte, t llm.Text, thought bool, s *llm.Seal, x llm.Extra) []byte {
	dst = append(jsonw.Comma(dst), '{')
	if t.IsSet() || !isSealed(s) {
		dst = jsonw.Text(dst, "text", t)
	}
	if thought {
		dst = jsonw.Bool(dst, "thought", true)
	}
	return append(x.AppendTo(appendSeal(dst, s), protocol.Gemini), '}')
}

// call appends a call with a seal, which may be another than its own. Google
// knows nothing of ids that were made here.
func (w *writer) call(dst []byte, at string, c *llm.Call, s *llm.Seal) []byte {
	dst = append(jsonw.Comma(dst), `{"functionCall":{`...)
	if c.ID != "" && !minted(c.ID) {
		dst = jsonw.String(dst, "id", c.ID)
	}
	dst = jsonw.String(dst, "name", c.Name)
	if c.Args.IsSet() {
		dst = w.args(jsonw.Name(dst, "args"), at, c)
	}
	x, beside := inner(c.Extra, "functionCall")
	dst = append(x.AppendTo(dst, protocol.Gemini), '}')
	return append(beside.AppendTo(appendSeal(dst, s), protocol.Gemini), '}')
}

// args appends the arguments of a call, which are an object at Google. What is
// none is kept as it is, as the member "input" (spec: translation-traps A12,
// A13, D6).
func (w *writer) args(dst []byte, at string, c *llm.Call) []byte {
	from := len(dst)
	dst = c.Args.Append(dst)
	args := jsontext.Value(dst[from:])
	valid := c.Kind == llm.Function && args.IsValid(jsontext.AllowDuplicateNames(true))
	switch {
	case len(args) == 0 && c.Kind == llm.Function:
		return append(dst, "{}"...)
	case valid && args.Kind() == '{':
		return dst
	case valid:
		w.lose(at+".arguments", "approximated: they are no object, and stand in its member input")
		return append(append(append(dst[:from:from], `{"input":`...), args...), '}')
	case c.Kind == llm.Function:
		w.lose(at+".arguments", "approximated: they are no sound JSON, and stand as text in the member input")
	}
	return append(c.Args.AppendJSON(append(dst[:from], `{"input":`...)), '}')
}

// blob appends an image, a sound, a film or a document. named says whether
// Google is told its name, which only Vertex AI takes.
func (w *writer) blob(dst []byte, at string, b *llm.Blob, named bool) []byte {
	kind := "inlineData"
	mime := b.Type
	switch {
	case b.Prose.IsSet():
		if b.Name != "" {
			dst = appendText(dst, llm.Plain("["+b.Name+"]"), false, nil, llm.Extra{})
		}
		w.lose(at, wire.TextOnly)
		return appendText(dst, b.Prose, false, b.Seal, llm.Extra{})
	case b.Data.IsSet():
		if mime == "" {
			mime = sniff(b.Kind, b.Data)
		}
	case b.File != "" && b.Extra.Protocol != protocol.Gemini && !held(b.File):
		w.lose(at, wire.HeldElsewhere)
		return dst
	default:
		kind = "fileData"
		if mime == "" && !held(b.File) {
			if mime = mimeOf(b.URL); mime == "" && b.Extra.Protocol != protocol.Gemini {
				mime = usual[b.Kind]
			}
		}
	}
	x, beside := inner(b.Extra, kind)
	dst = append(jsonw.Name(append(jsonw.Comma(dst), '{'), kind), '{')
	if mime != "" {
		dst = jsonw.String(dst, "mimeType", mime)
	}
	if kind == "inlineData" {
		dst = jsonw.Text(dst, "data", b.Data)
	} else {
		dst = jsonw.String(dst, "fileUri", b.URL+b.File)
	}
	switch {
	case b.Name == "":
	case named || b.Extra.Protocol == protocol.Gemini:
		dst = jsonw.String(dst, "displayName", b.Name)
	default:
		w.lose(at+".name", "dropped: the upstream takes no names of files")
	}
	dst = append(x.AppendTo(dst, protocol.Gemini), '}')
	return append(beside.AppendTo(appendSeal(dst, b.Seal), protocol.Gemini), '}')
}

// opaque appends a part of this protocol's own, or what says the same in words.
func (w *writer) opaque(dst []byte, at string, p *llm.Opaque) []byte {
	switch {
	case p.Protocol == protocol.Gemini:
		return append(jsonw.Comma(dst), p.Raw...)
	case p.Alt.IsSet():
		w.lose(at, "approximated: a part of kind "+p.Kind+" as text")
		return appendText(dst, p.Alt, false, nil, llm.Extra{})
	}
	w.lose(at, "dropped: there is no seat for a part of kind "+p.Kind)
	return dst
}

// serverCall appends what was run. Of other upstreams' tools only code has a
// seat.
func (w *writer) serverCall(dst []byte, at string, c *llm.ServerCall) []byte {
	switch {
	case c.Extra.Protocol == protocol.Gemini:
		switch {
		case jsonedit.Get(c.Input, "toolType") != nil || jsonedit.Get(c.Input, "tool_type") != nil:
			return data(dst, "toolCall", c.Input, c.Extra)
		case c.Name == "code_execution" && c.Input != nil:
			return data(dst, "executableCode", c.Input, c.Extra)
		case c.Name == "mcp" && c.Input != nil:
			return data(dst, "functionCall", c.Input, c.Extra)
		}
		return dst // it is told by the metadata of the answer
	case c.Name == "code_execution" && c.Query.IsSet():
		dst = append(jsonw.Comma(dst), `{"executableCode":{"language":"PYTHON"`...)
		return append(jsonw.Text(dst, "code", c.Query), "}}"...)
	}
	w.lose(at, "dropped: there is no seat for what another upstream ran")
	return dst
}

// serverResult appends what came of it.
func (w *writer) serverResult(dst []byte, at string, r *llm.ServerResult) []byte {
	switch {
	case r.Extra.Protocol == protocol.Gemini:
		switch {
		case jsonedit.Get(r.Raw, "toolType") != nil || jsonedit.Get(r.Raw, "tool_type") != nil:
			return data(dst, "toolResponse", r.Raw, r.Extra)
		case r.Name == "code_execution":
			return data(dst, "codeExecutionResult", r.Raw, r.Extra)
		case r.Name == "mcp":
			return data(dst, "functionResponse", r.Raw, r.Extra)
		}
		return dst
	case r.Name == "code_execution":
		outcome := "OUTCOME_OK"
		if r.Failed {
			outcome = "OUTCOME_FAILED"
		}
		dst = jsonw.String(append(jsonw.Comma(dst), `{"codeExecutionResult":{`...), "outcome", outcome)
		if r.Text.IsSet() {
			dst = jsonw.Text(dst, "output", r.Text)
		}
		return append(dst, "}}"...)
	case len(r.Blobs) > 0:
		for i := range r.Blobs {
			dst = w.blob(dst, at, &r.Blobs[i], false)
		}
		return dst
	}
	w.lose(at, "dropped: there is no seat for what another upstream found")
	return dst
}

// data appends a part whose data are verbatim.
func data(dst []byte, kind string, v []byte, x llm.Extra) []byte {
	dst = jsonw.Raw(append(jsonw.Comma(dst), '{'), kind, v)
	return append(x.AppendTo(dst, protocol.Gemini), '}')
}
