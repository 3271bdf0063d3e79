package fault

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestParseDelay(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want time.Duration
		ok   bool
	}{
		{"2", 2 * time.Second, true},
		{"1.5", 1500 * time.Millisecond, true},
		{" 7 ", 7 * time.Second, true},
		{"0", 0, true},
		{"86400", MaxWait, true},
		{"86401", MaxWait, true},
		{"315360000", MaxWait, true}, // ten years
		{"17ms", 17 * time.Millisecond, true},
		{"0.5ms", 500 * time.Microsecond, true},
		{"34.07s", 34070 * time.Millisecond, true},
		{"36.429760048s", 36429760048, true},
		{"315576000000s", MaxWait, true}, // proto's longest, over time.Duration
		{"1m2.5s", 62500 * time.Millisecond, true},
		{"6m0s", 6 * time.Minute, true},
		{"30h", MaxWait, true},
		{"1795435230", 30 * time.Second, true},
		{"1795435230000", 30 * time.Second, true},
		{"1e300", MaxWait, true},
		{"1695435230", 0, true},
		{"Mon, 23 Nov 2026 12:00:45 GMT", 45 * time.Second, true},
		{"Mon, 23 Nov 2020 12:00:45 GMT", 0, true},
		{"Mon, 23 Nov 2036 12:00:45 GMT", MaxWait, true},
		{"2026-11-23T12:01:00Z", time.Minute, true},
		{"2026-11-23T13:01:00+01:00", time.Minute, true},
		{"2020-11-23T12:01:00Z", 0, true},
		{"", 0, false},
		{"-1", 0, false},
		{"-5s", 0, false},
		{"-5ms", 0, false},
		{"NaN", 0, false},
		{"NaNms", 0, false},
		{"Inf", 0, false},
		{"infs", 0, false},
		{"soon", 0, false},
		{"5 apples", 0, false},
		{strings.Repeat("1", maxDelayText+1), 0, false},
	} {
		got, ok := ParseDelay(tt.in, noon)
		if got != tt.want || ok != tt.ok {
			t.Errorf("ParseDelay(%q) = %v, %v; want %v, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestFindDelay(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want time.Duration
		ok   bool
	}{
		{"Limit 30000, Used 14567. Please try again in 18.642s. Visit https://example.com to learn more.", 18642 * time.Millisecond, true},
		{"Rate limit of 50 per 86400s exceeded. Please wait 40000 seconds before retrying.", 40000 * time.Second, true},
		{"Please wait a moment and retry.", 0, false},
		{"Please try again in 174ms.", 174 * time.Millisecond, true},
		{"Please try again in 9m38.016s. Need more?", 9*time.Minute + 38016*time.Millisecond, true},
		{"Please retry in 36.429760048s.", 36429760048, true},
		{"Your quota will reset after 8h44m7s.", 8*time.Hour + 44*time.Minute + 7*time.Second, true},
		{"Resets in 9h22m20s.\nUpgrade for more.", 9*time.Hour + 22*time.Minute + 20*time.Second, true},
		{"Retry after 30 seconds", 30 * time.Second, true},
		{"TRY AGAIN IN 2 MINUTES", 2 * time.Minute, true},
		{"try again in 1 hour and 5 minutes, please", 65 * time.Minute, true},
		{"try again in 1 hour, 5 minutes", 65 * time.Minute, true},
		{"try again in 500 milliseconds", 500 * time.Millisecond, true},
		{"try again in 3 days", MaxWait, true},
		{"try again in 999999999999999999999 hours", MaxWait, true},
		{"try again in a while, or retry in 4s", 4 * time.Second, true},
		{"try again in 5 or try again in 6s", 6 * time.Second, true},
		{"try again in 2 months", 0, false},
		{"try again in 5 somethings", 0, false},
		{"try again in 1.2.3s", 0, false},
		{"please try again later", 0, false},
		{"try again in ", 0, false},
		{"", 0, false},
	} {
		got, ok := FindDelay(tt.in)
		if got != tt.want || ok != tt.ok {
			t.Errorf("FindDelay(%q) = %v, %v; want %v, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzDelay(f *testing.F) {
	for _, s := range []string{"2", "1.5", "17ms", "1m2.5s", "Mon, 23 Nov 2026 12:00:45 GMT", "2026-11-23T12:01:00Z", "try again in 1 hour and 5 minutes", "retry after 9e9s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, found := range map[string]func() (time.Duration, bool){
			"ParseDelay": func() (time.Duration, bool) { return ParseDelay(s, noon) },
			"FindDelay":  func() (time.Duration, bool) { return FindDelay(s) },
		} {
			d, ok := found()
			if d < 0 || d > MaxWait || !ok && d != 0 {
				t.Errorf("%s(%q) = %v, %v", name, s, d, ok)
			}
		}
	})
}

// A date has whole seconds: what is left of one is no exact time.
func TestParseDelayDate(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 400_000_000, time.UTC)
	d, ok := ParseDelay("Fri, 01 May 2026 12:00:02 GMT", now)
	if want := 2 * time.Second; !ok || d != want {
		t.Errorf("got %s, want %s", d, want)
	}
	if d, ok := ParseDelay("Fri, 01 May 2026 11:59:00 GMT", now); !ok || d != 0 {
		t.Errorf("a date that has passed: %s", d)
	}
}
