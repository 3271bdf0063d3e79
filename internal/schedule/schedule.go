// Package schedule decides which of several able accounts serves a request. A
// strategy is arithmetic on candidates: it holds no state and does no I/O.
package schedule

import (
	"math"
	"time"
)

// A Candidate is an able account as a strategy sees it.
type Candidate struct {
	ID       uint64        // a hash of the account's name, stable over restarts
	Weight   int           // at least 1
	InFlight int           // requests that it is serving now
	Served   uint64        // requests that it has been given since the start
	First    time.Duration // smoothed time to the first meaningful byte, 0: not known yet
}

// A Query is what a strategy may know of the request.
type Query struct {
	Session uint64 // a hash that is stable over one conversation, or 0
}

// A Strategy picks one of cs, which is never empty and holds only accounts of
// the best priority that are able to serve q now.
type Strategy interface {
	Pick(q Query, cs []Candidate) int
}

// ByName returns the strategy that an operator calls name.
func ByName(name string) (Strategy, bool) {
	switch name {
	case "cache_first":
		return CacheFirst{}, true
	case "balance":
		return Balance{}, true
	case "performance_first":
		return PerformanceFirst{}, true
	}
	return nil, false
}

// Names lists what ByName knows, for messages.
var Names = []string{"cache_first", "balance", "performance_first"}

// CacheFirst keeps a conversation on one account, where its prompt cache is.
// It ranks the accounts anew for each conversation (weighted rendezvous
// hashing), so that a conversation moves only when its account is not able,
// comes back when it is able again, and an account that joins or leaves moves
// no conversation but its own. Requests without a conversation are balanced.
type CacheFirst struct{}

// Pick implements Strategy.
func (CacheFirst) Pick(q Query, cs []Candidate) int {
	if q.Session == 0 {
		return Balance{}.Pick(q, cs)
	}
	best, most := 0, -1.0
	for i, c := range cs {
		// The largest w / -ln(u) wins with a chance proportional to w.
		u := (float64(mix(q.Session^c.ID)>>11) + 0.5) / (1 << 53)
		if s := float64(c.Weight) / -math.Log(u); s > most {
			best, most = i, s
		}
	}
	return best
}

// Balance spreads requests: the fewest in flight for its weight wins, then the
// one that has served the fewest.
type Balance struct{}

// Pick implements Strategy.
func (Balance) Pick(_ Query, cs []Candidate) int {
	best := 0
	for i := 1; i < len(cs); i++ {
		a, b := &cs[i], &cs[best]
		switch l, r := a.InFlight*b.Weight, b.InFlight*a.Weight; {
		case l < r:
			best = i
		case l == r && a.Served*uint64(b.Weight) < b.Served*uint64(a.Weight):
			best = i
		}
	}
	return best
}

// PerformanceFirst takes the account that answers soonest, counting the
// requests that it is serving already; one whose speed is not known yet is
// tried first.
type PerformanceFirst struct{}

// Pick implements Strategy.
func (PerformanceFirst) Pick(_ Query, cs []Candidate) int {
	cost := func(c *Candidate) float64 {
		return float64(c.First) * (1 + float64(c.InFlight)/float64(c.Weight))
	}
	best := 0
	for i := 1; i < len(cs); i++ {
		if cost(&cs[i]) < cost(&cs[best]) {
			best = i
		}
	}
	return best
}

// Hash makes the id of a name: FNV-1a, the same in every process.
func Hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix spreads the bits of x (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
