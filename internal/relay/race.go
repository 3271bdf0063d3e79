package relay

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/sse"
)

// errOutrun ends an attempt whose answer is wanted no more.
var errOutrun = errors.New("another account's answer began first")

// outrun is the step after such an attempt, and hedged why the second account
// was asked, as the ledger spells them.
const (
	outrun = "outrun"
	hedged = "hedge"
)

// A racer is one of two attempts at the same leg of a call. Its goroutine asks
// the upstream and reads until it is clear whether an answer has begun. All the
// rest is done by the call's goroutine, and by the watch as long as it watches
// this one.
type racer struct {
	lease  pool.Lease
	form   form
	at     int // of the form, in the answer's
	c      *Call
	try    try
	ctx    context.Context
	cancel context.CancelCauseFunc
	out    *http.Request
	tap    protocol.Tap
	done   chan landing // has room for one
	held   atomic.Bool  // the request waits for a connection

	mu      sync.Mutex
	watched *answer // whose watch watches it, nil: none does
	left    bool
	status  int
	seen    protocol.Seen
}

// A landing is what came of a racer: an answer that has begun if good, else
// one that has not, or an error.
type landing struct {
	resp *http.Response
	err  error
	good bool
}

// hedge is how the call may be put to two accounts, nil if it may not.
func (a *answer) hedge() *Hedge {
	h := a.c.Settings.Hedge
	if h == nil {
		return nil
	}
	c := chance{op: a.c.Op, legs: a.legs(), tokens: a.query.Tokens, asked: a.hedged}
	c.once = a.hold.Aside() || a.home != "" || a.unsealed || a.mute || a.c.compaction != nil || sealed(a.c)
	if !h.suits(c) || string(jsonedit.Get(a.c.Body, "background")) == "true" {
		return nil
	}
	return h
}

// race makes the attempt that is prepared, and another one beside it if its
// answer has not begun in time. It returns like attempt.
func (a *answer) race(ctx context.Context, h *Hedge, t asked, model string) *fault.Fault {
	first, f := a.enter(ctx, t, model)
	if f != nil {
		return f
	}
	run := [2]*racer{first}
	defer func() {
		for _, r := range run {
			if r != nil {
				a.leave(r, false)
			}
		}
	}()
	a.attend(first)
	go first.run()
	var late <-chan time.Time
	if d, ok := h.wait(a.usual(first, h.Quantile)); ok {
		timer := time.NewTimer(d)
		defer timer.Stop()
		late = timer.C
	}
	for {
		var landings [2]chan landing
		for i, r := range run {
			if r != nil {
				landings[i] = r.done
			}
		}
		var o landing
		i := 0
		select {
		case <-late:
			run[1] = a.second(ctx, h, first, model)
			continue
		case o = <-landings[0]:
		case o = <-landings[1]:
			i = 1
		}
		r, other := run[i], run[1-i]
		run[i] = nil
		a.adopt(r)
		if o.good && other != nil {
			run[1-i] = nil
			a.leave(other, true)
		}
		f := a.land(r, o)
		if run[1-i] == nil || f == nil || a.live || !a.goesOn(f) {
			return f
		}
		// The other may do better.
		late = nil
		a.ended(f)
		a.next(f, &a.lease)
		a.noteStep(Another)
		a.attend(other)
	}
}

// goesOn reports whether another account may do better after f.
func (a *answer) goesOn(f *fault.Fault) bool {
	return a.ctx.Err() == nil && after(f) != GiveUp
}

// usual is within what time the share q of the answers like that of r began.
func (a *answer) usual(r *racer, q float64) (d time.Duration, known bool) {
	if q == 0 {
		return 0, false
	}
	return a.r.firsts.of(a.spreadOf(r.lease.Account.Name)).quantile(q)
}

func (a *answer) spreadOf(account string) spreadKey {
	return spreadKey{account, a.x.Served, !a.c.Stream}
}

