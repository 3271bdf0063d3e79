package store

import (
	"database/sql"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/config"
	"portico/internal/journal"
	"portico/internal/llm"
)

// spentOf is what keys spent in xs from since on, counted one by one.
func spentOf(xs []*journal.Exchange, since time.Time) map[string]Spent {
	all := map[string]Spent{}
	for _, x := range xs {
		if x.Key == "" || x.Start.Before(since) {
			continue
		}
		s := all[x.Key]
		s.Tokens += x.Usage.Total()
		if usd, known := x.Cost(price); known {
			s.Nanos += int64(math.Round(usd * nano))
		}
		all[x.Key] = s
	}
	return all
}

func spentSince(t *testing.T, s *Store, since time.Time) map[string]Spent {
	t.Helper()
	got, err := s.Spent(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestRetentionChangesNoBudget: whatever retention takes away, and however often
// it is looked at, what keys have spent since a day or a month began in any time
// zone stays the same, also over a restart.
func TestRetentionChangesNoBudget(t *testing.T) {
	const n = 1500 // of a week
	xs := some(n)
	end := xs[n-1].Start
	var begins []time.Time
	for _, zone := range []int{0, 5*3600 + 1800, 5*3600 + 2700, -9*3600 - 1800} { // of hours, halves and quarters
		y, m, d := end.In(time.FixedZone("", zone)).Date()
		for _, day := range []int{d, d - 6} {
			begins = append(begins, time.Date(y, m, day, 0, 0, 0, 0, time.FixedZone("", zone)))
		}
	}
	dir := t.TempDir()
	s := open(t, dir)
	keepAll(t, s, xs...)
	for _, r := range []config.Retention{{}, {Age: 20 * time.Hour}, {Rows: 30}, {Bytes: 1}} {
		if _, err := s.Prune(t.Context(), r, end); err != nil {
			t.Fatal(err)
		}
		for _, begin := range begins {
			if d := cmp.Diff(spentOf(xs, begin), spentSince(t, s, begin)); d != "" {
				t.Errorf("after %+v, since %s: %s", r, begin, d)
			}
		}
	}
	if got := rows(t, s); len(got) != 0 {
		t.Errorf("%d rows are left", len(got))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	more := &journal.Exchange{ID: "req_more", Start: end, Key: "ci", Served: "gpt-y", Usage: llm.Usage{Input: 100}, Status: 200}
	keepAll(t, s, more)
	for _, begin := range begins {
		if d := cmp.Diff(spentOf(append(xs, more), begin), spentSince(t, s, begin)); d != "" {
			t.Errorf("after a restart, since %s: %s", begin, d)
		}
	}
}

// TestSpentIsBounded: what was spent is forgotten with its month, and before that
// if there is too much of it, the oldest first.
func TestSpentIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	const n = 40
	var xs []*journal.Exchange
	for i := range n {
		xs = append(xs, &journal.Exchange{ID: fmt.Sprint(i), Start: begin.Add(time.Duration(i) * quarter), Key: "k", Usage: llm.Usage{Input: 1}})
	}
	keepAll(t, s, xs...)
	if _, err := s.Prune(t.Context(), config.Retention{Bytes: 1}, begin); err != nil {
		t.Fatal(err)
	}
	if got := spentSince(t, s, begin)["k"].Tokens; got != n {
		t.Errorf("%d are remembered", got)
	}
	err := s.ledger.use(func(write, _ *sql.DB) error {
		return (&pruning{ctx: t.Context(), db: write}).forget(begin, 10)
	})
	if err != nil {
		t.Fatal(err)
	}
	if all, late := spentSince(t, s, begin)["k"].Tokens, spentSince(t, s, begin.Add((n-10)*quarter))["k"].Tokens; all != 10 || late != 10 {
		t.Errorf("%d are remembered, %d of them the latest", all, late)
	}
	if _, err := s.Prune(t.Context(), config.Retention{}, begin.Add(spentAge+(n-5)*quarter)); err != nil {
		t.Fatal(err)
	}
	if got := spentSince(t, s, begin)["k"].Tokens; got != 5 {
		t.Errorf("%d are remembered after a month", got)
	}
	// What is older than that when it goes is not remembered at all.
	keepAll(t, s, &journal.Exchange{ID: "old", Start: begin, Key: "old", Usage: llm.Usage{Input: 1}})
	if _, err := s.Prune(t.Context(), config.Retention{Bytes: 1}, begin.Add(spentAge+time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := spentSince(t, s, time.Unix(0, 0)); got["old"] != (Spent{}) {
		t.Errorf("remembered: %+v", got)
	}
}
