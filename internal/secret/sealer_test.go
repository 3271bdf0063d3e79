package secret

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func sealer(t testing.TB) *Sealer {
	t.Helper()
	return NewSealer(filepath.Join(t.TempDir(), "secret.key"))
}

func seal(t testing.TB, s *Sealer, plain string, where ...string) []byte {
	t.Helper()
	sealed, err := s.Seal(plain, where...)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealOpens(t *testing.T) {
	s := sealer(t)
	for _, plain := range []string{"", "sk-canary-0123456789", strings.Repeat("x", 100_000)} {
		sealed := seal(t, s, plain, "accounts", "a1", "credential")
		if plain != "" && bytes.Contains(sealed, []byte(plain)) {
			t.Error("the secret can be read")
		}
		for _, s := range []*Sealer{s, NewSealer(s.path)} { // the same process, and the next
			got, err := s.Open(sealed, "accounts", "a1", "credential")
			if err != nil || got != plain {
				t.Errorf("Open of %d bytes: %d bytes, %v", len(plain), len(got), err)
			}
		}
	}
}

// TestSealHoldsInPlace: a sealed secret opens nowhere but where it belongs,
// and not after any bit of it was flipped.
func TestSealHoldsInPlace(t *testing.T) {
	s := sealer(t)
	sealed := seal(t, s, "sk-one", "accounts", "a1", "credential")
	for _, where := range [][]string{
		{"accounts", "a2", "credential"},
		{"accounts", "a1", "proxy"},
		{"sessions", "a1", "credential"},
		{"accounts", "a1credential"},
		{"accounts", "a", "1credential"},
		{"accounts", "a1", "credential", ""},
		{},
	} {
		if got, err := s.Open(sealed, where...); !errors.Is(err, ErrChanged) {
			t.Errorf("at %q it opens as %q, %v", where, got, err)
		}
	}
	for i := range len(sealed) * 8 {
		flipped := bytes.Clone(sealed)
		flipped[i/8] ^= 1 << (i % 8)
		if got, err := s.Open(flipped, "accounts", "a1", "credential"); !errors.Is(err, ErrChanged) && !errors.Is(err, ErrOtherKey) {
			t.Errorf("with bit %d flipped it opens as %q, %v", i, got, err)
		}
	}
	for n := range sealed {
		if _, err := s.Open(sealed[:n], "accounts", "a1", "credential"); err == nil {
			t.Errorf("its first %d bytes open", n)
		}
	}
}

func TestOtherKey(t *testing.T) {
	one, two := sealer(t), sealer(t)
	sealed := seal(t, one, "sk-one", "a")
	seal(t, two, "sk-two", "a")
	if _, err := two.Open(sealed, "a"); !errors.Is(err, ErrOtherKey) || !strings.Contains(err.Error(), two.path) {
		t.Errorf("error = %v, want one that names the key file", err)
	}
}

// TestNonces: no nonce comes twice in a million.
func TestNonces(t *testing.T) {
	s := sealer(t)
	n := 1_000_000
	if testing.Short() {
		n = 10_000
	}
	nonces := make([][12]byte, n)
	for i := range nonces {
		copy(nonces[i][:], seal(t, s, "x")[sealHeader:])
	}
	slices.SortFunc(nonces, func(a, b [12]byte) int { return bytes.Compare(a[:], b[:]) })
	for i := 1; i < n; i++ {
		if nonces[i] == nonces[i-1] {
			t.Fatalf("the nonce %x came twice", nonces[i])
		}
	}
}

func TestKeyFile(t *testing.T) {
	s := sealer(t)
	if _, err := s.Open(make([]byte, 50)); err == nil {
		t.Error("garbage opens")
	}
	if _, err := s.Open(append([]byte{sealVersion}, make([]byte, 50)...)); !errors.Is(err, errNoKey) {
		t.Errorf("error = %v, want that the key file is missing", err)
	}
	if _, err := os.Stat(s.path); err == nil {
		t.Fatal("Open made a key")
	}
	sealed := seal(t, s, "sk-one")
	info, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if entries, err := os.ReadDir(filepath.Dir(s.path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}

	whole, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty": "", "half": string(whole[:30]), "no prefix": string(whole[5:]), "long": string(whole) + "AAAA", "not base64": keyPrefix + "!!!",
	} {
		if err := os.WriteFile(s.path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewSealer(s.path).Seal("x"); err == nil || !strings.Contains(err.Error(), s.path) {
			t.Errorf("%s: error = %v, want one that names the file", name, err)
		}
	}
	if err := os.WriteFile(s.path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := NewSealer(s.path).Open(sealed); err != nil || got != "sk-one" {
		t.Errorf("after the file was restored: %q, %v", got, err)
	}
}

// TestOneKey: processes that make the key at the same time use the same one.
func TestOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	sealed := make([][]byte, 16)
	var wg sync.WaitGroup
	for i := range sealed {
		wg.Go(func() {
			var err error
			if sealed[i], err = NewSealer(path).Seal("x"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := NewSealer(path)
	for i := range sealed {
		if _, err := s.Open(sealed[i]); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}
