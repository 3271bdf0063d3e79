package relay

import (
	"testing"

	"portico/internal/fault"
)

// TestAfter is the retry policy.
func TestAfter(t *testing.T) {
	for _, tt := range []struct {
		class fault.Class
		want  Step
		why   string
	}{
		{fault.Unknown, Another, "nobody knows; somebody else may do better"},
		{fault.Unauthorized, GiveUp, "the gateway's own refusal"},
		{fault.Malformed, GiveUp, "the gateway's own refusal"},
		{fault.Unsupported, GiveUp, "the gateway's own refusal"},
		{fault.Busy, GiveUp, "the gateway shuts down"},
		{fault.Internal, GiveUp, "a defect is no reason to try it again"},
		{fault.BadRequest, GiveUp, "no account would answer otherwise"},
		{fault.ContextTooLong, GiveUp, "no account has a longer context for the same model"},
		{fault.ContentFiltered, GiveUp, "the vendor's policy is the same for all accounts"},
		{fault.SealMismatch, GiveUp, "only the issuer can read it"},
		{fault.CredentialInvalid, Another, "the next key may be good"},
		{fault.CredentialExpired, Another, "the next token may be fresh"},
		{fault.Permission, Another, "the next account may be allowed"},
		{fault.RateLimited, Another, "the next account is not at its limit"},
		{fault.QuotaSpent, Another, "the next account has money left"},
		{fault.PlanGate, Another, "the next account's plan may include it"},
		{fault.ModelDenied, Another, "the next account may have the model"},
		{fault.ModelGone, Onward, "no account has what the vendor retired"},
		{fault.Overloaded, Another, "the next account may be elsewhere"},
		{fault.Broken, Again, "once more may do"},
		{fault.Timeout, Another, "the same would take as long again"},
		{fault.Network, Again, "a fresh connection may do"},
		{fault.Canceled, GiveUp, "nobody is there"},
	} {
		if got := after(&fault.Fault{Class: tt.class}); got != tt.want {
			t.Errorf("after %s: %s, want %s, since %s", tt.class, got, tt.want, tt.why)
		}
	}
}

// TestFree: a refusal at once costs no try, what kept an upstream busy does.
func TestFree(t *testing.T) {
	for _, tt := range []struct {
		f    fault.Fault
		want bool
	}{
		{fault.Fault{Class: fault.CredentialInvalid}, true},
		{fault.Fault{Class: fault.RateLimited}, true},
		{fault.Fault{Class: fault.ModelGone}, true},
		{fault.Fault{Class: fault.Network, Phase: fault.Dialing}, true},
		{fault.Fault{Class: fault.Network, Phase: fault.Sent}, false},
		{fault.Fault{Class: fault.Timeout, Phase: fault.Dialing}, false},
		{fault.Fault{Class: fault.Overloaded}, false},
		{fault.Fault{Class: fault.Broken}, false},
	} {
		if got := free(&tt.f); got != tt.want {
			t.Errorf("%s in phase %s: %v", tt.f.Class, tt.f.Phase, got)
		}
	}
}

func TestStepString(t *testing.T) {
	for s, want := range map[Step]string{GiveUp: "give_up", Another: "another", Again: "again", Onward: "onward"} {
		if s.String() != want {
			t.Errorf("%d is %q", s, s)
		}
	}
}
