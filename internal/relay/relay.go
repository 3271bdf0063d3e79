package relay

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/fault"
	"portico/internal/fetch"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/responses"
	"portico/internal/tape"
	"portico/internal/translate"
)

// Options are what a relay is made of. Pool, Record, Hop and Agent are needed.
type Options struct {
	Pool *pool.Pool
	// Codecs are the protocols of upstreams, the clients' own among them.
	Codecs []protocol.Codec
	Record Recorder
	// Hop is this gateway's name among gateways, by which it knows requests
	// of its own: the same for the life of the process, at least 16 letters
	// and digits, and no part of another's.
	Hop   string
	Agent string // the User-Agent that upstreams see
	// Recall remembers seals for clients that bring none back; nil: nobody does.
	Recall translate.Recall
	// Responses keeps translated answers for clients of OpenAI's Responses,
	// and Homes where the others are; nil: nobody does.
	Responses *responses.Store
	Homes     *responses.Homes
	// Sealer seals what models wrote down of conversations, for clients to
	// keep. It is needed where Responses is.
	Sealer tape.Sealer
	// Fetch fetches files that clients name by their addresses, where the
	// settings allow it; nil: nobody does.
	Fetch *fetch.Client
	Now   func() time.Time
	Log   *slog.Logger
}

// A Relay carries calls. It is safe for concurrent use.
type Relay struct {
	pool   *pool.Pool
	codecs map[string]protocol.Codec
	// foreign are the ways to ask upstreams of other protocols, in the order
	// of the codecs.
	foreign map[protocol.Op][]form
	recall  translate.Recall
	kept    *responses.Store
	homes   *responses.Homes
	jobs    *responses.Jobs
	sealer  tape.Sealer
	fetch   *fetch.Client
	record  Recorder
	hop     string
	agent   []string // header values that all requests share
	via     []string
	now     func() time.Time
	log     *slog.Logger

	answers sync.Pool
	unwell  atomic.Bool // the recorder failed the last time
	retries retryBudget
	hedges  purse
	firsts  spreads // of the times to the first word, if calls are hedged by them
	single  singles
}

