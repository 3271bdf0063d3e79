package store

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/internal/config"
)

var discard = slog.New(slog.DiscardHandler)

// damages are what may have happened to a file while nobody had it open.
var damages = map[string]func(b []byte) []byte{
	"overwritten": func(b []byte) []byte { return []byte(strings.Repeat("garbage ", len(b)/8)) },
	"header":      func(b []byte) []byte { b[3] ^= 0xff; return b },
	"cut":         func(b []byte) []byte { return b[:4096+100] },
	"root page":   func(b []byte) []byte { clear(b[100:4096]); return b },
	"short":       func([]byte) []byte { return []byte("SQLite") },
}

func damageFile(t *testing.T, path string, damage func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, damage(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedLedger: it is set aside, a new one is begun and takes requests,
// and the accounts have nothing to do with it.
func TestDamagedLedger(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			if _, err := s.AddAccount(t.Context(), account("a")); err != nil {
				t.Fatal(err)
			}
			keepAll(t, s, some(200)...)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			damageFile(t, s.ledger.path, damage)

			s = open(t, dir)
			keepAll(t, s, some(100)...) // damage may also show here
			page, _, err := s.Requests(t.Context(), Filter{Limit: MaxPage})
			if err != nil || len(page) != 100 {
				t.Errorf("%d rows, %v", len(page), err)
			}
			if broken := s.Broken(); len(broken) != 1 || !strings.HasPrefix(broken[0], s.ledger.path+".broken-") {
				t.Errorf("set aside: %v", broken)
			} else if _, err := os.Stat(broken[0]); err != nil {
				t.Error(err)
			}
			if a, err := s.Account(t.Context(), "a"); err != nil || a.APIKey != account("a").APIKey {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}

// TestDamageInUse: a file that is damaged under a running server is replaced,
// and the call that found out succeeds.
func TestDamageInUse(t *testing.T) {
	s := open(t, t.TempDir())
	keepAll(t, s, some(3000)...)
	if _, err := s.ledger.write.ExecContext(t.Context(), "PRAGMA wal_checkpoint(truncate)"); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.ledger.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, 1<<20), 8192); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.Totals(t.Context(), Filter{}); err != nil {
			t.Fatal(err)
		}
		keepAll(t, s, some(10)...)
	}
	if got, err := s.Totals(t.Context(), Filter{}); err != nil || got.Requests != 10 || len(s.Broken()) != 1 {
		t.Errorf("%d requests, %v, set aside %v", got.Requests, err, s.Broken())
	}
}

