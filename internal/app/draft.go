package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"portico/internal/admin"
	"portico/internal/config"
	"portico/internal/gauge"
	"portico/internal/models"
	"portico/internal/pace"
	"portico/internal/pool"
	"portico/internal/provider/oauth"
	"portico/internal/secret"
)

// Probe implements admin.Accounts. What a login's issuer gives meanwhile is
// kept, for its refresh token may be another afterwards.
func (a accounts) Probe(ctx context.Context, c config.Account) (admin.Tested, error) {
	if err := checking(a.providers)(c); err != nil {
		return admin.Tested{}, admin.Invalid{Err: err}
	}
	x, err := a.account(c, a.config.Load())
	if err != nil {
		return admin.Tested{}, admin.Invalid{Err: err}
	}
	defer a.dropDrafts()
	return a.tested(ctx, &x), nil
}

// dropDrafts has the vault let go of credentials that were tried only.
func (a *App) dropDrafts() {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []pool.Account
	for _, v := range a.pool.Views() {
		all = append(all, *v.Account)
	}
	a.keepTokens(all)
}

// tested asks x whether it would serve, and what else its vendor says of it.
func (a *App) tested(ctx context.Context, x *pool.Account) admin.Tested {
	r := a.shelf.Probe(ctx, x)
	t := admin.Tested{OK: r.OK, TookMS: r.Latency.Milliseconds(), Models: r.Models, Why: r.Class, Message: r.Vendor, Text: finding(&r)}
	if x.Tokens != nil && r.OK {
		t.Login = x.Tokens.Condition(time.Now()).Who
	}
	if t.Login != "" {
		t.Text += " It is signed in as " + t.Login + "."
	}
	if r.OK {
		if left, err := gauge.Ask(ctx, x, agent()); err == nil { // nobody needs to know
			t.Text += remains(left)
		}
	}
	return t
}

// finding is what r found, and what to do about it.
func finding(r *models.Report) string {
	text := sentence(r.Says)
	if r.Do != "" {
		text += " " + sentence(r.Do)
	}
	return text
}

// remains says what is left of money, the first of left that is.
func remains(left []pace.Allowance) string {
	for i := range left {
		if l := &left[i]; l.Currency != "" {
			return fmt.Sprintf(" %.2f %s are left.", l.Amount, l.Currency)
		}
	}
	return ""
}

// Document implements admin.Accounts.
func (a accounts) Document(name string, refresh, client secret.Text) (secret.Text, error) {
	where, err := a.issuer(name)
	if err != nil {
		return secret.Text{}, err
	}
	if client.IsZero() {
		return secret.Text{}, admin.Invalid{Err: errors.New("client: a refresh token is good with the OAuth client that it was given to, and with no other; send that client's file, too")}
	}
	c, err := oauth.ParseClient(client, where)
	if err != nil {
		return secret.Text{}, admin.Invalid{Err: err}
	}
	return c.Document(refresh).Text(), nil
}
