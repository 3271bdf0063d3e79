// Package app puts the house together: it builds the gateway from its parts,
// starts it, reloads it and stops it. It is the only room that knows all
// others, and decides nothing that one of them could decide.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/access"
	"portico/internal/admin"
	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/egress"
	"portico/internal/fetch"
	"portico/internal/ingress"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/lock"
	"portico/internal/models"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/converse"
	"portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
	"portico/internal/provider"
	"portico/internal/provider/all"
	"portico/internal/provider/oauth"
	"portico/internal/relay"
	"portico/internal/responses"
	"portico/internal/secret"
	"portico/internal/session"
	"portico/internal/store"
	"portico/internal/telemetry"
	"portico/internal/translate"
	"portico/internal/version"
)

// An App is a gateway with everything open: the data folder is its own until
// Close. It serves once Serve is called.
type App struct {
	options   config.Options
	log       *telemetry.Log
	started   time.Time
	lock      *lock.Lock
	store     *store.Store
	journal   *journal.Journal
	sessions  *session.Book
	sealer    *secret.Sealer
	providers map[string]provider.Provider
	vault     *credential.Vault
	desk      *oauth.Desk
	bin       bin // of accounts
	out       *egress.Out
	fetch     *fetch.Client
	pool      *pool.Pool
	shelf     *models.Shelf
	gate      *access.Gate
	relay     *relay.Relay
	answers   *responses.Store
	homes     *responses.Homes
	recall    translate.Recall
	keepers   []keeper // of what is remembered for clients, on the disk
	codecs    map[string]ingress.Codec
	ingress   *ingress.Server
	admin     *admin.Handler
	flying    flying
	ready     atomic.Bool

	config atomic.Pointer[config.Config]
	// versions are those of the accounts of the store, by name.
	versions atomic.Pointer[map[string]int64]
	catalog  atomic.Pointer[catalog.Catalog]
	policy   atomic.Pointer[access.Policy]
	path     atomic.Pointer[relay.Settings]

	backing  sync.Mutex // one backup or restore at a time
	keysMu   sync.Mutex // one change of the client keys at a time
	mu       sync.Mutex // one change of the accounts or the configuration at a time
	warned   map[string]bool
	reloaded chan chan reloaded
}

// Providers returns the names that an account's provider may have, for the
// check of a configuration without a server.
func Providers() (names []string, check func(config.Account) error) {
	ps := map[string]provider.Provider{}
	for _, p := range all.New() {
		ps[p.Name()] = p
		names = append(names, p.Name())
	}
	return names, checking(ps)
}

// Open builds a gateway in the data folder that o names, and takes the folder.
// Log lines go to logs. The error is a *config.Error, a *lock.HeldError, or
// says what cannot be opened.
func Open(o config.Options, logs io.Writer) (_ *App, err error) {
	a := &App{options: o, started: time.Now(), providers: map[string]provider.Provider{}, gate: &access.Gate{}, warned: map[string]bool{}, reloaded: make(chan chan reloaded)}
	for _, p := range all.New() {
		a.providers[p.Name()] = p
		a.options.Providers = append(a.options.Providers, p.Name())
	}
	a.options.CheckAccount = checking(a.providers)
	a.options.Init = true
	c, warnings, err := config.Load(a.options)
	if err != nil {
		return nil, err
	}
	a.options.Init = false
	a.log = telemetry.NewLog(logs, c.Log)
	for _, w := range warnings {
		a.log.Warn("configuration", "problem", w.String())
	}
	if a.lock, err = lock.Take(c.DataDir, a.started); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = a.Close()
		}
	}()
	if err := clearAway(c.DataDir); err != nil {
		a.log.Warn("what a killed process has left cannot be removed", "error", err)
	}
	a.config.Store(c)
	a.catalog.Store(catalog.New(c.Models))
	sealer := a.seal(c)
	if a.store, err = store.Open(c.DataDir, store.Options{Price: a.price, Sealer: sealer, Log: a.log.Logger}); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if a.vault, err = credential.Open(c.DataDir, sealer, a.log.Logger); err != nil {
		return nil, err
	}
	if a.sessions, err = session.Open(context.Background(), a.store, time.Now); err != nil {
		return nil, fmt.Errorf("read the sessions: %w", err)
	}
	a.desk = oauth.NewDesk()
	for _, f := range a.store.Broken() {
		a.log.Error("a damaged file was set aside", "file", f)
	}
	if a.journal, err = journal.Open(c.DataDir, journal.Options{Keeper: a.store, Log: a.log.Logger}); err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if a.out, err = rooted(c); err != nil {
		return nil, err
	}
	a.fetch = fetch.New(agent(), c.Fetch.Cache)
	a.pool = pool.New(time.Now)
	if err := a.pool.Load(filepath.Join(c.DataDir, poolFile)); err != nil {
		a.log.Warn("the states that accounts had cannot be read; they begin anew", "error", err)
	}
	a.remember(c, sealer)
	a.build(c, sealer)
	if err := a.apply(c); err != nil {
		return nil, err
	}
	if err := a.vault.Sweep(); err != nil {
		a.log.Warn("tokens that no account has any more cannot be removed", "error", err)
	}
	if err := a.setKeys(context.Background()); err != nil {
		return nil, fmt.Errorf("read the client keys: %w", err)
	}
	if err := a.setRules(context.Background()); err != nil {
		return nil, fmt.Errorf("read the rules on addresses: %w", err)
	}
	return a, nil
}

