package credential

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"portico/internal/provider"
	"portico/internal/secret"
)

// principal are the names under which Microsoft's own tool writes what a program
// signs in with: `az ad sp create-for-rbac`, and the same with --json-auth.
type principal struct {
	AppID    string `json:"appId,omitzero"`
	Password string `json:"password,omitzero"`
	Tenant   string `json:"tenant,omitzero"`

	ClientIDOf     string `json:"clientId,omitzero"`
	ClientSecretOf string `json:"clientSecret,omitzero"`
	TenantIDOf     string `json:"tenantId,omitzero"`
}

// program is the credential of a program (RFC 6749 §4.4), nil if d is of another
// kind or accounts that sign in by l have none.
func (d *document) program(l *provider.Login) (*Credential, error) {
	p := &d.principal
	named := p.AppID != "" || p.ClientIDOf != ""
	if l.Program == "" || Kind(d.Type) != Program && !(d.Type == "" && named) {
		return nil, nil
	}
	c := &Credential{Kind: Program, TokenURL: d.TokenURI, Scopes: d.Scopes, ClientID: d.ClientID, ClientSecret: secret.Of(d.ClientSecret)}
	tenant := p.Tenant + p.TenantIDOf
	if named {
		c.ClientID, c.ClientSecret = p.AppID+p.ClientIDOf, secret.Of(p.Password+p.ClientSecretOf)
	}
	if len(c.Scopes) == 0 {
		c.Scopes = l.Scopes
	}
	switch {
	case c.ClientID == "" || !printable(c.ClientID):
		return nil, errors.New("appId: it is missing")
	case c.ClientSecret.IsZero() || !printable(c.ClientSecret.Reveal()):
		return nil, errors.New("password: it is missing")
	case c.TokenURL == "" && (tenant == "" || strings.ContainsFunc(tenant, notOfTenant)):
		return nil, errors.New("tenant: it is missing, or is none")
	case c.TokenURL == "":
		c.TokenURL = strings.Replace(l.Program, "{tenant}", url.PathEscape(tenant), 1)
	}
	return c, CheckURL(c.TokenURL, l.Domains)
}

func notOfTenant(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
}

// askProgram asks for a token with a program's own secret.
func (c *Credential) askProgram(ctx context.Context) (*oauth2.Token, error) {
	p := clientcredentials.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), TokenURL: c.TokenURL, Scopes: c.Scopes, AuthStyle: oauth2.AuthStyleInParams}
	return p.Token(ctx)
}

// refusedProgram reports whether an issuer's answer says that a program's secret
// is over or wrong, or that there is no such program.
func refusedProgram(status int, code string) bool {
	return status == http.StatusUnauthorized || code == "invalid_client" || code == "unauthorized_client"
}
