package translate

import (
	"encoding/json/jsontext"
	"fmt"
	"math/rand/v2"
	"strings"

	"portico/internal/llm"
)

// A maker makes requests and answers up, of all that the neutral language has a
// seat for. The same seed makes the same.
type maker struct {
	*rand.Rand
	calls int // made so far
}

func newMaker(seed uint64) *maker { return &maker{Rand: rand.New(rand.NewPCG(seed, 11))} }

func (m *maker) one(of int) bool { return m.IntN(of) == 0 }

func pickOf[T any](m *maker, of ...T) T { return of[m.IntN(len(of))] }

// words are a text that says something, and that is easily broken.
func (m *maker) words() string {
	var b strings.Builder
	b.WriteString(pickOf(m, "alpha", "beta", "gamma", "delta"))
	for range m.IntN(4) {
		b.WriteByte(' ')
		b.WriteString(odd[m.IntN(len(odd))])
	}
	return strings.TrimSpace(b.String()) + "."
}

func (m *maker) text() llm.Text {
	s := m.words()
	if m.one(2) {
		return llm.Plain(s)
	}
	wire, _ := jsontext.AppendQuote(nil, s)
	return llm.Wire(wire)
}

func (m *maker) breakpoint() *llm.Breakpoint {
	if m.IntN(8) > 0 {
		return nil
	}
	return &llm.Breakpoint{TTL: pickOf(m, "", "5m", "1h")}
}

// The first bytes of files, by which their kinds are told.
const (
	png  = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
	jpeg = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgH"
	pdf  = "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVu"
	wav  = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQAC"
)

// shows is something that a user or a tool shows.
func (m *maker) shows() *llm.Blob {
	switch m.IntN(8) {
	case 0, 1:
		return &llm.Blob{Kind: llm.Image, Type: "image/png", Data: llm.Plain(png + fmt.Sprintf("%04d", m.IntN(1e4)))}
	case 2:
		return &llm.Blob{Kind: llm.Image, Type: "image/jpeg", Data: llm.Plain(jpeg + fmt.Sprintf("%04d", m.IntN(1e4))), Detail: pickOf(m, "", "low", "high")}
	case 3:
		return &llm.Blob{Kind: llm.Image, URL: fmt.Sprintf("https://pictures.example/%d.png", m.IntN(1e4))}
	case 4:
		return &llm.Blob{Kind: llm.Document, Type: "application/pdf", Data: llm.Plain(pdf + fmt.Sprintf("%04d", m.IntN(1e4))), Name: pickOf(m, "", "report.pdf")}
	case 5:
		return &llm.Blob{Kind: llm.Document, Type: "text/plain", Prose: m.text(), Name: pickOf(m, "", "notes.txt")}
	}
	if m.one(3) {
		return &llm.Blob{Kind: pickOf(m, llm.Image, llm.Document), File: fmt.Sprintf("file_%d", m.IntN(1e4))}
	}
	return &llm.Blob{Kind: llm.Audio, Type: "audio/wav", Data: llm.Plain(wav + fmt.Sprintf("%04d", m.IntN(1e4)))}
}

func (m *maker) args() string {
	if m.one(6) {
		return "{}"
	}
	v, _ := jsontext.AppendQuote(nil, m.words())
	return fmt.Sprintf(`{"q":%s,"n":[1,-2.50,1e3,true,null,{"deep":{"er":[]}}]}`, v)
}

// orphan begins what a tool says to a call that nobody made.
const orphan = "nobody asked "

