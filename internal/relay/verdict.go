package relay

import (
	"fmt"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
)

// A failure is an attempt that failed, as the verdict needs it.
type failure struct {
	account string
	fault   *fault.Fault
}

// maxReasons is how many accounts a verdict names.
const maxReasons = 8

// verdict says in one fault why nobody could serve a request: what was tried,
// who was not able, and the earliest moment at which it may go better. It is
// never about the client's own key, so it is neither 401 nor 403.
func verdict(model string, failed []failure, none *pool.None, now time.Time) *fault.Fault {
	if len(failed) == 0 && none.Known == 0 {
		return nobody(model, none)
	}
	f := &fault.Fault{Class: fault.Busy, Code: "accounts_unavailable"}
	var why []string
	say := func(account, what string, class fault.Class, wait time.Duration) {
		if class == fault.RateLimited || class == fault.QuotaSpent {
			f.Class, f.Code = fault.RateLimited, "rate_limit_exceeded"
		}
		if wait > 0 {
			if f.After == 0 || wait < f.After {
				f.After = wait
			}
			what += ", may serve again in " + (wait + time.Second - 1).Truncate(time.Second).String()
		}
		if len(why) < maxReasons {
			why = append(why, account+": "+what)
		}
	}
	for _, x := range failed {
		what := x.fault.Class.String()
		if x.fault.Status != 0 {
			what += fmt.Sprintf(" (HTTP %d)", x.fault.Status)
		}
		if x.fault.Msg != "" {
			what += ": " + clip(x.fault.Msg, 200)
		}
		say(x.account, what, x.fault.Class, x.fault.After)
	}
	for _, p := range none.Passed {
		if said(failed, p.Account) {
			continue // what it answered just now says more
		}
		var wait time.Duration
		if !p.Until.IsZero() {
			wait = p.Until.Sub(now)
		}
		say(p.Account, p.Why, p.Class, wait)
	}
	f.Msg = "no account could serve this request"
	if model != "" {
		f.Msg = fmt.Sprintf("no account could serve the model %q", clip(model, 100))
	}
	f.Msg += " now. " + strings.Join(why, "; ")
	if allDenied(failed, none) {
		f.Class, f.Code, f.Param, f.After = fault.ModelDenied, "model_not_found", "model", 0
	}
	return f
}

func said(failed []failure, account string) bool {
	for _, x := range failed {
		if x.account == account {
			return true
		}
	}
	return false
}

// allDenied reports whether everybody who was asked or is passed over does not
// have what is asked for. That is no matter of waiting.
func allDenied(failed []failure, none *pool.None) bool {
	for _, x := range failed {
		if !denies(x.fault.Class) {
			return false
		}
	}
	for _, p := range none.Passed {
		if !denies(p.Class) {
			return false
		}
	}
	return len(failed)+len(none.Passed) > 0
}

func denies(c fault.Class) bool { return c == fault.ModelDenied || c == fault.ModelGone }

// nobody is the verdict if no account, however well, could serve the request.
func nobody(model string, none *pool.None) *fault.Fault {
	switch {
	case none.Accounts == 0:
		return fault.New(fault.NoAccount, "Portico has no account yet. Add one with: portico account add")
	case none.Mute > 0 && model == "":
		return fault.New(fault.Unsupported, "no account takes this kind of request in the protocol it came in")
	case none.Mute > 0:
		return fault.New(fault.Unsupported, "no account takes this kind of request for the model %q in the protocol it came in", clip(model, 100))
	}
	f := fault.New(fault.NoAccount, "no account serves the model %q", clip(model, 100))
	f.Code, f.Param = "model_not_found", "model"
	return f
}

// clip is s, or what of it fits into n bytes with a mark that it was cut.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n -= len("…"); n > 0 && s[n]&0xC0 == 0x80; n-- {
	}
	return s[:n] + "…"
}
