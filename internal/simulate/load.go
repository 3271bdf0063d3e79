package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// A Load describes requests that come by chance, as many in one stretch as in
// another, each a turn of one of some conversations.
type Load struct {
	Rate          float64 // requests a second
	Length        time.Duration
	Conversations int   // at least 1
	Tokens        int64 // that a request uses on average; from half to one and a half of it
	Keys          int   // how many clients they come from, at least 1
}

// Requests are those of l. The same seed gives the same; they are no more than
// a lab takes.
func (l *Load) Requests(seed uint64) (out []Request) {
	chance := rand.New(rand.NewPCG(seed, 0))
	for at := time.Duration(0); len(out) < MaxRequests; {
		if at += time.Duration(chance.ExpFloat64() / l.Rate * float64(time.Second)); at >= l.Length || at < 0 {
			break
		}
		session := chance.IntN(max(l.Conversations, 1))
		out = append(out, Request{
			At: at, Session: uint64(session) + 1, Tokens: int64(float64(l.Tokens) * (0.5 + chance.Float64())),
			Key: string(rune('a' + session%max(min(l.Keys, 26), 1))),
		})
	}
	return out
}

// Capacity is how many requests a second of so many tokens the accounts take
// together in the long run, quotas left aside; 0: one of them has no limit.
func Capacity(accounts []Account, tokens int64) (sum float64) {
	for i := range accounts {
		a := &accounts[i]
		if a.Revoked {
			continue
		}
		n := math.Inf(1)
		if a.RPM > 0 {
			n = a.RPM / 60
		}
		if a.TPM > 0 {
			n = math.Min(n, a.TPM/60/float64(max(tokens, 1)))
		}
		if a.Concurrency > 0 {
			n = math.Min(n, float64(a.Concurrency)/newVendor(a).latency().Seconds())
		}
		if math.IsInf(n, 1) {
			return 0
		}
		sum += n
	}
	return sum
}

// Some are n accounts of limits that are drawn, around rpm requests a minute
// each. With faults the last of them are in trouble: two quotas run dry, one
// key is revoked, one is too busy for half of its requests, one is slow, and
// one is out of order for a while.
func Some(n int, rpm float64, length time.Duration, faults bool, seed uint64) []Account {
	chance := rand.New(rand.NewPCG(seed, 3))
	out := make([]Account, n)
	for i := range out {
		a := &out[i]
		*a = Account{
			Name: "account-" + string([]byte{'0' + byte(i/100%10), '0' + byte(i/10%10), '0' + byte(i%10)}),
			RPM:  math.Round(rpm * (0.4 + 1.2*chance.Float64())), LatencyMS: math.Round(300 + 600*chance.Float64()), Price: 3,
		}
		a.Burst = math.Max(2, math.Round(a.RPM/30))
		if !faults {
			continue
		}
		switch i - max(n-6, 0) {
		case 0, 1:
			a.Quota = int(a.RPM / 60 * length.Seconds() / 3)
		case 2:
			a.Revoked = true
		case 3:
			a.Busy = 0.5
		case 4:
			a.LatencyMS *= 5
		case 5:
			a.DownFromS, a.DownForS = length.Seconds()/3, length.Seconds()/6
		}
	}
	return out
}
