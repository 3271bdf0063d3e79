package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
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

// keep writes rows in one transaction. It speaks to the driver itself, because
// package sql takes longer for the arguments of a row than it need.
func keep(ctx context.Context, db *sql.DB, rows []row) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		k := keeping{ctx: ctx, conn: c.(rawConn)}
		tx, err := k.conn.BeginTx(ctx, driver.TxOptions{})
		if err != nil {
			return err
		}
		if err := errors.Join(k.all(rows), k.close()); err != nil {
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
	one, many statement
}

// A statement inserts some rows.
type statement struct {
	stmt driver.Stmt
	args arguments
}

// all writes rows, many at once as far as that goes.
func (k *keeping) all(rows []row) error {
	for len(rows) >= together {
		err := k.exec(&k.many, rows[:together])
		if samePlace(err) {
			err = k.each(rows[:together])
		}
		if err != nil {
			return err
		}
		rows = rows[together:]
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
