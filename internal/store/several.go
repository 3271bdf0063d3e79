package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"time"

	"portico/internal/config"
)

// orderMigration adds what an operator arranges accounts by.
const orderMigration = `
ALTER TABLE accounts ADD COLUMN label TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN tags TEXT NOT NULL DEFAULT ''; -- JSON
ALTER TABLE accounts ADD COLUMN position INTEGER NOT NULL DEFAULT 0; -- in the operator's order
`

// lastPosition is that of the accounts at the end.
func lastPosition(ctx context.Context, tx *sql.Tx) (last int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT coalesce(max(position), 0) FROM accounts").Scan(&last)
	return last, err
}

// AddAccounts is AddAccount of several: all of them, or none.
func (s *Store) AddAccounts(ctx context.Context, as []config.Account) error {
	now := time.Now().UTC()
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM accounts").Scan(&n); err != nil {
			return err
		}
		if n+len(as) > MaxAccounts {
			return ErrTooMany
		}
		last, err := lastPosition(ctx, tx)
		if err != nil {
			return err
		}
		for i, a := range as {
			// Their order is that of the list.
			x := Account{Account: a, ID: rand.Text(), Version: 1, Created: now.Add(time.Duration(i)), Updated: now, position: last}
			if err := s.putAccount(ctx, tx, &x); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReplaceAccounts is ReplaceAccount of several, which keep their names, with
// the credentials that they are given: all of them, or none. versions, where it
// has one, is what a change was made for; another one is ErrVersion.
func (s *Store) ReplaceAccounts(ctx context.Context, as []config.Account, versions map[string]int64) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		for _, a := range as {
			old, err := s.findVersion(ctx, tx, a.Name, versions)
			if err != nil {
				return err
			}
			now := Account{Account: a, ID: old.ID, Version: old.Version + 1, Created: old.Created, Updated: time.Now().UTC(), unread: old.unread, position: old.position}
			if destination(&a) != destination(&old.Account) {
				delete(now.unread, fieldCredential)
			}
			if err := s.putAccount(ctx, tx, &now); err != nil {
				return err
			}
		}
		return nil
	})
}

// findVersion is findAccount of an account that has to have the version that
// versions has for it, if it has one.
func (s *Store) findVersion(ctx context.Context, tx *sql.Tx, name string, versions map[string]int64) (Account, error) {
	a, err := s.findAccount(ctx, tx, name)
	if want := versions[name]; err == nil && want != 0 && want != a.Version {
		err = ErrVersion
	}
	return a, err
}

// RemoveAccounts is RemoveAccount of several: all of them, or none. They are
// returned as they were, for RestoreAccounts. versions is as in
// ReplaceAccounts.
func (s *Store) RemoveAccounts(ctx context.Context, names []string, versions map[string]int64) (removed []Account, err error) {
	err = s.changeAccounts(ctx, func(tx *sql.Tx) error {
		removed = make([]Account, 0, len(names))
		for _, name := range names {
			a, err := s.findVersion(ctx, tx, name, versions)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM accounts WHERE id = ?", a.ID); err != nil {
				return err
			}
			removed = append(removed, a)
		}
		return nil
	})
	return removed, err
}

// RestoreAccounts puts back what RemoveAccounts removed: all, or none. The error
// is ErrTaken if a name has another account by now, or ErrTooMany.
func (s *Store) RestoreAccounts(ctx context.Context, as []Account) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM accounts").Scan(&n); err != nil {
			return err
		}
		if n+len(as) > MaxAccounts {
			return ErrTooMany
		}
		for i := range as {
			if err := s.putAccount(ctx, tx, &as[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// OrderAccounts has the accounts called names come first, in that order; the
// others follow in the order in which they were. An unknown name is ErrNotFound.
func (s *Store) OrderAccounts(ctx context.Context, names []string) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		// The others keep their order behind all positions that are given.
		if _, err := tx.ExecContext(ctx, "UPDATE accounts SET position = position + ? - (SELECT min(position) FROM accounts)", len(names)); err != nil {
			return err
		}
		for i, name := range names {
			r, err := tx.ExecContext(ctx, "UPDATE accounts SET position = ? WHERE name = ?", i, name)
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n == 0 {
				return ErrNotFound
			}
		}
		return nil
	})
}
