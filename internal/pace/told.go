package pace

import (
	"net/http"
	"strconv"
	"time"

	"portico/internal/fault"
)

// A Told limit is what a vendor says of itself in the headers of its answers.
// Until it says something it admits everything.
type Told struct {
	bucket
	until Moment // after this nothing of it holds any more
}

// Known reports whether the vendor has said anything that still holds at now.
func (t *Told) Known(now Moment) bool { return t.burst > 0 && now < t.until }

// Limit is what was told: units a second, how many at once, and the length of
// the window if they come back at its end, else 0.
func (t *Told) Limit() (rate, burst float64, window time.Duration) {
	return t.rate, t.burst, t.every
}

// Left is how many units are left, of how many.
func (t *Told) Left(now Moment) (left, of float64) {
	t.fill(now)
	return max(t.level, 0), t.burst
}

// Free is the moment from which cost can go out, 0 if that is now.
func (t *Told) Free(now Moment, cost float64) Moment {
	if !t.Known(now) {
		return 0
	}
	return min(t.free(now, cost), t.until)
}

// Take counts cost as sent at now; a negative cost takes back what was counted
// too much.
func (t *Told) Take(now Moment, cost float64) {
	if t.Known(now) {
		t.fill(now)
		t.level = min(t.level-cost, t.burst)
	}
}

// believed is how long a limit holds that is not told again: longer than its
// units need to come back, since then all of them are there anyway.
const believed = time.Minute

// Set takes over what the vendor said of the moment now. since is how much
// went out after the request whose answer says it.
func (t *Told) Set(now Moment, r Reading, since float64) {
	if r.Limit <= 0 {
		return
	}
	b := bucket{burst: r.Limit, level: min(r.Left, r.Limit) - since, at: now}
	if r.Whole {
		// The window ends at its reset; how long the next one is is not told.
		b.every = max(r.Reset, time.Millisecond)
		b.rate = r.Limit / b.every.Seconds()
	} else if b.rate = r.Limit / 60; r.Reset > 0 && r.Left < r.Limit {
		b.rate = (r.Limit - r.Left) / r.Reset.Seconds()
	} else if t.rate > 0 {
		b.rate = t.rate
	}
	t.bucket, t.until = b, now+r.Reset+believed
}

// A Unit is what a limit counts.
type Unit uint8

// The units.
const (
	Requests Unit = iota
	Tokens
	Units // how many there are
)

// A Reading is one limit as an answer's headers tell it.
type Reading struct {
	Unit        Unit
	Limit, Left float64
	Reset       time.Duration // until all of it is there again
	Whole       bool          // it comes back at once, not drop by drop
}

// heads are the families of headers. The first of a unit that is there counts.
// OpenAI's and Anthropic's limits fill continuously, and their reset is when
// they are full; the others' are windows. Spec: upstreams §1A.4, §4.3.
var heads = []struct {
	left, limit, reset string
	unit               Unit
	whole              bool
}{
	{"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Limit-Requests", "X-Ratelimit-Reset-Requests", Requests, false},
	{"X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Limit-Tokens", "X-Ratelimit-Reset-Tokens", Tokens, false},
	{"Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Reset", Requests, false},
	{"Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Limit", "Anthropic-Ratelimit-Input-Tokens-Reset", Tokens, false},
	{"Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Limit", "Anthropic-Ratelimit-Tokens-Reset", Tokens, false},
	{"X-Ratelimit-Remaining", "X-Ratelimit-Limit", "X-Ratelimit-Reset", Requests, true},
	{"Ratelimit-Remaining", "Ratelimit-Limit", "Ratelimit-Reset", Requests, true},
}

// Read appends to dst what h says of limits, at most one reading of a unit.
// What cannot be read is left out: a limit that is not understood is learned
// from refusals.
func Read(dst []Reading, h http.Header, now time.Time) []Reading {
	var have [Units]bool
	for i := range heads {
		d := &heads[i]
		v, ok := h[d.left]
		if !ok || have[d.unit] || len(v) == 0 {
			continue
		}
		left, ok := amount(v[0])
		limit, ok2 := amount(first(h[d.limit]))
		reset, ok3 := fault.ParseDelay(first(h[d.reset]), now)
		if !ok || !ok2 || !ok3 || limit == 0 || d.whole && reset == 0 {
			continue
		}
		have[d.unit] = true
		dst = append(dst, Reading{d.unit, limit, left, reset, d.whole})
	}
	return dst
}

func first(v []string) string {
	if len(v) == 0 {
		return ""
	}
	return v[0]
}

// amount reads a number of units, which is finite and not negative.
func amount(s string) (float64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return float64(n), err == nil && n >= 0 && n < 1e15
}
