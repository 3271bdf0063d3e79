package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"portico/internal/journal"
	"portico/internal/llm"
)

// An actor is an account that exists for the picture.
type actor struct {
	name, provider, protocol string
	models                   []string
	share                    int // of the requests
	key                      string
}

var leads = []actor{
	{"claude-team", "anthropic", "anthropic", []string{"claude-sonnet-4-5", "claude-opus-4-1", "claude-haiku-4-5"}, 42, "sk-ant-gallery-team"},
	{"claude-own", "anthropic", "anthropic", []string{"claude-sonnet-4-5", "claude-haiku-4-5"}, 21, "sk-ant-gallery-own"},
	{"openai-work", "openai", "openai-chat", []string{"gpt-5", "gpt-5-mini"}, 18, "sk-gallery-work"},
	{"gemini-studio", "gemini", "gemini", []string{"gemini-2.5-pro", "gemini-2.5-flash"}, 12, "gallery-studio"},
	{"openai-old", "openai", "openai-chat", []string{"gpt-4o"}, 3, "sk-gallery-old"},
	{"claude-limited", "anthropic", "anthropic", []string{"claude-sonnet-4-5"}, 4, "sk-ant-gallery-limited"},
}

// cast is n accounts: the leads, then as many extras.
func cast(n int) []actor {
	out := slices.Clone(leads[:min(n, len(leads))])
	for i := len(out); i < n; i++ {
		a := leads[i%len(leads)]
		a.name, a.share, a.key = fmt.Sprintf("%s-%04d", a.name, i), 0, fmt.Sprintf("%s-%04d", a.key, i)
		out = append(out, a)
	}
	return out
}

// configuration is that of a gateway with these accounts, whose upstream is at
// address.
func configuration(port int, token, address string, cast []actor) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "port: %d\nadmin_token: %s\nsimulator: true\naccounts:\n", port, token)
	for _, a := range cast {
		fmt.Fprintf(&b, "  - name: %s\n    provider: %s\n    base_url: http://%s\n    api_key: %s\n    models: [%s]\n", a.name, a.provider, address, a.key, strings.Join(a.models, ", "))
	}
	return []byte(b.String())
}

var (
	clients = []string{"claude-cli", "claude-cli", "codex_cli_rs", "opencode", "OpenAI-Python", "curl", "GeminiCLI"}
	keys    = []string{"laptop", "laptop", "ci", "", ""}
)

// past is n requests of the thirty days before now, oldest first, more of them
// lately and by day, a few of which failed.
func past(r *rand.Rand, now time.Time, n int, cast []actor) []*journal.Exchange {
	var stage []actor
	for _, a := range cast {
		for range a.share {
			stage = append(stage, a)
		}
	}
	xs := make([]*journal.Exchange, 0, n)
	for i := 0; len(stage) > 0 && i < n; i++ {
		age := time.Duration(math.Pow(r.Float64(), 2.4) * float64(30*24*time.Hour))
		at := now.Add(-age - time.Second)
		if h := at.Hour(); h < 7 && r.IntN(4) > 0 {
			at = at.Add(8 * time.Hour)
			if at.After(now) {
				at = now.Add(-time.Minute - age/2)
			}
		}
		xs = append(xs, exchange(r, i, at, &stage[r.IntN(len(stage))]))
	}
	slices.SortFunc(xs, func(a, b *journal.Exchange) int { return cmp.Compare(a.Start.UnixNano(), b.Start.UnixNano()) })
	return xs
}

// exchange is one request of the past.
func exchange(r *rand.Rand, i int, at time.Time, a *actor) *journal.Exchange {
	model := a.models[r.IntN(len(a.models))]
	x := &journal.Exchange{
		ID: fmt.Sprintf("req_%024x", uint64(at.UnixMicro())<<8|uint64(i&255)), Start: at, Key: keys[r.IntN(len(keys))], Client: clients[r.IntN(len(clients))],
		Peer: "127.0.0.1", Session: fmt.Sprintf("%016x", r.IntN(400)), Op: "chat", Inbound: a.protocol, Outbound: a.protocol, Stream: r.IntN(5) > 0,
		Asked: model, Served: model, Account: a.name, Status: 200, Stop: "end_turn",
	}
	x.First = time.Duration(300+r.ExpFloat64()*700) * time.Millisecond
	x.Took = x.First + time.Duration(r.ExpFloat64()*9_000)*time.Millisecond
	prompt := int64(400 + r.ExpFloat64()*14_000)
	x.Usage = llm.Usage{Input: prompt / 5, CacheRead: prompt * 7 / 10, CacheWrite: prompt / 10, Output: int64(60 + r.ExpFloat64()*700)}
	if r.IntN(3) == 0 {
		x.Usage.Reasoning = int64(r.ExpFloat64() * 500)
	}
	x.BytesIn, x.BytesOut = prompt*4, x.Usage.Output*5
	first := journal.Attempt{Account: a.name, Model: model, Took: x.Took, Status: 200, Step: "served", Why: "picked", Of: 3}
	switch k := r.IntN(100); {
	case k < 3: // another account had to help
		refused := journal.Attempt{Account: "claude-limited", Model: model, Took: 180 * time.Millisecond, Status: 429, Fault: "rate_limited", Scope: "account", Step: "another", After: 41 * time.Second, Why: "picked", Of: 4}
		first.Start, first.Took = refused.Took, x.Took-refused.Took
		x.Attempts = []journal.Attempt{refused, first}
		return x
	case k < 5:
		x.Status, x.Fault, x.Code, x.Error = 429, "rate_limited", "rate_limited", "all accounts that could serve it wait; the first is back in 41 s"
	case k < 6:
		x.Status, x.Fault, x.Code, x.Error = 529, "overloaded", "overloaded", "the provider is overloaded"
	case k < 7:
		x.Partial, x.Stop = true, ""
	}
	if x.Fault != "" {
		x.Usage, x.First, x.Took, x.Stop, x.BytesOut = llm.Usage{}, 0, 240*time.Millisecond, "", 180
		first.Status, first.Fault, first.Step, first.Took = x.Status, x.Fault, "give_up", x.Took
	}
	x.Attempts = []journal.Attempt{first}
	return x
}
