package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/netip"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// rulesMigration makes the table of the rules on addresses.
const rulesMigration = `
CREATE TABLE rules (
	id      TEXT    PRIMARY KEY,
	deny    INTEGER NOT NULL,
	range   TEXT    NOT NULL UNIQUE, -- such as 10.0.0.0/8
	reason  TEXT    NOT NULL,
	created INTEGER NOT NULL,        -- nanoseconds since 1970, as the one below
	expires INTEGER NOT NULL         -- 0: never
) STRICT;
`

// MaxRules is how many rules on addresses the store takes.
const MaxRules = 10_000

// forgetRules is how long a rule is kept after it has expired.
const forgetRules = 30 * 24 * time.Hour

// Errors of rules on addresses.
var (
	// ErrNoRule: there is no rule of that id.
	ErrNoRule = errors.New("there is no such rule")
	// ErrRuleTaken: there is a rule for this range.
	ErrRuleTaken = errors.New("there is a rule for this range; remove it first")
	// ErrTooManyRules: there are as many rules as there can be.
	ErrTooManyRules = errors.New("there are too many rules")
)

// A Rule is a rule on addresses and what became of it.
type Rule struct {
	ID      string
	Deny    bool
	Range   netip.Prefix
	Reason  string
	Created time.Time
	Expires time.Time // zero: never
}

// Rules lists the rules on addresses in the order in which they were made.
func (s *Store) Rules(ctx context.Context) (rs []Rule, err error) {
	err = s.accounts.use(func(_, read *sql.DB) error {
		rs = nil
		rows, err := read.QueryContext(ctx, "SELECT id, deny, range, reason, created, expires FROM rules ORDER BY created, id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Rule
			var text string
			var created, expires int64
			if err := rows.Scan(&r.ID, &r.Deny, &text, &r.Reason, &created, &expires); err != nil {
				return err
			}
			if r.Range, err = netip.ParsePrefix(text); err != nil {
				continue // it is for no address
			}
			r.Created = time.Unix(0, created).UTC()
			if expires != 0 {
				r.Expires = time.Unix(0, expires).UTC()
			}
			rs = append(rs, r)
		}
		return rows.Err()
	})
	return rs, err
}

// AddRule adds a rule. It is on the disk when AddRule returns. The error is
// ErrRuleTaken or ErrTooManyRules. Rules that expired long ago are forgotten.
func (s *Store) AddRule(ctx context.Context, r Rule) (Rule, error) {
	r.ID, r.Created = rand.Text(), time.Now().UTC()
	return r, s.changeAccounts(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM rules WHERE expires <> 0 AND expires < ?", r.Created.Add(-forgetRules).UnixNano()); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM rules").Scan(&n); err != nil {
			return err
		}
		if n >= MaxRules {
			return ErrTooManyRules
		}
		return putRule(ctx, tx, &r)
	})
}

func putRule(ctx context.Context, tx *sql.Tx, r *Rule) error {
	var expires int64
	if !r.Expires.IsZero() {
		expires = nanos(r.Expires)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO rules (id, deny, range, reason, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
		r.ID, r.Deny, r.Range.String(), clean(r.Reason), r.Created.UnixNano(), expires)
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		return ErrRuleTaken
	}
	return err
}

// RemoveRule forgets the rule with that id, or returns ErrNoRule.
func (s *Store) RemoveRule(ctx context.Context, id string) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM rules WHERE id = ?", id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNoRule)
		}
		return nil
	})
}
