package translate

import (
	"encoding/json/jsontext"

	"portico/internal/llm"
)

// whole makes the upstream's whole answer the client's.
func (k *back) answer(r *llm.Response) {
	k.id = r.ID
	for i := range r.Answers {
		if i >= maxAnswers {
			break
		}
		a := &r.Answers[i]
		t := k.turn(i)
		parts := make([]llm.Part, 0, len(a.Parts)+1)
		k.parts = &parts
		for j, p := range a.Parts {
			k.whole(t, &llm.Event{Kind: llm.Whole, Answer: i, Part: j, What: p})
		}
		k.settle(t, i, nil)
		k.last(t, i)
		k.parts = nil
		e := llm.Event{Stop: a.Stop, Sequence: a.Sequence}
		k.reason(t, &e)
		a.Parts, a.Stop, a.Sequence = parts, e.Stop, e.Sequence
	}
}

// grown tells a text as one that grew, with its log probabilities.
func (k *back) grown(answer, part int, t *llm.Prose, odds jsontext.Value) {
	tell := func(e llm.Event) {
		e.Answer, e.Part = answer, part
		k.feed(&e)
	}
	tell(llm.Event{Kind: llm.Open, What: &llm.Prose{Seal: t.Seal}})
	tell(llm.Event{Kind: llm.Grow, Text: t.Text})
	tell(llm.Event{Kind: llm.Odds, Logprobs: odds})
	for i := range t.Cites {
		tell(llm.Event{Kind: llm.Cited, Cite: &t.Cites[i]})
	}
	tell(llm.Event{Kind: llm.Close})
}

// unfold tells a whole answer as a stream.
func (k *back) unfold(r *llm.Response) {
	k.feed(&llm.Event{Kind: llm.Begin, ID: r.ID, Model: r.Model})
	for i := range r.Answers {
		a := &r.Answers[i]
		odds := a.Logprobs
		for j, p := range a.Parts {
			if t, ok := p.(*llm.Prose); ok && odds != nil {
				k.grown(i, j, t, odds)
				odds = nil
				continue
			}
			k.feed(&llm.Event{Kind: llm.Whole, Answer: i, Part: j, What: p})
		}
		if r.HasUsage {
			k.feed(&llm.Event{Kind: llm.Tally, Usage: r.Usage})
		}
		k.feed(&llm.Event{Kind: llm.Halt, Answer: i, Stop: a.Stop, Sequence: a.Sequence})
	}
	k.feed(&llm.Event{Kind: llm.End})
}
