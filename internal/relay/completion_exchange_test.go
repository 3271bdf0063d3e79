package relay

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/provider"
	"portico/internal/translate"
)

var update = flag.Bool("update", false, "write what comes out into testdata")

// odds says what an upstream tells of how likely its answers are.
type odds struct {
	piece string // of an answer that says "take N", with the tokens "take" and " N"
	into  string // before which it stands
}

var oddsOf = map[string]odds{
	"openai-chat":      {`"logprobs":{"content":[{"token":"take","logprob":-0.5,"top_logprobs":[{"token":"take","logprob":-0.5}]},{"token":" %d","logprob":%g,"top_logprobs":[]}]},`, `"message":`},
	"openai-responses": {`"logprobs":[{"token":"take","logprob":-0.5,"top_logprobs":[{"token":"take","logprob":-0.5}]},{"token":" %d","logprob":%g,"top_logprobs":[]}],`, `"text":`},
	"gemini":           {`"logprobsResult":{"chosenCandidates":[{"token":"take","logProbability":-0.5},{"token":" %d","logProbability":%g}],"topCandidates":[{"candidates":[{"token":"take","logProbability":-0.5}]},{"candidates":[]}]},`, `"content":{"role"`},
}

// takes is an upstream's whole answer: candidates that say "take 1" and so on,
// of which the third is the likeliest. It tells how likely they are if it is
// asked to.
func takes(d *dialect, from, n int, body []byte) string {
	told := bytes.Contains(body, []byte("ogprobs"))
	one := func(i int) string {
		s := strings.Replace(d.whole, `"hi"`, fmt.Sprintf(`"take %d"`, i), 1)
		if o := oddsOf[d.codec.Name()]; told && o.piece != "" {
			likely := -2 - 0.25*float64(i)
			if i == 3 {
				likely = -0.125
			}
			s = strings.Replace(s, o.into, fmt.Sprintf(o.piece, i, likely)+o.into, 1)
		}
		return s
	}
	first := one(from)
	list := ""
	for name, rest := range map[string]string{"openai-chat": "choices", "gemini": "candidates"} {
		if d.codec.Name() == name {
			list = rest
		}
	}
	if n < 2 || list == "" {
		return first
	}
	var all [][]byte
	for i := range n {
		v := jsonedit.Get([]byte(one(from+i)), list)
		v, _ = jsonedit.Set(v[1:len(v)-1], "index", fmt.Append(nil, i))
		all = append(all, v)
	}
	out, _ := jsonedit.Set([]byte(first), list, slices.Concat([]byte{'['}, bytes.Join(all, []byte{','}), []byte{']'}))
	return string(out)
}

// An asker notes what an upstream is asked.
type asker struct {
	mu     sync.Mutex
	d      *dialect
	n      int
	bodies []string
}

// number is that of the next answer. Those that are asked for at the same time
// come in any order, so the same question has the same answer, unless they are
// compared.
func (a *asker) number(body []byte) int {
	if i := slices.Index(a.bodies, string(body)); i >= 0 && !bytes.Contains(body, []byte("ogprobs")) {
		return i + 1
	}
	return a.n + 1
}

func (a *asker) answer(_ *http.Request, body []byte) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	from := a.number(body)
	a.bodies = append(a.bodies, string(body))
	n, _ := jsonedit.Int(jsonedit.Get(body, "n"))
	if c, ok := jsonedit.Int(jsonedit.Path(body, "generationConfig", "candidateCount")); ok {
		n = c
	}
	n = max(n, 1)
	a.n += int(n)
	return answerOf(200, "application/json", takes(a.d, from, int(n), body)), nil
}

