package relay

import "portico/internal/fault"

// A Step is what to do after a failed attempt.
type Step uint8

// The steps.
const (
	GiveUp  Step = iota // tell the client
	Another             // another account for the same model
	Again               // another account, or the same one once more if there is no other
	Onward              // the next model of the chain
)

var stepNames = [...]string{"give_up", "another", "again", "onward"}

// String is the step as the ledger spells it.
func (s Step) String() string { return stepNames[s] }

// after decides the step that follows f, while nothing has been committed. It
// is the whole of the retry policy; the table in step_test.go reads as its
// specification.
func after(f *fault.Fault) Step {
	switch f.Class {
	case fault.BadRequest, fault.ContextTooLong, fault.ContentFiltered, fault.SealMismatch, fault.Canceled:
		return GiveUp // no account would answer otherwise
	case fault.CredentialInvalid, fault.CredentialExpired, fault.Permission, fault.RateLimited, fault.QuotaSpent,
		fault.PlanGate, fault.ModelDenied, fault.Overloaded, fault.Timeout, fault.Unknown:
		return Another
	case fault.ModelGone:
		return Onward
	case fault.Broken, fault.Network:
		return Again
	}
	return GiveUp // the gateway's own refusals
}

// free reports whether an attempt that ended with f does not count against the
// number of tries: the upstream refused at once whom it does not serve now, so
// that neither it nor the client was kept busy. A pool in which five keys have
// died must still find the sixth.
func free(f *fault.Fault) bool {
	switch f.Class {
	case fault.CredentialInvalid, fault.CredentialExpired, fault.Permission, fault.RateLimited, fault.QuotaSpent, fault.PlanGate, fault.ModelDenied, fault.ModelGone:
		return true
	case fault.Network:
		return f.Phase == fault.Dialing
	}
	return false
}

// maxAttempts bounds the attempts for one request, the free ones included.
const maxAttempts = 64
