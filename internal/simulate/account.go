package simulate

import (
	"math"
	"time"

	"portico/internal/fault"
)

// An Account is an account and the vendor behind it, as the vendor knows its
// limits. The gateway that is simulated is told nothing of them. Zero limits
// are none.
type Account struct {
	Name        string  `json:"name" yaml:"name"`
	RPM         float64 `json:"rpm" yaml:"rpm"`                 // requests a minute
	Burst       float64 `json:"burst" yaml:"burst"`             // of them at once; 0: a tenth of RPM, at least 1
	Window      float64 `json:"window_s" yaml:"window_s"`       // seconds after which all of RPM's are there again; 0: drop by drop
	TPM         float64 `json:"tpm" yaml:"tpm"`                 // tokens a minute, drop by drop, a sixth of them at once
	Concurrency int     `json:"concurrency" yaml:"concurrency"` // requests at one time
	Quota       int     `json:"quota" yaml:"quota"`             // requests in all
	LatencyMS   float64 `json:"latency_ms" yaml:"latency_ms"`   // how long a request takes; 0: 500
	Busy        float64 `json:"busy" yaml:"busy"`               // share of requests that the vendor is too busy for, below 1
	Revoked     bool    `json:"revoked" yaml:"revoked"`         // its key is refused
	DownFromS   float64 `json:"down_from_s" yaml:"down_from_s"` // it is out of order from here
	DownForS    float64 `json:"down_for_s" yaml:"down_for_s"`   // for so long
	Silent      bool    `json:"silent" yaml:"silent"`           // it does not say when to come back

	Priority int     `json:"priority" yaml:"priority"`
	Weight   int     `json:"weight" yaml:"weight"`
	Price    float64 `json:"price" yaml:"price"` // US dollars for a million tokens of input; what is read from its cache costs a tenth
}

// A vendor is an account's other side while the clock runs.
type vendor struct {
	*Account
	left, tokens float64
	at           time.Duration // of left and tokens
	begun        time.Duration // the window
	busy         int
	served       int
	calls        int
	refused      int
}

func newVendor(a *Account) *vendor {
	v := &vendor{Account: a}
	v.left, v.tokens = v.burst(), v.TPM/6
	return v
}

// rate is requests a second, 0: no limit.
func (v *vendor) rate() float64 { return v.RPM / 60 }

// burst is how many go at once.
func (v *vendor) burst() float64 {
	switch {
	case v.RPM == 0:
		return 0
	case v.Window > 0:
		return math.Max(1, v.rate()*v.Window)
	case v.Burst > 0:
		return math.Max(1, v.Burst)
	}
	return math.Max(1, v.RPM/10)
}

func (v *vendor) latency() time.Duration {
	if v.LatencyMS <= 0 {
		return 500 * time.Millisecond
	}
	return time.Duration(v.LatencyMS * float64(time.Millisecond))
}

// down reports whether v is out of order at now, and until when.
func (v *vendor) down(now time.Duration) (until time.Duration, down bool) {
	from, length := seconds(v.DownFromS), seconds(v.DownForS)
	return from + length, length > 0 && now >= from && now < from+length
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// fill brings v's limits to now.
func (v *vendor) fill(now time.Duration) {
	passed := (now - v.at).Seconds()
	v.at = now
	v.tokens = math.Min(v.TPM/6, v.tokens+passed*v.TPM/60)
	if v.Window == 0 {
		v.left = math.Min(v.burst(), v.left+passed*v.rate())
	} else if n := math.Floor((now - v.begun).Seconds() / v.Window); n > 0 {
		v.left, v.begun = v.burst(), v.begun+seconds(n*v.Window)
	}
}

// dose is what a request of so many tokens takes of the bucket: one that is
// larger than the bucket passes when it is full.
func (v *vendor) dose(tokens float64) float64 { return math.Min(tokens, v.TPM/6) }

// opens is after how long v takes a request of so many tokens, as far as its
// rates go. v is filled.
func (v *vendor) opens(tokens float64) (wait time.Duration, kind fault.Limit) {
	if v.RPM > 0 && v.left < 1-epsilon {
		if v.Window > 0 {
			wait = v.begun + seconds(v.Window) - v.at
		} else {
			wait = seconds((1 - v.left) / v.rate())
		}
	}
	if d := v.dose(tokens) - v.tokens; v.TPM > 0 && d > epsilon {
		if w := seconds(d * 60 / v.TPM); w > wait {
			wait, kind = w, fault.OfTokens
		}
	}
	return wait, kind
}

// epsilon is what rounding may take from a bucket.
const epsilon = 1e-6

// take counts a request.
func (v *vendor) take(tokens float64) {
	v.left--
	v.tokens -= v.dose(tokens)
	v.served++
}

// ask is a request at now. Nil: it is served, and is to be ended.
func (v *vendor) ask(now time.Duration, tokens float64, chance func() float64) *fault.Fault {
	f := v.refusal(now, tokens, chance)
	v.calls++
	if f != nil {
		v.refused++
		return f
	}
	v.take(tokens)
	v.busy++
	return nil
}

func (v *vendor) refusal(now time.Duration, tokens float64, chance func() float64) *fault.Fault {
	if v.Revoked {
		return &fault.Fault{Class: fault.CredentialInvalid, Scope: fault.Account, Phase: fault.Answered}
	}
	if _, down := v.down(now); down {
		return &fault.Fault{Class: fault.Broken, Scope: fault.Endpoint, Phase: fault.Answered}
	}
	switch {
	case v.Busy > 0 && chance() < v.Busy:
		return &fault.Fault{Class: fault.Overloaded, Scope: fault.Model, Phase: fault.Answered}
	case v.Quota > 0 && v.served >= v.Quota:
		return &fault.Fault{Class: fault.QuotaSpent, Scope: fault.Account, Phase: fault.Answered}
	case v.Concurrency > 0 && v.busy >= v.Concurrency:
		return &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, Limit: fault.AtOnce, Phase: fault.Answered}
	}
	v.fill(now)
	wait, kind := v.opens(tokens)
	if wait <= 0 {
		return nil
	}
	f := &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, Limit: kind, Phase: fault.Answered}
	if !v.Silent {
		f.After = wait.Truncate(time.Millisecond) + time.Millisecond
	}
	return f
}
