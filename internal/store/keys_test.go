package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/clientkey"
)

func newKey(name string) clientkey.Record {
	return clientkey.Record{
		Name: name, Hint: "sk-…ab12", Digest: clientkey.DigestOf("key of " + name),
		Note: "for\n" + name, Models: []string{"gpt-*"}, Addresses: []string{"10.0.0.0/8"}, Hours: []string{"mon-fri 08:00-18:00"}, Zone: "Europe/Berlin",
		RPM: 5, Day: clientkey.Budget{Tokens: 7, Nanos: 9}, Expires: time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC),
	}
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := t.Context()
	a, err := s.AddKey(ctx, newKey("a"))
	if err != nil || a.ID == "" || a.Version != 1 {
		t.Fatalf("added: %+v, %v", a, err)
	}
	if _, err := s.AddKey(ctx, newKey("a")); !errors.Is(err, ErrKeyTaken) {
		t.Errorf("the same name: %v", err)
	}
	if _, err := s.AddKey(ctx, newKey("b")); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	if _, err := s.ChangeKey(ctx, "a", 0, func(*clientkey.Record) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("a change that is none: %v", err)
	}
	changed, err := s.ChangeKey(ctx, "a", 1, func(r *clientkey.Record) error {
		r.Disabled, r.Name, r.Digest, r.Hint = true, "c", clientkey.DigestOf("new"), "sk-…new"
		return nil
	})
	if err != nil || changed.Name != "a" || changed.Version != 2 {
		t.Errorf("changed: %+v, %v", changed, err)
	}
	if _, err := s.ChangeKey(ctx, "a", 1, func(*clientkey.Record) error { return nil }); !errors.Is(err, ErrVersion) {
		t.Errorf("a change of what was changed: %v", err)
	}
	if err := s.RemoveKey(ctx, "a", 1); !errors.Is(err, ErrVersion) {
		t.Errorf("removing what was changed: %v", err)
	}
	if err := s.RemoveKey(ctx, "b", 1); err != nil {
		t.Error(err)
	}
	if err := s.RemoveKey(ctx, "b", 0); !errors.Is(err, ErrNoKey) {
		t.Errorf("removing it twice: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, dir).Keys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]clientkey.Record{changed}, got); diff != "" {
		t.Error(diff)
	}
}

// TestUnreadableKey: settings that nobody can read permit nothing, and hinder
// no other key.
func TestUnreadableKey(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"a", "b"} {
		if _, err := s.AddKey(t.Context(), newKey(name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.accounts.write.ExecContext(t.Context(), "UPDATE keys SET settings = '{' WHERE name = 'a'"); err != nil {
		t.Fatal(err)
	}
	ks, err := s.Keys(t.Context())
	if err != nil || len(ks) != 2 || !ks[0].Disabled || ks[1].Disabled {
		t.Errorf("got %+v, %v", ks, err)
	}
}

func TestKeyTooLarge(t *testing.T) {
	s := open(t, t.TempDir())
	k := newKey("a")
	k.Note = strings.Repeat("x", maxSettings)
	if _, err := s.AddKey(t.Context(), k); err == nil {
		t.Error("it was taken")
	}
}
