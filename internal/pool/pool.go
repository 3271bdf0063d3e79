// Package pool keeps the accounts: who they are, how they are doing, and which
// of them serves next.
package pool

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/fault"
	"portico/internal/glob"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/schedule"
)

// An Account is an account of the pool. It is not changed once it is in.
type Account struct {
	*provider.Account
	By       provider.Provider
	Way      http.RoundTripper // how its requests go out
	Models   []glob.Glob       // what it serves; none: everything
	Priority int               // lower is tried first
	Weight   int               // at least 1
	RPM, TPM int               // requests and tokens a minute, 0: no limit
	Parallel int               // requests at one time, 0: no limit
	Disabled bool              // the operator's word
	Declared bool              // it stands in the configuration file
	// Reserved: the names that Models match are offered to no account that is
	// not reserved, and the account's faults are not held against it, since
	// it plays them when it is asked to. The built-in simulator is.
	Reserved bool
}

// Serves reports whether the account may be asked for model.
func (a *Account) Serves(model string) bool {
	if model == "" || len(a.Models) == 0 {
		return true
	}
	return slices.ContainsFunc(a.Models, func(g glob.Glob) bool { return g.Match(model) })
}

// MaxAccounts is how many accounts a pool takes.
const MaxAccounts = 10_000

// maxModels bounds how many models of one account have a health of their own.
const maxModels = 256

// entry is an account and its state, which outlives a reload.
type entry struct {
	Account
	id uint64
	*state
}

type state struct {
	whole    atomic.Pointer[Health] // nil: ready
	troubled atomic.Int32           // len(models), read without the lock
	mu       sync.Mutex
	models   map[string]Health // models that are not ready

	inFlight atomic.Int32
	served   atomic.Uint64
	first    atomic.Int64 // smoothed time to the first byte, ns
	requests meter
	tokens   meter
}

// health is how the account is doing for model at now: the worse of the two.
func (e *entry) health(model string, now time.Time) Health {
	var h Health
	if p := e.whole.Load(); p != nil {
		h = p.At(now)
	}
	if h.State == Cooling || h.State == Down || e.troubled.Load() == 0 {
		return h
	}
	e.mu.Lock()
	m := e.models[model].At(now)
	e.mu.Unlock()
	if m.State != Ready {
		return m
	}
	return h
}

// A Pool hands out leases. It is safe for concurrent use.
type Pool struct {
	now     func() time.Time
	mu      sync.Mutex // serialises Set
	entries atomic.Pointer[[]*entry]
	scratch sync.Pool
}

// New returns an empty pool that reads the time from now.
func New(now func() time.Time) *Pool {
	p := &Pool{now: now}
	p.entries.Store(&[]*entry{})
	p.scratch.New = func() any { return new(scratch) }
	return p
}

// Set replaces the accounts. One that stays (same name, provider, origin and
// credential) keeps its health; a request under way keeps its account.
func (p *Pool) Set(accounts []Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := map[string]*entry{}
	for _, e := range *p.entries.Load() {
		old[e.Name] = e
	}
	next := make([]*entry, 0, len(accounts))
	for _, a := range accounts[:min(len(accounts), MaxAccounts)] {
		e := &entry{Account: a, id: schedule.Hash(a.Name), state: &state{}}
		if o := old[a.Name]; o != nil && o.Provider == a.Provider && o.Key == a.Key && sameURL(o.Account, a) {
			e.state = o.state
		}
		next = append(next, e)
	}
	p.entries.Store(&next)
}

func sameURL(a, b Account) bool {
	if a.BaseURL == nil || b.BaseURL == nil {
		return a.BaseURL == b.BaseURL
	}
	return *a.BaseURL == *b.BaseURL
}

// A Way is one form in which a request can be put to an upstream.
type Way struct {
	Op       protocol.Op
	Protocol string
}

// A Want says what a lease must be able to do.
type Want struct {
	Ways     []Way  // acceptable forms, best first
	Equal    int    // how many at the end of Ways are equally good, all of one Op: the account's own order decides
	Named    bool   // those at the end of Ways are only for accounts that Models name
	Model    string // as the upstream will be asked for it, "" for none
	Query    schedule.Query
	Strategy schedule.Strategy
	Not      []string // names of accounts that were tried
	Only     string   // the name of the only account that may serve, "" for any
}

