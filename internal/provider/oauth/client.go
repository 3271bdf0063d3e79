// Package oauth signs people in at issuers of tokens, with an OAuth client of
// the operator's own: in a browser on this machine (RFC 8252), by an address
// that leads nowhere and is pasted back, or on another device (RFC 8628). What
// comes of it is a credential, which is given to whoever began.
package oauth

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"

	"golang.org/x/oauth2"

	"portico/internal/credential"
	"portico/internal/provider"
	"portico/internal/secret"
)

// A Client is an OAuth client of the operator's own, and the issuer at which it
// is registered. It is not changed once it is made.
type Client struct {
	id     string
	secret secret.Text
	login  provider.Login
}

// clientFile is the file that Google gives the owner of a client, or what of it
// stands inside. The last two addresses have no place in Google's.
type clientFile struct {
	ID          string `json:"client_id"`
	Secret      string `json:"client_secret"`
	AuthURI     string `json:"auth_uri"`
	TokenURI    string `json:"token_uri"`
	DeviceURI   string `json:"device_uri"`
	UserinfoURI string `json:"userinfo_uri"`
}

// ParseClient reads a client's file for a login by l, in the form of Google's
// console ({"installed": {…}}) or as {"client_id": …, "client_secret": …}. An
// error shows no part of it.
func ParseClient(text secret.Text, l *provider.Login) (*Client, error) {
	var f struct {
		clientFile
		Installed *clientFile `json:"installed"`
		Web       *clientFile `json:"web"`
	}
	if len(text.Reveal()) > credential.MaxDocument || json.Unmarshal([]byte(text.Reveal()), &f, jsontext.AllowDuplicateNames(false)) != nil {
		return nil, errors.New("client: it is no file of an OAuth client; its issuer's console has it as JSON")
	}
	switch {
	case f.Web != nil:
		return nil, errors.New("client: it is one for web servers; make one for desktop apps, which may send people to any port of this machine")
	case f.Installed != nil:
		f.clientFile = *f.Installed
	}
	return newClient(f.clientFile, l)
}

// ClientOf is the client that c was made with.
func ClientOf(c *credential.Credential, l *provider.Login) (*Client, error) {
	if c.Kind != credential.User {
		return nil, errors.New("it is a service account, which signs in by itself; give it a new key")
	}
	own := clientFile{ID: c.ClientID, Secret: c.ClientSecret.Reveal(), TokenURI: c.TokenURL, UserinfoURI: c.Userinfo}
	if c.TokenURL != l.Token {
		return nil, errors.New("its credential is of another issuer than its provider's; send the client's file, too")
	}
	return newClient(own, l)
}

func newClient(f clientFile, l *provider.Login) (*Client, error) {
	if err := credential.CheckClient(f.ID); err != nil {
		return nil, err
	}
	c := &Client{id: f.ID, secret: secret.Of(f.Secret), login: *l}
	own := f.TokenURI != "" && f.TokenURI != l.Token
	if own { // an issuer of its own has its own of everything
		c.login.Auth, c.login.Device, c.login.Userinfo, c.login.Params = "", "", "", nil
		c.login.DeviceScopes = l.Scopes
	}
	for _, a := range []struct {
		at  *string
		own string
	}{{&c.login.Auth, f.AuthURI}, {&c.login.Token, f.TokenURI}, {&c.login.Device, f.DeviceURI}, {&c.login.Userinfo, f.UserinfoURI}} {
		if a.own == "" || !own && a.at == &c.login.Auth { // the console names an older address
			continue
		}
		if err := credential.CheckURL(a.own, l.Domains); err != nil {
			return nil, err
		}
		*a.at = a.own
	}
	return c, nil
}

// Token is the address at which codes and refresh tokens become access tokens.
func (c *Client) Token() string { return c.login.Token }

// Document is a credential of a refresh token that was given to c.
func (c *Client) Document(refresh secret.Text) *credential.Credential {
	return c.credential(c.login.Scopes, refresh)
}

func (c *Client) credential(scopes []string, refresh secret.Text) *credential.Credential {
	return &credential.Credential{
		Kind: credential.User, TokenURL: c.login.Token, Userinfo: c.login.Userinfo, Scopes: scopes, ClientID: c.id, ClientSecret: c.secret, Refresh: refresh,
	}
}

// config is c for a login that leads back to redirect.
func (c *Client) config(redirect string, scopes []string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.id, ClientSecret: c.secret.Reveal(), RedirectURL: redirect, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: c.login.Auth, TokenURL: c.login.Token, DeviceAuthURL: c.login.Device, AuthStyle: oauth2.AuthStyleInParams},
	}
}
