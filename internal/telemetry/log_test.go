package telemetry

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"portico/internal/config"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/secret"
)

// oneTameLine fails unless out is one line of printing characters.
func oneTameLine(t *testing.T, out string) {
	t.Helper()
	body, ok := strings.CutSuffix(out, "\n")
	if !ok || body == "" {
		t.Fatalf("no line: %q", out)
	}
	for _, r := range body {
		if !unicode.IsPrint(r) {
			t.Fatalf("%U stands in %q", r, out)
		}
	}
}

// What others wrote cannot make a second line, move a cursor or turn text
// round; spec: security SEC-56.
func TestInjection(t *testing.T) {
	for _, tt := range []struct{ name, evil string }{
		{"line ends", "a\r\nlevel=ERROR msg=forged\n\n"},
		{"quotes", `a" level=ERROR msg="forged`},
		{"json", `","level":"ERROR","msg":"forged`},
		{"ansi", "a\x1b[31mred\x1b[0m\x1b]0;title\x07"},
		{"c1 controls", "a\u009b31m\u0085b"},
		{"delete and backspace", "password\x7f\x7f\x08\x08"},
		{"nul", "a\x00b"},
		{"line separators", "a\u2028b\u2029c\vd\fe"},
		{"right to left", "user\u202etxt.exe\u2066\u2069\u200f"},
		{"zero width", "a\u200bb\ufeffc\U000e0041"},
		{"invalid utf-8", "a\xff\xfe\xc3("},
		{"equals", "a=b c=d"},
		{"backslashes", `a\nb\u202e`},
		{"honest", "claude-sonnet-4 über 東京 🦊"},
	} {
		for _, format := range []string{"text", "json"} {
			t.Run(tt.name+"/"+format, func(t *testing.T) {
				var out bytes.Buffer
				l := NewLog(&out, config.Log{Level: "debug", Format: format})
				for _, v := range []any{tt.evil, errors.New(tt.evil), []byte(tt.evil), struct{ S string }{tt.evil}, []string{tt.evil}} {
					out.Reset()
					l.LogAttrs(t.Context(), slog.LevelInfo, "x", slog.Any(tt.evil, v))
					oneTameLine(t, out.String())
				}
				out.Reset()
				// A message that is no constant comes from net/http's own log.
				if err := l.Handler().Handle(t.Context(), slog.NewRecord(time.Now(), slog.LevelInfo, tt.evil, 0)); err != nil {
					t.Fatal(err)
				}
				oneTameLine(t, out.String())
				out.Reset()
				l.With("account", tt.evil).WithGroup("g").Info("x", slog.Group("h", "agent", tt.evil))
				oneTameLine(t, out.String())
				if format != "json" {
					return
				}
				out.Reset()
				l.Info("x", "model", tt.evil)
				var got struct {
					Model string `json:"model"`
				}
				if err := json.Unmarshal(out.Bytes(), &got); err != nil {
					t.Fatalf("%v: %s", err, &out)
				}
				if tt.name != "invalid utf-8" && got.Model != tt.evil {
					t.Errorf("got %q, want %q", got.Model, tt.evil)
				}
			})
		}
	}
}

func TestLongValues(t *testing.T) {
	long := strings.Repeat("é", 1<<19)
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		l := NewLog(&out, config.Log{Level: "info", Format: format})
		l.Info("x", "string", long, "error", errors.New(long), "bytes", []byte(long))
		oneTameLine(t, out.String())
		if n := out.Len(); n > 5*maxValue {
			t.Errorf("%s: the line has %d bytes", format, n)
		}
		if !strings.Contains(out.String(), "… (1048576 bytes)") {
			t.Errorf("%s: nothing says that something is missing", format)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		key := secret.Of("sk-CANARY-0123456789")
		NewLog(&out, config.Log{Format: format}).Info("x", "key", key, "any", struct{ K secret.Text }{key}, "pointer", &key)
		if strings.Contains(out.String(), "CANARY") {
			t.Errorf("%s", &out)
		}
	}
}

