package translate

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
)

// spoken is the translator of a recorded request's protocol, -1 if it asks for
// no next turn.
func spoken(path string) int {
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		return 0
	case strings.HasSuffix(path, "/responses"):
		return 1
	case strings.HasSuffix(path, "/messages"):
		return 2
	case strings.HasSuffix(path, ":generateContent"), strings.HasSuffix(path, ":streamGenerateContent"):
		return 3
	}
	return -1
}

// TestClients: what real clients send crosses from their protocol to every
// other, but for what is on their vendor's server alone.
func TestClients(t *testing.T) {
	root := os.Getenv("PORTICO_CLIENTS")
	if root == "" {
		t.Skip("PORTICO_CLIENTS is not set")
	}
	n := 0
	err := filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(file) != ".json" {
			return err
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		i := spoken(wire.Text(jsonedit.Get(raw, "path")))
		body := jsonedit.Get(raw, "body")
		if len(body) > 0 && body[0] == '"' {
			body = []byte(wire.Text(body))
		}
		if i < 0 || len(body) == 0 || body[0] != '{' {
			return nil
		}
		for j, upstream := range translators {
			if i == j {
				continue
			}
			b, err := New(translators[i], upstream, body, Options{ID: "req_1", Model: "m"})
			if f, ok := errors.AsType[*fault.Fault](err); ok && f.Class == fault.Unsupported && f.Param == "previous_response_id" {
				continue // over a socket, whose earlier turns are kept with it
			} else if ok && f.Code == "thread_not_found" && string(jsonedit.Path(body, "thread", "type")) == `"continue"` {
				continue // by which Anthropic's SDK knows that it has to send all of it
			}
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			out, _, err := b.Request(upstreamOf(upstream, "one"))
			if err != nil || !sane(out) {
				t.Errorf("%s → %s: %v in %.200s", file, upstream.Name(), err, out)
			}
			if strings.Contains(string(out), "x-anthropic-billing-header") || strings.Contains(string(out), placeholder) {
				t.Errorf("%s → %s: what is for Anthropic alone", file, upstream.Name())
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 100 {
		t.Errorf("only %d requests", n)
	}
}
