package pace

import "time"

// lengths are the windows whose length their names tell. Those of Codex depend
// on the plan.
var lengths = map[string]time.Duration{"5h": 5 * time.Hour, "7d": 7 * 24 * time.Hour}

// Holds reports whether what a says still holds at now. After its window has
// ended nobody knows what is left until the vendor says it again.
func (a Allowance) Holds(now time.Time) bool {
	if a.Resets.IsZero() {
		age := now.Sub(a.Told)
		return age < fresh && age > -fresh // or the clock was put back
	}
	return now.Before(a.Resets) && a.Resets.Sub(now) <= month
}

// RunsDry is when nothing of a will be left if it is used on as fast as in its
// window so far. It reports false if it will last to the window's end, or if
// too little is known: the window's length, or a twentieth of it having passed.
func (a Allowance) RunsDry(now time.Time) (at time.Time, dry bool) {
	length := lengths[a.Window]
	passed := length - a.Resets.Sub(now)
	if length == 0 || a.Resets.IsZero() || a.Left == Unknown || !a.Holds(now) || passed < length/20 || a.Left >= 1 {
		return time.Time{}, false
	}
	rest := time.Duration(a.Left / (1 - a.Left) * float64(passed))
	if rest < 0 || rest >= a.Resets.Sub(now) {
		return time.Time{}, false
	}
	return now.Add(rest), true
}
