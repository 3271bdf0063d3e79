package store

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"portico/internal/journal"
	"portico/internal/llm"
)

// A row is an exchange as the ledger has it.
type row struct {
	x     journal.Exchange
	n     int64
	start int64
	cost  sql.NullInt64
	// shared: another account or model has a share of what x used.
	shared bool
	rest   []byte // what of x has no column
}

// fill makes r the row of x, with its rest appended to buf, and returns buf.
// What r was before is forgotten.
// Texts that SQLite would not take or not find again are mended.
func (r *row) fill(buf []byte, x *journal.Exchange, cost sql.NullInt64) []byte {
	r.x, r.cost, r.n, r.start, r.shared = *x, cost, position(x), nanos(x.Start), isShared(x)
	for _, s := range r.texts() {
		*s = clean(*s)
	}
	u := &r.x.Usage
	for _, n := range counts(u) {
		*n = min(max(*n, 0), maxTokens)
	}
	rest := *x
	var none journal.Exchange
	copyColumns(&rest, &none)
	at := len(buf)
	buf = journal.Append(buf, &rest)
	r.rest = buf[at:len(buf):len(buf)]
	return buf
}

// counts are the columns that hold usage, in their order.
func counts(u *llm.Usage) [6 + llm.Details]*int64 {
	all := [6 + llm.Details]*int64{&u.Input, &u.CacheRead, &u.CacheWrite, &u.Output, &u.Reasoning, &u.CacheHour}
	details := u.Details()
	copy(all[6:], details[:])
	return all
}

// copyColumns sets those fields of to that have columns.
func copyColumns(to, from *journal.Exchange) {
	to.ID, to.Start, to.Key, to.Client, to.Session = from.ID, from.Start, from.Key, from.Client, from.Session
	to.Op, to.Inbound, to.Outbound, to.Asked, to.Served = from.Op, from.Inbound, from.Outbound, from.Asked, from.Served
	to.Account, to.Status, to.Usage, to.Fault = from.Account, from.Status, from.Usage, from.Fault
	to.Estimated, to.Partial = from.Estimated, from.Partial
}

// texts are the columns that hold text.
func (r *row) texts() [11]*string {
	x := &r.x
	return [...]*string{&x.ID, &x.Key, &x.Client, &x.Session, &x.Op, &x.Inbound, &x.Outbound, &x.Asked, &x.Served, &x.Account, &x.Fault}
}

// arguments are the values of columns as the driver takes them. Most are the
// same from row to row, and are not boxed anew.
type arguments struct {
	all []driver.NamedValue
	n   int
}

func (a *arguments) next() *driver.Value {
	if a.n == len(a.all) {
		a.all = append(a.all, driver.NamedValue{Ordinal: a.n + 1})
	}
	a.n++
	return &a.all[a.n-1].Value
}

func add[T comparable](a *arguments, x T) {
	v := a.next()
	if old, ok := (*v).(T); !ok || old != x {
		*v = x
	}
}

// of adds the arguments of r.
func (a *arguments) of(r *row) {
	x := &r.x
	add(a, r.n)
	add(a, r.start)
	for _, s := range r.texts() {
		add(a, *s)
	}
	add(a, int64(x.Status))
	for _, n := range counts(&x.Usage) {
		add(a, *n)
	}
	if r.cost.Valid {
		add(a, r.cost.Int64)
	} else {
		*a.next() = nil
	}
	add(a, x.Estimated)
	add(a, x.Partial)
	add(a, r.shared)
	*a.next() = r.rest
}

// targets are where the values of columns go.
func (r *row) targets() []any {
	x := &r.x
	all := []any{&r.n, &r.start}
	for _, s := range r.texts() {
		all = append(all, s)
	}
	all = append(all, &x.Status)
	for _, n := range counts(&x.Usage) {
		all = append(all, n)
	}
	return append(all, &r.cost, &x.Estimated, &x.Partial, &r.shared, &r.rest)
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
	x, err := journal.Decode(r.rest)
	if err != nil {
		return Request{}, 0, fmt.Errorf("the request %s: %w", r.x.ID, err)
	}
	r.x.Start = time.Unix(0, r.start).UTC()
	copyColumns(x, &r.x)
	mend(x)
	return Request{Exchange: x, USD: dollars(r.cost), Priced: r.cost.Valid}, r.n, nil
}

// mend makes the texts of x that have no column such as every reader takes.
func mend(x *journal.Exchange) {
	texts := []*string{&x.Peer, &x.Path, &x.Rule, &x.Stop, &x.Upstream, &x.Code, &x.Error}
	for i := range x.Attempts {
		a := &x.Attempts[i]
		texts = append(texts, &a.Account, &a.Model, &a.Fault, &a.Scope, &a.Phase, &a.Code, &a.Error, &a.Step)
	}
	for i := range x.Passed {
		texts = append(texts, &x.Passed[i].Account, &x.Passed[i].Why)
	}
	for i := range x.Losses {
		texts = append(texts, &x.Losses[i])
	}
	for _, s := range texts {
		*s = clean(*s)
	}
}

func dollars(c sql.NullInt64) float64 { return float64(c.Int64) / nano }
