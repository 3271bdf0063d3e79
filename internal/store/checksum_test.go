package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/clientkey"
)

func TestChecksum(t *testing.T) {
	seen := map[string][]any{}
	for _, columns := range [][]any{
		{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {1, 2}, {12}, {int64(12), ""}, {true}, {false}, {[]byte("a"), 1}, {"1:a"}, {},
	} {
		sum := string(checksum(columns...))
		if other, ok := seen[sum]; ok {
			t.Errorf("%v and %v have one checksum", columns, other)
		}
		seen[sum] = columns
	}
	if !bytes.Equal(checksum(1, "x"), checksum(int64(1), []byte("x"))) {
		t.Error("what a database gives back has another checksum")
	}
	if !checks(nil, "x") || checks(checksum("x"), "y") || !checks(checksum("x"), "x") {
		t.Error("checks is wrong")
	}
}

// TestFlippedColumns: a change of any column of a record on the disk is found,
// that record is named, and no other suffers.
func TestFlippedColumns(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	for _, name := range []string{"a", "b", "c"} {
		if _, err := s.AddAccount(ctx, account(name)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddKey(ctx, newKey(name)); err != nil {
			t.Fatal(err)
		}
	}
	for column := range strings.SplitSeq(strings.Join(strings.Fields(accountColumns), ""), ",") {
		if column == "id" || column == "name" || column == "created" || column == "position" {
			continue // these order the list or name the record; they are below, but for the order, which harms nobody
		}
		flip(t, s, "accounts", column, "b", func() {
			as, err := s.Accounts(ctx)
			if err != nil || len(as) != 3 || as[1].Damage == "" || !as[1].Disabled || as[0].Damage+as[2].Damage != "" || as[0].APIKey != account("a").APIKey {
				t.Errorf("accounts.%s: %v, %+v", column, err, as)
			}
		})
	}
	for _, column := range []string{"hint", "digest", "version", "updated", "settings", "checksum"} {
		flip(t, s, "keys", column, "b", func() {
			ks, err := s.Keys(ctx)
			if err != nil || len(ks) != 3 || !ks[1].Disabled || ks[1].Note == "" || ks[0].Disabled || ks[2].Disabled {
				t.Errorf("keys.%s: %v, %+v", column, err, ks)
			}
		})
	}
	for _, column := range []string{"id", "name", "created"} {
		flip(t, s, "accounts", column, "b", func() {
			as, err := s.Accounts(ctx)
			damaged := 0
			for _, a := range as {
				if a.Damage != "" && a.Disabled {
					damaged++
				}
			}
			if err != nil || len(as) != 3 || damaged != 1 {
				t.Errorf("accounts.%s: %v, %+v", column, err, as)
			}
		})
	}
	as, err := s.Accounts(ctx)
	if err != nil || as[0].Damage+as[1].Damage+as[2].Damage != "" {
		t.Errorf("what was put back is damaged: %v, %+v", err, as)
	}
}

// flip changes one column of the record called name, calls f, and puts it back.
func flip(t *testing.T, s *Store, table, column, name string, f func()) {
	t.Helper()
	var old any
	var id int64
	db := s.accounts.write
	if err := db.QueryRowContext(t.Context(), "SELECT rowid, "+column+" FROM "+table+" WHERE name = ?", name).Scan(&id, &old); err != nil {
		t.Fatal(err)
	}
	var other any
	switch x := old.(type) {
	case int64:
		other = x ^ 1
	case string:
		other = x + "x"
	case []byte:
		b := bytes.Clone(x)
		b[len(b)/2] ^= 4
		other = b
	default:
		t.Fatalf("%s.%s is a %T", table, column, old)
	}
	set := func(v any) {
		if _, err := db.ExecContext(t.Context(), "UPDATE "+table+" SET "+column+" = ? WHERE rowid = ?", v, id); err != nil {
			t.Fatal(err)
		}
	}
	set(other)
	f()
	set(old)
}

// TestFlippedBytes flips bytes all over a database without a copy to fall back
// on: whatever is shown is as it was or is named as damaged, and of a record
// whose page was not hit nothing is lost.
func TestFlippedBytes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	want := map[string]clientkey.Digest{}
	const n = 12
	for i := range n {
		name := fmt.Sprintf("account-%02d", i)
		if _, err := s.AddAccount(t.Context(), account(name)); err != nil {
			t.Fatal(err)
		}
		k, err := s.AddKey(t.Context(), newKey(name))
		if err != nil {
			t.Fatal(err)
		}
		want[name] = k.Digest
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
	step := 1499
	if testing.Short() {
		step *= 4
	}
	named, aside, shown := 0, 0, 0
	for at := 100; at < len(whole); at += step { // behind the header, whose damage the other tests know
		b := bytes.Clone(whole)
		b[at] ^= 1 << (at % 8)
		dir := t.TempDir()
		for name, content := range map[string][]byte{accountsFile: b, keyFile: key} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, dir)
		as, err := s.Accounts(t.Context())
		if err != nil {
			t.Fatalf("byte %d: %v", at, err)
		}
		if len(s.Broken()) > 0 {
			aside++ // SQLite found it, the file is kept, and there was no copy
			s.Close()
			continue
		}
		damaged := 0
		for _, a := range as {
			shown++
			if a.Damage != "" {
				damaged++
				continue
			}
			if x := account(a.Name); a.APIKey != x.APIKey || a.BaseURL != x.BaseURL || a.Priority != x.Priority || a.Proxy != x.Proxy || want[a.Name] == (clientkey.Digest{}) {
				t.Errorf("byte %d: %s is not what it was", at, a.Name)
			}
		}
		if len(as) != n || damaged > 1 {
			t.Errorf("byte %d: %d accounts, of which %d are damaged", at, len(as), damaged)
		}
		named += damaged
		ks, err := s.Keys(t.Context())
		if err != nil {
			t.Errorf("byte %d: %v", at, err)
		}
		for _, k := range ks {
			if !k.Disabled && k.Digest != want[k.Name] {
				t.Errorf("byte %d: the key %s is another", at, k.Name)
			}
		}
		s.Close()
	}
	if named == 0 || shown == 0 {
		t.Errorf("of %d records %d were named as damaged, %d files set aside: the test finds nothing", shown, named, aside)
	}
	t.Logf("%d records shown, %d named as damaged, %d files set aside", shown, named, aside)
}

// TestOlderAccounts: a database of every older schema is brought to this one,
// with what is in it.
func TestOlderAccounts(t *testing.T) {
	for version := 1; version < len(accountsMigrations); version++ {
		dir := t.TempDir()
		old := &database{path: filepath.Join(dir, accountsFile), migrations: accountsMigrations[:version], log: discard, precious: true}
		if err := old.open(); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.TempDir(), Options{}) // for its key, and to seal like it did
		if err != nil {
			t.Fatal(err)
		}
		x := Account{Account: account("a"), ID: "id-1"}
		credential, err := s.o.Sealer.Seal(x.APIKey.Reveal(), seat(&x, fieldCredential)...)
		if err != nil {
			t.Fatal(err)
		}
		key, err := os.ReadFile(filepath.Join(filepath.Dir(s.accounts.path), keyFile))
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if err := os.WriteFile(filepath.Join(dir, keyFile), key, 0o600); err != nil {
			t.Fatal(err)
		}
		err = old.use(func(write, _ *sql.DB) error {
			_, err := write.ExecContext(t.Context(), `INSERT INTO accounts (id, name, provider, preset, protocols, base_url, models, priority, weight, rpm, tpm, concurrency, disabled,
				created, updated, credential) VALUES ('id-1', 'a', ?, ?, '["openai-chat"]', ?, '', 5, 1, 0, 0, 0, 0, 1, 1, ?)`, x.Provider, x.Preset, x.BaseURL, credential)
			if err == nil && version >= 2 {
				_, err = write.ExecContext(t.Context(), `INSERT INTO keys VALUES ('k-1', 'ci', 'sk-…', ?, 3, 1, 1, '{}')`, bytes.Repeat([]byte{7}, 32))
			}
			if err == nil && version >= 3 {
				_, err = write.ExecContext(t.Context(), `INSERT INTO rules VALUES ('r-1', 1, '10.0.0.0/8', 'why', 1, 0)`)
			}
			return err
		})
		if err != nil {
			t.Fatalf("schema %d: %v", version, err)
		}
		old.close()
		s = open(t, dir)
		a, err := s.Account(t.Context(), "a")
		if err != nil || a.Damage != "" || a.APIKey != x.APIKey || a.Priority != 5 || a.Version != 1 {
			t.Errorf("schema %d: %+v, %v", version, a, err)
		}
		if ks, err := s.Keys(t.Context()); err != nil || version >= 2 && (len(ks) != 1 || ks[0].Version != 3 || ks[0].Disabled) {
			t.Errorf("schema %d: keys %+v, %v", version, ks, err)
		}
		if rs, err := s.Rules(t.Context()); err != nil || version >= 3 && len(rs) != 1 {
			t.Errorf("schema %d: rules %+v, %v", version, rs, err)
		}
		if a, err = s.ReplaceAccount(t.Context(), "a", 1, account("a"), false); err != nil || a.Version != 2 {
			t.Errorf("schema %d: changing it: %+v, %v", version, a, err)
		}
	}
}
