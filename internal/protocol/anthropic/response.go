package anthropic

import (
	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// DecodeResponse reads a whole answer (spec: upstreams §1C.3).
func (*Codec) DecodeResponse(body []byte) (*llm.Response, error) {
	r := &llm.Response{Answers: make([]llm.Answer, 1)}
	a := &r.Answers[0]
	d := decoder{r: &llm.Request{}}
	var h halt
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return nil, fault.New(fault.Broken, "the upstream's answer: %s", err)
		}
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type", "role":
		case "id":
			r.ID = wire.Text(m.Value)
		case "model":
			r.Model = wire.Text(m.Value)
		case "content":
			a.Parts = d.content("content", m.Value)
		case "usage":
			r.Usage, r.HasUsage = usageOf(m.Value), true
			r.Tier = wire.Text(jsonedit.Get(m.Value, "service_tier"))
			keep(&r.Extra, m)
		default:
			if !h.take(m) {
				keep(&r.Extra, m)
			}
		}
	}
	if d.err != nil {
		d.err.Class = fault.Broken
		return nil, d.err
	}
	a.Stop, a.Sequence, a.Extra = h.read()
	if p := h.refusal(); p != nil {
		a.Parts = append(a.Parts, p)
	}
	if a.Stop == llm.StopEnd || a.Stop == llm.StopUnset {
		for _, p := range a.Parts {
			if isCall(p) { // some vendors say end_turn (spec: translation-traps A22)
				a.Stop = llm.StopCall
			}
		}
	}
	return r, nil
}

// isCall reports whether p asks the client to run a tool. What code called that
// the upstream runs is answered by the time the answer ends.
func isCall(p llm.Part) bool {
	c, ok := p.(*llm.Call)
	if !ok {
		return false
	}
	by := wire.Text(jsonedit.Path(object(c.Extra), "caller", "type"))
	return by == "" || by == "direct"
}

// usageOf is a usage object in the neutral arithmetic.
func usageOf(v []byte) llm.Usage {
	var b bill
	b.add(v)
	return b.usage()
}

// A halt is why an answer stopped, as it came.
type halt struct{ reason, sequence, details []byte }

// take takes a member that is about it.
func (h *halt) take(m jsonedit.Member) bool {
	switch string(m.Name) {
	case "stop_reason":
		h.reason = m.Value
	case "stop_sequence":
		h.sequence = m.Value
	case "stop_details":
		h.details = m.Value
	default:
		return false
	}
	return true
}

// read is what h means. A reason without a neutral name, and the details, stay
// in the Extra.
func (h *halt) read() (stop llm.Stop, sequence llm.Text, x llm.Extra) {
	stop = stopOf(h.reason)
	if stop == llm.StopOther {
		x.Add(protocol.Anthropic, []byte("stop_reason"), h.reason)
	}
	if !wire.Null(h.details) {
		x.Add(protocol.Anthropic, []byte("stop_details"), h.details)
	}
	return stop, openaiwire.String(h.sequence), x
}

// refusal is what the model says of why it declined, nil if nothing. Its Extra
// names the protocol, which tells it from words of the answer.
func (h *halt) refusal() *llm.Refusal {
	t := openaiwire.String(jsonedit.Get(h.details, "explanation"))
	if stopOf(h.reason) != llm.StopRefusal || t.Empty() {
		return nil
	}
	return &llm.Refusal{Text: t, Extra: llm.Extra{Protocol: protocol.Anthropic}}
}

// stopOf reads a stop reason; spec: upstreams §2.10.
func stopOf(v []byte) llm.Stop {
	switch string(v) {
	case "", "null", `""`:
		return llm.StopUnset
	case `"end_turn"`:
		return llm.StopEnd
	case `"tool_use"`:
		return llm.StopCall
	case `"max_tokens"`:
		return llm.StopLength
	case `"stop_sequence"`:
		return llm.StopSequence
	case `"pause_turn"`:
		return llm.StopPause
	case `"refusal"`:
		return llm.StopRefusal
	case `"model_context_window_exceeded"`:
		return llm.StopContext
	}
	return llm.StopOther
}

// reasonOf is how the protocol says why an answer stopped. Calls win over all
// that lets the client go on without answering them (spec: translation-traps
// A21, B23, C15).
func reasonOf(s llm.Stop, calls bool) string {
	switch s {
	case llm.StopLength:
		return "max_tokens"
	case llm.StopContext:
		return "model_context_window_exceeded"
	case llm.StopRefusal, llm.StopFilter:
		return "refusal"
	case llm.StopPause:
		return "pause_turn"
	case llm.StopCall:
		return "tool_use"
	case llm.StopSequence:
		if !calls {
			return "stop_sequence"
		}
	}
	if calls {
		return "tool_use"
	}
	return "end_turn"
}

