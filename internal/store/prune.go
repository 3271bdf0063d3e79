package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"portico/internal/config"
)

const (
	// pruneStep is how many rows go in one transaction, which is how long
	// Keep may have to wait.
	pruneStep = 1000
	// vacuumStep is how many free pages go back to the file system at once.
	vacuumStep = 512
	// pruneFirst and pruneEvery are when retention is looked at even if
	// nothing was kept: age goes on by itself.
	pruneFirst, pruneEvery = time.Minute, time.Hour
)

// Run is the store's background duty until ctx ends: it holds the ledger to
// what retention says at the time, and makes the accounts' daily snapshot.
func (s *Store) Run(ctx context.Context, retention func() config.Retention) error {
	t := time.NewTimer(pruneFirst)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.grown:
		case <-t.C:
		}
		if n, err := s.Prune(ctx, retention(), time.Now()); err != nil && ctx.Err() == nil {
			s.o.Log.Error("the ledger cannot be pruned", "error", err)
		} else if n > 0 {
			s.o.Log.Info("old requests were removed from the ledger", "rows", n)
		}
		if err := s.SnapshotDaily(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.o.Log.Error("the accounts' daily snapshot cannot be made", "error", err)
		}
		t.Reset(pruneEvery)
	}
}

// Prune removes the oldest requests until what is left is within all bounds of
// r, and gives the room back to the file system. It returns how many it
// removed. Others may use the store meanwhile.
func (s *Store) Prune(ctx context.Context, r config.Retention, now time.Time) (removed int64, err error) {
	err = s.ledger.use(func(write, _ *sql.DB) error {
		p := pruning{ctx: ctx, db: write, since: now.Add(-spentAge)}
		defer func() { removed += p.removed }()
		if err := p.forget(p.since, maxSpent); err != nil {
			return err
		}
		atMost := s.rows.Load()
		if r.Age > 0 {
			if err := p.older(place(now.Add(-r.Age).UnixMicro())); err != nil {
				return err
			}
		}
		if r.Rows > 0 && atMost > r.Rows { // counting reads a whole index
			n, err := p.rows(r.Rows)
			if err != nil {
				return err
			}
			s.rows.Add(n - atMost) // what is kept meanwhile counts on
		}
		if r.Bytes > 0 {
			if err := p.bytes(r.Bytes); err != nil {
				return err
			}
		}
		return p.shrink(r.Bytes)
	})
	return removed, err
}

type pruning struct {
	ctx     context.Context
	db      *sql.DB
	removed int64
	since   time.Time // from when on it is remembered what was spent
}

// remove removes at most n of the oldest rows before the position before, and
// returns how many. What keys spent with them is remembered.
func (p *pruning) remove(n, before int64) (int64, error) {
	tx, err := p.db.BeginTx(p.ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	if err := remember(p.ctx, tx, before, n, p.since); err != nil {
		return 0, err
	}
	r, err := tx.ExecContext(p.ctx, "DELETE FROM exchanges WHERE "+these, before, n)
	if err != nil {
		return 0, err
	}
	gone, err := r.RowsAffected()
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return 0, err
	}
	p.removed += gone
	return gone, nil
}

const everywhere = 1<<63 - 1 // behind every position

func (p *pruning) older(before int64) error {
	for {
		if n, err := p.remove(pruneStep, before); err != nil || n < pruneStep {
			return err
		}
	}
}

// rows removes what is over most rows, and returns how many are left.
func (p *pruning) rows(most int64) (left int64, err error) {
	left, err = p.number("SELECT count(*) FROM exchanges")
	for err == nil && left > most {
		var n int64
		if n, err = p.remove(min(left-most, pruneStep), everywhere); n == 0 {
			break
		}
		left -= n
	}
	return left, err
}

// bytes removes rows until what the database uses of its file is within most.
func (p *pruning) bytes(most int64) error {
	for {
		pages, free, size, err := p.size()
		if err != nil || (pages-free)*size <= most {
			return err
		}
		if n, err := p.remove(pruneStep, everywhere); err != nil || n == 0 {
			return err
		}
	}
}

// shrink gives free pages back, unless they are few: the next rows use them.
func (p *pruning) shrink(most int64) error {
	shrunk := false
	for {
		pages, free, size, err := p.size()
		if err != nil {
			return err
		}
		if free == 0 || free*8 <= pages && (most <= 0 || pages*size <= most) {
			break
		}
		if _, err := p.db.ExecContext(p.ctx, "PRAGMA incremental_vacuum("+strconv.FormatInt(min(free, vacuumStep), 10)+")"); err != nil {
			return err
		}
		_, left, _, err := p.size()
		if err != nil || left >= free {
			return err
		}
		shrunk = true
	}
	if !shrunk {
		return nil
	}
	// The file itself is cut when the log goes into it.
	_, err := p.db.ExecContext(p.ctx, "PRAGMA wal_checkpoint(truncate)")
	return err
}

// size is how many pages the database has, how many of them are free, and how
// large one is.
func (p *pruning) size() (pages, free, size int64, err error) {
	if pages, err = p.number("PRAGMA page_count"); err == nil {
		if free, err = p.number("PRAGMA freelist_count"); err == nil {
			size, err = p.number("PRAGMA page_size")
		}
	}
	return pages, free, size, err
}

func (p *pruning) number(query string) (n int64, err error) {
	err = p.db.QueryRowContext(p.ctx, query).Scan(&n)
	return n, err
}