// Passed is an account that could serve a request but was passed over.
type Passed struct {
	Account string
	Why     string
	Until   time.Time // zero: unknown
	Class   fault.Class
}

// maxPassed bounds how many of them are named.
const maxPassed = 32

// A Lease is the right to make one attempt with one account. It must be ended
// with Done.
type Lease struct {
	Account *Account
	Way     Way
	Passed  []Passed // better or equal accounts that were not able
	e       *entry
	p       *Pool
	model   string
}

// None reports that no account is able now.
type None struct {
	// Accounts is how many are switched on at all, Mute how many of them serve
	// the model but take it in none of the wanted ways, and Known how many
	// could serve the request if they were well.
	Accounts, Mute, Known int
	// Until is the earliest moment at which one may be able; zero: unknown.
	Until  time.Time
	Passed []Passed
}

type scratch struct {
	cs []schedule.Candidate
	es []*entry
	ws []Way
}

// Lease picks an able account and counts the request against it. It waits for
// no one: if no account is able it says why. The cost is linear in the number
// of accounts and nothing is allocated while all are well.
func (p *Pool) Lease(w Want) (Lease, *None) {
	now := p.now()
	entries := *p.entries.Load()
	s := p.scratch.Get().(*scratch)
	defer p.scratch.Put(s)
	s.cs, s.es, s.ws = s.cs[:0], s.es[:0], s.ws[:0]

	reserved := false
	for _, e := range entries {
		if e.Reserved && len(e.Models) > 0 && w.Model != "" && e.Serves(w.Model) {
			reserved = true
			break
		}
	}
	var passed []Passed
	var n None
	trial, best := false, 0
	var last *entry // the account whose pause of our own making ends first
	var lastWay Way
	var lastUntil time.Time
	for _, e := range entries {
		if e.Disabled || w.Only != "" && e.Name != w.Only {
			continue
		}
		n.Accounts++
		if reserved && !e.Reserved || !e.Serves(w.Model) {
			continue
		}
		way, ok := e.way(w)
		if !ok {
			n.Mute++
			continue
		}
		n.Known++
		if slices.Contains(w.Not, e.Name) {
			continue
		}
		h, why, free := e.able(w.Model, now)
		if why != "" {
			if n.Until.IsZero() || !free.IsZero() && free.Before(n.Until) {
				n.Until = free
			}
			if len(passed) < maxPassed {
				passed = append(passed, Passed{e.Name, why, free, h.Why})
			}
			if h.Guess && (last == nil || h.Until.Before(lastUntil)) {
				last, lastWay, lastUntil = e, way, h.Until
			}
			continue
		}
		// The best are: lowest priority number, and within it the accounts
		// that are ready before those on trial.
		switch t := h.State == Trial; {
		case len(s.es) == 0 || e.Priority < best || e.Priority == best && trial && !t:
			s.cs, s.es, s.ws = s.cs[:0], s.es[:0], s.ws[:0]
			best, trial = e.Priority, t
		case e.Priority > best || t && !trial:
			continue
		}
		s.es, s.ws = append(s.es, e), append(s.ws, way)
		s.cs = append(s.cs, schedule.Candidate{ID: e.id, Weight: e.Weight, InFlight: int(e.inFlight.Load()), Served: e.served.Load(), First: time.Duration(e.first.Load())})
	}
	if len(s.es) == 0 && last != nil {
		// Nobody else is able: an account that broke down is better tried
		// than not, since its pause is a guess and it may be well again.
		s.es, s.ws = append(s.es, last), append(s.ws, lastWay)
		passed = slices.DeleteFunc(passed, func(p Passed) bool { return p.Account == last.Name })
	}
	if len(s.es) == 0 {
		none := n // so that n need not be on the heap
		none.Passed = passed
		return Lease{}, &none
	}
	i := 0
	if len(s.es) > 1 {
		i = w.Strategy.Pick(w.Query, s.cs)
	}
	e := s.es[i]
	e.inFlight.Add(1)
	e.served.Add(1)
	if e.RPM > 0 {
		e.requests.add(now, 1)
	}
	return Lease{Account: &e.Account, Way: s.ws[i], Passed: passed, e: e, p: p, model: w.Model}, nil
}

// Able reports whether an account could be leased for w now. It is for rare
// decisions: it takes a lease and gives it back.
func (p *Pool) Able(w Want) bool {
	l, none := p.Lease(w)
	if none != nil {
		return false
	}
	l.e.inFlight.Add(-1)
	l.e.served.Add(^uint64(0))
	return true
}

