package drawing

import (
	"cmp"

	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
)

// Event takes an event of the model's stream. dst gets the drafts that are
// shown.
func (a *Answer) Event(dst []byte, e *llm.Event) []byte {
	switch e.Kind {
	case llm.Whole:
		return a.part(dst, e.What)
	case llm.Open:
		_, a.leg.thinks = e.What.(*llm.Thought)
	case llm.Grow:
		if !a.leg.thinks {
			a.say(e.Text)
		}
	case llm.Tally:
		a.leg.usage.of(&e.Usage)
	case llm.Halt:
		a.leg.stop = e.Stop
	}
	return dst
}

// End appends the event of the picture that the leg made. The error is as that
// of Add.
func (a *Answer) End(dst []byte) ([]byte, error) {
	if err := a.drawn(); err != nil {
		return dst, err
	}
	dst = a.event(dst, "completed", a.leg.last, a.leg.form)
	dst = append(a.leg.usage.append(dst), "}\n\n"...)
	a.leg.last = nil
	return dst, nil
}

// draft appends the event of a picture that is not the last, if the client
// wants to see one more.
func (a *Answer) draft(dst, data []byte, form string) []byte {
	if !a.r.Stream || a.leg.drafts >= a.r.drafts {
		return dst
	}
	dst = jsonw.Int(a.event(dst, "partial_image", data, form), "partial_image_index", int64(a.leg.drafts))
	a.leg.drafts++
	return append(dst, "}\n\n"...)
}

// event begins an event, which is left open for more members (OpenAI's
// ImageGenCompletedEvent and its kin).
func (a *Answer) event(dst []byte, what string, data []byte, form string) []byte {
	kind := "image_generation."
	if a.r.edit {
		kind = "image_edit."
	}
	kind += what
	dst = append(append(append(dst, "event: "...), kind...), "\ndata: {"...)
	dst = jsonw.String(dst, "type", kind)
	dst = append(append(append(jsonw.Name(dst, "b64_json"), '"'), data...), '"')
	dst = jsonw.Int(dst, "created_at", a.created)
	dst = jsonw.String(dst, "size", cmp.Or(a.r.shape.size, "auto"))
	dst = jsonw.String(dst, "quality", cmp.Or(a.r.shape.quality, "auto"))
	dst = jsonw.String(dst, "background", "opaque")
	return jsonw.String(dst, "output_format", form)
}