// turn is one turn of the model, and the results of its calls.
func (m *maker) turn(r *llm.Request) {
	var said, results []llm.Part
	if m.one(3) {
		said = append(said, &llm.Thought{Text: m.text()})
	}
	if !m.one(4) {
		said = append(said, &llm.Prose{Text: m.text(), Cache: m.breakpoint()})
	}
	switch {
	case m.one(12):
		said = append(said, &llm.Refusal{Text: m.text()})
	case m.one(12):
		said = append(said, &llm.Prose{Text: llm.Plain("")})
	case m.one(12): // it says more in another message
		r.Messages = append(r.Messages, llm.Message{Role: llm.Assistant, Parts: []llm.Part{&llm.Prose{Text: m.text()}}})
	}
	for range m.IntN(4) {
		m.calls++
		t := &r.Tools[m.IntN(len(r.Tools))]
		if t.Kind == llm.Server {
			continue
		}
		c := &llm.Call{ID: fmt.Sprintf("call_%d", m.calls), Kind: t.Kind, Namespace: t.Namespace, Name: t.Name, Args: llm.Plain(m.args()), Cache: m.breakpoint()}
		if t.Kind == llm.Custom {
			c.Args = m.text()
		}
		said = append(said, c)
		if m.one(12) {
			continue // it was interrupted
		}
		res := &llm.Result{CallID: c.ID, Kind: c.Kind, Failed: m.one(6), Cache: m.breakpoint()}
		for range pickOf(m, 0, 1, 1, 1, 2) {
			if m.one(5) {
				res.Parts = append(res.Parts, m.shows())
				continue
			}
			res.Parts = append(res.Parts, &llm.Prose{Text: pickOf(m, m.text(), llm.Plain(m.args()), llm.Plain("[1,2]"))})
		}
		results = append(results, res)
	}
	if len(said) == 0 {
		said = append(said, &llm.Prose{Text: m.text()})
	}
	r.Messages = append(r.Messages, llm.Message{Role: llm.Assistant, Parts: said})
	m.Shuffle(len(results), func(i, j int) { results[i], results[j] = results[j], results[i] })
	if m.one(20) {
		results = append(results, &llm.Result{CallID: "call_of_nobody", Parts: []llm.Part{&llm.Prose{Text: llm.Plain(orphan + m.words())}}})
	}
	if len(results) > 0 {
		r.Messages = append(r.Messages, llm.Message{Role: llm.User, Parts: results})
	}
}

func (m *maker) asks(r *llm.Request) {
	parts := []llm.Part{&llm.Prose{Text: m.text(), Cache: m.breakpoint()}}
	for range pickOf(m, 0, 0, 1, 2) {
		if m.one(2) {
			b := m.shows()
			if b.Kind != llm.Audio && b.File == "" { // what not all can hear or open
				b.Cache = m.breakpoint()
			}
			parts = append(parts, b)
		} else {
			parts = append(parts, &llm.Prose{Text: m.text()})
		}
	}
	m.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	r.Messages = append(r.Messages, llm.Message{Role: llm.User, Parts: parts})
}

// schemas are what tools and answers are described by: what is plain, and what
// has to be fitted to some upstream.
var schemas = []string{
	`{"type":"object","properties":{"q":{"type":"string","description":"d"},"n":{"type":"array","items":{"type":"integer"}}},"required":["q"],"additionalProperties":false}`,
	`{"type":"object","properties":{}}`,
	`{"type":"object","properties":{"a":{"type":"string","enum":["x","y"]},"b":{"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["a","b"],"additionalProperties":false}`,
	`{"type":"object","properties":{"node":{"$ref":"#/$defs/node"}},"$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"},"v":{"type":"number","minimum":0}}}}}`,
	`{"type":"object","properties":{"u":{"oneOf":[{"type":"object","properties":{"k":{"const":"a"}}},{"type":"object","properties":{"k":{"const":"b"}}}]},"t":{"type":["string","null"],"pattern":"^a","minLength":1}}}`,
}

func (m *maker) tools(r *llm.Request) {
	for i := range 1 + m.IntN(4) {
		t := llm.Tool{Namespace: pickOf(m, "", "", "", "files"), Name: fmt.Sprintf("tool_%d", i), Description: m.text(), Schema: jsontext.Value(schemas[m.IntN(len(schemas))]), Cache: m.breakpoint()}
		switch m.IntN(8) {
		case 0:
			t.Strict = new(true)
			t.Schema = jsontext.Value(schemas[0])
		case 1:
			t.Strict = new(false)
		case 2:
			t.Kind, t.Schema = llm.Custom, nil
		case 3:
			t.Schema = nil
		}
		r.Tools = append(r.Tools, t)
	}
	switch m.IntN(8) {
	case 0:
		r.Choice.Mode = llm.ChoiceAuto
	case 1:
		r.Choice.Mode = llm.ChoiceNone
	case 2:
		r.Choice.Mode = llm.ChoiceRequired
	case 3:
		r.Choice = llm.Choice{Mode: llm.ChoiceNamed, Tools: []llm.ToolRef{{Kind: r.Tools[0].Kind, Namespace: r.Tools[0].Namespace, Name: r.Tools[0].Name}}}
	case 4:
		r.Choice = llm.Choice{Mode: llm.ChoiceAllowed, Must: m.one(2), Tools: []llm.ToolRef{{Kind: r.Tools[0].Kind, Namespace: r.Tools[0].Namespace, Name: r.Tools[0].Name}}}
	}
	if m.one(3) {
		r.Parallel = new(m.one(2))
	}
}

