package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/candidates"
	"portico/internal/protocol/completions"
	"portico/internal/protocol/gemini"
)

// A fan asks for the candidates of one answer at the same time, each as a call
// of its own: with an account of its own, tries of its own and time limits of
// its own. What they write is merged, see package candidates.
//
// Until something of any of them is with the client, one that fails for good
// ends them all, and the client is told why. From then on the others go on to
// their end; only then is the client told in its stream's own dialect that one
// is missing, so that nobody takes the answer for whole. An error in the middle
// would end the others, too: clients stop reading at it.
type fan struct {
	a       *answer // the client's
	ctx     context.Context
	cancel  context.CancelCauseFunc
	dialect *candidates.Dialect
	stream  bool
	seeded  bool // the client named a seed
	best    completions.Best
	legs    []*fanLeg

	before   journal.Exchange // as it was when the candidates parted
	attempts []journal.Attempt

	mu      sync.Mutex // guards what follows, and all that the client gets
	turn    sync.Cond  // a leg has ended, or waits
	merger  *candidates.Merger
	out     []byte
	held    int // bytes that the legs keep
	most    int // of them that are kept
	ended   int // legs that came to their end
	waiting int // legs that wait for another's end
	fault   *fault.Fault
	told    int // legs of which all is in the ledger
}

// fanOut asks for the candidates one by one. Nil means that the client has its
// answer.
func (a *answer) fanOut() *fault.Fault {
	x, f := a.newFan()
	if f != nil {
		return f
	}
	defer x.cancel(nil)
	stop := context.AfterFunc(x.ctx, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.turn.Broadcast()
	})
	defer stop()
	a.r.retries.calls.Add(int64(len(x.legs) - 1)) // each is a call
	var legs sync.WaitGroup
	for _, l := range x.legs {
		legs.Go(l.run)
	}
	legs.Wait()
	x.gather()
	a.lost = x.losses()
	switch {
	case x.fault == nil:
		return x.conclude()
	case a.ctx.Err() != nil:
		return a.gone()
	}
	return x.fault
}

func (a *answer) newFan() (*fan, *fault.Fault) {
	d, n := dialectOf(a.c), a.fan
	a.form, a.unfit = nil, nil // what follows is not made in any form
	a.lost = a.fanLosses(a.best)
	x := &fan{a: a, best: a.best, dialect: d, stream: a.c.Stream, seeded: d.Seeded(a.c.Body), before: a.x, attempts: slices.Clone(a.attempts)}
	x.turn.L = &x.mu
	if x.most = maxWhole; draws(a.c) {
		x.most = maxAlbum
	}
	_, array := framed(a.c.Codec)
	x.merger = d.NewMerger(n, array)
	x.ctx, x.cancel = context.WithCancelCause(a.ctx)
	for i := range n {
		c, err := a.one(d, i)
		if err != nil {
			x.cancel(nil)
			return nil, refusalOf(err)
		}
		x.legs = append(x.legs, &fanLeg{x: x, n: i, c: c, header: http.Header{}})
	}
	a.foretell()
	return x, nil
}

// one is the call for the candidate i alone.
func (a *answer) one(d *candidates.Dialect, i int) (*Call, error) {
	c := *a.c
	var err error
	if c.Body, err = d.One(c.Body, i); err != nil {
		return nil, err
	}
	if a.best.Of > 0 && !a.best.Logprobs { // to choose by
		if c.Body, err = jsonedit.Set(c.Body, "logprobs", []byte("0")); err != nil {
			return nil, err
		}
	}
	if c.alone = draws(&c); !c.alone {
		c.Lasting = true
	}
	if _, ok := framed(c.Codec); ok { // the pieces are merged one by one
		c.Codec, c.Query = a.r.codecs[protocol.Gemini], gemini.WithSSE(c.Query)
	}
	if i > 0 {
		// What names the request at the vendor's must not make this one
		// another's double.
		c.Header = c.Header.Clone()
		for _, name := range []string{"Idempotency-Key", "X-Client-Request-Id"} {
			if v := c.Header[name]; len(v) == 1 {
				c.Header[name] = []string{v[0] + "-" + strconv.Itoa(i)}
			}
		}
	}
	return &c, nil
}

// fail notes that leg n failed for good. The lock is held.
func (x *fan) fail(n int, f *fault.Fault) {
	if x.fault != nil {
		return
	}
	if x.fault = f; x.a.live {
		own := *f
		own.Msg = fmt.Sprintf("the %s with the index %d broke off: %s", x.dialect.Noun, n, f.Msg)
		x.fault = &own
		return
	}
	x.cancel(&fault.Fault{Class: fault.Canceled, Msg: "another " + x.dialect.Noun + " of the same request failed"})
}

