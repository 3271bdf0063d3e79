package store

import (
	"context"
	"database/sql"
	"time"

	"portico/internal/session"
)

// sessionsMigration makes the tables of the operator's sessions and password.
const sessionsMigration = `
CREATE TABLE sessions (
	id      TEXT    PRIMARY KEY,
	digest  BLOB    NOT NULL UNIQUE, -- SHA-256 of the token
	host    TEXT    NOT NULL,
	address TEXT    NOT NULL,
	agent   TEXT    NOT NULL,
	way     TEXT    NOT NULL,
	created INTEGER NOT NULL,        -- nanoseconds since 1970, as the one below
	seen    INTEGER NOT NULL
) STRICT;
CREATE TABLE password (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	hash TEXT    NOT NULL
) STRICT;
`

// Sessions implements session.Keeper.
func (s *Store) Sessions(ctx context.Context) (rs []session.Record, password string, err error) {
	err = s.accounts.use(func(_, read *sql.DB) error {
		rs, password = nil, ""
		rows, err := read.QueryContext(ctx, "SELECT id, digest, host, address, agent, way, created, seen FROM sessions")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r session.Record
			var digest []byte
			var created, seen int64
			if err := rows.Scan(&r.ID, &digest, &r.Host, &r.Address, &r.Agent, &r.Way, &created, &seen); err != nil {
				return err
			}
			if copy(r.Digest[:], digest) != len(r.Digest) {
				continue // it is nobody's
			}
			r.Created, r.Seen = time.Unix(0, created).UTC(), time.Unix(0, seen).UTC()
			rs = append(rs, r)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return read.QueryRowContext(ctx, "SELECT coalesce(max(hash), '') FROM password").Scan(&password)
	})
	return rs, password, err
}

// PutSession implements session.Keeper.
func (s *Store) PutSession(ctx context.Context, r *session.Record) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO sessions (id, digest, host, address, agent, way, created, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			r.ID, r.Digest[:], clean(r.Host), clean(r.Address), clean(r.Agent), r.Way, r.Created.UnixNano(), r.Seen.UnixNano())
		return err
	})
}

// SeeSessions implements session.Keeper.
func (s *Store) SeeSessions(ctx context.Context, rs []session.Record) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		for i := range rs {
			if _, err := tx.ExecContext(ctx, "UPDATE sessions SET seen = ? WHERE id = ?", rs[i].Seen.UnixNano(), rs[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// EndSessions implements session.Keeper.
func (s *Store) EndSessions(ctx context.Context, ids []string) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE id = ?", id); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutPassword implements session.Keeper.
func (s *Store) PutPassword(ctx context.Context, hash string) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions"); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM password"); err != nil || hash == "" {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO password (one, hash) VALUES (1, ?)", hash)
		return err
	})
}
