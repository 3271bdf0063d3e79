package telemetry

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/protocol"
)

// page writes m, checks that it is in the format, and returns the samples by
// their name and labels.
func page(t *testing.T, m *Metrics) map[string]float64 {
	t.Helper()
	var out bytes.Buffer
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	sample := regexp.MustCompile(`^([a-z_]+)((?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})?) (\S+)$`)
	samples := map[string]float64{}
	seen := map[string]bool{}
	family, kind := "", ""
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		if help, ok := strings.CutPrefix(lines[i], "# HELP "); ok {
			var text string
			family, text, _ = strings.Cut(help, " ")
			if seen[family] {
				t.Errorf("%s is there twice", family)
			}
			seen[family] = true
			if !strings.HasSuffix(text, ".") {
				t.Errorf("%s has no sentence of help", family)
			}
			i++
			if kind, ok = strings.CutPrefix(lines[i], "# TYPE "+family+" "); !ok {
				t.Errorf("%s has no type", family)
			}
			continue
		}
		m := sample.FindStringSubmatch(lines[i])
		if m == nil {
			t.Errorf("no sample: %q", lines[i])
			continue
		}
		name := m[1]
		if kind == "histogram" {
			name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		}
		if name != family {
			t.Errorf("%s stands in the family %s", m[1], family)
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Error(err)
		}
		if kind == "counter" && !strings.HasSuffix(name, "_total") {
			t.Errorf("the counter %s does not end in _total", name)
		}
		if _, twice := samples[m[1]+m[2]]; twice {
			t.Errorf("%s is there twice", m[1]+m[2])
		}
		samples[m[1]+m[2]] = v
	}
	return samples
}

func TestMetrics(t *testing.T) {
	m := NewMetrics(Sources{
		Version:  `v1.0"\x`,
		Provider: func(account string) string { return map[string]string{"a": "openai", "b": "gemini"}[account] },
		Accounts: func() map[string]int { return map[string]int{"ready": 2, "down": 1} },
		Flying:   func() (int, int) { return 3, 2 },
		Journal: func() journal.Stats {
			return journal.Stats{Bytes: 6, Backlog: 7, Kept: 8, Lost: 9, Unheard: 10, WriteErrors: 1, SyncErrors: 2, KeepErrors: 3}
		},
	})
	m.Heard(&journal.Exchange{
		Op: "chat", Inbound: protocol.Anthropic, Status: 200, Served: "m", First: 30 * time.Millisecond, Took: 3 * time.Second, BytesIn: 10, BytesOut: 20,
		Usage:    llm.Usage{Input: 1, CacheRead: 2, CacheWrite: 3, Output: 4, Reasoning: 5},
		Attempts: []journal.Attempt{{Account: "a", Fault: "rate_limited"}, {Account: "b"}}, Losses: []string{"a", "b"},
	})
	m.Heard(&journal.Exchange{Op: "chat", Inbound: protocol.Anthropic, Status: 200, Served: "m", First: time.Second, Took: time.Hour, Usage: llm.Usage{Output: 1}, Partial: true, Fault: "network", Attempts: []journal.Attempt{{Account: "gone", Fault: "network"}}})
	m.Heard(&journal.Exchange{Op: "other", Inbound: protocol.Gemini, Status: 401, Fault: "unauthorized"})
	got := page(t, m)
	for name, want := range map[string]float64{
		`portico_info{version="v1.0\"\\x"}`:                                                      1,
		`portico_requests_total{protocol="anthropic",op="chat",status="2xx",fault="none"}`:       1,
		`portico_requests_total{protocol="anthropic",op="chat",status="2xx",fault="network"}`:    1,
		`portico_requests_total{protocol="gemini",op="other",status="4xx",fault="unauthorized"}`: 1,
		`portico_attempts_total{provider="openai",fault="rate_limited"}`:                         1,
		`portico_attempts_total{provider="gemini",fault="none"}`:                                 1,
		`portico_attempts_total{provider="other",fault="network"}`:                               1,
		`portico_tokens_total{model="m",kind="input"}`:                                           1,
		`portico_tokens_total{model="m",kind="cache_read"}`:                                      2,
		`portico_tokens_total{model="m",kind="cache_write"}`:                                     3,
		`portico_tokens_total{model="m",kind="output"}`:                                          5,
		`portico_tokens_total{model="m",kind="reasoning"}`:                                       5,
		`portico_request_seconds_bucket{protocol="anthropic",le="2.5"}`:                          0,
		`portico_request_seconds_bucket{protocol="anthropic",le="5"}`:                            1,
		`portico_request_seconds_bucket{protocol="anthropic",le="600"}`:                          1,
		`portico_request_seconds_bucket{protocol="anthropic",le="+Inf"}`:                         2,
		`portico_request_seconds_sum{protocol="anthropic"}`:                                      3603,
		`portico_request_seconds_count{protocol="anthropic"}`:                                    2,
		`portico_first_byte_seconds_bucket{protocol="anthropic",le="0.025"}`:                     0,
		`portico_first_byte_seconds_bucket{protocol="anthropic",le="0.05"}`:                      1,
		`portico_first_byte_seconds_count{protocol="anthropic"}`:                                 2,
		`portico_bytes_total{direction="in"}`:                                                    10, `portico_bytes_total{direction="out"}`: 20,
		`portico_partial_total`: 1, `portico_losses_total`: 2,
		`portico_requests_in_flight`: 3, `portico_streams_in_flight`: 2,
		`portico_accounts{state="down"}`: 1, `portico_accounts{state="ready"}`: 2,
		`portico_journal_bytes`: 6, `portico_journal_backlog`: 7, `portico_journal_kept_total`: 8, `portico_journal_lost_total`: 9,
		`portico_journal_unheard_total`: 10, `portico_journal_errors_total`: 6,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%t), want %v", name, v, ok, want)
		}
	}
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes", "process_start_time_seconds", "go_gc_cpu_seconds_total"} {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
}

