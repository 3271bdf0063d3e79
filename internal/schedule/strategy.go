package schedule

import (
	"math"
	"time"
)

// use is how heavily c is loaded for what it takes: less is better. Where a
// rate is known it is the share of it that is used, else the load is
// compared with that of others through the rate that is thought of as usual.
func (c *Candidate) use(usual float64) float64 {
	rate := c.Rate
	if rate == 0 {
		rate = usual
	}
	return (c.Load + 1) / (rate * float64(c.Weight))
}

// usual is the mean of the rates that are known, 1 if none is.
func usual(cs []Candidate) float64 {
	sum, n := 0.0, 0
	for i := range cs {
		if cs[i].Rate > 0 {
			sum += cs[i].Rate
			n++
		}
	}
	if n == 0 {
		return 1
	}
	return sum / float64(n)
}

// CacheFirst keeps a conversation on one account, where its prompt cache is.
// A new one goes where its rank among the accounts is highest (weighted
// rendezvous hashing, so that it is the same in every process and an account
// that joins or leaves moves no other's conversations), of those that are not
// loaded beyond their share. Requests without a conversation are balanced.
type CacheFirst struct{}

// crowded is how far above the mean use an account may be and still be given
// new conversations.
const crowded = 1.25

// Pick implements Strategy.
func (CacheFirst) Pick(q Query, cs []Candidate) int {
	if q.Session == 0 {
		return Balance{}.Pick(q, cs)
	}
	u := usual(cs)
	if q.Moving {
		best := 0
		for i := range cs {
			if cs[i].use(u) < cs[best].use(u) {
				best = i
			}
		}
		return best
	}
	sum := 0.0
	equal := true
	for i := range cs {
		sum += cs[i].use(u)
		equal = equal && cs[i].Weight == cs[0].Weight
	}
	bound := sum / float64(len(cs)) * crowded
	best, most := -1, math.Inf(-1)
	for i := range cs {
		c := &cs[i]
		if c.use(u) > bound {
			continue
		}
		// The largest w / -ln(x) wins with a chance proportional to w; with
		// equal weights it is the largest x.
		x := (float64(Mix(q.Session^c.ID)>>11) + 0.5) / (1 << 53)
		if !equal {
			x = float64(c.Weight) / -math.Log(x)
		}
		if x > most {
			best, most = i, x
		}
	}
	return best // one is never above the mean
}

const (
	// moving is what a move costs at least: a choice that is made anew for
	// every delay keeps nothing together.
	moving = 700 * time.Millisecond
	// perToken is what reading one token anew costs in time. In money it is
	// ten times a cached one, which is worth more than the time.
	perToken = 100 * time.Microsecond
	// fresh is how long a vendor keeps a prompt that is not used (spec:
	// upstreams §4.3; Anthropic's default). After that a move costs nothing.
	fresh = 5 * time.Minute
)

// Price implements Keeper.
func (CacheFirst) Price(q Query, idle time.Duration) time.Duration {
	if idle > fresh {
		return 0
	}
	return moving + time.Duration(min(q.Tokens, 1<<20))*perToken
}

// Balance spreads requests: the fewest in flight for its weight wins, then the
// one whose rate is used least.
type Balance struct{}

// Pick implements Strategy.
func (Balance) Pick(_ Query, cs []Candidate) int {
	u, best := usual(cs), 0
	for i := 1; i < len(cs); i++ {
		a, b := &cs[i], &cs[best]
		l, r := a.InFlight*b.Weight, b.InFlight*a.Weight
		if l < r || l == r && a.use(u) < b.use(u) {
			best = i
		}
	}
	return best
}

// PerformanceFirst draws two accounts and takes the one that is likely to
// answer sooner, counting the requests that it is serving already and those
// that fail; one whose speed is not known yet is tried first. Of two, so that
// not all requests of a moment go to the one that was fastest the last time.
type PerformanceFirst struct{}

// Pick implements Strategy.
func (PerformanceFirst) Pick(q Query, cs []Candidate) int {
	n := uint64(len(cs))
	a, b := int(q.Draw%n), int(q.Draw/n%n)
	if a == b {
		b = (a + 1) % len(cs)
	}
	if cs[b].delay() < cs[a].delay() {
		return b
	}
	return a
}

// delay is about how long an answer takes to begin.
func (c *Candidate) delay() float64 {
	return float64(c.First) * (1 + float64(c.InFlight)/float64(c.Weight)) / (1 - min(c.Errors, 0.95))
}

// Priority takes the first account that is able, in the order in which they
// are configured, and the next only when it is not.
type Priority struct{}

// Pick implements Strategy.
func (Priority) Pick(Query, []Candidate) int { return 0 }

// Weighted draws an account with a chance proportional to its weight.
type Weighted struct{}

// Pick implements Strategy.
func (Weighted) Pick(q Query, cs []Candidate) int {
	sum := uint64(0)
	for i := range cs {
		sum += uint64(cs[i].Weight)
	}
	left := q.Draw % sum
	for i := range cs {
		w := uint64(cs[i].Weight)
		if left < w {
			return i
		}
		left -= w
	}
	return 0
}

// RoundRobin takes the account that was chosen longest ago.
type RoundRobin struct{}

// Pick implements Strategy.
func (RoundRobin) Pick(_ Query, cs []Candidate) int {
	best := 0
	for i := 1; i < len(cs); i++ {
		if cs[i].Last < cs[best].Last {
			best = i
		}
	}
	return best
}

// DrainExpiring uses first what lapses soonest: of the accounts with an
// allowance of which something is left, the one whose window ends first.
// Others are balanced after them. A blank one goes before all, once: its answer
// tells what it has, and nothing else does.
type DrainExpiring struct{}

// Pick implements Strategy.
func (DrainExpiring) Pick(q Query, cs []Candidate) int {
	best := -1
	for i := range cs {
		c := &cs[i]
		if c.Blank {
			return i
		}
		if c.Left > 0 && c.Lapses > 0 && (best < 0 || c.Lapses < cs[best].Lapses) {
			best = i
		}
	}
	if best < 0 {
		return Balance{}.Pick(q, cs)
	}
	return best
}

// Fixed takes one account as long as it is able, and balances when it is not.
type Fixed struct{ ID uint64 }

// Prefers implements Preferrer.
func (f Fixed) Prefers() uint64 { return f.ID }

// Pick implements Strategy.
func (f Fixed) Pick(q Query, cs []Candidate) int {
	for i := range cs {
		if cs[i].ID == f.ID {
			return i
		}
	}
	return Balance{}.Pick(q, cs)
}
