package pace

import "time"

// span is how many seconds a Window counts: a minute, and the second that is
// under way.
const span = 61

// A Window admits at most so many units in any minute, however they fall. It
// is what an operator means by a limit, whatever form the vendor's has. It
// errs by up to a second on the late side.
type Window struct {
	Limit  int64
	second int64 // the newest that is counted
	sum    int64
	counts [span]int64
}

func (w *Window) roll(now Moment) int64 {
	s := int64(now / time.Second)
	switch passed := s - w.second; {
	case passed >= span:
		w.sum, w.counts = 0, [span]int64{}
		w.second = s
	case passed > 0:
		for range passed {
			w.second++
			i := w.second % span
			w.sum -= w.counts[i]
			w.counts[i] = 0
		}
	}
	return w.second % span
}

// Add counts n units at now; a negative n takes back what was counted too
// much.
func (w *Window) Add(now Moment, n int64) {
	i := w.roll(now)
	n = max(n, -w.sum)
	w.counts[i] += n
	w.sum += n
}

// Free is the moment from which n more units can be taken, 0 if that is now.
// More than the limit is admitted alone.
func (w *Window) Free(now Moment, n int64) Moment {
	w.roll(now)
	over := w.sum + min(n, w.Limit) - w.Limit
	if over <= 0 {
		return 0
	}
	for i := range int64(span) {
		s := w.second - span + 1 + i
		if over -= w.counts[((s%span)+span)%span]; over <= 0 {
			return Moment(s+span) * time.Second
		}
	}
	return now + time.Minute // counts that were taken back leave this behind
}