// asked is what came, the same only once.
func (a *asker) asked() string {
	slices.Sort(a.bodies)
	var b strings.Builder
	for i, s := range slices.Compact(slices.Clone(a.bodies)) {
		n := 0
		for _, t := range a.bodies {
			if t == s {
				n++
			}
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		if n > 1 {
			fmt.Fprintf(&b, "%d times ", n)
		}
		b.WriteString(s)
	}
	return b.String()
}

// TestCompletionExchanges plays testdata/completions: each file is one option
// of a text completion, and what upstreams of all four protocols are asked for
// it, what is lost, and what the client is told. A stream tells the same.
func TestCompletionExchanges(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "completions", "*.txtar"))
	if len(files) == 0 {
		t.Fatal("there are none")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			x, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got []txtar.File
			for _, f := range x.Files {
				if f.Name == "request" {
					got = append(got, f)
				}
			}
			request := string(bytes.TrimSpace(got[0].Data))
			for _, name := range []string{"openai-chat", "openai-responses", "anthropic", "gemini"} {
				d := dialects[name]
				up := &asker{d: d}
				r := speaking(t, []string{name}, up.answer)
				r.vendor.takes = []protocol.Op{protocol.Chat}
				c := r.completionCall(request)
				c.Start = time.Unix(1, 0)
				w := r.run(c)
				told := w.text()
				if w.status != 200 {
					told = fmt.Sprint(w.status, " ", told)
				}
				for _, f := range []txtar.File{
					{Name: "asked." + name, Data: []byte(up.asked())},
					{Name: "lost." + name, Data: []byte(strings.Join(r.ledger.last().Losses, "\n"))},
					{Name: "told." + name, Data: []byte(told)},
				} {
					if len(f.Data) > 0 {
						f.Data = append(f.Data, '\n')
						got = append(got, f)
					}
				}
				if strings.Contains(request, `"stream":true`) || strings.Contains(request, "best_of") || w.status != 200 {
					continue
				}
				if streamed := r.streamedLike(t, d, request); streamed != told {
					t.Errorf("%s: streamed it is\n%s\nwhole\n%s", name, streamed, told)
				}
			}
			x.Files = got
			if *update {
				if err := os.WriteFile(file, txtar.Format(x), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, _ := os.ReadFile(file)
			if diff := cmp.Diff(string(want), string(txtar.Format(x))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// streamedLike is the whole answer that a stream for the same request adds up
// to.
func (r *rig) streamedLike(t *testing.T, d *dialect, request string) string {
	t.Helper()
	up := &asker{d: d}
	r = speaking(t, []string{d.codec.Name()}, func(out *http.Request, body []byte) (*http.Response, error) {
		resp, err := up.answer(out, body)
		if err != nil {
			return nil, err
		}
		return answerOf(200, eventStream, unfolded(t, d, resp.Body.(*scripted).parts[0])), nil
	})
	r.vendor.takes = []protocol.Op{protocol.Chat}
	c := r.completionCall(strings.TrimSuffix(request, "}") + `,"stream":true,"stream_options":{"include_usage":true}}`)
	c.Start = time.Unix(1, 0)
	w := r.run(c)
	if !strings.HasSuffix(w.text(), "data: [DONE]\n\n") {
		t.Errorf("%s: the stream ends otherwise:\n%s", d.codec.Name(), w.text())
	}
	return string(foldCompletion(t, w.body.Bytes()))
}

// unfolded is a whole answer of d as a stream.
func unfolded(t *testing.T, d *dialect, whole string) string {
	t.Helper()
	codec := d.codec.(protocol.Translator)
	b, err := translate.New(codec, codec, []byte(strings.Replace(d.request, "{", `{"stream_options":{"include_usage":true},`, 1)), translate.Options{ID: "c1", Model: "m", Stream: true, Created: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = b.Request(&translate.Upstream{Fit: &protocol.Fit{Model: "m"}, Quirks: &provider.None, Account: "a"}); err != nil {
		t.Fatal(err)
	}
	out, err := b.Unfold(nil, []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("resp_r1", "r1", "msg_m1", "m1").Replace(string(b.End(out)))
}

// A folded completion is a stream that was put together, in the order of a
// whole answer's members.
type folded struct {
	ID      string          `json:"id"`
	Object  string          `json:"object"`
	Created int             `json:"created"`
	Model   string          `json:"model"`
	Choices []*foldedChoice `json:"choices"`
	Usage   jsontext.Value  `json:"usage,omitzero"`
}

type foldedChoice struct {
	Text     string      `json:"text"`
	Index    int         `json:"index"`
	Logprobs *foldedOdds `json:"logprobs"`
	Finish   *string     `json:"finish_reason"`
}

type foldedOdds struct {
	Tokens  []string         `json:"tokens"`
	Probs   []float64        `json:"token_logprobs"`
	Tops    []jsontext.Value `json:"top_logprobs"`
	Offsets []int            `json:"text_offset"`
}

func foldCompletion(t *testing.T, stream []byte) []byte {
	t.Helper()
	var all folded
	for _, f := range codectest.Frames(stream) {
		var c folded
		if string(f.Data) == "[DONE]" {
			continue
		}
		if err := json.Unmarshal(f.Data, &c); err != nil {
			t.Fatalf("%v in %s", err, f.Data)
		}
		choices := all.Choices
		if all.ID != "" && (c.ID != all.ID || c.Object != all.Object || c.Created != all.Created || c.Model != all.Model) {
			t.Errorf("a piece of another answer: %s", f.Data)
		}
		if string(c.Usage) == "null" {
			c.Usage = nil
		}
		for _, part := range c.Choices {
			i := slices.IndexFunc(choices, func(c *foldedChoice) bool { return c.Index == part.Index })
			if i < 0 {
				choices = append(choices, part)
				continue
			}
			sum := choices[i]
			sum.Text += part.Text
			if part.Finish != nil {
				sum.Finish = part.Finish
			}
			switch p := part.Logprobs; {
			case p == nil:
			case sum.Logprobs == nil:
				sum.Logprobs = p
			default:
				l := sum.Logprobs
				l.Tokens, l.Probs, l.Tops, l.Offsets = append(l.Tokens, p.Tokens...), append(l.Probs, p.Probs...), append(l.Tops, p.Tops...), append(l.Offsets, p.Offsets...)
			}
		}
		all = c
		all.Choices = choices
	}
	slices.SortFunc(all.Choices, func(a, b *foldedChoice) int { return a.Index - b.Index })
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
