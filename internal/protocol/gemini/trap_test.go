package gemini

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
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
)

var update = flag.Bool("update", false, "write what comes out into testdata/traps")

// TestTraps crosses between this protocol and another, as the files of
// testdata/traps say. Each is named after the traps of spec translation-traps
// that it is about, and holds
//
//   - request.P or answer.P, what is sent in protocol P
//   - want.Q, what comes out of it in protocol Q
//   - fit, for requests: the model and what is known of it, a word a line
//   - losses, what did not cross as it was, a line each
func TestTraps(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "traps", "*.txtar"))
	if len(files) < 20 {
		t.Fatalf("%d files", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			x := exchange{t: t}
			for _, f := range a.Files {
				x.section(f.Name, f.Data)
			}
			out, losses := x.cross()
			if *update {
				for i, f := range a.Files {
					switch {
					case strings.HasPrefix(f.Name, "want."):
						a.Files[i].Data = pretty(t, out)
					case f.Name == "losses":
						a.Files[i].Data = []byte(losses)
					}
				}
				if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := codectest.Same(x.want, out); d != "" {
				t.Errorf("%s\ngot %s", d, pretty(t, out))
			}
			if losses != x.losses {
				t.Errorf("losses:\n%swant\n%s", losses, x.losses)
			}
		})
	}
}

// An exchange is one file of testdata/traps.
type exchange struct {
	t        *testing.T
	in       []byte
	from, to protocol.Translator
	answer   bool
	fit      protocol.Fit
	want     []byte
	losses   string
}

func (x *exchange) section(name string, data []byte) {
	kind, proto, _ := strings.Cut(name, ".")
	codecs := map[string]protocol.Translator{"gemini": New(), "chat": openaichat.New(), "responses": openairesponses.New(), "anthropic": anthropic.New()}
	switch kind {
	case "request", "answer":
		x.in, x.from, x.answer = data, codecs[proto], kind == "answer"
	case "want":
		x.want, x.to = data, codecs[proto]
	case "losses":
		x.losses = string(data)
	case "fit":
		x.fit.Native = true
		for w := range strings.FieldsSeq(string(data)) {
			name, value, _ := strings.Cut(w, "=")
			switch name {
			case "foreign":
				x.fit.Native = false
			case "images":
				x.fit.Known, x.fit.Images, x.fit.Reasoning = true, true, true
			case "blind":
				x.fit.Known, x.fit.Reasoning = true, true
			case "efforts":
				x.fit.Efforts = strings.Split(value, ",")
			case "vendor":
				x.fit.Vendor = value
			default:
				x.fit.Model = w
			}
		}
	default:
		x.t.Fatalf("what is %s?", name)
	}
}

func (x *exchange) cross() (out []byte, losses string) {
	x.t.Helper()
	var lost []llm.Loss
	if x.answer {
		r, err := x.from.DecodeResponse(x.in)
		if err != nil {
			x.t.Fatal(err)
		}
		if out, lost, err = x.to.EncodeResponse(nil, r, &protocol.Echo{ID: "req_1", Model: "asked", Created: 1}); err != nil {
			x.t.Fatal(err)
		}
	} else {
		r, err := x.from.DecodeRequest(bytes.TrimSpace(x.in))
		if err != nil {
			x.t.Fatal(err)
		}
		if out, lost, err = x.to.EncodeRequest(nil, r, &x.fit); err != nil {
			x.t.Fatal(err)
		}
		lost = append(lost, llm.Foreign(r, x.to.Name())...)
	}
	for _, l := range lost {
		losses += l.Path + ": " + l.Why + "\n"
	}
	return out, losses
}

func pretty(t *testing.T, v []byte) []byte {
	t.Helper()
	x := jsontext.Value(bytes.Clone(v))
	if err := x.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatalf("%v: %s", err, v)
	}
	return append(x, '\n')
}