// TestDamagedAccounts: they come back from the copy; if that is damaged too,
// the server starts without them, and both files are there to be looked at.
func TestDamagedAccounts(t *testing.T) {
	for name, damage := range damages {
		for _, copyToo := range []bool{false, true} {
			dir := t.TempDir()
			s := open(t, dir)
			for _, n := range []string{"a", "b"} {
				if _, err := s.AddAccount(t.Context(), account(n)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.RemoveAccount(t.Context(), "b", 0); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			damageFile(t, s.accounts.path, damage)
			want, broken := 1, 1
			if copyToo {
				damageFile(t, s.accounts.path+copySuffix, damage)
				want, broken = 0, 2
			}
			s = open(t, dir)
			as, err := s.Accounts(t.Context())
			if err != nil || len(as) != want {
				t.Errorf("%s, copy too: %v: %d accounts, %v", name, copyToo, len(as), err)
			}
			if want == 1 && as[0].APIKey != account("a").APIKey {
				t.Errorf("%s: %+v", name, as[0])
			}
			if got := s.Broken(); len(got) != broken {
				t.Errorf("%s, copy too: %v: set aside %v", name, copyToo, got)
			}
			if _, err := s.AddAccount(t.Context(), account("c")); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestEveryBitOfAccounts flips bits all over the file: the server starts, and
// every account that it shows is as it was, or says that it is damaged, or is
// from the copy.
func TestEveryBitOfAccounts(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, n := range []string{"a", "b"} {
		if _, err := s.AddAccount(t.Context(), account(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.accounts.path)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 499 {
		dir := t.TempDir()
		b := append([]byte(nil), whole...)
		b[at] ^= 1 << (at % 8)
		for name, content := range map[string][]byte{accountsFile: b, accountsFile + copySuffix: whole, keyFile: key} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Open(dir, Options{})
		if errors.Is(err, ErrNewer) { // the flip was in the schema's number
			continue
		}
		if err != nil {
			t.Fatalf("bit at %d: %v", at, err)
		}
		as, err := s.Accounts(t.Context())
		if err != nil {
			t.Errorf("bit at %d: %v", at, err)
		}
		for _, a := range as {
			if a.Damage == "" && !a.APIKey.IsZero() && a.APIKey != account("a").APIKey && a.APIKey != account("b").APIKey {
				t.Errorf("bit at %d: a key that never was", at)
			}
		}
		s.Close()
	}
}

func TestSetAsideIsBounded(t *testing.T) {
	dir := t.TempDir()
	for range maxBroken + 3 {
		s := open(t, dir)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		damageFile(t, s.ledger.path, damages["overwritten"])
	}
	open(t, dir)
	paths, err := filepath.Glob(filepath.Join(dir, "*.broken-*"))
	if err != nil || len(paths) != maxBroken {
		t.Errorf("%d files, %v", len(paths), err)
	}
}

// TestMigrate: every schema that ever was becomes the present one; a newer one
// is refused and left alone.
func TestMigrate(t *testing.T) {
	steps := []string{
		"CREATE TABLE t (a TEXT) STRICT; INSERT INTO t VALUES ('one')",
		"ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7",
		"CREATE INDEX i ON t (b); UPDATE t SET b = b + 1",
	}
	ctx := t.Context()
	for from := range len(steps) + 1 {
		d := &database{path: filepath.Join(t.TempDir(), "x.db"), migrations: steps[:from], log: discard}
		for i := range 2 { // the second time there is nothing to do
			if i == 1 {
				d.migrations = steps
			}
			if err := d.open(); err != nil {
				t.Fatal(err)
			}
			d.close()
			d.closed = false
		}
		if err := d.open(); err != nil {
			t.Fatal(err)
		}
		var a string
		var b, version int
		err := d.write.QueryRowContext(ctx, "SELECT a, b, (SELECT user_version FROM pragma_user_version) FROM t").Scan(&a, &b, &version)
		if err != nil || a != "one" || b != 8 || version != 3 {
			t.Errorf("from %d: %q, %d, version %d, %v", from, a, b, version, err)
		}
		d.close()
	}
}

// TestMigrateFails: a step that fails leaves the schema before it.
func TestMigrateFails(t *testing.T) {
	d := &database{
		path: filepath.Join(t.TempDir(), "x.db"), log: discard,
		migrations: []string{"CREATE TABLE t (a TEXT)", "ALTER TABLE t ADD COLUMN b TEXT; ALTER TABLE nosuch ADD COLUMN b TEXT"},
	}
	if err := d.open(); err == nil || !strings.Contains(err.Error(), "number 2") || !strings.Contains(err.Error(), "nosuch") {
		t.Fatalf("open: %v", err)
	}
	d.migrations[1] = "ALTER TABLE t ADD COLUMN b TEXT"
	if err := d.open(); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
	d.close()
}

func TestNewerIsRefused(t *testing.T) {
	for _, file := range []string{ledgerFile, accountsFile} {
		dir := t.TempDir()
		s := open(t, dir)
		if _, err := s.AddAccount(t.Context(), account("a")); err != nil {
			t.Fatal(err)
		}
		for _, db := range []*database{s.ledger, s.accounts} {
			if filepath.Base(db.path) == file {
				if _, err := db.write.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.Close()
		_, err := Open(dir, Options{})
		if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "number 99") {
			t.Errorf("%s: %v", file, err)
		}
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
		if paths, _ := filepath.Glob(filepath.Join(dir, "*.broken-*")); len(paths) > 0 {
			t.Errorf("%v", paths)
		}
	}
}

// TestClosed: after Close nothing works, and nothing comes back to life.
func TestClosed(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(some(1)); !errors.Is(err, errClosed) {
		t.Errorf("Keep: %v", err)
	}
	if _, err := s.Prune(context.Background(), config.Retention{Rows: 1}, time.Now()); !errors.Is(err, errClosed) {
		t.Errorf("Prune: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestCannotReopen: if another file cannot be opened either, calls fail until
// it can.
func TestCannotReopen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.ledger.mu.Lock()
	s.ledger.disconnect() // as after a damage, with no room for another file
	s.ledger.mu.Unlock()
	if err := os.Rename(s.ledger.path, s.ledger.path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.ledger.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(some(1)); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Keep: %v", err)
	}
	if err := os.Remove(s.ledger.path); err != nil {
		t.Fatal(err)
	}
	keepAll(t, s, some(1)...)
}
