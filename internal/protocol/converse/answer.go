package converse

import (
	"bytes"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// stops are the reasons why an answer ends; spec: upstreams §1E. What is not
// among them is StopOther.
var stops = map[string]llm.Stop{
	"end_turn": llm.StopEnd, "tool_use": llm.StopCall, "max_tokens": llm.StopLength, "stop_sequence": llm.StopSequence,
	"guardrail_intervened": llm.StopFilter, "content_filtered": llm.StopFilter,
	"malformed_model_output": llm.StopMalformed, "malformed_tool_use": llm.StopMalformed,
	"model_context_window_exceeded": llm.StopContext, "": llm.StopUnset,
}

// stopOf reads a reason. Some models say that they are done when they call.
func stopOf(v []byte, calls bool) llm.Stop {
	s, ok := stops[wire.Text(v)]
	if !ok {
		s = llm.StopOther
	}
	if calls && (s == llm.StopEnd || s == llm.StopUnset) {
		return llm.StopCall
	}
	return s
}

// usageOf reads a count of tokens, of which those of the cache are none of the
// input's (spec: upstreams §2.11).
func usageOf(v []byte) (u llm.Usage, ok bool) {
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "inputTokens":
			u.Input = wire.Tokens(m.Value)
		case "outputTokens":
			u.Output = wire.Tokens(m.Value)
		case "cacheReadInputTokens":
			u.CacheRead = wire.Tokens(m.Value)
		case "cacheWriteInputTokens":
			u.CacheWrite = wire.Tokens(m.Value)
		}
	}
	return u, u.Total() > 0
}

// DecodeResponse reads a whole answer.
func (*Codec) DecodeResponse(body []byte) (*llm.Response, error) {
	r := &llm.Response{Answers: make([]llm.Answer, 1)}
	a := &r.Answers[0]
	var stop []byte
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return nil, fault.New(fault.Broken, "the upstream's answer: %s", err)
		}
		switch string(m.Name) {
		case "output":
			for b, err := range jsonedit.Elements(jsonedit.Path(m.Value, "message", "content")) {
				if err != nil {
					break // Members has skipped it as sound, or there is none
				}
				if p := block(b); p != nil {
					a.Parts = append(a.Parts, p)
				}
			}
		case "stopReason":
			stop = m.Value
		case "usage":
			r.Usage, r.HasUsage = usageOf(m.Value)
		case "serviceTier":
			r.Tier = wire.Text(jsonedit.Get(m.Value, "type"))
		}
	}
	calls := false
	for _, p := range a.Parts {
		_, is := p.(*llm.Call)
		calls = calls || is
	}
	a.Stop = stopOf(stop, calls)
	return r, nil
}

// block reads a piece of an answer. Nil: it holds nothing.
func block(b []byte) llm.Part {
	for m := range wire.Object(b) {
		switch string(m.Name) {
		case "text":
			if wire.StringLen(m.Value) > 0 {
				return &llm.Prose{Text: llm.Wire(m.Value)}
			}
			return nil
		case "toolUse":
			c := &llm.Call{ID: wire.Text(jsonedit.Get(m.Value, "toolUseId")), Name: wire.Text(jsonedit.Get(m.Value, "name"))}
			if in := jsonedit.Get(m.Value, "input"); !wire.Null(in) {
				c.Args = llm.PlainBytes(bytes.Clone(in))
			}
			return c
		case "reasoningContent":
			return thought(m.Value)
		case "citationsContent":
			return cited(m.Value)
		case "image":
			format, data := wire.Text(jsonedit.Get(m.Value, "format")), jsonedit.Path(m.Value, "source", "bytes")
			if wire.StringLen(data) == 0 {
				return nil
			}
			return &llm.Blob{Kind: llm.Image, Type: "image/" + format, Data: llm.Wire(data)}
		default:
			return &llm.Opaque{Protocol: protocol.BedrockConverse, Kind: string(m.Name), Raw: bytes.Clone(b)}
		}
	}
	return nil
}

func thought(v []byte) llm.Part {
	if data := jsonedit.Get(v, "redactedContent"); wire.StringLen(data) > 0 {
		return &llm.Thought{Redacted: true, Seal: seal(llm.Encrypted, data)}
	}
	t := &llm.Thought{}
	inner := jsonedit.Get(v, "reasoningText")
	if text := jsonedit.Get(inner, "text"); wire.StringLen(text) > 0 {
		t.Text = llm.Wire(text)
	}
	if s := jsonedit.Get(inner, "signature"); wire.StringLen(s) > 0 {
		t.Seal = seal(llm.Signature, s)
	}
	if !t.Text.IsSet() && t.Seal == nil {
		return nil
	}
	return t
}

func seal(kind llm.SealKind, v []byte) *llm.Seal {
	return &llm.Seal{Protocol: protocol.BedrockConverse, Kind: kind, Data: llm.Wire(v)}
}

// cited reads a text with what it rests on.
func cited(v []byte) llm.Part {
	var text []byte
	for t, err := range jsonedit.Elements(jsonedit.Get(v, "content")) {
		if err != nil {
			break
		}
		text = append(text, wire.Text(jsonedit.Get(t, "text"))...)
	}
	p := &llm.Prose{Text: llm.PlainBytes(text)}
	for c, err := range jsonedit.Elements(jsonedit.Get(v, "citations")) {
		if err != nil {
			break
		}
		p.Cites = append(p.Cites, citation(c))
	}
	if len(text) == 0 && len(p.Cites) == 0 {
		return nil
	}
	return p
}

func citation(v []byte) llm.Citation {
	c := llm.Citation{Title: wire.Text(jsonedit.Get(v, "title")), URL: wire.Text(jsonedit.Path(v, "location", "web", "url"))}
	for s, err := range jsonedit.Elements(jsonedit.Get(v, "sourceContent")) {
		if err != nil {
			break
		}
		if t := wire.Text(jsonedit.Get(s, "text")); t != "" {
			c.Quote = llm.Plain(t)
		}
		break
	}
	return c
}
