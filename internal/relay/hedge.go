package relay

import (
	"sync"
	"time"

	"portico/internal/protocol"
)

// A Hedge says when a second account is asked for an answer that the first one
// has not begun: whichever begins first is carried, and the other is told to
// stop. What the other did until then is mostly billed, so that all of this is
// bounded.
type Hedge struct {
	// After is the shortest wait for the first word of an answer.
	After time.Duration
	// Quantile is the share of answers, between 0 and 1, that began sooner
	// than it is waited, as learned of the model at the account; while that is
	// unknown no other is asked. 0: After is all.
	Quantile float64
	// Share is for how many of all calls another account is asked at most,
	// between 0 and 1.
	Share float64
	// MaxInput is how many tokens a request has at most, 0: any number.
	MaxInput int64
}

// wait is how long to wait for an account that began Quantile of its answers
// within usual. ok is false if no other is to be asked at all.
func (h *Hedge) wait(usual time.Duration, known bool) (d time.Duration, ok bool) {
	switch {
	case h.Quantile == 0:
		return h.After, true
	case !known:
		return 0, false
	}
	return max(h.After, usual), true
}

// A chance is a call that could be put to two accounts.
type chance struct {
	op     protocol.Op
	legs   int   // requests that it takes
	tokens int64 // of its input, about
	// once: what it does must not be done twice, or only the account that it
	// is at can do it: it is pinned, sealed, or made in the background.
	once bool
	// asked: it has been put to two already.
	asked bool
}

// suits reports whether c may be put to two accounts, if the pool has room.
func (h *Hedge) suits(c chance) bool {
	switch {
	case h == nil, h.Share <= 0, c.once, c.asked, c.legs > 1:
		return false
	case c.op != protocol.Chat && c.op != protocol.Complete:
		return false
	}
	return h.MaxInput == 0 || c.tokens <= h.MaxInput
}

// A purse keeps the calls that are put to two accounts to a share of all.
type purse struct {
	mu    sync.Mutex
	left  float64
	calls int64 // that are in left
}

// maxHedges is how many calls can be saved up.
const maxHedges = 10

// spend takes a call out of the purse, if the calls so far have earned one.
func (p *purse) spend(calls int64, share float64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = min(p.left+float64(calls-p.calls)*share, maxHedges)
	p.calls = calls
	if p.left < 1 {
		return false
	}
	p.left--
	return true
}

// back returns a call for which no account had room.
func (p *purse) back() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = min(p.left+1, maxHedges)
}

// A spread is how long answers took to begin lately: how many fell into each
// of some ranges, each a third longer than the one before. Old ones fade.
type spread struct {
	mu     sync.Mutex
	counts [ranges]float64
	total  float64
}

const (
	ranges = 32
	// shortest is where the first range ends, and wider by how much each ends
	// later than the one before; the last ends after six minutes.
	shortest = 50 * time.Millisecond
	wider    = 4.0 / 3
	// fading is after how many others an answer counts about a third.
	fading = 200
	// enough is how many answers have to be known.
	enough = 20
)

func (s *spread) add(d time.Duration) {
	i := 0
	for end := float64(shortest); float64(d) > end && i < ranges-1; end *= wider {
		i++
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for j := range s.counts {
		s.counts[j] *= 1 - 1.0/fading
	}
	s.total = s.total*(1-1.0/fading) + 1
	s.counts[i]++
}

// quantile is within what time the share q of answers began, rounded up to the
// end of a range; false if too few are known.
func (s *spread) quantile(q float64) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total < enough*(1-float64(enough)/(2*fading)) { // as many, faded
		return 0, false
	}
	sum, end := 0.0, float64(shortest)
	for i := range s.counts {
		if sum += s.counts[i]; sum >= q*s.total {
			break
		}
		end *= wider
	}
	return time.Duration(end), true
}

// spreads are those of models at accounts.
type spreads struct {
	mu sync.RWMutex
	by map[spreadKey]*spread
}

type spreadKey struct {
	account, model string
	whole          bool // such answers take as long as all of them takes
}

// maxSpreads bounds how many are kept. Clients choose the names of models.
const maxSpreads = 1024

// of is the spread of k, made if there is none.
func (s *spreads) of(k spreadKey) *spread {
	s.mu.RLock()
	x := s.by[k]
	s.mu.RUnlock()
	if x != nil {
		return x
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if x = s.by[k]; x != nil {
		return x
	}
	if s.by == nil {
		s.by = map[spreadKey]*spread{}
	}
	for other := range s.by { // any makes room: it is learned anew
		if len(s.by) < maxSpreads {
			break
		}
		delete(s.by, other)
	}
	x = &spread{}
	s.by[k] = x
	return x
}
