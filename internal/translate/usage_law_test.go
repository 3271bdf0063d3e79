package translate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
)

// tellable is what each protocol tells of a usage (spec: upstreams §2.11).
var tellable = map[string]func(u llm.Usage) llm.Usage{
	protocol.OpenAIChat: func(u llm.Usage) llm.Usage {
		u.CacheHour, u.CacheHalfDay, u.Searches, u.Fetches = 0, 0, 0, 0
		return u
	},
	protocol.OpenAIResponses: func(u llm.Usage) llm.Usage {
		u.CacheHour, u.Searches, u.Fetches = 0, 0, 0
		u.AudioIn, u.ImageIn, u.AudioOut, u.ImageOut = 0, 0, 0, 0
		return u
	},
	protocol.Anthropic: func(u llm.Usage) llm.Usage {
		u.CacheHour, u.CacheHalfDay = u.CacheHour+u.CacheHalfDay, 0
		u.AudioIn, u.ImageIn, u.AudioOut, u.ImageOut = 0, 0, 0, 0
		return u
	},
	protocol.Gemini: func(u llm.Usage) llm.Usage {
		u.Input, u.CacheWrite, u.CacheHour, u.CacheHalfDay, u.Searches, u.Fetches = u.Input+u.CacheWrite, 0, 0, 0, 0, 0
		return u
	},
}

// TestUsageLaw: in each protocol, whole and streamed, a usage says what it said,
// as far as the protocol can tell it; what it cannot tell is a loss, and nothing
// else is one.
func TestUsageLaw(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	some := func() int64 { return r.Int64N(2) * r.Int64N(100) }
	for range 500 {
		u := llm.Usage{Input: 1 + r.Int64N(100), CacheRead: some(), CacheWrite: some(), Output: 1 + r.Int64N(100), Reasoning: some(), CacheHour: some()}
		for _, n := range u.Details() {
			*n = some()
		}
		u = u.Fitted()
		for name, keep := range tellable {
			c, want := translatorOf(name), keep(u)
			echo := &protocol.Echo{ID: "req_1", Model: "m", Request: &llm.Request{StreamUsage: true}}
			whole, losses, err := c.EncodeResponse(nil, &llm.Response{ID: "x", Model: "m", HasUsage: true, Usage: u, Answers: []llm.Answer{{Parts: []llm.Part{&llm.Prose{Text: llm.Plain("hi")}}, Stop: llm.StopEnd}}}, echo)
			if err != nil {
				t.Fatal(err)
			}
			back, err := c.DecodeResponse(whole)
			if err != nil || back.Usage != want {
				t.Fatalf("%s: %+v, %v in\n%s\nwant %+v", name, back.Usage, err, whole, want)
			}
			if lost := losesUsage(losses); lost != (want != u) {
				t.Fatalf("%s: %+v is a loss: %t", name, u, lost)
			}

			e := c.NewEncoder(echo)
			var out []byte
			for _, ev := range []llm.Event{
				{Kind: llm.Begin, ID: "x", Model: "m"},
				{Kind: llm.Open, What: &llm.Prose{}},
				{Kind: llm.Grow, Text: llm.Plain("hi")},
				{Kind: llm.Close},
				{Kind: llm.Tally, Usage: u},
				{Kind: llm.Halt, Stop: llm.StopEnd},
				{Kind: llm.End},
			} {
				out = e.Feed(out, &ev)
			}
			out = e.End(out)
			if back, err = codectest.Fold(c.NewDecoder(), out); err != nil || back.Usage != want {
				t.Fatalf("%s, streamed: %+v, %v in\n%s\nwant %+v", name, back.Usage, err, out, want)
			}
			if lost := losesUsage(e.Losses()); lost != (want != u) {
				t.Fatalf("%s, streamed: %+v is a loss: %t", name, u, lost)
			}
			tap := c.NewTap()
			tap.Body(whole)
			if got := tap.Seen().Usage; got != want {
				t.Fatalf("%s, watched: %+v, want %+v", name, got, want)
			}
		}
	}
}

func losesUsage(losses []llm.Loss) bool {
	return slices.ContainsFunc(losses, func(l llm.Loss) bool { return l.Path == "usage" })
}
