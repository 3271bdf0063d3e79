package translate

import (
	"bytes"
	"encoding/json/jsontext"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
)

// lawAsks are requests whose answers may have thoughts and calls, in each
// protocol.
var lawAsks = map[string]string{
	claude:    `{"model":"m","max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2000},"tools":[{"name":"f","input_schema":{"type":"object"}},{"name":"g","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"u"}]}`,
	chat:      `{"model":"m","stream":true,"stream_options":{"include_usage":true},"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"messages":[{"role":"user","content":"u"}]}`,
	responses: `{"model":"m","input":"u","reasoning":{"effort":"low","summary":"auto"},"tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}]}`,
	gem:       `{"contents":[{"role":"user","parts":[{"text":"u"}]}],"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]}],"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}`,
}

// A made answer is what an upstream says, made up of a seed.
type made struct {
	thought, text string
	calls         [][2]string // name, arguments
	stop          llm.Stop
	usage         llm.Usage
}

// odd are texts that are easily broken when they are cut or escaped.
var odd = []string{"plain words ", `"quoted" \ and / `, "line\nand\ttab ", "ümläut ", "😀👩‍👩‍👧 ", "\u2028\u2029", "<a&b>", "\x01\x7f", "data: x\n\n", `\u0041\n`, "{}", "[DONE]", "</think>"}

func makeAnswer(r *rand.Rand) made {
	words := func() string {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(odd[r.IntN(len(odd))])
		}
		return b.String()
	}
	m := made{stop: llm.StopEnd, usage: llm.Usage{Input: 1 + r.Int64N(20), CacheRead: r.Int64N(2) * 7, Output: 1 + r.Int64N(99), Reasoning: r.Int64N(2) * 5}}
	if r.IntN(2) == 0 {
		m.thought = words()
	}
	if r.IntN(3) > 0 {
		m.text = words()
	}
	for range r.IntN(3) {
		value, _ := jsontext.AppendQuote(nil, words())
		m.calls = append(m.calls, [2]string{[]string{"f", "g"}[r.IntN(2)], fmt.Sprintf(`{"a":%s,"b":[1,-2.50,true,null,{"c":{}}]}`, value)})
		m.stop = llm.StopCall
	}
	if m.text == "" && len(m.calls) == 0 {
		m.text = "x"
	}
	if len(m.calls) == 0 && r.IntN(4) == 0 {
		m.stop = llm.StopLength
	}
	return m
}

func (m *made) parts() (out []llm.Part) {
	if m.thought != "" {
		out = append(out, think(m.thought))
	}
	if m.text != "" {
		out = append(out, say(m.text))
	}
	for i, c := range m.calls {
		out = append(out, call(fmt.Sprint("call_", i), c[0], c[1]))
	}
	return out
}

func lawEcho(ask *llm.Request) *protocol.Echo {
	return &protocol.Echo{ID: "req_9", Model: "m", Created: 1, Request: ask}
}

