package anthropic

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// tidy is v without what says nothing: members that are null, that repeat a
// default, or that are empty where emptiness is the default. That is all that
// may be lost on the way from this protocol to itself.
func tidy(v []byte) []byte {
	switch {
	case len(v) > 0 && v[0] == '{':
		out := []byte{'{'}
		for m, err := range jsonedit.Members(v) {
			if err != nil {
				return v
			}
			if !idle(string(m.Name), m.Value) {
				out = jsonw.Raw(out, string(m.Name), tidy(m.Value))
			}
		}
		return append(out, '}')
	case len(v) > 0 && v[0] == '[':
		out := []byte{'['}
		for e, err := range jsonedit.Elements(v) {
			if err != nil {
				return v
			}
			out = append(jsonw.Comma(out), tidy(e)...)
		}
		return append(out, ']')
	}
	return v
}

func idle(name string, v []byte) bool {
	switch name {
	case "stream", "is_error", "defer_loading":
		return string(v) == "false" || string(v) == "null"
	case "type":
		return string(v) == `"custom"`
	case "citations", "metadata", "output_config":
		return wire.Empty(v)
	}
	return string(v) == "null"
}

// again decodes a request and encodes it for Anthropic itself.
func again(t *testing.T, body []byte) ([]byte, []llm.Loss) {
	t.Helper()
	r, err := New().DecodeRequest(body)
	if err != nil {
		t.Fatal(err)
	}
	out, losses, err := New().EncodeRequest(nil, r, &protocol.Fit{Model: r.Model, Vendor: "anthropic", Native: true})
	if err != nil {
		t.Fatal(err)
	}
	return out, losses
}

// requests are the recorded requests of a folder: of the corpus, or of clients.
func requests(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	if root := os.Getenv("PORTICO_CORPUS"); root != "" {
		files, _ := filepath.Glob(filepath.Join(root, "anthropic", "*", "request.json"))
		for _, f := range files {
			out[filepath.Base(filepath.Dir(f))], _ = os.ReadFile(f)
		}
	}
	if root := os.Getenv("PORTICO_CLIENTS"); root != "" {
		files, _ := filepath.Glob(filepath.Join(root, "*", "*.json"))
		nested, _ := filepath.Glob(filepath.Join(root, "*", "*", "*.json"))
		for _, f := range append(files, nested...) {
			raw, _ := os.ReadFile(f)
			var call struct {
				Path string
				Body jsontext.Value
			}
			if json.Unmarshal(raw, &call, json.MatchCaseInsensitiveNames(true)) == nil && strings.HasPrefix(call.Path, "/v1/messages") {
				out[f] = call.Body
			}
		}
	}
	if len(out) == 0 {
		t.Skip("neither PORTICO_CORPUS nor PORTICO_CLIENTS is set")
	}
	for name, body := range out {
		if jsonedit.Get(body, "messages") == nil {
			delete(out, name)
		}
	}
	return out
}

// TestIdentity: what comes in this protocol and goes to Anthropic says the
// same, member by member and number by number. What a model is known to refuse
// is changed, and told as a loss.
func TestIdentity(t *testing.T) {
	cases, same, told, unsound := 0, 0, 0, 0
	for name, body := range requests(t) {
		if _, err := New().DecodeRequest(body); err != nil {
			unsound++
			t.Logf("%s is no request: %v", name, err)
			continue
		}
		cases++
		out, losses := again(t, body)
		switch d := codectest.Same(tidy(body), tidy(out)); {
		case d == "" && len(losses) == 0:
			same++
		case d != "" && len(losses) > 0:
			told++
			t.Logf("%s: %v", name, losses)
		default:
			t.Errorf("%s: %s\nlosses: %v", name, d, losses)
		}
	}
	t.Logf("%d of %d requests are the same, %d tell what is not, %d are none", same, cases, told, unsound)
}
