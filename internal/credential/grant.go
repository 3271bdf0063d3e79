package credential

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json/v2"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"portico/internal/fault"
	"portico/internal/secret"
)

const (
	// maxToken is the longest token in bytes. Google's access tokens have up
	// to 2048.
	maxToken = 4 << 10
	// shortest and longest bound how long a token is believed to last, and
	// usual is for an issuer that does not say.
	shortest, usual, longest = time.Second, time.Hour, 24 * time.Hour
)

// A Grant is what an issuer gave.
type Grant struct {
	Access  secret.Text
	Life    time.Duration // from now
	Refresh secret.Text   // zero: the old one stays
	Subject string        // from the id_token, "" if there is none
	Email   string
}

// Client returns a client for requests to issuers that goes out by way. It
// follows no redirect, for what it sends is secret.
func Client(way http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: way, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask asks the issuer for an access token, with the refresh token of a user.
func (c *Credential) ask(ctx context.Context, client *http.Client, refresh secret.Text) (Grant, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	var t *oauth2.Token
	var err error
	switch c.Kind {
	case Program:
		t, err = c.askProgram(ctx)
	case Service:
		j := jwt.Config{Email: c.Email, PrivateKey: []byte(c.Key.Reveal()), PrivateKeyID: c.KeyID, Scopes: c.Scopes, TokenURL: c.TokenURL, Subject: ""}
		t, err = j.TokenSource(ctx).Token()
	default:
		o := oauth2.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), Endpoint: oauth2.Endpoint{TokenURL: c.TokenURL, AuthStyle: oauth2.AuthStyleInParams}}
		t, err = o.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh.Reveal()}).Token()
	}
	if err != nil {
		return Grant{}, err
	}
	g, err := Read(t, time.Now())
	if g.Refresh == refresh {
		g.Refresh = secret.Text{}
	}
	return g, err
}

// Read is what an issuer's answer gives at now.
func Read(t *oauth2.Token, now time.Time) (Grant, error) {
	g := Grant{Access: secret.Of(t.AccessToken), Refresh: secret.Of(t.RefreshToken), Life: usual}
	if !t.Expiry.IsZero() {
		g.Life = t.Expiry.Sub(now)
	}
	g.Life = min(max(g.Life, shortest), longest)
	switch {
	case t.AccessToken == "" || len(t.AccessToken) > maxToken || !printable(t.AccessToken):
		return g, errors.New("the issuer's access token is none")
	case len(t.RefreshToken) > maxToken || !printable(t.RefreshToken):
		return g, errors.New("the issuer's refresh token is none")
	case t.TokenType != "" && !strings.EqualFold(t.TokenType, "Bearer"):
		return g, errors.New("the issuer gives tokens of another kind than Bearer")
	}
	if id, ok := t.Extra("id_token").(string); ok {
		g.Subject, g.Email = claims(id)
	}
	return g, nil
}

// claims reads whom an id_token is about. It came from the issuer itself over
// TLS, so that its signature proves nothing more (OpenID Connect Core §3.1.3.7).
func claims(token string) (subject, email string) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > 64<<10 {
		return "", ""
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", ""
	}
	var c struct {
		Sub   string `json:"sub"`
		Email string `json:"email"`
	}
	if json.Unmarshal(b, &c) != nil {
		return "", ""
	}
	return Word(c.Sub), Word(c.Email)
}

// Word is a name that an issuer gave, or "" if it is unfit to be shown.
func Word(s string) string {
	if len(s) > 256 || strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r > 0x24F }) >= 0 {
		return ""
	}
	return s
}

// signer reads a service account's key.
func signer(key secret.Text) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(key.Reveal()))
	if block == nil {
		return nil, errors.New("private_key: it is no PEM")
	}
	if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if r, ok := k.(*rsa.PrivateKey); ok {
			return r, nil
		}
		return nil, errors.New("private_key: it is no RSA key")
	}
	k, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("private_key: it cannot be read")
	}
	return k, nil
}

// A refusal is what a failed request for a token means.
type refusal uint8

const (
	later   refusal = iota // the issuer could not be asked, or is out of order: try again
	dead                   // the credential is over; a person must sign in
	misfits                // the client or the request is wrong: a person must mend that
)

