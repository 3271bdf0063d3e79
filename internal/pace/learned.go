package pace

import (
	"slices"
	"time"
)

// A Learned limit is what an account's refusals say of how many units it
// takes. Until the first one it admits everything.
//
// What is learned is the model that explains best what went out and what was
// refused (see fit): a bucket, or windows. What it allows is sent and, where it
// is all that holds requests back, a little more is tried, ever more rarely
// while that fails.
type Learned struct {
	model  model
	bucket        // of a model that drips
	shut   Moment // until then nothing goes out: the vendor said so
	probe  Moment // from then on one goes out whatever the model says; 0: none
	pause  time.Duration
	heard  Moment // when the last refusal came
	// unsure says that it is not known well enough when windows begin: what
	// goes through any of their length is the same.
	unsure bool
	doubt  bool // whether what goes out next will be refused as well
	faster trial
}

// A trial is of more than is known to be possible. It is made again after
// twice as long each time it fails, and sooner and with a larger step each time
// it does not: what was learned is then far too little.
type trial struct {
	every time.Duration
	next  Moment
	step  float64 // by which share it goes up
	tried bool    // since the last one that failed
	held  int     // how many requests it held back since the last one
}

const (
	// Until the first trial fails what is known is little more than a guess.
	guessTrial = time.Second
	guessStep  = 0.25
	firstTrial = 5 * time.Second
	lastTrial  = 2 * time.Minute
	firstStep  = 0.05
	// The trial after one that is passed goes up by twice as much, but by no
	// more than this.
	boldStep = 0.5
)

// due reports whether the next trial is due, and of how much. It is asked for
// each request that is held back. depth is how many requests more than is
// possible the vendor lets through before it refuses one: a trial that sent as
// many more than was known to be possible is passed. In a window that is seen at
// its end.
func (t *trial) due(now Moment, window time.Duration, depth float64) (step float64, ok bool) {
	t.held++
	switch {
	case t.every == 0:
		t.every, t.step, t.next = guessTrial, guessStep, now+guessTrial
		return 0, false
	case now < t.next:
		return 0, false
	}
	switch {
	case !t.tried:
	case float64(t.held)*t.step/(1+t.step) > depth:
		t.every, t.step = max(t.every/2, guessTrial, window), min(t.step*2, boldStep)
	default: // it did not fail
		t.every, t.step = max(t.every/2, min(t.every, firstTrial)), min(t.step*1.5, max(t.step, guessStep))
	}
	t.next, t.tried, t.held = now+t.every, true, 0
	return t.step, true
}

// failed says that more than is possible was sent. In a window one can only
// fail at its end.
func (t *trial) failed(now Moment, window time.Duration) {
	if t.tried || t.every < firstTrial {
		t.every = min(max(t.every*2, firstTrial, 2*window), max(lastTrial, 8*window))
	}
	t.next, t.step, t.tried = now+t.every, firstStep, false
}

// Known reports whether anything was learned.
func (l *Learned) Known() bool { return l.model.kind != unknown }

// Limit is what was learned: units a second, how many at once, and the length
// of the window, or 0 if they come back drop by drop.
func (l *Learned) Limit() (rate, burst float64, window time.Duration) {
	if m := &l.model; m.window > 0 {
		return m.most / m.window.Seconds(), m.most, m.window
	}
	return l.rate, l.burst, 0
}

// Free is the moment from which cost can go out, 0 if that is now. past is
// what went out.
func (l *Learned) Free(now Moment, cost float64, past *History) Moment {
	var at Moment
	switch m := &l.model; m.kind {
	case dripping:
		at = l.free(now, cost)
	case sliding:
		at = past.leaves(m, cost)
	case fixed:
		if l.unsure {
			at = past.leaves(m, cost)
			break
		}
		if n := m.number(now); past.since(m.phase+time.Duration(n)*m.window)+min(cost, m.most) > m.most+slack {
			at = m.phase + time.Duration(n+1)*m.window
		}
	}
	if l.probe > 0 && at > l.probe {
		at = l.probe
	}
	if at = max(at, l.shut); at <= now {
		return 0
	}
	return at
}

// leaves is when enough has left a sliding window for cost, perhaps in the past.
func (h *History) leaves(m *model, cost float64) Moment {
	room := m.most - min(cost, m.most) + slack
	for _, p := range slices.Backward(h.sent) {
		if room -= p.n; room < 0 {
			return p.at + m.window + blur
		}
	}
	return 0
}

// Take counts cost as sent at now, which past does not yet hold.
func (l *Learned) Take(now Moment, cost float64, past *History) {
	m := &l.model
	var room float64
	switch m.kind {
	case unknown:
		return
	case dripping:
		l.fill(now)
		l.level -= cost
		room = l.level
	case sliding, fixed:
		begun := now - m.window + 1
		if m.kind == fixed && !l.unsure {
			begun = m.phase + time.Duration(m.number(now))*m.window
		}
		room = m.most - past.since(begun) - cost
	}
	if l.doubt {
		l.doubt, l.shut, l.probe = false, now+leastPause, 0
	}
	if room >= cost || m.kind == dripping && room > cost/5 {
		return
	}
	// It is all that holds the requests back.
	if step, ok := l.faster.due(now, m.window, m.most/past.unit+1); ok {
		if m.kind == dripping {
			l.rate *= 1 + step
		} else {
			m.most += max(past.unit, m.most*step)
		}
	}
}

