package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"portico/internal/llm"
)

// A UsageQuery says what is summed up.
type UsageQuery struct {
	Filter            // of which requests; Cursor and Limit do not count
	By       []string // of Groups, each at most once; none: one sum
	Location *time.Location
	// for times; nil: UTC
}

// Groups are what usage can be grouped by; a quarter is one of an hour. The
// times are of the beginning of requests: "2026-11-23T14:00:00+01:00",
// "2026-11-23", "2026-11".
var Groups = []string{"minute", "quarter", "hour", "day", "month", "account", "model", "key", "client", "protocol"}

// A Sum is what some requests used together.
type Sum struct {
	Group     map[string]string // one member for each of By
	Requests  int64
	Failed    int64 // whose client was told a fault
	Partial   int64 // whose answer broke off, or whose client left
	Estimated int64 // whose usage the upstream never told
	llm.Usage
	USD      float64 // of those that have a price
	Unpriced int64   // that used something for which there is no price
}

// maxGroups bounds the rows of a result. What is over is summed up in one row
// whose groups are all Other.
const maxGroups = 10_000

// Other stands for the groups that are too many.
const Other = "(other)"

// quarter is the grain in which the database groups by time, unless minutes are
// asked for. All time zones in use are whole quarters of an hour apart.
const quarter = 15 * time.Minute

// groupSQL are the columns of groups that are no times. The model is the one
// that served, or that was asked for if none did.
var groupSQL = map[string]string{
	"account": "account", "key": "key", "client": "client", "protocol": "inbound",
	"model": "CASE served WHEN '' THEN asked ELSE served END",
}

// timeGroup returns how a time is written in a group, or nil.
func timeGroup(name string) func(t time.Time) string {
	switch name {
	case "minute", "quarter": // as the database has grouped them
		return func(t time.Time) string { return t.Format(time.RFC3339) }
	case "hour":
		return func(t time.Time) string {
			// Not Truncate, which knows no time zones, nor Date, which
			// knows no hour that comes twice.
			return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second).Format(time.RFC3339)
		}
	case "day":
		return func(t time.Time) string { return t.Format(time.DateOnly) }
	case "month":
		return func(t time.Time) string { return t.Format("2006-01") }
	}
	return nil
}

