package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/config"
	"portico/internal/secret"
)

const canary = "CANARY-0123456789abcdef"

func account(name string) config.Account {
	return config.Account{
		Name: name, Provider: "openai-compatible", Preset: "acme", Protocols: []string{"openai-chat"}, BaseURL: "https://api.example/v1",
		APIKey: secret.Of("sk-" + canary + "-" + name), Models: []string{"gpt-*", "o?"}, Priority: -3, Weight: 2,
		Limits: config.AccountLimits{RPM: 60, TPM: 90_000, Concurrency: 4}, Proxy: "socks5://user:" + canary + "@127.0.0.1:1080", Disabled: true, Label: "Büro", Tags: []string{"team:a", "b"},
		Headers: map[string]string{"X-Team": canary}, Options: map[string]string{"region": "eu", "token": canary},
	}
}

// TestAccountHasNoNewField: a field that is added to an account has to be
// stored too, and tested here.
func TestAccountHasNoNewField(t *testing.T) {
	for i, v := range []any{account("x"), account("x").Limits} {
		for f, value := range reflect.ValueOf(v).Fields() {
			if value.IsZero() {
				t.Errorf("%d: the field %s is not filled by the tests, and maybe not stored", i, f.Name)
			}
		}
	}
}

var ignoreInner = cmpopts.IgnoreUnexported(Account{})

