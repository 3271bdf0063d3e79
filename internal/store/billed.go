package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"portico/internal/journal"
	"portico/internal/llm"
)

// Of a request that several accounts or models had a share in, because it was
// hedged or its answers were asked for one by one, the row has the sum, and the
// account that served. What each used stands with its attempts, and is counted
// where it was billed when usage is summed up by accounts or by models. Such
// rows are few.

// isShared reports whether another account or model than x's has a share of what
// x used.
func isShared(x *journal.Exchange) bool {
	for i := range x.Attempts {
		if a := &x.Attempts[i]; a.Usage != (llm.Usage{}) && (a.Account != x.Account || cmp.Or(a.Model, x.Served) != x.Served) {
			return true
		}
	}
	return false
}

// splits reports whether q asks who used what.
func (q *UsageQuery) splits() bool {
	return q.Account != "" || slices.Contains(q.By, "account") || slices.Contains(q.By, "model")
}

// split moves the shares of other accounts and models to their groups.
// Times are grouped by grain.
func (s *Store) split(ctx context.Context, read *sql.DB, q *UsageQuery, loc *time.Location, grain time.Duration, sums map[string]*sum) error {
	f := q.Filter
	f.Account = "" // the share of an account is in rows of others, too
	w := f.where()
	w.add("shared")
	rows, err := read.QueryContext(ctx, "SELECT "+columns+" FROM exchanges"+w.sql(), w.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r, _, err := scan(rows)
		if err != nil {
			return err
		}
		home := biller{r.Account, cmp.Or(r.Served, r.Asked)}
		left := int64(0)
		if r.Priced {
			left = nanosOf(r.USD)
		}
		for i := range r.Attempts {
			a := &r.Attempts[i]
			at := biller{a.Account, cmp.Or(a.Model, home.model)}
			if a.Usage == (llm.Usage{}) || at == home {
				continue
			}
			u := a.Usage.Fitted()
			cost := min(s.share(at.model, u, r.Priced), left)
			left -= cost
			for _, x := range []struct {
				biller
				u    llm.Usage
				cost int64
			}{{home, llm.Usage{}.Minus(u), -cost}, {at, u, cost}} {
				if q.Account != "" && x.account != q.Account {
					continue
				}
				one := &sum{Group: group(q.By, x.biller, r.Exchange, loc, grain), Usage: x.u, cost: x.cost}
				fold(sums, q.By, one)
			}
		}
	}
	return rows.Err()
}

// A biller is who billed a share of a request.
type biller struct{ account, model string }

// group are the groups of a share of x.
func group(by []string, b biller, x *journal.Exchange, loc *time.Location, grain time.Duration) map[string]string {
	out := make(map[string]string, len(by))
	for _, name := range by {
		if format := timeGroup(name); format != nil {
			at := x.Start.UnixNano() / int64(grain)
			out[name] = format(time.Unix(0, at*int64(grain)).In(loc))
			continue
		}
		out[name] = map[string]string{"account": b.account, "model": b.model, "key": x.Key, "client": x.Client, "protocol": x.Inbound}[name]
	}
	return out
}

// share is what u costs at model, in billionths of a dollar; 0 if the whole has
// no price.
func (s *Store) share(model string, u llm.Usage, priced bool) int64 {
	if !priced {
		return 0
	}
	usd, known := s.o.Price(model, u)
	if !known || !(usd >= 0 && usd <= maxCost) {
		return 0
	}
	return nanosOf(usd)
}
