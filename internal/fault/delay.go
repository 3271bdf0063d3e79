package fault

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ParseDelay reads how long to wait from now in every spelling that upstreams
// use: whole or fractional seconds ("2", "1.5"), a Go or proto duration
// ("34.07s", "1m2.5s", "17ms"), an HTTP date, an RFC 3339 instant, or a Unix
// time in seconds or milliseconds. A moment that has passed is a wait of 0. The result is never
// negative and at most MaxWait; ok is false for garbage.
func ParseDelay(s string, now time.Time) (d time.Duration, ok bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return 0, false
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		switch {
		case n != n || n < 0:
			return 0, false
		case n > 1e11: // a Unix time in milliseconds
			return until(time.UnixMilli(int64(min(n, 1e15))), now), true
		case n > 1e9: // a Unix time; as a delay it would be thirty years
			return until(time.Unix(int64(n), 0), now), true
		case n > MaxWait.Seconds():
			return MaxWait, true
		}
		return time.Duration(n * float64(time.Second)), true
	}
	if n, found := strings.CutSuffix(s, "ms"); found {
		if ms, err := strconv.ParseFloat(n, 64); err == nil && ms >= 0 {
			return time.Duration(min(ms, float64(MaxWait.Milliseconds())) * float64(time.Millisecond)), true
		}
	}
	if d, err := time.ParseDuration(s); err == nil {
		return min(max(d, 0), MaxWait), d >= 0
	}
	if t, err := http.ParseTime(s); err == nil {
		return until(t, now), true
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return until(t, now), true
	}
	return 0, false
}

func until(t, now time.Time) time.Duration {
	return min(max(t.Sub(now), 0), MaxWait)
}

// FindDelay reads a wait from the prose of a message ("Please try again in
// 1.2s", "retry after 30 seconds"), as some upstreams give it nowhere else.
func FindDelay(message string) (time.Duration, bool) {
	lower := strings.ToLower(message)
	for _, lead := range []string{"try again in ", "retry in ", "retry after ", "try again after ", "reset after ", "resets in "} {
		_, rest, found := strings.Cut(lower, lead)
		if !found {
			continue
		}
		n := 0
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.') {
			n++
		}
		if n == 0 {
			continue
		}
		num, unit := rest[:n], strings.TrimLeft(rest[n:], " ")
		if i := strings.IndexAny(rest, " ,;)"); i > 0 {
			if d, err := time.ParseDuration(strings.TrimRight(rest[:i], ".")); err == nil {
				return min(d, MaxWait), true
			}
		} else if d, err := time.ParseDuration(strings.TrimRight(rest, ".")); err == nil {
			return min(d, MaxWait), true
		}
		for _, u := range []struct {
			name string
			d    time.Duration
		}{{"ms", time.Millisecond}, {"millisecond", time.Millisecond}, {"s", time.Second}, {"min", time.Minute}, {"m", time.Minute}, {"h", time.Hour}, {"day", 24 * time.Hour}} {
			if strings.HasPrefix(unit, u.name) {
				v, err := strconv.ParseFloat(strings.TrimRight(num, "."), 64)
				if err != nil {
					return 0, false
				}
				return min(time.Duration(v*float64(u.d)), MaxWait), true
			}
		}
	}
	return 0, false
}
