package session

import (
	"crypto/rand"
	"crypto/sha256"
	"time"
)

const (
	// LaunchAge is how long a launch code may be used (spec: security SEC-30).
	LaunchAge = time.Minute
	// maxCodes is how many codes wait to be used; the oldest ends for the next.
	maxCodes = 16
)

// A code opens one session.
type code struct {
	sum  Digest
	ends time.Time
}

// Launch makes a code that begins one session, once, before ends.
func (b *Book) Launch() (text string, ends time.Time) {
	text = rand.Text()
	now := b.now().UTC()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	if len(b.codes) >= maxCodes {
		b.codes = b.codes[1:]
	}
	ends = now.Add(LaunchAge)
	b.codes = append(b.codes, code{sha256.Sum256([]byte(text)), ends})
	return text, ends
}

// Redeem reports whether text is a code that may be used, which it is not
// again.
func (b *Book) Redeem(text string) bool {
	sum := Digest(sha256.Sum256([]byte(text)))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(b.now())
	for i := range b.codes {
		if b.codes[i].sum == sum { // digests of what nobody can guess
			b.codes = append(b.codes[:i], b.codes[i+1:]...)
			return true
		}
	}
	return false
}

// forget drops the codes that are over.
func (b *Book) forget(now time.Time) {
	alive := b.codes[:0]
	for _, c := range b.codes {
		if now.Before(c.ends) {
			alive = append(alive, c)
		}
	}
	b.codes = alive
}
