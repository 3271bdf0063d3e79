package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"portico/internal/config"
	"portico/internal/secret"
)

// accountsMigrations make the schema of the operator's accounts. The blobs are
// sealed: a proxy's URL, headers and options may hold credentials too.
var accountsMigrations = []string{`
CREATE TABLE accounts (
	id          TEXT    PRIMARY KEY, -- stays when the name changes; sealed fields are bound to it
	name        TEXT    NOT NULL UNIQUE,
	provider    TEXT    NOT NULL,
	preset      TEXT    NOT NULL,
	protocols   TEXT    NOT NULL,    -- JSON
	base_url    TEXT    NOT NULL,
	models      TEXT    NOT NULL,    -- JSON
	priority    INTEGER NOT NULL,
	weight      INTEGER NOT NULL,
	rpm         INTEGER NOT NULL,
	tpm         INTEGER NOT NULL,
	concurrency INTEGER NOT NULL,
	disabled    INTEGER NOT NULL,
	created     INTEGER NOT NULL,    -- nanoseconds since 1970
	updated     INTEGER NOT NULL,
	credential  BLOB,                -- sealed; NULL: none
	proxy       BLOB,
	headers     BLOB,                -- of JSON
	options     BLOB                 -- of JSON
) STRICT;
`, keysMigration, rulesMigration, sessionsMigration, proxiesMigration, orderMigration, checkedMigration}

const accountColumns = `id, name, provider, preset, protocols, base_url, models, priority, weight, rpm, tpm, concurrency, disabled,
	created, updated, credential, proxy, headers, options, label, tags, version, checksum, position`

// MaxAccounts is how many accounts the store takes, as many as a pool does.
const MaxAccounts = 10_000

// maxAccount bounds what one account holds, in bytes of its texts.
const maxAccount = 256 << 10

// An Account is an account that the operator added.
type Account struct {
	config.Account
	ID               string // does not change with the name
	Version          int64  // goes up by one with every change
	Created, Updated time.Time
	// Damage says what of the account cannot be read, "" if all can. Such a
	// field is empty, and the account is disabled until it was replaced.
	Damage string
	unread map[string][]byte // the sealed fields that it is about

	position int64 // in the operator's order; of one position the older comes first
}

// Accounts lists all accounts in the order that OrderAccounts gave them, else in
// that in which they were added. An
// account of which something cannot be read does not hinder the others.
func (s *Store) Accounts(ctx context.Context) (as []Account, err error) {
	err = s.accounts.use(func(_, read *sql.DB) error {
		as = nil
		rows, err := read.QueryContext(ctx, "SELECT "+accountColumns+" FROM accounts ORDER BY position, created, id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			a, err := s.scanAccount(rows)
			if err != nil {
				return err
			}
			as = append(as, a)
		}
		return rows.Err()
	})
	return as, err
}

// Account returns the account called name, or ErrNotFound.
func (s *Store) Account(ctx context.Context, name string) (a Account, err error) {
	err = s.accounts.use(func(_, read *sql.DB) error {
		a, err = s.findAccount(ctx, read, name)
		return err
	})
	return a, err
}

// AddAccount adds a. It is on the disk when AddAccount returns. The error is
// ErrTaken or ErrTooMany, or says what is wrong with a.
func (s *Store) AddAccount(ctx context.Context, a config.Account) (Account, error) {
	now := time.Now().UTC()
	added := Account{Account: a, ID: rand.Text(), Version: 1, Created: now, Updated: now}
	return added, s.changeAccounts(ctx, func(tx *sql.Tx) (err error) {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM accounts").Scan(&n); err != nil {
			return err
		}
		if n >= MaxAccounts {
			return ErrTooMany
		}
		if added.position, err = lastPosition(ctx, tx); err != nil {
			return err
		}
		return s.putAccount(ctx, tx, &added)
	})
}

// ReplaceAccount puts a in the place of the account called name, which may be
// another than a's. version, unless 0, is the one that the change was made for.
// With keep, a.APIKey does not count and the stored
// credential stays, unless a goes elsewhere (another provider, preset or base
// URL): a credential goes nowhere but where it was given for, so it is then
// lost (spec: security SEC-34). Whether it stayed is seen from the result. What
// cannot be read and is not given anew stays as it is, for a key file may come
// back. The change is on the disk when ReplaceAccount returns. The error is
// ErrNotFound, ErrTaken or ErrVersion, or says what is wrong with a.
func (s *Store) ReplaceAccount(ctx context.Context, name string, version int64, a config.Account, keep bool) (Account, error) {
	var now Account
	err := s.changeAccounts(ctx, func(tx *sql.Tx) error {
		old, err := s.findAccount(ctx, tx, name)
		if err == nil && version != 0 && version != old.Version {
			err = ErrVersion
		}
		if err != nil {
			return err
		}
		if keep {
			a.APIKey = secret.Text{}
			if destination(&a) == destination(&old.Account) {
				a.APIKey = old.APIKey
			}
		}
		now = Account{Account: a, ID: old.ID, Version: old.Version + 1, Created: old.Created, Updated: time.Now().UTC(), unread: old.unread, position: old.position}
		if destination(&a) != destination(&old.Account) {
			delete(now.unread, fieldCredential)
		}
		return s.putAccount(ctx, tx, &now)
	})
	return now, err
}

// destination is what a credential is given for.
func destination(a *config.Account) [3]string { return [3]string{a.Provider, a.Preset, a.BaseURL} }

// RemoveAccount forgets the account called name and its credential. version and
// the errors are as in ReplaceAccount.
func (s *Store) RemoveAccount(ctx context.Context, name string, version int64) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM accounts WHERE name = ? AND (? = 0 OR version = ?)", name, version, version)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if err != nil || n > 0 {
			return err
		}
		var there bool
		if err := tx.QueryRowContext(ctx, "SELECT count(*) > 0 FROM accounts WHERE name = ?", name).Scan(&there); err != nil {
			return err
		}
		if there {
			return ErrVersion
		}
		return ErrNotFound
	})
}

// changeAccounts calls f in a transaction, after which the copy is made anew.
func (s *Store) changeAccounts(ctx context.Context, f func(*sql.Tx) error) error {
	return s.accounts.use(func(write, _ *sql.DB) error {
		tx, err := write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := f(tx); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		s.accounts.copySoon()
		return nil
	})
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) findAccount(ctx context.Context, db queryer, name string) (Account, error) {
	a, err := s.scanAccount(db.QueryRowContext(ctx, "SELECT "+accountColumns+" FROM accounts WHERE name = ?", name))
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, ErrNotFound
	}
	return a, err
}
