package pace

import "time"

// A Learned limit is what an account's refusals say of how many units it
// takes. Until the first one it admits everything.
//
// The vendor is taken to keep a bucket. A refusal is the one moment at which
// the gateway knows what is in it: less than was asked for, and one unit at
// the moment that the vendor names. Between two such moments just as much went
// out as came back, which is the rate, however large the bucket is. After a
// refusal that much is sent and, where it is all that holds requests back, a
// little more is tried, ever more rarely while that fails.
//
// A vendor that asks to wait for far longer than one unit takes has no bucket
// that drips but a window that ends. Then what went through the last window
// may go through the next.
type Learned struct {
	bucket
	stretch         // since the last refusal
	before  stretch // the one that ended with it
	proven  float64 // so much went out at once and was not refused
	full    Moment  // when it was full last; 0: not in this stretch
	tested  Moment  // when more than is proven went out at once, 0: it did not
	more    trial   // of a larger bucket
	faster  trial   // of a higher rate
	good    float64 // the rate before the last one, 0: that was refused
}

// A stretch is a time of sending from a known level on.
type stretch struct {
	since Moment
	began float64 // the level that was counted on
	held  float64 // the level as likely as not, which may be more
	taken float64
}

// came is how many units a second came back until the level is the given one.
func (s *stretch) came(at Moment, level float64) float64 {
	return (s.taken - s.held + level) / (at - s.since).Seconds()
}

// atOnce reports whether all that the stretch began with may still have been
// the cause of a refusal at now.
func (s *stretch) atOnce(now Moment, rate float64) bool {
	return s.began >= 2 && s.taken > 0 && (now-s.since).Seconds()*rate < s.began
}

// A trial is of more than is known to be possible. It is made again after
// twice as long each time it fails, and with a larger step each time it does
// not.
type trial struct {
	every time.Duration
	next  Moment
	step  float64 // by which share it goes up
	tried bool    // since the last one that failed
}

const (
	// Until the first trial fails what is known is little more than a guess.
	guessTrial = time.Second
	guessStep  = 0.25
	firstTrial = 5 * time.Second
	lastTrial  = 2 * time.Minute
	firstStep  = 0.05
)

// due reports whether the next trial is due, and of how much.
func (t *trial) due(now Moment) (step float64, ok bool) {
	switch {
	case t.every == 0:
		t.every, t.step, t.next = guessTrial, guessStep, now+guessTrial
		return 0, false
	case now < t.next:
		return 0, false
	}
	if t.tried { // the one before did not fail
		t.every, t.step = max(t.every/2, min(t.every, firstTrial)), min(t.step*1.5, max(t.step, guessStep))
	}
	t.next, t.tried = now+t.every, true
	return t.step, true
}

// failed says that more than is possible was sent.
func (t *trial) failed(now Moment) {
	if t.tried || t.every < firstTrial {
		t.every = min(max(t.every*2, firstTrial), lastTrial)
	}
	t.next, t.step, t.tried = now+t.every, firstStep, false
}

// Known reports whether anything was learned.
func (l *Learned) Known() bool { return l.rate > 0 }

// Limit is what was learned: units a second, how many at once, and the length
// of the window if they come back at its end, else 0.
func (l *Learned) Limit() (rate, burst float64, window time.Duration) {
	return l.rate, l.burst, l.every
}

// Free is the moment from which cost can go out, 0 if that is now.
func (l *Learned) Free(now Moment, cost float64) Moment {
	if l.rate == 0 {
		return 0
	}
	return l.free(now, cost)
}

