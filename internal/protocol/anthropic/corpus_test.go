package anthropic

import (
	"bytes"
	"encoding/json/v2"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/sse"
)

type expected struct {
	Finish, ID, Model string
	Usage             *struct{ Input, Output, CacheRead, CacheWrite int64 }
	Error             any
}

// TestCorpus compares the tap with an independent digest of recorded answers.
// PORTICO_CORPUS names the folder of the recordings; they are no part of the
// project. The digest knows less than the tap in two points, which are read
// from the bytes here: runs of the model beside the counts of the message, and
// the model that took over in the middle of an answer.
func TestCorpus(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	dirs, _ := filepath.Glob(filepath.Join(root, "anthropic", "*"))
	cases, agree := 0, 0
	for _, dir := range dirs {
		var meta struct {
			Status    *int
			Operation string
			Model     string
		}
		load(t, filepath.Join(dir, "meta.json"), &meta)
		cases++
		bad := requestDiffers(dir)
		body, err := os.ReadFile(filepath.Join(dir, "response.json"))
		switch {
		case err != nil:
			bad = append(bad, streamDiffers(t, dir)...)
		case meta.Status != nil && *meta.Status >= 400:
			bad = append(bad, errorDiffers(*meta.Status, body)...)
		case meta.Operation == "models":
			if ms, _, err := New().DecodeModels(body); err != nil || len(ms) == 0 || ms[0].Context == 0 || ms[0].Created.IsZero() {
				bad = append(bad, fmt.Sprint("models: ", ms, err))
			}
		case meta.Operation == "count_tokens":
			x := New().NewTap()
			if mark := x.Body(body); mark != protocol.Meaningful|protocol.Final || x.Seen().HasUsage {
				bad = append(bad, "no answer to a count")
			}
		default:
			x := New().NewTap()
			if mark := x.Body(body); mark != protocol.Meaningful|protocol.Final {
				bad = append(bad, "not an answer")
			}
			bad = append(bad, differs(t, dir, x.Seen(), body)...)
		}
		if len(bad) > 0 {
			t.Errorf("%s: %s", filepath.Base(dir), strings.Join(bad, "; "))
		} else {
			agree++
		}
	}
	t.Logf("%d of %d cases agree", agree, cases)
	if cases == 0 {
		t.Error("there are no cases")
	}
}

func load(t *testing.T, file string, v any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, v, json.MatchCaseInsensitiveNames(true))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// requestDiffers peeks at the request, if there is one.
func requestDiffers(dir string) (bad []string) {
	body, err := os.ReadFile(filepath.Join(dir, "request.json"))
	if err != nil {
		return nil
	}
	var want struct {
		Model  string
		Stream bool
	}
	if json.Unmarshal(body, &want, json.MatchCaseInsensitiveNames(true)) != nil {
		return nil // Bedrock and Vertex have it in the address
	}
	p, err := New().Peek(body)
	if err != nil || p.Model != want.Model || p.Stream != want.Stream {
		bad = append(bad, fmt.Sprint("peek ", p, err))
	}
	if _, _, err := New().CountText(nil, body); err != nil {
		bad = append(bad, "count: "+err.Error())
	}
	return bad
}

func errorDiffers(status int, body []byte) (bad []string) {
	var want struct {
		Error struct{ Type, Message string }
	}
	if err := json.Unmarshal(body, &want, json.MatchCaseInsensitiveNames(true)); err != nil {
		return []string{err.Error()}
	}
	if s := New().DecodeError(status, body); s.Type != want.Error.Type || s.Message != want.Error.Message || s.Status != status {
		bad = append(bad, fmt.Sprintf("error %+v", s))
	}
	return bad
}

func streamDiffers(t *testing.T, dir string) (bad []string) {
	raw, err := os.ReadFile(filepath.Join(dir, "response.sse"))
	if err != nil {
		return []string{err.Error()}
	}
	x := New().NewTap()
	for rest := raw; len(rest) > 0; {
		var c sse.Cutter
		n := c.Cut(rest)
		if n == 0 {
			n = len(rest)
		}
		if f := sse.Parse(rest[:n]); f.Data != nil && x.Frame(f.Event, bytes.Clone(f.Data))&protocol.Failed != 0 {
			bad = append(bad, "failed: "+x.Seen().Error.Message)
		}
		rest = rest[n:]
	}
	if !x.Seen().Finished {
		bad = append(bad, "not finished")
	}
	return append(bad, differs(t, dir, x.Seen(), raw)...)
}

func differs(t *testing.T, dir string, s *protocol.Seen, raw []byte) (bad []string) {
	var want expected
	load(t, filepath.Join(dir, "expect.json"), &want)
	if s.Stop != want.Finish {
		bad = append(bad, "stop "+s.Stop+" not "+want.Finish)
	}
	if s.ID != want.ID {
		bad = append(bad, "id "+s.ID+" not "+want.ID)
	}
	if m := takenOver(raw); s.Model != want.Model && s.Model != m {
		bad = append(bad, "model "+s.Model+" not "+want.Model)
	}
	if s.OutBytes == 0 && want.Finish == "end_turn" && bytes.Contains(raw, []byte(`"text_delta"`)) {
		bad = append(bad, "no bytes of text")
	}
	if (want.Usage != nil) != s.HasUsage {
		return append(bad, "usage there or not")
	}
	if !s.HasUsage {
		return bad
	}
	u, w, b := s.Usage, want.Usage, besides(t, raw)
	if u.Input != w.Input+b.Input || u.Output+u.Reasoning != w.Output+b.Output || u.CacheRead != w.CacheRead+b.CacheRead || u.CacheWrite != w.CacheWrite+b.CacheWrite {
		bad = append(bad, fmt.Sprintf("usage %+v not %+v and beside it %+v", u, *w, b))
	}
	return bad
}

// takenOver is the model of the last fallback block.
func takenOver(raw []byte) string {
	_, rest, _ := bytes.Cut(raw, []byte(`"to":{"model":"`))
	name, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(name)
}

// besides sums the iterations that are not in the counts of the message, by a
// full decode of the last usage that has any.
func besides(t *testing.T, raw []byte) (sum llm.Usage) {
	line := raw
	if i := bytes.LastIndex(raw, []byte("event: message_delta")); i >= 0 {
		line = raw[i:]
		line = line[bytes.Index(line, []byte("data:"))+5:]
		line, _, _ = bytes.Cut(line, []byte("\n"))
	}
	var v struct {
		Usage struct {
			Iterations []struct {
				Type       string `json:"type"`
				Input      int64  `json:"input_tokens"`
				Output     int64  `json:"output_tokens"`
				CacheRead  int64  `json:"cache_read_input_tokens"`
				CacheWrite int64  `json:"cache_creation_input_tokens"`
			} `json:"iterations"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(line), &v); err != nil {
		t.Fatal(err)
	}
	for _, i := range v.Usage.Iterations {
		if i.Type == "compaction" || i.Type == "advisor_message" {
			sum.Input += i.Input
			sum.Output += i.Output
			sum.CacheRead += i.CacheRead
			sum.CacheWrite += i.CacheWrite
		}
	}
	return sum
}
