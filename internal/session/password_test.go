package session

import (
	"errors"
	"strings"
	"testing"
)

func anybody() error { return nil }

func tried(t *testing.T, b *Book, password string) bool {
	t.Helper()
	var told bool
	right, err := b.Try(password, anybody, func(right bool) { told = right })
	if err != nil || told != right {
		t.Fatalf("%v, told %v", err, told)
	}
	return right
}

func TestPassword(t *testing.T) {
	s := &shelf{rows: map[string]Record{}}
	b := open(t, s)
	token, _ := begin(t, b, "")
	code, _ := b.Launch()
	const password = "zwölf Boxkämpfer" // 16 letters
	if b.HasPassword() || tried(t, b, "") || tried(t, b, password) {
		t.Error("there is a password before one was set")
	}
	for text, want := range map[string]error{"": ErrShort, "elf letters": ErrShort, "ééééééééééé": ErrShort, strings.Repeat("x", MaxPassword+1): ErrLong} {
		if err := b.SetPassword(t.Context(), text); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	if !found(b, token) {
		t.Error("a password that was not taken ended the session")
	}
	if err := b.SetPassword(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	if found(b, token) || len(s.rows) > 0 || b.Redeem(code) {
		t.Error("a session or a code outlives the password")
	}
	if !strings.HasPrefix(s.password, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(s.password, password) {
		t.Errorf("kept is %q", s.password)
	}
	for _, b := range []*Book{b, open(t, s)} {
		if !b.HasPassword() || !tried(t, b, password) || tried(t, b, password+"!") || tried(t, b, "") {
			t.Error("the password is judged wrongly")
		}
	}
	if one, two := hash(password), hash(password); one == two {
		t.Error("two hashes of one password are the same")
	}
	if err := b.RemovePassword(t.Context()); err != nil || b.HasPassword() || tried(t, b, password) {
		t.Errorf("after it was removed: %v", err)
	}
}

// TestHashesThatFitNothing: what was changed on the disk neither opens the door
// nor costs more than a hash of this version.
func TestHashesThatFitNothing(t *testing.T) {
	const password = "correct horse battery"
	good := hash(password)
	for name, h := range map[string]string{
		"empty": "", "no hash": "password", "half": good[:len(good)/2], "too much memory": strings.Replace(good, "m=19456", "m=1048576", 1),
		"too many passes": strings.Replace(good, "t=2", "t=100000", 1), "no passes": strings.Replace(good, "t=2", "t=0", 1),
		"another kind": strings.Replace(good, "argon2id", "argon2i", 1), "no sum": good[:strings.LastIndexByte(good, '$')+1],
		"another salt": strings.Replace(good, good[31:35], "AAAA", 1),
	} {
		if fits(password, h) {
			t.Errorf("%s: it fits", name)
		}
	}
	if !fits(password, good) {
		t.Error("the good one does not fit")
	}
}

// TestTriesTakeTurns: while one password is tried no other is, and whoever is
// refused before costs nothing.
func TestTriesTakeTurns(t *testing.T) {
	b := open(t, &shelf{rows: map[string]Record{}})
	_, err := b.Try("x", func() error {
		if _, err := b.Try("y", anybody, func(bool) {}); !errors.Is(err, ErrBusy) {
			t.Errorf("the second: %v", err)
		}
		return nil
	}, func(bool) {
		if _, err := b.Try("y", anybody, func(bool) {}); !errors.Is(err, ErrBusy) {
			t.Errorf("the second, before the outcome counts: %v", err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	refused := errors.New("wait")
	if _, err := b.Try("x", func() error { return refused }, func(bool) { t.Error("it was tried") }); !errors.Is(err, refused) {
		t.Errorf("error = %v", err)
	}
}
