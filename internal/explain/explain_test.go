package explain

import (
	"encoding/json/v2"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/llm"
)

const ms = time.Millisecond

// TestChosen: why an account was taken, where it does not go without saying.
func TestChosen(t *testing.T) {
	for _, tt := range []struct {
		a    journal.Attempt
		want string
	}{
		{journal.Attempt{Account: "a"}, ""},
		{journal.Attempt{Account: "a", Why: "only", Of: 1}, ""},
		{journal.Attempt{Account: "a", Why: "picked", Of: 1}, ""},
		{journal.Attempt{Account: "a", Why: "picked", Of: 8}, "a was picked among 8 able accounts."},
		{journal.Attempt{Account: "a", Why: "home"}, "The conversation is at a, so it stayed there."},
		{journal.Attempt{Account: "a", Why: "home", Waited: 300 * ms}, "The request waited 300 ms for the account where its conversation is."},
		{journal.Attempt{Account: "a", Why: "moved", Of: 3}, "The conversation moved to a, since its own account was not able soon enough."},
		{journal.Attempt{Account: "a", Why: "only", Waited: 2 * time.Second}, "No account was able, so the request waited 2.0 s."},
		{journal.Attempt{Account: "a", Why: "last_hope"}, "Nobody else was able, so a was asked although it had broken down."},
		{journal.Attempt{Account: "a", Why: "preferred"}, "a is the account that the operator prefers."},
		{journal.Attempt{Account: "a", Why: "reserve"}, "Nobody else was able, so a was asked although little is left of its quota."},
	} {
		if got := chosen(&tt.a); got != tt.want {
			t.Errorf("%+v:\n%s, want\n%s", tt.a, got, tt.want)
		}
	}
}

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		name    string
		x       journal.Exchange
		cost    Cost
		outcome Outcome
		summary string
		text    string
	}{{
		name: "served at once",
		x: journal.Exchange{
			ID: "req_1", Client: "claude-cli/2.1.3", Key: "default", Op: "chat", Inbound: "anthropic", Outbound: "anthropic",
			Stream: true, Asked: "claude-sonnet-4", Served: "claude-sonnet-4", Account: "acme", Status: 200, Stop: "end_turn",
			First: 640 * ms, Took: 4100 * ms, BytesOut: 12345,
			Usage:    llm.Usage{Input: 300, CacheRead: 900, Output: 40},
			Attempts: []journal.Attempt{{Account: "acme", Model: "claude-sonnet-4", Took: 4099 * ms, Status: 200, Step: "served"}},
		},
		cost:    Cost{0.0123, true},
		outcome: Served,
		summary: "Served by acme in 4.1 s.",
		text: `claude-cli/2.1.3 asked claude-sonnet-4 for a streamed answer, in the protocol anthropic, with the key "default".
No route matches this name, so it went on as it is.
acme began to answer after 640 ms and was done after 4.1 s.
The account speaks the client's protocol, so the bytes went through unchanged.
The client got the whole answer after 4.1 s, 12,345 bytes; it ended with end_turn.
It used 1,240 tokens: 300 read, 900 read from the cache and 40 written; $0.0123 at list price.
`,
	}, {
		name: "served by the third, in another protocol, with losses",
		x: journal.Exchange{
			ID: "req_2", Client: "claude-cli/2.1.3", Op: "chat", Inbound: "anthropic", Outbound: "openai-chat",
			Asked: "claude-haiku-4", Rule: "claude-*-haiku*", Served: "gpt-mini", Account: "gamma", Status: 200,
			First: 3 * time.Second, Took: 3 * time.Second, BytesOut: 900,
			Usage: llm.Usage{Input: 1200, Output: 300, Reasoning: 40}, Estimated: true,
			Passed: []journal.Passed{
				{Account: "beta", Why: "cooling: rate_limited"},
				{Account: "old", Why: "needs attention: credential_invalid"},
				{Account: "busy", Why: "at its limit of parallel requests"},
				{Account: "low", Why: "protected: little is left of its quota"},
			},
			Attempts: []journal.Attempt{
				{
					Account: "acme", Model: "gemini-flash", Took: 812 * ms, Status: 529, Fault: "overloaded", Scope: "model", Phase: "answered",
					Error: "Overloaded", After: 95 * time.Second, Step: "another",
				},
				{Account: "acme2", Model: "gemini-flash", Start: 812 * ms, Took: 20 * ms, Status: 404, Fault: "model_gone", Phase: "answered", Step: "onward"},
				{Account: "gamma", Model: "gpt-mini", Start: 840 * ms, Took: 2160 * ms, Status: 200, Step: "served"},
			},
			Losses: []string{"thinking.budget=no place for it", "metadata.user_id"},
		},
		outcome: Served,
		summary: "Served by gamma in 3.0 s, after 2 other attempts failed.",
		text: `claude-cli/2.1.3 asked claude-haiku-4 for an answer, in the protocol anthropic.
The route "claude-*-haiku*" matches this name and leads to gemini-flash, then to gpt-mini.
beta was passed over: it was still waiting after a failure (too many requests in too short a time).
old was passed over: it needs attention (its key was rejected).
busy was passed over: it was at its limit of parallel requests.
low was passed over: so little is left of its quota that it is protected.
First, acme answered 529 after 812 ms: the vendor was short of capacity ("Overloaded"). It asked to wait 95 s. Another account was tried.
Then acme2 answered 404 after 20 ms: the vendor retired the model. The next model of the route was tried.
Then gamma answered after 2.2 s.
The request was translated from anthropic to openai-chat.
Not carried over: thinking.budget (no place for it) and metadata.user_id.
The client got the whole answer after 3.0 s, 900 bytes.
It used about 1,540 tokens: 1,200 read, 300 written and 40 thought. The provider did not tell; Portico counted.
Lead this name to a newer model with a route.
`,
	}, {
		name: "two were asked, and the second began first",
		x: journal.Exchange{
			ID: "req_h", Client: "c", Op: "chat", Inbound: "anthropic", Outbound: "anthropic", Stream: true,
			Asked: "m", Served: "m", Account: "b", Status: 200, First: 4 * time.Second, Took: 9 * time.Second, BytesOut: 10,
			Usage: llm.Usage{Input: 2000, Output: 40}, Estimated: true,
			Attempts: []journal.Attempt{
				{Account: "a", Model: "m", Took: 4 * time.Second, Fault: "canceled", Step: "outrun", Usage: llm.Usage{Input: 1000}, Estimated: true},
				{Account: "b", Model: "m", Start: 3 * time.Second, Took: 6 * time.Second, Status: 200, Step: "served", Why: "hedge"},
			},
		},
		outcome: Served,
		summary: "Served by b in 9.0 s.",
		text: `c asked m for a streamed answer, in the protocol anthropic.
No route matches this name, so it went on as it is.
First, a had not begun to answer when b did, and was stopped after 4.0 s. Until then it may have used about 1,000 tokens, which are counted.
No answer had begun 3.0 s after the request came in, so b was asked, too.
b began to answer after 1.0 s and was done after 6.0 s.
The account speaks the client's protocol, so the bytes went through unchanged.
The client got the whole answer after 9.0 s, 10 bytes.
It used about 2,040 tokens: 2,000 read and 40 written. That includes what a used until it was stopped, which Portico estimated.
`,
	}, {
		name: "two were asked, and the first began first",
		x: journal.Exchange{
			ID: "req_h", Client: "c", Op: "chat", Inbound: "anthropic", Outbound: "anthropic", Stream: true,
			Asked: "m", Served: "m", Account: "a", Status: 200, First: 5 * time.Second, Took: 9 * time.Second, BytesOut: 10,
			Usage: llm.Usage{Input: 2000, Output: 40},
			Attempts: []journal.Attempt{
				{Account: "a", Model: "m", Took: 9 * time.Second, Status: 200, Step: "served", Why: "only", Of: 1},
				{Account: "b", Model: "m", Start: 3 * time.Second, Took: 2 * time.Second, Status: 200, Fault: "canceled", Step: "outrun", Why: "hedge", Usage: llm.Usage{Input: 1000}},
			},
		},
		outcome: Served,
		summary: "Served by a in 9.0 s.",
		text: `c asked m for a streamed answer, in the protocol anthropic.
No route matches this name, so it went on as it is.
First, a began to answer after 5.0 s and was done after 9.0 s.
No answer had begun 3.0 s after the request came in, so b was asked, too.
b had not begun to answer when a did, and was stopped after 2.0 s. Until then it had used 1,000 tokens, which are counted.
The account speaks the client's protocol, so the bytes went through unchanged.
The client got the whole answer after 9.0 s, 10 bytes.
It used 2,040 tokens: 2,000 read and 40 written. That includes what b used until it was stopped.
`,
	}, {
		name: "refused by the provider",
		x: journal.Exchange{
			ID: "req_3", Op: "chat", Inbound: "openai-chat", Outbound: "openai-chat", Asked: "gpt-5", Served: "gpt-5.1", Rule: "gpt-5", Account: "work",
			Status: 400, Took: 80 * ms, Fault: "bad_request", Code: "unsupported_value", Error: "temperature must be 1",
			Attempts: []journal.Attempt{{
				Account: "work", Model: "gpt-5.1", Took: 78 * ms, Status: 400, Fault: "bad_request", Scope: "request", Phase: "answered",
				Error: "temperature must be 1", Step: "give_up",
			}},
		},
		outcome: Refused,
		summary: "work refused it with HTTP 400: the request was not accepted.",
		text: `A client asked gpt-5 for an answer, in the protocol openai-chat.
The route "gpt-5" matches this name and leads to gpt-5.1.
work answered 400 after 78 ms: the request was not accepted ("temperature must be 1"). Every account would have said the same, so this went back to the client.
The account speaks the client's protocol, so all but the model's name went through unchanged.
The client got HTTP 400 with the code unsupported_value ("temperature must be 1").
Change the request: the message says what is not accepted.
`,
	}, {
		name: "refused by Portico",
		x: journal.Exchange{
			ID: "req_4", Client: "curl/8.5.0", Op: "chat", Inbound: "openai-chat", Status: 401, Took: ms / 2,
			Fault: "unauthorized", Code: "missing_key", Error: "a key is needed",
		},
		outcome: Refused,
		summary: "Portico refused it with HTTP 401: the client's key was missing or wrong.",
		text: `curl/8.5.0 asked no model by name for an answer, in the protocol openai-chat.
The client got HTTP 401 with the code missing_key ("a key is needed").
Give the client Portico's api_key (portico key show prints it), as Authorization: Bearer, x-api-key or x-goog-api-key.
`,
	}, {
		name: "nobody was able",
		x: journal.Exchange{
			ID: "req_5", Client: "codex/1.0", Op: "chat", Inbound: "openai-responses", Asked: "gpt-5", Account: "two", Status: 429, Took: 10300 * ms,
			Fault: "rate_limited", Code: "rate_limit_exceeded", Error: "no account could serve the model",
			Attempts: []journal.Attempt{
				{Account: "one", Model: "gpt-5", Took: 10 * time.Second, Fault: "network", Phase: "dialing", Error: "connection refused", Step: "again"},
				{Account: "two", Model: "gpt-5", Start: 10 * time.Second, Took: 300 * ms, Status: 429, Fault: "rate_limited", Phase: "answered", Step: "another"},
			},
		},
		outcome: Failed,
		summary: "Nobody could serve it, after 2 attempts; the client got HTTP 429.",
		text: `codex/1.0 asked gpt-5 for an answer, in the protocol openai-responses.
No route matches this name, so it went on as it is.
First, one could not be reached within 10 s: the connection failed ("connection refused"). The request was tried again.
Then two answered 429 after 300 ms: too many requests in too short a time. Nobody else was able, or no try was left.
The client got HTTP 429 with the code rate_limit_exceeded ("no account could serve the model").
Wait, slow the client down, or add another account.
`,
	}, {
		name: "broke off",
		x: journal.Exchange{
			ID: "req_6", Client: "gemini-cli/1", Op: "chat", Inbound: "gemini", Outbound: "gemini", Stream: true, Asked: "gemini-pro", Served: "gemini-pro",
			Account: "goog", Status: 200, First: 300 * ms, Took: 3200 * ms, BytesOut: 2048, Partial: true, Fault: "network", Error: "unexpected EOF",
			Usage: llm.Usage{Input: 10, Output: 5},
			Attempts: []journal.Attempt{{
				Account: "goog", Model: "gemini-pro", Took: 3200 * ms, Status: 200, Fault: "network", Phase: "streaming", Error: "unexpected EOF", Step: "give_up",
			}},
		},
		cost:    Cost{0, true},
		outcome: Broken,
		summary: "The answer of goog broke off after 3.2 s: the connection failed.",
		text: `gemini-cli/1 asked gemini-pro for a streamed answer, in the protocol gemini.
No route matches this name, so it went on as it is.
goog broke off 3.2 s into the attempt, in the middle of its answer: the connection failed ("unexpected EOF"). Part of the answer had reached the client, so nobody else could take over.
The account speaks the client's protocol, so the bytes went through unchanged.
The client got 2,048 bytes before the answer broke off ("unexpected EOF").
It used 15 tokens: 10 read and 5 written; nothing at list price.
Check this machine's network and proxy, then test goog (portico account test).
`,
	}, {
		name: "the client left before anything",
		x: journal.Exchange{
			ID: "req_7", Client: "x", Op: "chat", Inbound: "openai-chat", Outbound: "openai-chat", Asked: "m", Served: "m", Account: "slow",
			Status: 499, Took: 3 * time.Minute, Partial: true, Fault: "canceled",
			Attempts: []journal.Attempt{{Account: "slow", Model: "m", Took: 3 * time.Minute, Fault: "canceled", Phase: "sent", Step: "give_up"}},
		},
		outcome: Left,
		summary: "The client left after 3 min.",
		text: `x asked m for an answer, in the protocol openai-chat.
No route matches this name, so it went on as it is.
slow was at work for 3 min when the client left.
The account speaks the client's protocol, so the bytes went through unchanged.
The client left after 3 min, before it was sent anything.
If the client gave up by itself, raise its time limit.
`,
	}, {
		name: "a count that Portico answered itself",
		x: journal.Exchange{
			ID: "req_8", Client: "claude-cli/2.1.3", Op: "count", Inbound: "anthropic", Asked: "claude-sonnet-4", Status: 200, Took: 2 * ms, BytesOut: 20, Estimated: true,
		},
		outcome: Served,
		summary: "Answered by Portico itself in 2 ms.",
		text: `claude-cli/2.1.3 asked how many tokens a request to claude-sonnet-4 has, in the protocol anthropic.
The client got the whole answer after 2 ms, 20 bytes.
`,
	}, {
		name: "passed through",
		x: journal.Exchange{
			ID: "req_9", Client: "openai-js", Op: "other", Path: "/images/generations", Inbound: "openai-chat", Outbound: "openai-chat",
			Account: "work", Status: 200, Took: 12 * time.Second, BytesOut: 1 << 20,
			Attempts: []journal.Attempt{{Account: "work", Took: 12 * time.Second, Status: 200, Step: "served"}},
		},
		outcome: Served,
		summary: "Served by work in 12 s.",
		text: `openai-js called /images/generations, in the protocol openai-chat.
work answered after 12 s.
The account speaks the client's protocol, so the bytes went through unchanged.
The client got the whole answer after 12 s, 1,048,576 bytes.
`,
	}, {
		name: "served, but one key is dead",
		x: journal.Exchange{
			ID: "req_10", Client: "c", Op: "embed", Inbound: "openai-chat", Outbound: "openai-chat", Asked: "e", Served: "e", Account: "b", Status: 200, Took: 400 * ms, BytesOut: 7,
			Attempts: []journal.Attempt{
				{Account: "a", Model: "e", Took: 100 * ms, Status: 401, Fault: "credential_invalid", Phase: "answered", Error: "Incorrect API key", Step: "another"},
				{Account: "b", Model: "e", Start: 100 * ms, Took: 300 * ms, Status: 200, Step: "served"},
			},
		},
		outcome: Served,
		summary: "Served by b in 400 ms, after one other attempt failed.",
		text: `c asked e for embeddings, in the protocol openai-chat.
No route matches this name, so it went on as it is.
First, a answered 401 after 100 ms: its key was rejected ("Incorrect API key"). Another account was tried.
Then b answered after 300 ms.
The account speaks the client's protocol, so the bytes went through unchanged.
The client got the whole answer after 400 ms, 7 bytes.
Give a a new key.
`,
	}} {
		t.Run(tt.name, func(t *testing.T) {
			e := Of(&tt.x, tt.cost)
			if diff := cmp.Diff(tt.text, e.Text()); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			if e.Outcome != tt.outcome || e.Summary != tt.summary {
				t.Errorf("got %s %q, want %s %q", e.Outcome, e.Summary, tt.outcome, tt.summary)
			}
		})
	}
}

