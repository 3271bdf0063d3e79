package admin

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/pace"
	"portico/internal/pool"
)

// TestQuota: what the vendor said is told as long as it holds.
func TestQuota(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	v := &pool.View{Left: []pace.Allowance{
		{Window: "5h", Left: 0.25, Resets: in(150 * time.Minute)},
		{Window: "7d", Left: 0.8766, Resets: in(84 * time.Hour)},
		{Window: "primary", Left: 0, Resets: in(time.Minute)},
		{Window: "secondary", Left: 0.5, Resets: in(-time.Second)},
		{Window: "credit", Left: pace.Unknown, Amount: 4.2, Currency: "USD", Told: now},
	}, Kept: 0.3}
	percent := func(n float64) *float64 { return &n }
	want := []Quota{
		{Window: "5h", LeftPercent: percent(25), Resets: in(150 * time.Minute), Protected: true, RunsDry: in(50 * time.Minute)},
		{Window: "7d", LeftPercent: percent(87.7), Resets: in(84 * time.Hour)},
		{Window: "primary", LeftPercent: percent(0), Resets: in(time.Minute), Protected: true},
		{Window: "credit", Amount: percent(4.2), Currency: "USD"},
	}
	if d := cmp.Diff(want, quota(v, now)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := quota(&pool.View{}, now); got != nil {
		t.Errorf("of an account whose vendor says nothing: %v", got)
	}
}
