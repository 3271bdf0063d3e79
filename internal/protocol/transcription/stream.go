package transcription

import (
	"strings"
	"unicode"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
)

// Event takes an event of the model's stream and appends to dst what it makes
// for the client. Blanks at the beginning and at the end, and silence, are kept
// from it.
func (a *Answer) Event(dst []byte, e *llm.Event) []byte {
	switch e.Kind {
	case llm.Open:
		_, a.skip = e.What.(*llm.Thought)
	case llm.Whole:
		a.part(e.What)
	case llm.Grow:
		if !a.skip {
			a.text.Write(e.Text.Append(nil))
		}
	case llm.Tally:
		a.usage = e.Usage
		return dst
	case llm.Halt:
		a.stop = e.Stop
		return dst
	default:
		return dst
	}
	return a.delta(dst)
}

// delta appends an event with what the client has not been told, if there is
// anything that is not a blank at an end.
func (a *Answer) delta(dst []byte) []byte {
	all := a.text.String()
	if !a.begun {
		start := strings.TrimLeftFunc(all, unicode.IsSpace)
		if strings.HasPrefix(silence, strings.TrimRightFunc(start, unicode.IsSpace)) {
			return dst
		}
		a.begun, a.told = true, len(all)-len(start)
	}
	end := len(strings.TrimRightFunc(all, unicode.IsSpace))
	if end <= a.told {
		return dst
	}
	dst = append(dst, `data: {"type":"transcript.text.delta"`...)
	dst = append(jsonw.String(dst, "delta", all[a.told:end]), "}\n\n"...)
	a.told = end
	return dst
}

// Unfold takes the whole answer of the model's for a client that wants a
// stream.
func (a *Answer) Unfold(dst []byte, r *llm.Response) ([]byte, error) {
	if err := a.Add(r); err != nil {
		return dst, err
	}
	return a.End(a.delta(dst))
}

// End appends the last event. The error is as that of Add.
func (a *Answer) End(dst []byte) ([]byte, error) {
	if err := a.check(); err != nil {
		return dst, err
	}
	dst = append(dst, `data: {"type":"transcript.text.done","text":`...)
	dst = jsonedit.Quote(dst, a.said())
	return append(a.appendUsage(dst), "}\n\n"...), nil
}
