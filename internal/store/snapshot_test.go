package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/internal/clientkey"
	"portico/internal/config"
	"portico/internal/journal"
)

func rule(r string) Rule { return Rule{Deny: true, Range: netip.MustParsePrefix(r)} }

func whys(t *testing.T, s *Store) string {
	t.Helper()
	all, err := s.Snapshots()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, x := range all {
		out = append(out, x.Why)
		info, err := os.Stat(filepath.Join(filepath.Dir(s.accounts.path), snapshotDir, x.Name))
		if err != nil || info.Mode().Perm()&0o077 != 0 || info.Size() != x.Bytes {
			t.Errorf("%s: %v, %v", x.Name, info, err)
		}
	}
	return strings.Join(out, " ")
}

// TestDailySnapshots: there is one a day while there are changes, and none
// while there are none; the latest few are kept.
func TestDailySnapshots(t *testing.T) {
	s := open(t, t.TempDir())
	day := func(n int) time.Time { return time.Now().Add(time.Duration(n) * (dailyEvery + time.Minute)) }
	daily := func(n int) string {
		t.Helper()
		if err := s.SnapshotDaily(t.Context(), day(n)); err != nil {
			t.Fatal(err)
		}
		return whys(t, s)
	}
	if got := daily(0); got != "" {
		t.Errorf("with nothing in it: %s", got)
	}
	if _, err := s.AddAccount(t.Context(), account("a")); err != nil {
		t.Fatal(err)
	}
	s.accounts.copies.Wait()
	if got := daily(1); got != "daily" {
		t.Errorf("after a change: %s", got)
	}
	if got := daily(1) + daily(2); got != "dailydaily" {
		t.Errorf("without a change: %s", got)
	}
	// The copy that every change makes says when the last one was.
	touch := func(n int) {
		if err := os.Chtimes(s.accounts.path+copySuffix, day(n), day(n)); err != nil {
			t.Fatal(err)
		}
	}
	for n := 3; n < 3+2*kept["daily"]; n++ {
		touch(n)
		daily(n)
	}
	if got := whys(t, s); got != strings.TrimSpace(strings.Repeat("daily ", kept["daily"])) {
		t.Errorf("after two weeks: %s", got)
	}
	entries, err := os.ReadDir(filepath.Join(filepath.Dir(s.accounts.path), snapshotDir))
	if err != nil || len(entries) != kept["daily"] {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

// TestSnapshotBeforeMigration: what a database of an older schema held is in a
// snapshot, which is read like any other, and one of this schema has none.
func TestSnapshotBeforeMigration(t *testing.T) {
	dir := t.TempDir()
	old := &database{path: filepath.Join(dir, accountsFile), migrations: accountsMigrations[:3], log: discard, precious: true}
	if err := old.open(); err != nil {
		t.Fatal(err)
	}
	err := old.use(func(write, _ *sql.DB) error {
		_, err := write.ExecContext(t.Context(), `INSERT INTO rules VALUES ('r-1', 1, '10.0.0.0/8', 'why', 1, 0)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	old.close()
	s := open(t, dir)
	if got := whys(t, s); got != "schema" {
		t.Fatalf("snapshots: %q", got)
	}
	all, err := s.Snapshots()
	if err != nil {
		t.Fatal(err)
	}
	x, err := s.OpenSnapshot(all[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	if rs, err := x.Rules(t.Context()); err != nil || len(rs) != 1 {
		t.Errorf("it holds %+v, %v", rs, err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".restore*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	s.Close()
	s = open(t, dir)
	if got := whys(t, s); got != "schema" {
		t.Errorf("after another start: %q", got)
	}
	for _, name := range []string{"accounts.db", "../accounts.db", "accounts-20261125T060000.000Z-daily.db", "", all[0].Name + "/../../portico.yaml"} {
		if x, err := s.OpenSnapshot(name); err == nil {
			x.Close()
			t.Errorf("%q opens", name)
		}
	}
}

// TestPut: accounts, keys and rules come together or not at all, and what is
// there of the same name keeps its place.
func TestPut(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	first, err := s.AddAccount(ctx, account("a"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.AddKey(ctx, newKey("ci"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddRule(ctx, rule("10.0.0.0/8")); err != nil {
		t.Fatal(err)
	}
	changed, again := account("a"), k
	changed.Priority, again.RPM = 77, 5
	other := newKey("other")
	other.Digest = clientkey.Digest{9, 9}
	bad := config.Account{Name: "bad\x00"}
	if _, err := s.AddProxy(ctx, Proxy{Name: "p", URL: "http://old:1"}); err != nil {
		t.Fatal(err)
	}
	proxies := []Proxy{{Name: "p", URL: "http://u:pass@new:1"}, {Name: "q", URL: "http://q:1", Disabled: true}}
	if err := s.Put(ctx, &Lot{Accounts: []config.Account{changed, account("b"), bad}, Keys: []clientkey.Record{again}, Rules: nil, Proxies: proxies}); err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("a bad one: %v", err)
	}
	if as, err := s.Accounts(ctx); err != nil || len(as) != 1 || as[0].Priority == 77 {
		t.Errorf("after what was refused: %+v, %v", as, err)
	}
	if err := s.Put(ctx, &Lot{Accounts: []config.Account{account("b"), changed, account("c")}, Keys: []clientkey.Record{other, again}, Rules: []Rule{rule("10.0.0.0/8"), rule("10.1.0.0/16")}, Proxies: proxies}); err != nil {
		t.Fatal(err)
	}
	as, err := s.Accounts(ctx)
	if err != nil || len(as) != 3 || as[0].ID != first.ID || as[0].Version != 2 || as[0].Priority != 77 || as[1].Name != "b" || as[2].Name != "c" || as[2].APIKey != account("c").APIKey {
		t.Errorf("%+v, %v", as, err)
	}
	ks, err := s.Keys(ctx)
	if err != nil || len(ks) != 2 || ks[0].ID != k.ID || ks[0].RPM != 5 || ks[0].Version != k.Version+1 {
		t.Errorf("%+v, %v", ks, err)
	}
	if rs, err := s.Rules(ctx); err != nil || len(rs) != 2 {
		t.Errorf("%+v, %v", rs, err)
	}
	if ps, err := s.Proxies(ctx); err != nil || len(ps) != 2 || ps[0].URL != "http://u:pass@new:1" || !ps[1].Disabled || ps[1].Damage != "" {
		t.Errorf("%+v, %v", ps, err)
	}
	many := make([]Rule, MaxRules)
	for i := range many {
		many[i] = rule(fmt.Sprintf("172.%d.%d.%d/32", 16+i>>16, i>>8&255, i&255))
	}
	if err := s.Put(ctx, &Lot{Accounts: nil, Keys: nil, Rules: many, Proxies: proxies}); !errors.Is(err, ErrTooManyRules) {
		t.Errorf("too many: %v", err)
	}
}

// TestMergeLedger: requests of another ledger are added once, whatever its
// schema, and none of one's own is touched.
func TestMergeLedger(t *testing.T) {
	one := open(t, t.TempDir())
	keepAll(t, one, &journal.Exchange{ID: "a", Start: begin, Status: 200}, &journal.Exchange{ID: "b", Start: begin.Add(time.Second), Status: 500})
	file := filepath.Join(t.TempDir(), "ledger.db")
	if err := one.CopyLedger(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	two := open(t, t.TempDir())
	keepAll(t, two, &journal.Exchange{ID: "b", Start: begin.Add(time.Second), Status: 200}, &journal.Exchange{ID: "c", Start: begin.Add(time.Minute), Status: 200})
	for _, want := range []int64{1, 0} {
		if n, err := two.MergeLedger(t.Context(), file); err != nil || n != want {
			t.Errorf("added %d, %v", n, err)
		}
	}
	all, _, err := two.Requests(t.Context(), Filter{})
	if err != nil || len(all) != 3 {
		t.Errorf("%+v, %v", all, err)
	}
	if b, ok, err := two.Request(t.Context(), "b"); err != nil || !ok || b.Status != 200 {
		t.Errorf("one's own: %+v, %v", b, err)
	}
	old := &database{path: filepath.Join(t.TempDir(), "old.db"), migrations: ledgerMigrations[:1], log: discard}
	if err := old.open(); err != nil {
		t.Fatal(err)
	}
	old.close()
	if n, err := two.MergeLedger(t.Context(), old.path); n != 0 || err != nil {
		t.Errorf("one of an older schema: %d, %v", n, err)
	}
	garbage := filepath.Join(t.TempDir(), "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := two.MergeLedger(t.Context(), garbage); !errors.Is(err, errLedger) {
		t.Errorf("garbage: %v", err)
	}
	if _, ok, err := two.Request(t.Context(), "c"); !ok || err != nil || len(two.Broken()) > 0 {
		t.Errorf("after garbage: %v, set aside %v", err, two.Broken())
	}
}
