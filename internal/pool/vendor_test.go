package pool

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"portico/internal/fault"
)

// A vendor is an account's other side, with its limits and its mishaps.
type vendor struct {
	rate, burst float64       // of a token bucket; 0: no limit
	window      time.Duration // requests come back at the end of each, burst of them; 0: drop by drop
	tpm         float64       // tokens in a minute, which come back drop by drop; 0: no limit
	parallel    int           // requests at one time, 0: no limit
	quota       int           // requests in all, 0: no limit
	fails       float64       // share of requests that it is too busy for
	rejects     bool
	latency     time.Duration
	tells       bool // its answers' headers tell its limits

	mu     sync.Mutex
	left   float64 // requests
	tokens float64
	last   time.Time
	begun  time.Time // the window
	busy   int
	served int
	calls  int
	wasted int
}

// start fills v's limits. phase is how much of its window has passed.
func (v *vendor) start(phase float64) {
	v.left, v.tokens, v.last = v.burst, v.tpm/6, time.Now()
	v.begun = v.last.Add(-time.Duration(phase * float64(v.window)))
}

// capacity is how many requests of so many tokens it takes within d.
func (v *vendor) capacity(d time.Duration, tokens float64) float64 {
	n := math.Inf(1)
	switch {
	case v.rejects:
		return 0
	case v.window > 0:
		n = v.burst * math.Ceil(v.last.Add(d).Sub(v.begun).Seconds()/v.window.Seconds())
	case v.rate > 0:
		n = v.burst + v.rate*d.Seconds()
	}
	if v.tpm > 0 {
		n = math.Min(n, (v.tpm/6+v.tpm/60*d.Seconds())/tokens)
	}
	if v.parallel > 0 {
		n = math.Min(n, float64(v.parallel)*d.Seconds()/v.latency.Seconds())
	}
	if v.quota > 0 {
		n = math.Min(n, float64(v.quota))
	}
	return n
}

// ask is one request of so many tokens to v, which is to be ended with done if
// it is served. hint says how it tells to wait.
func (v *vendor) ask(tokens float64, rng func() float64, hint func(time.Duration) time.Duration) *fault.Fault {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls++
	v.wasted++
	switch {
	case v.rejects:
		return &fault.Fault{Class: fault.CredentialInvalid, Scope: fault.Account}
	case v.fails > 0 && rng() < v.fails:
		return &fault.Fault{Class: fault.Overloaded, Scope: fault.Model, Phase: fault.Answered}
	case v.quota > 0 && v.served >= v.quota:
		return &fault.Fault{Class: fault.QuotaSpent, Scope: fault.Account}
	case v.parallel > 0 && v.busy >= v.parallel:
		return &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, Limit: fault.AtOnce}
	}
	v.fill()
	if v.burst > 0 && v.left < 1 {
		return &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, After: hint(v.opens())}
	}
	if v.tpm > 0 && v.tokens < tokens {
		return &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, Limit: fault.OfTokens, After: hint(time.Duration((tokens - v.tokens) / v.tpm * 60e9))}
	}
	v.left--
	v.tokens -= tokens
	v.busy++
	v.served++
	v.wasted--
	return nil
}

func (v *vendor) done() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.busy--
}

// fill brings v's limits to now.
func (v *vendor) fill() {
	now := time.Now()
	passed := now.Sub(v.last).Seconds()
	v.last = now
	v.tokens = math.Min(v.tpm/6, v.tokens+passed*v.tpm/60)
	if v.window == 0 {
		v.left = math.Min(v.burst, v.left+passed*v.rate)
	} else if n := now.Sub(v.begun) / v.window; n > 0 {
		v.left, v.begun = v.burst, v.begun.Add(n*v.window)
	}
}

// opens is after how long one more request passes.
func (v *vendor) opens() time.Duration {
	if v.window > 0 {
		return v.begun.Add(v.window).Sub(v.last)
	}
	return time.Duration((1 - v.left) / v.rate * 1e9)
}

// headers are those of an answer, in OpenAI's form.
func (v *vendor) headers() http.Header {
	if !v.tells {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fill()
	h := http.Header{}
	tell := func(unit string, limit, left float64, reset time.Duration) {
		h.Set("X-Ratelimit-Limit-"+unit, strconv.Itoa(int(limit)))
		h.Set("X-Ratelimit-Remaining-"+unit, strconv.Itoa(max(int(left), 0)))
		h.Set("X-Ratelimit-Reset-"+unit, reset.Truncate(time.Millisecond).String())
	}
	if v.burst > 0 {
		reset := v.opens()
		if v.window == 0 {
			reset = time.Duration((v.burst - v.left) / v.rate * 1e9)
		}
		tell("Requests", v.burst, v.left, reset)
	}
	if v.tpm > 0 {
		tell("Tokens", v.tpm/6, v.tokens, time.Duration((v.tpm/6-v.tokens)/v.tpm*60e9))
	}
	return h
}

func milliseconds(d time.Duration) time.Duration {
	return d.Truncate(time.Millisecond) + time.Millisecond
}

func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

func unsaid(time.Duration) time.Duration { return 0 }
