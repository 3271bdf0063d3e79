package cli

import (
	"fmt"
	"strings"
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

// TestTellQuotas: the status tells the least first, and what nobody knows as
// unknown.
func TestTellQuotas(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	percent := func(n float64) *float64 { return &n }
	var out strings.Builder
	tellQuotas(&out, []admin.Account{
		{Name: "work", Quota: []admin.Quota{
			{Window: "5h", LeftPercent: percent(12.5), Resets: now.Add(2 * time.Hour), RunsDry: now.Add(50 * time.Minute)},
			{Window: "7d", LeftPercent: percent(8), Resets: now.Add(30 * time.Hour), Protected: true},
		}},
		{Name: "router", Quota: []admin.Quota{{Window: "credit", Amount: percent(4.256), Currency: "USD"}}},
		{Name: "key"},
	}, now)
	want := `Quota of work: 7d, 8% left, resets in 30h0m0s, kept out.
Quota of work: 5h, 12.5% left, resets in 2h0m0s, dry in 50m0s.
Quota of router: credit, 4.26 USD left (of how much nobody knows).
Quota unknown: 1 of 3 accounts.
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	many := make([]admin.Account, 30)
	for i := range many {
		many[i] = admin.Account{Name: fmt.Sprint("a-", i), Quota: []admin.Quota{{Window: "5h", LeftPercent: percent(float64(i))}}}
	}
	out.Reset()
	tellQuotas(&out, many, now)
	if n := strings.Count(out.String(), "\n"); n != maxTold+1 || !strings.Contains(out.String(), "Of 10 more") || strings.Contains(out.String(), "a-20:") {
		t.Errorf("of many:\n%s", out.String())
	}
}
