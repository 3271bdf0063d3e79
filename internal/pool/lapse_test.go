package pool

import (
	"testing"
	"time"

	"portico/internal/pace"
	"portico/internal/schedule"
)

// TestLapses: what a strategy is told of what lapses.
func TestLapses(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := &moments{now, 5 * time.Hour}
	window := func(left float64, in time.Duration) pace.Allowance {
		return pace.Allowance{Window: "w", Left: left, Resets: now.Add(in)}
	}
	money := pace.Allowance{Window: "credit", Left: pace.Unknown, Told: now, Amount: 5, Currency: "USD"}
	for _, tt := range []struct {
		name        string
		last        pace.Moment // when it was chosen
		told, purse []pace.Allowance
		left        float64
		lapses      time.Duration
		blank       bool
	}{
		{"never asked", 0, nil, nil, 0, 0, true},
		{"asked, and it told nothing", m.at - time.Minute, nil, nil, 0, 0, false},
		{"not asked for long", m.at - 11*time.Minute, nil, nil, 0, 0, true},
		{"one window", m.at - time.Minute, []pace.Allowance{window(.4, time.Hour)}, nil, .4, time.Hour, false},
		{"the one that ends next", 0, []pace.Allowance{window(.4, 48*time.Hour), window(.3, time.Hour)}, nil, .3, time.Hour, false},
		{"one is used up", m.at - time.Minute, []pace.Allowance{window(0, time.Hour), window(.3, 48*time.Hour)}, nil, 0, 0, false},
		{"a window has ended since", m.at - time.Hour, []pace.Allowance{window(.4, -time.Minute)}, nil, 0, 0, true},
		{"it was asked after that", m.at - time.Second, []pace.Allowance{window(.4, -time.Minute)}, nil, 0, 0, false},
		{"the long one is known", m.at - time.Hour, []pace.Allowance{window(.4, -time.Minute), window(.3, 48*time.Hour)}, nil, .3, 48 * time.Hour, false},
		{"money that comes back", m.at - time.Minute, nil, []pace.Allowance{window(.6, 24*time.Hour)}, .6, 24 * time.Hour, false},
		{"money that does not", m.at - time.Minute, nil, []pace.Allowance{money}, 0, 0, false},
	} {
		st := &state{}
		if tt.told != nil {
			st.allowances.Store(&tt.told)
		}
		if tt.purse != nil {
			st.purse.Store(&tt.purse)
		}
		x := &slot{state: st}
		c := schedule.Candidate{Last: tt.last}
		x.lapses(&c, m)
		if c.Left != tt.left || c.Lapses != tt.lapses || c.Blank != tt.blank {
			t.Errorf("%s: %v of it in %s, blank %t; want %v in %s, %t", tt.name, c.Left, c.Lapses, c.Blank, tt.left, tt.lapses, tt.blank)
		}
	}
}
