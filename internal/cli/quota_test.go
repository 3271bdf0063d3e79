package cli

import (
	"testing"
	"time"

	"portico/internal/admin"
)

func TestLeft(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	got := left([]admin.Quota{{Window: "5h", LeftPercent: 12.5, RunsDry: now.Add(50 * time.Minute)}, {Window: "7d", LeftPercent: 80}}, now)
	if want := "5h 12.5% (dry in 50m0s), 7d 80%"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := left(nil, now); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}
