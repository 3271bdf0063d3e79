package admin

import (
	"time"

	"portico/internal/pace"
	"portico/internal/pool"
)

// A Quota is how much an account may still use in a window of hours or days, or
// of money, as its vendor told it last.
type Quota struct {
	Window      string    `json:"window" doc:"As the vendor names it: 5h, 7d, primary, secondary; credit is money."`
	LeftPercent *float64  `json:"left_percent,omitzero" minimum:"0" maximum:"100" doc:"Absent if only the amount is told: unknown is not 100."`
	Amount      *float64  `json:"amount,omitzero" doc:"What is left of money."`
	Currency    string    `json:"currency,omitzero" doc:"Of the amount."`
	Resets      time.Time `json:"resets,omitzero" doc:"When all of it is there again; absent if nobody knows, or that does not happen by itself."`
	Protected   bool      `json:"protected,omitzero" doc:"So little is left that the account is kept out of the choice, for some models at least."`
	RunsDry     time.Time `json:"runs_dry,omitzero" doc:"When nothing will be left if it is used on as fast as in its window so far; absent if it will last, or too little is known."`
}

// quota is what is known of v's quotas at now. What is not known is absent,
// which is not the same as all being left.
func quota(v *pool.View, now time.Time) (out []Quota) {
	for _, a := range v.Left {
		if !a.Holds(now) {
			continue
		}
		q := Quota{Window: a.Window, Resets: a.Resets, Currency: a.Currency, Protected: a.Short(v.Kept, now) || a.Poor(v.Money[a.Currency], now)}
		if a.Left != pace.Unknown {
			percent := float64(int(a.Left*1000+0.5)) / 10
			q.LeftPercent = &percent
		}
		if a.Currency != "" {
			q.Amount = &a.Amount
		}
		if at, dry := a.RunsDry(now); dry {
			q.RunsDry = at
		}
		out = append(out, q)
	}
	return out
}
