package llm

// Usage counts tokens the way they are billed. The first five counts do not
// overlap: their sum is everything the upstream read and wrote. Those below are
// parts of them, or no tokens at all. Each protocol has its own arithmetic
// (OpenAI's prompt_tokens includes cached tokens, Anthropic's input_tokens does
// not); a codec translates to and from this one (spec: upstreams §2.11).
type Usage struct {
	Input      int64 `json:"input"`       // read, not from a cache and not written to one
	CacheRead  int64 `json:"cache_read"`  // read from the prompt cache
	CacheWrite int64 `json:"cache_write"` // read and written to the prompt cache, for however long
	Output     int64 `json:"output"`      // written, without reasoning where the upstream tells it apart
	Reasoning  int64 `json:"reasoning"`   // written as hidden or visible reasoning

	// CacheHour is what of CacheWrite is kept for an hour, as Anthropic tells
	// it, and CacheHalfDay what of it is kept for twelve, as OpenAI does. The
	// rest is kept for minutes.
	CacheHour    int64 `json:"cache_hour,omitzero"`
	CacheHalfDay int64 `json:"cache_half_day,omitzero"`

	// What of all that was read, and of Output, is sound or pictures.
	AudioIn  int64 `json:"audio_in,omitzero"`
	ImageIn  int64 `json:"image_in,omitzero"`
	AudioOut int64 `json:"audio_out,omitzero"`
	ImageOut int64 `json:"image_out,omitzero"`

	// How often the upstream's own tools were used, which is billed by the
	// request: searches of the web, and pages fetched.
	Searches int64 `json:"searches,omitzero"`
	Fetches  int64 `json:"fetches,omitzero"`
}

// Details is how many counts there are beside the five and CacheHour.
const Details = 7

// Details lists those counts, in the order in which they are stored.
func (u *Usage) Details() [Details]*int64 {
	return [Details]*int64{&u.CacheHalfDay, &u.AudioIn, &u.ImageIn, &u.AudioOut, &u.ImageOut, &u.Searches, &u.Fetches}
}

// Plus is u and v together.
func (u Usage) Plus(v Usage) Usage {
	return Usage{
		Input:        u.Input + v.Input,
		CacheRead:    u.CacheRead + v.CacheRead,
		CacheWrite:   u.CacheWrite + v.CacheWrite,
		Output:       u.Output + v.Output,
		Reasoning:    u.Reasoning + v.Reasoning,
		CacheHour:    u.CacheHour + v.CacheHour,
		CacheHalfDay: u.CacheHalfDay + v.CacheHalfDay,
		AudioIn:      u.AudioIn + v.AudioIn,
		ImageIn:      u.ImageIn + v.ImageIn,
		AudioOut:     u.AudioOut + v.AudioOut,
		ImageOut:     u.ImageOut + v.ImageOut,
		Searches:     u.Searches + v.Searches,
		Fetches:      u.Fetches + v.Fetches,
	}
}

// Total is everything the upstream read and wrote, in tokens.
func (u Usage) Total() int64 { return u.Read() + u.Output + u.Reasoning }

// Read is everything the upstream read, in tokens.
func (u Usage) Read() int64 { return u.Input + u.CacheRead + u.CacheWrite }

// Minus is u without v.
func (u Usage) Minus(v Usage) Usage {
	return u.Plus(Usage{
		-v.Input, -v.CacheRead, -v.CacheWrite, -v.Output, -v.Reasoning, -v.CacheHour, -v.CacheHalfDay,
		-v.AudioIn, -v.ImageIn, -v.AudioOut, -v.ImageOut, -v.Searches, -v.Fetches,
	})
}

// Fitted is u with no part larger than what it is a part of, and none below
// zero, whatever an upstream says.
func (u Usage) Fitted() Usage {
	u.CacheHour = min(max(u.CacheHour, 0), u.CacheWrite)
	u.CacheHalfDay = min(max(u.CacheHalfDay, 0), u.CacheWrite-u.CacheHour)
	u.AudioIn = min(max(u.AudioIn, 0), u.Read())
	u.ImageIn = min(max(u.ImageIn, 0), u.Read()-u.AudioIn)
	u.AudioOut = min(max(u.AudioOut, 0), u.Output)
	u.ImageOut = min(max(u.ImageOut, 0), u.Output-u.AudioOut)
	u.Searches, u.Fetches = max(u.Searches, 0), max(u.Fetches, 0)
	return u
}
