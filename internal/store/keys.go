package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json/v2"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"portico/internal/clientkey"
)

// keysMigration makes the table of the keys that the operator hands out. A key
// itself is not in it, only its digest.
const keysMigration = `
CREATE TABLE keys (
	id       TEXT    PRIMARY KEY,
	name     TEXT    NOT NULL UNIQUE,
	hint     TEXT    NOT NULL,
	digest   BLOB    NOT NULL UNIQUE, -- SHA-256
	version  INTEGER NOT NULL,
	created  INTEGER NOT NULL,        -- nanoseconds since 1970
	updated  INTEGER NOT NULL,
	settings TEXT    NOT NULL         -- JSON
) STRICT;
`

const keyColumns = "id, name, hint, digest, version, created, updated, settings, checksum"

// MaxKeys is how many client keys the store takes.
const MaxKeys = 10_000

// Errors of client keys.
var (
	// ErrNoKey: there is no client key of that name.
	ErrNoKey = errors.New("there is no such client key")
	// ErrKeyTaken: another client key has the name.
	ErrKeyTaken = errors.New("another client key has this name")
	// ErrTooManyKeys: there are as many client keys as there can be.
	ErrTooManyKeys = errors.New("there are too many client keys")
	// ErrVersion: it was changed by somebody else meanwhile.
	ErrVersion = errors.New("it was changed meanwhile")
)

// Keys lists all client keys in the order in which they were made. One whose
// settings cannot be read is switched off in the list.
func (s *Store) Keys(ctx context.Context) (ks []clientkey.Record, err error) {
	err = s.accounts.use(func(_, read *sql.DB) error {
		ks = nil
		rows, err := read.QueryContext(ctx, "SELECT "+keyColumns+" FROM keys ORDER BY created, id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			k, err := scanKey(rows)
			if err != nil {
				return err
			}
			ks = append(ks, k)
		}
		return rows.Err()
	})
	return ks, err
}

// AddKey adds a client key: r's name, hint, digest and settings. It is on the
// disk when AddKey returns. The error is ErrKeyTaken or ErrTooManyKeys, or says
// what is wrong with it.
func (s *Store) AddKey(ctx context.Context, r clientkey.Record) (clientkey.Record, error) {
	now := time.Now().UTC()
	r.ID, r.Version, r.Created, r.Updated = rand.Text(), 1, now, now
	return r, s.changeAccounts(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM keys").Scan(&n); err != nil {
			return err
		}
		if n >= MaxKeys {
			return ErrTooManyKeys
		}
		return putKey(ctx, tx, &r)
	})
}

// ChangeKey gives the client key called name what change makes of it; id, name
// and times stay. version, unless 0, is the one that the change was made for.
// It is on the disk when ChangeKey returns. The error is ErrNoKey, ErrVersion
// or change's own.
func (s *Store) ChangeKey(ctx context.Context, name string, version int64, change func(*clientkey.Record) error) (clientkey.Record, error) {
	var r clientkey.Record
	err := s.changeAccounts(ctx, func(tx *sql.Tx) (err error) {
		old, err := findKey(ctx, tx, name, version)
		if err != nil {
			return err
		}
		r = old
		if err := change(&r); err != nil {
			return err
		}
		r.ID, r.Name, r.Created, r.Updated, r.Version = old.ID, old.Name, old.Created, time.Now().UTC(), old.Version+1
		return putKey(ctx, tx, &r)
	})
	return r, err
}

// RemoveKey forgets the client key called name. version is as in ChangeKey, and
// so are the errors.
func (s *Store) RemoveKey(ctx context.Context, name string, version int64) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		old, err := findKey(ctx, tx, name, version)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM keys WHERE id = ?", old.ID)
		}
		return err
	})
}

func findKey(ctx context.Context, tx *sql.Tx, name string, version int64) (clientkey.Record, error) {
	r, err := scanKey(tx.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM keys WHERE name = ?", name))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, ErrNoKey
	case err == nil && version != 0 && r.Version != version:
		return r, ErrVersion
	}
	return r, err
}

// maxSettings bounds what one key's settings take, in bytes of JSON.
const maxSettings = 256 << 10

func putKey(ctx context.Context, tx *sql.Tx, r *clientkey.Record) error {
	settings, err := json.Marshal(&r.Settings, json.Deterministic(true), jsonAnyText)
	if err != nil {
		return err
	}
	if len(settings) > maxSettings {
		return fmt.Errorf("the key's settings have %d bytes; at most %d can be stored", len(settings), maxSettings)
	}
	row := []any{r.ID, r.Name, r.Hint, r.Digest[:], r.Version, r.Created.UnixNano(), r.Updated.UnixNano(), string(settings)}
	_, err = tx.ExecContext(ctx, `INSERT INTO keys (`+keyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET hint = excluded.hint, digest = excluded.digest, version = excluded.version,
		updated = excluded.updated, settings = excluded.settings, checksum = excluded.checksum`, append(row, checksum(row...))...)
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		return ErrKeyTaken
	}
	return err
}

func scanKey(row interface{ Scan(...any) error }) (clientkey.Record, error) {
	var (
		r                clientkey.Record
		digest           []byte
		created, updated int64
		settings         string
		sum              []byte
	)
	if err := row.Scan(&r.ID, &r.Name, &r.Hint, &digest, &r.Version, &created, &updated, &settings, &sum); err != nil {
		return r, err
	}
	r.Created, r.Updated = time.Unix(0, created).UTC(), time.Unix(0, updated).UTC()
	whole := checks(sum, r.ID, r.Name, r.Hint, digest, r.Version, created, updated, settings)
	if err := json.Unmarshal([]byte(settings), &r.Settings); err != nil || len(digest) != len(r.Digest) || !whole {
		// What nobody can read, or was not written like that, permits nothing.
		r.Settings = clientkey.Settings{Disabled: true, Note: "its record was damaged on the disk; it is off until its settings are given anew"}
	}
	copy(r.Digest[:], digest)
	return r, nil
}
