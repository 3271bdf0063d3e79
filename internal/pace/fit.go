package pace

import (
	"math"
	"time"
)

// A model is a meter and the most that it may show.
type model struct {
	meter
	most  float64
	shows float64 // what the meter shows at the moment of the fit
	right int     // how often it was right before
	off   float64 // how far it is from what was seen, in nats
	score float64 // how badly it fits on the whole, in nats: less is better
}

// windows are the lengths of windows that are thought possible, and how
// unusual each is, in nats.
var windows = [...]struct {
	length time.Duration
	odd    float64
}{
	{1 * time.Second, 0},
	{2 * time.Second, 0.7},
	{3 * time.Second, 1},
	{4 * time.Second, 1},
	{5 * time.Second, 0.3},
	{6 * time.Second, 1},
	{7 * time.Second, 1.2},
	{8 * time.Second, 1.2},
	{9 * time.Second, 1.2},
	{10 * time.Second, 0.2},
	{12 * time.Second, 1},
	{15 * time.Second, 0.7},
	{20 * time.Second, 0.8},
	{30 * time.Second, 0.8},
	{60 * time.Second, 0.6},
}

const (
	// usualDepth is what buckets hold most often, in requests.
	usualDepth = 4
	// usualFill is how many seconds most buckets need at most to be full.
	usualFill = 1.5
	// contradiction is how many nats it costs to be one request wrong about a
	// refusal.
	contradiction = 1.5
	// complicated is what a window has to explain better than a bucket does.
	complicated = 0.7
	// long is what a window of so many seconds costs where no wait is told, to
	// be multiplied by the logarithm.
	long = 0.3
	// farOff is how many requests are as wrong as any more.
	farOff = 4
	// oddity is what a refusal costs at whose end nothing would come back.
	oddity = 4
	// What is off by less than sound, in nats, explains what was seen; by more
	// than absurd, it does not at all.
	sound  = 0.5
	absurd = 4
	// habit is what it is worth each time that a model was right before, which
	// is settled when it was so often.
	habit   = 0.75
	settled = 4
)

// explain is fit, but was is kept as long as it explains what is seen, once it
// has been right some times. If nothing explains all, what was seen lately
// counts alone: the vendor may have changed its mind. fresh says that something
// was served since the last refusal, so that it is not the same pause.
func (h *History) explain(now Moment, was *model, rate float64, fresh bool) model {
	right := was.right
	if fresh {
		right++
	}
	if was.right >= settled {
		if m := h.try(was.meter, now, h.mean(now)); m.off < 3*sound && m.most < was.most*1.5 && m.most > was.most/1.5 {
			m.right = right
			return m
		}
	}
	m := h.fit(now, was, rate)
	for m.off > absurd && h.distrust() {
		m = h.fit(now, was, rate)
	}
	if m.like(&was.meter) > 0 && m.off < 3*sound {
		m.right = right
	}
	return m
}

// like is how much m counts as o does, from 0 to 1.
func (m *meter) like(o *meter) float64 {
	switch {
	case m.kind != o.kind || m.window != o.window:
		return 0
	case m.kind == dripping:
		return max(1-10*math.Abs(math.Log(m.rate/o.rate)), 0)
	}
	return 1
}

// mean is how many units a second went out, as far back as is known.
func (h *History) mean(now Moment) float64 {
	over := max((now - h.begun).Seconds(), 0.05)
	if len(h.sent) > 0 {
		over = min(over, max((now-h.sent[0].first).Seconds(), 0.05))
	}
	sum := 0.0
	for i := range h.sent {
		sum += h.sent[i].n
	}
	return sum / over
}

// fit finds what explains best what went out and what was refused: a bucket
// that drips, windows that slide, or windows that are fixed. There must have
// been a refusal. was is what was thought before, and rate that of a bucket that
// was thought of once, or 0.
//
// Each of them is a meter with a most that it may show. A request that was served
// proves that what it showed then is allowed, and a refusal that one more is
// not; if it tells a wait, also by how much. What contradicts that least is
// taken, and of those that contradict nothing what is usual.
func (h *History) fit(now Moment, was *model, rate float64) (best model) {
	drip := model{score: math.Inf(1)}
	best.score = drip.score
	// No rate is above what went out in the busiest second.
	var bs [maxRefusals]bound
	top, _ := h.read(&meter{kind: sliding, window: time.Second}, now, bs[:])
	mean := h.mean(now)
	top = max(top, mean)
	try := func(m meter, odd float64) {
		x := h.try(m, now, mean)
		x.score += odd
		if x.off < 3*sound {
			x.score -= m.like(&was.meter) * habit * min(float64(was.right), settled)
		}
		if x.score < best.score {
			best = x
		}
		if m.kind == dripping && x.score < drip.score {
			drip = x
		}
	}
	if was.kind != unknown {
		try(was.meter, 0)
	}
	if rate > 0 {
		try(meter{kind: dripping, rate: rate}, 0)
	}
	for r := mean / 8; r < top*1.1; r *= 1.08 {
		try(meter{kind: dripping, rate: r}, 0)
	}
	// As much goes out between two refusals as comes back.
	for i := 1; i < len(h.refused); i++ {
		a, b := h.refused[i-1].at, h.refused[i].at
		if d := (b - a).Seconds(); d > 0.5 {
			try(meter{kind: dripping, rate: h.between(a, b) / d}, 0)
		}
	}
	for _, step := range [...]float64{0.01, 0.002} {
		for r, i := drip.rate, -4.0; i <= 4; i++ {
			try(meter{kind: dripping, rate: r * (1 + i*step)}, 0)
		}
	}
	var phases [5]Moment
	begins := h.begins(phases[:0])
	for _, w := range windows {
		odd := complicated + w.odd
		if !h.refused[len(h.refused)-1].told() {
			odd += long * math.Log(min(w.length.Seconds(), 45)) // the shorter one is soon found to be too short
		}
		try(meter{kind: sliding, window: w.length}, odd)
		for _, at := range begins {
			try(meter{kind: fixed, window: w.length, phase: at}, odd)
		}
	}
	return best
}

