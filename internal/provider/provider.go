// Package provider is the contract of an upstream: where it lives, which
// protocols it speaks, how one proves who one is, and what its errors mean.
package provider

import (
	"net/http"
	"net/url"
	"slices"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/secret"
)

// A Provider is one kind of upstream. Implementations are stateless and safe
// for concurrent use.
type Provider interface {
	// Name is what the configuration calls it.
	Name() string

	// Prepare checks a and fills what it leaves open: the base URL and the
	// protocols. The error says what is wrong with which field.
	Prepare(a *Account) error

	// Speaks lists the protocols that a takes op in for model, best first.
	// Nil means that it does not offer op.
	Speaks(a *Account, op protocol.Op, model string) []string

	// Address turns out, whose URL is empty, toward the upstream: URL,
	// credential and headers of the provider's own. out.Header already holds
	// the client's allowed headers. It is called anew for every attempt.
	Address(out *http.Request, a *Account, to Target) error

	// Rules says what the provider's errors mean.
	Rules() fault.Rules
}

// A Gauger is a provider whose vendors can be asked how much is left of an
// account.
type Gauger interface {
	// Gauge says how a's vendor can be asked, nil: it cannot. The result is
	// shared, and nobody changes it.
	Gauge(a *Account) *Gauge
}

// A Gauge is a question to a vendor about an account, with the account's own
// key, and where in the answer, an object of JSON, stands what. A place is names
// of members with dots between them, a number for an element of an array; "" is
// nowhere.
type Gauge struct {
	Path     string // absolute, on the account's own origin
	Window   string // what the answer is about, as it is shown
	Left     string // the place of what is left
	Of       string // of how much that is; without it the share is unknown
	Renews   string // of a word for how often all of it is there again: daily, weekly, monthly
	Currency string // of the currency, or the currency itself in quotation marks
}

// A Transporter is a provider that answers in this process.
type Transporter interface{ Transport() http.RoundTripper }

// A Wrapper is a provider whose requests or answers need more on their way than
// an address: a signature over the body, another framing, another name in it.
type Wrapper interface {
	// Wrap returns the way out for a, which is prepared; what goes out takes
	// next. It is called once for an account, not for each request. What it
	// returns is safe for concurrent use, changes no request that it is given,
	// and answers as a's protocols have it.
	Wrap(a *Account, next http.RoundTripper) http.RoundTripper
}

// A Target is what an attempt addresses at an account.
type Target struct {
	Protocol string
	Op       protocol.Op
	Model    string // as the upstream names it
	Stream   bool
	// Path is the path below the protocol's base URL: "/chat/completions",
	// "/responses", "/models" for the OpenAI protocols (base …/v1),
	// "/v1/messages" for anthropic (base is the host),
	// "/models/NAME:generateContent" for gemini (base …/v1beta). For gemini
	// the model in it is already the upstream's.
	Path  string
	Query string // raw, without the client's credential
}

// An Account is one identity at a provider, as the way out needs it. It is
// never changed after Prepare.
type Account struct {
	Name      string
	Provider  string
	Preset    string // names a row of the compat presets, or ""
	Protocols []string
	BaseURL   *url.URL // without a trailing slash
	Key       secret.Text
	// Tokens stand in for Key where a credential has to be turned into access
	// tokens; else nil.
	Tokens Tokens
	// Header holds what the account sends with every request: fixed by a
	// preset or by the operator.
	Header http.Header
	// Options are the provider's own settings, as the operator wrote them.
	Options map[string]string
}

// Takes reports whether the account speaks p.
func (a *Account) Takes(p string) bool { return slices.Contains(a.Protocols, p) }
