package pool

import (
	"testing"
	"time"

	"portico/internal/fault"
)

// TestVouch: a test that succeeds ends what it disproves, and nothing else.
func TestVouch(t *testing.T) {
	for _, tt := range []struct {
		why   fault.Class
		scope fault.Scope
		want  string // who is asked afterwards
	}{
		{fault.CredentialInvalid, fault.Account, "a"},
		{fault.CredentialExpired, fault.Account, "a"},
		{fault.Network, fault.Account, "a"},
		{fault.Overloaded, fault.Endpoint, ""},
		{fault.RateLimited, fault.Account, ""},
		{fault.QuotaSpent, fault.Account, ""},
		{fault.ModelDenied, fault.Account, ""},
	} {
		p, _ := pool(account("a"))
		failed := 0
		for take(p, chat, &fault.Fault{Class: tt.why, Scope: tt.scope, After: time.Minute}) == "a" {
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

// TestVouchForEndpoint: who is served shows that somebody is there for all who
// share the endpoint.
func TestVouchForEndpoint(t *testing.T) {
	var as []Account
	for i := range breaker + 1 {
		as = append(as, account(string(rune('a'+i))))
	}
	p, _ := pool(as...)
	for range breaker {
		if take(p, chat, &fault.Fault{Class: fault.Network, Scope: fault.Endpoint}) == "" {
			t.Fatal("nobody was asked before the endpoint counts as down")
		}
	}
	state := func() State {
		if h := p.entry("a").end.health.Load(); h != nil {
			return h.State
		}
		return Ready
	}
	if state() == Ready {
		t.Fatal("the endpoint counts as well")
	}
	if p.Vouch("f"); state() != Ready {
		t.Errorf("the endpoint is %s after one of its accounts was served", state())
	}
}
