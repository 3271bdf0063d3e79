package simulate

import (
	"slices"
	"time"
)

// A Result is what came of a lab under one strategy.
type Result struct {
	Strategy string  `json:"strategy"`
	Offered  int     `json:"offered"`      // requests that came
	Oracle   int     `json:"oracle"`       // that somebody would serve who knows every limit
	Served   int     `json:"served"`       // that were served
	Goodput  float64 `json:"goodput"`      // Served of Oracle
	Refused  int     `json:"refused"`      // that were not
	Told     int     `json:"told"`         // of them, that were told when to come back
	Calls    int     `json:"calls"`        // to accounts
	Wasted   float64 `json:"wasted_share"` // share of calls that were refused
	Turns    int     `json:"turns"`        // requests that go on with a conversation
	AtHome   int     `json:"at_home"`      // of them, at the account of the turn before
	Locality float64 `json:"locality"`     // AtHome of Turns; 0 if there are none
	Tokens   int64   `json:"tokens"`
	CostUSD  float64 `json:"cost_usd"`     // by the accounts' prices, with a tenth for what is at home
	Lapsing  int     `json:"lapsing"`      // requests that quotas allowed in windows that ended before the last request came
	Lapsed   float64 `json:"lapsed_share"` // of them, that nobody used

	WaitMean time.Duration `json:"wait_mean_ns"` // from a request's coming to the call that serves it
	WaitP99  time.Duration `json:"wait_p99_ns"`
	TookP50  time.Duration `json:"took_p50_ns"` // to the end of its answer
	TookP99  time.Duration `json:"took_p99_ns"`

	Accounts []Share `json:"accounts"` // in the order in which they stand

	waits, took []time.Duration
}

// A Share is what one account did.
type Share struct {
	Name    string `json:"name"`
	Served  int    `json:"served"`
	Refused int    `json:"refused"` // calls
}

// sum works out what follows from what was counted at accounts.
func (r *Result) sum(l *Lab, vendors map[string]*vendor) {
	wasted, lapsed, end := 0, 0, l.Requests[len(l.Requests)-1].At
	for i := range l.Accounts {
		v := vendors[l.Accounts[i].Name]
		v.quota.roll(end)
		r.Lapsing += v.quota.lapsing
		lapsed += v.quota.lapsed
		r.Calls += v.calls
		wasted += v.refused
		r.Accounts = append(r.Accounts, Share{v.Name, v.served, v.refused})
	}
	r.Goodput = share(r.Served, r.Oracle)
	r.Wasted = share(wasted, r.Calls)
	r.Lapsed = share(lapsed, r.Lapsing)
	r.Locality = share(r.AtHome, r.Turns)
	var all time.Duration
	for _, d := range r.waits {
		all += d
	}
	r.WaitMean = all / time.Duration(max(len(r.waits), 1))
	r.WaitP99 = quantile(r.waits, .99)
	r.TookP50, r.TookP99 = quantile(r.took, .5), quantile(r.took, .99)
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

func quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[int(q*float64(len(ds)-1))]
}
