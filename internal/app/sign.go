package app

import (
	"fmt"
	"net/http"
	"net/url"

	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/glob"
	"portico/internal/pool"
	"portico/internal/provider"
	"portico/internal/secret"
)

// issuers are where accounts get access tokens from: a vault, and the way to a
// host for whoever has to ask its issuer.
type issuers struct {
	vault *credential.Vault
	way   func(host string) (http.RoundTripper, error)
}

// sign has a show tokens, if its key is a credential that has to be turned into
// such.
func (s *issuers) sign(a *provider.Account, p provider.Provider) error {
	if !credential.IsDocument(a.Key) {
		return nil
	}
	if _, reads := p.(provider.Reader); reads {
		return nil
	}
	signer, ok := p.(provider.Signer)
	if !ok {
		return fmt.Errorf("api_key: the provider %s takes keys only, no login or service account", a.Provider)
	}
	c, err := credential.Parse(a.Key, signer.Login())
	if err != nil {
		return fmt.Errorf("api_key: %w", err)
	}
	u, err := url.Parse(c.TokenURL)
	if err != nil {
		return fmt.Errorf("api_key: %w", err)
	}
	way, err := s.way(u.Hostname())
	if err != nil {
		return err
	}
	a.Key, a.Tokens = secret.Text{}, s.vault.Source(c, way)
	return nil
}

// checking prepares accounts that nobody will ask, to see whether they are
// sound.
func checking(ps map[string]provider.Provider) func(config.Account) error {
	return func(c config.Account) error {
		if err := config.CheckProxyChoice(c.Proxy); err != nil {
			return fmt.Errorf("proxy: %w", err)
		}
		v, err := credential.Open("", nil, nil) // in memory
		if err != nil {
			return err
		}
		if _, err := config.CheckLabel(c.Label); err != nil {
			return fmt.Errorf("label: %w", err)
		}
		for _, tag := range c.Tags {
			if _, err := config.CheckTag(tag); err != nil {
				return fmt.Errorf("tags: %w", err)
			}
		}
		for _, m := range c.Models {
			if _, err := glob.Compile(m); err != nil {
				return fmt.Errorf("models: %w", err)
			}
		}
		s := issuers{v, func(string) (http.RoundTripper, error) { return http.DefaultTransport, nil }}
		_, err = prepare(ps, c, &s)
		return err
	}
}

// tokensOf names the credential of the account called name, "" if it has a key.
func (a *App) tokensOf(name string) string {
	if x, ok := a.pool.Find(name); ok && x.Tokens != nil {
		return x.Tokens.ID()
	}
	return ""
}

// keepTokens has the vault let go of the credentials that no account has.
func (a *App) keepTokens(accounts []pool.Account) {
	used := map[string]bool{}
	for i := range accounts {
		if t := accounts[i].Tokens; t != nil {
			used[t.ID()] = used[t.ID()] || !accounts[i].Disabled
		}
	}
	a.vault.Keep(used)
}
