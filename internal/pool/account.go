package pool

import (
	"net/http"
	"slices"

	"portico/internal/glob"
	"portico/internal/provider"
)

// An Account is an account of the pool. It is not changed once it is in.
type Account struct {
	*provider.Account
	By       provider.Provider
	Way      http.RoundTripper // how its requests go out
	Proxy    string            // through which proxy, for whom it shares its luck with
	Models   []glob.Glob       // what it serves; none: everything
	Priority int               // lower is tried first
	Weight   int               // at least 1
	RPM, TPM int               // requests and tokens in any minute, 0: no limit
	Parallel int               // requests at one time, 0: no limit
	Disabled bool              // the operator's word
	Label    string            // for people
	Tags     []string          // likewise
	Declared bool              // it stands in the configuration file
	// Reserved: the names that Models match are offered to no account that is
	// not reserved, and the account's faults are not held against it, since
	// it plays them when it is asked to. The built-in simulator is.
	Reserved bool
}

// Serves reports whether the account may be asked for model.
func (a *Account) Serves(model string) bool {
	if model == "" || len(a.Models) == 0 {
		return true
	}
	return slices.ContainsFunc(a.Models, func(g glob.Glob) bool { return g.Match(model) })
}

// MaxAccounts is how many accounts a pool takes.
const MaxAccounts = 10_000

// same reports whether b is a at the same vendor with the same credential, so
// that what is known of a holds for b.
func (a *Account) same(b *Account) bool {
	return a.Name == b.Name && a.Provider == b.Provider && a.Key == b.Key && a.Tokens == b.Tokens && sameURL(a, b)
}

func sameURL(a, b *Account) bool {
	if a.BaseURL == nil || b.BaseURL == nil {
		return a.BaseURL == b.BaseURL
	}
	return *a.BaseURL == *b.BaseURL
}

// origin is where the account's requests go, and through what.
func (a *Account) origin() string {
	if a.BaseURL == nil {
		return ""
	}
	return a.BaseURL.Scheme + "://" + a.BaseURL.Host + " " + a.Proxy
}
