package pace

import "time"

// seen is how many seconds a Past remembers, the one under way included.
const seen = 64

// A Past remembers how many units went out in each of the last seconds.
type Past struct {
	begun  Moment // when the first unit went out, 0: none did yet
	second int64  // the newest that is counted
	counts [seen]float32
}

func (p *Past) roll(now Moment) {
	s := int64(now / time.Second)
	switch passed := s - p.second; {
	case passed >= seen:
		p.counts = [seen]float32{}
		p.second = s
	case passed > 0:
		for range passed {
			p.second++
			p.counts[p.second%seen] = 0
		}
	}
}

// Add counts n units at now; a negative n takes some back.
func (p *Past) Add(now Moment, n float64) {
	p.roll(now)
	if p.begun == 0 {
		p.begun = max(now, 1)
	}
	c := &p.counts[p.second%seen]
	if *c += float32(n); *c >= 0 || n >= 0 {
		return
	}
	// They went out in an earlier second.
	rest := *c
	*c = 0
	for s := p.second - 1; s > p.second-seen && s >= 0 && rest < 0; s-- {
		c := &p.counts[s%seen]
		if *c += rest; *c >= 0 {
			return
		}
		rest, *c = *c, 0
	}
}

// Sum is how many units went out within d before now, at most a minute, and
// in how much of that time there were any to count: less than d if the first
// one went out later.
func (p *Past) Sum(now Moment, d time.Duration) (n float64, over time.Duration) {
	p.roll(now)
	if p.begun == 0 {
		return 0, 0
	}
	d = min(d, (seen-4)*time.Second)
	over = min(d, max(now-p.begun, time.Millisecond))
	for s := p.second; s >= 0 && s > p.second-seen && Moment(s+1)*time.Second > now-d; s-- {
		n += float64(p.counts[s%seen])
	}
	return n, over
}

// recent is how many seconds depth looks back. Over a longer time a rate that
// is a little wrong adds up.
const recent = 5

// depth is how much a bucket that fills with rate must have held to let
// through what went out: at least this much, since within a second it is not
// known when.
func (p *Past) depth(now Moment, rate float64) float64 {
	p.roll(now)
	level, most := 0.0, 0.0
	for i := range int64(recent) {
		s := p.second - recent + 1 + i
		if s < int64(p.begun/time.Second) {
			continue
		}
		level = max(level+float64(p.counts[s%seen])-rate, 0)
		most = max(most, level)
	}
	return most
}
