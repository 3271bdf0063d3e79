package anthropic

import (
	"portico/internal/fault"
	"portico/internal/llm"
)

// halt closes all that is open and writes all that waits. Why the answer
// stopped is told with the usage, which may still be to come (spec:
// translation-traps A24).
func (s *streamEncoder) halt(dst []byte, e *llm.Event) []byte {
	if s.halted {
		return dst
	}
	s.halted = true
	s.last = *e
	s.last.Sequence, s.last.Extra = e.Sequence.Own(), kept(e.Extra)
	for _, i := range s.queue {
		s.parts[i].closed = true
	}
	dst = s.drain(s.stop(dst))
	if e.Stop == llm.StopMalformed && !s.calls {
		return s.Fail(dst, unreadable(), s.echo.ID)
	}
	return dst
}

// sum writes message_delta: why the answer stopped, and the usage.
func (s *streamEncoder) sum(dst []byte) []byte {
	if s.summed {
		return dst
	}
	s.summed = true
	if !s.counted {
		s.usage = llm.Usage{Input: s.input, Output: max(s.written/bytesPerToken, 1)}
	}
	x := s.last.Extra
	dst = append(dst, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"...)
	dst = appendHalt(dst, s.last.Stop, s.calls, s.last.Sequence, &x, s.refused)
	dst = append(nested(dst, x, inDelta, ""), '}')
	dst = appendUsage(dst, s.usage, &s.sums)
	if lost := lostUsage(&s.usage); lost != "" {
		s.once("usage", lost)
	}
	return append(others(dst, x), "}\n\n"...)
}

// End writes what is owed: message_delta, if the usage never came, and
// message_stop.
func (s *streamEncoder) End(dst []byte) []byte {
	if s.over {
		return dst
	}
	dst = s.begin(dst, &llm.Event{})
	if dst = s.halt(dst, &llm.Event{}); s.over {
		return dst
	}
	s.over = true
	return append(s.sum(dst), "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}

// Fail tells that the answer broke off. No message_stop follows.
func (s *streamEncoder) Fail(dst []byte, f *fault.Fault, id string) []byte {
	if s.over {
		return dst
	}
	s.over = true
	return New().StreamError(dst, f, id)
}
