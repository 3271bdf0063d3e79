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
