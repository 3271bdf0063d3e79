package store

import (
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"math"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"portico/internal/journal"
)

// ledgerMigrations make the ledger's schema. There is a column for what is
// looked for and for what is summed up; the rest lies in one, since each column
// costs every request. For the same reason there is no index but the two keys:
// at the bounds of retention a scan of all rows takes a fraction of a second.
var ledgerMigrations = []string{`
CREATE TABLE exchanges (
	n           INTEGER PRIMARY KEY, -- orders by start, see position
	start       INTEGER NOT NULL,    -- nanoseconds since 1970
	id          TEXT    NOT NULL UNIQUE,
	key         TEXT    NOT NULL,
	client      TEXT    NOT NULL,
	session     TEXT    NOT NULL,
	op          TEXT    NOT NULL,
	inbound     TEXT    NOT NULL,
	outbound    TEXT    NOT NULL,
	asked       TEXT    NOT NULL,
	served      TEXT    NOT NULL,
	account     TEXT    NOT NULL,
	fault       TEXT    NOT NULL,
	status      INTEGER NOT NULL,
	input       INTEGER NOT NULL,    -- tokens, as the four below; they do not overlap
	cache_read  INTEGER NOT NULL,
	cache_write INTEGER NOT NULL,
	output      INTEGER NOT NULL,
	reasoning   INTEGER NOT NULL,
	cost        INTEGER,             -- billionths of a dollar at list price when it was kept; NULL: no price
	estimated   INTEGER NOT NULL,
	partial     INTEGER NOT NULL,
	rest        BLOB    NOT NULL     -- what has no column, as the journal encodes it
) STRICT;
`, `
ALTER TABLE exchanges ADD COLUMN cache_hour INTEGER NOT NULL DEFAULT 0; -- the part of cache_write that is kept for an hour
`, notesMigration, `
ALTER TABLE exchanges ADD COLUMN cache_half_day INTEGER NOT NULL DEFAULT 0; -- the part of cache_write that is kept for twelve hours
ALTER TABLE exchanges ADD COLUMN audio_in  INTEGER NOT NULL DEFAULT 0; -- parts of what was read
ALTER TABLE exchanges ADD COLUMN image_in  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE exchanges ADD COLUMN audio_out INTEGER NOT NULL DEFAULT 0; -- parts of output
ALTER TABLE exchanges ADD COLUMN image_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE exchanges ADD COLUMN searches  INTEGER NOT NULL DEFAULT 0; -- by the provider's tools, and the pages they fetched
ALTER TABLE exchanges ADD COLUMN fetches   INTEGER NOT NULL DEFAULT 0;
`, spentMigration, `
ALTER TABLE exchanges ADD COLUMN shared INTEGER NOT NULL DEFAULT 0; -- another account or model has a share of it, see billed.go
`}

// columns are those of exchanges, in the order of arguments and targets.
const columns = `n, start, id, key, client, session, op, inbound, outbound, asked, served, account, fault, status,
	input, cache_read, cache_write, output, reasoning, cache_hour,
	cache_half_day, audio_in, image_in, audio_out, image_out, searches, fetches, cost, estimated, partial, shared, rest`

// Keep implements journal.Keeper: xs are on the disk when it returns, all or
// none. One whose ID is in the ledger already takes that one's place.
func (s *Store) Keep(xs []*journal.Exchange) error {
	err := s.ledger.use(func(write, _ *sql.DB) error { return keep(context.Background(), write, xs, s.cost) })
	if err != nil {
		return err
	}
	s.rows.Add(int64(len(xs)))
	if s.growth.add(len(xs)) {
		select {
		case s.grown <- struct{}{}:
		default:
		}
	}
	return nil
}

// maxBump is how many exchanges may want the same place in the order. It is
// far more than ever happen to: a place is a 256th of a microsecond.
const maxBump = 10_000

// samePlace reports whether err says that another exchange has the position.
func samePlace(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// position orders exchanges by the microsecond at which they began. The low
// byte tells apart those of the same microsecond, mostly; Keep looks for the
// next free one.
func position(x *journal.Exchange) int64 {
	h := fnv.New32a()
	h.Write([]byte(x.ID))
	return place(x.Start.UnixMicro()) + int64(h.Sum32()&0xff)
}

// place is the first position of a microsecond since 1970. Times that no
// request has, long before or after, count as the nearest that has a place.
func place(micro int64) int64 { return min(max(micro, 0), math.MaxInt64>>9) << 8 }

// nanos is t in nanoseconds since 1970, or the nearest that there is.
func nanos(t time.Time) int64 {
	switch y := t.Year(); {
	case y < 1970:
		return 0
	case y > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}

const (
	nano = 1e9
	// maxTokens and maxCost (in dollars) are far above what a request can
	// have. They keep what an upstream makes up from making the sums of all
	// others overflow.
	maxTokens = 1 << 40
	maxCost   = 10_000
)

// cost is what x costs, in billionths of a dollar. What used nothing costs
// nothing.
func (s *Store) cost(x *journal.Exchange) (c sql.NullInt64) {
	if x.Usage.Total() == 0 {
		return sql.NullInt64{Valid: true}
	}
	usd, known := x.Cost(s.o.Price)
	if !known || !(usd >= 0 && usd <= maxCost) {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: nanosOf(usd), Valid: true}
}

func nanosOf(usd float64) int64 { return int64(math.Round(usd * nano)) }

// clean returns s without what is no text: bytes that are not UTF-8, and NUL,
// where SQLite's functions end.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// uncounted is how many rows there may be before somebody has counted them.
const uncounted = 1 << 62

// growth counts rows until there are enough to look at retention.
type growth struct {
	n    atomic.Int64
	step int64
}

// growthStep is after how many rows retention is looked at.
const growthStep = 10_000

func (g *growth) add(n int) bool {
	if g.n.Add(int64(n)) < g.step {
		return false
	}
	g.n.Store(0)
	return true
}
