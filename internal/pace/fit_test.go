package pace

import (
	"math"
	"testing"
	"time"
)

// TestFit: a limit is recognised by what went out and what was refused. most is
// what may go out at once; rate is that of a bucket.
func TestFit(t *testing.T) {
	for _, tt := range []struct {
		name       string
		make       func() vendor
		load       float64
		kind       kind // if waits are told in milliseconds; else windows that are fixed may seem to slide
		hints      int  // of: in milliseconds, in seconds, not at all
		window     time.Duration
		rate, most float64
	}{
		{"a bucket", func() vendor { return &byDripping{rate: 5, burst: 4, level: 4} }, 7, dripping, 3, 0, 5, 4},
		{"a fast bucket", func() vendor { return &byDripping{rate: 40, burst: 9, level: 9} }, 50, dripping, 2, 0, 40, 9},
		{"windows of ten seconds", func() vendor { return &byFixed{n: 60, window: 10 * time.Second} }, 8, fixed, 3, 10 * time.Second, 0, 60},
		{"windows of a minute", func() vendor { return &byFixed{n: 300, window: time.Minute} }, 7, fixed, 3, time.Minute, 0, 300},
		{"any ten seconds", func() vendor { return &bySliding{n: 60, window: 10 * time.Second} }, 8, sliding, 3, 10 * time.Second, 0, 60},
		{"any five seconds", func() vendor { return &bySliding{n: 40, window: 5 * time.Second} }, 10, sliding, 2, 5 * time.Second, 0, 40},
		{"any minute", func() vendor { return &bySliding{n: 300, window: time.Minute} }, 7, sliding, 3, time.Minute, 0, 300},
	} {
		for i, hint := range []func(time.Duration) time.Duration{inMilliseconds, inSeconds, unsaid}[:tt.hints] {
			_, l := drive(tt.make(), hint, tt.load, 0, 100*time.Second, 2)
			m := &l.model
			near := func(got, want, by float64) bool { return math.Abs(got-want) <= by }
			if m.kind != tt.kind && (i == 0 || m.kind == dripping) || m.window != tt.window || !near(m.most, tt.most, 1.5+tt.most/10) || !near(m.rate, tt.rate, tt.rate/20) {
				t.Errorf("%s, hint %d: kind %d, window %s, most %.1f, %.2f a second", tt.name, i, m.kind, m.window, m.most, m.rate)
			}
		}
	}
}
