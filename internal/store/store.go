// Package store keeps what must outlive the process: the ledger of requests
// and the accounts that the operator added.
//
// They lie in two SQLite databases, so that damage to the large one, which is
// written all the time, never concerns the small one, which holds credentials.
// A database that turns out to be damaged is set aside under another name and
// begun anew (the accounts from a copy that is made after every change), so
// that the server always starts.
package store

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"

	"portico/internal/llm"
	"portico/internal/secret"
)

// The files below the data folder.
const (
	ledgerFile   = "ledger.db"
	accountsFile = "accounts.db"
	keyFile      = "secret.key"
)

// Options are for Open.
type Options struct {
	// Price is what u costs in US dollars if model served it; known is false
	// if there is no price. It is asked once for each exchange, when it is
	// kept. Nil: nothing has a price.
	Price func(model string, u llm.Usage) (usd float64, known bool)
	// Sealer seals credentials; nil: with the key file in the data folder.
	Sealer *secret.Sealer
	Log    *slog.Logger
}

// A Store is open until Close and safe for concurrent use.
type Store struct {
	o        Options
	ledger   *database
	accounts *database
	grown    chan struct{} // the ledger has grown enough to be looked at
	growth   growth
	rows     atomic.Int64 // of the ledger, at most
}

// Errors.
var (
	// ErrNewer: the database was written by a newer version.
	ErrNewer = errors.New("it was written by a newer version of Portico")
	// ErrNotFound: there is no account of that name.
	ErrNotFound = errors.New("there is no such account")
	// ErrTaken: another account has the name.
	ErrTaken = errors.New("another account has this name")
	// ErrTooMany: there are as many accounts as there can be.
	ErrTooMany = errors.New("there are too many accounts")
	// ErrCursor: it does not come from a page of this ledger.
	ErrCursor = errors.New("the cursor is none of this ledger's")
)

// Open opens the databases in the data folder dir, which exists and is nobody
// else's meanwhile, and brings them to this version's schema. The error is
// ErrNewer if that cannot be done.
func Open(dir string, o Options) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Sealer == nil {
		o.Sealer = secret.NewSealer(filepath.Join(dir, keyFile))
	}
	if o.Price == nil {
		o.Price = func(string, llm.Usage) (float64, bool) { return 0, false }
	}
	s := &Store{
		o:        o,
		ledger:   &database{path: filepath.Join(dir, ledgerFile), migrations: ledgerMigrations, probe: "SELECT " + columns + " FROM exchanges LIMIT 1", log: o.Log, readers: 2},
		accounts: &database{path: filepath.Join(dir, accountsFile), migrations: accountsMigrations, probe: "SELECT " + accountColumns + " FROM accounts LIMIT 1", log: o.Log, precious: true},
		grown:    make(chan struct{}, 1),
		growth:   growth{step: growthStep},
	}
	s.rows.Store(uncounted)
	if err := s.accounts.open(); err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", s.accounts.path, err)
	}
	if err := s.ledger.open(); err != nil {
		s.accounts.close()
		return nil, fmt.Errorf("cannot open %s: %w", s.ledger.path, err)
	}
	return s, nil
}

// Broken names the files that were damaged and set aside since Open.
func (s *Store) Broken() []string {
	return append(s.accounts.setAside(), s.ledger.setAside()...)
}

// Close closes the databases. What was committed is safe without it.
func (s *Store) Close() error {
	return errors.Join(s.ledger.close(), s.accounts.close())
}
