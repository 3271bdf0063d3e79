package pace

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// TestReset: windows of days end when their vendors say, and not within the
// longest wait.
func TestReset(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		in   string
		want time.Duration
		ok   bool
	}{
		{strconv.FormatInt(now.Add(100*time.Hour).Unix(), 10), 100 * time.Hour, true},
		{"345600", 96 * time.Hour, true},
		{"0", 0, true},
		{"99999999", month, true},
		{"2026-11-25T14:00:00Z", 2 * time.Hour, true},
		{"", 0, false},
		{"soon", 0, false},
		{"-1", 0, false},
		{"NaN", 0, false},
		{"1e300", 0, false},
	} {
		got, ok := reset(tt.in, now)
		if ok != tt.ok || ok && got.Sub(now) != tt.want {
			t.Errorf("%q: %v %v, want %v %v", tt.in, got.Sub(now), ok, tt.want, tt.ok)
		}
	}
	h := http.Header{"Anthropic-Ratelimit-Unified-7d-Utilization": {"0.5"}, "Anthropic-Ratelimit-Unified-7d-Reset": {strconv.FormatInt(now.Add(84*time.Hour).Unix(), 10)}}
	if as := Allowances(h, now); len(as) != 1 || as[0].Resets.Sub(now) != 84*time.Hour {
		t.Errorf("of half a week: %+v", as)
	}
}

// TestShort: what keeps an account out, and what says nothing about it.
func TestShort(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for _, tt := range []struct {
		name string
		a    Allowance
		want bool
	}{
		{"little is left", Allowance{Left: 0.09, Resets: in(time.Hour)}, true},
		{"nothing is left", Allowance{Resets: in(time.Hour)}, true},
		{"as much as is kept", Allowance{Left: 0.1, Resets: in(time.Hour)}, false},
		{"its window is over", Allowance{Left: 0.01, Resets: in(-time.Second)}, false},
		{"its window ends now", Allowance{Left: 0.01, Resets: now}, false},
		{"its window ends in a year, by a clock that was put back", Allowance{Left: 0.01, Resets: in(365 * 24 * time.Hour)}, false},
		{"nobody knows what is left", Allowance{Left: Unknown, Amount: 0.5, Currency: "USD", Told: now}, false},
		{"money", Allowance{Left: 0.05, Told: in(-time.Hour)}, true},
		{"money of yesterday", Allowance{Left: 0.05, Told: in(-25 * time.Hour)}, false},
		{"money of tomorrow", Allowance{Left: 0.05, Told: in(25 * time.Hour)}, false},
	} {
		if got := tt.a.Short(0.1, now); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if _, dry := tt.a.RunsDry(now); dry && tt.a.Left == Unknown {
			t.Errorf("%s: it has a forecast", tt.name)
		}
	}
}
