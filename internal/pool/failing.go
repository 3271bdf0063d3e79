package pool

import (
	"time"

	"portico/internal/fault"
	"portico/internal/pace"
)

// oneError is a failure in the mean of failures.
const oneError = 1_000_000

// unwell is the share of failures, in millionths, from which on others are
// preferred.
const unwell = oneError / 4

// again is how long an account that fails often is left alone while others
// serve: then one request tries it, or nobody would ever know that it is well.
const again = 10 * time.Second

// fails reports whether others are preferred to s, since it failed often.
func (s *seat) fails(m *moments) bool {
	return s.errs.get() >= unwell && m.at-pace.Moment(s.gate.load.at.Load()) < again
}

// failing reports whether f says that the account serves badly. That it has
// limits does not.
func failing(f *fault.Fault) bool {
	switch f.Class {
	case fault.Overloaded, fault.Broken, fault.Timeout, fault.Network:
		return f.Scope != fault.Request
	}
	return false
}

// rejoins reports whether an account on trial since the pause of h is over goes
// among the others, so that one request tries it though they are able. A pause
// that a vendor named is over when it is over, and a rejection costs nothing but
// a refusal. One who broke down is left alone while others serve, and longer if
// it kept a request waiting.
func (h *Health) rejoins(now time.Time) bool {
	switch {
	case !h.Guess:
		return true
	case h.Why == fault.Timeout:
		return now.Sub(h.Until) >= 5*time.Minute
	}
	return now.Sub(h.Until) >= time.Minute
}
