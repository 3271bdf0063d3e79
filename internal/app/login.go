package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"portico/internal/admin"
	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/provider"
	"portico/internal/provider/oauth"
	"portico/internal/secret"
	"portico/internal/store"
)

// logins are the logins that operators begin.
type logins struct{ *App }

// Begin implements admin.Logins.
func (l logins) Begin(ctx context.Context, ask admin.LoginAsk) (admin.Login, error) {
	c := ask.Account
	if ask.Again {
		stored, ok := accounts(l).Stored(c.Name)
		if !ok {
			return admin.Login{}, admin.ErrNotFound
		}
		c = stored
	}
	where, err := l.issuer(c.Provider)
	if err != nil {
		return admin.Login{}, err
	}
	o := oauth.Ask{For: c.Name, Method: oauth.Browser}
	if ask.Device {
		o.Method = oauth.Device
	}
	if ask.Again {
		o.Subject, o.Email = l.whose(c.Name)
	}
	if o.Client, err = clientOf(c, ask.Client, where); err != nil {
		return admin.Login{}, admin.Invalid{Err: err}
	}
	// That the account could not be is told now, and not to somebody who has
	// signed in for it.
	c.APIKey = o.Client.Document(secret.Of("pending")).Text()
	if err := checking(l.providers)(c); err != nil {
		return admin.Login{}, admin.Invalid{Err: err}
	}
	if o.Way, err = l.toIssuer(&c, o.Client.Token()); err != nil {
		return admin.Login{}, admin.Invalid{Err: err}
	}
	c.APIKey = secret.Text{}
	o.Done = func(ctx context.Context, cred *credential.Credential, g credential.Grant) (string, error) {
		if ask.Again {
			return l.renew(ctx, c.Name, cred, g)
		}
		return l.join(ctx, c, cred, g, ask.Test)
	}
	s, err := l.desk.Begin(ctx, o)
	switch {
	case errors.Is(err, oauth.ErrMany):
		return admin.Login{}, admin.ErrManyLogins
	case err != nil:
		return admin.Login{}, admin.Invalid{Err: err}
	}
	return shown(&s), nil
}

// Look implements admin.Logins.
func (l logins) Look(ctx context.Context, id string) (admin.Login, error) {
	s, err := l.desk.Wait(ctx, id)
	if err != nil {
		return admin.Login{}, admin.ErrNoLogin
	}
	return shown(&s), nil
}

// Paste implements admin.Logins.
func (l logins) Paste(id, answer string) error {
	switch err := l.desk.Paste(id, answer); {
	case errors.Is(err, oauth.ErrUnknown):
		return admin.ErrNoLogin
	case errors.Is(err, oauth.ErrOver):
		return admin.ErrLoginOver
	case err != nil:
		return admin.Invalid{Err: err}
	}
	return nil
}

// Cancel implements admin.Logins.
func (l logins) Cancel(id string) error {
	if l.desk.Cancel(id) != nil {
		return admin.ErrNoLogin
	}
	return nil
}

func shown(s *oauth.Status) admin.Login {
	return admin.Login{
		ID: s.ID, Name: s.For, Mode: string(s.Method), State: string(s.State), URL: s.URL, UserCode: s.UserCode, Redirect: s.Redirect,
		Expires: s.Until.UTC().Truncate(time.Second), Text: s.Text,
	}
}

// issuer is where the accounts of a provider sign in.
func (a *App) issuer(name string) (*provider.Login, error) {
	p := a.providers[name]
	if p == nil {
		return nil, admin.Invalid{Err: fmt.Errorf("provider: there is no %q", name)}
	}
	signer, ok := p.(provider.Signer)
	if !ok || signer.Login().Auth == "" {
		return nil, admin.Invalid{Err: fmt.Errorf("the provider %s takes keys only, no login; its vendor offers none to programs of others", name)}
	}
	return signer.Login(), nil
}

// whose is who has signed in for the account called name.
func (a *App) whose(name string) (subject, email string) {
	x, ok := a.pool.Find(name)
	if !ok {
		return "", ""
	}
	if s, ok := x.Tokens.(*credential.Source); ok {
		return s.Whose()
	}
	return "", ""
}

// clientOf is the client with which c signs in: that of file, or the one of its
// last login.
func clientOf(c config.Account, file secret.Text, l *provider.Login) (*oauth.Client, error) {
	switch {
	case !file.IsZero():
		return oauth.ParseClient(file, l)
	case !credential.IsDocument(c.APIKey):
		return nil, errors.New("client: an OAuth client of your own is needed, as the JSON file that its issuer's console has")
	}
	old, err := credential.Parse(c.APIKey, l)
	if err != nil {
		return nil, err
	}
	return oauth.ClientOf(old, l)
}

// toIssuer is c's way to the address at which its tokens are.
func (a *App) toIssuer(c *config.Account, at string) (http.RoundTripper, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	return a.wayOf(c, a.config.Load())(u.Hostname())
}

// join adds c, for which somebody has signed in.
func (l logins) join(ctx context.Context, c config.Account, cred *credential.Credential, g credential.Grant, test bool) (string, error) {
	if err := l.vault.Seed(ctx, cred, g); err != nil {
		return "", err
	}
	c.APIKey = cred.Text()
	found := "Signed in" + as(g.Email) + ". The account was not tested."
	if test {
		t, err := accounts(l).Probe(ctx, c)
		if err == nil && !t.OK {
			err = errors.New(t.Text + " The account was not added")
		}
		if err != nil {
			return "", errors.Join(err, l.vault.Forget(cred.ID()))
		}
		found = t.Text
	}
	if err := accounts(l).Add(ctx, c); err != nil {
		return "", errors.Join(err, l.vault.Forget(cred.ID()))
	}
	l.note(ctx, c.Name)
	return found, nil
}

// renew gives the account called name the credential of a new login. Whether
// its upstream would serve now is told, and changes nothing about that.
func (l logins) renew(ctx context.Context, name string, cred *credential.Credential, g credential.Grant) (string, error) {
	c, ok := accounts(l).Stored(name)
	if !ok {
		return "", errors.New("the account was removed meanwhile")
	}
	if err := l.vault.Seed(ctx, cred, g); err != nil {
		return "", err
	}
	c.APIKey = cred.Text()
	if err := accounts(l).Replace(ctx, []config.Account{c}, nil); err != nil {
		return "", err
	}
	l.note(ctx, name)
	found := "Signed in" + as(g.Email) + "."
	if t, err := accounts(l).Test(ctx, name); err == nil {
		found += " " + t.Text
	}
	return found, nil
}

func as(who string) string {
	if who == "" {
		return ""
	}
	return " as " + who
}

// note keeps in the audit log that a login for name has ended well.
func (a *App) note(ctx context.Context, name string) {
	act := store.Act{At: time.Now().UTC(), Who: "login", What: "finish-login", Whom: name}
	if err := a.store.KeepAct(ctx, act); err != nil {
		a.log.Error("that somebody signed in could not be kept", "account", name, "error", err)
	}
}
