// Package pace says when the next request may go to an account that takes only
// so many: by the operator's word ([Window]), by the vendor's ([Told]), or by
// what its refusals teach ([Learned]).
//
// It is arithmetic on moments. It holds no clock and no lock; whoever uses a
// value from several goroutines guards it.
package pace

import "time"

// A Moment is a time on a clock that never jumps, counted from an epoch of the
// caller's. The epoch itself, 0, stands for "now" where a wait is asked for.
type Moment = time.Duration

// A bucket holds units that requests take and time brings back: drop by drop,
// or whole at the end of every window.
type bucket struct {
	rate  float64       // units that come back in a second
	burst float64       // what it holds at most
	every time.Duration // it is full again after this long; 0: it fills drop by drop
	level float64       // what it held at the moment at
	at    Moment        // may lie ahead: until then nothing comes back
}

// fill brings the bucket to now.
func (b *bucket) fill(now Moment) {
	switch {
	case now <= b.at:
	case b.every > 0:
		if n := (now - b.at) / b.every; n > 0 {
			b.level, b.at = b.burst, b.at+n*b.every
		}
	default:
		b.level = min(b.burst, b.level+b.rate*(now-b.at).Seconds())
		b.at = now
	}
}

// free is the moment from which cost can be taken, 0 if that is now. What is
// larger than the bucket is taken once it is full.
func (b *bucket) free(now Moment, cost float64) Moment {
	b.fill(now)
	cost = min(cost, b.burst)
	from := max(now, b.at)
	switch missing := cost - b.level; {
	case missing <= slack && now >= b.at:
		return 0
	case missing <= slack:
		return b.at
	case b.every > 0:
		return b.at + b.every
	default:
		return from + max(seconds(missing/b.rate), time.Microsecond)
	}
}

// slack is how much may be missing, so that a moment that was rounded to the
// nanosecond is late enough.
const slack = 1e-6

// maxPause bounds what a rate may ask to wait.
const maxPause = 24 * time.Hour

func seconds(s float64) time.Duration {
	if s >= maxPause.Seconds() {
		return maxPause
	}
	return time.Duration(s * float64(time.Second))
}
