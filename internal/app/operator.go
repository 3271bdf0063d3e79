package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"unicode"
	"unicode/utf8"

	"portico/internal/admin"
	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/pool"
	"portico/internal/provider/simulator"
	"portico/internal/store"
	"portico/internal/telemetry"
	"portico/internal/version"
	"portico/web"
)

// address is where this machine reaches the server.
func address(c *config.Config) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port))
}

// operator builds the operator's side, and what listens to the journal for it.
func (a *App) operator(c *config.Config) *admin.Handler {
	feed := admin.NewFeed()
	metrics := telemetry.NewMetrics(telemetry.Sources{
		Version:  version.String(),
		Provider: a.providerOf,
		Accounts: func() map[string]int { return admin.CountStates(a.pool.Views()) },
		Flying:   a.flying.counts,
		Journal:  a.journal.Stats,
	})
	a.journal.Listen(feed)
	a.journal.Listen(metrics)
	a.journal.Listen(telemetry.Lines{Log: a.log})
	doors := &admin.Doors{Book: a.sessions, Gate: a.gate, Policy: a.policy.Load, Cookie: "portico_" + strconv.Itoa(c.Port)}
	return admin.New(admin.Options{
		Version: version.String(), Address: address(c), Started: a.started,
		Authorise: doors.Authorise, Doors: doors, ClientOf: admin.ClientOf(a.policy.Load),
		Config: a.config.Load, Accounts: accounts{a}, Keys: clientKeys{a}, Access: addresses{a}, Proxies: outbound{a}, Backups: backups{a}, File: file{a}, Acts: a.store, Ledger: a.store, Models: a.shelf, Feed: feed,
		Catalog: func() *catalog.Catalog { return a.catalog.Load() },
		Logins:  logins{a}, Vendors: a.vendors,
		Settle: a.journal.Flush, Reload: a.Reload, Doctor: a.doctor, Flying: a.flying.counts, Journal: a.journal.Stats, Metrics: metrics.Write, Foresee: a.foresee,
		Secrets: a.sealer.Place, Page: a.page(c), Log: a.log.Logger,
	})
}

// page is the page in the browser. That it cannot be made is a defect of the
// build, which is told where it is looked at.
func (a *App) page(c *config.Config) http.Handler {
	model := ""
	if c.Simulator {
		model = simulator.Name
	}
	h, err := web.Handler(web.Info{Version: version.String(), Address: address(c), Model: model})
	if err != nil {
		a.log.Error("the page cannot be made", "error", err)
		return http.NotFoundHandler()
	}
	return h
}

func (a *App) providerOf(name string) string {
	if x, ok := a.pool.Find(name); ok {
		return x.Provider
	}
	return ""
}

// accounts is what an operator does with accounts.
type accounts struct{ *App }

// Views implements admin.Accounts.
func (a accounts) Views() []pool.View { return a.pool.Views() }

// Heal implements admin.Accounts.
func (a accounts) Heal(name string) { a.pool.Heal(name) }

// Stored implements admin.Accounts.
func (a accounts) Stored(name string) (config.Account, bool) {
	s, err := a.store.Account(context.Background(), name)
	return s.Account, err == nil
}

// Add implements admin.Accounts.
func (a accounts) Add(ctx context.Context, c config.Account) error {
	if _, ok := a.pool.Find(c.Name); ok {
		return admin.ErrTaken
	}
	if err := checking(a.providers)(c); err != nil {
		return admin.Invalid{Err: err}
	}
	if _, err := a.store.AddAccount(ctx, c); err != nil {
		return told(err)
	}
	return a.refresh()
}

// Versions implements admin.Accounts.
func (a accounts) Versions() map[string]int64 { return *a.versions.Load() }

// told is err as the admin API tells it.
func told(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return admin.ErrNotFound
	case errors.Is(err, store.ErrTaken):
		return admin.ErrTaken
	case errors.Is(err, store.ErrTooMany):
		return admin.Invalid{Err: err}
	}
	return err
}

// refresh puts the accounts of the store into the pool.
func (a *App) refresh() error { return a.apply(a.config.Load()) }

// Test implements admin.Accounts.
func (a accounts) Test(ctx context.Context, name string) (admin.Tested, error) {
	x, ok := a.pool.Find(name)
	if !ok {
		return admin.Tested{}, admin.ErrNotFound
	}
	t := a.tested(ctx, x)
	if t.OK {
		a.pool.Vouch(name)
	}
	return t, nil
}

// sentence makes a sentence of what begins like the middle of one.
func sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:] + "."
}
