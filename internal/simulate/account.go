package simulate

import (
	"net/http"
	"time"

	"portico/internal/fault"
)

// An Account is an account and the vendor behind it, as the vendor knows its
// limits. The gateway that is simulated is told nothing of them. Zero limits
// are none.
type Account struct {
	Name        string  `json:"name" yaml:"name"`
	RPM         float64 `json:"rpm" yaml:"rpm"`                       // requests a minute
	Burst       float64 `json:"burst" yaml:"burst"`                   // of them at once; 0: a tenth of RPM, at least 1
	Window      float64 `json:"window_s" yaml:"window_s"`             // seconds after which all of RPM's and TPM's are there again; 0: drop by drop
	Sliding     bool    `json:"sliding" yaml:"sliding"`               // each is there again Window after it was used
	TPM         float64 `json:"tpm" yaml:"tpm"`                       // tokens a minute; drop by drop, a sixth of them at once
	Concurrency int     `json:"concurrency" yaml:"concurrency"`       // requests at one time
	Quota       int     `json:"quota" yaml:"quota"`                   // requests in all, or in each window
	QuotaWindow float64 `json:"quota_window_s" yaml:"quota_window_s"` // seconds after which all of Quota is there again; 0: never
	QuotaEnds   float64 `json:"quota_ends_s" yaml:"quota_ends_s"`     // when the first such window ends; 0: after a whole one
	QuotaTold   bool    `json:"quota_told" yaml:"quota_told"`         // answers say how much of the window is left
	LatencyMS   float64 `json:"latency_ms" yaml:"latency_ms"`         // how long a request takes; 0: 500
	Busy        float64 `json:"busy" yaml:"busy"`                     // share of requests that the vendor is too busy for, below 1
	Revoked     bool    `json:"revoked" yaml:"revoked"`               // its key is refused
	DownFromS   float64 `json:"down_from_s" yaml:"down_from_s"`       // it is out of order from here
	DownForS    float64 `json:"down_for_s" yaml:"down_for_s"`         // for so long
	Tells       string  `json:"tells" yaml:"tells"`                   // how a refusal says when to come back: one of Manners; "": exact

	Priority int     `json:"priority" yaml:"priority"`
	Weight   int     `json:"weight" yaml:"weight"`
	Price    float64 `json:"price" yaml:"price"` // US dollars for a million tokens of input; what is read from its cache costs a tenth
}

// Manners are how a vendor's refusals say when to come back: to the
// millisecond; so, and limits in the headers of every answer besides; in whole
// seconds, rounded up; rounded down, so that it is too early and may be
// nothing; or not at all.
func Manners() []string { return []string{"exact", "headers", "seconds", "floor", "silent"} }

// tell is what a vendor of the given manner says of a wait, 0: nothing.
func tell(manner string, wait time.Duration) time.Duration {
	switch manner {
	case "seconds":
		return (wait + time.Second - 1).Truncate(time.Second)
	case "floor":
		return wait.Truncate(time.Second)
	case "silent":
		return 0
	}
	return wait.Truncate(time.Millisecond) + time.Millisecond
}

// A vendor is an account's other side while the clock runs.
type vendor struct {
	*Account
	requests, tokens limit
	quota            quota
	busy             int
	served           int
	calls            int
	refused          int
}

func newVendor(a *Account) *vendor {
	burst := a.Burst
	if burst == 0 {
		burst = a.RPM / 10
	}
	return &vendor{
		Account: a, requests: newLimit(a.RPM/60, burst, seconds(a.Window), a.Sliding),
		tokens: newLimit(a.TPM/60, a.TPM/6, seconds(a.Window), a.Sliding), quota: newQuota(a),
	}
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

// opens is after how long v takes a request of so many tokens, as far as its
// rates go.
func (v *vendor) opens(now time.Duration, tokens float64) (wait time.Duration, kind fault.Limit) {
	v.requests.fill(now)
	v.tokens.fill(now)
	wait = v.requests.opens(1)
	if w := v.tokens.opens(tokens); w > wait {
		wait, kind = w, fault.OfTokens
	}
	return wait, kind
}

// take counts a request.
func (v *vendor) take(tokens float64) {
	v.requests.take(1)
	v.tokens.take(tokens)
	v.quota.used++
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
	if v.Busy > 0 && chance() < v.Busy {
		return &fault.Fault{Class: fault.Overloaded, Scope: fault.Model, Phase: fault.Answered}
	}
	v.quota.roll(now)
	switch until, spent := v.quota.spent(); {
	case spent:
		f := &fault.Fault{Class: fault.QuotaSpent, Scope: fault.Account, Phase: fault.Answered}
		if until > 0 {
			f.After = tell(v.Tells, until-now)
		}
		return f
	case v.Concurrency > 0 && v.busy >= v.Concurrency:
		return &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, Limit: fault.AtOnce, Phase: fault.Answered}
	}
	wait, kind := v.opens(now, tokens)
	if wait <= 0 {
		return nil
	}
	return &fault.Fault{Class: fault.RateLimited, Scope: fault.Model, Limit: kind, Phase: fault.Answered, After: tell(v.Tells, wait)}
}

// heads are what v says in the headers of an answer: of its limits, under
// OpenAI's names, or for windows those that others use, and of its quota. Nil:
// nothing.
func (v *vendor) heads(now time.Duration) http.Header {
	h := http.Header{}
	if v.Tells == "headers" {
		v.requests.head(h, "-Requests", epoch.Add(now))
		v.tokens.head(h, "-Tokens", epoch.Add(now))
	}
	if v.QuotaTold {
		v.quota.roll(now)
		v.quota.tell(h, now)
	}
	if len(h) == 0 {
		return nil
	}
	return h
}
