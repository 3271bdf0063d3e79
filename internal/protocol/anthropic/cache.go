package anthropic

import (
	"portico/internal/llm"
)

// maxBreakpoints is how many the upstream takes in one request (spec: upstreams
// §1C.6).
const maxBreakpoints = 4

// A cache decides which breakpoints cross, in the order of the prompt: tools,
// instructions, turns. The last ones count, since they cover the most.
type cache struct {
	skip  int  // breakpoints that are too many, and come first
	short bool // one that lasts the default time was written; none may last longer after it
	plain bool // the upstream knows no times
	as    bool // whatever the client says stays
	lost  func(why string)
}

// append appends a breakpoint that stays.
func (c *cache) append(dst []byte, b *llm.Breakpoint) []byte {
	switch {
	case b == nil:
		return dst
	case c.as:
		return appendBreakpoint(dst, b, b.TTL)
	case c.skip > 0:
		c.skip--
		return dst
	}
	ttl := lasts(b.TTL)
	if c.plain {
		if ttl != "" {
			c.lost("approximated: the upstream does not take how long")
		}
		ttl = ""
	} else if ttl != "1h" {
		c.short = true
	} else if c.short {
		ttl = ""
		c.lost("approximated: one that lasts an hour cannot stand behind a shorter one")
	}
	return appendBreakpoint(dst, b, ttl)
}

// lasts is the time that is nearest to how long a client of any protocol wants
// a prefix cached: "5m", "1h", or "" for the default, which is five minutes
// (spec: upstreams §2.7).
func lasts(ttl string) string {
	switch ttl {
	case "", "5m", "30m":
		return ""
	}
	return "1h"
}

// mark counts the breakpoints of what will be written.
func (e *requestEncoder) mark(head []block, turns []turn) {
	e.cache = cache{as: e.native, plain: !e.fit.Native, lost: func(why string) { e.lose("cache_control", why) }}
	n := 0
	count := func(b *llm.Breakpoint) {
		if b != nil {
			n++
		}
	}
	for _, d := range e.tools.tools {
		if d.config == nil && !d.tool.Deferred {
			count(d.tool.Cache)
		}
	}
	for _, b := range head {
		count(cacheOf(b.part))
	}
	for _, t := range turns {
		for _, b := range t.blocks {
			count(cacheOf(b.part))
			if r, ok := b.part.(*llm.Result); ok {
				for _, p := range r.Parts {
					count(cacheOf(p))
				}
			}
		}
	}
	if n > maxBreakpoints && !e.native {
		e.cache.skip = n - maxBreakpoints
		e.lose("cache_control", "dropped: all but the last four")
	}
}

// cacheOf is the breakpoint behind a part, nil if there is none or it has no
// seat there: thinking has none.
func cacheOf(p llm.Part) *llm.Breakpoint {
	switch p := p.(type) {
	case *llm.Prose:
		return p.Cache
	case *llm.Blob:
		return p.Cache
	case *llm.Call:
		return p.Cache
	case *llm.Result:
		return p.Cache
	}
	return nil
}
