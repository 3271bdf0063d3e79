package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// proxiesMigration makes the table of outbound proxies.
const proxiesMigration = `
CREATE TABLE proxies (
	id       TEXT    PRIMARY KEY,
	name     TEXT    NOT NULL UNIQUE,
	url      BLOB    NOT NULL, -- sealed: it may hold a password
	disabled INTEGER NOT NULL,
	created  INTEGER NOT NULL, -- nanoseconds since 1970
	updated  INTEGER NOT NULL
) STRICT;
`

// MaxProxies is how many outbound proxies the store takes.
const MaxProxies = 100

// Errors of outbound proxies.
var (
	// ErrNoProxy: there is no proxy of that name.
	ErrNoProxy = errors.New("there is no such proxy")
	// ErrProxyTaken: another proxy has the name.
	ErrProxyTaken = errors.New("another proxy has this name")
	// ErrTooManyProxies: there are as many proxies as there can be.
	ErrTooManyProxies = errors.New("there are too many proxies")
)

// A Proxy is an outbound proxy that the operator added.
type Proxy struct {
	ID, Name         string
	URL              string // "" if it cannot be read; then it is disabled
	Disabled         bool
	Created, Updated time.Time
	Damage           string // says what cannot be read, "" if all can
}

// Proxies lists the proxies by name.
func (s *Store) Proxies(ctx context.Context) (ps []Proxy, err error) {
	err = s.accounts.use(func(_, read *sql.DB) error {
		ps = nil
		rows, err := read.QueryContext(ctx, proxyQuery+" ORDER BY name")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p, _, err := s.scanProxy(rows)
			if err != nil {
				return err
			}
			ps = append(ps, p)
		}
		return rows.Err()
	})
	return ps, err
}

const proxyQuery = "SELECT id, name, url, disabled, created, updated FROM proxies"

func (s *Store) scanProxy(row interface{ Scan(...any) error }) (p Proxy, sealed []byte, err error) {
	var created, updated int64
	if err := row.Scan(&p.ID, &p.Name, &sealed, &p.Disabled, &created, &updated); err != nil {
		return p, nil, err
	}
	p.Created, p.Updated = time.Unix(0, created).UTC(), time.Unix(0, updated).UTC()
	if p.URL, err = s.o.Sealer.Open(sealed, proxySeat(p.ID)...); err != nil {
		p.Damage, p.Disabled = fmt.Sprintf("its address cannot be read: %v", err), true
	}
	return p, sealed, nil
}

// proxySeat is where the sealed address of a proxy belongs.
func proxySeat(id string) []string { return []string{"proxies", id, "url"} }

// AddProxy adds a proxy: p's name, URL and Disabled. It is on the disk when
// AddProxy returns. The error is ErrProxyTaken or ErrTooManyProxies.
func (s *Store) AddProxy(ctx context.Context, p Proxy) (Proxy, error) {
	now := time.Now().UTC()
	p.ID, p.Created, p.Updated = rand.Text(), now, now
	return p, s.changeAccounts(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM proxies").Scan(&n); err != nil {
			return err
		}
		if n >= MaxProxies {
			return ErrTooManyProxies
		}
		return s.putProxy(ctx, tx, &p)
	})
}

func (s *Store) putProxy(ctx context.Context, tx *sql.Tx, p *Proxy) error {
	sealed, err := s.o.Sealer.Seal(p.URL, proxySeat(p.ID)...)
	if err != nil {
		return fmt.Errorf("the proxy cannot be stored: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO proxies (id, name, url, disabled, created, updated) VALUES (?, ?, ?, ?, ?, ?)",
		p.ID, p.Name, sealed, p.Disabled, p.Created.UnixNano(), p.Updated.UnixNano())
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		return ErrProxyTaken
	}
	return err
}

// ChangeProxy gives the proxy called name what change makes of it; only URL and
// Disabled count. An address that cannot be read stays as it is unless a new one
// is given, for a key file may come back. It is on the disk when ChangeProxy
// returns. The error is ErrNoProxy, or change's own.
func (s *Store) ChangeProxy(ctx context.Context, name string, change func(*Proxy) error) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		p, sealed, err := s.scanProxy(tx.QueryRowContext(ctx, proxyQuery+" WHERE name = ?", name))
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoProxy
		}
		if err == nil {
			err = change(&p)
		}
		if err != nil {
			return err
		}
		if p.URL != "" {
			if sealed, err = s.o.Sealer.Seal(p.URL, proxySeat(p.ID)...); err != nil {
				return fmt.Errorf("the proxy cannot be stored: %w", err)
			}
		}
		_, err = tx.ExecContext(ctx, "UPDATE proxies SET url = ?, disabled = ?, updated = ? WHERE id = ?", sealed, p.Disabled, time.Now().UnixNano(), p.ID)
		return err
	})
}

// RemoveProxy forgets the proxy called name, or returns ErrNoProxy.
func (s *Store) RemoveProxy(ctx context.Context, name string) error {
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM proxies WHERE name = ?", name)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNoProxy)
		}
		return nil
	})
}