// Take counts cost as sent at now.
func (l *Learned) Take(now Moment, cost float64) {
	if l.rate == 0 {
		return
	}
	if l.every > 0 {
		l.takeOfWindow(now, cost)
		return
	}
	before := l.level + l.rate*max(now-l.at, 0).Seconds()
	l.fill(now)
	if l.tested > 0 && now-l.tested > time.Second {
		l.proven, l.tested = max(l.proven, l.burst), 0 // it was not refused
	}
	switch {
	case before > l.burst+overflow:
		// What was counted means little now, but a full bucket is a beginning
		// as good as an empty one.
		if _, ok := l.more.due(now); ok && l.burst <= l.proven {
			l.burst = min(l.proven+max(1, l.proven/4), max(1, l.rate*60))
		}
		l.stretch, l.full = stretch{now, l.level, l.level, 0}, now
	case l.level < cost*1.2:
		// It is all that holds the requests back.
		if step, ok := l.faster.due(now); ok {
			l.good = l.rate
			l.rate *= 1 + step
			l.stretch = stretch{now, l.level, l.level, 0}
		}
	}
	l.level -= cost
	l.taken += cost
	if l.burst > l.proven && l.full > 0 && l.atOnce(now, l.rate) && l.level < cost {
		l.tested = now
	}
}

// overflow is how much more than it holds must have come back for the bucket
// to count as full.
const overflow = 0.25

func (l *Learned) takeOfWindow(now Moment, cost float64) {
	spent := l.level < 1
	if at := l.at; l.fillWindow(now) && spent && l.at == at+l.every {
		// All of the last window was used, and there was more to send.
		if step, ok := l.faster.due(now); ok {
			more := max(1, l.burst*step)
			l.burst, l.level = l.burst+more, l.level+more
			l.rate = l.burst / l.every.Seconds()
		}
	}
	l.level -= cost
	l.taken += cost
}

func (l *Learned) fillWindow(now Moment) (next bool) {
	at := l.at
	l.fill(now)
	return l.at != at
}

// Back says that what Take counted did not reach the vendor, or was not
// counted there.
func (l *Learned) Back(cost float64) {
	if l.rate > 0 {
		l.level = min(l.level+cost, l.burst)
		l.taken -= cost
	}
}

// A Refusal is a request that the vendor did not take because of a limit.
type Refusal struct {
	Now   Moment
	Until Moment // from when on the next may go
	Named bool   // the vendor said so; false: it is a guess
	// Many: it was to take many units, so that the moment does not tell when
	// one of them is there, and the bucket may hold far more than what went
	// out in a second.
	Many bool
}

const (
	// longest is the longest wait of which a rate can be learned. A limit of
	// an hour or a day is waited for, and what is beyond is as fast as ever.
	longest = time.Minute
	// whole is the least wait, of those in whole seconds, that can be the end
	// of a window.
	whole = 1500 * time.Millisecond
)

func (r *Refusal) after() time.Duration { return r.Until - r.Now }

// exact reports whether r says when just one unit is there. A wait in whole
// seconds was rounded up.
func (r *Refusal) exact() bool { return r.Named && !r.Many && r.after()%time.Second != 0 }

// known is a moment at which r tells the level, and the level: one unit at its
// end, or else some part of one now.
func (r *Refusal) known() (at Moment, level float64) {
	if r.exact() {
		return r.Until, 1
	}
	return r.Now, 0.5
}

// Refused learns from r. What was refused was taken back before. past is what
// went out lately and was not refused.
func (l *Learned) Refused(r Refusal, past *Past) {
	switch {
	case r.Named && r.after() > longest:
	case l.rate == 0:
		l.begin(r, past)
	case r.Now < l.at:
		// One more of those that were under way when the pause began.
		l.at = max(l.at, r.Until)
	case l.every > 0:
		l.lessInWindow(r, past)
	default:
		l.less(r, past)
	}
}

// begin learns from the first refusal.
func (l *Learned) begin(r Refusal, past *Past) {
	n, over := past.Sum(r.Now, 10*time.Second)
	if n <= 0 {
		return // it took nothing at all, so that there is no rate
	}
	least := time.Second
	if r.exact() {
		least /= 4 // a rate that is too high is soon corrected
	}
	rate := n / max(over, least).Seconds()
	after := r.after()
	if r.Named && after.Seconds()*rate > 2 && (after > whole || r.exact()) {
		window := time.Second
		if after > window {
			window = time.Minute
		}
		n, _ = past.Sum(r.Now, window)
		l.window(r.Until, n, window)
		return
	}
	if r.exact() {
		rate = min(rate, 1/after.Seconds())
	}
	l.before = stretch{since: r.Now - over, taken: n}
	l.drip(r, rate, past)
}