// Back says that what Take counted did not reach the vendor, or was not
// counted there.
func (l *Learned) Back(cost float64) {
	if l.model.kind == dripping {
		l.level = min(l.level+cost, l.burst)
	}
}

// A Refusal is a request that the vendor did not take because of a limit.
type Refusal struct {
	Sent  Moment        // when it went out
	Now   Moment        // when it came back
	After time.Duration // from when on the vendor says the next may go; 0: it does not say
	Cost  float64       // units that it was to take
}

// longest is the longest wait of which a rate can be learned. A limit of an
// hour or a day is waited for, and what is beyond is as fast as ever.
const longest = time.Minute

// The pauses that are guessed where a vendor does not name them.
const (
	leastPause = 100 * time.Millisecond
	mostPause  = 2 * time.Second
	lastPause  = 30 * time.Second
)

// Refused learns from r. What was refused was taken back before. past is what
// went out and was not refused.
func (l *Learned) Refused(r Refusal, past *History) {
	if n, _ := past.Sum(r.Now, 10*time.Second); r.After > longest || !l.Known() && n == 0 {
		return // it took nothing at all, so that there is nothing to learn
	}
	seen := refusal{at: r.Sent, cost: r.Cost}
	if r.After > 0 {
		seen.from, seen.till = r.Sent+r.After-time.Millisecond, r.Now+r.After
		if r.After%time.Second == 0 {
			seen.from = r.Sent + r.After - time.Second
		}
		l.shut = max(l.shut, r.Now+r.After)
	}
	fresh := past.between(l.heard, r.Sent) > 0
	if fresh {
		l.pause = 0 // something was served since
	}
	past.refuse(seen)
	was := l.model
	l.learn(r.Now, past, &seen, fresh)
	if l.probe = 0; !seen.told() {
		if r.Sent > l.heard { // else it is the same pause
			l.pause = min(max(l.pause*2, l.breath(r.Now, past)), lastPause)
		}
		l.shut, l.probe, l.doubt = r.Now+l.pause, r.Now+l.pause, true
	}
	l.heard = r.Now
	if seen.exact() && l.model.kind == dripping {
		l.at, l.level = r.Now+r.After, min(r.Cost, l.burst)
	}
	switch {
	case was.kind == unknown:
		return
	case l.model.like(&was.meter) == 0:
		l.faster.every = min(l.faster.every, firstTrial)
	}
	if l.model.right < 2 && l.model.window == 0 && !l.faster.tried && !seen.exact() {
		// It is still little more than a guess, which may be far too little.
		l.faster = trial{every: guessTrial, next: r.Now + guessTrial, step: guessStep}
		return
	}
	l.faster.failed(r.Now, l.model.window)
}

// breath is the first pause after a refusal of a vendor who does not say how
// long it takes.
func (l *Learned) breath(now Moment, past *History) time.Duration {
	switch m := &l.model; {
	case m.window > 0 && m.right >= settled/2:
		return max(l.Free(now, past.unit, past)-now, leastPause) // it was right before
	case m.window > 0:
		return max(min(m.window, now-past.begun)/16, leastPause)
	}
	return min(max(seconds(1.2*past.unit/l.rate), leastPause), mostPause)
}

// learn takes over the model that fits best.
func (l *Learned) learn(now Moment, past *History, r *refusal, fresh bool) {
	was := l.model.kind
	m := past.explain(now, &l.model, l.rate, fresh)
	if m.off > absurd {
		// Nothing explains it: a little less of what was thought.
		l.model.most, l.rate, l.faster = max(l.model.most*0.9, past.unit), l.rate*0.9, trial{}
		return
	}
	l.model = m
	l.unsure = !r.exact() && (!r.told() || m.window < 5*time.Second)
	if m.kind == dripping {
		burst, rate := max(m.most, past.unit), m.rate*0.99
		if was == dripping {
			less := 0.96
			if r.exact() {
				less = 0.98
			}
			rate = min(rate, l.rate*less)
		}
		l.bucket = bucket{rate: rate, burst: burst, level: min(max(m.most-m.shows, 0), r.cost/2), at: now}
	}
}

// Resume takes over what was learned before a restart, as Limit told it. What
// the vendor's bucket holds now is not known, so that it begins with one unit.
func (l *Learned) Resume(now Moment, rate, burst float64, window time.Duration) {
	if !(rate > 0 && rate < 1e9 && burst >= 1 && burst < 1e12 && window >= 0 && window <= time.Hour) {
		return
	}
	*l = Learned{faster: trial{every: firstTrial, next: now + firstTrial, step: firstStep}}
	l.model.kind, l.model.rate, l.model.most = dripping, rate, burst
	if window > 0 {
		l.model.meter = meter{kind: sliding, window: window}
	}
	l.bucket = bucket{rate: rate, burst: burst, level: min(1, burst), at: now}
}
