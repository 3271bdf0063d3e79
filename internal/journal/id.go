package journal

import (
	"crypto/rand"
	"time"
)

const (
	idPrefix = "req_"
	idTime   = 11 // digits of the time: 55 bits of microseconds last for a thousand years
	idLength = len(idPrefix) + 26
)

// digits are those of Crockford's base 32 in lower case. They sort as they
// count.
const digits = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID returns a new name for a request: "req_" and 26 of [0-9a-z]. Names sort
// by the time at which they were made, to the microsecond; 75 random bits keep
// them apart and from being guessed.
func NewID() string { return newID(time.Now()) }

func newID(now time.Time) string {
	var b [idLength]byte
	copy(b[:], idPrefix)
	t := uint64(now.UnixMicro())
	for i := len(idPrefix) + idTime - 1; i >= len(idPrefix); i-- {
		b[i] = digits[t&31]
		t >>= 5
	}
	r := b[len(idPrefix)+idTime:]
	rand.Read(r) // never fails
	for i, c := range r {
		r[i] = digits[c&31]
	}
	return string(b[:])
}
