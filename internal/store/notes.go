package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"
)

// notesMigration makes the tables of what happened at the gate, of what
// operators did, and of how often rules on addresses have decided.
const notesMigration = `
CREATE TABLE notes (
	n     INTEGER PRIMARY KEY AUTOINCREMENT,
	first INTEGER NOT NULL, -- nanoseconds since 1970, as the one below
	last  INTEGER NOT NULL,
	peer  TEXT    NOT NULL,
	key   TEXT    NOT NULL,
	code  TEXT    NOT NULL,
	path  TEXT    NOT NULL,
	count INTEGER NOT NULL
) STRICT;
CREATE TABLE acts (
	n    INTEGER PRIMARY KEY AUTOINCREMENT,
	at   INTEGER NOT NULL, -- nanoseconds since 1970
	who  TEXT    NOT NULL,
	peer TEXT    NOT NULL,
	what TEXT    NOT NULL,
	whom TEXT    NOT NULL
) STRICT;
CREATE TABLE hits (
	rule TEXT    PRIMARY KEY,
	hits INTEGER NOT NULL,
	last INTEGER NOT NULL  -- nanoseconds since 1970
) STRICT;
`

// MaxNotes and MaxActs are how many notes and acts are kept, the latest.
const (
	MaxNotes = 10_000
	MaxActs  = 10_000
)

// A Note is what happened at the gate, Count times from First to Last.
type Note struct {
	First, Last           time.Time
	Peer, Key, Code, Path string
	Count                 int64
}

// An Act is what an operator did.
type Act struct {
	At   time.Time
	Who  string // token, or the session
	Peer string // from where, "": on this machine without a server
	What string // such as add-key
	Whom string // to what
}

// Hits are how often a rule on addresses has decided.
type Hits struct {
	Hits int64
	Last time.Time
}

// KeepNotes adds notes, oldest first, and hits, by the rules' ids, which came
// until now. They are on the disk when it returns.
func (s *Store) KeepNotes(ctx context.Context, notes []Note, hits map[string]int64, now time.Time) error {
	return s.changeLedger(ctx, func(tx *sql.Tx) error {
		for i := range notes {
			x := &notes[i]
			if _, err := tx.ExecContext(ctx, "INSERT INTO notes (first, last, peer, key, code, path, count) VALUES (?, ?, ?, ?, ?, ?, ?)",
				nanos(x.First), nanos(x.Last), clean(x.Peer), clean(x.Key), clean(x.Code), clean(x.Path), x.Count); err != nil {
				return err
			}
		}
		for rule, n := range hits {
			if _, err := tx.ExecContext(ctx, "INSERT INTO hits (rule, hits, last) VALUES (?, ?, ?) ON CONFLICT (rule) DO UPDATE SET hits = hits + excluded.hits, last = excluded.last",
				rule, n, nanos(now)); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM notes WHERE n <= (SELECT max(n) FROM notes) - ?", MaxNotes)
		return err
	})
}

// RuleHits are the hits of all rules, by their ids.
func (s *Store) RuleHits(ctx context.Context) (all map[string]Hits, err error) {
	err = s.ledger.use(func(_, read *sql.DB) error {
		all = map[string]Hits{}
		rows, err := read.QueryContext(ctx, "SELECT rule, hits, last FROM hits")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var h Hits
			var last int64
			if err := rows.Scan(&id, &h.Hits, &last); err != nil {
				return err
			}
			h.Last = time.Unix(0, last).UTC()
			all[id] = h
		}
		return rows.Err()
	})
	return all, err
}

// ForgetHits forgets the hits of a rule.
func (s *Store) ForgetHits(ctx context.Context, rule string) error {
	return s.changeLedger(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM hits WHERE rule = ?", rule)
		return err
	})
}

// KeepAct adds an act. It is on the disk when KeepAct returns.
func (s *Store) KeepAct(ctx context.Context, a Act) error {
	return s.changeLedger(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO acts (at, who, peer, what, whom) VALUES (?, ?, ?, ?, ?)",
			nanos(a.At), clean(a.Who), clean(a.Peer), clean(a.What), clean(a.Whom)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM acts WHERE n <= (SELECT max(n) FROM acts) - ?", MaxActs)
		return err
	})
}

func (s *Store) changeLedger(ctx context.Context, f func(*sql.Tx) error) error {
	return s.ledger.use(func(write, _ *sql.DB) error {
		tx, err := write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := f(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// A Past says which notes or acts are wanted. Empty members match all.
type Past struct {
	Since, Until    time.Time
	Peer, Key, What string // What is a note's code or an act's what
	Limit           int    // 1 to MaxPage; 0: DefaultPage
	Cursor          string // from a page before
}

// query is the query of a page of table, newest first.
func (p *Past) query(table, columns, at, what string) (sql string, args []any, limit int, err error) {
	w := new(where)
	if !p.Since.IsZero() {
		w.add(at+" >= ?", nanos(p.Since))
	}
	if !p.Until.IsZero() {
		w.add(at+" < ?", nanos(p.Until))
	}
	if p.Peer != "" {
		w.add("peer = ?", p.Peer)
	}
	if p.Key != "" {
		w.add("key = ?", p.Key)
	}
	if p.What != "" {
		w.add(what+" = ?", p.What)
	}
	if p.Cursor != "" {
		n, err := strconv.ParseInt(p.Cursor, 36, 64)
		if err != nil {
			return "", nil, 0, ErrCursor
		}
		w.add("n < ?", n)
	}
	if limit = p.Limit; limit <= 0 {
		limit = DefaultPage
	}
	limit = min(limit, MaxPage)
	return "SELECT n, " + columns + " FROM " + table + w.sql() + " ORDER BY n DESC LIMIT ?", append(w.args, limit+1), limit, nil
}

// Notes lists what happened at the gate, newest first, and the cursor of the
// page after it, "" if there is none.
func (s *Store) Notes(ctx context.Context, p Past) (notes []Note, next string, err error) {
	return page(s, ctx, &p, "notes", "first, last, peer, key, code, path, count", "last", "code", func(scan func(...any) error) (x Note, n int64, err error) {
		var first, last int64
		err = scan(&n, &first, &last, &x.Peer, &x.Key, &x.Code, &x.Path, &x.Count)
		x.First, x.Last = time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
		return x, n, err
	})
}

// Acts lists what operators did, newest first, and the cursor of the page after
// it, "" if there is none. Key does not count.
func (s *Store) Acts(ctx context.Context, p Past) (acts []Act, next string, err error) {
	p.Key = ""
	return page(s, ctx, &p, "acts", "at, who, peer, what, whom", "at", "what", func(scan func(...any) error) (x Act, n int64, err error) {
		var at int64
		err = scan(&n, &at, &x.Who, &x.Peer, &x.What, &x.Whom)
		x.At = time.Unix(0, at).UTC()
		return x, n, err
	})
}

func page[T any](s *Store, ctx context.Context, p *Past, table, columns, at, what string, read func(func(...any) error) (T, int64, error)) (out []T, next string, err error) {
	query, args, limit, err := p.query(table, columns, at, what)
	if err != nil {
		return nil, "", err
	}
	err = s.ledger.use(func(_, db *sql.DB) error {
		out, next = nil, ""
		rows, err := db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last int64
		for rows.Next() {
			x, n, err := read(rows.Scan)
			if err != nil {
				return err
			}
			if len(out) == limit {
				next = strconv.FormatInt(last, 36)
				break
			}
			out, last = append(out, x), n
		}
		return rows.Err()
	})
	return out, next, err
}
