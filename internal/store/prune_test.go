package store

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/config"
)

func TestPrune(t *testing.T) {
	const n = 3000
	xs := some(n)
	end := xs[n-1].Start
	full := open(t, t.TempDir())
	keepAll(t, full, xs...)
	if err := full.Close(); err != nil {
		t.Fatal(err)
	}
	ledger, err := os.ReadFile(full.ledger.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		r    config.Retention
		left func(int) bool // of the rows that may be left
	}{
		{"no bound", config.Retention{}, func(left int) bool { return left == n }},
		{"age", config.Retention{Age: end.Sub(xs[2000].Start)}, func(left int) bool { return left == 1000 }},
		{"rows", config.Retention{Rows: 1234}, func(left int) bool { return left == 1234 }},
		{"all rows", config.Retention{Rows: 1}, func(left int) bool { return left == 1 }},
		{"bytes", config.Retention{Bytes: 300_000}, func(left int) bool { return left > 500 && left < 2000 }},
		{"no byte", config.Retention{Bytes: 1}, func(left int) bool { return left == 0 }},
		{"what comes first", config.Retention{Age: 1e6 * time.Hour, Rows: 100, Bytes: 1 << 40}, func(left int) bool { return left == 100 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, ledgerFile), ledger, 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, dir)
			before := fileSize(t, s.ledger.path)
			removed, err := s.Prune(t.Context(), c.r, end)
			if err != nil {
				t.Fatal(err)
			}
			left := rows(t, s)
			if !c.left(len(left)) || removed != int64(n-len(left)) {
				t.Errorf("%d are left, %d were removed", len(left), removed)
			}
			// The oldest went, and the file with them.
			if len(left) > 0 {
				if _, ok, err := s.Request(t.Context(), xs[n-1].ID); !ok || err != nil {
					t.Errorf("the newest went (%v)", err)
				}
			}
			after := fileSize(t, s.ledger.path)
			if limit := before*int64(len(left))/n + before/4; after > limit {
				t.Errorf("the file has %d bytes of %d, with %d of %d rows", after, before, len(left), n)
			}
			if c.r.Bytes > 100_000 && after > c.r.Bytes {
				t.Errorf("the file has %d bytes, more than %d", after, c.r.Bytes)
			}
			if again, err := s.Prune(t.Context(), c.r, end); again != 0 || err != nil {
				t.Errorf("a second time it removed %d, %v", again, err)
			}
		})
	}
}

// TestPruneCounts: however rows came since they were counted, the bound holds.
func TestPruneCounts(t *testing.T) {
	s := open(t, t.TempDir())
	r := config.Retention{Rows: 100}
	xs := some(1000)
	for _, c := range []struct{ from, to, left int }{
		{0, 50, 50}, {0, 50, 50}, {0, 50, 50}, {50, 100, 100}, {100, 101, 100}, {101, 500, 100}, {450, 500, 100}, {500, 1000, 100},
	} {
		keepAll(t, s, xs[c.from:c.to]...)
		if _, err := s.Prune(t.Context(), r, begin); err != nil {
			t.Fatal(err)
		}
		if left := len(rows(t, s)); left != c.left {
			t.Errorf("after %d to %d: %d rows, want %d", c.from, c.to, left, c.left)
		}
	}
	if n := s.rows.Load(); n != 100 {
		t.Errorf("there are said to be %d rows", n)
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestRun: retention is looked at when the ledger has grown, and now and then;
// what it says may change.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.TempDir(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var most atomic.Int64
		most.Store(100)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx, func() config.Retention { return config.Retention{Rows: most.Load()} }) }()

		s.growth.step = 500
		xs := some(500)
		keepAll(t, s, xs[:499]...)
		time.Sleep(time.Second)
		if n := len(rows(t, s)); n != 499 {
			t.Errorf("%d rows before it was time", n)
		}
		keepAll(t, s, xs[499:]...)
		time.Sleep(time.Second)
		if n := len(rows(t, s)); n != 100 {
			t.Errorf("%d rows after the ledger has grown", n)
		}
		most.Store(10)
		time.Sleep(pruneEvery)
		if n := len(rows(t, s)); n != 10 {
			t.Errorf("%d rows after an hour", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
