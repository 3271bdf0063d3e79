package openairesponses

import (
	"bytes"
	"encoding/json/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/protocol"
	"portico/internal/sse"
)

type expected struct {
	Finish string
	Usage  *struct{ Input, Output, Total, Cached, Reasoning int64 }
	ID     string
	Model  string
	Error  any
}

// TestCorpus compares the tap with an independent digest of recorded answers.
// PORTICO_CORPUS names the folder of the recordings; they are no part of the
// project.
func TestCorpus(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	cases, agree := 0, 0
	for _, p := range []string{"openai-responses"} {
		dirs, _ := filepath.Glob(filepath.Join(root, p, "*"))
		for _, dir := range dirs {
			var want expected
			raw, err := os.ReadFile(filepath.Join(dir, "expect.json"))
			if err != nil {
				continue // no answer to a chat
			}
			if err := json.Unmarshal(raw, &want, json.MatchCaseInsensitiveNames(true)); err != nil {
				t.Fatal(dir, err)
			}
			var meta struct{ Status *int }
			raw, _ = os.ReadFile(filepath.Join(dir, "meta.json"))
			if err := json.Unmarshal(raw, &meta, json.MatchCaseInsensitiveNames(true)); err != nil {
				t.Fatal(dir, err)
			}
			cases++
			if bad := differs(dir, &want, meta.Status); len(bad) > 0 {
				t.Errorf("%s: %s", filepath.Base(dir), strings.Join(bad, "; "))
			} else {
				agree++
			}
		}
	}
	t.Logf("%d of %d cases agree", agree, cases)
}

func differs(dir string, want *expected, status *int) (bad []string) {
	x := New().NewTap()
	if body, err := os.ReadFile(filepath.Join(dir, "response.json")); err == nil {
		if status != nil && *status >= 400 {
			s := New().DecodeError(*status, body)
			if s.Message == "" {
				bad = append(bad, "no message")
			}
			if e, ok := want.Error.(map[string]any); ok {
				if m, _ := e["message"].(string); m != s.Message && !strings.HasPrefix(m, strings.TrimSuffix(s.Message, "…")) {
					bad = append(bad, "message "+s.Message)
				}
			}
			return bad
		}
		x.Body(body)
	} else {
		raw, _ := os.ReadFile(filepath.Join(dir, "response.sse"))
		for len(raw) > 0 {
			var c sse.Cutter
			n := c.Cut(raw)
			if n == 0 {
				n = len(raw)
			}
			if f := sse.Parse(raw[:n]); f.Data != nil {
				x.Frame(f.Event, bytes.Clone(f.Data))
			}
			raw = raw[n:]
		}
		if s := x.Seen(); !s.Finished && s.Error == nil {
			bad = append(bad, "not finished")
		}
	}
	return append(bad, compare(x.Seen(), want)...)
}

func compare(s *protocol.Seen, want *expected) (bad []string) {
	if (s.Error != nil) != (want.Error != nil) {
		if s.Error != nil {
			bad = append(bad, "error: "+s.Error.Message)
		} else {
			bad = append(bad, "no error")
		}
	}
	if s.Error != nil {
		return bad
	}
	if s.Stop != strings.TrimPrefix(want.Finish, "incomplete:") {
		bad = append(bad, "stop "+s.Stop+" not "+want.Finish)
	}
	if s.ID != want.ID {
		bad = append(bad, "id "+s.ID+" not "+want.ID)
	}
	if s.Model != want.Model {
		bad = append(bad, "model "+s.Model+" not "+want.Model)
	}
	w := want.Usage
	if (w != nil && w.Total+w.Input > 0) != s.HasUsage {
		return append(bad, "usage there or not")
	}
	if !s.HasUsage || w.Total != w.Input+w.Output || w.Cached > w.Input || w.Reasoning > w.Output {
		return bad // the upstream's own numbers do not add up; TestUsage has such
	}
	if u := s.Usage; u.Total() != w.Total || u.Output+u.Reasoning != w.Output || u.CacheRead != w.Cached || u.Reasoning != w.Reasoning {
		b, _ := json.Marshal(u)
		v, _ := json.Marshal(w)
		bad = append(bad, "usage "+string(b)+" not "+string(v))
	}
	return bad
}
