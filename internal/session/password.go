package session

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// What one try of a password costs: 19 MiB and two passes on one core, some
// 40 ms, as OWASP's Password Storage Cheat Sheet has it for argon2id.
const (
	memory   = 19 << 10 // KiB
	passes   = 2
	saltSize = 16
	sumSize  = 32

	// maxTries is how many passwords are tried at one time. Whoever comes
	// meanwhile is told so and does not wait.
	maxTries = 1

	// MinPassword and MaxPassword bound a password, the one in letters, the
	// other in bytes.
	MinPassword = 12
	MaxPassword = 1024
)

// Errors of passwords.
var (
	// ErrBusy: another password is being tried this very moment.
	ErrBusy = errors.New("another password is being tried; try again in a second")
	// ErrShort: it could be guessed.
	ErrShort = fmt.Errorf("the password needs at least %d letters", MinPassword)
	// ErrLong: it is no password.
	ErrLong = fmt.Errorf("the password may have at most %d bytes", MaxPassword)
)

// HasPassword reports whether there is a password.
func (b *Book) HasPassword() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.password != ""
}

// SetPassword sets the password. All sessions end.
func (b *Book) SetPassword(ctx context.Context, password string) error {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return ErrShort
	case len(password) > MaxPassword:
		return ErrLong
	}
	return b.putPassword(ctx, hash(password))
}

// RemovePassword removes the password: nobody can sign in by one. All sessions
// end.
func (b *Book) RemovePassword(ctx context.Context) error { return b.putPassword(ctx, "") }

func (b *Book) putPassword(ctx context.Context, hashed string) error {
	b.changes.Lock()
	defer b.changes.Unlock()
	if err := b.keep.PutPassword(ctx, hashed); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.password = hashed
	clear(b.sessions)
	clear(b.unsaved)
	b.codes = nil
	return nil
}

// Try reports whether password is the one that was set. before is called once
// it is this caller's turn and before anything expensive: it may refuse, and
// since there is one turn at a time, what it counts is never exceeded. after
// is told the outcome before the turn ends. The error is ErrBusy or before's.
func (b *Book) Try(password string, before func() error, after func(right bool)) (bool, error) {
	select {
	case b.tries <- struct{}{}:
		defer func() { <-b.tries }()
	default:
		return false, ErrBusy
	}
	if err := before(); err != nil {
		return false, err
	}
	b.mu.Lock()
	hashed := b.password
	b.mu.Unlock()
	right := len(password) <= MaxPassword && fits(password, hashed)
	after(right)
	return right, nil
}

// form is how a hash is written; its numbers are parameters of argon2id.
const form = "$argon2id$v=19$m=%d,t=%d,p=1$"

// hash is password as it is kept.
func hash(password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	sum := argon2.IDKey([]byte(password), salt, passes, memory, 1, sumSize)
	return fmt.Sprintf(form, memory, passes) + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(sum)
}

// fits reports whether hashed was made of password. A hash that cannot be
// read, or that would cost more than those of this version, fits nothing.
func fits(password, hashed string) bool {
	var m, t uint32
	if _, err := fmt.Sscanf(hashed, form, &m, &t); err != nil || m == 0 || t == 0 || m > memory || t > passes {
		return false
	}
	parts := strings.Split(hashed, "$")
	if len(parts) != 6 {
		return false
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[4])
	sum, errSum := base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errSum != nil || len(salt) != saltSize || len(sum) != sumSize {
		return false
	}
	return subtle.ConstantTimeCompare(argon2.IDKey([]byte(password), salt, t, m, 1, sumSize), sum) == 1
}