func TestSet(t *testing.T) {
	var out bytes.Buffer
	l := NewLog(&out, config.Log{Level: "warn", Format: "text"})
	child := l.With(Request("req_1"))
	child.Info("unheard")
	child.Warn("text")
	l.Set(config.Log{Level: "debug", Format: "json"})
	child.Debug("json")
	lines := strings.SplitAfter(out.String(), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "msg=text request_id=req_1") || !strings.Contains(lines[1], `"msg":"json","request_id":"req_1"`) {
		t.Errorf("got %q", lines)
	}
}

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		name string
		x    journal.Exchange
		want string
	}{
		{"served", journal.Exchange{
			ID: "req_1", Status: 200, Op: "chat", Inbound: "anthropic", Outbound: "anthropic", Stream: true, Asked: "m", Served: "m", Account: "a",
			Key: "default", Client: "claude-cli/2", Took: 1500 * time.Millisecond, First: 300 * time.Millisecond,
			Usage: llm.Usage{Input: 1, CacheRead: 2, CacheWrite: 3, Output: 4, Reasoning: 5}, Attempts: []journal.Attempt{{}},
		}, `level=INFO msg=request request_id=req_1 status=200 op=chat inbound=anthropic stream=true model=m account=a key=default client=claude-cli/2 took_ms=1500 first_ms=300 tokens_in=6 tokens_out=9`},
		{"translated after a failure", journal.Exchange{
			ID: "req_2", Status: 200, Op: "chat", Inbound: "anthropic", Outbound: "gemini", Asked: "m", Served: "n", Attempts: []journal.Attempt{{}, {}}, Losses: []string{"a=b"},
		}, `level=INFO msg=request request_id=req_2 status=200 op=chat inbound=anthropic outbound=gemini model=m served=n took_ms=0 attempts=2 losses=1`},
		{"the client's fault", journal.Exchange{ID: "req_3", Status: 401, Op: "other", Path: "/files", Fault: "unauthorized", Code: "missing_key", Error: "a key is needed"}, `level=INFO msg=request request_id=req_3 status=401 op=other path=/files took_ms=0 fault=unauthorized code=missing_key error="a key is needed"`},
		{"failed", journal.Exchange{ID: "req_4", Status: 503, Op: "chat", Fault: "busy"}, `level=WARN msg=request request_id=req_4 status=503 op=chat took_ms=0 fault=busy`},
		{"broke off", journal.Exchange{ID: "req_5", Status: 200, Partial: true, Op: "chat", Fault: "network"}, `level=WARN msg=request request_id=req_5 status=200 op=chat took_ms=0 partial=true fault=network`},
		{"the client left", journal.Exchange{ID: "req_6", Status: 499, Partial: true, Op: "chat", Fault: "canceled"}, `level=INFO msg=request request_id=req_6 status=499 op=chat took_ms=0 partial=true fault=canceled`},
	} {
		var out bytes.Buffer
		l := NewLog(&out, config.Log{Level: "info", Format: "text"})
		Lines{l}.Heard(&tt.x)
		l.Flush()
		_, got, _ := strings.Cut(strings.TrimSpace(out.String()), " ") // without the time
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestLinesCostNothingWhenOff(t *testing.T) {
	l := NewLog(&bytes.Buffer{}, config.Log{Level: "error"})
	x := &journal.Exchange{ID: "req_1", Status: 500}
	if n := testing.AllocsPerRun(100, func() { Lines{l}.Heard(x) }); n != 0 {
		t.Errorf("%v allocations for a line that is not written", n)
	}
}

// TestLinesGather: lines go out together, whole and in order, within a moment,
// and at once if they are many.
func TestLinesGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w writes
		l := NewLog(&w, config.Log{Level: "info"})
		heard := 0
		hear := func(n int) {
			for range n {
				Lines{l}.Heard(&journal.Exchange{ID: fmt.Sprintf("req_%d", heard), Status: 200, Asked: strings.Repeat("m", 3*maxValue)})
				heard++
			}
		}
		hear(3)
		if n := w.count(); n != 0 {
			t.Errorf("%d writes at once", n)
		}
		time.Sleep(gatherFor)
		synctest.Wait()
		if n := w.count(); n != 1 {
			t.Errorf("%d writes after %v", n, gatherFor)
		}
		hear(100) // more than may wait
		if n := w.count(); n < 5 || n > 50 {
			t.Errorf("%d writes of many lines", n)
		}
		l.Error("something else") // is not behind them
		l.Flush()
		lines := strings.Split(strings.TrimSpace(strings.Join(w.all, "")), "\n")
		n := 0
		for _, line := range lines {
			if strings.Contains(line, "something else") {
				continue
			}
			if !strings.Contains(line, fmt.Sprintf("request_id=req_%d status", n)) || len(line) > maxValue+300 {
				t.Fatalf("line %d is %.200s", n, line)
			}
			n++
		}
		if n != heard {
			t.Errorf("%d lines of %d", n, heard)
		}
	})
}

// writes is a writer that keeps every write apart.
type writes struct {
	mu  sync.Mutex
	all []string
}

func (w *writes) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.all)
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, string(p))
	return len(p), nil
}

func FuzzTame(f *testing.F) {
	f.Add("{\"a\":\"\u202e\U000e0041\x7f\"}\n")
	f.Fuzz(func(t *testing.T, s string) {
		var out bytes.Buffer
		n, err := tame{&out}.Write([]byte(s + "\n"))
		if err != nil || n != len(s)+1 {
			t.Fatalf("wrote %d of %d: %v", n, len(s)+1, err)
		}
		if s != "" {
			oneTameLine(t, out.String())
		}
	})
}
