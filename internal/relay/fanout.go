package relay

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/candidates"
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
	f := a.indivisible(n)
	if f == nil {
		a.unfit, a.fan = apart, n
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
	if n := a.wanted(d); n > 1 {
		return n
	}
	return 0
}

// wanted is how many candidates the client asks for.
func (a *answer) wanted(d *candidates.Dialect) int {
	if a.form.make == nil {
		return d.Wanted(a.c.Body)
	}
	if a.form.ready(a.c, 0) != nil {
		return 0 // ask will say so
	}
	if c, ok := a.form.carrier.(chooser); ok {
		return c.candidates()
	}
	return 0
}

// indivisible is why n candidates are not asked for one by one, or nil.
func (a *answer) indivisible(n int) *fault.Fault {
	switch {
	case n > candidates.Most:
		f := fault.New(fault.Unsupported, "%d candidates are too many: the upstream gives one at a time, so each would be a request of its own, and at most %d are made", n, candidates.Most)
		f.Code, f.Param = "unsupported_value", "n"
		if a.c.Codec.Name() == protocol.Gemini {
			f.Param = "generationConfig.candidateCount"
		}
		return f
	case a.c.strict():
		return lossy(a.fanLosses())
	}
	return nil
}

// fanLosses is what is lost of the request by asking for its candidates one by
// one.
func (a *answer) fanLosses() []string {
	lost := []string{lostN}
	if a.c.Op != protocol.Complete {
		return lost
	}
	n, _ := jsonedit.Int(jsonedit.Get(a.c.Body, "n"))
	if best, _ := jsonedit.Int(jsonedit.Get(a.c.Body, "best_of")); best > max(n, 1) {
		lost = append(lost, lostBest)
	}
	return lost
}

// What is lost of a request whose candidates are asked for one by one.
const (
	lostBest = "best_of=no candidate is made that is not told"
	lostN    = "n=emulated: the upstream gives one answer at a time, so each candidate is a request of its own"
	lostSeed = "seed=approximated: each candidate has a seed of its own, counted from the client's"
)

// several reports whether the upstream of an account gives several candidates
// for one request: its protocol has a seat for them, nothing is known that
// speaks against it, and it has not refused them lately.
func (r *Relay) several(w pool.Way, to *pool.Account, model string) bool {
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
	n := a.wanted(d)
	if n <= 1 || a.indivisible(n) != nil {
		return false
	}
	a.r.single.add(a.x.Account, a.x.Served, a.r.now())
	a.noteStep(Again)
	a.fan = n
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
