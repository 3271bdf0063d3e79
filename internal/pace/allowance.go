package pace

import (
	"net/http"
	"strconv"
	"time"

	"portico/internal/fault"
)

// An Allowance is how much is left of what a subscription may use in a window
// of hours or days.
type Allowance struct {
	Window string    // as the vendor names it
	Left   float64   // share, 0 to 1
	Resets time.Time // when all of it is there again
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
		wait, ok := fault.ParseDelay(first(h[a.reset]), now)
		if err != nil || used < 0 || used > 1e6 || !ok {
			continue
		}
		out = append(out, Allowance{a.window, max(0, 1-used/a.whole), now.Add(wait)})
	}
	return out
}