// enter makes a racer of the attempt that is prepared.
func (a *answer) enter(ctx context.Context, t asked, model string) (*racer, *fault.Fault) {
	r := &racer{lease: *a.try.lease, form: *a.form, at: slices.Index(a.ways, a.form.way), c: a.c, done: make(chan landing, 1)}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	out, f := a.outgoing(httptrace.WithClientTrace(r.ctx, &httptrace.ClientTrace{
		GetConn:      func(string) { r.held.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { r.held.Store(false) },
	}), a.try.lease, t, model)
	if f != nil {
		r.cancel(nil)
		return nil, f
	}
	r.out, r.try, r.tap = out, a.try, r.form.codec.NewTap()
	r.try.lease = &r.lease
	return r, nil
}

// second begins the other attempt, if an account has room for it. Nil: none
// has, or too many calls were put to two.
func (a *answer) second(ctx context.Context, h *Hedge, first *racer, model string) *racer {
	if !a.r.hedges.spend(a.r.retries.calls.Load(), h.Share) {
		return nil
	}
	lease, ok := a.r.pool.Spare(a.want(model), &first.lease)
	if !ok {
		a.r.hedges.back()
		return nil
	}
	tried, form, call, lost := a.try, a.form, a.c, a.lost
	f := *a.formOf(lease.Way)
	f.carrier, f.fed = nil, false // of its own
	a.try, a.form = try{lease: &lease, began: time.Now(), second: true}, &f
	a.c = a.observed()
	var r *racer
	t, err := a.ask(&f, 0, lease.Account, model)
	if err == nil && a.missing(&lease, model) == 0 {
		r, _ = a.enter(ctx, t, model)
	}
	a.try, a.form, a.c, a.lost = tried, form, call, lost
	if r == nil {
		lease.Abandon(0)
		a.r.hedges.back()
		return nil
	}
	a.hedged = true
	go r.run()
	return r
}

// adopt has the call go on with r.
func (a *answer) adopt(r *racer) {
	a.try, a.lease, a.c = r.try, r.lease, r.c
	a.try.lease = &a.lease
	a.forms[r.at] = r.form
	a.form = &a.forms[r.at]
	a.x.Account, a.x.Outbound = r.lease.Account.Name, r.form.way.Protocol
	a.attend(r)
}

// attend has the watch watch r, which began a while ago.
func (a *answer) attend(r *racer) {
	first, idle := a.limits(&r.lease)
	a.start(r.cancel, max(first-time.Since(r.try.began), time.Millisecond), idle)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watched = a
	if r.status != 0 {
		a.answering()
	}
}

// land is what follows from o, as attempt tells it.
func (a *answer) land(r *racer, o landing) *fault.Fault {
	if o.err != nil {
		return a.cut(r.ctx, o.err, fault.Sent)
	}
	defer func() { _ = o.resp.Body.Close() }()
	a.answering()
	a.try.status = o.resp.StatusCode
	a.lease.Heard(o.resp.StatusCode, o.resp.Header)
	return a.receive(r.ctx, o.resp)
}

// leave ends r, whose answer is wanted no more, because the other's has begun
// if beaten. What it has cost until now is counted.
func (a *answer) leave(r *racer, beaten bool) {
	r.cancel(errOutrun)
	r.mu.Lock()
	r.watched, r.left = nil, true
	status, seen := r.status, r.seen
	r.mu.Unlock()
	select {
	case o := <-r.done:
		if o.resp != nil {
			_ = o.resp.Body.Close()
		}
	default:
	}
	if r.try.sent != nil {
		r.try.sent.take()
	}
	var u llm.Usage
	guessed := false
	if status >= 200 && status < 300 || status == 0 && !r.held.Load() {
		u, guessed = a.spent(&seen)
	}
	took := time.Since(r.try.began)
	x := a.attemptOf(&r.try, nil)
	x.Account, x.Took, x.Status, x.Usage, x.Estimated = r.lease.Account.Name, took, status, u, guessed
	x.Fault, x.Scope, x.Step = fault.Canceled.String(), fault.Request.String(), GiveUp.String()
	if beaten {
		x.Step = outrun
		r.lease.Outrun(took)
		if a.c.Settings.Hedge.Quantile > 0 {
			a.r.firsts.of(a.spreadOf(x.Account)).add(took)
		}
	}
	a.attempts = append(a.attempts, x)
	addUsage(&a.x.Usage, &u)
	a.x.Estimated = a.x.Estimated || guessed
	r.lease.Abandon(u.Total())
}

// run asks the upstream.
func (r *racer) run() {
	o := r.ask()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.left:
		r.done <- o
	case o.resp != nil:
		_ = o.resp.Body.Close()
	}
}

