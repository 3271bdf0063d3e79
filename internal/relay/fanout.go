package relay

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/candidates"
	"portico/internal/protocol/completions"
	"portico/internal/provider"
)

// Clients of chats, of text completions and of Gemini may ask for several
// candidates. Where the upstream gives them, they are asked for as they are.
// Where it gives one answer at a time, each candidate is a request of its own,
// see fan (spec: upstreams §2.2).

// apart is the fault of an attempt that was not made since its upstream gives
// one candidate at a time. It reaches no client and blames nobody.
var apart = &fault.Fault{Class: fault.Canceled, Msg: "the candidates are asked for one by one"}

// A chooser is a carrier that knows how many candidates its client asks for.
type chooser interface{ candidates() int }

// dialectOf is the dialect in which c may ask for several candidates, or nil.
func dialectOf(c *Call) *candidates.Dialect {
	switch {
	case draws(c):
		return candidates.Pictures
	case c.Op != protocol.Chat && c.Op != protocol.Complete, c.compaction != nil:
	case c.Codec.Name() == protocol.OpenAIChat:
		return candidates.OpenAI
	case c.Codec.Name() == protocol.Gemini:
		return candidates.Gemini
	}
	return nil
}

// divide is why the attempt with l is not made: it would give one candidate of
// several. Nil: it would give all that are wanted. What cannot be divided is
// for another account, as long as there is one.
func (a *answer) divide(l *pool.Lease, leg int, model string) *fault.Fault {
	n := 0
	if leg == 0 {
		n = a.missing(l, model)
	}
	if n == 0 {
		return nil
	}
	f := a.indivisible(n, l)
	if f == nil {
		a.unfit, a.fan, a.best = apart, n, a.bestOf(l.Account, l.Way.Protocol)
		return apart
	}
	a.tried = append(a.tried, l.Account.Name)
	a.unfit = f
	return f
}

// missing is how many candidates the client asks for, if the upstream of l would
// not give them all for one request in the form that is tried; else 0.
func (a *answer) missing(l *pool.Lease, model string) int {
	d := dialectOf(a.c)
	if d == nil || a.candidate > 0 || a.r.several(l.Way, l.Account, model) {
		return 0
	}
	if n := a.wanted(d, l); n > 1 {
		return n
	}
	return 0
}

// wanted is how many candidates are to be asked for, those included of which
// the client gets the best.
func (a *answer) wanted(d *candidates.Dialect, l *pool.Lease) int {
	if a.form.make != nil && a.form.ready(a.c, 0) != nil {
		return 0 // ask will say so
	}
	return max(a.choices(d), a.bestOf(l.Account, l.Way.Protocol).Of)
}

// choices is how many candidates the client wants to be told.
func (a *answer) choices(d *candidates.Dialect) int {
	if a.form.make == nil {
		return d.Wanted(a.c.Body)
	}
	if c, ok := a.form.carrier.(chooser); ok {
		return c.candidates()
	}
	return 0
}

// indivisible is why n candidates are not asked for one by one with l, or nil.
func (a *answer) indivisible(n int, l *pool.Lease) *fault.Fault {
	switch {
	case n > dialectOf(a.c).Most:
		f := fault.New(fault.Unsupported, "%d candidates are too many: the upstream gives one at a time, so each would be a request of its own, and at most %d are made", n, dialectOf(a.c).Most)
		f.Code, f.Param = "unsupported_value", "n"
		if a.c.Codec.Name() == protocol.Gemini {
			f.Param = "generationConfig.candidateCount"
		}
		return f
	case a.c.strict():
		if lost := a.fanLosses(a.bestOf(l.Account, l.Way.Protocol)); len(lost) > 0 {
			return lossy(lost)
		}
	}
	return nil
}

// fanLosses is what is lost of the request by asking for its candidates one by
// one, of which the best are chosen as b says.
func (a *answer) fanLosses(b completions.Best) []string {
	if draws(a.c) {
		return nil // each picture is one anyway
	}
	lost := []string{lostN}
	if a.c.Op != protocol.Complete {
		return lost
	}
	switch all, ok := completions.BestOf(a.c.Body); {
	case all.Of == 0:
	case !ok:
		lost = append(lost, completions.LostStreamed)
	case b.Of == 0:
		lost = append(lost, lostBest)
	case b.Of < all.Of:
		lost = append(lost, fmt.Sprintf("best_of=approximated: the best of %d are told, since each is a request of its own", b.Of))
	}
	return lost
}

// What is lost of a request whose candidates are asked for one by one.
const (
	lostN    = "n=emulated: the upstream gives one answer at a time, so each candidate is a request of its own"
	lostSeed = "seed=approximated: each candidate has a seed of its own, counted from the client's"
)

// several reports whether the upstream of an account gives several candidates
// for one request: its protocol has a seat for them, nothing is known that
// speaks against it, and it has not refused them lately.
func (r *Relay) several(w pool.Way, to *pool.Account, model string) bool {
	switch w.Op {
	case protocol.Images:
		return true
	case protocol.Draw:
		return false
	}
	switch w.Protocol {
	case protocol.Anthropic, protocol.OpenAIResponses:
		return false
	case protocol.OpenAIChat:
		if slices.Contains(provider.QuirksOf(to.By, to.Account).Lacks, "n") {
			return false
		}
	}
	return !r.single.has(to.Name, model, r.now())
}

// declined reports whether f is an upstream's refusal of several candidates,
// which are to be asked for one by one then. Some models of Google's refuse
// them although their protocol has them, and nobody lists which.
func (a *answer) declined(f *fault.Fault, leg int) bool {
	d := dialectOf(a.c)
	if f.Class != fault.BadRequest || d == nil || leg > 0 || a.live || a.candidate > 0 || a.ctx.Err() != nil {
		return false
	}
	if !candidates.OpenAI.Blames(f.Param) && !candidates.Gemini.Blames(f.Param[strings.LastIndexByte(f.Param, '.')+1:]) {
		return false
	}
	l := &a.lease
	n := a.wanted(d, l)
	if n <= 1 || a.indivisible(n, l) != nil {
		return false
	}
	a.r.single.add(a.x.Account, a.x.Served, a.r.now())
	a.noteStep(Again)
	a.fan, a.best = n, a.bestOf(l.Account, l.Way.Protocol)
	return true
}

// singles remembers models that have refused to give several candidates, so
// that they are not asked for them every time. It costs nothing while there are
// none.
type singles struct {
	m atomic.Pointer[map[single]time.Time] // never changed once it is there
}

type single struct{ account, model string }

const (
	// maxSingles is how many are remembered.
	maxSingles = 256
	// singleFor is how long; vendors change their minds.
	singleFor = time.Hour
)

func (s *singles) has(account, model string, now time.Time) bool {
	m := s.m.Load()
	if m == nil {
		return false
	}
	at, ok := (*m)[single{account, model}]
	return ok && now.Sub(at) < singleFor
}

func (s *singles) add(account, model string, now time.Time) {
	for {
		old := s.m.Load()
		own := map[single]time.Time{}
		if old != nil {
			maps.Copy(own, *old)
		}
		maps.DeleteFunc(own, func(_ single, at time.Time) bool { return now.Sub(at) >= singleFor })
		if len(own) >= maxSingles {
			own = map[single]time.Time{}
		}
		own[single{account, model}] = now
		if s.m.CompareAndSwap(old, &own) {
			return
		}
	}
}
