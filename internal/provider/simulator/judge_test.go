package simulator

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
	"portico/internal/provider"
	"portico/internal/sse"
)

// told is what an answer says, whatever dialect it came in and whether it was
// streamed.
type told struct {
	Thought, Text string
	Sealed        bool
	Calls         []string // NAME or NAMESPACE/NAME, then the arguments in brackets
	Images        int
	Stop          string
	Usage         llm.Usage
}

// fixed returns a simulator whose ids are counted and whose clock stands.
func fixed() *Simulator {
	s, n := New(), 0
	s.id = func(prefix string) string { n++; return fmt.Sprintf("%s%d", prefix, n) }
	s.now = func() time.Time { return time.Unix(1767225600, 0) }
	return s
}

// request addresses a request as the relay does.
func request(t testing.TB, s *Simulator, dialect, path, body string, header ...string) *http.Request {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	method, after, ok := strings.Cut(path, " ")
	if !ok {
		method, after = http.MethodPost, path
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	a := &provider.Account{Name: "a", Provider: Name}
	if err := s.Address(req, a, provider.Target{Protocol: dialect, Path: after, Query: query}); err != nil {
		t.Fatal(err)
	}
	return req
}

// reply is a response that was read to its end; err is why it ended early.
type response struct {
	*http.Response
	body []byte
	err  error
}

// ask sends a request. A round trip that fails gives a response without an
// inner one.
func send(t testing.TB, s *Simulator, dialect, path, body string, header ...string) response {
	t.Helper()
	resp, err := s.Transport().RoundTrip(request(t, s, dialect, path, body, header...))
	if err != nil {
		return response{err: err}
	}
	b, err := io.ReadAll(resp.Body)
	if cerr := resp.Body.Close(); cerr != nil {
		t.Error(cerr)
	}
	return response{resp, b, err}
}

// frames cuts a stream into events and checks that it is nothing but events.
func cut(t testing.TB, raw []byte) (fs []sse.Frame) {
	t.Helper()
	for len(raw) > 0 {
		var c sse.Cutter
		n := c.Cut(raw)
		if n == 0 {
			t.Fatalf("the stream ends within an event: %q", raw)
		}
		f := sse.Parse(raw[:n])
		if f.Data == nil {
			t.Fatalf("an event without data: %q", raw[:n])
		}
		fs = append(fs, f)
		raw = raw[n:]
	}
	return fs
}

// read decodes v and fails the test if it cannot.
func read[T any](t testing.TB, v []byte) (out T) {
	t.Helper()
	if err := json.Unmarshal(v, &out, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%v in %.300s", err, v)
	}
	return out
}

// names are the members of the object v, in order.
func has(t testing.TB, v jsontext.Value, names ...string) {
	t.Helper()
	m := read[map[string]jsontext.Value](t, v)
	for _, n := range names {
		if _, ok := m[n]; !ok {
			t.Errorf("no %q in %.300s", n, v)
		}
	}
}

// codecs are the project's own, which judge what the simulator says.
var codecs = map[string]interface {
	protocol.Codec
	protocol.Lister
	protocol.Counter
}{
	protocol.OpenAIChat: openaichat.New(), protocol.OpenAIResponses: openairesponses.New(), protocol.Anthropic: anthropic.New(), protocol.Gemini: gemini.New(),
}

// watch runs the dialect's tap over an answer: it must end Finished, with
// usage.
func watch(t testing.TB, dialect string, streamed bool, body []byte) {
	t.Helper()
	tap := codecs[dialect].NewTap()
	if !streamed {
		if m := tap.Body(body); m&protocol.Failed != 0 || m&protocol.Final == 0 {
			t.Errorf("the tap says %b of %.300s", m, body)
		}
	} else if body[0] == '[' {
		tap = gemini.NewArray().NewTap()
		for _, e := range read[[]jsontext.Value](t, body) {
			tap.Frame(nil, e)
		}
	} else {
		meant, final := false, false
		for _, f := range cut(t, body) {
			m := tap.Frame(f.Event, f.Data)
			if m&protocol.Failed != 0 {
				t.Errorf("the tap finds an error in %s", f.Data)
			}
			meant, final = meant || m&protocol.Meaningful != 0, final || m&protocol.Final != 0
		}
		if !meant || !final {
			t.Errorf("meaningful %v, final %v", meant, final)
		}
	}
	if s := tap.Seen(); !s.Finished || !s.HasUsage || s.Error != nil || s.ID == "" || s.Model == "" || s.Stop == "" {
		t.Errorf("the tap has seen %+v of %.200s", s, body)
	}
}

// sum is the usage of OpenAI's two protocols in counts that do not overlap.
func sum(t testing.TB, in, out, total, read, write, reasoning int64) llm.Usage {
	t.Helper()
	if in+out != total {
		t.Errorf("%d + %d is not %d", in, out, total)
	}
	return llm.Usage{Input: in - read - write, CacheRead: read, CacheWrite: write, Output: out - reasoning, Reasoning: reasoning}
}

func isPNG(t testing.TB, b []byte) {
	t.Helper()
	if !bytes.HasPrefix(b, []byte("\x89PNG\r\n")) {
		t.Errorf("no PNG: %.20q", b)
	}
}