// pass sends what the legs have made. The lock is held.
func (x *fan) pass(l *fanLeg) error {
	a := x.a
	switch {
	case len(x.out) == 0:
		return nil
	case x.fault != nil && !a.live:
		return x.fault
	}
	if !a.committed() {
		x.open(l, x.withSeed(append(slices.Clip(a.lost), l.header[lossHeader]...)))
	}
	if x.told == len(x.legs) { // all of them are whole with this
		x.gather()
		a.record(len(x.out), true)
	}
	a.begun()
	err := a.write(x.out, false, true)
	x.out = x.out[:0]
	if err != nil {
		x.cancel(errGone)
	}
	return err
}

// open begins the client's stream with the headers that l was given.
func (x *fan) open(l *fanLeg, lost []string) {
	a := x.a
	h := a.line.w.Header()
	head(h, l, lost)
	h["Content-Type"] = streamKind(a.c.Codec)
	a.sse = true
	a.commit(http.StatusOK)
	a.beat()
}

// head sets the headers of the answer: those that l was given, but for what is
// said of the whole.
func head(h http.Header, l *fanLeg, lost []string) {
	for name, v := range l.header {
		if name != idHeader && name != "Content-Length" {
			h[name] = v
		}
	}
	if len(lost) > 0 {
		h[lossHeader] = []string{headerText(strings.Join(lost, ", "))}
	}
}

// conclude sends what is owed once all legs are through.
func (x *fan) conclude() *fault.Fault {
	a := x.a
	if !x.stream {
		bodies := make([][]byte, len(x.legs))
		for i, l := range x.legs {
			bodies[i] = l.buf
		}
		body, err := x.dialect.Merge(bodies)
		if err == nil {
			body, err = x.pick(body)
		}
		if f, ok := errors.AsType[*fault.Fault](err); ok {
			return f
		}
		if err != nil {
			return fault.New(fault.Broken, "the %ss cannot be put together: %s", x.dialect.Noun, err)
		}
		h := a.line.w.Header()
		head(h, x.legs[0], a.lost)
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
		return a.deliver(http.StatusOK, body)
	}
	out := x.merger.End(nil)
	if !a.committed() {
		x.open(x.legs[0], a.lost)
	}
	a.record(len(out), false)
	if err := a.write(out, false, true); err != nil {
		return closed(err)
	}
	return nil
}

// losses is what was lost of the request, by the fan and by any leg.
func (x *fan) losses() []string {
	all := x.a.lost
	for _, l := range x.legs {
		if l.record == nil {
			continue
		}
		for _, s := range l.record.Losses {
			if !slices.Contains(all, s) {
				all = append(slices.Clip(all), s)
			}
		}
	}
	return x.withSeed(all)
}

// withSeed is lost with what becomes of a seed, where the upstream has one at
// all.
func (x *fan) withSeed(lost []string) []string {
	if !x.seeded || slices.ContainsFunc(lost, func(s string) bool { return strings.Contains(s, "seed=") }) {
		return lost
	}
	return append(slices.Clip(lost), lostSeed)
}

// gather makes of what the legs told the ledger what it is told of the whole:
// every attempt of each, and the sum of what they took. The lock is held, or
// the legs are through.
func (x *fan) gather() {
	a, to := x.a, &x.a.x
	attempts := slices.Clone(x.attempts)
	to.Usage, to.Estimated, to.First, to.Stop, to.Passed = x.before.Usage, x.before.Estimated, x.before.First, "", x.before.Passed
	first := true
	for _, l := range x.legs {
		attempts = append(attempts, l.attempts()...)
		from := l.record
		if from == nil {
			continue
		}
		to.Usage = to.Usage.Plus(from.Usage)
		to.Estimated = to.Estimated || from.Estimated
		if from.First > 0 && (to.First == 0 || from.First < to.First) {
			to.First = from.First
		}
		switch {
		case first && from.Account != "":
			to.Account, to.Outbound, to.Served, to.Upstream, to.Stop = from.Account, from.Outbound, from.Served, from.Upstream, from.Stop
			first = false
		case from.Stop != to.Stop:
			to.Stop = "" // they stopped for several reasons
		}
		for _, p := range from.Passed {
			if len(to.Passed) < maxPassed && !slices.Contains(to.Passed, p) {
				to.Passed = append(slices.Clip(to.Passed), p)
			}
		}
	}
	slices.SortStableFunc(attempts, func(p, q journal.Attempt) int { return cmp.Compare(p.Start, q.Start) })
	a.attempts = attempts[:min(len(attempts), maxAttempts)]
}
