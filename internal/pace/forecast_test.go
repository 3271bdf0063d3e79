package pace

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestRunsDry(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		window string
		left   float64
		resets time.Duration
		want   time.Duration // 0: it does not, as far as is known
		holds  bool
	}{
		{"half in half the time", "5h", 0.5, 150 * time.Minute, 0, true},
		{"three quarters in half the time", "5h", 0.25, 150 * time.Minute, 50 * time.Minute, true},
		{"little in half the time", "5h", 0.9, 150 * time.Minute, 0, true},
		{"nothing is left", "7d", 0, 100 * time.Hour, 1, true},
		{"all is left", "7d", 1, 100 * time.Hour, 0, true},
		{"the window has just begun", "5h", 0.9, 299 * time.Minute, 0, true},
		{"it has ended", "5h", 0.1, -time.Minute, 0, false},
		{"a window of unknown length", "primary", 0.1, time.Hour, 0, true},
		{"more is left than the window is long", "5h", 0.1, 6 * time.Hour, 0, true},
	} {
		a := Allowance{Window: tt.window, Left: tt.left, Resets: now.Add(tt.resets)}
		at, dry := a.RunsDry(now)
		if dry != (tt.want > 0) || dry && at.Sub(now).Round(time.Second) != tt.want.Round(time.Second) || a.Holds(now) != tt.holds {
			t.Errorf("%s: dry %t in %s, holds %t; want %s, %t", tt.name, dry, at.Sub(now), a.Holds(now), tt.want, tt.holds)
		}
	}
}

// TestForecastJumps: wherever the clock goes, what holds ends within a month, and
// nothing runs dry before now or after its window.
func TestForecastJumps(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	told := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for range 5000 {
		a := Allowance{Window: []string{"5h", "7d", "primary"}[rng.IntN(3)], Left: rng.Float64(), Resets: told.Add(time.Duration(rng.Int64N(int64(8 * 24 * time.Hour))))}
		if rng.IntN(4) == 0 {
			a = Allowance{Window: "credit", Left: Unknown, Amount: 5, Currency: "USD", Told: told}
		}
		now := told.Add(time.Duration(rng.Int64N(int64(10 * 24 * time.Hour))))
		for _, jump := range []time.Duration{0, time.Hour, 24 * time.Hour, -time.Hour, -24 * time.Hour, -365 * 24 * time.Hour} {
			now := now.Add(jump)
			if at, dry := a.RunsDry(now); dry && (at.Before(now) || at.After(a.Resets) || !a.Holds(now)) {
				t.Fatalf("%+v at %s runs dry at %s", a, now, at)
			}
			if a.Short(.5, now) && !a.Holds(now) {
				t.Fatalf("%+v is short at %s, when nobody knows", a, now)
			}
			if later := now.Add(month + time.Minute); a.Holds(now) && a.Holds(later) {
				t.Fatalf("%+v holds at %s and a month later", a, now)
			}
		}
	}
}
