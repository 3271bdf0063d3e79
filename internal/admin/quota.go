package admin

import (
	"time"

	"portico/internal/pool"
)

// A Quota is how much an account may still use in a window of hours or days,
// as its vendor told it last.
type Quota struct {
	Window      string    `json:"window" doc:"As the vendor names it: 5h, 7d, primary, secondary."`
	LeftPercent float64   `json:"left_percent" minimum:"0" maximum:"100"`
	Resets      time.Time `json:"resets" doc:"When all of it is there again."`
	RunsDry     time.Time `json:"runs_dry,omitzero" doc:"When nothing will be left if it is used on as fast as in its window so far; absent if it will last, or too little is known."`
}

// quota is what is known of v's quotas at now. What is not known is absent,
// which is not the same as all being left.
func quota(v *pool.View, now time.Time) (out []Quota) {
	for _, a := range v.Left {
		if !a.Holds(now) {
			continue
		}
		q := Quota{Window: a.Window, LeftPercent: float64(int(a.Left*1000+0.5)) / 10, Resets: a.Resets}
		if at, dry := a.RunsDry(now); dry {
			q.RunsDry = at
		}
		out = append(out, q)
	}
	return out
}
