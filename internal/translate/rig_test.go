package translate

import (
	"slices"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaichat"
	"portico/internal/provider"
)

// named is a translator of another protocol's name, for the passes, which ask a
// codec for nothing else.
type named struct {
	protocol.Translator
	name    string
	schemas bool
}

func (n named) Name() string                   { return n.name }
func (n named) TakesSchema(*protocol.Fit) bool { return n.schemas }

func as(proto string) named { return named{Translator: openaichat.New(), name: proto, schemas: true} }

// native is an upstream that made its protocol.
func native(model string) *Upstream {
	return &Upstream{Fit: &protocol.Fit{Model: model, Vendor: "vendor", Native: true}, Quirks: &provider.None, Account: "one"}
}

// crossing is a request between two protocols.
func crossing(client, upstream string, r *llm.Request, o Options) *Bridge {
	r.Protocol = client
	return &Bridge{client: as(client), upstream: as(upstream), req: r, o: o}
}

// prepared is what the passes make of a request.
func prepared(t *testing.T, b *Bridge, to *Upstream) *draft {
	t.Helper()
	d := newDraft(b, to)
	if err := d.prepare(); err != nil {
		t.Fatal(err)
	}
	b.plan = d.plan
	return d
}

func say(text string) *llm.Prose     { return &llm.Prose{Text: llm.Plain(text)} }
func think(text string) *llm.Thought { return &llm.Thought{Text: llm.Plain(text)} }

func call(id, name, args string) *llm.Call {
	return &llm.Call{ID: id, Name: name, Args: llm.Plain(args)}
}

func result(id, text string) *llm.Result {
	return &llm.Result{CallID: id, Parts: []llm.Part{say(text)}}
}

func user(parts ...llm.Part) llm.Message  { return llm.Message{Role: llm.User, Parts: parts} }
func model(parts ...llm.Part) llm.Message { return llm.Message{Role: llm.Assistant, Parts: parts} }
func told(parts ...llm.Part) llm.Message  { return llm.Message{Role: llm.System, Parts: parts} }

// draw shows messages in one line: U, M or S for who speaks, then the parts.
func draw(ms []llm.Message) string {
	var out []string
	for _, m := range ms {
		who := map[llm.Role]string{llm.System: "S", llm.Developer: "D", llm.User: "U", llm.Assistant: "M"}[m.Role]
		out = append(out, who+drawParts(m.Parts))
	}
	return strings.Join(out, " ")
}

func drawParts(parts []llm.Part) string {
	var out []string
	for _, p := range parts {
		out = append(out, drawPart(p))
	}
	return "[" + strings.Join(out, " ") + "]"
}

func drawPart(p llm.Part) string {
	seal := func(s *llm.Seal) string {
		if s == nil {
			return ""
		}
		if wrapped(s) {
			return "#wrapped"
		}
		return "#" + s.Data.String()
	}
	switch p := p.(type) {
	case *llm.Prose:
		return "say(" + p.Text.String() + ")" + seal(p.Seal)
	case *llm.Thought:
		return "think(" + p.Text.String() + ")" + seal(p.Seal)
	case *llm.Call:
		name := p.Name
		if p.Namespace != "" {
			name = p.Namespace + "." + name
		}
		if p.Kind == llm.Custom {
			name = "*" + name
		}
		return name + ":" + p.ID + "(" + p.Args.String() + ")" + seal(p.Seal)
	case *llm.Result:
		mark := "="
		if p.Failed {
			mark = "!"
		}
		return mark + p.CallID + drawParts(p.Parts)
	case *llm.Opaque:
		return p.Kind + string(p.Raw)
	case *llm.Blob:
		return "blob" + seal(p.Seal)
	case *llm.Reference:
		return "ref(" + p.Name + ")"
	}
	return "?"
}

// lost reports whether there is a loss at path.
func lost(losses []llm.Loss, path string) bool {
	return slices.ContainsFunc(losses, func(l llm.Loss) bool { return l.Path == path })
}