// ask asks and reads on until it is clear whether an answer has begun.
func (r *racer) ask() landing {
	resp, err := r.lease.Account.Way.RoundTrip(r.out) //nolint:bodyclose // whoever gets the landing closes it
	if err != nil {
		return landing{err: err}
	}
	r.mu.Lock()
	r.status = resp.StatusCode
	if r.watched != nil {
		r.watched.answering()
	}
	r.mu.Unlock()
	kind := mediaType(resp.Header)
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		head, err := io.ReadAll(io.LimitReader(listening{r, resp.Body}, maxError))
		resp.Body = &resumed{head, resp.Body, err}
		return landing{resp: resp}
	case encoded(resp.Header): // nobody can look into it
		return landing{resp: resp, good: r.form.make == nil}
	case r.c.Stream && (kind != "application/json" || inPieces(r.form.codec)):
		return r.begin(resp)
	case !r.c.Stream && kind == eventStream:
		return landing{resp: resp}
	}
	head, err := io.ReadAll(io.LimitReader(listening{r, resp.Body}, maxWhole))
	good := err == nil && (len(head) == maxWhole || r.tap.Body(head)&protocol.Failed == 0)
	resp.Body = &resumed{head, resp.Body, err}
	return landing{resp: resp, good: good}
}

// begin reads a stream to the first event that carries something of an answer.
func (r *racer) begin(resp *http.Response) landing {
	var events sse.Cutter
	var cut interface{ Cut([]byte) int } = &events
	read := sse.Parse
	if c, ok := framed(r.form.codec); ok {
		cut, read = c.NewCutter(), func(raw []byte) sse.Frame { return sse.Frame{Data: c.Element(raw)} }
	}
	var head []byte
	body, start := listening{r, resp.Body}, 0
	for {
		head = slices.Grow(head, slowBuffer)
		n, err := body.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		for start < len(head) {
			n := cut.Cut(head[start:])
			if n == 0 {
				if !errors.Is(err, io.EOF) {
					break
				}
				n = len(head) - start
			}
			f := read(head[start : start+n])
			start += n
			if f.Data == nil {
				continue
			}
			mark := r.tap.Frame(f.Event, f.Data)
			r.note()
			begun := mark&protocol.Meaningful != 0 || mark&protocol.Final != 0 && r.tap.Seen().Finished
			if begun || mark&protocol.Failed != 0 {
				resp.Body = &resumed{head, resp.Body, err}
				return landing{resp: resp, good: mark&protocol.Failed == 0}
			}
		}
		if err != nil || len(head) > maxAhead {
			resp.Body = &resumed{head, resp.Body, err}
			return landing{resp: resp, good: err == nil && (start > 0 || beginsLikeEvent(head))}
		}
	}
}

// note keeps what was seen of the answer for the case that it is left.
func (r *racer) note() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = *r.tap.Seen()
}

// A listening reader tells the watch of signs of life.
type listening struct {
	r    *racer
	from io.Reader
}

func (l listening) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	if l.r.watched != nil {
		l.r.watched.watch.heard()
	}
	return n, err
}

// A resumed body is one of which a part was read before.
type resumed struct {
	head []byte
	rest io.ReadCloser
	err  error // how reading ended before, nil: it did not
}

func (b *resumed) Read(p []byte) (int, error) {
	switch {
	case len(b.head) > 0:
		n := copy(p, b.head)
		b.head = b.head[n:]
		return n, nil
	case b.err != nil:
		return 0, b.err
	}
	return b.rest.Read(p)
}

func (b *resumed) Close() error { return b.rest.Close() }
