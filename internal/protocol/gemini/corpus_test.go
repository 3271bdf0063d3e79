package gemini

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
	Finish any // a name, or with enum-encoding=int a number
	Usage  *struct {
		Input, Output, Total, Cached, Reasoning int64
		Tool                                    int64 `json:"tool_prompt"`
	}
	ID    string
	Model string
	Error any
}

type about struct {
	Operation string
	Status    int
	Format    string `json:"stream_format"`
}

// nothings are recordings of answers in which there is nothing, no part and no
// reason, or that are none: fixtures that their authors wrote to see how a
// client fails. The digest, which judges nothing, gives them no error; the tap
// does (Body), or leaves them unfinished (Frame).
var nothings = []string{
	"streaming-failure-empty-content", "streaming-failure-malformed-content", "streaming-failure-invalid-json",
	"unary-failure-empty-content", "unary-failure-malformed-content",
}

// TestCorpus compares the tap with an independent digest of recorded answers.
// PORTICO_CORPUS names the folder of the recordings; they are no part of the
// project.
func TestCorpus(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	dirs, _ := filepath.Glob(filepath.Join(root, "gemini", "*"))
	agree := 0
	for _, dir := range dirs {
		var want expected
		var meta about
		read(t, filepath.Join(dir, "meta.json"), &meta)
		read(t, filepath.Join(dir, "expect.json"), &want)
		if bad := differs(dir, &want, &meta); len(bad) > 0 {
			t.Errorf("%s: %s", filepath.Base(dir), strings.Join(bad, "; "))
		} else {
			agree++
		}
	}
	t.Logf("%d of %d cases agree", agree, len(dirs))
}

func read(t *testing.T, file string, v any) {
	raw, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return // no answer to a chat
	}
	if err == nil {
		err = json.Unmarshal(raw, v, json.MatchCaseInsensitiveNames(true))
	}
	if err != nil {
		t.Fatal(file, err)
	}
}

func differs(dir string, want *expected, meta *about) (bad []string) {
	empty := false
	for _, n := range nothings {
		empty = empty || strings.Contains(dir, "--"+n+"--")
	}
	c := New()
	x := c.NewTap()
	body, err := os.ReadFile(filepath.Join(dir, "response.json"))
	switch {
	case err != nil:
		stream(x, filepath.Join(dir, "response.sse"))
		if s := x.Seen(); empty != (!s.Finished && s.Error == nil) {
			bad = append(bad, "finished or not")
		}
	case meta.Operation == "models":
		ms, next, err := c.DecodeModels(body)
		if err != nil || len(ms) == 0 || next == "" || ms[0].Context == 0 || len(ms[0].Methods) == 0 {
			bad = append(bad, "not read as a list of models")
		}
		return bad
	case meta.Status >= 400:
		return message(body, meta.Status, want)
	default:
		mark := x.Body(body)
		if empty {
			if mark != protocol.Failed {
				bad = append(bad, "nothing, but taken for an answer")
			}
			return bad
		}
		if meta.Format == "json-array" {
			bad = append(bad, cut(x.Seen(), body)...)
		}
	}
	return append(bad, compare(x.Seen(), want)...)
}

// stream feeds the events of a file to x.
func stream(x protocol.Tap, file string) {
	raw, _ := os.ReadFile(file)
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
}

// cut compares the elements of a streamed array, one by one, with the whole.
func cut(whole *protocol.Seen, body []byte) (bad []string) {
	x := New().NewTap()
	var c ArrayCutter
	for n := c.Cut(body); n > 0; n = c.Cut(body) {
		if e := Element(body[:n]); e != nil {
			x.Frame(nil, e)
		}
		body = body[n:]
	}
	if s := x.Seen(); s.Error != whole.Error || s.ID != whole.ID || s.Usage != whole.Usage || s.Stop != whole.Stop || s.Finished != whole.Finished || len(bytes.TrimSpace(body)) > 0 {
		bad = append(bad, "cut in pieces it reads differently")
	}
	return bad
}

func message(body []byte, status int, want *expected) (bad []string) {
	s := New().DecodeError(status, body)
	if s.Message == "" || s.Type == "" || s.Status != status {
		bad = append(bad, "no message, type or status")
	}
	if e, ok := want.Error.(map[string]any); ok {
		if m, _ := e["message"].(string); m != s.Message {
			bad = append(bad, "message "+s.Message)
		}
	}
	return bad
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
	finish, _ := want.Finish.(string)
	if n, ok := want.Finish.(float64); ok {
		finish = string('0' + rune(n))
	}
	if s.Stop != strings.TrimPrefix(finish, "blocked:") {
		bad = append(bad, "stop "+s.Stop+" not "+finish)
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
	if !s.HasUsage {
		return bad
	}
	u := s.Usage
	if u.Input+u.CacheRead != w.Input+w.Tool || u.CacheRead != w.Cached || u.Output != w.Output || u.Reasoning != w.Reasoning || w.Total > 0 && u.Total() != w.Total {
		b, _ := json.Marshal(u)
		v, _ := json.Marshal(w)
		bad = append(bad, "usage "+string(b)+" not "+string(v))
	}
	return bad
}
