// Package anthropic is Anthropic's own API, reached with an API key.
package anthropic

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/endpoint"
)

// Name is what the configuration calls the provider.
const Name = "anthropic"

// optionAuth is the option that says in which header the key goes. Anthropic
// takes both; proxies in front of it may not (spec: upstreams §3.1).
const optionAuth = "auth"

// Version is the version of the API that a request gets whose client asked for
// none. It is the one that has the meaning all clients know; what is newer
// refuses parameters that older clients send (spec: upstreams §1C.1).
const Version = "2023-06-01"

var version = []string{Version}

// home is where Anthropic's SDKs call; they append /v1/messages.
var home = endpoint.Home{
	Origin:    &url.URL{Scheme: "https", Host: "api.anthropic.com"},
	Protocols: []string{protocol.Anthropic},
	Options:   []string{optionAuth},
	Stems:     []string{"/v1", "/v1/messages"},
}

type anthropic struct{}

// New returns the provider.
func New() provider.Provider { return anthropic{} }

// Name implements provider.Provider.
func (anthropic) Name() string { return Name }

// Prepare implements provider.Provider.
func (anthropic) Prepare(a *provider.Account) error {
	if err := home.Prepare(a); err != nil {
		return err
	}
	if err := licit(a); err != nil {
		return err
	}
	form, err := formOf(a)
	if err != nil {
		return err
	}
	return endpoint.Header(a, form)
}

// licit refuses the tokens of Claude subscriptions, which Anthropic's terms
// reserve for its own programs (spec: upstreams §3.9).
func licit(a *provider.Account) error {
	if strings.HasPrefix(a.Key.Reveal(), "sk-ant-oat") {
		return errors.New("api_key: it is the token of a Claude subscription, which Anthropic's terms permit in its own programs only; make an API key at platform.claude.com")
	}
	return nil
}

// formOf is the form of a's key: x-api-key unless the operator says otherwise.
func formOf(a *provider.Account) (endpoint.Form, error) {
	if v := a.Options[optionAuth]; v != "" {
		return endpoint.ParseForm(v)
	}
	return endpoint.APIKey, nil
}

// Speaks implements provider.Provider.
func (anthropic) Speaks(a *provider.Account, op protocol.Op, _ string) []string {
	switch op {
	case protocol.Chat, protocol.Count, protocol.Other:
		return a.Protocols
	}
	return nil
}

// Address implements provider.Provider. The client's version and betas cross
// as they are.
func (anthropic) Address(out *http.Request, a *provider.Account, to provider.Target) error {
	form, err := formOf(a)
	if err != nil {
		return err
	}
	if err := endpoint.Address(out, a, a.BaseURL, a.BaseURL.EscapedPath(), "", to, form); err != nil {
		return err
	}
	if len(out.Header["Anthropic-Version"]) == 0 {
		out.Header["Anthropic-Version"] = version
	}
	return nil
}

// Rules implements provider.Provider.
func (anthropic) Rules() fault.Rules { return rules }
