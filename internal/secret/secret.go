// Package secret keeps credentials unreadable: sealed at rest, masked in logs.
package secret

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// A Text is a secret that does not print, whatever verb or logger is used, and
// whatever it is part of. Two of the same secret are equal.
type Text struct {
	// fmt calls no method of what lies in an unexported field of somebody's
	// struct. It then prints the address that is in the handle.
	h unique.Handle[string]
}

const mask = "•••"

// Of wraps s.
func Of(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{unique.Make(s)}
}

// String masks the secret.
func (t Text) String() string { return mask }

// Format masks the secret for every verb of fmt.
func (t Text) Format(s fmt.State, _ rune) { io.WriteString(s, mask) }

// LogValue masks the secret in slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText masks the secret in every encoder.
func (t Text) MarshalText() ([]byte, error) { return []byte(mask), nil }

// Reveal returns the secret itself. Its callers are the whole list of places
// where a credential leaves this type.
func (t Text) Reveal() string {
	if t.IsZero() {
		return ""
	}
	return t.h.Value()
}

// IsZero reports whether there is no secret.
func (t Text) IsZero() bool { return t == Text{} }

// Equal reports whether both are the same secret.
func (t Text) Equal(u Text) bool { return t == u }

// Hint shows just enough to tell two secrets apart: "sk-…ab12", or the mask
// for a short one.
func (t Text) Hint() string {
	s := t.Reveal()
	if len(s) < 16 {
		return mask
	}
	head := ""
	if len(s) > 3 && s[2] == '-' {
		head = s[:3]
	}
	return head + "…" + s[len(s)-4:]
}
