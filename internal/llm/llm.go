// Package llm is the neutral language the gateway thinks in: a conversation
// with a model, free of any vendor's wire format.
//
// Each protocol package decodes its wire format into these types and encodes
// them back. Nothing here knows HTTP, JSON member names, accounts or vendors.
package llm

// Usage counts tokens the way they are billed. The counts do not overlap, but
// for CacheHour, which is a part of CacheWrite: the sum of the others is
// everything the upstream read and wrote. Each protocol has its
// own arithmetic (OpenAI's prompt_tokens includes cached tokens, Anthropic's
// input_tokens does not); a codec translates to and from this one
// (spec: upstreams §2.11).
type Usage struct {
	Input      int64 `json:"input"`       // read, not from a cache and not written to one
	CacheRead  int64 `json:"cache_read"`  // read from the prompt cache
	CacheWrite int64 `json:"cache_write"` // read and written to the prompt cache, for however long
	Output     int64 `json:"output"`      // written, without reasoning where the upstream tells it apart
	Reasoning  int64 `json:"reasoning"`   // written as hidden or visible reasoning
	// CacheHour is what of CacheWrite is kept for an hour, not for minutes.
	// Anthropic tells the two apart and bills them apart.
	CacheHour int64 `json:"cache_hour,omitzero"`
}

// Plus is u and v together.
func (u Usage) Plus(v Usage) Usage {
	return Usage{
		Input:      u.Input + v.Input,
		CacheRead:  u.CacheRead + v.CacheRead,
		CacheWrite: u.CacheWrite + v.CacheWrite,
		Output:     u.Output + v.Output,
		Reasoning:  u.Reasoning + v.Reasoning,
		CacheHour:  u.CacheHour + v.CacheHour,
	}
}

// Total is everything the upstream read and wrote, in tokens.
func (u Usage) Total() int64 {
	return u.Input + u.CacheRead + u.CacheWrite + u.Output + u.Reasoning
}

// Minus is u without v.
func (u Usage) Minus(v Usage) Usage {
	return u.Plus(Usage{-v.Input, -v.CacheRead, -v.CacheWrite, -v.Output, -v.Reasoning, -v.CacheHour})
}