func TestAccounts(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := t.Context()
	var want []Account
	for _, name := range []string{"zeta", "alpha", "Übung 'x'; DROP TABLE accounts"} {
		a, err := s.AddAccount(ctx, account(name))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, a)
	}
	bare, err := s.AddAccount(ctx, config.Account{Name: "bare", Provider: "ollama", Weight: 1})
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, bare)
	if _, err := s.AddAccount(ctx, account("alpha")); !errors.Is(err, ErrTaken) {
		t.Errorf("a name twice: %v", err)
	}
	check := func(when string) {
		t.Helper()
		got, err := s.Accounts(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, ignoreInner); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("added")

	changed := account("beta")
	changed.Weight, changed.Disabled, changed.Headers = 9, false, nil
	if want[1], err = s.ReplaceAccount(ctx, "alpha", 0, changed, false); err != nil {
		t.Fatal(err)
	}
	if want[1].Weight != 9 || want[1].Name != "beta" || !want[1].Updated.After(want[1].Created) {
		t.Errorf("%+v", want[1])
	}
	check("replaced")
	if _, err := s.ReplaceAccount(ctx, "beta", 0, account("zeta"), true); !errors.Is(err, ErrTaken) {
		t.Errorf("a name twice: %v", err)
	}
	for what, err := range map[string]error{
		"find":    second(s.Account(ctx, "alpha")),
		"replace": second(s.ReplaceAccount(ctx, "alpha", 0, account("alpha"), true)),
		"remove":  s.RemoveAccount(ctx, "alpha", 0),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s what is not there: %v", what, err)
		}
	}
	if err := s.RemoveAccount(ctx, "zeta", 0); err != nil {
		t.Fatal(err)
	}
	want = want[1:]
	check("removed")

	s.Close()
	s = open(t, dir)
	check("opened again")
	if got, err := s.Account(ctx, "beta"); err != nil || got.APIKey.Reveal() != "sk-"+canary+"-beta" {
		t.Errorf("%+v, %v", got, err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestKeepKey: a stored credential stays with an account, and goes nowhere
// else with it.
func TestKeepKey(t *testing.T) {
	s := open(t, t.TempDir())
	for name, c := range map[string]struct {
		change func(*config.Account)
		keep   bool
		want   string
	}{
		"the same":          {func(*config.Account) {}, true, "sk-" + canary + "-a"},
		"another name":      {func(a *config.Account) { a.Name = "b" }, true, "sk-" + canary + "-a"},
		"another limit":     {func(a *config.Account) { a.Limits.RPM = 1 }, true, "sk-" + canary + "-a"},
		"another host":      {func(a *config.Account) { a.BaseURL = "https://evil.example/v1" }, true, ""},
		"another scheme":    {func(a *config.Account) { a.BaseURL = "http://api.example/v1" }, true, ""},
		"the preset's host": {func(a *config.Account) { a.BaseURL = "" }, true, ""},
		"another preset":    {func(a *config.Account) { a.Preset = "evil" }, true, ""},
		"another provider":  {func(a *config.Account) { a.Provider = "evil" }, true, ""},
		"given anew":        {func(a *config.Account) { a.BaseURL, a.APIKey = "https://b.example", secret.Of("new") }, false, "new"},
		"taken away":        {func(a *config.Account) { a.APIKey = secret.Text{} }, false, ""},
	} {
		if _, err := s.AddAccount(t.Context(), account("a")); err != nil {
			t.Fatal(err)
		}
		a := account("a")
		a.APIKey = secret.Of("does not count")
		c.change(&a)
		returned, err := s.ReplaceAccount(t.Context(), "a", 0, a, c.keep)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Account(t.Context(), a.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got.APIKey.Reveal() != c.want || returned.APIKey != got.APIKey || got.Damage != "" {
			t.Errorf("%s: the key is %q, want %q; damage %q", name, got.APIKey.Reveal(), c.want, got.Damage)
		}
		if err := s.RemoveAccount(t.Context(), a.Name, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStolen: whoever has the databases and not the key file has no secret.
func TestStolen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.AddAccount(t.Context(), account("a")); err != nil {
		t.Fatal(err)
	}
	s.accounts.copies.Wait()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 5 { // two databases, their logs, the key, the copy
		t.Errorf("only %v", paths)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("CANARY")) {
			t.Errorf("%s holds a secret", path)
		}
	}
}

// TestTampered: what was changed in the database is found, named, and hinders
// no other account; nothing is ever sent elsewhere.
func TestTampered(t *testing.T) {
	for name, c := range map[string]struct{ sql, want string }{
		"bit flip":      {"UPDATE accounts SET credential = CAST(substr(credential, 1, 20) || CASE substr(credential, 21, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(credential, 22) AS BLOB) WHERE name = 'a'", "its credential cannot be read"},
		"cut":           {"UPDATE accounts SET headers = substr(headers, 1, 3) WHERE name = 'a'", "its headers cannot be read"},
		"swap":          {"UPDATE accounts SET credential = (SELECT credential FROM accounts WHERE name = 'b') WHERE name = 'a'", "belongs to another record"},
		"other field":   {"UPDATE accounts SET proxy = credential WHERE name = 'a'", "its proxy cannot be read"},
		"moved":         {"UPDATE accounts SET base_url = 'https://evil.example' WHERE name = 'a'", "its credential cannot be read"},
		"not a list":    {"UPDATE accounts SET models = 'x' WHERE name = 'a'", "its models cannot be read"},
		"two at a time": {"UPDATE accounts SET options = x'01', credential = x'' WHERE name = 'a'", "its options cannot be read"},
	} {
		s := open(t, t.TempDir())
		for _, n := range []string{"a", "b"} {
			if _, err := s.AddAccount(t.Context(), account(n)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.accounts.write.ExecContext(t.Context(), c.sql); err != nil {
			t.Fatal(err)
		}
		as, err := s.Accounts(t.Context())
		if err != nil || len(as) != 2 {
			t.Fatalf("%s: %d accounts, %v", name, len(as), err)
		}
		if !strings.Contains(as[0].Damage, c.want) || !as[0].Disabled || strings.Contains(as[0].Damage, "CANARY") {
			t.Errorf("%s: damage %q, want %q", name, as[0].Damage, c.want)
		}
		if as[1].Damage != "" || as[1].APIKey != account("b").APIKey {
			t.Errorf("%s: the other account: %+v", name, as[1])
		}
		// It is mended by giving it anew.
		if a, err := s.ReplaceAccount(t.Context(), "a", 0, account("a"), false); err != nil || a.Damage != "" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		if a, err := s.Account(t.Context(), "a"); err != nil || a.Damage != "" || a.APIKey != account("a").APIKey {
			t.Errorf("%s: mended, %+v, %v", name, a, err)
		}
	}
}

// TestKeyFileAway: an account that is changed while the key file is away has
// its secrets when it comes back.
func TestKeyFileAway(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.AddAccount(t.Context(), account("a")); err != nil {
		t.Fatal(err)
	}
	s.Close()
	key := filepath.Join(dir, keyFile)
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	a, err := s.Account(t.Context(), "a")
	if err != nil || !strings.Contains(a.Damage, key) || a.Headers != nil {
		t.Fatalf("%+v, %v", a, err)
	}
	a.Weight = 77
	if _, err := s.ReplaceAccount(t.Context(), "a", 0, a.Account, false); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	want := account("a")
	want.Weight = 77
	got, err := s.Account(t.Context(), "a")
	if diff := cmp.Diff(want, got.Account); err != nil || diff != "" || got.Damage != "" {
		t.Errorf("%v, %q (-want +got):\n%s", err, got.Damage, diff)
	}
}

func TestAccountBounds(t *testing.T) {
	s := open(t, t.TempDir())
	big := account("big")
	big.Options = map[string]string{"x": strings.Repeat("x", maxAccount)}
	nul := account("a\x00b")
	nameless := account("")
	for _, a := range []config.Account{big, nul, nameless} {
		if _, err := s.AddAccount(t.Context(), a); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%.10q: %v", a.Name, err)
		}
	}
	fill := fmt.Sprintf(`WITH RECURSIVE i(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM i WHERE n < %d)
		INSERT INTO accounts SELECT n, 'name ' || n, 'p', '', '', '', '', 0, 1, 0, 0, 0, 0, n, n, NULL, NULL, NULL, NULL, '', '', 0, 1, NULL FROM i`, MaxAccounts)
	if _, err := s.accounts.write.ExecContext(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddAccount(t.Context(), account("one more")); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	if as, err := s.Accounts(t.Context()); err != nil || len(as) != MaxAccounts {
		t.Errorf("%d accounts, %v", len(as), err)
	}
}

// TestCancelled: a change whose caller is gone is made or not, never by half.
func TestCancelled(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.AddAccount(ctx, account("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("AddAccount: %v", err)
	}
	if as, err := s.Accounts(t.Context()); err != nil || len(as) != 0 {
		t.Errorf("%d accounts, %v", len(as), err)
	}
}
