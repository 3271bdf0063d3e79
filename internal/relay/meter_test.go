package relay

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/budget"
	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/llm"
	"portico/internal/protocol"
)

// priced is a catalogue in which m costs 10 dollars for a million tokens in,
// and 100 for a million out, and dear answers with at most 1,000 tokens.
func priced() *catalog.Catalog {
	return catalog.New([]config.Model{
		{ID: "m", PriceIn: 10, PriceOut: 100, PriceCacheRead: -1, PriceCacheWrite: 20},
		{ID: "short", MaxOutput: 1000, PriceIn: 10, PriceOut: 100, PriceCacheRead: -1, PriceCacheWrite: -1},
		{ID: "unpriced", PriceIn: -1, PriceOut: -1, PriceCacheRead: -1, PriceCacheWrite: -1},
	})
}

// metered is a call of a key with limits.
func (r *rig) metered(m *budget.Meter, model, body string) *Call {
	r.settings.Catalog = priced()
	c := r.call(dialects["openai-chat"], strings.Contains(body, `"stream":true`))
	c.Key, c.Meter, c.Model, c.Body, c.Start = "ci", m, model, []byte(body), today
	r.relay.now = func() time.Time { return today }
	return c
}

// today does not end within a test.
var today = time.Now()

const (
	short = `{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`
	spent = `{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":20,"completion_tokens":50,"total_tokens":70}}`
)

func day(tokens, nanos int64) budget.Limits {
	return budget.Limits{Day: budget.Amount{Tokens: tokens, Nanos: nanos}}
}

// TestClaim: what is put aside is the request, by an estimate, and the longest
// answer that the client or the model permits, at the highest price.
func TestClaim(t *testing.T) {
	r := newRig(t)
	r.settings.Catalog = priced()
	tests := []struct {
		name, body string
		op         protocol.Op
		limits     budget.Limits
		models     []string
		want       budget.Amount
		code       string
	}{
		{"the client's limit", short, protocol.Chat, day(1, 1), []string{"m"}, budget.Amount{Tokens: 101, Nanos: 100*100_000 + 20_000}, ""},
		{"the model's", `{"messages":[{"role":"user","content":"hi"}]}`, protocol.Chat, day(1, 1), []string{"short"}, budget.Amount{Tokens: 1001, Nanos: 1000*100_000 + 10_000}, ""},
		{"nobody's", `{"messages":[{"role":"user","content":"hi"}]}`, protocol.Chat, day(1, 0), []string{"unheard-of"}, budget.Amount{Tokens: claimedOutput + 1}, ""},
		{"several answers", `{"max_tokens":100,"n":3,"messages":[{"role":"user","content":"hi"}]}`, protocol.Chat, day(1, 1), []string{"short"}, budget.Amount{Tokens: 301, Nanos: 300*100_000 + 10_000}, ""},
		{"the dearest of a chain", short, protocol.Chat, day(1, 1), []string{"short", "m"}, budget.Amount{Tokens: 101, Nanos: 100*100_000 + 20_000}, ""},
		{"a text completion", `{"prompt":"hi","max_tokens":16,"best_of":2}`, protocol.Complete, day(1, 0), []string{"m"}, budget.Amount{Tokens: 32 + 15}, ""},
		{"an embedding", `{"input":"hi hi"}`, protocol.Embed, day(1, 1), []string{"short"}, budget.Amount{Tokens: 6, Nanos: 60_000}, ""},
		{"a count", short, protocol.Count, day(1, 1), []string{"m"}, budget.Amount{}, ""},
		{"no price", short, protocol.Chat, day(0, 1), []string{"unpriced"}, budget.Amount{}, "price_unknown"},
		{"no price within a chain", short, protocol.Chat, day(0, 1), []string{"m", "unheard-of"}, budget.Amount{}, "price_unknown"},
		{"no way to know", `{}`, protocol.Other, day(1, 0), []string{"m"}, budget.Amount{}, "unmetered_operation"},
		{"no way to know, and no budget", `{}`, protocol.Other, budget.Limits{RPM: 1}, []string{"m"}, budget.Amount{}, ""},
	}
	for _, tt := range tests {
		c := r.metered(nil, tt.models[0], tt.body)
		c.Op = tt.op
		a := r.relay.begin(context.Background(), newClient(), c)
		a.plan.Models = tt.models
		got, f := a.claim(&tt.limits)
		code := ""
		if f != nil {
			code = f.Code
		}
		if !near(got.Most.Tokens, tt.want.Tokens) || tt.limits.Day.Nanos > 0 && !near(got.Most.Nanos, tt.want.Nanos) || code != tt.code {
			t.Errorf("%s: got %+v, %q, want %+v, %q", tt.name, got, code, tt.want, tt.code)
		}
		a.end()
	}
}

