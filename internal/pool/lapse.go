package pool

import (
	"time"

	"portico/internal/pace"
	"portico/internal/schedule"
)

// curious is after how long without a request an account of which no allowance
// is known may have been given one.
const curious = 10 * time.Minute

// lapses notes in c what is left of x that lapses, and when. An account has
// only what is left of each of its windows: if one is used up, nothing is.
func (x *slot) lapses(c *schedule.Candidate, m *moments) {
	told, asked := x.state.allowances.Load(), x.state.purse.Load()
	if told == nil && asked == nil {
		c.Blank = c.Last == 0 || m.at-c.Last > curious
		return
	}
	known, ended, spent := false, false, false
	for _, from := range [...]*[]pace.Allowance{told, asked} {
		if from == nil {
			continue
		}
		for i := range *from {
			a := &(*from)[i]
			d := a.Resets.Sub(m.time)
			switch {
			case a.Resets.IsZero() || a.Left == pace.Unknown: // it does not lapse, or is no share
			case !a.Holds(m.time):
				ended = ended || c.Last < m.at+d // it was not asked since
			case a.Left <= 0:
				spent = true
			case !known || d < c.Lapses:
				known = true
				c.Left, c.Lapses = a.Left, d
			}
		}
	}
	switch {
	case spent:
		c.Left, c.Lapses = 0, 0
	case !known:
		c.Blank = ended || c.Last == 0 || m.at-c.Last > curious
	}
}
