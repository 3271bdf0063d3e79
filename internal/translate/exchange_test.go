package translate

import (
	"bytes"
	"encoding/json/jsontext"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/provider"
)

var update = flag.Bool("update", false, "write what comes out into testdata/exchanges")

// An exchange is one file of testdata/exchanges: what once went wrong between
// two protocols. Its name begins with the traps of spec translation-traps that
// it is about, if it is about any. It holds
//
//   - request.P, what a client of protocol P asks
//   - fit, the upstream's model and what is known of it, a word a line
//   - asked.Q, what an upstream of protocol Q is asked for it
//   - losses, what of the request did not cross as it was, a line each
//   - answer.Q or stream.Q, what the upstream says to that, if anything, or
//     unfold.Q, a whole answer where the client wants a stream
//   - told.P, what the client gets of it
//   - answer losses, likewise
type exchange struct {
	client, upstream     protocol.Translator
	request, answer      []byte
	streamed             bool
	unfold               bool
	fit                  protocol.Fit
	asked, told          []byte
	losses, answerLosses string
}

func readExchange(t *testing.T, a *txtar.Archive) *exchange {
	t.Helper()
	x := &exchange{fit: protocol.Fit{Model: "m-1", Native: true}}
	named := map[string]protocol.Translator{"chat": translatorOf(chat), "responses": translatorOf(responses), "anthropic": translatorOf(claude), "gemini": translatorOf(gem)}
	for _, f := range a.Files {
		kind, proto, _ := strings.Cut(f.Name, ".")
		switch kind {
		case "request":
			x.request, x.client = bytes.TrimSpace(f.Data), named[proto]
		case "asked":
			x.asked, x.upstream = f.Data, named[proto]
		case "answer", "stream", "unfold":
			x.answer, x.streamed, x.unfold = f.Data, kind != "answer", kind == "unfold"
		case "told":
			x.told = f.Data
		case "losses":
			x.losses = string(f.Data)
		case "answer losses":
			x.answerLosses = string(f.Data)
		case "fit":
			for w := range strings.FieldsSeq(string(f.Data)) {
				switch name, value, _ := strings.Cut(w, "="); name {
				case "foreign":
					x.fit.Native = false
				case "dull": // it does not reason
					x.fit.Known, x.fit.Images = true, true
				case "vendor":
					x.fit.Vendor = value
				case "efforts":
					x.fit.Known, x.fit.Reasoning, x.fit.Images, x.fit.Efforts = true, true, true, strings.Split(value, ",")
				default:
					x.fit.Model = w
				}
			}
		default:
			t.Fatalf("what is %s?", f.Name)
		}
	}
	if x.client == nil || x.upstream == nil {
		t.Fatal("whom is asked what?")
	}
	if x.fit.Vendor == "" {
		x.fit.Vendor = x.upstream.Name()
	}
	return x
}

// run plays x, and returns what came of it by the names of its files.
func (x *exchange) run(t *testing.T) map[string]string {
	t.Helper()
	b, err := New(x.client, x.upstream, x.request, Options{ID: "req_1", Model: "asked", Created: 1, Stream: x.streamed})
	if err != nil {
		t.Fatal(err)
	}
	asked, losses, err := b.Request(&Upstream{Fit: &x.fit, Quirks: &provider.None, Account: "one"})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"asked": pretty(t, asked), "losses": linesOf(losses)}
	switch {
	case x.answer == nil:
	case x.unfold:
		told, err := b.Unfold(nil, x.answer)
		if err != nil {
			t.Fatal(err)
		}
		out["told"] = string(bytes.TrimSuffix(b.End(told), []byte("\n")))
	case x.streamed:
		var told []byte
		for _, f := range codectest.Frames(x.answer) {
			if told, err = b.Frame(told, f.Event, f.Data); err != nil {
				t.Fatal(err)
			}
		}
		out["told"] = string(bytes.TrimSuffix(b.End(told), []byte("\n")))
	default:
		told, err := b.Whole(x.answer)
		if err != nil {
			t.Fatal(err)
		}
		out["told"] = pretty(t, told)
	}
	out["answer losses"] = linesOf(b.Losses()[len(losses):])
	return out
}

func linesOf(losses []llm.Loss) string {
	var b strings.Builder
	for _, l := range losses {
		b.WriteString(l.Path + ": " + l.Why + "\n")
	}
	return b.String()
}

func pretty(t *testing.T, v []byte) string {
	t.Helper()
	x := jsontext.Value(bytes.Clone(v))
	if err := x.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatalf("%v: %s", err, v)
	}
	return string(x) + "\n"
}

// TestExchanges plays the files of testdata/exchanges.
func TestExchanges(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "exchanges", "*.txtar"))
	if len(files) == 0 {
		t.Fatal("there are none")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			x := readExchange(t, a)
			got := x.run(t)
			if *update {
				for i, f := range a.Files {
					if kind, _, _ := strings.Cut(f.Name, "."); got[kind] != "" {
						a.Files[i].Data = []byte(got[kind])
					}
				}
				if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, c := range []struct {
				name, want string
			}{{"asked", string(x.asked)}, {"losses", x.losses}, {"told", string(x.told)}, {"answer losses", x.answerLosses}} {
				if strings.TrimSpace(got[c.name]) != strings.TrimSpace(c.want) {
					t.Errorf("%s is\n%swant\n%s", c.name, got[c.name], c.want)
				}
			}
		})
	}
}