// way is the best acceptable form that the account offers.
func (e *entry) way(w Want) (Way, bool) {
	n := len(w.Ways) - w.Equal
	for _, way := range w.Ways[:n] {
		if slices.Contains(e.By.Speaks(e.Account.Account, way.Op, w.Model), way.Protocol) {
			return way, true
		}
	}
	if equal := w.Ways[n:]; len(equal) > 0 && (!w.Named || len(e.Models) > 0) {
		for _, p := range e.By.Speaks(e.Account.Account, equal[0].Op, w.Model) {
			if i := slices.Index(equal, Way{Op: equal[0].Op, Protocol: p}); i >= 0 {
				return equal[i], true
			}
		}
	}
	return Way{}, false
}

// able reports in why, if it is not empty, what keeps the account from serving
// model now, and when that may be over.
func (e *entry) able(model string, now time.Time) (h Health, why string, free time.Time) {
	h = e.health(model, now)
	switch {
	case h.State == Cooling:
		return h, "cooling: " + h.Why.String(), h.Until
	case h.State == Down:
		return h, "needs attention: " + h.Why.String(), h.Until
	case e.Parallel > 0 && int(e.inFlight.Load()) >= e.Parallel:
		return Health{Why: fault.RateLimited}, "at its limit of parallel requests", now.Add(time.Second)
	}
	if e.RPM > 0 {
		if t := e.requests.free(now, int64(e.RPM)); !t.IsZero() {
			return Health{Why: fault.RateLimited}, "at its limit of requests a minute", t
		}
	}
	if e.TPM > 0 {
		if t := e.tokens.free(now, int64(e.TPM)); !t.IsZero() {
			return Health{Why: fault.RateLimited}, "at its limit of tokens a minute", t
		}
	}
	return h, "", time.Time{}
}

// Done ends the lease and says how the attempt went: f is nil if it went well,
// first is the time to the first meaningful byte (0: unknown) and tokens what
// it used.
func (l *Lease) Done(f *fault.Fault, first time.Duration, tokens int64) {
	e, now := l.e, l.p.now()
	e.inFlight.Add(-1)
	if e.TPM > 0 && tokens > 0 {
		e.tokens.add(now, tokens)
	}
	if f == nil {
		if first > 0 {
			// A smoothing factor of 1/8; a race between two ends loses one sample.
			if old := e.first.Load(); old == 0 {
				e.first.Store(int64(first))
			} else {
				e.first.Store(old + (int64(first)-old)/8)
			}
		}
		e.heal(l.model, now)
		return
	}
	if e.Reserved {
		return
	}
	if f.Scope == fault.Model && l.model == "" {
		return // a model that nobody named says nothing about the account
	}
	if f.Scope == fault.Model {
		e.mu.Lock()
		defer e.mu.Unlock()
		h := e.models[l.model].After(f, now)
		if h == (Health{}) {
			return
		}
		if e.models == nil {
			e.models = map[string]Health{}
		}
		if _, known := e.models[l.model]; !known && len(e.models) >= maxModels {
			e.forget(now)
		}
		e.models[l.model] = h
		e.troubled.Store(int32(len(e.models)))
		return
	}
	for {
		old := e.whole.Load()
		var h Health
		if old != nil {
			h = *old
		}
		if next := h.After(f, now); next == h || e.whole.CompareAndSwap(old, &next) {
			return
		}
	}
}

// heal clears what a success on model disproves.
func (e *entry) heal(model string, now time.Time) {
	if old := e.whole.Load(); old != nil && old.After(nil, now) == (Health{}) {
		e.whole.CompareAndSwap(old, nil)
	}
	if e.troubled.Load() == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.models[model].After(nil, now) == (Health{}) {
		delete(e.models, model)
		e.troubled.Store(int32(len(e.models)))
	}
}

// forget makes room for one model: those whose pause is over go, else the one
// whose pause ends first.
func (e *entry) forget(now time.Time) {
	soonest := ""
	for m, h := range e.models {
		if h.At(now).State != Cooling && h.At(now).State != Down {
			delete(e.models, m)
			continue
		}
		if soonest == "" || h.Until.Before(e.models[soonest].Until) {
			soonest = m
		}
	}
	if len(e.models) >= maxModels {
		delete(e.models, soonest)
	}
}
