// Package google is Google's Gemini API (AI Studio), reached with an API key.
package google

import (
	"errors"
	"net/http"
	"net/url"

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
	Stems:     []string{"/models", "/openai"},
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
	return endpoint.Header(a, endpoint.GoogKey)
}

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
