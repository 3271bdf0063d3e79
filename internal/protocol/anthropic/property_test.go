package anthropic

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
)

// A dice makes things up.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

func (d dice) text() llm.Text {
	return pick(d, llm.Plain("words"), llm.Wire([]byte(`"more \"words\"\n"`)), llm.Plain(""), llm.Plain(" \n"), llm.Plain("end "), llm.Text{})
}

func (d dice) breakpoint() *llm.Breakpoint {
	return pick(d, nil, nil, nil, &llm.Breakpoint{}, &llm.Breakpoint{TTL: "1h"}, &llm.Breakpoint{TTL: "30m"})
}

func (d dice) part(id func() string) llm.Part {
	switch d.IntN(11) {
	case 0, 1, 2:
		return &llm.Prose{Text: d.text(), Cache: d.breakpoint()}
	case 3:
		return &llm.Thought{Text: d.text(), Seal: pick(d, nil, &llm.Seal{Protocol: protocol.Anthropic, Data: llm.Plain("s")}, &llm.Seal{Protocol: protocol.Gemini, Data: llm.Plain("s")})}
	case 4, 5:
		return &llm.Call{ID: id(), Name: "f", Args: pick(d, llm.Plain("{}"), llm.Plain(`{"a":1}`), llm.Plain(`{"a`), llm.Plain(`[1]`), llm.Text{}), Cache: d.breakpoint()}
	case 6, 7:
		return &llm.Result{CallID: id(), Failed: d.IntN(3) == 0, Cache: d.breakpoint(), Parts: pick(d, nil, []llm.Part{&llm.Prose{Text: d.text()}}, []llm.Part{&llm.Blob{Data: llm.Plain("/9j/AAAA")}, &llm.Reference{Name: "f"}})}
	case 8:
		return pick[llm.Part](d, &llm.Blob{Kind: llm.Image, Data: llm.Plain("iVBORw0KGgo="), Type: "image/jpeg", Cache: d.breakpoint()}, &llm.Blob{Kind: llm.Image, URL: "https://e.example/a.png"},
			&llm.Blob{Kind: llm.Audio, Data: llm.Plain("AAAA")}, &llm.Blob{Kind: llm.Document, Data: llm.Plain("aGk="), Type: "text/csv"}, &llm.Blob{Kind: llm.Document, File: "f"})
	case 9:
		return &llm.Refusal{Text: d.text()}
	}
	return pick[llm.Part](d, &llm.Opaque{Protocol: protocol.OpenAIResponses, Kind: "x", Alt: d.text()}, &llm.ServerCall{ID: "s", Name: "web_search"}, &llm.ServerResult{CallID: "s", Name: "web_search"})
}

// request makes up a conversation without any order.
func (d dice) request() *llm.Request {
	r := &llm.Request{Protocol: protocol.OpenAIResponses}
	made := 0
	id := func() string { // mostly of a call that nobody made yet, or the last one
		if d.IntN(2) == 0 {
			made++
		}
		return fmt.Sprint("c", made)
	}
	used := map[string]bool{}
	for range d.IntN(9) {
		m := llm.Message{Role: pick(d, llm.System, llm.Developer, llm.User, llm.User, llm.Assistant, llm.Assistant)}
		for range d.IntN(4) {
			p := d.part(id)
			if c, ok := p.(*llm.Call); ok { // the passes between codecs make ids unique
				if used[c.ID] {
					continue
				}
				used[c.ID] = true
			}
			m.Parts = append(m.Parts, p)
		}
		r.Messages = append(r.Messages, m)
	}
	if d.IntN(2) == 0 {
		r.Tools = append(r.Tools, llm.Tool{Name: "f", Cache: d.breakpoint(), Deferred: d.IntN(3) == 0}, llm.Tool{Name: "g", Schema: []byte(`{"anyOf":[{"type":"object"}]}`)})
	}
	r.Choice.Mode = llm.ChoiceMode(d.IntN(6))
	r.Choice.Tools = []llm.ToolRef{{Name: pick(d, "f", "h")}}
	r.Parallel = pick(d, nil, new(true), new(false))
	r.Reason.Mode = llm.ReasonMode(d.IntN(5))
	r.Reason.Effort = pick(d, "", "minimal", "high", "max")
	r.Reason.Budget = pick[int64](d, 0, 100, 5000, 1<<20)
	r.Sampling.MaxTokens = pick(d, nil, new(int64(1)), new(int64(2500)), new(int64(1<<30)))
	r.Sampling.Temperature = pick[llm.Number](d, "", "0.5", "2", "1")
	r.Output.Kind = llm.OutputKind(d.IntN(4))
	return r
}

// spoken is how many texts of a made-up conversation must cross.
func spoken(r *llm.Request) (n int) {
	var count func(role llm.Role, parts []llm.Part)
	count = func(role llm.Role, parts []llm.Part) {
		for _, p := range parts {
			var t llm.Text
			switch p := p.(type) {
			case *llm.Prose:
				t = p.Text
			case *llm.Refusal:
				t = p.Text
			case *llm.Opaque:
				t = p.Alt
			case *llm.Thought:
				if role == llm.Assistant && p.Seal != nil && p.Seal.Protocol == protocol.Anthropic {
					t = p.Text
				}
			case *llm.Result:
				if role == llm.User {
					count(role, p.Parts)
				}
			}
			n += strings.Count(t.String(), "words")
		}
	}
	for _, m := range r.Messages {
		count(m.Role, m.Parts)
	}
	return n
}

