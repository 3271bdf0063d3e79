package ingress

import (
	"sync"
	"time"
)

// The kinds of what the guard refuses.
const (
	BlockHost   = "host"         // a Host header that is none of this server's names
	BlockOrigin = "origin"       // a page of another origin
	BlockForm   = "content-type" // a body that a page could have sent without asking
)

// blocks tells what was blocked, each thing at most once a minute, so that
// neither a log nor a feed grows with what an attacker does.
type blocks struct {
	tell func(kind, what string)

	mu    sync.Mutex
	seen  map[block]time.Time
	swept time.Time
}

type block struct{ kind, what string }

const (
	blockEvery = time.Minute
	// maxBlocks bounds what is remembered. While so many different things
	// were blocked within a minute, further ones are told as Many.
	maxBlocks = 256
	maxWhat   = 128
	// sweepEvery bounds how often all that is remembered is looked through.
	sweepEvery = time.Second
)

// Many stands for the names of hosts and origins that are too many to name.
const Many = "many different ones"

// report tells that what was blocked at now, unless it was told lately.
func (b *blocks) report(kind, what string, now time.Time) {
	if x := (block{kind, printable(what)}); b.news(&x, now) {
		b.tell(x.kind, x.what)
	}
}

// news reports whether x is to be told, and makes it Many if there is no room.
func (b *blocks) news(x *block, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	last, known := b.seen[*x]
	if !known && len(b.seen) >= maxBlocks {
		if now.Sub(b.swept) >= sweepEvery {
			b.swept = now
			for k, at := range b.seen {
				if now.Sub(at) >= blockEvery {
					delete(b.seen, k)
				}
			}
		}
		if len(b.seen) >= maxBlocks {
			x.what = Many
			last, known = b.seen[*x]
		}
	}
	if known && now.Sub(last) < blockEvery {
		return false
	}
	if b.seen == nil {
		b.seen = make(map[block]time.Time)
	}
	b.seen[*x] = now
	return true
}

// printable cuts s to maxWhat bytes and shows what is not printable ASCII as
// question marks, so that it can do nothing where it is shown.
func printable(s string) string {
	s = s[:min(len(s), maxWhat)]
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] <= ' ' || b[j] > '~' {
					b[j] = '?'
				}
			}
			return string(b)
		}
	}
	return s
}
