package pool

import (
	"time"

	"portico/internal/fault"
)

// A State is how an account, or one model on it, is doing.
//
//	                     success
//	  ┌──────────────────────────────────────────────┐
//	  ▼                                              │
//	Ready ──limit, overload──▶ Cooling ──time──▶ Trial
//	  │                            ▲                │
//	  │                            └────failure─────┘
//	  └──rejected──▶ Down ──time──▶ Trial
//
// Every state ends by itself: a Down account is tried again on real traffic
// after a while, since a key may have been mended at the vendor's. On trial
// one request goes ahead and the others wait for what becomes of it; if nothing
// does, the next goes ahead after a while.
type State uint8

// The states.
const (
	Ready   State = iota
	Cooling       // waits until Until
	Trial         // its wait is over, and nobody has succeeded since
	Down          // the vendor rejected it; a person must act, or Until passes

	// What follows are states of a credential that has to be turned into
	// access tokens. No fault sets them: provider.Tokens say so.

	Refreshing // its token is over and the next is being fetched
	NeedsLogin // its issuer refused it; a person must sign in again, or Until passes

	States // how many there are
)

var stateNames = [States]string{"ready", "cooling", "trial", "down", "refreshing", "needs_login"}

// String is the state as the API spells it.
func (s State) String() string { return stateNames[min(s, States-1)] }

// Health is a State and what belongs to it. The zero Health is Ready.
type Health struct {
	State  State
	Since  time.Time
	Until  time.Time     // when to try again; on trial, when the next goes ahead if the first never ends
	Pause  time.Duration // the last pause of its own making; it doubles on repeated failure
	Failed int           // failures in a row that alone did not justify a pause
	Guess  bool          // the pause is a guess of ours: the upstream broke down, and named no time
	Why    fault.Class
	Msg    string // what the vendor said, redacted, at most 256 bytes
	Link   string // where the user can mend it, or ""
}

// A penalty is how an account cools by itself after a fault of a class: the
// first pause, the longest, and how many failures in a row it takes. A longer
// wait that the vendor asks for is kept.
type penalty struct {
	first, most time.Duration
	after       int
	down        bool
}

// penalties holds the classes that say something about the account. Spec:
// upstreams §4.1.
var penalties = map[fault.Class]penalty{
	fault.RateLimited:       {first: 2 * time.Second, most: 5 * time.Minute},
	fault.QuotaSpent:        {first: 15 * time.Minute, most: 6 * time.Hour},
	fault.PlanGate:          {first: time.Hour, most: 6 * time.Hour},
	fault.ModelDenied:       {first: 10 * time.Minute, most: 6 * time.Hour},
	fault.ModelGone:         {first: time.Hour, most: 6 * time.Hour},
	fault.Permission:        {first: 10 * time.Minute, most: 6 * time.Hour},
	fault.CredentialInvalid: {first: 15 * time.Minute, most: 6 * time.Hour, down: true},
	fault.CredentialExpired: {first: 5 * time.Minute, most: time.Hour, down: true},
	fault.Overloaded:        {first: 100 * time.Millisecond, most: time.Minute},
	fault.Broken:            {first: 5 * time.Second, most: time.Minute, after: 3},
	fault.Timeout:           {first: 5 * time.Second, most: time.Minute, after: 3},
	fault.Network:           {first: 5 * time.Second, most: time.Minute, after: 3},
}

// breaker is how many failures in a row, at whatever accounts, say that an
// endpoint is down. Spec: upstreams §4.1.
const breaker = 5

// After returns the health that follows h when an attempt ends with f at now;
// a nil f is a success. It is the only place where health changes by itself.
// A fault that concerns the request says nothing about the account.
func (h Health) After(f *fault.Fault, now time.Time) Health {
	if f == nil {
		if h = h.At(now); (h.State == Cooling || h.State == Down) && !h.Guess {
			return h // a request from before the pause: no news
		}
		return Health{}
	}
	p, blames := penalties[f.Class]
	if !blames || f.Scope == fault.Request {
		return h
	}
	h = h.At(now)
	if h.State == Cooling || h.State == Down {
		// Requests that were under way when the pause began end one by one;
		// they may lengthen it by the vendor's word but do not double it.
		if until := now.Add(f.After); f.After > 0 && until.After(h.Until) {
			h.Until = until
		}
		return h
	}
	if f.Scope == fault.Endpoint && p.after > 0 {
		p.after = breaker
	}
	if h.Failed++; h.Failed < p.after && h.State != Trial {
		return h
	}
	h.Pause = min(max(h.Pause*2, p.first), p.most)
	h.State, h.Since, h.Until = Cooling, now, now.Add(max(h.Pause, f.After))
	if f.After > 0 {
		h.Until, h.Pause = now.Add(f.After), 0 // the vendor's word, no guess of ours
	}
	if p.down {
		h.State = Down
	}
	h.Guess = f.After == 0 && (p.after > 1 || f.Class == fault.Overloaded)
	h.Failed, h.Why, h.Msg, h.Link = 0, f.Class, clip(f.Msg, 256), f.Link
	return h
}

// At returns h as it stands at now: a pause that is over is a trial.
func (h Health) At(now time.Time) Health {
	if (h.State == Cooling || h.State == Down) && !h.holds(now) {
		h.State = Trial
	}
	return h
}

// holds reports whether h keeps requests away at now. A pause that reaches
// further than the longest wait ever set is over: the clock was put back.
func (h *Health) holds(now time.Time) bool {
	return h.State != Ready && now.Before(h.Until) && h.Until.Sub(now) <= fault.MaxWait
}

// probing is how long others wait for what becomes of the request that went
// ahead: a refusal comes soon, and so does the beginning of most answers.
const probing = 10 * time.Second

// Probe returns h, which is on trial, as it stands once a request went ahead
// at now.
func (h Health) Probe(now time.Time) Health {
	h.State, h.Until = Trial, now.Add(probing)
	return h
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