// TestAnyConversationIsLawful: whatever the order of turns, calls and results,
// what is written is what Anthropic takes, and always the same (X3).
func TestAnyConversationIsLawful(t *testing.T) {
	for seed := range uint64(3000) {
		r := newDice(seed).request()
		for _, fit := range fits {
			out, losses, err := New().EncodeRequest(nil, r, fit)
			if err == nil {
				err = lawfulRequest(out, fit)
			}
			if err != nil {
				t.Fatalf("seed %d to %s: %v\n%s\n%v", seed, fit.Model, err, out, losses)
			}
			if want, got := spoken(r), strings.Count(string(out), "words"); got != want {
				t.Fatalf("seed %d to %s: of %d texts %d crossed\n%s\n%v", seed, fit.Model, want, got, out, losses)
			}
			again, _, _ := New().EncodeRequest(nil, newDice(seed).request(), fit)
			if !bytes.Equal(out, again) {
				t.Fatalf("seed %d to %s: the same request gives other bytes\n%s\n%s", seed, fit.Model, out, again)
			}
			for _, l := range losses {
				if kind, _, ok := strings.Cut(l.Why, ": "); !ok || l.Path == "" || !strings.Contains("dropped approximated emulated moved", kind) {
					t.Fatalf("a loss without a kind or a place: %+v", l)
				}
			}
		}
	}
}

// events makes up the events of an answer: parts that open, grow and close in
// any order, several at a time.
func (d dice) events() (out []llm.Event) {
	type open struct{ part, left int }
	var parts []open
	next := 0
	out = append(out, llm.Event{Kind: llm.Begin, ID: "x"})
	for range d.IntN(40) {
		switch {
		case len(parts) == 0 || d.IntN(4) == 0:
			what := pick(d, func() llm.Part { return &llm.Prose{} }, func() llm.Part { return &llm.Thought{} }, func() llm.Part { return &llm.Refusal{} },
				func() llm.Part { return &llm.Call{ID: fmt.Sprint("c", next), Name: "f"} }, func() llm.Part { return &llm.Call{Name: "g"} })()
			out = append(out, llm.Event{Kind: llm.Open, Part: next, What: what})
			parts = append(parts, open{next, 0})
			next++
		case d.IntN(6) == 0:
			whole := d.part(func() string { return fmt.Sprint("w", next) })
			out = append(out, llm.Event{Kind: llm.Whole, Part: next, What: whole})
			next++
		default:
			i := d.IntN(len(parts))
			e := llm.Event{Part: parts[i].part}
			switch d.IntN(8) {
			case 0:
				e.Kind = llm.Close
				parts = append(parts[:i], parts[i+1:]...)
			case 1:
				e.Kind, e.Seal = llm.Sealed, &llm.Seal{Data: llm.Plain("s")}
			case 2:
				e.Kind, e.Cite = llm.Cited, &llm.Citation{URL: "https://e.example", Start: 1, End: 3}
			case 3:
				e = llm.Event{Kind: pick(d, llm.Tally, llm.Note, llm.Odds), Usage: llm.Usage{Input: 3}}
			default:
				e.Kind, e.Text = llm.Grow, pick(d, llm.Plain("abc"), llm.Plain("{}"), llm.Plain(`{"a`), llm.Plain(`":1}`), llm.Plain(""))
			}
			out = append(out, e)
		}
	}
	if d.IntN(4) > 0 {
		out = append(out, llm.Event{Kind: llm.Halt, Stop: llm.Stop(d.IntN(11))})
	}
	if d.IntN(2) == 0 {
		out = append(out, llm.Event{Kind: llm.Tally, Usage: llm.Usage{Input: 5, Output: 7}})
	}
	return out
}

// TestAnyEventsAreLawful: whatever events come, the stream that is written
// keeps the laws, and what was said is in it.
func TestAnyEventsAreLawful(t *testing.T) {
	for seed := range uint64(5000) {
		d := newDice(seed)
		events := d.events()
		e := New().NewEncoder(echoOf("m"))
		var out []byte
		said := 0
		for i := range events {
			out = e.Feed(out, &events[i])
			if events[i].Kind == llm.Grow && string(events[i].Text.Append(nil)) == "abc" {
				said++
			}
		}
		out = e.End(out)
		out = e.End(out)
		if err := lawful(out); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, out)
		}
		told := len(e.Losses()) > 0
		blocks, _, _ := bytes.Cut(out, []byte("event: message_delta"))
		if n := bytes.Count(blocks, []byte("abc")); n != said && !told {
			t.Fatalf("seed %d: of %d pieces %d came out\n%s", seed, said, n, out)
		}
		if _, err := codectest.Fold(New().NewDecoder(), out); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
