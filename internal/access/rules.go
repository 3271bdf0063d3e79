package access

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// A Rule lets an address or a range of them in, or keeps it out.
type Rule struct {
	ID      string
	Deny    bool
	Range   netip.Prefix // masked, and IPv4 in its own form
	Reason  string
	Created time.Time
	Expires time.Time // zero: never
}

// over reports whether r has expired at now.
func (r *Rule) over(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

// Rules are the rules on addresses that are in force. The zero Rules have
// none. They are safe for concurrent use, and whoever asks waits for nobody.
type Rules struct{ set atomic.Pointer[ruleSet] }

// A ruleSet is a snapshot of rules. To judge an address it is looked for in
// each range that there is a rule of, so that the time does not grow with the
// number of rules.
type ruleSet struct {
	rules map[netip.Prefix]*entry
	bits  [2][]int // prefix lengths of IPv4 and IPv6, the longest first
}

// An entry is a rule and how often it has decided since the start.
type entry struct {
	Rule
	hits *atomic.Int64
}

// Set puts rules in force in the place of those before. Of two for the same
// range the later one counts.
func (r *Rules) Set(rules []Rule) {
	was := r.set.Load()
	next := &ruleSet{rules: make(map[netip.Prefix]*entry, len(rules))}
	for _, x := range rules {
		e := &entry{Rule: x, hits: new(atomic.Int64)}
		if was != nil {
			if old := was.rules[x.Range]; old != nil && old.ID == x.ID {
				e.hits = old.hits
			}
		}
		next.rules[x.Range] = e
		bits := &next.bits[family(x.Range.Addr())]
		if at, found := slices.BinarySearchFunc(*bits, x.Range.Bits(), func(a, b int) int { return b - a }); !found {
			*bits = slices.Insert(*bits, at, x.Range.Bits())
		}
	}
	r.set.Store(next)
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// find is the rule for addr: that of the narrowest range that it lies in.
func (s *ruleSet) find(addr netip.Addr, now time.Time) *entry {
	addr = addr.Unmap().WithZone("")
	for _, n := range s.bits[family(addr)] {
		p, err := addr.Prefix(n)
		if err != nil {
			continue
		}
		if e := s.rules[p]; e != nil && !e.over(now) {
			return e
		}
	}
	return nil
}

// Refuses reports whether a request from addr is refused, and by which rule;
// listed says that only addresses with a rule may call. The narrowest range
// counts. This machine itself is never refused: whoever is there may change
// the rules anyway.
func (r *Rules) Refuses(addr netip.Addr, listed bool, now time.Time) (rule Rule, refused bool) {
	if addr.IsLoopback() {
		return Rule{}, false
	}
	s := r.set.Load()
	if s == nil {
		return Rule{}, listed
	}
	e := s.find(addr, now)
	if e == nil {
		return Rule{}, listed
	}
	e.hits.Add(1)
	return e.Rule, e.Deny
}

// With returns what the rules would be with add and without the one called
// remove, either of which may be empty, for the question who would be kept
// out. Hits are not counted in it.
func (r *Rules) With(add *Rule, remove string) *Rules {
	var all []Rule
	if s := r.set.Load(); s != nil {
		for _, e := range s.rules {
			if e.ID != remove && (add == nil || e.Range != add.Range) {
				all = append(all, e.Rule)
			}
		}
	}
	if add != nil {
		all = append(all, *add)
	}
	out := new(Rules)
	out.Set(all)
	return out
}

// Hits takes how often each rule has decided since it was last asked, by the
// rules' ids.
func (r *Rules) Hits() map[string]int64 {
	out := map[string]int64{}
	if s := r.set.Load(); s != nil {
		for _, e := range s.rules {
			if n := e.hits.Swap(0); n > 0 {
				out[e.ID] = n
			}
		}
	}
	return out
}