// begins appends to dst when windows may have begun: when the last refusal says
// so; if that is not exact, when the others say so at the earliest, since most
// are refused when a window is nearly over; or when the first request was
// served after a refusal.
func (h *History) begins(dst []Moment) []Moment {
	j := len(h.sent)
	for i := len(h.refused) - 1; i >= 0 && len(dst) < cap(dst); i-- {
		r := &h.refused[i]
		if r.exact() {
			return append(dst, r.till)
		}
		if r.told() {
			if len(dst) == 0 {
				dst = append(dst, r.till)
			}
			dst = append(dst, r.from+blur)
			continue
		}
		for j > 0 && h.sent[j-1].at > r.at {
			j--
		}
		if j < len(h.sent) && (len(dst) == 0 || dst[len(dst)-1] != h.sent[j].first) {
			dst = append(dst, h.sent[j].first)
		}
	}
	return dst
}

// try finds the most that m may show, and how well that explains h.
func (h *History) try(m meter, now Moment, mean float64) model {
	var bs [maxRefusals]bound
	n := len(h.refused)
	x := model{meter: m}
	proven, shows := h.read(&m, now, bs[:n])
	proven = max(proven, h.peak(&m))
	x.shows = shows
	// The newest refusal counts most.
	cost := func(most float64) (sum float64) {
		scale := h.unit + most/50
		off := func(d, free, scale float64) float64 { return min(max(d-free, 0)/scale, farOff) }
		// Where a window begins is not known to the moment, so that what was
		// served proves a little less of it.
		dead, proof := h.unit/4, 0.6
		if m.kind == dripping {
			dead, proof = h.unit/4*(1+h.unit/most), 1
		}
		weight := 1.0
		for i := n - 1; i >= 0; i-- {
			if bs[i].vague {
				continue
			}
			d := max(bs[i].low-most, most-bs[i].high)
			if m.kind == dripping && h.refused[i].exact() {
				sum += weight * off(d, h.unit/20, h.unit/2)
			} else {
				sum += weight * off(d, dead, scale)
			}
			weight *= 0.85
		}
		return sum + proof*min(max(proven-most-dead, 0)/scale, 2*farOff)
	}
	least := math.Inf(1)
	x.most = h.unit
	consider := func(most float64) {
		most = max(most, h.unit)
		// Of those that are as good, a bucket is rather small than large.
		if c := cost(most); c < least-1e-9 || c < least+1e-9 && (most < x.most) == (m.kind == dripping) {
			least, x.most = c, most
		}
	}
	consider(proven)
	for _, b := range bs[:n] {
		if b.vague {
			continue
		}
		consider(b.low)
		consider(b.high)
		consider((b.low + b.high) / 2)
	}
	x.off = contradiction * least
	for i, b := range bs[:n] {
		if b.odd && !b.vague {
			x.off += oddity
		}
		// How likely is just this wait?
		w := 0.0
		switch r := &h.refused[i]; {
		case !r.told() || b.odd:
		case m.kind == dripping && r.exact():
			w = -math.Log(min(m.rate, mean/2) / h.unit)
		case m.kind == sliding && r.exact():
			w = -math.Log(mean / 2 / h.unit)
		case m.kind == fixed:
			w = math.Log(m.window.Seconds())
		}
		x.score += w / 2
	}
	if m.kind == dripping {
		deep := math.Log(max(x.most/h.unit, 0.1) / usualDepth)
		slow := max(math.Log(x.most/m.rate/usualFill), 0)
		less := max(math.Log(mean/2/m.rate), 0) // than half of what went out
		x.score += deep*deep/8 + slow*slow/5 + less*0.75 + math.Log(float64(n))/2
	}
	x.score += x.off
	return x
}
