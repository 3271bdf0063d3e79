package translate

import (
	"slices"
	"strconv"

	"portico/internal/llm"
)

// Every call is answered, and every result answers a call: all upstreams refuse
// a conversation in which it is otherwise, but clients send such conversations
// when a turn was interrupted or history was cut (spec: upstreams §2.4,
// translation-traps A4, C3, E3, E4).

// An answered is a result and where it stands.
type answered struct {
	r        *llm.Result
	message  int
	at       string
	consumed bool
}

const (
	noResult = "The tool was interrupted, and there is no result."
	noCall   = "[A tool answered, but its call is not part of this conversation]"
)

// pair puts the results of each turn's calls behind it, in the order of the
// calls. A result that is missing is told as a failed one, and a result of no
// call as words of the user. Ids are made unique, since some clients count them
// anew in every turn.
func (d *draft) pair() {
	p := d.findResults()
	if !p.calls && len(p.of) == 0 {
		return
	}
	behind := d.answers(p) // has one more than there are messages
	out := make([]llm.Message, 0, len(d.Messages)+1)
	for i := range d.Messages {
		m := d.Messages[i]
		had := len(m.Parts)
		if m.Role != llm.Assistant {
			m.Parts = d.unanswered(p, m.Parts)
		}
		if results := behind[i]; len(results) > 0 {
			if m.Role == llm.User {
				m.Parts = append(results, m.Parts...)
			} else {
				out = append(out, llm.Message{Role: llm.User, Parts: results})
			}
		}
		if len(m.Parts) > 0 || had == 0 {
			out = append(out, m)
		}
	}
	if results := behind[len(d.Messages)]; len(results) > 0 {
		out = append(out, llm.Message{Role: llm.User, Parts: results})
	}
	d.Messages = out
}

// answers are the results that stand before each message: those of the calls
// of the turn that ends before it.
func (d *draft) answers(p *pairing) [][]llm.Part {
	behind := make([][]llm.Part, len(d.Messages)+1)
	seen := map[string]int{}
	for i := 0; i < len(d.Messages); i++ {
		if d.Messages[i].Role != llm.Assistant {
			continue
		}
		var results []llm.Part
		run := i
		for ; i < len(d.Messages) && d.Messages[i].Role == llm.Assistant; i++ {
			parts := d.Messages[i].Parts
			for j, part := range parts {
				if c, ok := part.(*llm.Call); ok {
					c, r := d.answer(p, c, run, i, j, seen)
					parts[j] = c
					results = append(results, r)
				}
			}
		}
		behind[i] = results
	}
	return behind
}

// unanswered are parts without the results that stand elsewhere now. A result
// of no call is told as text.
func (d *draft) unanswered(p *pairing, parts []llm.Part) []llm.Part {
	if !slices.ContainsFunc(parts, isResult) {
		return parts
	}
	kept := make([]llm.Part, 0, len(parts))
	for _, part := range parts {
		r, ok := part.(*llm.Result)
		switch {
		case !ok:
			kept = append(kept, part)
		case !p.of[r].consumed:
			d.lose(p.of[r].at, "moved: a result without its call is told as text")
			kept = append(append(kept, &llm.Prose{Text: llm.Plain(noCall)}), r.Parts...)
		}
	}
	return kept
}

// pairing holds the results of a conversation by the ids of their calls, each
// in order.
type pairing struct {
	byID  map[string][]*answered
	of    map[*llm.Result]*answered
	calls bool
}

func (d *draft) findResults() *pairing {
	p := &pairing{}
	for i := range d.Messages {
		for j, part := range d.Messages[i].Parts {
			switch part := part.(type) {
			case *llm.Call:
				p.calls = true
			case *llm.Result:
				if p.byID == nil {
					p.byID, p.of = map[string][]*answered{}, map[*llm.Result]*answered{}
				}
				a := &answered{r: part, message: i, at: at(i, j)}
				p.byID[part.CallID] = append(p.byID[part.CallID], a)
				p.of[part] = a
			}
		}
	}
	return p
}

// take is the result of the call c that stands in message i. Without an id it is
// found by its tool's name, or by its order.
func (p *pairing) take(c *llm.Call, i int) *answered {
	for _, a := range p.byID[c.ID] {
		if !a.consumed && a.message > i && (c.ID != "" || a.r.Name == "" || a.r.Name == c.Name) {
			a.consumed = true
			return a
		}
	}
	if c.ID == "" {
		return nil
	}
	for _, a := range p.byID[""] { // Gemini's results need no id
		if !a.consumed && a.message > i && (a.r.Name == "" || a.r.Name == c.Name) {
			a.consumed = true
			return a
		}
	}
	return nil
}

// answer gives the call c, part j of message i, an id of its own and its
// result. run is where the turn of the model begins.
func (d *draft) answer(p *pairing, c *llm.Call, run, i, j int, seen map[string]int) (*llm.Call, *llm.Result) {
	a := p.take(c, i)
	id := c.ID
	if id == "" {
		id = madeID(c, i, j)
	}
	seen[id]++
	if n := seen[id]; n > 1 {
		id += "_" + strconv.Itoa(n)
	}
	if id != c.ID {
		own := *c
		own.ID, c = id, &own
	}
	if a == nil {
		d.lose(at(i, j), "emulated: the call has no result, and the upstream wants one")
		return c, &llm.Result{CallID: id, Kind: c.Kind, Failed: true, Parts: []llm.Part{&llm.Prose{Text: llm.Plain(noResult)}}}
	}
	if d.between(run, a.message) {
		d.lose(a.at, "moved: a result stands behind its call")
	}
	r := a.r
	if r.CallID != id || r.Kind != c.Kind {
		own := *r
		own.CallID, own.Kind, r = id, c.Kind, &own
	}
	return c, r
}

// between reports whether anything stands between the model's turn that begins
// at run and the message of its results.
func (d *draft) between(run, message int) bool {
	i := run
	for i < message && d.Messages[i].Role == llm.Assistant {
		i++
	}
	for ; i < message; i++ {
		for _, p := range d.Messages[i].Parts {
			if _, ok := p.(*llm.Result); !ok {
				return true
			}
		}
	}
	return false
}

// madeID is the id of a call that came without one, always the same (spec:
// translation-traps X4, C31).
func madeID(c *llm.Call, i, j int) string {
	w := words{most: 40, marks: "_-"}
	return w.mark("call_"+c.Name, c.Name+"\x00"+c.Args.String()+"\x00"+strconv.Itoa(i)+"\x00"+strconv.Itoa(j))
}

func isResult(p llm.Part) bool {
	_, ok := p.(*llm.Result)
	return ok
}
