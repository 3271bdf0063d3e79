package gemini

import (
	"bytes"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// Empty is the Sign.Code of an answer that ended with STOP although nothing
// was written: no part of any candidate, and no output token by the upstream's
// own count. Gemini is known to give such answers now and then where asking
// once more gives a whole one (spec: upstreams §4.4).
//
// It may wrong an honest answer: a model that has nothing to say, or whose very
// first token is a stop sequence, says nothing again when it is asked again.
// What only thought, called a function, was cut by a filter or by the limit of
// tokens is no such answer.
const Empty = "EMPTY_ANSWER"

// maxCandidates is how many candidates of one answer are kept apart; Google
// gives at most 8. What lies beyond counts as the last one.
const maxCandidates = 64

// A tap watches one answer. It scans and decodes nothing: an ordinary chunk
// costs no allocation.
type tap struct {
	seen          protocol.Seen
	begun, ended  uint64 // candidates seen, and those that told a finish reason
	answered      bool   // a part came, or a reason for there being none
	blocked       bool   // the prompt was refused
	result        bool   // a vector or a count came
	stopFromFirst bool   // Seen.Stop is of the candidate with index 0
}

var _ protocol.Tap = (*tap)(nil)

func (t *tap) Seen() *protocol.Seen { return &t.seen }

// Frame reads one chunk, or an array of them. A chunk with a finish reason is
// Final, and so is whatever follows once all candidates seen have one, such as
// the usage.
//
// A candidate that goes on after its finish reason is not finished any more:
// answers in which the upstream runs tools by itself hold several, and old
// models told STOP with every chunk.
//
// An answer that stops with nothing in it is not Meaningful until a usage tells
// that there was output, and Failed once one tells that there was none (see
// Empty). If no usage comes the stream ends as an empty one.
func (t *tap) Frame(event, data []byte) protocol.Mark {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return 0
	case string(data) == "[DONE]": // no part of this protocol, but gateways add it
		return protocol.Final
	case string(event) == "error":
		return t.fail(data)
	case data[0] != '[':
		return t.chunk(data)
	}
	var mark protocol.Mark
	for e, err := range jsonedit.Elements(data) {
		if err != nil {
			return t.failure("the upstream sent an event that is no chunk of an answer", data)
		}
		if mark |= t.chunk(e); mark&protocol.Failed != 0 {
			break
		}
	}
	return mark
}

// Body reads a whole answer: that of generateContent, a stream as an array, a
// vector or a count. Anything else is none.
func (t *tap) Body(body []byte) protocol.Mark {
	body = bytes.TrimSpace(body)
	if mark := t.Frame(nil, body); mark&protocol.Failed != 0 {
		return mark
	}
	switch {
	case t.answered || t.result || t.ended != 0 && t.wrote():
		t.seen.Finished = true
		return protocol.Meaningful | protocol.Final
	case t.ended != 0:
		return t.empty()
	case t.begun != 0:
		return t.failure("the upstream's answer holds nothing", body)
	}
	return t.failure("the upstream's answer has no candidates", body)
}

// chunk reads one GenerateContentResponse.
func (t *tap) chunk(data []byte) (mark protocol.Mark) {
	var candidates []byte
	failed := false
	for m, err := range jsonedit.Members(data) {
		if err != nil {
			return t.failure("the upstream sent what is no chunk of an answer ("+err.Error()+")", data)
		}
		switch string(m.Name) {
		case "candidates":
			candidates = m.Value
		case "usageMetadata":
			if u, ok := usage(m.Value); ok {
				t.seen.Usage, t.seen.HasUsage = u, true
			}
		case "responseId":
			if t.seen.ID == "" {
				t.seen.ID = wire.Text(m.Value)
			}
		case "modelVersion":
			if t.seen.Model == "" {
				t.seen.Model = wire.Text(m.Value)
			}
		case "promptFeedback":
			t.feedback(m.Value)
		case "error":
			failed = failed || !wire.Empty(m.Value)
		case "embedding", "embeddings", "totalTokens":
			t.result = true
		}
	}
	if len(candidates) > 0 && candidates[0] == '[' {
		for c, err := range jsonedit.Elements(candidates) {
			if err != nil {
				return mark | t.failure("the upstream sent candidates that cannot be read", data)
			}
			mark |= t.candidate(c)
		}
	}
	if failed {
		return mark&protocol.Meaningful | t.fail(data)
	}
	return mark | t.finish()
}

