package relay

import (
	"cmp"
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/pool"
	"portico/internal/protocol"
)

// maxPassed bounds how many accounts an exchange names that were not tried.
const maxPassed = 32

// A page is an exchange with room for its only attempt, as most have one.
type page struct {
	x   journal.Exchange
	one [1]journal.Attempt
}

// record tells the recorder all that is known, with ahead bytes more for the
// client than have gone out: it is called before the bytes that make an answer
// whole. What comes after is recorded anew, under the same ID; open says that
// something will.
func (a *answer) record(ahead int, open bool) {
	if a.mute {
		a.fresh = !open
		return
	}
	a.mu.Lock()
	out := a.line.out + int64(ahead)
	a.mu.Unlock()
	p := &page{x: a.x}
	x := &p.x
	x.Took, x.BytesOut, x.Open = time.Since(x.Start), out, open
	x.Attempts = append(p.one[:0], a.attempts...)
	if a.try.lease != nil { // it is under way, and serves
		u := a.tally(x)
		x.Attempts = append(x.Attempts, a.attemptWith(nil, u))
		a.settleHome(x.Upstream)
	}
	if a.hedged {
		slices.SortStableFunc(x.Attempts, func(a, b journal.Attempt) int { return cmp.Compare(a.Start, b.Start) })
	}
	x.Losses = a.losses()
	a.fresh = !open
	if a.candidate == 0 {
		a.settleHold(x) // of all candidates together
	}
	if a.ledger != nil {
		_ = a.ledger.Record(x) // which is in memory
	} else if err := a.r.record.Record(x); err == nil {
		a.r.unwell.Store(false)
	} else if !a.r.unwell.Swap(true) {
		a.r.log.Error("an exchange could not be recorded; serving goes on", "request_id", a.c.ID, "error", err)
	}
}

// tally adds to x what the attempt under way has learned of its answer, and
// returns what that took.
func (a *answer) tally(x *journal.Exchange) llm.Usage {
	u, guessed := llm.Usage{}, false
	if a.try.tap != nil {
		s := a.try.tap.Seen()
		x.Stop, x.Upstream = s.Stop, s.ID
		u, guessed = a.spent(s)
	} else if op := a.form.way.Op; op == protocol.Chat || op == protocol.Complete {
		// The answer went by unread.
		u, guessed = llm.Usage{Input: a.guessInput(), Output: x.BytesOut / bytesPerToken}, true
	}
	addUsage(&x.Usage, &u)
	x.Estimated = x.Estimated || guessed
	return u
}

func addUsage(sum, u *llm.Usage) { *sum = sum.Plus(*u) }

// bytesPerToken is the rule of thumb for estimates that need not be good.
const bytesPerToken = 4

// tokensPerMedium is what an image, a sound or a document is taken for.
const tokensPerMedium = 1000

// spent is what an answer cost as far as it came: what the upstream told, and
// an estimate of the output where it broke off or of all where nothing was
// told.
func (a *answer) spent(s *protocol.Seen) (u llm.Usage, guessed bool) {
	op := a.form.way.Op
	switch u = s.Usage; {
	case op != protocol.Chat && op != protocol.Complete:
		return u, false
	case s.HasUsage && s.Finished:
		return u, false
	case s.HasUsage: // Anthropic tells the input at once, and the output at the end
		if out := s.OutBytes / bytesPerToken; out > u.Output+u.Reasoning {
			u.Output = out - u.Reasoning
			return u, true
		}
		return u, false
	}
	return llm.Usage{Input: a.guessInput(), Output: (s.OutBytes + bytesPerToken - 1) / bytesPerToken}, true
}

// guessInput is about how many tokens the request has.
func (a *answer) guessInput() int64 {
	if a.guess > 0 {
		return a.guess
	}
	a.guess = int64(len(a.c.Body))/bytesPerToken + 1
	if c, ok := a.c.Codec.(protocol.Counter); ok {
		if text, media, err := c.CountText(nil, a.c.Body); err == nil {
			a.guess = int64(len(text))/bytesPerToken + int64(media)*tokensPerMedium + 1
		}
	}
	return a.guess
}

// attemptWith is the attempt under way as the ledger tells it, if it ends with
// f and took u. Where there is no other the exchange tells what it took.
func (a *answer) attemptWith(f *fault.Fault, u llm.Usage) journal.Attempt {
	x := a.attemptOf(&a.try, f)
	if x.Leg > 0 {
		x.Usage = u
	}
	return x
}

// attemptOf is the attempt t as the ledger tells it, if it ends with f.
func (a *answer) attemptOf(t *try, f *fault.Fault) journal.Attempt {
	x := journal.Attempt{
		Account: t.lease.Account.Name, Model: a.x.Served, Start: t.began.Sub(a.x.Start),
		Took: time.Since(t.began), Status: t.status, Step: "served",
		Why: t.lease.Why.String(), Of: t.lease.Of, Waited: t.lease.Waited,
	}
	if t.second {
		x.Why = hedged
	}
	if x.Leg = a.candidate; x.Leg == 0 && a.legs() > 1 {
		x.Leg = t.leg + 1
	}
	if f != nil {
		x.Fault, x.Scope, x.Phase, x.After = f.Class.String(), f.Scope.String(), f.Phase.String(), f.After
		x.Code, x.Error, x.Step = clip(f.Code, 128), clip(f.Msg, 512), GiveUp.String()
	}
	return x
}

// ended ends the attempt under way, with its account and in the ledger.
func (a *answer) ended(f *fault.Fault) {
	t := &a.try
	if t.sent != nil {
		t.sent.take()
	}
	var u llm.Usage
	if f == nil || a.live {
		a.x.BytesOut = a.line.out
		u = a.tally(&a.x)
	}
	if h := a.c.Settings.Hedge; h != nil && h.Quantile > 0 && f == nil && t.first > 0 {
		a.r.firsts.of(a.spreadOf(t.lease.Account.Name)).add(t.first)
	}
	a.pause = t.lease.Done(f, t.first, u.Total())
	if f == nil || f != a.unfit {
		a.attempts = append(a.attempts, a.attemptWith(f, u))
	}
	if f == nil && a.form.make != nil && t.leg == 0 {
		a.settle()
	}
	if f != nil && f.Class != fault.Canceled {
		a.r.log.Info("attempt failed", "request_id", a.c.ID, "account", t.lease.Account.Name, "model", a.x.Served,
			"class", f.Class.String(), "status", f.Status, "phase", f.Phase.String(), "message", clip(f.Msg, 512))
	}
	t.lease = nil
}

// noteStep notes what follows the last attempt.
func (a *answer) noteStep(s Step) {
	if n := len(a.attempts); n > 0 {
		a.attempts[n-1].Step = s.String()
	}
}

// arrived notes the first meaningful byte of the answer.
func (a *answer) arrived() {
	if a.try.first == 0 {
		a.try.first = max(time.Since(a.try.began), 1)
	}
	if a.x.First == 0 {
		a.x.First = time.Since(a.x.Start)
	}
}

// notePassed notes accounts that were not able.
func (a *answer) notePassed(ps []pool.Passed) {
	for _, p := range ps {
		if len(a.x.Passed) >= maxPassed {
			return
		}
		x := journal.Passed{Account: p.Account, Why: p.Why}
		if !slices.Contains(a.x.Passed, x) {
			a.x.Passed = append(a.x.Passed, x)
		}
	}
}
