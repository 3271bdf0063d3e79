package relay

import (
	"cmp"
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/glob"
	"portico/internal/pool"
	"portico/internal/protocol"
)

const (
	// maxWaits is how many pauses one call may cost that its own tries have
	// found.
	maxWaits = 3
	// onwardWait bounds how long a call waits for a model while its route
	// names another.
	onwardWait = time.Second
)

// newTarget begins with the next model of the chain.
func (a *answer) newTarget() {
	a.tried, a.busy, a.again, a.reach = append(a.tried[:0], a.never...), a.busy[:0], "", atHome
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
	return pool.Want{
		Ways: ways, Equal: equal, Named: a.reach == named, Model: model, Query: a.query, Strategy: a.c.Settings.Strategy,
		Prefer: a.prefer(), Not: a.tried, Only: cmp.Or(a.stay, a.home), Tokens: a.query.Tokens, Key: a.payer(), Max: a.patience(), Since: a.c.Start,
	}
}

// prefer are the accounts that are asked first: those that the client's key
// prefers, then those that the route does.
func (a *answer) prefer() (out []glob.Set) {
	for _, s := range [...]glob.Set{a.c.Prefer, a.plan.Prefer} {
		if len(s) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// payer is in whose name the call waits: its key's, or its machine's.
func (a *answer) payer() string {
	if a.c.Key != "" {
		return a.c.Key
	}
	return a.c.Peer
}

// patience is how long the call may still wait. A count does not wait: it can
// be answered by an estimate.
func (a *answer) patience() time.Duration {
	if a.c.Op == protocol.Count || a.waits > maxWaits {
		return 0
	}
	d := a.c.Settings.MaxWait - a.waited
	if deadline, ok := a.ctx.Deadline(); ok {
		d = min(d, time.Until(deadline))
	}
	return max(d, 0)
}

// seek looks for an account. With queue it waits for whoever is able first,
// else only for the one where the conversation is.
func (a *answer) seek(model string, queue bool) (none *pool.None) {
	w := a.want(model)
	w.Queue = queue || a.again == "" && a.home == "" && (a.abroad() == 0 || a.reach == anywhere)
	if a.model < len(a.plan.Models)-1 {
		w.Max = min(w.Max, onwardWait)
	}
	if w.Max == 0 {
		a.lease, none = a.r.pool.Lease(w)
		return none
	}
	began := time.Now()
	a.lease, none = a.r.pool.Wait(a.ctx, w)
	if none != nil || a.lease.Waited > 0 {
		a.waited += time.Since(began)
	}
	return none
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

// pardon lets accounts that were overloaded be asked again, since no other can
// serve in time.
func (a *answer) pardon() bool {
	if len(a.busy) == 0 || a.patience() == 0 {
		return false
	}
	for _, name := range a.busy {
		a.forgive(name)
	}
	a.busy = a.busy[:0]
	return true
}

func (a *answer) forgive(account string) {
	a.tried = slices.DeleteFunc(a.tried, func(s string) bool { return s == account })
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
		if a.unfit != nil && (a.none.Known == 0 || len(a.none.Passed) == 0) {
			return a.unfit // nobody was passed over for another reason
		}
	} else if a.reply.of != nil && allDenied(a.failed, &a.none) {
		return a.reply.of // what the vendor says of the model is as true as it gets
	}
	return verdict(a.c.Model, a.failed, &a.none, a.r.now())
}
