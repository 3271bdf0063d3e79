package cli

import (
	"testing"
	"time"

	"portico/internal/admin"
)

func TestLeft(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	percent := func(n float64) *float64 { return &n }
	got := left([]admin.Quota{
		{Window: "5h", LeftPercent: percent(12.5), RunsDry: now.Add(50 * time.Minute)},
		{Window: "7d", LeftPercent: percent(8), Protected: true},
		{Window: "credit", Amount: percent(4.256), Currency: "USD"},
	}, now)
	if want := "5h 12.5% (dry in 50m0s), 7d 8% (protected), credit 4.26 USD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := left(nil, now); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}
