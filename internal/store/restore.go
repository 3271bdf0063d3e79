package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"portico/internal/clientkey"
	"portico/internal/config"
)

// A Lot is what is put into the store at one time.
type Lot struct {
	Accounts []config.Account
	Keys     []clientkey.Record
	Rules    []Rule
	Proxies  []Proxy // by name, URL and Disabled
}

// Put adds what is in l, or changes what has the same names and ranges, all or
// none. It is on the disk when Put returns. The error is ErrTooMany,
// ErrTooManyKeys, ErrTooManyRules, ErrTooManyProxies or ErrKeyTaken, or says what
// is wrong with one of them.
func (s *Store) Put(ctx context.Context, l *Lot) error {
	now := time.Now().UTC()
	return s.changeAccounts(ctx, func(tx *sql.Tx) error {
		last, err := lastPosition(ctx, tx)
		if err != nil {
			return err
		}
		for i := range l.Accounts {
			// Those that come together keep their order.
			at := now.Add(time.Duration(i))
			x := Account{Account: l.Accounts[i], ID: rand.Text(), Version: 1, Created: at, Updated: at, position: last}
			switch old, err := s.findAccount(ctx, tx, x.Name); {
			case err == nil:
				x.ID, x.Version, x.Created, x.position = old.ID, old.Version+1, old.Created, old.position
			case !errors.Is(err, ErrNotFound):
				return err
			}
			if err := s.putAccount(ctx, tx, &x); err != nil {
				return fmt.Errorf("account %s: %w", x.Name, err)
			}
		}
		for i := range l.Keys {
			x := l.Keys[i]
			x.ID, x.Version, x.Created, x.Updated = rand.Text(), 1, now.Add(time.Duration(i)), now
			switch old, err := findKey(ctx, tx, x.Name, 0); {
			case err == nil:
				x.ID, x.Version, x.Created = old.ID, old.Version+1, old.Created
			case !errors.Is(err, ErrNoKey):
				return err
			}
			if err := putKey(ctx, tx, &x); err != nil {
				return fmt.Errorf("client key %s: %w", x.Name, err)
			}
		}
		for _, x := range l.Rules {
			if _, err := tx.ExecContext(ctx, "DELETE FROM rules WHERE range = ?", x.Range.String()); err != nil {
				return err
			}
			x.ID, x.Created = rand.Text(), now
			if err := putRule(ctx, tx, &x); err != nil {
				return fmt.Errorf("rule for %s: %w", x.Range, err)
			}
		}
		for _, x := range l.Proxies {
			if _, err := tx.ExecContext(ctx, "DELETE FROM proxies WHERE name = ?", x.Name); err != nil {
				return err
			}
			x.ID, x.Created, x.Updated = rand.Text(), now, now
			if err := s.putProxy(ctx, tx, &x); err != nil {
				return fmt.Errorf("proxy %s: %w", x.Name, err)
			}
		}
		return bounded(ctx, tx)
	})
}

// bounded says which table has more than it may.
func bounded(ctx context.Context, tx *sql.Tx) error {
	for _, t := range []struct {
		table string
		most  int
		err   error
	}{{"accounts", MaxAccounts, ErrTooMany}, {"keys", MaxKeys, ErrTooManyKeys}, {"rules", MaxRules, ErrTooManyRules}, {"proxies", MaxProxies, ErrTooManyProxies}} {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+t.table).Scan(&n); err != nil {
			return err
		}
		if n > t.most {
			return t.err
		}
	}
	return nil
}

// CopyLedger writes what the ledger holds into the file to. What ends meanwhile
// is not held up.
func (s *Store) CopyLedger(ctx context.Context, to string) error {
	return s.ledger.use(func(_, _ *sql.DB) error {
		db, err := s.ledger.connect(1)
		if err != nil {
			return err
		}
		defer db.Close()
		return vacuumInto(ctx, db, to)
	})
}

// errLedger: the file is none.
var errLedger = errors.New("the ledger in the backup cannot be read")

// MergeLedger adds the requests of the ledger in the file from, which may be of
// an older version, and says how many there were that were not known yet. The
// file is brought to this version's schema on the way.
func (s *Store) MergeLedger(ctx context.Context, from string) (added int64, err error) {
	from, err = filepath.Abs(from)
	if err != nil {
		return 0, err
	}
	old := &database{path: from, migrations: ledgerMigrations, probe: "SELECT " + columns + " FROM exchanges LIMIT 1", log: s.o.Log}
	err = old.tryOpen()
	if err == nil {
		_, err = old.write.ExecContext(ctx, "PRAGMA journal_mode = delete") // so that the file is all there is
	}
	if err = errors.Join(err, old.close()); err != nil {
		return 0, fmt.Errorf("%w: %w", errLedger, err)
	}
	defer func() {
		for _, suffix := range sidecars[1:] {
			_ = os.Remove(from + suffix)
		}
	}()
	err = s.ledger.use(func(write, _ *sql.DB) error {
		c, err := write.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.ExecContext(ctx, "ATTACH ? AS old", from); err != nil {
			return fmt.Errorf("%w: %w", errLedger, err)
		}
		defer c.ExecContext(context.WithoutCancel(ctx), "DETACH old")
		r, err := c.ExecContext(ctx, "INSERT OR IGNORE INTO main.exchanges ("+columns+") SELECT "+columns+" FROM old.exchanges")
		if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_CORRUPT {
			return errLedger // not ours
		}
		if err != nil {
			return err
		}
		added, err = r.RowsAffected()
		return err
	})
	s.rows.Add(added)
	return added, err
}
