package relay

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"portico/internal/fault"
)

// renew has an account whose access token was refused with f fetch another
// one, once for a call. Then the same account is asked again, and f is nobody's
// fault: a token may end before its time, or on its way. If there is none, the
// account is held to account for that.
func (a *answer) renew(ctx context.Context, f *fault.Fault) *fault.Fault {
	l := a.try.lease
	if f.Status != http.StatusUnauthorized || a.try.token.IsZero() || slices.Contains(a.renewed, l.Account.Name) {
		return f
	}
	a.renewed = append(a.renewed, l.Account.Name)
	if err := l.Account.Tokens.Renew(ctx, a.try.token); err != nil {
		if a.ctx.Err() != nil {
			return a.gone()
		}
		if g, ok := errors.AsType[*fault.Fault](err); ok {
			return g
		}
		return f
	}
	f.Class, f.Scope, f.After = fault.CredentialExpired, fault.Request, 0
	a.stay = l.Account.Name
	return f
}
