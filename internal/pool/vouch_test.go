package pool

import (
	"testing"
	"time"

	"portico/internal/fault"
)

// TestVouch: a test that succeeds ends what it disproves, and nothing else.
func TestVouch(t *testing.T) {
	for _, tt := range []struct {
		why  fault.Class
		want string // who is asked afterwards
	}{
		{fault.CredentialInvalid, "a"},
		{fault.CredentialExpired, "a"},
		{fault.Network, "a"},
		{fault.RateLimited, ""},
		{fault.QuotaSpent, ""},
		{fault.ModelDenied, ""},
	} {
		p, _ := pool(account("a"))
		failed := 0
		for take(p, chat, of(tt.why, time.Minute)) == "a" {
			if failed++; failed > breaker {
				t.Fatalf("%s: no pause after %d failures", tt.why, failed)
			}
		}
		p.Vouch("b")
		if got := take(p, chat, nil); got != "" {
			t.Errorf("%s: %q was asked since another is well", tt.why, got)
		}
		p.Vouch("a")
		if got := take(p, chat, nil); got != tt.want {
			t.Errorf("%s: %q was asked, want %q", tt.why, got, tt.want)
		}
	}
}
