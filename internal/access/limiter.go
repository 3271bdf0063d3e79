package access

import (
	"net/netip"
	"sync"
	"time"
)

// A Limiter slows down guessing of keys. It looks at failures only, so it
// costs a request with the right key nothing, and it backs off instead of
// banning: somebody who stops guessing is heard again within seconds.
//
// Of one peer it lets 10 guesses through in any minute (5 at once, then one in
// 12 s), of all peers together 60. A client that shows the same outdated key
// over and over learns nothing by it, so it cannot take the last guesses of an
// address that it shares with others. The zero value is ready.
type Limiter struct {
	mu    sync.Mutex
	peers map[netip.Addr]*guesser
	all   bucket
	swept time.Time
}

const (
	peerBurst   = 5
	peerEvery   = 12 * time.Second
	globalBurst = 30
	globalEvery = 2 * time.Second
	reserved    = 2 // guesses that repetitions of a known wrong key leave alone

	// maxPeers bounds the memory: about 200 KB. While it is full of active
	// guessers, further peers share the global bound alone.
	maxPeers = 1024
	// sweepEvery bounds how often the whole map is looked through.
	sweepEvery = time.Second
)

type guesser struct {
	bucket bucket
	recent [2]digest // the wrong keys shown last
	next   int
}

// A bucket holds guesses that are still allowed; it refills with time. It
// stores the moment at which it will be full, so the zero value is full.
type bucket struct{ full time.Time }

// missing is how many of burst guesses are gone, in time.
func (b *bucket) missing(now time.Time) time.Duration { return max(0, b.full.Sub(now)) }

// wait is how long it takes until more than keep guesses are there.
func (b *bucket) wait(now time.Time, burst, keep int, every time.Duration) time.Duration {
	return max(0, b.missing(now)-every*time.Duration(burst-keep-1))
}

func (b *bucket) take(now time.Time, every time.Duration) {
	b.full = now.Add(b.missing(now) + every)
}

// Canonical is the address that stands for a peer: IPv4 however it was mapped,
// and the /64 of an IPv6 address, within which anybody can choose freely.
func Canonical(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() && !a.IsLoopback() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// Wait says how long peer has to wait before another guess is heard, 0 if it
// need not.
func (l *Limiter) Wait(peer netip.Addr, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := l.all.wait(now, globalBurst, 0, globalEvery)
	if g := l.peers[Canonical(peer)]; g != nil {
		wait = max(wait, g.bucket.wait(now, peerBurst, 0, peerEvery))
	}
	return wait
}

// Guess counts a wrong key of peer. A wait above 0 says that the guess was not
// heard: the answer must not tell whether it was right.
func (l *Limiter) Guess(peer netip.Addr, sum digest, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.guesser(Canonical(peer), now)
	if g != nil {
		keep := 0
		if sum == g.recent[0] || sum == g.recent[1] {
			keep = reserved
		}
		wait = g.bucket.wait(now, peerBurst, keep, peerEvery)
	}
	if wait = max(wait, l.all.wait(now, globalBurst, 0, globalEvery)); wait > 0 {
		return wait
	}
	l.all.take(now, globalEvery)
	if g != nil {
		g.bucket.take(now, peerEvery)
		if sum != g.recent[0] && sum != g.recent[1] {
			g.recent[g.next] = sum
			g.next = (g.next + 1) % len(g.recent)
		}
	}
	return 0
}

// guesser finds or makes the entry of peer; nil if there is no room.
func (l *Limiter) guesser(peer netip.Addr, now time.Time) *guesser {
	if g := l.peers[peer]; g != nil {
		return g
	}
	if len(l.peers) >= maxPeers {
		if now.Sub(l.swept) < sweepEvery {
			return nil
		}
		l.swept = now
		for a, g := range l.peers {
			if g.bucket.missing(now) == 0 {
				delete(l.peers, a)
			}
		}
		if len(l.peers) >= maxPeers {
			return nil
		}
	}
	if l.peers == nil {
		l.peers = make(map[netip.Addr]*guesser)
	}
	g := &guesser{}
	l.peers[peer] = g
	return g
}
