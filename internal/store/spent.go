package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// spentMigration makes the table of what client keys spent in requests that the
// ledger has forgotten, by quarters of an hour: days and months begin at whole
// quarters in every time zone.
const spentMigration = `
CREATE TABLE spent (
	quarter INTEGER NOT NULL, -- since 1970, in which the requests began
	key     TEXT    NOT NULL,
	tokens  INTEGER NOT NULL,
	cost    INTEGER NOT NULL, -- billionths of a dollar
	PRIMARY KEY (quarter, key)
) STRICT, WITHOUT ROWID;
`

const (
	// spentAge is how long what was spent is remembered beyond its requests: as
	// long as any month that may be asked for.
	spentAge = 33 * 24 * time.Hour
	// maxSpent bounds the rows of what was spent. What is over is forgotten,
	// the oldest first.
	maxSpent = 500_000
)

// A Spent is what a client key spent: tokens, and billionths of a dollar at list
// price.
type Spent struct{ Tokens, Nanos int64 }

// Spent sums up what client keys spent in requests that began at or after since,
// by the key's name. Unlike Usage it knows of requests that retention has removed,
// for a month and by whole quarters of an hour.
func (s *Store) Spent(ctx context.Context, since time.Time) (all map[string]Spent, err error) {
	query := fmt.Sprintf(`SELECT key, sum(tokens), sum(cost) FROM (
		SELECT key, input + cache_read + cache_write + output + reasoning AS tokens, coalesce(cost, 0) AS cost FROM exchanges WHERE start >= ? AND key <> ''
		UNION ALL SELECT key, tokens, cost FROM spent WHERE quarter >= ? / %d) GROUP BY key`, int64(quarter))
	err = s.ledger.use(func(_, read *sql.DB) error {
		all = map[string]Spent{}
		rows, err := read.QueryContext(ctx, query, nanos(since), nanos(since))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			var one Spent
			if err := rows.Scan(&key, &one.Tokens, &one.Nanos); err != nil {
				return err
			}
			all[key] = one
		}
		return rows.Err()
	})
	return all, err
}

// these are the rows that one step of pruning removes: at most as many as the
// second argument says, before the first.
const these = "n IN (SELECT n FROM exchanges WHERE n < ? ORDER BY n LIMIT ?)"

// remember adds what the rows that are about to go have spent, if they began at
// or after since.
func remember(ctx context.Context, tx *sql.Tx, before, n int64, since time.Time) error {
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO spent (quarter, key, tokens, cost)
		SELECT start / %d, key, sum(input + cache_read + cache_write + output + reasoning), sum(coalesce(cost, 0)) FROM exchanges
		WHERE `+these+` AND key <> '' AND start >= ? GROUP BY 1, 2
		ON CONFLICT (quarter, key) DO UPDATE SET tokens = tokens + excluded.tokens, cost = cost + excluded.cost`, int64(quarter)), before, n, nanos(since))
	return err
}

// forget removes what was spent before since, and what is over most rows.
func (p *pruning) forget(since time.Time, most int64) error {
	if _, err := p.db.ExecContext(p.ctx, fmt.Sprintf("DELETE FROM spent WHERE quarter < ? / %d", int64(quarter)), nanos(since)); err != nil {
		return err
	}
	n, err := p.number("SELECT count(*) FROM spent")
	if err != nil || n <= most {
		return err
	}
	_, err = p.db.ExecContext(p.ctx, "DELETE FROM spent WHERE (quarter, key) IN (SELECT quarter, key FROM spent ORDER BY quarter, key LIMIT ?)", n-most)
	return err
}
