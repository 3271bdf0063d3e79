// Package compat is everybody who offers OpenAI's or Anthropic's protocols as
// their own: vendors, servers on the own machine, and gateways like this one.
// What is known of each is data, in presets.yaml; an account names an entry in
// preset, or none and its base URL.
//
// One account speaks all protocols that its vendor offers, on one origin, with
// one key.
package compat

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/endpoint"
)

// optionAuth is the option that says in which header the key goes.
const optionAuth = "auth"

// version is what a request in Anthropic's protocol gets whatever its client
// asked for: other vendors know no newer one (spec: upstreams §1C.1).
var version = []string{"2023-06-01"}

var chat = []string{protocol.OpenAIChat}

type compat struct {
	name string
	own  family // of the base URL
	only string // the one preset that there is, or ""
}

var _ provider.Tuner = (*compat)(nil)

// New returns the providers openai-compatible, anthropic-compatible and
// ollama, which is openai-compatible with the preset of the same name.
func New() []provider.Provider {
	return []provider.Provider{
		&compat{name: "openai-compatible", own: openAI},
		&compat{name: "anthropic-compatible", own: anthropic},
		&compat{name: "ollama", own: openAI, only: "ollama"},
	}
}

// Name implements provider.Provider.
func (c *compat) Name() string { return c.name }

// preset is that of a, which is prepared.
func (c *compat) preset(a *provider.Account) *preset {
	if p := presets()[a.Preset]; p != nil {
		return p
	}
	return stranger
}

// Prepare implements provider.Provider.
func (c *compat) Prepare(a *provider.Account) error {
	switch {
	case c.only != "" && a.Preset != "" && a.Preset != c.only:
		return fmt.Errorf("preset: the provider %s has no other than %s", c.name, c.only)
	case c.only != "":
		a.Preset = c.only
	case a.Preset != "" && presets()[a.Preset] == nil:
		return fmt.Errorf("preset: there is no %q; there are: %s", a.Preset, strings.Join(Presets(), ", "))
	}
	if err := endpoint.Options(a.Options, optionAuth); err != nil {
		return err
	}
	p := c.preset(a)
	if !p.speaks(c.own) {
		return fmt.Errorf("preset: %s does not offer what %s speaks; use the other of openai-compatible and anthropic-compatible", a.Preset, c.name)
	}
	if err := c.base(p, a); err != nil {
		return err
	}
	required := p.tame && !p.Local && a.BaseURL.Host == p.bases[c.own].Host
	if err := endpoint.Key(a.Key, required); err != nil {
		return err
	}
	offered, defaults := c.offered(p, a)
	var err error
	if a.Protocols, err = endpoint.Protocols(a.Protocols, offered, defaults); err != nil {
		return err
	}
	form, err := formOf(a)
	if err != nil {
		return err
	}
	return endpoint.Header(a, form)
}

// base checks a's base URL, or takes that of p.
func (c *compat) base(p *preset, a *provider.Account) (err error) {
	if a.BaseURL == nil {
		if !p.tame {
			return errors.New("base_url: it is missing; only a preset knows one")
		}
		a.BaseURL = p.bases[c.own]
		return nil
	}
	if a.BaseURL, err = endpoint.Base(a.BaseURL, p.Local, a.Options); err != nil {
		return err
	}
	if c.own == anthropic {
		return endpoint.Stem(a.BaseURL, "/v1", "/messages", "/models")
	}
	if p.Local && a.BaseURL.Path == "" {
		// People know their servers by the origin. Base returned a copy.
		a.BaseURL.Path = p.tails[openAI]
	}
	return endpoint.Stem(a.BaseURL, "/completions", "/responses", "/messages", "/models")
}

// offered are the protocols that a, whose base URL is known, can speak, those
// of its own family first; defaults are those that it speaks unless it says
// otherwise. Of a stranger only the first can be taken for granted.
func (c *compat) offered(p *preset, a *provider.Account) (offered, defaults []string) {
	byFamily := [families][]string{openAI: {protocol.OpenAIChat}, anthropic: {protocol.Anthropic}}
	if p.Responses {
		byFamily[openAI] = append(byFamily[openAI], protocol.OpenAIResponses)
	}
	for _, f := range []family{c.own, 1 - c.own} {
		if _, _, ok := p.split(a.BaseURL.EscapedPath(), c.own, f); ok && p.speaks(f) {
			offered = append(offered, byFamily[f]...)
		}
	}
	if !p.tame {
		return offered, offered[:1]
	}
	return offered, offered
}

// formOf is the form of a's key. All vendors take it as a bearer, in both
// families, and some in no other way: Ollama Cloud, vLLM.
func formOf(a *provider.Account) (endpoint.Form, error) {
	if v := a.Options[optionAuth]; v != "" {
		return endpoint.ParseForm(v)
	}
	return endpoint.Bearer, nil
}

// Speaks implements provider.Provider.
func (c *compat) Speaks(a *provider.Account, op protocol.Op, _ string) []string {
	p := c.preset(a)
	switch op {
	case protocol.Complete:
		return chatIf(p.Completes && a.Takes(protocol.OpenAIChat))
	case protocol.Embed:
		return chatIf(p.Embeds && a.Takes(protocol.OpenAIChat))
	case protocol.Images:
		return chatIf(!p.Draws && a.Takes(protocol.OpenAIChat))
	case protocol.Draw:
		return chatIf(p.Draws && a.Takes(protocol.OpenAIChat))
	case protocol.Count:
		for i, proto := range p.Counts {
			if a.Takes(proto) {
				return p.Counts[i : i+1 : i+1]
			}
		}
		return nil
	}
	return a.Protocols
}

func chatIf(ok bool) []string {
	if ok {
		return chat
	}
	return nil
}

// Address implements provider.Provider.
func (c *compat) Address(out *http.Request, a *provider.Account, to provider.Target) error {
	form, err := formOf(a)
	if err != nil {
		return err
	}
	head, more, _ := c.preset(a).split(a.BaseURL.EscapedPath(), c.own, familyOf(to.Protocol))
	if err := endpoint.Address(out, a, a.BaseURL, head, more, to, form); err != nil {
		return err
	}
	if to.Protocol == protocol.Anthropic && len(a.Header["Anthropic-Version"]) == 0 {
		out.Header["Anthropic-Version"] = version
	}
	return nil
}

// Quirks implements provider.Tuner.
func (c *compat) Quirks(a *provider.Account) *provider.Quirks { return &c.preset(a).quirks }

// Gauge implements provider.Gauger. Behind an address of the operator's own
// nobody knows what can be asked.
func (c *compat) Gauge(a *provider.Account) *provider.Gauge {
	p := c.preset(a)
	if p.Gauge == nil || p.bases[c.own] == nil || a.BaseURL.Scheme != p.bases[c.own].Scheme || a.BaseURL.Host != p.bases[c.own].Host {
		return nil
	}
	return p.Gauge
}

// Rules implements provider.Provider. The provider's name does not tell the
// vendor, so they are those of all vendors.
func (c *compat) Rules() fault.Rules { return rules }