// back tells the answer parts to the client of b, whole and as a stream, and
// checks that both say the same.
func backward(t *testing.T, b *Bridge, stop llm.Stop, parts ...llm.Part) llm.Answer {
	t.Helper()
	whole := &llm.Response{ID: "a1", Answers: []llm.Answer{{Parts: parts, Stop: stop}}}
	way := newBack(b)
	way.answer(whole)

	got := &folder{}
	way = newBack(b)
	way.enc = got
	for _, e := range streamOf(parts, stop) {
		way.feed(&e)
	}
	way.finish()
	if one, two := drawParts(whole.Answers[0].Parts), drawParts(got.parts()); one != two || got.stop != whole.Answers[0].Stop {
		t.Errorf("whole: %s (%d)\nstream: %s (%d)", one, whole.Answers[0].Stop, two, got.stop)
	}
	return whole.Answers[0]
}

// streamOf tells parts in pieces of a few characters.
func streamOf(parts []llm.Part, stop llm.Stop) (out []llm.Event) {
	out = append(out, llm.Event{Kind: llm.Begin, ID: "a1"})
	for i, p := range parts {
		var text llm.Text
		var seal *llm.Seal
		switch p := p.(type) {
		case *llm.Prose:
			text, seal = p.Text, p.Seal
			out = append(out, llm.Event{Kind: llm.Open, Part: i, What: &llm.Prose{}})
		case *llm.Thought:
			text, seal = p.Text, p.Seal
			out = append(out, llm.Event{Kind: llm.Open, Part: i, What: &llm.Thought{Summary: p.Summary, Redacted: p.Redacted}})
		case *llm.Call:
			text = p.Args
			out = append(out, llm.Event{Kind: llm.Open, Part: i, What: &llm.Call{ID: p.ID, Kind: p.Kind, Namespace: p.Namespace, Name: p.Name, Seal: p.Seal}})
		default:
			out = append(out, llm.Event{Kind: llm.Whole, Part: i, What: p})
			continue
		}
		for s := text.String(); s != ""; {
			n := min(3, len(s))
			for n < len(s) && s[n]&0xC0 == 0x80 {
				n++
			}
			out = append(out, llm.Event{Kind: llm.Grow, Part: i, Text: llm.Plain(s[:n])})
			s = s[n:]
		}
		if seal != nil {
			out = append(out, llm.Event{Kind: llm.Sealed, Part: i, Seal: seal})
		}
		out = append(out, llm.Event{Kind: llm.Close, Part: i})
	}
	return append(out, llm.Event{Kind: llm.Halt, Stop: stop}, llm.Event{Kind: llm.End})
}

// folder is an encoder that gathers what it is told.
type folder struct {
	protocol.Encoder
	what []llm.Part
	open []bool
	stop llm.Stop
	end  int
	bad  []string
}

func (f *folder) Feed(dst []byte, e *llm.Event) []byte {
	switch e.Kind {
	case llm.Open, llm.Whole:
		if e.Part != len(f.what) {
			f.bad = append(f.bad, "numbers are not in order")
		}
		f.what, f.open = append(f.what, e.What), append(f.open, e.Kind == llm.Open)
	case llm.Grow:
		grow := func(t *llm.Text) { *t = llm.Plain(t.String() + e.Text.String()) }
		switch p := f.what[e.Part].(type) {
		case *llm.Prose:
			grow(&p.Text)
		case *llm.Thought:
			grow(&p.Text)
		case *llm.Call:
			grow(&p.Args)
		}
	case llm.Sealed:
		switch p := f.what[e.Part].(type) {
		case *llm.Prose:
			p.Seal = e.Seal
		case *llm.Thought:
			p.Seal = e.Seal
		case *llm.Call:
			p.Seal = e.Seal
		}
	case llm.Close:
		if !f.open[e.Part] {
			f.bad = append(f.bad, "a part is closed twice")
		}
		f.open[e.Part] = false
	case llm.Halt:
		f.stop = e.Stop
	case llm.End:
		f.end++
	}
	return dst
}

// parts are those that a client would show: what says nothing is none.
func (f *folder) parts() []llm.Part {
	if slices.Contains(f.open, true) || f.end != 1 || len(f.bad) > 0 {
		return []llm.Part{say("unlawful: " + strings.Join(f.bad, ", "))}
	}
	return slices.DeleteFunc(f.what, func(p llm.Part) bool {
		switch p := p.(type) {
		case *llm.Prose:
			return p.Text.Empty() && p.Seal == nil
		case *llm.Thought:
			return p.Text.Empty() && p.Seal == nil
		}
		return false
	})
}
