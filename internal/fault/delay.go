package fault

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxDelayText is the longest text that is read as a delay; the longest honest
// one, an HTTP date, has 29 bytes.
const maxDelayText = 64

// ParseDelay reads how long to wait from now in every spelling that upstreams
// use: whole or fractional seconds ("2", "1.5"), a Go or proto duration
// ("34.07s", "1m2.5s", "17ms"), an HTTP date (which gives whole seconds,
// rounded up), an RFC 3339 instant, or a Unix time in seconds or milliseconds.
// A moment that has passed is a wait of 0.
// The result is never negative and at most MaxWait; ok is false for garbage.
func ParseDelay(s string, now time.Time) (d time.Duration, ok bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxDelayText {
		return 0, false
	}
	if n, ok := number(s); ok {
		switch {
		case n > 1e11: // a Unix time in milliseconds
			return until(time.UnixMilli(int64(min(n, 1e15))), now), true
		case n > 1e9: // a Unix time; as a delay it would be thirty years
			return until(time.Unix(int64(n), 0), now), true
		}
		return times(n, time.Second), true
	}
	// Fractions of a millisecond, and proto durations of centuries, are
	// beyond time.ParseDuration.
	if n, ok := number(strings.TrimSuffix(s, "ms")); ok {
		return times(n, time.Millisecond), true
	}
	if n, ok := number(strings.TrimSuffix(s, "s")); ok {
		return times(n, time.Second), true
	}
	if d, err := time.ParseDuration(s); err == nil {
		return min(max(d, 0), MaxWait), d >= 0
	}
	if t, err := http.ParseTime(s); err == nil {
		// A date has no fractions, so that those of what is left mean nothing.
		return (until(t, now) + time.Second - 1).Truncate(time.Second), true
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return until(t, now), true
	}
	return 0, false
}

// number reads a decimal number that is neither negative nor infinite.
func number(s string) (float64, bool) {
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && n >= 0 && !math.IsInf(n, 0)
}

// times is n units, at most MaxWait.
func times(n float64, unit time.Duration) time.Duration {
	if n >= float64(MaxWait)/float64(unit) {
		return MaxWait
	}
	return time.Duration(n * float64(unit))
}

func until(t, now time.Time) time.Duration {
	return min(max(t.Sub(now), 0), MaxWait)
}

// leads are the phrases after which upstreams name a wait.
var leads = []string{"try again in ", "try again after ", "retry in ", "retry after ", "reset after ", "resets after ", "reset in ", "resets in ", "please wait "}

// units are the words for a span of time; a month or more is no wait that a
// message names to be kept.
var units = map[string]time.Duration{
	"ms": time.Millisecond, "millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
}

// FindDelay reads a wait from the prose of a message ("Please try again in
// 1.2s", "retry after 30 seconds", "resets in 9h22m20s"), as some upstreams
// give it nowhere else. The result is at most MaxWait.
func FindDelay(message string) (time.Duration, bool) {
	lower := strings.ToLower(message)
	for _, lead := range leads {
		for rest := lower; ; {
			_, after, found := strings.Cut(rest, lead)
			if !found {
				break
			}
			if d, ok := span(after); ok {
				return d, true
			}
			rest = after
		}
	}
	return 0, false
}

// span reads the pairs of number and unit that s begins with.
func span(s string) (d time.Duration, ok bool) {
	for {
		n := 0
		for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
			n++
		}
		v, is := number(s[:n])
		if n == 0 || !is {
			return d, ok
		}
		s = strings.TrimLeft(s[n:], " ")
		n = 0
		for n < len(s) && s[n] >= 'a' && s[n] <= 'z' {
			n++
		}
		unit, known := units[s[:n]]
		if !known {
			return d, ok
		}
		d, ok = min(d+times(v, unit), MaxWait), true
		s = strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(s[n:], " ,"), "and "), " ")
	}
}