// TestWorst: what may be written to a cache is priced for as long as it may
// stay there.
func TestWorst(t *testing.T) {
	m := catalog.Model{Price: catalog.Price{Known: true, Rates: catalog.Rates{In: 1, Out: 2, CacheRead: 0.1, CacheWrite: 1.25}}}
	for name, tt := range map[string]struct {
		u    llm.Usage
		want int64
	}{
		"for minutes": {llm.Usage{Input: 1e6, Output: 1e6}, 3_250_000_000},
		"for an hour": {llm.Usage{Input: 1e6, Output: 1e6, CacheHour: 1e6}, 4_000_000_000},
	} {
		if got, known := worst(&m, tt.u); got != tt.want || !known {
			t.Errorf("%s: got %d, %t, want %d", name, got, known, tt.want)
		}
	}
}

// near allows for the estimate of a short request.
func near(got, want int64) bool {
	if want == 0 {
		return got == 0
	}
	return got >= want && got <= want+want/20+20
}

// TestSettled: a budget counts what the ledger counts, whatever became of the
// call, and nothing stays put aside.
func TestSettled(t *testing.T) {
	stream := []string{
		`data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"yes"},"finish_reason":null}]}` + "\n\n",
		`data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n",
		`data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":50,"total_tokens":70}}` + "\n\n",
		"data: [DONE]\n\n",
	}
	streamed := strings.Replace(short, `{`, `{"stream":true,`, 1)
	tests := []struct {
		name string
		up   []upstream
		body string
		want budget.Amount // 0: what the ledger says
	}{
		{"served", []upstream{replyWith(200, "application/json", spent)}, short, budget.Amount{Tokens: 70, Nanos: 20*10_000 + 50*100_000}},
		{"served by the second", []upstream{replyWith(500, "", ""), replyWith(200, "application/json", spent)}, short, budget.Amount{Tokens: 70, Nanos: 20*10_000 + 50*100_000}},
		{"a stream", []upstream{streaming(stream...)}, streamed, budget.Amount{Tokens: 70, Nanos: 20*10_000 + 50*100_000}},
		{"a stream that broke off", []upstream{cutting(errors.New("cut"), stream[0])}, streamed, budget.Amount{}},
		{"refused", []upstream{replyWith(400, "application/json", `{"error":{"message":"no"}}`)}, short, budget.Amount{}},
		{"nobody served", []upstream{failing(errors.New("no"))}, short, budget.Amount{}},
		{"nobody is there", nil, short, budget.Amount{}},
		{"a crash", []upstream{func(*http.Request, []byte) (*http.Response, error) { panic("defect") }}, short, budget.Amount{}},
	}
	for _, tt := range tests {
		r := newRig(t, tt.up...)
		m := budget.New(budget.Limits{Day: budget.Amount{Tokens: 1 << 30, Nanos: 1 << 50}, Concurrency: 1})
		r.run(r.metered(m, "m", tt.body))
		u, x := m.Usage(today), r.ledger.last()
		if u.InFlight != 0 || u.Held != (budget.Amount{}) {
			t.Errorf("%s: something stays put aside: %+v", tt.name, u)
		}
		want := tt.want
		if want == (budget.Amount{}) {
			want.Tokens = x.Usage.Total()
			want.Nanos = nanosOf(x.Usage)
		}
		if u.Day != want || u.Day.Tokens != x.Usage.Total() {
			t.Errorf("%s: spent %+v, want %+v; the ledger has %+v", tt.name, u.Day, want, x.Usage)
		}
	}
}

func nanosOf(u llm.Usage) int64 { return u.Input*10_000 + (u.Output+u.Reasoning)*100_000 }

