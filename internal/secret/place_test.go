package secret

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// chain is a keychain in memory.
type chain struct {
	keys   map[string]string
	failed error  // of every call
	forge  string // what Get returns instead
}

func newChain() *chain { return &chain{keys: map[string]string{}} }

func (c *chain) Get(id string) (string, error) {
	text, ok := c.keys[id]
	switch {
	case c.failed != nil:
		return "", c.failed
	case c.forge != "":
		return c.forge, nil
	case !ok:
		return "", errors.New("not found")
	}
	return text, nil
}

func (c *chain) Set(id, text string) error {
	if c.failed == nil {
		c.keys[id] = text
	}
	return c.failed
}

func (c *chain) Delete(id string) error {
	delete(c.keys, id)
	return c.failed
}

var errLocked = errors.New("the keychain is locked")

func at(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "secret.key")
}

func opens(s *Sealer, sealed []byte) bool {
	got, err := s.Open(sealed, "a")
	return err == nil && got == "sk-one"
}

// TestKeyIsMadeWhereItIsWanted: without a keychain it lies in the file, and
// Place says so.
func TestKeyIsMadeWhereItIsWanted(t *testing.T) {
	for _, tt := range []struct {
		want   string
		chain  Keychain
		in     string
		reason bool
	}{
		{Auto, newChain(), InKeychain, false},
		{Auto, &chain{failed: errLocked}, InFile, false},
		{Auto, &chain{keys: map[string]string{}, forge: "AAAA"}, InFile, false},
		{Auto, nil, InFile, false},
		{InKeychain, newChain(), InKeychain, false},
		{InKeychain, &chain{failed: errLocked}, InFile, true},
		{InKeychain, nil, InFile, true},
		{InFile, newChain(), InFile, false},
	} {
		s := NewSealerAt(at(t), tt.want, tt.chain)
		if p := s.Place(); p.In != "" || p.Why != "" {
			t.Errorf("%s: before there is a key: %+v", tt.want, p)
		}
		sealed := seal(t, s, "sk-one", "a")
		p := s.Place()
		if p.In != tt.in || (p.Why != "") != tt.reason || p.Path != s.path {
			t.Errorf("wanted %s with %+v: %+v", tt.want, tt.chain, p)
		}
		if !opens(NewSealerAt(s.path, tt.want, tt.chain), sealed) {
			t.Errorf("%s: the next process cannot open it", tt.want)
		}
		b, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := tt.chain.(*chain); ok && tt.in == InKeychain {
			for _, key := range c.keys {
				if strings.Contains(string(b), key) {
					t.Error("the key lies in the file, too")
				}
			}
		} else if ok && len(c.keys) > 0 {
			t.Errorf("the keychain keeps what nobody looks for: %v", c.keys)
		}
		if info, err := os.Stat(s.path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file's mode is %v, %v", info.Mode(), err)
		}
	}
}

// TestKeyMoves: a key that moves opens what it opened, wherever it is stopped on
// the way.
func TestKeyMoves(t *testing.T) {
	path, c := at(t), newChain()
	sealed := seal(t, NewSealer(path), "sk-one", "a")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	settle := func(want string, moves bool, in string) *Sealer {
		t.Helper()
		s := NewSealerAt(path, want, c)
		moved, _ := s.Settle()
		if p := s.Place(); moved != moves || p.In != in || !opens(s, sealed) {
			t.Errorf("to %s: moved %v, %+v", want, moved, p)
		}
		return s
	}
	settle(Auto, false, InFile)
	c.failed = errLocked
	if s := settle(InKeychain, false, InFile); !strings.Contains(s.Place().Why, "locked") {
		t.Errorf("why is %q", s.Place().Why)
	}
	c.failed = nil
	settle(InKeychain, true, InKeychain)
	settle(InKeychain, false, InKeychain)
	settle(Auto, false, InKeychain)
	c.failed = errLocked // it cannot come back while the keychain is locked, and is not lost
	s := NewSealerAt(path, InFile, c)
	if moved, err := s.Settle(); moved || !errors.Is(err, errLocked) {
		t.Errorf("out of a locked keychain: %v, %v", moved, err)
	}
	if _, err := s.Open(sealed, "a"); !errors.Is(err, errLocked) {
		t.Errorf("error = %v", err)
	}
	if _, err := s.Seal("x"); !errors.Is(err, errLocked) {
		t.Errorf("a second key was made: %v", err)
	}
	c.failed = nil
	settle(InFile, true, InFile)
	if len(c.keys) > 0 {
		t.Errorf("the keychain keeps %d keys", len(c.keys))
	}
	if back, err := os.ReadFile(path); err != nil || string(back) != string(whole) {
		t.Errorf("the file came back as %q, %v", back, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

// TestKeychainThatLies: another key under the id opens nothing and is named.
func TestKeychainThatLies(t *testing.T) {
	c := newChain()
	s := NewSealerAt(at(t), Auto, c)
	sealed := seal(t, s, "sk-one", "a")
	other := newChain()
	seal(t, NewSealerAt(at(t), Auto, other), "x")
	id := slices.Collect(maps.Keys(c.keys))[0]
	for name, text := range map[string]string{"another key": slices.Collect(maps.Values(other.keys))[0], "no key": "hello", "nothing": ""} {
		c.keys[id] = text
		if _, err := NewSealerAt(s.path, Auto, c).Open(sealed, "a"); err == nil || !strings.Contains(err.Error(), s.path) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	delete(c.keys, id)
	if _, err := NewSealerAt(s.path, Auto, c).Seal("x"); err == nil {
		t.Error("a second key was made for one that is gone")
	}
	if p := NewSealerAt(s.path, Auto, nil).Place(); p.In != InKeychain {
		t.Errorf("without a keychain: %+v", p)
	}
}

func TestParseKeyFile(t *testing.T) {
	for text, ok := range map[string]bool{
		"portico-keychain-1 ABC 01020304": true, "portico-keychain-1 ABC": false, "portico-keychain-1  01020304": false,
		"portico-keychain-1 ABC 010203": false, "portico-keychain-1 ABC 0102030405": false, "portico-keychain-1 ABC zzzzzzzz": false,
		"portico-key-1 AAAA": false, "": false, "portico-keychain-2 ABC 01020304": false,
	} {
		if _, got := parseKeyFile(text); got != ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}