const (
	// poolFile is where the pool keeps what outlives a restart.
	poolFile = "pool.json"
	// keyFile holds the key with which secrets and conversations are sealed.
	keyFile = "secret.key"
)

// codecs are the protocols that clients and upstreams speak. Others are spoken by
// upstreams only, see build.
func codecs() []ingress.Codec {
	return []ingress.Codec{openaichat.New(), openairesponses.New(), anthropic.New(), gemini.New()}
}

// build makes the rooms that a request passes through.
func (a *App) build(c *config.Config, sealer *secret.Sealer) {
	byName := map[string]ingress.Codec{}
	var list []protocol.Codec
	for _, k := range codecs() {
		byName[k.Name()] = k
		list = append(list, k)
	}
	list = append(list, converse.New())
	a.shelf = models.New(models.Options{Codecs: list, File: filepath.Join(c.DataDir, "models.json"), Agent: agent(), Log: a.log.Logger})
	a.relay = relay.New(relay.Options{
		Pool: a.pool, Codecs: list, Record: a.journal, Hop: journal.NewID()[4:], Agent: agent(), Now: time.Now, Log: a.log.Logger,
		Recall: a.recall, Responses: a.answers, Homes: a.homes, Sealer: sealer, Fetch: a.fetch,
	})
	a.codecs = byName
	a.admin = a.operator(c)
	a.ingress = ingress.New(ingress.Options{
		Relay: &a.flying, Codecs: byName, Gate: a.gate, Models: everything{a.shelf}, Admin: a.admin, Ready: a.ready.Load,
		NewID: journal.NewID, Log: a.log.Logger, Now: time.Now,
	})
	a.flying.next = a.relay
}

// agent is the User-Agent that upstreams see: the gateway's own.
func agent() string {
	v, _, _ := strings.Cut(version.String(), " ")
	return "portico/" + v
}

// price is what u costs at model's list price, by the catalogue in force.
func (a *App) price(model string, u llm.Usage) (float64, bool) {
	m, ok := a.catalog.Load().Lookup(model)
	if !ok {
		return 0, false
	}
	return catalog.Cost(u, m)
}

// Handler serves everything as the listener would.
func (a *App) Handler() http.Handler { return a.ingress }

// Admin serves the operator's side alone.
func (a *App) Admin() http.Handler { return a.admin }

// Config is the configuration in force.
func (a *App) Config() *config.Config { return a.config.Load() }

// Log is where the gateway's log lines go.
func (a *App) Log() *slog.Logger { return a.log.Logger }

// Flush brings what has ended into the ledger.
func (a *App) Flush(ctx context.Context) error { return a.journal.Flush(ctx) }

// Close gives everything back. What was recorded is safe without it.
func (a *App) Close() error {
	var errs []error
	if a.desk != nil { // a login that has had its answer may still want the store
		errs = append(errs, a.desk.Close())
	}
	if a.journal != nil {
		errs = append(errs, a.journal.Close())
	}
	a.log.Flush()
	for _, k := range a.keepers {
		errs = append(errs, k.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.vault != nil {
		errs = append(errs, a.vault.Close())
	}
	if a.out != nil {
		a.out.CloseIdle()
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Release())
	}
	return errors.Join(errs...)
}

// everything shows the clients of each protocol all models: what no account
// speaks of itself is translated.
type everything struct{ *models.Shelf }

// List implements ingress.Models.
func (e everything) List(string) []protocol.Model { return e.Shelf.List("") }

// Find implements ingress.Models.
func (e everything) Find(_, id string) (protocol.Model, bool) { return e.Shelf.Find("", id) }

// flying counts what is being served, between the way in and the relay.
type flying struct {
	next              *relay.Relay
	requests, streams atomic.Int64
}

var _ ingress.Relay = (*flying)(nil)
