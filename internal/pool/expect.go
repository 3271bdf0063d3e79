package pool

import (
	"math"
	"slices"
	"time"

	"portico/internal/pace"
)

// expect is the moment at which w would be served if it waited now, behind
// those whose turn is before its own; false if that cannot be told.
func (q *queue) expect(r *roster, w *Want, m *moments) (pace.Moment, bool) {
	ahead, mine := 0, 0
	for _, l := range q.lines {
		if l.key == w.Key {
			mine = w.behind(l.waiters)
		}
	}
	for _, l := range q.lines {
		if l.key == w.Key {
			ahead += mine
		} else {
			ahead += min(len(l.waiters), mine+1)
		}
	}
	var fs []flow
	for i := range r.slots {
		x := &r.slots[i]
		if f, ok := x.flow(m); ok && !w.skips(x.e) {
			fs = append(fs, f)
		}
	}
	at, ok := served(fs, float64(ahead+1))
	if lasted := m.at - q.since; ok && ahead > 0 && lasted > halfLife/2 {
		// As fast as it went lately: accounts that pause and fail are slower
		// than they promise.
		rate := q.left.level(m.at) * math.Ln2 / halfLife.Seconds() / (1 - half(lasted.Seconds()/halfLife.Seconds()))
		at = max(at, m.at+time.Duration(min(float64(ahead)/max(rate, 1e-3), 3600)*float64(time.Second)))
	}
	return at, ok
}

// A flow is when an account takes its next request, and how many a second
// after that.
type flow struct {
	from pace.Moment
	rate float64
}

// fast is the rate of an account of which no limit is known.
const fast = 1000

func (x *slot) flow(m *moments) (f flow, ok bool) {
	d, ok := x.wait(m, 0)
	if !ok {
		return f, false
	}
	f = flow{m.at + d, fast}
	if n := x.limit(); n > 0 {
		if took := x.e.took.get(); took > 0 {
			f.rate = min(f.rate, float64(n)*float64(time.Second)/float64(took))
		}
	}
	if r := x.e.gate.rate(); r > 0 {
		f.rate = min(f.rate, r)
	}
	if s := x.s.Load(); s != nil {
		if r := s.gate.rate(); r > 0 {
			f.rate = min(f.rate, r)
		}
	}
	return f, true
}

// served is the moment at which fs have taken n requests.
func served(fs []flow, n float64) (pace.Moment, bool) {
	if len(fs) == 0 {
		return 0, false
	}
	by := func(at pace.Moment) (sum float64) {
		for _, f := range fs {
			if at >= f.from {
				sum += 1 + f.rate*(at-f.from).Seconds()
			}
		}
		return sum
	}
	low := slices.MinFunc(fs, func(a, b flow) int { return int(a.from - b.from) }).from
	if by(low) >= n {
		return low, true
	}
	step := time.Second
	for by(low+step) < n && step < 48*time.Hour {
		step *= 2
	}
	high := low + step
	for range 24 {
		if mid := (low + high) / 2; by(mid) >= n {
			high = mid
		} else {
			low = mid
		}
	}
	return high, true
}
