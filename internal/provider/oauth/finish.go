package oauth

import (
	"cmp"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/oauth2"

	"portico/internal/credential"
	"portico/internal/secret"
)

// device begins a login on another device. What it returns waits for its end.
func (l *login) device(ctx context.Context) (rest func(context.Context) error, err error) {
	where := &l.ask.Client.login
	if where.Device == "" || len(where.DeviceScopes) == 0 {
		return nil, fmt.Errorf("%s gives logins on other devices none of the scopes that its APIs take; sign in by a browser, and paste the address that it ends at", where.Issuer)
	}
	c := l.ask.Client.config("", where.DeviceScopes)
	client := credential.Client(l.ask.Way)
	da, err := beginDevice(ctx, client, c)
	if err != nil {
		return nil, errors.New(credential.Explain(err, l.ask.Client.secret))
	}
	if err := credential.CheckURL(da.VerificationURI, append(slices.Clone(where.Domains), "google.com")); err != nil || len(da.UserCode) > 64 {
		return nil, errors.New("the issuer sends people to an address that is not its own")
	}
	l.status.URL, l.status.UserCode = da.VerificationURI, credential.Line(da.UserCode)
	l.status.Until = time.Now().Add(deviceTime)
	if !da.Expiry.IsZero() && da.Expiry.Before(l.status.Until) {
		l.status.Until = da.Expiry
	}
	return func(ctx context.Context) error {
		t, err := poll(context.WithValue(ctx, oauth2.HTTPClient, client), c, da)
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return denied(err, where.Issuer, secret.Of(da.DeviceCode), l.ask.Client.secret)
		}
		l.set(Busy, "The login was agreed to and is looked at.")
		return l.finish(context.WithoutCancel(ctx), client, t, c.Scopes)
	}, nil
}

// beginDevice asks for a code to be shown (RFC 8628 §3.1).
func beginDevice(ctx context.Context, client *http.Client, c *oauth2.Config) (*oauth2.DeviceAuthResponse, error) {
	form := url.Values{"client_id": {c.ClientID}, "scope": {strings.Join(c.Scopes, " ")}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint.DeviceAuthURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &oauth2.RetrieveError{Response: resp, Body: b}
	}
	da := &oauth2.DeviceAuthResponse{}
	if err := json.Unmarshal(b, da); err != nil || da.DeviceCode == "" {
		return nil, errors.New("its answer is none of a login on another device")
	}
	return da, nil
}

// poll asks for the device's token until there is one, as often as the issuer
// permits. That it cannot be reached for a while ends nothing.
func poll(ctx context.Context, c *oauth2.Config, da *oauth2.DeviceAuthResponse) (*oauth2.Token, error) {
	for {
		t, err := c.DeviceAccessToken(ctx, da)
		if _, told := errors.AsType[*oauth2.RetrieveError](err); err == nil || told || ctx.Err() != nil {
			return t, err
		}
	}
}

// denied is why an issuer gave no token to a device (RFC 8628 §3.5).
func denied(err error, issuer string, hide ...secret.Text) error {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		switch e.ErrorCode {
		case "access_denied":
			return errors.New("what was asked for was refused at " + issuer)
		case "expired_token":
			return errors.New("its time is up")
		}
	}
	return errors.New(credential.Explain(err, hide...))
}

// finish makes a credential of what the issuer gave, and hands it on.
func (l *login) finish(ctx context.Context, client *http.Client, t *oauth2.Token, scopes []string) error {
	where := &l.ask.Client.login
	g, err := credential.Read(t, time.Now())
	if err != nil {
		return err
	}
	if g.Refresh.IsZero() {
		return fmt.Errorf("%s gave no refresh token, so that the login would end within the hour; withdraw the app's access in your account there, and sign in again", where.Issuer)
	}
	if given, ok := t.Extra("scope").(string); ok && given != "" && !slices.Contains(strings.Fields(given), scopes[0]) {
		return fmt.Errorf("the permission %s was not given; sign in again and tick its box", scopes[0])
	}
	if g.Subject == "" && where.Userinfo != "" {
		g.Subject, g.Email = whose(ctx, client, where.Userinfo, g.Access)
	}
	if !l.ask.admits(&g) {
		return fmt.Errorf("the account belongs to another identity than %s, who has signed in; it stays as it was", cmp.Or(g.Email, "somebody else"))
	}
	c := l.ask.Client.credential(scopes, g.Refresh)
	c.Subject, c.Email = g.Subject, g.Email
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	found, err := l.ask.Done(ctx, c, g)
	if err != nil {
		return err
	}
	l.set(Done, found)
	return nil
}

// admits reports whether g is of the one who must sign in.
func (a *Ask) admits(g *credential.Grant) bool {
	if a.Subject != "" {
		return g.Subject == a.Subject
	}
	return a.Email == "" || strings.EqualFold(g.Email, a.Email)
}

// whose asks the issuer whose token it gave. An issuer that does not answer
// leaves that open.
func whose(ctx context.Context, client *http.Client, at string, token secret.Text) (subject, email string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return "", ""
	}
	r.Header.Set("Authorization", "Bearer "+token.Reveal())
	resp, err := client.Do(r)
	if err != nil {
		return "", ""
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var u struct {
		ID    string `json:"id"`
		Sub   string `json:"sub"`
		Email string `json:"email"`
	}
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(b, &u) != nil {
		return "", ""
	}
	if u.Sub == "" {
		u.Sub = u.ID
	}
	return credential.Word(u.Sub), credential.Word(u.Email)
}

// sentence makes a sentence of err.
func sentence(err error) string {
	s := err.Error()
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + strings.TrimSuffix(s[n:], ".") + "."
}
