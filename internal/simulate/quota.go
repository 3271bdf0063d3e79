package simulate

import (
	"net/http"
	"strconv"
	"time"
)

// A quota is how many requests an account takes in all, or in each window of
// hours or days. What is not used of a window lapses at its end.
type quota struct {
	size    int
	window  time.Duration // 0: it never comes back
	ends    time.Duration // this window
	used    int           // in it
	lapsing int           // requests of windows that have ended
	lapsed  int           // of them, that nobody used
}

func newQuota(a *Account) quota {
	q := quota{size: a.Quota, window: seconds(a.QuotaWindow)}
	if q.ends = seconds(a.QuotaEnds); q.ends == 0 || q.ends > q.window {
		q.ends = q.window
	}
	return q
}

// roll brings q to now: windows end, and what is left of them is gone.
func (q *quota) roll(now time.Duration) {
	if q.window <= 0 || q.size == 0 || now < q.ends {
		return
	}
	n := (now-q.ends)/q.window + 1 // windows that ended
	q.lapsing += q.size * int(n)
	q.lapsed += q.size*int(n) - q.used
	q.ends, q.used = q.ends+n*q.window, 0
}

// spent reports whether nothing is left, and when there will be again; 0: never.
// q is rolled.
func (q *quota) spent() (until time.Duration, is bool) {
	if q.size == 0 || q.used < q.size {
		return 0, false
	}
	if q.window > 0 {
		until = q.ends
	}
	return until, true
}

// tell writes what is left at now, as OpenAI tells it of Codex. q is rolled.
func (q *quota) tell(h http.Header, now time.Duration) {
	h.Set("X-Codex-Primary-Used-Percent", strconv.FormatFloat(100*share(q.used, q.size), 'f', 3, 64))
	h.Set("X-Codex-Primary-Reset-After-Seconds", strconv.FormatFloat((q.ends-now).Seconds(), 'f', 3, 64))
}
