package simulate

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// go test ./internal/simulate -run TestLimits -v -all -seeds 4 prints what the
// pool reaches with every kind of limit, beside what is asked for; the worst of
// the seeds counts. Not all of it is reached; what is, is held without -all.
var (
	all   = flag.Bool("all", false, "play every kind of limit")
	seeds = flag.Int("seeds", 1, "`number` of labs of each kind of limit")
)

// A regime is a kind of limit, the same for all accounts of a lab.
type regime struct {
	name    string
	window  float64 // seconds; 0: drop by drop
	sliding bool
	tokens  bool
	brief   bool // it is played without -all
	over    bool // and at 150 %, too
}

var regimes = []regime{
	{name: "bucket"},
	{name: "windows of 1s", window: 1},
	{name: "windows of 5s", window: 5, brief: true},
	{name: "windows of 10s", window: 10, brief: true, over: true},
	{name: "windows of 60s", window: 60},
	{name: "any 1s", window: 1, sliding: true},
	{name: "any 10s", window: 10, sliding: true, brief: true},
	{name: "any 60s", window: 60, sliding: true},
	{name: "bucket of tokens", tokens: true, brief: true, over: true},
	{name: "tokens, windows of 10s", window: 10, tokens: true, brief: true},
	{name: "tokens, windows of 60s", window: 60, tokens: true},
	{name: "tokens, any 10s", window: 10, sliding: true, tokens: true},
}

// meanTokens is how many a request has.
const meanTokens = 300

// limited is a lab of accounts with limits of one regime, drawn, at a share of what
// they take; with faults six more are in trouble.
func limited(s *regime, tells string, of float64, faults bool, seed uint64) *Lab {
	rng := rand.New(rand.NewPCG(seed, 77))
	length := max(15*time.Second, seconds(4*s.window))
	var as []Account
	capacity := 0.0 // requests
	add := func(a Account) {
		a.Name, a.Tells = fmt.Sprintf("account-%02d", len(as)), tells
		as = append(as, a)
		if a.Revoked {
			return
		}
		v := newVendor(&a)
		n := v.requests.rate*length.Seconds() + v.tokens.rate/meanTokens*length.Seconds()
		if v.requests.window == 0 {
			n += v.requests.size
		}
		if v.tokens.window == 0 {
			n += v.tokens.size / meanTokens
		}
		if a.Quota > 0 {
			n = min(n, float64(a.Quota))
		}
		capacity += n
	}
	n := 8
	if faults {
		n = 5 + rng.IntN(3)
	}
	for range n {
		rate := 3 + rng.Float64()*9
		a := Account{LatencyMS: 20 + rng.Float64()*80, Window: s.window, Sliding: s.sliding}
		if s.tokens {
			a.TPM = rate * 60 * meanTokens
		} else {
			a.RPM, a.Burst = rate*60, float64(2+rng.IntN(8))
		}
		add(a)
	}
	if faults {
		add(Account{RPM: 600, Burst: 5, Quota: 10 + rng.IntN(20), LatencyMS: 40})
		add(Account{RPM: 600, Burst: 5, Quota: 10 + rng.IntN(20), LatencyMS: 40})
		add(Account{Revoked: true})
		add(Account{Revoked: true})
		add(Account{RPM: 180 + 240*rng.Float64(), Burst: 4, Busy: 0.5, LatencyMS: 40})
		add(Account{RPM: 180 + 240*rng.Float64(), Burst: 4, LatencyMS: 400})
	}
	load := Load{Rate: capacity / length.Seconds() * of, Length: length, Conversations: 30 + rng.IntN(90), Tokens: meanTokens, Keys: 1}
	return &Lab{Accounts: as, Requests: load.Requests(seed), MaxWait: 8 * time.Second, Attempts: 4, Seed: seed}
}

// TestLimits holds cache_first against what is asked of the pool, whatever the
// limits of its accounts are and however their refusals tell of waits.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name         string
		of           float64
		faults       bool
		good, wasted float64
		home         float64       // 0: not asked for
		p99          time.Duration // 0: not asked for
	}{
		{"at 85 %", 0.85, false, 0.99, 0.05, 0.85, 1500 * time.Millisecond},
		{"with faults", 0.85, true, 0.97, 0.10, 0.80, 0},
		{"at 150 %", 1.5, false, 0.93, 0.30, 0, 0},
	} {
		t.Logf("%-11s  asked for: goodput ≥ %.2f, refused ≤ %.2f, at home ≥ %.2f, p99 ≤ %s; 0 is not", tt.name, tt.good, tt.wasted, tt.home, tt.p99)
		for i := range regimes {
			s := &regimes[i]
			for _, tells := range []string{"exact", "headers", "seconds", "silent"} {
				few := s.brief && (tells == "exact" || tells == "silent" && !tt.faults) && (tt.of < 1 || s.over && tells == "exact")
				if !*all && !few {
					continue
				}
				good, wasted, home, p99 := 10.0, 0.0, 1.0, time.Duration(0)
				for seed := range *seeds {
					r := run(t, limited(s, tells, tt.of, tt.faults, uint64(seed+1)), "cache_first")
					good, wasted, home, p99 = min(good, r.Goodput), max(wasted, r.Wasted), min(home, r.Locality), max(p99, r.TookP99)
				}
				line := fmt.Sprintf("%-11s  %-22s  %-7s  goodput %.3f, refused %.3f, at home %.3f, p99 %.2fs", tt.name, s.name, tells, good, wasted, home, p99.Seconds())
				if good < tt.good || wasted > tt.wasted || home < tt.home || tt.p99 > 0 && p99 > tt.p99 {
					t.Errorf("%s: it is not as good as asked for", line)
				} else {
					t.Log(line)
				}
			}
		}
	}
}
