package app

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"portico/internal/config"
	"portico/internal/egress"
	"portico/internal/glob"
	"portico/internal/pool"
	"portico/internal/provider"
	"portico/internal/provider/simulator"
)

// prepare makes of what the operator wrote an account as its provider takes
// it. The error names the field that is wrong. Access tokens, if it shows such,
// come from s.
func prepare(ps map[string]provider.Provider, c config.Account, s *issuers) (*provider.Account, error) {
	p := ps[c.Provider]
	if p == nil {
		return nil, fmt.Errorf("provider: there is no %q", c.Provider)
	}
	a := &provider.Account{Name: c.Name, Provider: c.Provider, Preset: c.Preset, Protocols: slices.Clone(c.Protocols), Key: c.APIKey, Options: c.Options}
	if c.BaseURL != "" {
		u, err := url.Parse(c.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("base_url: it is no URL")
		}
		a.BaseURL = u
	}
	if len(c.Headers) > 0 {
		a.Header = http.Header{}
		for name, value := range c.Headers {
			a.Header.Set(name, value)
		}
	}
	if err := s.sign(a, p); err != nil {
		return nil, err
	}
	if err := p.Prepare(a); err != nil {
		return nil, err
	}
	return a, nil
}

// wayOf is c's way out to a host. set is the configuration that holds for all.
func (a *App) wayOf(c *config.Account, set *config.Config) func(host string) (http.RoundTripper, error) {
	proxy, name := proxyOf(c, set), c.Name
	return func(host string) (http.RoundTripper, error) { return a.out.Way(proxy, name, egress.Local(host)) }
}

// account makes an account of the pool. set is the configuration that holds for
// all.
func (a *App) account(c config.Account, set *config.Config) (pool.Account, error) {
	way := a.wayOf(&c, set)
	pa, err := prepare(a.providers, c, &issuers{a.vault, way})
	if err != nil {
		return pool.Account{}, err
	}
	x := pool.Account{
		Account: pa, By: a.providers[c.Provider], Priority: c.Priority, Weight: max(c.Weight, 1),
		RPM: c.Limits.RPM, TPM: c.Limits.TPM, Parallel: c.Limits.Concurrency, Disabled: c.Disabled,
		Label: c.Label, Tags: c.Tags,
	}
	for _, m := range c.Models {
		g, err := glob.Compile(m)
		if err != nil {
			return pool.Account{}, fmt.Errorf("models: %w", err)
		}
		x.Models = append(x.Models, g)
	}
	if t, ok := x.By.(provider.Transporter); ok {
		x.Way = t.Transport()
		return x, nil
	}
	x.Proxy = shared(proxyOf(&c, set), c.Name)
	if x.Way, err = way(pa.BaseURL.Hostname()); err != nil {
		return pool.Account{}, err
	}
	if w, ok := x.By.(provider.Wrapper); ok {
		x.Way = w.Wrap(pa, x.Way)
	}
	return x, nil
}

// simulated is the account of the simulator. While there is no other account
// that is on it answers to every model's name, else to its own names only.
func (a *App) simulated(alone bool) (pool.Account, error) {
	c := config.Account{Name: simulator.Name, Provider: simulator.Name, Weight: 1}
	if !alone {
		c.Models = []string{"simulator", "simulator-*"}
	}
	x, err := a.account(c, &config.Config{})
	x.Reserved = true
	return x, err
}
