package pool

import (
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/fault"
	"portico/internal/pace"
	"portico/internal/provider"
)

// entry is an account and its state, which outlives a reload.
type entry struct {
	Account
	id   uint64
	tags []string // each after tag:
	end  *endpoint
	*state
}

type state struct {
	whole    atomic.Pointer[Health] // nil: ready
	inFlight atomic.Int32
	limited  atomic.Bool // gate knows limits
	crowding crowding
	// allowances are what the vendor said last of what is left.
	allowances atomic.Pointer[[]pace.Allowance]
	purse      atomic.Pointer[[]pace.Allowance] // when it was asked
	gate       gate                             // of the account as a whole
	served     atomic.Uint64
	first      mean // time to the first byte, ns
	took       mean // time of a request, ns

	mu    sync.Mutex
	seats map[string]*seat
}

// An endpoint is where the requests of some accounts go. What breaks down
// there breaks down for all of them.
type endpoint struct{ health atomic.Pointer[Health] }

// maxModels bounds how many models of one account have a state of their own.
const maxModels = 256

// A seat is one model at one account.
type seat struct {
	health atomic.Pointer[Health] // nil: ready
	first  mean                   // time to the first byte, ns
	errs   mean                   // failures of the account's, in millionths
	gate   gate
	queued atomic.Int32 // requests that wait for this seat
	ramp   ramp
	model  string
}

// known returns the state of model if there is one.
func (e *entry) known(model string) *seat {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seats[model]
}

// seat returns the state of model. forgot reports that others' were dropped
// for it.
func (e *entry) seat(model string) (s *seat, forgot bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.seats[model]; s != nil {
		return s, false
	}
	if e.seats == nil {
		e.seats = map[string]*seat{}
	}
	if len(e.seats) >= maxModels {
		e.forget()
		forgot = true
	}
	s = &seat{model: model}
	e.seats[model] = s
	return s, forgot
}

// forget makes room for a model: those of which nothing is known go, else the
// one whose pause ends first.
func (e *entry) forget() {
	soonest, at := "", time.Time{}
	for m, s := range e.seats {
		h := s.health.Load()
		if h == nil && !s.gate.paced() {
			delete(e.seats, m)
			continue
		}
		var until time.Time
		if h != nil {
			until = h.Until
		}
		if soonest == "" || until.Before(at) {
			soonest, at = m, until
		}
	}
	if len(e.seats) >= maxModels {
		delete(e.seats, soonest)
	}
}

// A reason is why an account cannot take a request.
type reason uint8

const (
	able reason = iota
	cooling
	down
	onTrial
	crowded // at its limit of parallel requests
	paced   // at a limit of its rate
	signedOut
	protected // little is left of what it may use
)

// words are the reasons as the ledger spells them. Some go on with a class.
var words = [...]string{"able", "cooling: ", "needs attention: ", "on trial: ", "at its limit of parallel requests", "at its limit of requests or tokens", "needs a login", "protected: little is left of its quota"}

// phrases are the words of reasons with those of classes, made once.
var phrases = func() (out [onTrial + 1][]string) {
	for r := range out {
		for c := fault.Unknown; c <= fault.Canceled; c++ {
			out[r] = append(out[r], words[r]+c.String())
		}
	}
	return out
}()

// A look is a seat as it stands at a moment.
type look struct {
	reason reason
	health *Health   // that keeps it from serving
	until  time.Time // when that is over, as far as is known
	trial  bool      // it is able, and a request would be a trial
	// rejoins: its trial need not wait until nobody else is able.
	rejoins bool
	late    bool // it is able once its access token was fetched
}

// why is the reason in words.
func (k *look) why() string {
	switch k.reason {
	case cooling, down, onTrial:
		if c := int(k.health.Why); c < len(phrases[k.reason]) {
			return phrases[k.reason][c]
		}
	}
	return words[k.reason]
}

// class is the kind of fault that keeps it from serving.
func (k *look) class() fault.Class {
	switch {
	case k.health != nil:
		return k.health.Why
	case k.reason == protected:
		return fault.QuotaSpent
	case k.reason == signedOut:
		return fault.CredentialExpired
	}
	return fault.RateLimited
}

// moments are one moment on both clocks.
type moments struct {
	time time.Time
	at   pace.Moment
}

func (m *moments) after(at pace.Moment) time.Time { return m.time.Add(at - m.at) }

// look reports how x stands at m. It takes no lock.
func (x *slot) look(m *moments) (k look) {
	s := x.s.Load()
	if x.tokens != nil {
		switch c := x.tokens.Condition(m.time); c.State {
		case provider.SignedOut:
			k.reason, k.until = signedOut, c.Until
			return k
		case provider.Refreshing:
			k.late = true
		case provider.Fresh:
		}
	}
	if h := x.state.whole.Load(); h != nil && !x.bears(&k, h, s, m) {
		return k
	}
	if h := x.end.health.Load(); h != nil && !x.bears(&k, h, s, m) {
		return k
	}
	if s != nil {
		if h := s.health.Load(); h != nil && !x.bears(&k, h, s, m) {
			return k
		}
	}
	if x.guarded() {
		if until, is := x.short(m.time); is {
			k.reason, k.until = protected, until
			return k
		}
	}
	x.within(&k, s, m)
	return k
}

