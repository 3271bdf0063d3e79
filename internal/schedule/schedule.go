// Package schedule decides which of several able accounts serves a request. A
// strategy is arithmetic on candidates: it holds no state and does no I/O.
package schedule

import "time"

// A Candidate is an able account as a strategy sees it.
type Candidate struct {
	ID       uint64  // a hash of the account's name, stable over restarts
	Weight   int     // at least 1
	InFlight int     // requests that it is serving now
	Load     float64 // requests for the model lately, of which old ones count less
	// Rate is how many requests a second it takes, 0: no limit is known.
	Rate   float64
	First  time.Duration // smoothed time to the first meaningful byte, 0: not known yet
	Errors float64       // share of requests that failed lately, 0 to 1
	Last   time.Duration // when it was chosen last, on a clock of the pool's; 0: never
	// Left is the share of an allowance that lapses after Lapses, and 0 of
	// both if none is known.
	Left   float64
	Lapses time.Duration
	// Blank: it may have an allowance, and nobody knows. It was never asked or
	// not for long, or a window has ended since.
	Blank bool
}

// A Query is what a strategy may know of the request.
type Query struct {
	Session uint64 // a hash that is stable over one conversation, or 0
	Tokens  int64  // about how many the prompt has
	Draw    uint64 // a random number
	Moving  bool   // the conversation has a home, which is not able, or not soon
}

// A Strategy picks one of cs, which is never empty and holds only accounts of
// the best priority that are able to serve q now, in the order in which they
// are configured.
type Strategy interface {
	Pick(q Query, cs []Candidate) int
}

// A Keeper is a strategy that keeps a conversation where its prompt cache is.
type Keeper interface {
	Strategy
	// Price is what it costs to move a conversation whose last turn was idle
	// ago, as a wait that is worth avoiding it.
	Price(q Query, idle time.Duration) time.Duration
}

// A Preferrer is a strategy that prefers one account, whatever its priority.
type Preferrer interface {
	Strategy
	Prefers() uint64 // its ID
}

// strategies are the strategies by the names that operators call them.
var strategies = []struct {
	name string
	make func(account string) Strategy
}{
	{"cache_first", func(string) Strategy { return CacheFirst{} }},
	{"balance", func(string) Strategy { return Balance{} }},
	{"performance_first", func(string) Strategy { return PerformanceFirst{} }},
	{"priority", func(string) Strategy { return Priority{} }},
	{"weighted", func(string) Strategy { return Weighted{} }},
	{"round_robin", func(string) Strategy { return RoundRobin{} }},
	{"drain_expiring", func(string) Strategy { return DrainExpiring{} }},
	{"fixed", func(account string) Strategy { return Fixed{Hash(account)} }},
}

// ByName returns the strategy that an operator calls name. account is for
// those that prefer one.
func ByName(name, account string) (Strategy, bool) {
	for _, s := range strategies {
		if s.name == name {
			return s.make(account), true
		}
	}
	return nil, false
}

// Names lists what ByName knows, the default first.
func Names() []string {
	var out []string
	for _, s := range strategies {
		out = append(out, s.name)
	}
	return out
}

// Hash makes the id of a name: FNV-1a, the same in every process.
func Hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// Mix spreads the bits of x (the finalizer of SplitMix64).
func Mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
