package store

import (
	"database/sql"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"time"

	"portico/internal/journal"
)

// jsonAnyText lets bytes through that are not UTF-8; they become U+FFFD.
var jsonAnyText = jsontext.AllowInvalidUTF8(true)

// texts are the columns that hold text, but for details.
func (r *row) texts() [18]*string {
	x := &r.x
	return [...]*string{
		&x.ID, &x.Key, &x.Client, &x.Peer, &x.Session, &x.Op, &x.Path, &x.Inbound, &x.Outbound, &x.Asked, &x.Served,
		&x.Rule, &x.Account, &x.Stop, &x.Upstream, &x.Fault, &x.Code, &x.Error,
	}
}

// arguments appends the values of columns to args[:0].
func (r *row) arguments(args []any) []any {
	x, u := &r.x, &r.x.Usage
	return append(args[:0], r.n, x.ID, r.start, x.Key, x.Client, x.Peer, x.Session, x.Op, x.Path, x.Inbound, x.Outbound, x.Stream, x.Asked, x.Served,
		x.Rule, x.Account, x.Status, x.Stop, x.Upstream, int64(x.First), int64(x.Took), x.BytesIn, x.BytesOut,
		u.Input, u.CacheRead, u.CacheWrite, u.Output, u.Reasoning, r.cost, x.Estimated, x.Partial, x.Fault, x.Code, x.Error, r.details)
}

// targets are where the values of columns go.
func (r *row) targets() []any {
	x, u := &r.x, &r.x.Usage
	return []any{
		&r.n, &x.ID, &r.start, &x.Key, &x.Client, &x.Peer, &x.Session, &x.Op, &x.Path, &x.Inbound, &x.Outbound, &x.Stream, &x.Asked, &x.Served,
		&x.Rule, &x.Account, &x.Status, &x.Stop, &x.Upstream, (*int64)(&x.First), (*int64)(&x.Took), &x.BytesIn, &x.BytesOut,
		&u.Input, &u.CacheRead, &u.CacheWrite, &u.Output, &u.Reasoning, &r.cost, &x.Estimated, &x.Partial, &x.Fault, &x.Code, &x.Error, &r.details,
	}
}

// A Request is an exchange of the ledger and its price.
type Request struct {
	*journal.Exchange
	// USD is what it cost at the list price of the day it was kept; Priced
	// is false if there was none.
	USD    float64
	Priced bool
}

// scan reads a row.
func scan(rows interface{ Scan(...any) error }) (Request, int64, error) {
	var r row
	if err := rows.Scan(r.targets()...); err != nil {
		return Request{}, 0, err
	}
	r.x.Start = time.Unix(0, r.start).UTC()
	if r.details.Valid {
		var d details
		if err := json.Unmarshal([]byte(r.details.String), &d, journal.JSON); err != nil {
			return Request{}, 0, err
		}
		r.x.Attempts, r.x.Passed, r.x.Losses = d.Attempts, d.Passed, d.Losses
	}
	return Request{Exchange: &r.x, USD: dollars(r.cost), Priced: r.cost.Valid}, r.n, nil
}

func dollars(c sql.NullInt64) float64 { return float64(c.Int64) / nano }