// Without sources and requests the page is still in the format.
func TestMetricsOfNothing(t *testing.T) {
	got := page(t, NewMetrics(Sources{}))
	if _, ok := got["portico_accounts"]; ok || got[`portico_info{version="other"}`] != 1 {
		t.Errorf("got %v", got)
	}
}

// Whatever clients and upstreams call things, the page has a bound, and what
// they wrote is not in it.
func TestLabelsAreBounded(t *testing.T) {
	m := NewMetrics(Sources{Provider: func(account string) string { return "provider-" + account }})
	for i := range 3000 {
		evil := fmt.Sprintf("sk-CANARY%d\n\"}", i)
		m.Heard(&journal.Exchange{
			ID: evil, Key: evil, Client: evil, Peer: evil, Session: evil, Op: evil, Path: evil, Inbound: evil, Asked: evil, Account: evil,
			Stop: evil, Fault: evil, Code: evil, Error: evil, Status: i, First: 1, Usage: llm.Usage{Input: 1},
			Served:   fmt.Sprintf("model-%d", i),
			Attempts: []journal.Attempt{{Account: strconv.Itoa(i), Fault: evil, Error: evil}},
			Losses:   []string{evil},
		})
		m.Heard(&journal.Exchange{Served: evil, Status: 200, Usage: llm.Usage{Input: 1}})
	}
	got := page(t, m)
	if n, most := len(got), (maxModels+1)*5+(maxProviders+1)+5+2*(len(bounds)+3)+40; n > most {
		t.Errorf("there are %d series, want at most %d", n, most)
	}
	for name := range got {
		if strings.Contains(name, "CANARY") {
			t.Errorf("%s", name)
		}
	}
	models := 0
	for name := range got {
		if strings.HasPrefix(name, `portico_tokens_total{model="model-`) && strings.HasSuffix(name, `kind="input"}`) {
			models++
		}
	}
	if models != maxModels {
		t.Errorf("%d models have a name of their own, want %d", models, maxModels)
	}
	if v := got[`portico_tokens_total{model="other",kind="input"}`]; v != 6000-maxModels {
		t.Errorf("others used %v tokens, want %d", v, 6000-maxModels)
	}
}

// A model that was only asked for takes no name.
func TestAskedModelsTakeNoName(t *testing.T) {
	m := NewMetrics(Sources{})
	m.Heard(&journal.Exchange{Asked: "nonsense", Served: "nonsense", Status: 404, Usage: llm.Usage{Input: 1}})
	if _, ok := page(t, m)[`portico_tokens_total{model="nonsense",kind="input"}`]; ok {
		t.Error("a model that nobody has is a label")
	}
}

func TestLabels(t *testing.T) {
	want := []string{"none", "rate_limited", "unknown", "chat", "embed", "other", "other", "openai-responses", "other", "2", "5", "5", "4"}
	got := []string{
		faultLabel(""), faultLabel(fault.RateLimited.String()), faultLabel("x"),
		opLabel("chat"), opLabel("embed"), opLabel("other"), opLabel("x"),
		protocolLabel("openai-responses"), protocolLabel("x"),
		string(statusLabel(204)), string(statusLabel(0)), string(statusLabel(1000)), string(statusLabel(499)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

var typical = &journal.Exchange{
	ID: "req_1", Op: "chat", Inbound: protocol.Anthropic, Outbound: protocol.Anthropic, Status: 200, Asked: "claude-sonnet-4", Served: "claude-sonnet-4",
	Account: "acme", Key: "default", Client: "claude-cli/2.1.3", First: 300 * time.Millisecond, Took: 3 * time.Second, BytesIn: 1000, BytesOut: 1000,
	Usage: llm.Usage{Input: 1, CacheRead: 2, Output: 4}, Attempts: []journal.Attempt{{Account: "acme"}},
}

func BenchmarkHeard(b *testing.B) {
	m := NewMetrics(Sources{Provider: func(string) string { return "anthropic" }})
	b.ReportAllocs()
	for b.Loop() {
		m.Heard(typical)
	}
}

func BenchmarkWrite(b *testing.B) {
	m := NewMetrics(Sources{})
	m.Heard(typical)
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Write(new(bytes.Buffer)); err != nil {
			b.Fatal(err)
		}
	}
}