func (m *maker) knobs(r *llm.Request) {
	s := &r.Sampling
	maybe := func(n *llm.Number, of ...llm.Number) {
		if m.one(4) {
			*n = of[m.IntN(len(of))]
		}
	}
	if m.one(2) {
		s.MaxTokens = new(pickOf[int64](m, 100, 4096, 20_000))
	}
	maybe(&s.Temperature, "0", "0.5", "1", "0.70")
	maybe(&s.TopP, "0.9", "0.95", "1")
	maybe(&s.TopK, "40", "1")
	maybe(&s.Frequency, "0.5", "0")
	maybe(&s.Presence, "-0.5")
	maybe(&s.Seed, "7", "123456789012")
	if m.one(8) {
		s.N = 2
	}
	if m.one(8) {
		s.Logprobs, s.TopLogprobs = true, m.IntN(3)
	}
	if m.one(10) {
		s.LogitBias = jsontext.Value(`{"50256":-100}`)
	}
	for range pickOf(m, 0, 0, 0, 1, 2, 6) {
		s.Stop = append(s.Stop, llm.Plain(m.words()))
	}
	q := &r.Reason
	switch m.IntN(7) {
	case 0:
		q.Mode = llm.ReasonOff
	case 1:
		q.Mode, q.Effort = llm.ReasonEffort, pickOf(m, "minimal", "low", "medium", "high", "xhigh", "max")
	case 2:
		q.Mode, q.Budget = llm.ReasonBudget, pickOf[int64](m, 1024, 8000, 16_000)
	case 3:
		q.Mode = llm.ReasonAuto
	}
	if q.Mode != llm.ReasonUnset && m.one(2) {
		q.Show = pickOf(m, llm.ShowNone, llm.ShowSummary)
	}
	o := &r.Output
	switch m.IntN(6) {
	case 0:
		o.Kind = llm.OutputJSON
	case 1:
		o.Kind, o.Name, o.Schema = llm.OutputSchema, "shape", jsontext.Value(schemas[m.IntN(len(schemas))])
		if m.one(2) {
			o.Strict = new(true)
			o.Schema = jsontext.Value(schemas[0])
		}
	}
	if m.one(8) {
		o.Verbosity = "low"
	}
}

// request is a conversation that some client may have had.
func (m *maker) request() *llm.Request {
	r := &llm.Request{Model: "m", Stream: m.one(2)}
	m.tools(r)
	for range m.IntN(3) {
		r.Messages = append(r.Messages, llm.Message{Role: pickOf(m, llm.System, llm.Developer), Parts: []llm.Part{&llm.Prose{Text: m.text(), Cache: m.breakpoint()}}})
	}
	m.asks(r)
	for range m.IntN(5) {
		m.turn(r)
		if m.one(8) {
			r.Messages = append(r.Messages, llm.Message{Role: pickOf(m, llm.System, llm.Developer), Parts: []llm.Part{&llm.Prose{Text: m.text()}}})
		}
		m.asks(r)
	}
	if m.one(6) {
		m.turn(r) // it goes on with results, or with its own words
	}
	m.knobs(r)
	if m.one(5) {
		r.User = llm.Plain("someone")
	}
	if m.one(6) {
		r.Tier = pickOf(m, "auto", "default", "priority", "flex")
	}
	if m.one(6) {
		r.Cache.Key = "thread-1"
	}
	if m.one(10) {
		r.Cache.Retention = "24h"
	}
	if m.one(8) {
		r.Metadata = jsontext.Value(`{"a":"b"}`)
	}
	if m.one(8) {
		r.Tools, r.Choice, r.Parallel = nil, llm.Choice{}, nil
	}
	return r
}
