// Package secret keeps credentials unreadable: sealed at rest, masked in logs.
package secret

import "log/slog"

// A Text is a secret that does not print, whatever verb or logger is used.
type Text struct{ s string }

const mask = "•••"

// Of wraps s.
func Of(s string) Text { return Text{s} }

// String masks the secret.
func (t Text) String() string { return mask }

// GoString masks the secret for %#v.
func (t Text) GoString() string { return mask }

// LogValue masks the secret in slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText masks the secret in every encoder.
func (t Text) MarshalText() ([]byte, error) { return []byte(mask), nil }

// Reveal returns the secret itself. Its callers are the whole list of places
// where a credential leaves this type.
func (t Text) Reveal() string { return t.s }

// IsZero reports whether there is no secret.
func (t Text) IsZero() bool { return t.s == "" }

// Hint shows just enough to tell two secrets apart: "sk-…ab12", or the mask
// for a short one.
func (t Text) Hint() string {
	if len(t.s) < 16 {
		return mask
	}
	head := ""
	if len(t.s) > 3 && t.s[2] == '-' {
		head = t.s[:3]
	}
	return head + "…" + t.s[len(t.s)-4:]
}
