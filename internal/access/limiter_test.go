package access

import (
	"crypto/sha256"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/secret"
)

func sum(s string) digest { return sha256.Sum256([]byte(s)) }

// heard counts how many of n different guesses, spread evenly over d, are
// heard.
func heard(l *Limiter, peer func(i int) netip.Addr, n int, d time.Duration) int {
	count := 0
	for i := range n {
		if l.Guess(peer(i), sum(strconv.Itoa(i)), start.Add(d*time.Duration(i)/time.Duration(n))) == 0 {
			count++
		}
	}
	return count
}

func TestTenGuessesAMinute(t *testing.T) {
	var l Limiter
	if got := heard(&l, func(int) netip.Addr { return home }, 10_000, time.Minute); got < 5 || got > 10 {
		t.Errorf("one peer: %d of 10,000 guesses in a minute were heard, want 5 to 10", got)
	}
	var m Limiter
	mapped := []netip.Addr{netip.MustParseAddr("1.2.3.4"), netip.MustParseAddr("::ffff:1.2.3.4")}
	if got := heard(&m, func(i int) netip.Addr { return mapped[i%2] }, 10_000, time.Minute); got > 10 {
		t.Errorf("a peer in two spellings: %d guesses heard, want at most 10", got)
	}
	var n Limiter
	if got := heard(&n, func(i int) netip.Addr {
		return netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i), 14: byte(i >> 8)})
	}, 10_000, time.Minute); got > 10 {
		t.Errorf("a /64 of IPv6: %d guesses heard, want at most 10", got)
	}
	var o Limiter
	if got := heard(&o, func(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, byte(i >> 8), byte(i)}) }, 10_000, time.Minute); got > 60 {
		t.Errorf("all of loopback: %d guesses heard, want at most 60", got)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	var l Limiter
	for i := range 10 * maxPeers {
		// Far enough apart for the global bound, near enough that none is forgotten.
		l.Guess(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), sum("x"), start.Add(time.Duration(i)*time.Millisecond))
	}
	if len(l.peers) > maxPeers {
		t.Errorf("the limiter remembers %d peers, want at most %d", len(l.peers), maxPeers)
	}
	later := start.Add(time.Hour)
	l.Guess(netip.MustParseAddr("192.0.2.1"), sum("x"), later)
	if len(l.peers) > maxPeers || l.peers[netip.MustParseAddr("192.0.2.1")] == nil {
		t.Errorf("an hour later the limiter has no room for a new peer (%d remembered)", len(l.peers))
	}
}

func TestAnotherPeerIsNotLockedOut(t *testing.T) {
	var l Limiter
	end := start.Add(55 * time.Second) // between two guesses that are heard
	heard(&l, func(int) netip.Addr { return home }, 10_000, 55*time.Second)
	if wait := l.Wait(netip.MustParseAddr("127.0.0.2"), end); wait != 0 {
		t.Errorf("another peer has to wait %v, want 0", wait)
	}
	if wait := l.Wait(home, end); wait <= 0 || wait > peerEvery {
		t.Errorf("the guesser has to wait %v, want 0 to %v", wait, peerEvery)
	}
	if wait := l.Wait(home, end.Add(peerEvery)); wait != 0 {
		t.Errorf("after the back-off the peer has to wait %v, want 0", wait)
	}
}

// An editor with yesterday's key, asking twice a second for ever, must not
// lock out the other programs of the machine, even if their key is weak.
func TestOutdatedKeyDoesNotLockOut(t *testing.T) {
	var l Limiter
	for i := range 1000 {
		now := start.Add(time.Duration(i) * 500 * time.Millisecond)
		l.Guess(home, sum("yesterday"), now)
		if wait := l.Wait(home, now); wait != 0 {
			t.Fatalf("after %d repetitions the right key has to wait %v", i+1, wait)
		}
	}
}

func TestGuessingAtTheGate(t *testing.T) {
	weak := NewPolicy(&config.Config{AuthMode: config.AuthStrict, APIKey: secret.Of("open sesame")})
	for name, p := range map[string]*Policy{"strong": policy(config.AuthStrict, false), "weak": weak} {
		var g Gate
		classes := map[fault.Class]int{}
		for i := range 100 {
			_, f := g.Admit(p, &Visit{Plane: Data, Keys: Keys{Key: strconv.Itoa(i)}, Peer: home, Loopback: true}, start)
			classes[f.Class]++
			if f.Class == fault.RateLimited && (f.After <= 0 || f.After > peerEvery) {
				t.Fatalf("%s: back-off of %v, want at most %v", name, f.After, peerEvery)
			}
		}
		if classes[fault.Unauthorized] != peerBurst || classes[fault.RateLimited] != 100-peerBurst {
			t.Errorf("%s: got %v, want %d unauthorized, the rest rate_limited", name, classes, peerBurst)
		}
		key := dataKey
		if name == "weak" {
			key = "open sesame"
		}
		_, f := g.Admit(p, &Visit{Plane: Data, Keys: Keys{Key: key}, Peer: home, Loopback: true}, start)
		if name == "strong" && f != nil {
			t.Errorf("a key beyond guessing is locked out by another's guesses: %v", f)
		}
		if name == "weak" && (f == nil || f.Class != fault.RateLimited) {
			t.Errorf("a weak key is confirmed in the middle of guessing: %v", f)
		}
		other := netip.MustParseAddr("127.0.0.2")
		if _, f := g.Admit(p, &Visit{Plane: Data, Keys: Keys{Key: key}, Peer: other, Loopback: true}, start); f != nil {
			t.Errorf("%s: the right key from another peer: %v", name, f)
		}
		if _, f := g.Admit(p, &Visit{Plane: Data, Peer: home, Loopback: true}, start); f == nil || f.Class != fault.Unauthorized {
			t.Errorf("%s: no key at all is no guess: %v", name, f)
		}
	}
}