// finish judges what has come so far.
func (t *tap) finish() protocol.Mark {
	t.seen.Finished = t.blocked || t.begun != 0 && t.begun == t.ended
	switch {
	case !t.seen.Finished:
		return 0
	case t.answered || t.wrote():
		return protocol.Meaningful | protocol.Final
	case t.seen.HasUsage:
		return t.empty()
	}
	t.seen.Finished = false
	return 0
}

// wrote reports whether the upstream has counted output.
func (t *tap) wrote() bool { return t.seen.Usage.Output+t.seen.Usage.Reasoning > 0 }

// feedback reads what the upstream thinks of the prompt. A refused prompt is an
// answer: the client is told by the protocol's own means.
func (t *tap) feedback(v []byte) {
	for m := range wire.Object(v) {
		switch string(m.Name) {
		case "blockReason":
			if unset(m.Value) {
				continue
			}
			if t.seen.Stop == "" {
				t.seen.Stop = reason(m.Value)
			}
		case "blockReasonMessage":
			if wire.Empty(m.Value) {
				continue
			}
		default:
			continue
		}
		t.blocked, t.answered = true, true
	}
}

// candidate reads one candidate.
func (t *tap) candidate(c []byte) (mark protocol.Mark) {
	if len(c) == 0 || c[0] != '{' {
		return 0
	}
	var index int64
	var content, finish []byte
	for m := range wire.Object(c) {
		switch string(m.Name) {
		case "index":
			index, _ = jsonedit.Int(m.Value)
		case "content":
			content = m.Value
		case "finishReason":
			finish = m.Value
		}
	}
	if index < 0 || index >= maxCandidates {
		index = maxCandidates - 1
	}
	bit := uint64(1) << index
	t.begun |= bit
	n, what := carries(content)
	t.seen.OutBytes += n
	if what != nothing {
		t.answered = true
		mark = protocol.Meaningful
	}
	if unset(finish) {
		if what == substance {
			t.ended &^= bit
		}
		return mark
	}
	t.ended |= bit
	if index == 0 || !t.stopFromFirst {
		t.seen.Stop, t.stopFromFirst = reason(finish), index == 0
	}
	if string(finish) != `"STOP"` && string(finish) != "1" {
		t.answered = true // why there is nothing is told
	}
	if t.answered {
		mark |= protocol.Meaningful | protocol.Final
	}
	return mark
}

// unset reports whether a reason is none: absent, or the enum's first value. It
// is a number with $alt=json;enum-encoding=int.
func unset(v []byte) bool {
	switch string(v) {
	case `"FINISH_REASON_UNSPECIFIED"`, `"BLOCK_REASON_UNSPECIFIED"`, `"BLOCKED_REASON_UNSPECIFIED"`, "0":
		return true
	}
	return wire.Empty(v)
}

// reason is the text of a reason, without an allocation for the usual ones.
func reason(v []byte) string {
	switch string(v) {
	case `"STOP"`:
		return "STOP"
	case `"MAX_TOKENS"`:
		return "MAX_TOKENS"
	case `"SAFETY"`:
		return "SAFETY"
	}
	if s := wire.Text(v); s != "" {
		return s
	}
	return string(v)
}

// empty takes an answer in which nothing was written.
func (t *tap) empty() protocol.Mark {
	t.seen.Finished = false
	t.seen.Error = &fault.Sign{Code: Empty, Message: "the upstream ended its answer before it had written anything"}
	return protocol.Failed
}

// fail takes an error in the protocol's own form.
func (t *tap) fail(data []byte) protocol.Mark { return t.seen.Fail("", decodeError(0, data)) }

// failure takes what is no answer of this protocol at all; what says so.
func (t *tap) failure(what string, data []byte) protocol.Mark {
	s := decodeError(0, data)
	s.Message = strings.TrimSuffix(what+": "+s.Message, ": ")
	t.seen.Error, t.seen.Finished = &s, false
	return protocol.Failed
}
