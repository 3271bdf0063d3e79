package anthropic

import (
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/wire"
)

// maxIterations is how many entries of usage.iterations are read.
const maxIterations = 1024

// counts are the numbers of a usage object, in tokens; -1 where it does not
// tell one. They do not overlap but for thinking, which is part of the output,
// and hour, which is part of cacheWrite (spec: upstreams §1C.3, §2.11).
type counts struct {
	in, cacheRead, cacheWrite, hour, out, thinking int64
	searches, fetches                              int64 // no tokens
}

// scan reads a usage object, and which of its members accounts for several
// runs of the model one by one.
func scan(v []byte) (c counts, iterations []byte) {
	c = counts{-1, -1, -1, -1, -1, -1, -1, -1}
	for m := range wire.Object(v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "input_tokens":
			c.in = wire.Tokens(m.Value)
		case "cache_read_input_tokens":
			c.cacheRead = wire.Tokens(m.Value)
		case "cache_creation_input_tokens":
			c.cacheWrite = max(c.cacheWrite, wire.Tokens(m.Value))
		case "cache_creation": // the same, by how long it is kept
			if m.Value[0] == '{' {
				c.hour = wire.Tokens(jsonedit.Get(m.Value, "ephemeral_1h_input_tokens"))
				c.cacheWrite = max(c.cacheWrite, wire.Tokens(jsonedit.Get(m.Value, "ephemeral_5m_input_tokens"))+c.hour)
			}
		case "output_tokens":
			c.out = wire.Tokens(m.Value)
		case "output_tokens_details":
			c.thinking = wire.Tokens(jsonedit.Get(m.Value, "thinking_tokens"))
		case "server_tool_use":
			c.searches = wire.Tokens(jsonedit.Get(m.Value, "web_search_requests"))
			c.fetches = wire.Tokens(jsonedit.Get(m.Value, "web_fetch_requests"))
		case "iterations":
			iterations = m.Value
		}
	}
	return c, iterations
}

// usage is c in the neutral arithmetic.
func (c counts) usage() llm.Usage {
	out, written := max(c.out, 0), max(c.cacheWrite, 0)
	thinking := min(max(c.thinking, 0), out)
	return llm.Usage{
		Input: max(c.in, 0), CacheRead: max(c.cacheRead, 0), CacheWrite: written, CacheHour: min(max(c.hour, 0), written),
		Output: out - thinking, Reasoning: thinking, Searches: max(c.searches, 0), Fetches: max(c.fetches, 0),
	}
}

// A bill is what the usage objects of one answer told so far: one in a whole
// answer, two or more in a stream, where message_start tells the input and
// message_delta the sums so far.
type bill struct {
	counts counts
	beside llm.Usage // what the counts leave out
}

// add takes a usage object. Members that it leaves out stand. A sum does not
// shrink, so a smaller count, such as the zero that a vendor fills in, takes
// nothing back. It does where the upstream accounts for its runs one by one,
// since the counts are then those of the runs after a conversation was
// compacted. And what was read is no sum that grows: who is not Anthropic may
// guess it at the start, as this gateway does, and knows it at the end.
func (b *bill) add(v []byte) {
	now, iterations := scan(v)
	exact := !wire.Empty(iterations)
	join := func(sum *int64, n int64) {
		if n > *sum || exact && n >= 0 {
			*sum = n
		}
	}
	if now.in > 0 {
		b.counts.in = now.in
	}
	join(&b.counts.in, now.in)
	join(&b.counts.cacheRead, now.cacheRead)
	join(&b.counts.cacheWrite, now.cacheWrite)
	join(&b.counts.hour, now.hour)
	join(&b.counts.out, now.out)
	join(&b.counts.thinking, now.thinking)
	join(&b.counts.searches, now.searches)
	join(&b.counts.fetches, now.fetches)
	if exact {
		b.beside = beside(iterations)
	}
}

// beside sums the runs that the counts of a message leave out: those that
// compacted the conversation, and an adviser's, which is another model. Both
// are billed; Anthropic documents it of the former and its recorded answers
// show it of the latter.
func beside(iterations []byte) (u llm.Usage) {
	if iterations[0] != '[' {
		return u
	}
	n := 0
	for e, err := range jsonedit.Elements(iterations) {
		if n++; err != nil || n > maxIterations {
			break
		}
		switch string(jsonedit.Get(e, "type")) {
		case `"compaction"`, `"advisor_message"`:
			c, _ := scan(e)
			u = u.Plus(c.usage())
		}
	}
	return u
}

// usage is what clients are told: what the conversation took, by which they see
// how full the model's window is, without the runs beside it.
func (b *bill) usage() llm.Usage {
	if u := b.counts.usage(); u.Total() > 0 {
		return u
	}
	return b.beside
}

// total is the whole bill.
func (b *bill) total() llm.Usage { return b.counts.usage().Plus(b.beside) }

// says reports whether a usage object tells nothing but u, or parts of it.
func says(v []byte, u llm.Usage) bool {
	c, _ := scan(v)
	var b bill
	b.add(v)
	t := b.usage()
	return (c.in < 0 || t.Input == u.Input) && (c.cacheRead < 0 || t.CacheRead == u.CacheRead) && (c.cacheWrite < 0 || t.CacheWrite == u.CacheWrite) && (c.hour < 0 || t.CacheHour == u.CacheHour) &&
		(c.searches < 0 || t.Searches == u.Searches) && (c.fetches < 0 || t.Fetches == u.Fetches) &&
		(c.out < 0 || t.Output+t.Reasoning == u.Output+u.Reasoning) && (c.thinking < 0 || t.Reasoning == u.Reasoning)
}
