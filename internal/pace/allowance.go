package pace

import (
	"net/http"
	"strconv"
	"time"

	"portico/internal/fault"
)

// An Allowance is how much is left of what an account may use: of a
// subscription in a window of hours or days, or of money.
type Allowance struct {
	Window string    // as the vendor names it, or credit
	Left   float64   // share, 0 to 1; Unknown
	Resets time.Time // when all of it is there again; zero: nobody knows, or never by itself
	Told   time.Time // when the vendor said so, if Resets is zero
	// Amount is what is left of money, in Currency; "": it is no money.
	Amount   float64
	Currency string
}

// Unknown is the share of an allowance of which only the amount is told. It is
// neither all nor nothing.
const Unknown = -1

// month is the longest window. What is said to end later is not
// believed.
const month = 32 * 24 * time.Hour

// reset reads when a window ends: a Unix time, or in how many seconds. Unlike a
// wait it may be days ahead.
func reset(s string, now time.Time) (time.Time, bool) {
	n, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		d, ok := fault.ParseDelay(s, now)
		return now.Add(d), ok
	case !(n >= 0 && n < 1e11):
		return time.Time{}, false
	case n < 1e9:
		return now.Add(time.Duration(min(n, month.Seconds()) * float64(time.Second))), true
	}
	return time.Unix(int64(n), 0), true
}

// fresh is how long it holds what a vendor said of money: only others who use
// the account change it unseen.
const fresh = 24 * time.Hour

// Short reports whether a tells that less than the share floor is left at now.
func (a *Allowance) Short(floor float64, now time.Time) bool {
	return a.Left != Unknown && a.Left < floor && a.Holds(now)
}

// Poor reports whether a tells that less money than below is left at now.
func (a *Allowance) Poor(below float64, now time.Time) bool {
	return a.Currency != "" && a.Amount < below && a.Holds(now)
}

// allowances are the headers in which vendors tell of them: how much is used,
// as a share of the given whole, and when that ends. Anthropic tells it of
// Claude subscriptions, OpenAI of Codex.
var allowances = []struct {
	window, used, reset string
	whole               float64
}{
	{"5h", "Anthropic-Ratelimit-Unified-5h-Utilization", "Anthropic-Ratelimit-Unified-5h-Reset", 1},
	{"7d", "Anthropic-Ratelimit-Unified-7d-Utilization", "Anthropic-Ratelimit-Unified-7d-Reset", 1},
	{"primary", "X-Codex-Primary-Used-Percent", "X-Codex-Primary-Reset-After-Seconds", 100},
	{"secondary", "X-Codex-Secondary-Used-Percent", "X-Codex-Secondary-Reset-After-Seconds", 100},
}

// Allowances reads what h says of allowances, nil if nothing. What cannot be
// read is unknown, and left out.
func Allowances(h http.Header, now time.Time) (out []Allowance) {
	for i := range allowances {
		a := &allowances[i]
		v, ok := h[a.used]
		if !ok || len(v) == 0 {
			continue
		}
		used, err := strconv.ParseFloat(v[0], 64)
		resets, ok := reset(first(h[a.reset]), now)
		if err != nil || !(used >= 0 && used <= 1e6) || !ok {
			continue
		}
		out = append(out, Allowance{Window: a.window, Left: max(0, 1-used/a.whole), Resets: resets})
	}
	return out
}
