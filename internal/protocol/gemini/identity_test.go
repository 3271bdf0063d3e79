package gemini

import (
	"bytes"
	"encoding/json/jsontext"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// recorded is the files of a name in the recordings, by their case.
func recorded(t *testing.T, name string) map[string][]byte {
	t.Helper()
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	out := map[string][]byte{}
	files, _ := filepath.Glob(filepath.Join(root, "gemini", "*", name))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(filepath.Dir(f))] = b
	}
	return out
}

// recordedClients is the bodies that clients sent to a server.
func recordedClients(t *testing.T) map[string][]byte {
	t.Helper()
	root := os.Getenv("PORTICO_CLIENTS")
	if root == "" {
		t.Skip("PORTICO_CLIENTS is not set")
	}
	out := map[string][]byte{}
	for _, pattern := range []string{"gemini-cli/*/*.json", "sdk-genai/*.json"} {
		files, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			body := jsonedit.Get(b, "body")
			if s, ok := jsonedit.Unquote(body); ok {
				body = []byte(s)
			}
			if strings.Contains(wire.Text(jsonedit.Get(b, "path")), "enerateContent") && jsonedit.Get(body, "contents") != nil {
				out[strings.TrimPrefix(f, root)] = body
			}
		}
	}
	if len(out) == 0 {
		t.Error("there are no requests of clients")
	}
	return out
}

// TestIdentityRequests: what a Gemini client sends goes to a Gemini upstream
// with the same members and the same values.
func TestIdentityRequests(t *testing.T) {
	same, cases := 0, recorded(t, "request.json")
	models := recorded(t, "meta.json")
	for name, body := range cases {
		if jsonedit.Get(body, "contents") == nil && jsonedit.Get(body, "generateContentRequest") == nil || strings.Contains(string(body), `"invalid_role"`) {
			delete(cases, name) // vectors, lists of models; a role that Google refuses
			continue
		}
		if identical(t, name, body, wire.Text(jsonedit.Get(models[name], "model"))) {
			same++
		}
	}
	t.Logf("%d of %d requests are the same", same, len(cases))
}

func TestIdentityClients(t *testing.T) {
	same, cases := 0, recordedClients(t)
	for name, body := range cases {
		if identical(t, name, body, "gemini-3-pro-preview") {
			same++
		}
	}
	t.Logf("%d of %d requests are the same", same, len(cases))
}

func identical(t *testing.T, name string, body []byte, model string) bool {
	t.Helper()
	before := bytes.Clone(body)
	r, err := New().DecodeRequest(body)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	fit := &protocol.Fit{Model: model, Native: true}
	out, losses, err := New().EncodeRequest(nil, r, fit)
	if err != nil || len(losses) > 0 || !jsontext.Value(out).IsValid() {
		t.Errorf("%s: %v %v\n%s", name, err, losses, out)
		return false
	}
	if again, _, _ := New().EncodeRequest(nil, r, fit); !bytes.Equal(out, again) {
		t.Errorf("%s: the same request gives other bytes", name)
		return false
	}
	if !bytes.Equal(before, body) {
		t.Errorf("%s: the body was changed", name)
	}
	if d := differ("", tidyRequest(grow(t, body)), tidyRequest(grow(t, out))); d != "" {
		t.Errorf("%s: %.400s", name, d)
		return false
	}
	return true
}