// EncodeResponse appends a whole answer. The error is of class Broken for an
// answer that ended in a call which nobody could read: told as an end it would
// be taken for one (spec: translation-traps C14).
func (*Codec) EncodeResponse(dst []byte, r *llm.Response, echo *protocol.Echo) ([]byte, []llm.Loss, error) {
	var a llm.Answer
	e := shaper{}
	if len(r.Answers) > 0 {
		a = r.Answers[0]
	}
	if len(r.Answers) > 1 {
		e.lose("answers", "dropped: the protocol has room for one answer")
	}
	id := messageID(r.ID, echo)
	dst = jsonw.String(append(dst, '{'), "id", id)
	dst = append(dst, `,"type":"message","role":"assistant"`...)
	dst = append(jsonw.Name(jsonw.String(dst, "model", echo.Model), "content"), '[')
	calls := false
	for i, p := range a.Parts {
		if p = e.shape(i, p); p == nil {
			continue
		}
		dst = appendPart(jsonw.Comma(dst), p, id, i)
		calls = calls || isCall(p)
	}
	if a.Stop == llm.StopMalformed && !calls {
		return dst, nil, unreadable()
	}
	if a.Logprobs != nil {
		e.lose("logprobs", "dropped: the protocol does not tell them")
	}
	dst = appendHalt(append(dst, ']'), a.Stop, calls, a.Sequence, &a.Extra, e.refused)
	dst = appendUsage(dst, r.Usage, &r.Extra)
	if lost := lostUsage(&r.Usage); lost != "" {
		e.lose("usage", lost)
	}
	if r.Extra.Protocol == protocol.Anthropic {
		for m := range members(r.Extra) {
			if string(m.Name) != "usage" {
				dst = jsonw.Raw(dst, string(m.Name), m.Value)
			}
		}
	}
	return append(dst, '}'), e.losses, nil
}

func unreadable() *fault.Fault {
	return fault.New(fault.Broken, "the model's call of a tool was unreadable; ask again")
}

// appendHalt appends why an answer stopped. refused is what the model said of
// it, if that came as a part.
func appendHalt(dst []byte, s llm.Stop, calls bool, sequence llm.Text, x *llm.Extra, refused llm.Text) []byte {
	if refused.IsSet() && s != llm.StopLength {
		s = llm.StopRefusal
	}
	var reason, details []byte
	if x.Protocol == protocol.Anthropic {
		own := object(*x)
		reason, details = jsonedit.Get(own, "stop_reason"), jsonedit.Get(own, "stop_details")
	}
	if reason != nil {
		dst = jsonw.Raw(dst, "stop_reason", reason)
	} else {
		dst = jsonw.String(dst, "stop_reason", reasonOf(s, calls))
	}
	if sequence.IsSet() {
		dst = jsonw.Text(dst, "stop_sequence", sequence)
	} else {
		dst = append(dst, `,"stop_sequence":null`...)
	}
	switch {
	case details != nil:
		dst = jsonw.Raw(dst, "stop_details", details)
	case s == llm.StopRefusal || s == llm.StopFilter:
		dst = append(dst, `,"stop_details":{"type":"refusal","category":null,"explanation":`...)
		if refused.Empty() {
			dst = append(dst, "null"...)
		} else {
			dst = refused.AppendJSON(dst)
		}
		dst = append(dst, '}')
	}
	return dst
}

// Losses of an answer whose usage is told in another arithmetic.
const (
	halfDay = "approximated: what is cached for twelve hours is told as cached for one"
	noMedia = "dropped: the protocol does not tell how much of it is sound or pictures"
)

// lostUsage is what the usage object cannot tell of u, or "".
func lostUsage(u *llm.Usage) string {
	switch {
	case u.CacheHalfDay > 0:
		return halfDay
	case u.AudioIn+u.ImageIn+u.AudioOut+u.ImageOut > 0:
		return noMedia
	}
	return ""
}

// appendUsage appends a usage object; the upstream's own if it says the same.
func appendUsage(dst []byte, u llm.Usage, x *llm.Extra) []byte {
	if x.Protocol == protocol.Anthropic {
		if own := jsonedit.Get(object(*x), "usage"); own != nil && says(own, u) {
			return jsonw.Raw(dst, "usage", own)
		}
	}
	dst = jsonw.Int(append(jsonw.Name(dst, "usage"), '{'), "input_tokens", u.Input)
	dst = jsonw.Int(dst, "cache_creation_input_tokens", u.CacheWrite)
	if u.CacheWrite > 0 {
		dst = jsonw.Int(append(jsonw.Name(dst, "cache_creation"), '{'), "ephemeral_5m_input_tokens", u.CacheWrite-u.CacheHour-u.CacheHalfDay)
		dst = append(jsonw.Int(dst, "ephemeral_1h_input_tokens", u.CacheHour+u.CacheHalfDay), '}')
	}
	dst = jsonw.Int(dst, "cache_read_input_tokens", u.CacheRead)
	dst = jsonw.Int(dst, "output_tokens", u.Output+u.Reasoning)
	if u.Reasoning > 0 {
		dst = append(jsonw.Int(append(jsonw.Name(dst, "output_tokens_details"), '{'), "thinking_tokens", u.Reasoning), '}')
	}
	if u.Searches+u.Fetches > 0 {
		dst = jsonw.Int(append(jsonw.Name(dst, "server_tool_use"), '{'), "web_search_requests", u.Searches)
		dst = append(jsonw.Int(dst, "web_fetch_requests", u.Fetches), '}')
	}
	return append(dst, '}')
}
