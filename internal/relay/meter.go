package relay

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"portico/internal/budget"
	"portico/internal/catalog"
	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/candidates"
)

const (
	// claimedBytes is how many bytes of text a token has at least, nearly
	// always: what is put aside should rather be too much.
	claimedBytes = 3
	// claimedMedium is what an image, a sound or a document is put aside for,
	// in tokens.
	claimedMedium = 2000
	// claimedOutput is put aside for an answer if neither the client nor the
	// catalogue says how long it may be, in tokens.
	claimedOutput = 32 << 10
)

// putAside puts aside what the call may cost at most, if its key has limits.
func (a *answer) putAside() *fault.Fault {
	m := a.c.Meter
	if m == nil {
		return nil
	}
	limits := m.Limits()
	claim, f := a.claim(&limits)
	if f != nil {
		return f
	}
	hold, no := m.Reserve(a.c.Start, claim)
	if no != nil {
		return overLimit(a.c.Key, no)
	}
	a.hold = hold
	return nil
}

// claim is what the call may use. A budget needs to know: what has no price, or
// no count of tokens, is refused to a key that has one.
func (a *answer) claim(l *budget.Limits) (c budget.Claim, f *fault.Fault) {
	op := a.c.Op
	metered := op == protocol.Chat || op == protocol.Complete || op == protocol.Embed
	switch {
	case !metered && (op == protocol.Count || a.c.Method == "GET" || a.c.Method == "HEAD" || a.c.Method == "DELETE"):
		return c, nil
	case !metered && l.Budgets():
		f = fault.New(fault.Forbidden, "the key %s has a budget, and nobody knows beforehand what this operation costs", a.c.Key)
		f.Code = "unmetered_operation"
		return c, f
	case l.TPM <= 0 && !l.Budgets():
		return c, nil
	}
	c.Input = a.claimedInput()
	if !l.Budgets() {
		return c, nil
	}
	asked, answers := a.asksFor()
	for _, name := range a.plan.Models {
		m, known := a.c.Settings.Catalog.Lookup(name)
		// Candidates may have to be asked for one by one, see fan.
		most := llm.Usage{Input: c.Input * min(answers, candidates.Most)}
		if op != protocol.Embed {
			most.Output = claimed(asked, m.MaxOutput) * answers
		}
		if bytes.Contains(a.c.Body, []byte(`"1h"`)) {
			most.CacheHour = most.Input
		}
		nanos, priced := worst(&m, most)
		if l.Money() && (!known || !priced) {
			f = fault.New(fault.Forbidden, "the key %s has a budget of money, and the model %q has no price; the operator may set one (models[].price_in and price_out)", a.c.Key, clip(name, 100))
			f.Code, f.Param = "price_unknown", "model"
			return budget.Claim{}, f
		}
		c.Most.Tokens = max(c.Most.Tokens, most.Total())
		c.Most.Nanos = max(c.Most.Nanos, nanos)
	}
	return c, nil
}

// asksFor is how long an answer the client takes, 0 if it does not say, and how
// many of them.
func (a *answer) asksFor() (tokens, answers int64) {
	answers = 1
	switch r := a.request(); {
	case r != nil:
		if r.Sampling.MaxTokens != nil {
			tokens = max(*r.Sampling.MaxTokens, 0)
		}
		answers = int64(max(r.Sampling.N, 1))
	case a.c.Op == protocol.Complete:
		tokens, _ = jsonedit.Int(jsonedit.Get(a.c.Body, "max_tokens"))
		for _, name := range [...]string{"n", "best_of"} {
			n, _ := jsonedit.Int(jsonedit.Get(a.c.Body, name))
			answers = max(answers, min(n, 1<<16))
		}
	}
	return min(max(tokens, 0), 1<<40), answers
}

// claimed is how long an answer may be: as the client asks, or the model's
// longest.
func claimed(asked, longest int64) int64 {
	switch {
	case asked > 0:
		return asked
	case longest > 0:
		return longest
	}
	return claimedOutput
}

// worst is the most that u can cost: none of its input is read from a cache,
// and all may be written to one, where CacheHour of it stays for an hour.
func worst(m *catalog.Model, u llm.Usage) (nanos int64, known bool) {
	hour := u.CacheHour
	u.CacheHour = 0
	dear := catalog.Dearest(*m)
	plain, known := catalog.Cost(u, dear)
	u.Input, u.CacheWrite, u.CacheHour = 0, u.Input, hour
	written, _ := catalog.Cost(u, dear)
	return inNanos(max(plain, written)), known
}

// inNanos is usd in billionths, rounded up.
func inNanos(usd float64) int64 { return int64(math.Ceil(min(max(usd, 0), 1e6) * 1e9)) }

// claimedInput is how many tokens the request has at most, by an estimate.
func (a *answer) claimedInput() int64 {
	n := int64(len(a.c.Body))/claimedBytes + 1
	if c, ok := a.c.Codec.(protocol.Counter); ok && a.c.Op == protocol.Chat {
		if text, media, err := c.CountText(nil, a.c.Body); err == nil {
			n = int64(len(text))/claimedBytes + int64(media)*claimedMedium + 1
		}
	}
	return n
}

// settleHold counts what x, as it goes into the ledger, has used. Later records
// of the same call count what is more.
func (a *answer) settleHold(x *journal.Exchange) {
	if a.c.Meter == nil {
		return
	}
	used := budget.Amount{Tokens: x.Usage.Total()}
	name := x.Served
	if name == "" {
		name = x.Asked
	}
	if used.Tokens > 0 && a.c.Settings != nil {
		if m, ok := a.c.Settings.Catalog.Lookup(name); ok {
			usd, _ := catalog.Cost(x.Usage, m)
			used.Nanos = int64(math.Round(min(usd, 1e6) * 1e9))
		}
	}
	a.hold.Settle(a.r.now(), used)
}

// overLimit tells the client which limit of its key it has run into. Waiting a
// moment helps against most; a budget that is spent is told as vendors tell
// it, so that clients do not try again.
func overLimit(key string, r *budget.Refusal) *fault.Fault {
	f := &fault.Fault{Class: fault.RateLimited, Code: "key_limit", After: r.Wait}
	if !r.What.Budget() {
		f.Msg = fmt.Sprintf("the key %s is at its limit of %d %s", key, r.Limit, r.What)
		return f
	}
	say := func(n int64) string {
		if r.What.Money() {
			return dollars(n)
		}
		return strconv.FormatInt(n, 10) + " tokens"
	}
	_, window, _ := strings.Cut(string(r.What), " ")
	left := r.Limit - r.Spent
	switch {
	case left <= 0:
		f.Msg = fmt.Sprintf("the key %s has spent its budget of %s %s", key, say(r.Limit), window)
	case r.Wanted <= left:
		f.Msg = fmt.Sprintf("what is left of the budget of the key %s (%s of %s %s) is put aside for requests under way; this one may use %s", key, say(left-r.Held), say(r.Limit), window, say(r.Wanted))
		return f
	default:
		f.Msg = fmt.Sprintf("this request may use %s, and the key %s has %s left of %s %s; ask for a shorter answer (max_tokens)", say(r.Wanted), key, say(max(left, 0)), say(r.Limit), window)
	}
	f.Class, f.Code = fault.OverBudget, "insufficient_quota"
	return f
}

// dollars is an amount of money for a person, down to a ten-thousandth.
func dollars(nanos int64) string {
	return "$" + strconv.FormatFloat(float64(nanos)/1e9, 'f', 4, 64)
}
