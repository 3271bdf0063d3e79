package provider

import (
	"context"
	"net/http"
	"time"

	"portico/internal/fault"
	"portico/internal/secret"
)

// Tokens are where an account without a lasting key gets its access tokens
// from. They are safe for concurrent use, and comparable: one credential has
// one of them. Errors are *fault.Fault.
type Tokens interface {
	// ID names the credential without telling anything of it.
	ID() string
	// Token returns a token that is good now. It waits only while there is
	// none, until one was fetched or ctx ends.
	Token(ctx context.Context) (secret.Text, error)
	// Renew is told that the upstream refused the token stale, and returns
	// once there is another one. However many ask, one is fetched.
	Renew(ctx context.Context, stale secret.Text) error
	// Condition says how the credential is doing at now. It waits for nobody
	// and takes no lock.
	Condition(now time.Time) Condition
	// Retry lets a credential that was refused be tried once more.
	Retry()
}

// A TokenState is how a credential is doing.
type TokenState uint8

// The states.
const (
	Fresh      TokenState = iota // a token is there, or can be had
	Refreshing                   // there is none now, and one is being fetched
	SignedOut                    // its issuer refused the credential: a person must sign in again
)

// A Condition is a TokenState and what belongs to it.
type Condition struct {
	State TokenState
	Since time.Time
	Until time.Time    // when it is tried again without anybody's doing; of SignedOut
	Fault *fault.Fault // why; of SignedOut
	Who   string       // whose credential it is, such as an e-mail address, "" if nobody said
}

// Projects are Tokens that know for whom they were made, as Google's do.
type Projects interface {
	// Projects returns the project that the credential belongs to, and the one
	// that is charged for its use, "" where it names none.
	Projects() (own, charged string)
}

// A Reader is a provider that reads keys which are documents by itself, as
// those are in which access keys come.
type Reader interface{ ReadsDocuments() }

// A Signer is a provider that takes access tokens in place of a key.
type Signer interface {
	// Login says where users of a sign in, and for what. It is shared and
	// never changed.
	Login() *Login
}

// A Login is where an issuer of tokens lives, and what is asked of it. Each
// address is https, but for those that an operator's own client names on this
// machine.
type Login struct {
	Issuer   string // for people, such as "Google"
	Auth     string // where a person agrees
	Program  string // where programs get tokens by their own secrets, with {tenant} in it; "" if there is no such way
	Token    string // where codes and refresh tokens become access tokens
	Device   string // where a login on another device begins, "" if there is none
	Userinfo string // where the issuer says whose token it is, "" if it does not
	Revoke   string
	Scopes   []string
	// DeviceScopes are asked for in a login on another device, where issuers
	// permit fewer; nil: that login is not offered.
	DeviceScopes []string
	// Params are what the issuer wants beside the standard's, such as
	// access_type=offline.
	Params map[string]string
	// Domains are those, with all below them, at which a credential may name
	// other addresses.
	Domains []string
}

// Bearer returns the token that h shows, the zero Text if it shows none.
func Bearer(h http.Header) secret.Text {
	const scheme = "Bearer "
	if v := h["Authorization"]; len(v) == 1 && len(v[0]) > len(scheme) && v[0][:len(scheme)] == scheme {
		return secret.Of(v[0][len(scheme):])
	}
	return secret.Text{}
}
