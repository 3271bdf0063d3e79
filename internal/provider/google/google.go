// Package google is Google's Gemini API (AI Studio), reached with an API key,
// or with access tokens of a login by an OAuth client of the operator's own.
package google

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/endpoint"
)

// Name is what the configuration calls the provider.
const Name = "gemini"

// home is where Google's SDKs call, with the version of the API that has all
// features. Clients that ask for /v1 get it too: it takes all that v1 takes.
var home = endpoint.Home{
	Origin:    &url.URL{Scheme: "https", Host: "generativelanguage.googleapis.com", Path: "/v1beta"},
	Protocols: []string{protocol.Gemini},
	Options:   []string{OptionCharged},
	Stems:     []string{"/models", "/openai"},
}

// OptionCharged is the option that names the project which is charged for what
// a user's token is used for. Google wants one of tokens that belong to none.
const OptionCharged = "quota_project"

// login is where Google's users sign in; spec: upstreams §3.2. Its logins on
// other devices give no scope that these APIs take.
var login = provider.Login{
	Issuer: "Google", Auth: "https://accounts.google.com/o/oauth2/v2/auth", Token: "https://oauth2.googleapis.com/token",
	Device: "https://oauth2.googleapis.com/device/code", Userinfo: "https://www.googleapis.com/oauth2/v2/userinfo", Revoke: "https://oauth2.googleapis.com/revoke",
	Scopes:  []string{"https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email", "openid"},
	Params:  map[string]string{"access_type": "offline", "prompt": "consent"}, // else there is a refresh token the first time only
	Domains: []string{domain, "accounts.google.com"},
}

// domain is where Google's APIs are.
const domain = "googleapis.com"

// Login is where users of Google's APIs sign in.
func Login() *provider.Login { return &login }

// Tokens checks the base URL of an account that shows access tokens, which go
// to Google and to this machine only, and has it name who is charged.
func Tokens(a *provider.Account) error {
	if a.Tokens == nil {
		return nil
	}
	host := strings.ToLower(a.BaseURL.Hostname())
	if host != domain && !strings.HasSuffix(host, "."+domain) && !endpoint.Loopback(host) {
		return fmt.Errorf("base_url: a token of Google's goes to hosts of %s only", domain)
	}
	if err := endpoint.Word(a.Options, OptionCharged); err != nil {
		return err
	}
	charged := a.Options[OptionCharged]
	if p, ok := a.Tokens.(provider.Projects); ok && charged == "" {
		_, charged = p.Projects()
	}
	const header = "X-Goog-User-Project"
	if charged != "" && a.Header.Get(header) == "" {
		if a.Header = a.Header.Clone(); a.Header == nil {
			a.Header = http.Header{}
		}
		a.Header.Set(header, charged)
	}
	return nil
}

type google struct{}

// New returns the provider.
func New() provider.Provider { return google{} }

// Name implements provider.Provider.
func (google) Name() string { return Name }

// Prepare implements provider.Provider. The key goes into a header, never into
// the query, where logs would keep it.
func (google) Prepare(a *provider.Account) error {
	if err := home.Prepare(a); err != nil {
		return err
	}
	if home.Own(a) && a.BaseURL.Path == "" {
		return errors.New("base_url: it lacks the version; at generativelanguage.googleapis.com it is https://generativelanguage.googleapis.com/v1beta")
	}
	if err := Tokens(a); err != nil {
		return err
	}
	return endpoint.Header(a, endpoint.GoogKey)
}

// Login implements provider.Signer.
func (google) Login() *provider.Login { return &login }

// Speaks implements provider.Provider.
func (google) Speaks(a *provider.Account, op protocol.Op, _ string) []string {
	if op == protocol.Complete {
		return nil
	}
	return a.Protocols
}

// Address implements provider.Provider.
func (google) Address(out *http.Request, a *provider.Account, to provider.Target) error {
	return endpoint.Address(out, a, a.BaseURL, a.BaseURL.EscapedPath(), "", to, endpoint.GoogKey)
}

// Rules implements provider.Provider.
func (google) Rules() fault.Rules { return rules }
