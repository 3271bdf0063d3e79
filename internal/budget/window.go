package budget

import "time"

// A window is a day or a month of a budget.
type window struct {
	id          uint64 // tells it from others of its meter
	end         int64  // in Unix seconds
	spent, held Amount
}

// settle counts used and gives most back, if they are of this window.
func (w *window) settle(id uint64, most, used Amount) {
	if w.id == id {
		w.held = w.held.minus(most)
		w.spent = w.spent.plus(used)
	}
}

// DayOf returns when the day that t is in begins and ends in zone; nil is UTC.
// A day in which a clock is changed has 23 or 25 hours.
func DayOf(t time.Time, zone *time.Location) (begin, end time.Time) {
	y, m, d := in(t, zone).Date()
	return midnight(y, m, d, zone), midnight(y, m, d+1, zone)
}

// MonthOf returns when the month that t is in begins and ends in zone.
func MonthOf(t time.Time, zone *time.Location) (begin, end time.Time) {
	y, m, _ := in(t, zone).Date()
	return midnight(y, m, 1, zone), midnight(y, m+1, 1, zone)
}

func in(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone)
}

// midnight is when a date begins. Where clocks are put forward at midnight
// there is none, and the date begins an hour later.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC); t.Day() != want.Day() {
		t = time.Date(y, m, d, 1, 0, 0, 0, zone)
	}
	return t
}

// A bucket is what is left of a minute's allowance; it refills with time. It
// stores when it will be full again, so that the zero value is full.
type bucket struct{ full time.Time }

// maxDebt bounds how long anybody waits for a minute's allowance.
const maxDebt = 24 * time.Hour

// worth is how long it takes for n of limit a minute to come back.
func worth(n, limit int64) time.Duration {
	d := float64(n) / float64(limit) * float64(time.Minute)
	return time.Duration(min(max(d, -float64(maxDebt)), float64(maxDebt)))
}

// wait is how long it takes until n of limit a minute may be taken, 0 if they
// may be now.
func (b *bucket) wait(now time.Time, limit, n int64) time.Duration {
	if limit <= 0 {
		return 0
	}
	return max(0, b.missing(now)+worth(n, limit)-time.Minute)
}

// missing is for how long b fills until it is full. More than it can be is a
// clock that was put back, and then it is full.
func (b *bucket) missing(now time.Time) time.Duration {
	if d := b.full.Sub(now); d > 0 && d <= maxDebt {
		return d
	}
	return 0
}

// take takes n, which may be more than there are, or less than 0: then they
// come back.
func (b *bucket) take(now time.Time, limit, n int64) {
	if limit <= 0 {
		return
	}
	b.full = now.Add(b.missing(now) + worth(n, limit))
	if latest := now.Add(maxDebt); b.full.After(latest) {
		b.full = latest
	}
}