// Usage sums up what was used, by the groups of q; rows with times come in
// their order, the others by tokens, most first. The sums are made of the
// ledger's rows, so they agree with it and end where its retention does.
func (s *Store) Usage(ctx context.Context, q UsageQuery) ([]Sum, error) {
	loc := q.Location
	if loc == nil {
		loc = time.UTC
	}
	var keys []string // what the database groups by; the quarter is the first
	for _, by := range q.By {
		switch {
		case timeGroup(by) != nil:
		case groupSQL[by] != "":
			keys = append(keys, groupSQL[by])
		default:
			return nil, fmt.Errorf("usage cannot be grouped by %q; there are %s", by, strings.Join(Groups, ", "))
		}
	}
	timed := slices.ContainsFunc(q.By, func(by string) bool { return timeGroup(by) != nil })
	grain := quarter
	if slices.Contains(q.By, "minute") {
		if slices.Contains(q.By, "quarter") {
			return nil, errors.New("usage is grouped by minutes or by quarters, not by both")
		}
		grain = time.Minute
	}
	if timed {
		keys = slices.Insert(keys, 0, fmt.Sprintf("start / %d", int64(grain)))
	}
	query := "SELECT " + strings.Join(append(slices.Clone(keys), `count(*), coalesce(sum(fault <> ''), 0), coalesce(sum(partial), 0),
		coalesce(sum(estimated), 0), coalesce(sum(input), 0), coalesce(sum(cache_read), 0), coalesce(sum(cache_write), 0),
		coalesce(sum(output), 0), coalesce(sum(reasoning), 0), coalesce(sum(cache_hour), 0), coalesce(sum(cache_half_day), 0),
		coalesce(sum(audio_in), 0), coalesce(sum(image_in), 0), coalesce(sum(audio_out), 0), coalesce(sum(image_out), 0),
		coalesce(sum(searches), 0), coalesce(sum(fetches), 0), coalesce(sum(cost), 0), coalesce(sum(cost IS NULL), 0)`), ", ")
	w := q.where()
	query += " FROM exchanges" + w.sql()
	if len(keys) > 0 {
		ordinals := make([]string, len(keys))
		for i := range keys {
			ordinals[i] = fmt.Sprint(i + 1)
		}
		query += " GROUP BY " + strings.Join(ordinals, ", ")
	}

	var sums map[string]*sum
	err := s.ledger.use(func(_, read *sql.DB) error {
		sums = make(map[string]*sum)
		rows, err := read.QueryContext(ctx, query, w.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var (
				one  sum
				at   int64
				text = make([]string, len(keys))
			)
			targets := make([]any, 0, len(keys)+6+6+llm.Details)
			for i := range keys {
				targets = append(targets, &text[i])
			}
			if timed {
				targets[0] = &at
			}
			targets = append(targets, &one.Requests, &one.Failed, &one.Partial, &one.Estimated)
			for _, n := range counts(&one.Usage) {
				targets = append(targets, n)
			}
			if err := rows.Scan(append(targets, &one.cost, &one.Unpriced)...); err != nil {
				return err
			}
			one.Group = make(map[string]string, len(q.By))
			if timed {
				text = text[1:]
			}
			for _, by := range q.By {
				if format := timeGroup(by); format != nil {
					one.Group[by] = format(time.Unix(0, at*int64(grain)).In(loc))
				} else {
					one.Group[by], text = text[0], text[1:]
				}
			}
			fold(sums, q.By, &one)
		}
		if err := rows.Err(); err != nil || !q.splits() {
			return err
		}
		return s.split(ctx, read, &q, loc, grain, sums)
	})
	if err != nil {
		return nil, err
	}
	return sorted(sums, q.By), nil
}

// A sum is a Sum whose cost is exact.
type sum struct {
	Sum
	cost int64 // billionths of a dollar
}

// fold adds one to the sum of its group.
func fold(sums map[string]*sum, by []string, one *sum) {
	key := groupKey(one.Group, by)
	have := sums[key]
	if have == nil && len(sums) >= maxGroups {
		for _, b := range by {
			one.Group[b] = Other
		}
		key = groupKey(one.Group, by)
		have = sums[key]
	}
	if have == nil {
		sums[key] = one
		return
	}
	have.Requests += one.Requests
	have.Failed += one.Failed
	have.Partial += one.Partial
	have.Estimated += one.Estimated
	have.Usage = have.Plus(one.Usage)
	have.cost += one.cost
	have.Unpriced += one.Unpriced
}

func groupKey(group map[string]string, by []string) string {
	var b strings.Builder
	for _, name := range by {
		b.WriteString(group[name])
		b.WriteByte(0) // no text of the ledger has one
	}
	return b.String()
}

func sorted(sums map[string]*sum, by []string) []Sum {
	out := make([]Sum, 0, len(sums))
	for _, s := range slices.SortedFunc(maps.Values(sums), func(a, b *sum) int {
		for _, name := range by {
			if timeGroup(name) != nil {
				if c := cmp.Compare(a.Group[name], b.Group[name]); c != 0 {
					return c
				}
			}
		}
		if c := cmp.Compare(b.Total(), a.Total()); c != 0 {
			return c
		}
		return cmp.Compare(groupKey(a.Group, by), groupKey(b.Group, by))
	}) {
		s.USD = float64(s.cost) / nano
		out = append(out, s.Sum)
	}
	return out
}

// Totals sums up all requests of the filter.
func (s *Store) Totals(ctx context.Context, f Filter) (Sum, error) {
	sums, err := s.Usage(ctx, UsageQuery{Filter: f})
	if err != nil {
		return Sum{}, err
	}
	return sums[0], nil // without groups there is always one row
}