// TestFreeBeforeTheEnd: a client that has its answer whole finds its place free.
func TestFreeBeforeTheEnd(t *testing.T) {
	r := newRig(t, replyWith(200, "application/json", spent))
	m := budget.New(budget.Limits{Concurrency: 1, Day: budget.Amount{Tokens: 1000}})
	w := newClient()
	w.onWrite = func([]byte) error {
		if u := m.Usage(today); u.InFlight != 0 || u.Day.Tokens != 70 {
			t.Errorf("the answer goes out while %+v", u)
		}
		return nil
	}
	r.do(context.Background(), w, r.metered(m, "m", short))
	if w.status != 200 {
		t.Errorf("status %d", w.status)
	}
}

// TestOverLimits: the client is told which limit, in a way that SDKs take
// right.
func TestOverLimits(t *testing.T) {
	tests := []struct {
		name   string
		limits budget.Limits
		before int // calls
		status int
		code   string
		retry  string // X-Should-Retry
		says   string
	}{
		{"requests a minute", budget.Limits{RPM: 1}, 1, 429, "rate_limit_exceeded", "", "limit of 1 requests a minute"},
		{"tokens a minute", budget.Limits{TPM: 60}, 1, 429, "rate_limit_exceeded", "", "limit of 60 tokens a minute"},
		{"a budget that is spent", day(70, 0), 0, 429, "insufficient_quota", "false", "this request may use 103 tokens, and the key ci has 70 tokens left"},
		{"a budget of money", day(0, 15_000_000), 1, 429, "insufficient_quota", "false", "$0.0098 left of $0.0150 a day"},
	}
	for _, tt := range tests {
		r := newRig(t, replyWith(200, "application/json", spent))
		m := budget.New(tt.limits)
		for range tt.before {
			if w := r.run(r.metered(m, "m", short)); w.status != 200 {
				t.Fatalf("%s: before: %d %s", tt.name, w.status, w.text())
			}
		}
		asked := len(r.asked)
		w := r.run(r.metered(m, "m", short))
		if w.status != tt.status || !strings.Contains(w.text(), `"code":"`+tt.code+`"`) || !strings.Contains(w.text(), tt.says) {
			t.Errorf("%s: got %d %s", tt.name, w.status, w.text())
		}
		if w.sent.Get("X-Should-Retry") != tt.retry || w.sent.Get("Retry-After") == "" {
			t.Errorf("%s: headers %v", tt.name, w.sent)
		}
		if len(r.asked) != asked {
			t.Errorf("%s: an upstream was asked", tt.name)
		}
	}
}

// TestManyCallsOneBudget: calls that race for one budget never spend more than
// it, since each costs no more than was put aside.
func TestManyCallsOneBudget(t *testing.T) {
	r := newRig(t, replyWith(200, "application/json", spent))
	m := budget.New(day(10_000, 0))
	c := r.metered(m, "m", short)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				own := *c
				own.Header = c.Header.Clone()
				r.run(&own)
			}
		})
	}
	all.Wait()
	u := m.Usage(today)
	if u.Day.Tokens > 10_000 || u.Day.Tokens <= 10_000-201 || u.Held != (budget.Amount{}) || u.InFlight != 0 {
		t.Errorf("spent %+v of 10000 tokens", u)
	}
}

// TestNoHedgeOnABudget: what is put aside is for one account at a time.
func TestNoHedgeOnABudget(t *testing.T) {
	r := newRig(t, replyWith(200, "application/json", spent), replyWith(200, "application/json", spent))
	r.settings.Hedge = &Hedge{After: time.Minute, Share: 1}
	for _, tt := range []struct {
		limits budget.Limits
		want   bool
	}{{budget.Limits{RPM: 100}, true}, {day(1000, 0), false}} {
		a := r.relay.begin(context.Background(), newClient(), r.metered(budget.New(tt.limits), "m", short))
		a.plan.Models = []string{"m"}
		if f := a.putAside(); f != nil {
			t.Fatal(f)
		}
		if got := a.hedge() != nil; got != tt.want {
			t.Errorf("%+v: hedged %t, want %t", tt.limits, got, tt.want)
		}
		a.end()
	}
}