// The steps and phases that the stories above leave out.
func TestAttempt(t *testing.T) {
	for _, tt := range []struct {
		a    journal.Attempt
		want string
	}{
		{journal.Attempt{Fault: "timeout", Phase: "sent", Took: 2 * time.Minute, Step: "another"}, "a sent nothing for 2 min: it was too slow. Nobody else was able, or no try was left."},
		{journal.Attempt{Fault: "network", Phase: "sent", Took: 40 * ms, Step: "again"}, "a sent no answer, after 40 ms: the connection failed. Nobody else was able, or no try was left."},
		{journal.Attempt{Fault: "network", Phase: "sent", Took: 40 * ms, Step: "give_up"}, "a sent no answer, after 40 ms: the connection failed. The vendor may have carried it out all the same, so it was not tried again."},
		{journal.Attempt{Fault: "broken", Phase: "answered", Status: 200, Took: 40 * ms, Step: "give_up"}, "a answered with an error after 40 ms: the vendor failed. It was not tried again."},
		{journal.Attempt{Fault: "model_gone", Phase: "answered", Status: 404, Took: 40 * ms, Step: "onward"}, "a answered 404 after 40 ms: the vendor retired the model. The route names no further model."},
		{journal.Attempt{Fault: "strange", Phase: "answered", Status: 418, Took: 40 * ms}, "a answered 418 after 40 ms: an error that Portico does not know."},
	} {
		tt.a.Account = "a"
		if got := attempt(&journal.Exchange{Attempts: []journal.Attempt{tt.a}}, 0); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// Every class that a client can be told has a meaning and a remedy.
func TestEveryClassHasWords(t *testing.T) {
	for c := fault.Unknown + 1; c.String() != "unknown"; c++ {
		if reasons[c] == "" {
			t.Errorf("%s has no reason", c)
		}
		if c != fault.Canceled && remedies[c] == "" {
			t.Errorf("%s has no remedy", c)
		}
	}
}

func TestData(t *testing.T) {
	x := &journal.Exchange{
		ID: "req_1", Client: "c", Key: "k", Peer: "127.0.0.1", Op: "chat", Inbound: "anthropic", Outbound: "openai-chat", Stream: true,
		Asked: "m", Rule: "m*", Served: "n", Account: "b", Status: 200, Took: 2 * time.Second,
		Usage:    llm.Usage{Input: 3, Output: 4},
		Passed:   []journal.Passed{{Account: "z", Why: "cooling: timeout"}},
		Attempts: []journal.Attempt{{Account: "a", Model: "n", Start: ms, Took: 5 * ms, Status: 429, Fault: "rate_limited", Phase: "answered", Code: "slow", Error: "slow down", After: time.Second, Step: "another"}, {Account: "b", Model: "n", Start: 6 * ms, Took: ms, Status: 200, Step: "served"}},
		Losses:   []string{"a.b=why"},
	}
	e := Of(x, Cost{0.5, true})
	e.Sentences, e.Summary = nil, ""
	for i := range e.Attempts {
		e.Attempts[i].Text = ""
	}
	usd := 0.5
	want := Explanation{
		ID: "req_1", Outcome: Served,
		Client:   Client{Key: "k", Name: "c", Peer: "127.0.0.1", Protocol: "anthropic", Stream: true},
		Model:    Model{Asked: "m", Rule: "m*", Tried: []string{"n"}, Served: "n"},
		Passed:   []Passed{{"z", "it was still waiting after a failure (it was too slow)"}},
		Attempts: []Attempt{{N: 1, Account: "a", Model: "n", StartMS: 1, TookMS: 5, Status: 429, Class: "rate_limited", Code: "slow", Message: "slow down", WaitMS: 1000, Step: "another"}, {N: 2, Account: "b", Model: "n", StartMS: 6, TookMS: 1, Status: 200, Step: "served"}},
		Losses:   []Loss{{"a.b", "why"}},
		Usage:    Usage{Usage: llm.Usage{Input: 3, Output: 4}, Total: 7, CostUSD: &usd},
		Told:     Told{Status: 200},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What clients and providers wrote can neither end a line nor move a cursor,
// and a story stays short whatever the exchange holds.
func TestForeignTextIsTame(t *testing.T) {
	const evil = "a\r\nb\x1b[31m\u202e\u2028\u009b"
	x := &journal.Exchange{
		ID: "req_1", Client: evil, Key: evil, Op: "other", Path: evil, Inbound: evil, Outbound: "o" + evil, Asked: evil, Served: evil, Rule: evil,
		Account: evil, Stop: evil, Fault: "broken", Code: evil, Error: strings.Repeat(evil, 1000), Status: 502,
	}
	for range 32 {
		x.Passed = append(x.Passed, journal.Passed{Account: evil, Why: evil})
	}
	for range 64 {
		x.Attempts = append(x.Attempts, journal.Attempt{Account: evil, Model: evil, Fault: "broken", Phase: "answered", Error: strings.Repeat(evil, 100), Step: "again"})
	}
	for range 1000 {
		x.Losses = append(x.Losses, evil+"="+evil)
	}
	for _, partial := range []bool{false, true} {
		x.Partial = partial
		e := Of(x, Cost{})
		for line := range strings.Lines(e.Text() + e.Summary + "\n" + e.Advice + "\n") {
			for _, r := range strings.TrimSuffix(line, "\n") {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q holds %U", line, r)
				}
			}
		}
		if n := len(e.Text()); n > 16<<10 {
			t.Errorf("the text has %d bytes", n)
		}
		if n := len(e.Sentences); n > 35 {
			t.Errorf("there are %d sentences", n)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{span(0), "less than 1 ms"},
		{span(999 * ms), "999 ms"},
		{span(1500 * ms), "1.5 s"},
		{span(59600 * ms), "60 s"},
		{span(119 * time.Second), "119 s"},
		{span(2 * time.Minute), "2 min"},
		{span(3 * time.Hour), "3 h"},
		{count(0), "0"},
		{count(999), "999"},
		{count(1000), "1,000"},
		{count(-1000), "-1,000"},
		{count(1234567), "1,234,567"},
		{dollars(0), "nothing"},
		{dollars(0.00001), "less than $0.0001"},
		{dollars(0.0123), "$0.0123"},
		{dollars(12.345), "$12.35"},
		{listed(nil), ""},
		{listed([]string{"a"}), "a"},
		{listed([]string{"a", "b", "c"}), "a, b and c"},
		{listed(strings.Split("123456789", "")), "1, 2, 3, 4, 5, 6, 7, 8 and 1 more"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestJSON(t *testing.T) {
	e := Of(&journal.Exchange{ID: "req_1", Op: "chat", Inbound: "gemini", Status: 404, Fault: "no_account", Took: time.Second}, Cost{})
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"attempts":[]`, `"passed":[]`, `"losses":[]`, `"outcome":"refused"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is not in %s", want, b)
		}
	}
}

func ExampleOf() {
	e := Of(&journal.Exchange{Op: "chat", Inbound: "gemini", Asked: "gemini-pro", Status: 404, Fault: "no_account", Code: "model_not_found"}, Cost{})
	fmt.Println(e.Summary)
	// Output: Portico refused it with HTTP 404: no account serves this model.
}

// TestDetails: what of the usage is sound or pictures, and what else was billed.
func TestDetails(t *testing.T) {
	for want, u := range map[string]llm.Usage{
		"It used 10 tokens: 10 read.": {Input: 10},
		"It used 30 tokens: 20 read and 10 written, among them 5 of sound read, 6 of pictures read and 7 of sound written.": {Input: 20, Output: 10, AudioIn: 5, ImageIn: 6, AudioOut: 7},
		"It used 12 tokens: 2 written to the cache for twelve hours and 10 written; beside them 3 searches of the web and 1 pages fetched.": {
			CacheWrite: 2, CacheHalfDay: 2, Output: 10, Searches: 3, Fetches: 1,
		},
	} {
		if got := spent(&journal.Exchange{Usage: u}, Cost{}); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}
