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
			x := Account{Account: a, ID: rand.Text(), Created: now.Add(time.Duration(i)), Updated: now, position: last}
			if err := s.putAccount(ctx, tx, &x); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReplaceAccounts is ReplaceAccount of several, which keep their names, with
// the credentials that they are given: all of them, or none.
func (s *Store) ReplaceAccounts(ctx context.Context, as []config.Account) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		for _, a := range as {
			old, err := s.findAccount(ctx, tx, a.Name)
			if err != nil {
				return err
			}
			now := Account{Account: a, ID: old.ID, Created: old.Created, Updated: time.Now().UTC(), unread: old.unread, position: old.position}
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

// RemoveAccounts is RemoveAccount of several: all of them, or none. They are
// returned as they were, for RestoreAccounts.
func (s *Store) RemoveAccounts(ctx context.Context, names []string) (removed []Account, err error) {
	err = s.changeAccounts(ctx, func(tx *sql.Tx) error {
		removed = make([]Account, 0, len(names))
		for _, name := range names {
			a, err := s.findAccount(ctx, tx, name)
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
