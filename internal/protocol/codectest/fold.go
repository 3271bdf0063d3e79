// Package codectest is what the tests of all codecs share: the folding of a
// stream's events into a whole answer, the comparison of JSON by meaning, and
// the replay of recorded traffic.
package codectest

import (
	"bytes"
	"cmp"
	"encoding/json/jsontext"
	"fmt"
	"slices"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/sse"
)

// Frames cuts a recorded stream into its events.
func Frames(stream []byte) (out []sse.Frame) {
	var c sse.Cutter
	for len(stream) > 0 {
		n := c.Cut(stream)
		if n == 0 {
			n = len(stream)
		}
		if f := sse.Parse(stream[:n]); f.Data != nil {
			out = append(out, f)
		}
		stream = stream[n:]
	}
	return out
}

// Fold decodes a recorded stream and folds its events into a whole answer.
// The error says what is unlawful: a part that grows before it opens, stays
// open, or opens twice.
func Fold(d protocol.Decoder, stream []byte) (*llm.Response, error) {
	f := folder{r: &llm.Response{}}
	for _, frame := range Frames(stream) {
		events, err := d.Feed(nil, frame.Event, frame.Data)
		if err != nil {
			return nil, err
		}
		for i := range events {
			f.take(&events[i])
		}
	}
	events := d.End(nil)
	for i := range events {
		f.take(&events[i])
	}
	return f.end()
}

type folder struct {
	r     *llm.Response
	parts []*folded
	ended int
	err   error
}

type folded struct {
	answer, part int
	what         llm.Part
	text         []byte
	open         bool
	seal         *llm.Seal
	cites        []llm.Citation
}

func (f *folder) bad(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

func (f *folder) find(e *llm.Event) *folded {
	for _, p := range f.parts {
		if p.answer == e.Answer && p.part == e.Part {
			return p
		}
	}
	return nil
}

func (f *folder) answer(i int) *llm.Answer {
	for len(f.r.Answers) <= i {
		f.r.Answers = append(f.r.Answers, llm.Answer{})
	}
	return &f.r.Answers[i]
}

func (f *folder) take(e *llm.Event) {
	switch e.Kind {
	case llm.Begin:
		f.r.ID, f.r.Model = e.ID, e.Model
	case llm.Open, llm.Whole:
		if f.find(e) != nil {
			f.bad("part %d of answer %d opens twice", e.Part, e.Answer)
		}
		f.answer(e.Answer)
		f.parts = append(f.parts, &folded{answer: e.Answer, part: e.Part, what: e.What, open: e.Kind == llm.Open})
	case llm.Grow, llm.Close, llm.Sealed, llm.Cited:
		p := f.find(e)
		if p == nil || !p.open && e.Kind != llm.Cited && e.Kind != llm.Sealed {
			f.bad("event %d for part %d of answer %d, which is not open", e.Kind, e.Part, e.Answer)
			return
		}
		switch e.Kind {
		case llm.Grow:
			p.text = e.Text.Append(p.text)
		case llm.Sealed:
			s := *e.Seal
			s.Data = s.Data.Own()
			p.seal = &s
		case llm.Cited:
			p.cites = append(p.cites, *e.Cite)
		default:
			p.open = false
		}
	case llm.Tally:
		f.r.Usage, f.r.HasUsage = e.Usage, true
	case llm.Halt:
		a := f.answer(e.Answer)
		a.Stop, a.Sequence = e.Stop, e.Sequence.Own()
	case llm.Odds:
		f.answer(e.Answer).Logprobs = bytes.Clone(e.Logprobs)
	case llm.End:
		f.ended++
	case llm.Note:
	}
}

func (f *folder) end() (*llm.Response, error) {
	slices.SortStableFunc(f.parts, func(a, b *folded) int {
		return cmp.Or(cmp.Compare(a.answer, b.answer), cmp.Compare(a.part, b.part))
	})
	for _, p := range f.parts {
		if p.open {
			f.bad("part %d of answer %d stays open", p.part, p.answer)
		}
		text := llm.PlainBytes(p.text)
		switch w := p.what.(type) {
		case *llm.Prose:
			if p.text != nil {
				w.Text = text
			}
			w.Cites = append(w.Cites, p.cites...)
			setSeal(&w.Seal, p.seal)
		case *llm.Thought:
			if p.text != nil {
				w.Text = text
			}
			setSeal(&w.Seal, p.seal)
		case *llm.Refusal:
			if p.text != nil {
				w.Text = text
			}
		case *llm.Call:
			if p.text != nil {
				w.Args = text
			}
			setSeal(&w.Seal, p.seal)
		}
		a := f.answer(p.answer)
		a.Parts = append(a.Parts, p.what)
	}
	if f.ended > 1 {
		f.bad("the stream ends %d times", f.ended)
	}
	return f.r, f.err
}

func setSeal(dst **llm.Seal, s *llm.Seal) {
	if s != nil {
		*dst = s
	}
}

// Same reports whether a and b mean the same: the same members with the same
// values, numbers compared as they are written, the order of members aside.
// diff says where they differ first.
func Same(a, b []byte) (diff string) {
	x, y := jsontext.Value(bytes.Clone(a)), jsontext.Value(bytes.Clone(b))
	for _, v := range []*jsontext.Value{&x, &y} {
		if err := v.Format(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.ReorderRawObjects(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
			return fmt.Sprintf("no JSON: %v", err)
		}
	}
	if bytes.Equal(x, y) {
		return ""
	}
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	from := max(0, i-60)
	return fmt.Sprintf("…%s\n≠ …%s", x[from:min(len(x), i+60)], y[from:min(len(y), i+60)])
}
