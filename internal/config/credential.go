package config

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"

	"portico/internal/secret"
)

// Prefixes of the two generated credentials, so that one is told from the
// other at a glance and found by scanners of secrets.
const (
	prefixAPIKey     = "sk-"
	prefixAdminToken = "at-"
)

// A generated credential is its prefix, 32 letters of 160 random bits, and 6
// letters of checksum. The alphabet is Crockford's base32 in lower case: no
// letter is mistaken for another, and a double click selects the whole.
const (
	randomBytes  = 20
	checkLetters = 6
)

var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Generate makes a new credential for api_key or admin_token.
func Generate(name string) secret.Text {
	prefix := prefixAPIKey
	if name == "admin_token" {
		prefix = prefixAdminToken
	}
	var b [randomBytes]byte
	rand.Read(b[:]) // never fails; the program ends if the system has no randomness
	s := prefix + crockford.EncodeToString(b[:])
	return secret.Of(s + checksum(s))
}

// checksum is 30 bits of the CRC-32 of s. It finds typing errors and lets a
// scanner tell a credential from noise; it protects nothing.
func checksum(s string) string {
	c := crc32.ChecksumIEEE([]byte(s))
	return crockford.EncodeToString([]byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)})[:checkLetters]
}

var generated = regexp.MustCompile(`^(sk|at)-[0-9a-hjkmnp-tv-z]{38}$`)

// mistyped reports whether s looks like a generated credential of which a
// letter was changed.
func mistyped(s string) bool {
	n := len(s) - checkLetters
	return generated.MatchString(s) && checksum(s[:n]) != s[n:]
}

// maxDocument bounds an account's key that is a document, in bytes.
const maxDocument = 64 << 10

// unfitKey is unfit for the key of an account, which may be a document: JSON, or
// lines of a profile. What may stand in it is for its provider to say.
func unfitKey(s string) string {
	if t := strings.TrimSpace(s); !strings.HasPrefix(t, "{") && !strings.HasPrefix(t, "[") && !strings.HasPrefix(t, "aws_access_key_id") {
		return unfit(s)
	}
	if len(s) > maxDocument {
		return fmt.Sprintf("is longer than %d bytes", maxDocument)
	}
	return ""
}

// unfit says why s cannot be a credential at all, or "".
func unfit(s string) string {
	switch {
	case len(s) > 8192:
		return "is longer than 8192 bytes"
	case strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		return "holds spaces, line ends or letters outside ASCII, which no header carries"
	case s == "":
		return "is empty; give it a value or remove the line"
	}
	return ""
}

// minLength is what a credential must have to face a network.
const minLength = 16

var (
	fillers    = regexp.MustCompile(`^(?:sk-|at-)?(?:[x*.•_-]+|1234567890.*|0+|1+|12345?6?7?8?9?|123|abc(?:def(?:ghi)?)?(?:123)?)$`)
	sampleWord = regexp.MustCompile(`(?:^|[^a-z])(?:your|insert|enter|replace|some)[-_ ]?(?:own[-_ ]?)?(?:api|secret|admin|access|auth|key|token|password)` +
		`|change[-_ ]?(?:me|this|it)|placeholder|replace[-_ ]?(?:me|this)|^<.*>$|\$\{|x{8}` +
		`|^(?:sk-|at-)?(?:api[-_]?key|key|token|secret|password|passw0rd|admin|example|sample|dummy|todo|none|null)$`)
)

// placeholder reports whether s is out of an example: everybody has read it,
// so it protects nothing.
func placeholder(s string) bool {
	if generated.MatchString(s) {
		return false
	}
	s = strings.ToLower(s)
	return fillers.MatchString(s) || sampleWord.MatchString(s)
}

// same compares two secrets in a time that does not tell where they differ.
func same(a, b secret.Text) bool {
	return subtle.ConstantTimeCompare([]byte(a.Reveal()), []byte(b.Reveal())) == 1
}