// read is what err, which a request for a token failed with, means, with the
// fault that the account then has. sure: the issuer has answered, and changed
// nothing. Spec: upstreams §3.3.
func (c *Credential) read(err error, refresh secret.Text) (r refusal, f *fault.Fault, sure bool) {
	f = &fault.Fault{Class: fault.Network, Scope: fault.Account, Phase: fault.Dialing}
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		f.Msg = "the issuer of its tokens could not be asked: " + c.clean(cause(err), refresh)
		return later, f, false
	}
	code, says, subtype := told(e)
	f.Status, f.Code = e.Response.StatusCode, c.clean(code, refresh)
	says = c.clean(says, refresh)
	switch {
	case f.Status >= 300 && f.Status < 400:
		f.Class, f.Msg = fault.Permission, "the issuer of its tokens sends us on to another address, which we do not follow"
		return misfits, f, true
	case code == "invalid_grant" && (strings.Contains(subtype, "rapt") || strings.Contains(says, "rapt")), code == "rapt_required", code == "invalid_rapt":
		f.Class, f.Msg = fault.CredentialExpired, "the organisation wants its user to prove who they are again"
		return dead, f, true
	case code == "invalid_grant" && c.Kind == Service:
		f.Class, f.Msg = fault.CredentialInvalid, "the service account's key is not taken: it was deleted or switched off, or this machine's clock is wrong"
		return dead, c.with(f, says), true
	case c.Kind == Program && refusedProgram(f.Status, code):
		f.Class, f.Msg = fault.CredentialInvalid, "the program's secret is not taken: it has lapsed, was removed, or belongs to another tenant"
		return dead, c.with(f, says), true
	case code == "invalid_grant":
		f.Class, f.Msg = fault.CredentialExpired, "the login is over: it was revoked, has lapsed, or its password was changed"
		return dead, c.with(f, says), true
	case code == "invalid_client" || code == "unauthorized_client" || code == "deleted_client" || code == "disabled_client":
		f.Class, f.Msg = fault.Permission, "the OAuth client is not taken; check its id and secret"
		return misfits, c.with(f, says), true
	case f.Status == http.StatusTooManyRequests || f.Status >= 500:
		f.Class, f.Msg = fault.Network, fmt.Sprintf("the issuer of its tokens is out of order (HTTP %d)", f.Status)
		return later, c.with(f, says), false
	}
	f.Class, f.Msg = fault.Permission, fmt.Sprintf("the issuer of its tokens refused the request (HTTP %d %s)", f.Status, f.Code)
	return misfits, c.with(f, says), true
}

// with is f with the issuer's own words.
func (c *Credential) with(f *fault.Fault, says string) *fault.Fault {
	if says != "" {
		f.Msg += ". It says: " + says
	}
	return f
}

// told is what an issuer's error says (RFC 6749 §5.2).
func told(e *oauth2.RetrieveError) (code, says, subtype string) {
	var b struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Subtype     string `json:"error_subtype"`
	}
	if json.Unmarshal(e.Body, &b) != nil {
		return word(e.ErrorCode), line(e.ErrorDescription), ""
	}
	return word(b.Error), line(b.Description), word(b.Subtype)
}

// word is a code of the standard's form, or "".
func word(s string) string {
	if len(s) > 64 || !printable(s) {
		return ""
	}
	return s
}

// line is a text of the issuer's, short and on one line.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200])
	}
	return strings.TrimSpace(s)
}

// cause is err without the address that was asked, which http puts before it.
func cause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return line(err.Error())
		}
		err = next
	}
}

// clean is text without the credential's secrets, and without the refresh token
// that took the place of its own.
func (c *Credential) clean(text string, refresh secret.Text) string {
	for _, t := range []secret.Text{c.Refresh, refresh, c.ClientSecret} {
		if s := t.Reveal(); len(s) > 4 {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}

// Line is a text of an issuer's or a browser's, short and on one line.
func Line(s string) string { return line(s) }

// Explain says why a request for a token failed, without the texts in hide.
func Explain(err error, hide ...secret.Text) string {
	text := ""
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		code, says, _ := told(e)
		if text = fmt.Sprintf("the issuer of tokens refused (HTTP %d %s)", e.Response.StatusCode, code); says != "" {
			text += ". It says: " + says
		}
	} else {
		text = "the issuer of tokens could not be asked: " + cause(err)
	}
	for _, t := range hide {
		if s := t.Reveal(); len(s) > 4 {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}