// whole is the answer as the upstream writes it in one piece.
func (m *made) whole(t *testing.T, up protocol.Translator, ask *llm.Request) []byte {
	t.Helper()
	r := &llm.Response{ID: "x1", Model: "m", Answers: []llm.Answer{{Parts: m.parts(), Stop: m.stop}}, Usage: m.usage, HasUsage: true}
	out, _, err := up.EncodeResponse(nil, r, lawEcho(ask))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// stream is the answer as the upstream writes it in pieces of up to size runes.
func (m *made) stream(up protocol.Translator, ask *llm.Request, r *rand.Rand, size int) []byte {
	e := up.NewEncoder(lawEcho(ask))
	var out []byte
	feed := func(ev llm.Event) { out = e.Feed(out, &ev) }
	feed(llm.Event{Kind: llm.Begin, ID: "x1", Model: "m"})
	for i, p := range m.parts() {
		var text string
		switch p := p.(type) {
		case *llm.Prose:
			text, p.Text = p.Text.String(), llm.Text{}
		case *llm.Thought:
			text, p.Text = p.Text.String(), llm.Text{}
		case *llm.Call:
			text, p.Args = p.Args.String(), llm.Text{}
		}
		feed(llm.Event{Kind: llm.Open, Part: i, What: p})
		for text != "" {
			n := 0
			for range 1 + r.IntN(size) {
				_, w := utf8.DecodeRuneInString(text[n:])
				n += w
			}
			feed(llm.Event{Kind: llm.Grow, Part: i, Text: llm.Plain(text[:n])})
			text = text[n:]
		}
		feed(llm.Event{Kind: llm.Close, Part: i})
	}
	feed(llm.Event{Kind: llm.Tally, Usage: m.usage})
	feed(llm.Event{Kind: llm.Halt, Stop: m.stop})
	return e.End(out)
}

// A gist is what an answer says, whatever it is written in.
type gist struct {
	Thought, Text string
	Calls         [][2]string
	Stop          llm.Stop
	In, Out       int64
}

func gistOf(t *testing.T, r *llm.Response) (g gist) {
	t.Helper()
	if len(r.Answers) != 1 {
		t.Fatalf("%d answers", len(r.Answers))
	}
	for _, p := range r.Answers[0].Parts {
		switch p := p.(type) {
		case *llm.Prose:
			g.Text += p.Text.String()
		case *llm.Thought:
			g.Thought += p.Text.String()
		case *llm.Call:
			g.Calls = append(g.Calls, [2]string{p.Name, canonical(t, p.Args.String())})
		}
	}
	g.Stop = r.Answers[0].Stop
	g.In, g.Out = r.Usage.Input+r.Usage.CacheRead+r.Usage.CacheWrite, r.Usage.Output+r.Usage.Reasoning
	return g
}

func (m *made) gist(t *testing.T) gist {
	t.Helper()
	g := gist{Thought: m.thought, Text: m.text, Stop: m.stop, In: m.usage.Input + m.usage.CacheRead, Out: m.usage.Output + m.usage.Reasoning}
	for _, c := range m.calls {
		g.Calls = append(g.Calls, [2]string{c[0], canonical(t, c[1])})
	}
	return g
}

func canonical(t *testing.T, s string) string {
	t.Helper()
	v := jsontext.Value(s)
	if err := v.Canonicalize(); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return string(v)
}

// TestLawsOfAnswers: for every pair, a stream says what the whole answer says,
// which is what the upstream said, however its texts are cut, and the same
// bytes give the same bytes.
func TestLawsOfAnswers(t *testing.T) {
	for _, up := range translators {
		for _, client := range translators {
			if client == up {
				continue
			}
			t.Run(up.Name()+" to "+client.Name(), func(t *testing.T) {
				asked, err := up.DecodeRequest([]byte(lawAsks[up.Name()]))
				if err != nil {
					t.Fatal(err)
				}
				ask := []byte(lawAsks[client.Name()])
				for seed := range uint64(25) {
					r := rand.New(rand.NewPCG(seed, 7))
					m := makeAnswer(r)
					want := m.gist(t)
					check := func(how string, got gist) {
						if diff := cmp.Diff(want, got); diff != "" {
							t.Fatalf("seed %d, %s (-want +got)\n%s", seed, how, diff)
						}
					}
					body, err := bridge(t, client, up, ask, Options{ID: "req_1"}).Whole(m.whole(t, up, asked))
					if err != nil {
						t.Fatal(err)
					}
					whole, err := client.DecodeResponse(body)
					if err != nil {
						t.Fatal(err)
					}
					check("whole", gistOf(t, whole))
					for _, size := range []int{1, 8} {
						in := m.stream(up, asked, r, size)
						told := func() []byte {
							b := bridge(t, client, up, ask, Options{ID: "req_1", Stream: true})
							var out []byte
							for _, f := range codectest.Frames(in) {
								if out, err = b.Frame(out, f.Event, f.Data); err != nil {
									t.Fatal(err)
								}
							}
							return b.End(out)
						}
						out := told()
						if !bytes.Equal(out, told()) {
							t.Fatalf("seed %d: it is not always the same", seed)
						}
						checkLawful(t, fmt.Sprint("seed ", seed), client, out, false)
						folded, err := codectest.Fold(client.NewDecoder(), out)
						if err != nil {
							t.Fatal(err)
						}
						check(fmt.Sprint("in pieces of ", size), gistOf(t, folded))
					}
				}
			})
		}
	}
}
