package relay

import (
	"math/rand/v2"
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
)

const (
	// maxInline bounds a pause that the relay waits out after a try of its
	// own. A client can be told to wait for whole seconds only; below that,
	// waiting here wins.
	maxInline = 900 * time.Millisecond
	// maxArrival bounds a pause that a call finds under way when it comes in.
	// A vendor's "1 second" to one client must not be a refusal to the next.
	maxArrival = 1500 * time.Millisecond
	// maxWaiting bounds how many calls wait at one time; the others are told
	// to come back.
	maxWaiting = 128
	// maxWaits is how many such pauses one call may cost.
	maxWaits = 2
)

// newTarget begins with the next model of the chain.
func (a *answer) newTarget() {
	a.tried, a.again, a.soon, a.reach = a.tried[:0], "", soon{}, atHome
	a.target = len(a.failed)
}

// A reach says among whom a call looks for an account, from near to far. An
// account that speaks the client's protocol gets its bytes, so it comes first
// whoever else could serve. One of another protocol is next if the operator
// said that it serves this model; what an account serves about which nobody
// said anything is mostly its own vendor's models, so it is asked only if none
// at home has the model.
type reach uint8

const (
	atHome reach = iota
	named
	anywhere
)

// farther widens the reach after none was able, and reports whether it could.
func (a *answer) farther(none *pool.None) bool {
	if a.abroad() == 0 || a.reach == anywhere || a.live || a.c.Settings == nil {
		return false
	}
	if a.reach == atHome {
		a.unknown = none.Known == 0 || allDenied(a.failed[a.target:], none)
	} else if !a.unknown {
		return false
	}
	a.reach++
	return true
}

// better is what the client is told in place of f: if home denied the model and
// f comes from an account that was asked on a guess, what home said.
func (a *answer) better(f *fault.Fault) *fault.Fault {
	if a.reach == anywhere && a.unknown && a.reply.of != nil && !a.live && f.Class == fault.BadRequest {
		return a.reply.of
	}
	return f
}

// abroad is how many forms are of another protocol than the client's; they
// stand at the end.
func (a *answer) abroad() (n int) {
	for i := range a.forms {
		if a.forms[i].foreign {
			n++
		}
	}
	return n
}

// want is what the pool is asked for.
func (a *answer) want(model string) pool.Want {
	ways, equal := a.ways, a.abroad()
	if a.reach == atHome && equal < len(ways) { // else the call has settled abroad
		ways, equal = ways[:len(ways)-equal], 0
	}
	return pool.Want{Ways: ways, Equal: equal, Named: a.reach == named, Model: model, Query: a.query, Strategy: a.c.Settings.Strategy, Not: a.tried, Only: a.home}
}

// once lets the account that failed last be asked a second time, where it is
// the only one that can serve.
func (a *answer) once() bool {
	if a.again == "" {
		return false
	}
	a.forgive(a.again)
	a.again, a.twice = "", true
	return true
}

func (a *answer) forgive(account string) {
	a.tried = slices.DeleteFunc(a.tried, func(s string) bool { return s == account })
}

// wait waits for the account that is able soonest, if that is soon enough. The
// pause is longer by chance, so that not all come back at one moment.
func (a *answer) wait(none *pool.None) bool {
	until, account := none.Until, ""
	if a.soon.account != "" && (until.IsZero() || a.soon.at.Before(until)) {
		until, account = a.soon.at, a.soon.account
	}
	if until.IsZero() || a.waits >= maxWaits {
		return false
	}
	d, most := until.Sub(a.r.now()), maxInline
	if a.made == 0 {
		most = maxArrival
	}
	if d >= most {
		return false
	}
	defer a.r.waiting.Add(-1)
	if a.r.waiting.Add(1) > maxWaiting {
		return false
	}
	d = max(d, 0) + rand.N(max(d, 0)/5+5*time.Millisecond)
	if deadline, ok := a.ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	a.waits++
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-a.ctx.Done():
		return false
	}
	a.forgive(account)
	a.soon = soon{}
	return true
}

// nobody notes that no account is able to serve a model of the chain.
func (a *answer) nobody(n *pool.None) {
	a.notePassed(n.Passed)
	a.none.Accounts = max(a.none.Accounts, n.Accounts)
	a.none.Mute += n.Mute
	a.none.Known += n.Known
	a.none.Passed = append(a.none.Passed, n.Passed...)
}

// verdict is what the client is told if nobody could serve.
func (a *answer) verdict() *fault.Fault {
	if len(a.failed) == 0 {
		if a.unfit != nil && a.none.Known == 0 {
			return a.unfit
		}
	} else if a.reply.of != nil && allDenied(a.failed, &a.none) {
		return a.reply.of // what the vendor says of the model is as true as it gets
	}
	return verdict(a.c.Model, a.failed, &a.none, a.r.now())
}
