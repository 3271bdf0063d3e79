package simulate

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// A limit is one of a vendor's: so many units, which come back drop by drop, or
// all at the end of every window, or each a window after it was taken.
type limit struct {
	rate    float64       // units a second
	size    float64       // how many at once; 0: there is no limit
	window  time.Duration // 0: drop by drop
	sliding bool
	left    float64
	at      time.Duration // of left
	begun   time.Duration // the window
	taken   []taken       // within the last window, if it slides
}

// A taken is units that went at a time.
type taken struct {
	at time.Duration
	n  float64
}

// newLimit makes a limit that is full. atOnce is for one without windows, and
// at least one unit.
func newLimit(rate, atOnce float64, window time.Duration, sliding bool) limit {
	l := limit{rate: rate, size: atOnce, window: window, sliding: sliding && window > 0}
	if rate == 0 {
		return limit{}
	}
	if window > 0 {
		l.size = rate * window.Seconds()
	}
	l.size = math.Max(1, l.size)
	l.left = l.size
	return l
}

// fill brings l to now.
func (l *limit) fill(now time.Duration) {
	switch {
	case l.sliding:
		for len(l.taken) > 0 && l.taken[0].at <= now-l.window {
			l.left += l.taken[0].n
			l.taken = l.taken[1:]
		}
	case l.window > 0:
		if n := (now - l.begun) / l.window; n > 0 {
			l.left, l.begun = l.size, l.begun+n*l.window
		}
	default:
		l.left = math.Min(l.size, l.left+(now-l.at).Seconds()*l.rate)
	}
	l.at = now
}

// dose is what a request of n units takes: one that is larger than the limit
// passes when nothing else was taken.
func (l *limit) dose(n float64) float64 { return math.Min(n, l.size) }

// opens is after how long n units can be taken. l is filled.
func (l *limit) opens(n float64) time.Duration {
	missing := l.dose(n) - l.left
	switch {
	case l.size == 0 || missing <= epsilon:
		return 0
	case l.sliding:
		for _, t := range l.taken {
			if missing -= t.n; missing <= epsilon {
				return t.at + l.window - l.at
			}
		}
		return l.window
	case l.window > 0:
		return l.begun + l.window - l.at
	}
	return seconds(missing / l.rate)
}

// epsilon is what rounding may take from a limit.
const epsilon = 1e-6

// take counts n units. l is filled.
func (l *limit) take(n float64) {
	n = l.dose(n)
	l.left -= n
	if l.sliding {
		l.taken = append(l.taken, taken{l.at, n})
	}
}

// head writes what l's state is into h. l is filled.
func (l *limit) head(h http.Header, unit string, now time.Time) {
	if l.size == 0 {
		return
	}
	reset := seconds((l.size - l.left) / l.rate)
	if n := len(l.taken); n > 0 {
		reset = l.taken[n-1].at + l.window - l.at
	}
	told := (reset.Truncate(time.Millisecond) + time.Millisecond).String()
	if l.window > 0 && !l.sliding && unit == "-Requests" {
		unit, told = "", strconv.FormatInt(now.Add(l.begun+l.window-l.at).UnixMilli(), 10)
	}
	h.Set("X-Ratelimit-Limit"+unit, strconv.Itoa(int(l.size)))
	h.Set("X-Ratelimit-Remaining"+unit, strconv.Itoa(int(l.left)))
	h.Set("X-Ratelimit-Reset"+unit, told)
}
