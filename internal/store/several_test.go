package store

import (
	"errors"
	"slices"
	"testing"

	"portico/internal/config"
)

func names(t *testing.T, s *Store) (names []string) {
	t.Helper()
	as, err := s.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range as {
		names = append(names, as[i].Name)
	}
	return names
}

// Several accounts are added in their order: all of them, or none.
func TestAddAccounts(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.AddAccounts(t.Context(), []config.Account{account("z"), account("a"), account("m")}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddAccounts(t.Context(), []config.Account{account("new"), account("a")}); !errors.Is(err, ErrTaken) {
		t.Errorf("a name that is taken: %v", err)
	}
	if err := s.AddAccounts(t.Context(), make([]config.Account, MaxAccounts-2)); !errors.Is(err, ErrTooMany) {
		t.Errorf("too many: %v", err)
	}
	if got := names(t, s); !slices.Equal(got, []string{"z", "a", "m"}) {
		t.Errorf("there are %q", got)
	}
	if a, err := s.Account(t.Context(), "m"); err != nil || a.APIKey != account("m").APIKey {
		t.Errorf("%+v, %v", a, err)
	}
}

// The operator's order holds for those that it names; the others follow, and new
// ones come last. It outlives changes and removals.
func TestOrderAccounts(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.AddAccounts(t.Context(), []config.Account{account("a"), account("b"), account("c"), account("d")}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ order, want []string }{
		{[]string{"c", "a"}, []string{"c", "a", "b", "d"}},
		{[]string{"d"}, []string{"d", "c", "a", "b"}},
		{nil, []string{"d", "c", "a", "b"}},
	} {
		if err := s.OrderAccounts(t.Context(), tt.order); err != nil {
			t.Fatal(err)
		}
		if got := names(t, s); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.order, got, tt.want)
		}
	}
	if err := s.OrderAccounts(t.Context(), []string{"b", "nobody"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := s.AddAccount(t.Context(), account("new")); err != nil {
		t.Fatal(err)
	}
	changed := account("d")
	changed.Weight = 9
	if err := s.ReplaceAccounts(t.Context(), []config.Account{changed}, nil); err != nil {
		t.Fatal(err)
	}
	gone, err := s.RemoveAccounts(t.Context(), []string{"c", "d"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RestoreAccounts(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); !slices.Equal(got, []string{"d", "c", "a", "b", "new"}) {
		t.Errorf("at the end there are %q", got)
	}
}

// Several accounts are changed, removed and restored whole or not at all.
func TestSeveral(t *testing.T) {
	s := open(t, t.TempDir())
	a, err := s.AddAccount(t.Context(), account("a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddAccount(t.Context(), account("b")); err != nil {
		t.Fatal(err)
	}
	changed, nobody := account("a"), account("nobody")
	changed.Label = "changed"
	if err := s.ReplaceAccounts(t.Context(), []config.Account{changed, nobody}, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if _, err := s.RemoveAccounts(t.Context(), []string{"b", "nobody"}, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if got, err := s.Account(t.Context(), "a"); err != nil || got.Label == "changed" || len(names(t, s)) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.ReplaceAccounts(t.Context(), []config.Account{changed}, nil); err != nil {
		t.Fatal(err)
	}
	gone, err := s.RemoveAccounts(t.Context(), []string{"a", "b"}, nil)
	if err != nil || len(gone) != 2 || len(names(t, s)) != 0 {
		t.Fatalf("%d removed, %v; left %q", len(gone), err, names(t, s))
	}
	if _, err := s.AddAccount(t.Context(), account("b")); err != nil {
		t.Fatal(err)
	}
	if err := s.RestoreAccounts(t.Context(), gone); !errors.Is(err, ErrTaken) {
		t.Errorf("a name that has another account: %v", err)
	}
	if got := names(t, s); !slices.Equal(got, []string{"b"}) {
		t.Errorf("there are %q", got)
	}
	if err := s.RestoreAccounts(t.Context(), gone[:1]); err != nil {
		t.Fatal(err)
	}
	got, err := s.Account(t.Context(), "a")
	if err != nil || got.ID != a.ID || !got.Created.Equal(a.Created) || got.Label != "changed" || got.APIKey != changed.APIKey {
		t.Errorf("restored %+v, %v", got, err)
	}
}
