package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"portico/internal/journal"
)

// together is how many rows one statement takes, so that what a statement costs
// is shared. More of them make it slower again.
const together = 8

// keepSQL puts rows in the place of those with their ids.
func keepSQL(rows int) string {
	names := strings.Split(columns, ",")
	values := "(" + strings.Repeat("?,", len(names)-1) + "?),"
	for i, name := range names {
		name = strings.TrimSpace(name)
		names[i] = name + " = excluded." + name
	}
	return "INSERT INTO exchanges (" + columns + ") VALUES " + strings.TrimSuffix(strings.Repeat(values, rows), ",") +
		" ON CONFLICT (id) DO UPDATE SET " + strings.Join(names, ", ")
}

// keep writes xs, each with its cost, in one transaction. It speaks to the
// driver itself, because package sql takes longer for the arguments of a row
// than it need.
func keep(ctx context.Context, db *sql.DB, xs []*journal.Exchange, cost func(*journal.Exchange) sql.NullInt64) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		k := keeping{ctx: ctx, conn: c.(rawConn), cost: cost}
		tx, err := k.conn.BeginTx(ctx, driver.TxOptions{})
		if err != nil {
			return err
		}
		if err := errors.Join(k.all(xs), k.close()); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	})
}

// A rawConn is what the driver's connection can do.
type rawConn interface {
	driver.ConnBeginTx
	driver.ConnPrepareContext
}

// A keeping is one transaction of keep.
type keeping struct {
	ctx       context.Context
	conn      rawConn
	cost      func(*journal.Exchange) sql.NullInt64
	one, many statement
	rows      [together]row
	rests     []byte // of the rows
}

// A statement inserts some rows.
type statement struct {
	stmt driver.Stmt
	args arguments
}

// all writes xs, many at once as far as that goes.
func (k *keeping) all(xs []*journal.Exchange) error {
	for len(xs) > 0 {
		n := min(len(xs), together)
		k.rests = k.rests[:0]
		for i, x := range xs[:n] {
			k.rests = k.rows[i].fill(k.rests, x, k.cost(x))
		}
		if err := k.group(k.rows[:n]); err != nil {
			return err
		}
		xs = xs[n:]
	}
	return nil
}

// group writes rows by one statement, if they are as many as it takes and none
// wants the place of another.
func (k *keeping) group(rows []row) error {
	if len(rows) == together {
		if err := k.exec(&k.many, rows); !samePlace(err) {
			return err
		}
	}
	return k.each(rows)
}

// each writes rows one by one. One whose place is taken takes the next.
func (k *keeping) each(rows []row) error {
	for i := range rows {
		r := &rows[i]
		for n := r.n; ; n++ {
			r.n = n
			err := k.exec(&k.one, rows[i:i+1])
			if err == nil {
				break
			}
			if !samePlace(err) || n-position(&r.x) > maxBump {
				return err
			}
		}
	}
	return nil
}

func (k *keeping) exec(s *statement, rows []row) (err error) {
	if s.stmt == nil {
		if s.stmt, err = k.conn.PrepareContext(k.ctx, keepSQL(len(rows))); err != nil {
			return err
		}
	}
	s.args.n = 0
	for i := range rows {
		s.args.of(&rows[i])
	}
	_, err = s.stmt.(driver.StmtExecContext).ExecContext(k.ctx, s.args.all)
	return err
}

func (k *keeping) close() (err error) {
	for _, s := range []*statement{&k.one, &k.many} {
		if s.stmt != nil {
			err = errors.Join(err, s.stmt.Close())
		}
	}
	return err
}