// window takes the vendor to let n units through until the end of each window,
// the first of which begins at the given moment.
func (l *Learned) window(begins Moment, n float64, every time.Duration) {
	n = max(n, 1)
	l.bucket = bucket{rate: n / every.Seconds(), burst: n, every: every, level: n, at: begins}
	l.stretch = stretch{begins, n, n, 0}
}

// drip takes the vendor to have a bucket that was empty when it refused.
func (l *Learned) drip(r Refusal, rate float64, past *Past) {
	l.proven = max(1, past.depth(r.Now, rate))
	l.emptied(r, rate, l.proven)
}

// emptied begins a stretch with a bucket that has filled since r.Now.
func (l *Learned) emptied(r Refusal, rate, burst float64) {
	level, held := 1.0, 1.0
	if !r.exact() {
		back := max(1, rate*r.after().Seconds()) // if it holds as much
		level = min(back, burst)
		held = max(level, min((1+back)/2, level+2))
	}
	l.bucket = bucket{rate: rate, burst: burst, level: level, at: r.Until}
	l.full, l.tested = 0, 0
	l.stretch = stretch{r.Until, level, held, 0}
}

// less learns that the bucket held less than was thought.
func (l *Learned) less(r Refusal, past *Past) {
	least := 0.75
	switch {
	case l.atOnce(r.Now, l.rate):
		// A moment ago it is thought to have held more: it is smaller,
		// whatever its rate.
		l.more.failed(r.Now)
		l.proven = max(1, min(l.proven, l.began-1))
		l.before = l.stretch
		l.emptied(r, l.rate, l.proven)
		return
	case l.full > 0:
		least = 0.85
	case r.exact():
		least = 0.25
	}
	if l.taken <= 0 {
		if !r.Named && r.Until-l.since > 4*time.Second {
			// Pause after pause it takes nothing: it waits for a window's end.
			if n, _ := past.Sum(r.Now, time.Minute); n > 0 {
				l.window(r.Until, n, time.Minute)
				return
			}
		}
		l.stretch, least = l.before, 0.5 // it is the same pause
	}
	rate := l.rate * 0.97
	if at, level := r.known(); at > l.since {
		rate = min(rate, max(l.came(at, level)*0.99, l.rate*least, l.good))
	}
	l.good = 0
	l.faster.failed(r.Now)
	l.before = l.stretch
	l.drip(r, rate, past)
}

// lessInWindow learns that a window takes less than was thought, or is none.
func (l *Learned) lessInWindow(r Refusal, past *Past) {
	l.fill(r.Now)
	l.faster.failed(r.Now)
	switch took := l.burst - l.level; {
	case took <= 0:
		l.at = r.Until // it has not begun yet
	case took >= l.burst/2:
		l.window(r.Until, took, l.every)
	default:
		l.before = stretch{since: l.since, taken: l.taken}
		l.drip(r, min(l.rate, max(l.taken, 1)/(r.Until-l.since).Seconds()), past)
	}
}

// Resume takes over what was learned before a restart, as Limit told it. What
// the vendor's bucket holds now is not known, so that it begins with one unit.
func (l *Learned) Resume(now Moment, rate, burst float64, window time.Duration) {
	if !(rate > 0 && rate < 1e9 && burst >= 1 && burst < 1e12 && window >= 0 && window <= time.Hour) {
		return
	}
	*l = Learned{proven: burst, faster: trial{every: firstTrial, next: now + firstTrial, step: firstStep}}
	l.bucket = bucket{rate: rate, burst: burst, every: window, level: 1, at: now}
	l.stretch = stretch{now, 1, 1, 0}
}