// within notes in k if x is at one of its limits.
func (x *slot) within(k *look, s *seat, m *moments) {
	if most := x.limit(); most > 0 && x.state.inFlight.Load() >= most {
		k.reason = crowded
		return
	}
	if x.state.limited.Load() {
		if at := pace.Moment(x.state.gate.free.Load()); at > m.at {
			k.reason, k.until = paced, m.after(at)
			return
		}
	}
	if s != nil {
		if at := pace.Moment(s.gate.free.Load()); at > m.at {
			k.reason, k.until = paced, m.after(at)
		}
	}
}

// room reports whether x is at none of its limits.
func (x *slot) room(m *moments) bool {
	var k look
	x.within(&k, x.s.Load(), m)
	return k.reason == able
}

// bears reports whether h lets x serve, and notes in k why not, or that it would
// be a trial.
func (x *slot) bears(k *look, h *Health, s *seat, m *moments) bool {
	switch {
	case h.State == Ready:
	case h.holds(m.time):
		k.reason = [...]reason{Cooling: cooling, Trial: onTrial, Down: down}[h.State]
		k.health, k.until = h, h.Until
		return false
	case !s.provesItself(h):
		k.rejoins = (k.rejoins || !k.trial) && h.rejoins(m.time)
		k.trial = true
	}
	return true
}

// provesItself reports whether a pause that is over needs no trial: the rate
// at which requests go out is known.
func (s *seat) provesItself(h *Health) bool {
	return s != nil && h.Why == fault.RateLimited && s.gate.rate() > 0
}

// A hold is what a request holds of an account.
type hold struct {
	account, model ticket
	probes         bool
}

// take takes a place at s for a request of so many tokens, unless another was
// faster or it has to wait. h is zero until then.
func (x *slot) take(h *hold, s *seat, m *moments, tokens int64) bool {
	e := x.e
	if n, most := e.inFlight.Add(1), x.limit(); most > 0 && n > most {
		e.inFlight.Add(-1)
		return false
	}
	limited := e.limited.Load()
	if limited && !e.gate.take(&h.account, m.at, tokens) {
		e.inFlight.Add(-1)
		return false
	}
	ok := s.gate.take(&h.model, m.at, tokens)
	if ok && !e.probe(s, m, h) {
		s.gate.back(m.at, h.model)
		ok = false
	}
	if !ok {
		if limited {
			e.gate.back(m.at, h.account)
		}
		e.inFlight.Add(-1)
		*h = hold{}
		return false
	}
	e.served.Add(1)
	return true
}

// probe marks all that is on trial, so that no other request goes ahead. It
// fails if another did.
func (e *entry) probe(s *seat, m *moments, h *hold) bool {
	for _, p := range [...]*atomic.Pointer[Health]{&e.whole, &e.end.health, &s.health} {
		old := p.Load()
		if old == nil || old.State == Ready || old.holds(m.time) && !old.Guess || s.provesItself(old) {
			continue
		}
		next := old.Probe(m.time)
		if !p.CompareAndSwap(old, &next) {
			return false
		}
		h.probes = true
	}
	return true
}

// release ends the trial without a result: what became of the request says
// nothing of the account.
func (e *entry) release(s *seat, now time.Time) {
	for _, p := range [...]*atomic.Pointer[Health]{&e.whole, &e.end.health, &s.health} {
		if old := p.Load(); old != nil && old.State == Trial && now.Before(old.Until) {
			next := *old
			next.Until = now
			p.CompareAndSwap(old, &next)
		}
	}
}

// heal clears what a success disproves. It reports whether there was anything.
func (e *entry) heal(s *seat, now time.Time) (healed bool) {
	for _, p := range [...]*atomic.Pointer[Health]{&e.whole, &e.end.health, &s.health} {
		if old := p.Load(); old != nil && old.After(nil, now) == (Health{}) {
			healed = p.CompareAndSwap(old, nil) || healed
		}
	}
	return healed
}

// blame has f change the health of what it concerns, and returns until when
// requests stay away from s, the zero time if they do not.
func (e *entry) blame(s *seat, f *fault.Fault, now time.Time) (until time.Time) {
	note := func(p *atomic.Pointer[Health], f *fault.Fault) {
		for {
			old := p.Load()
			var h Health
			if old != nil {
				h = *old
			}
			next := h.After(f, now)
			if next == h || p.CompareAndSwap(old, &next) {
				if next.holds(now) && next.Until.After(until) {
					until = next.Until
				}
				return
			}
		}
	}
	switch f.Scope {
	case fault.Model:
		if s.model != "" { // one that nobody named says nothing about the account
			note(&s.health, f)
		}
	case fault.Account:
		note(&e.whole, f)
	case fault.Endpoint:
		note(&e.end.health, f)
		own := *f
		own.Scope = fault.Account
		note(&e.whole, &own)
	}
	return until
}