// New returns a relay.
func New(o Options) *Relay {
	r := &Relay{
		pool: o.Pool, codecs: map[string]protocol.Codec{}, record: o.Record, hop: o.Hop,
		recall: o.Recall, kept: o.Responses, homes: o.Homes, sealer: o.Sealer, fetch: o.Fetch, agent: []string{o.Agent}, via: []string{o.Hop}, now: o.Now, log: o.Log,
	}
	for _, c := range o.Codecs {
		r.codecs[c.Name()] = c
	}
	r.foreign = r.foreignForms(o.Codecs)
	if r.now == nil {
		r.now = time.Now
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.jobs = responses.NewJobs(r.now)
	r.answers.New = func() any { return newAnswer() }
	return r
}

// Do carries c to an upstream and its answer to w. When it returns, the client
// has been answered and the exchange is recorded; neither c nor its body is
// used any more. It panics with http.ErrAbortHandler if an answer broke off in
// a way that can only be told by breaking the connection.
//
// If ctx ends with a *fault.Fault as its cause, the client is told that.
func (r *Relay) Do(ctx context.Context, w http.ResponseWriter, c *Call) {
	a := r.begin(ctx, w, c)
	defer a.end()
	if f := a.serve(); f != nil {
		a.tell(f)
	}
}

// Refuse tells the client f in its own dialect and records that.
func (r *Relay) Refuse(w http.ResponseWriter, c *Call, f *fault.Fault) {
	a := r.begin(context.Background(), w, c)
	defer a.end()
	a.tell(f)
}

// serve carries the call. Nil means that the client has its answer.
func (a *answer) serve() *fault.Fault {
	if loops(a.c.Header, a.r.hop) {
		return looped()
	}
	if f, done := a.resume(); f != nil || done {
		return f
	}
	a.parsed, a.said = false, nil // what the client named may be in the call now
	a.plan = a.planned()
	a.x.Rule = a.plan.Rule
	a.shape()
	if f := a.putAside(); f != nil {
		return f
	}
	a.said = nil // it may be large, and an answer may take long
	a.r.retries.calls.Add(1)
	return a.carry()
}

// carry makes the attempts of a call whose plan is made. Nil means that the
// client has its answer.
func (a *answer) carry() *fault.Fault {
	a.left = max(a.c.Settings.Attempts, 1)
	a.findForms()
	for leg := 0; leg == 0 || leg < a.legs(); leg++ {
		if f := a.serveLeg(leg); f != nil {
			if a.countable(f) {
				return a.estimate()
			}
			return f
		}
	}
	return a.conclude()
}

// serveLeg makes attempts until one serves the leg, the policy gives up, the
// tries are spent, or nobody is left. Most calls have one leg, see carrier.
func (a *answer) serveLeg(leg int) *fault.Fault {
	for i, model := range a.plan.Models {
		a.model = i
		a.newTarget()
	attempts:
		for a.left > 0 && a.made < maxAttempts {
			none := a.seek(model, false)
			if none != nil {
				if a.stay != "" {
					a.stay = ""
					continue
				}
				if a.leaveHome() || a.farther(none) || a.once() {
					continue
				}
				none = a.seek(model, true)
			}
			if none != nil && a.pardon() {
				continue
			}
			if none != nil {
				a.nobody(none)
				break
			}
			f := a.attempt(&a.lease, leg, model)
			if f == nil {
				a.repay()
				return nil
			}
			if f == apart || a.declined(f, leg) {
				return a.fanOut()
			}
			switch a.next(f, &a.lease) {
			case GiveUp:
				return a.better(f)
			case Onward:
				break attempts
			}
		}
		if a.ctx.Err() != nil {
			return a.gone()
		}
	}
	return a.verdict()
}

// next decides what follows an attempt that failed with f, and notes it.
func (a *answer) next(f *fault.Fault, l *pool.Lease) Step {
	if f == a.unfit {
		return Another // or the same account in another form
	}
	if a.stay != "" { // the same account once more, with a token that is not over
		a.noteStep(Again)
		a.made++
		a.failed = append(a.failed, failure{l.Account.Name, f})
		return Again
	}
	if f.Class == fault.SealMismatch && !a.live && a.ctx.Err() == nil && !a.unsealed && a.c.Op == protocol.Chat {
		// The same account once more, without what it could not read.
		a.unsealed = true
		a.noteStep(Again)
		a.made++
		a.failed = append(a.failed, failure{l.Account.Name, f})
		return Again
	}
	step := after(f)
	if a.model < len(a.plan.Models)-1 && a.plan.GoesOn(f.Class.String()) {
		step = Onward
	}
	if a.live || a.ctx.Err() != nil || a.unsure(f) || a.c.Op == protocol.Count && missing(f) {
		step = GiveUp
	}
	a.noteStep(step)
	a.made++
	if !free(f) {
		a.left--
		if step != GiveUp && step != Onward && a.left > 0 {
			if a.r.retries.spend(a.r.now()) {
				a.bought++
			} else {
				a.left = 0
			}
		}
	}
	a.failed = append(a.failed, failure{l.Account.Name, f})
	switch {
	case !a.soon(f):
		a.tried = append(a.tried, l.Account.Name)
	case f.Class == fault.Overloaded: // rather another, even one to wait for
		a.tried = append(a.tried, l.Account.Name)
		a.busy = append(a.busy, l.Account.Name)
		a.waits++
	default:
		a.waits++
	}
	if step == Again && !a.twice {
		a.again = l.Account.Name
	}
	return step
}

// soon reports whether the account that failed with f may be asked again when
// its pause is over: it is a short one, which the pool keeps.
func (a *answer) soon(f *fault.Fault) bool {
	if f.Class != fault.RateLimited && f.Class != fault.Overloaded || a.pause.IsZero() || a.waits >= maxWaits {
		return false
	}
	return a.pause.Sub(a.r.now()) < a.patience()
}
