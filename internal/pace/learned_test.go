package pace

import (
	"math"
	"math/rand"
	"testing"
	"time"
)

// A vendor refuses what is over its limit. wait is what it says, 0: nothing.
type vendor interface {
	take(now Moment, n float64) (ok bool, wait time.Duration)
}

// byDripping is a vendor with a token bucket.
type byDripping struct {
	rate, burst, level float64
	at                 Moment
}

func (v *byDripping) take(now Moment, n float64) (bool, time.Duration) {
	v.level = math.Min(v.burst, v.level+(now-v.at).Seconds()*v.rate)
	v.at = now
	if v.level >= n {
		v.level -= n
		return true, 0
	}
	return false, time.Duration((n-v.level)/v.rate*1e9) + time.Microsecond
}

// byFixed is a vendor with windows.
type byFixed struct {
	n, left float64
	window  time.Duration
	index   int64
}

func (v *byFixed) take(now Moment, n float64) (bool, time.Duration) {
	if i := int64(now/v.window) + 1; i != v.index {
		v.index, v.left = i, v.n
	}
	if v.left >= n {
		v.left -= n
		return true, 0
	}
	return false, Moment(v.index)*v.window - now
}

// bySliding is a vendor that takes n in any window.
type bySliding struct {
	n      int
	window time.Duration
	log    []Moment
}

func (v *bySliding) take(now Moment, n float64) (bool, time.Duration) {
	for len(v.log) > 0 && v.log[0] <= now-v.window {
		v.log = v.log[1:]
	}
	if len(v.log) < v.n {
		v.log = append(v.log, now)
		return true, 0
	}
	return false, v.log[0] + v.window - now
}

type outcome struct{ offered, served, refused, dropped int }

// drive offers Poisson load to v through a Learned limit; what waits longer
// than 8 s is dropped.
func drive(v vendor, hint func(time.Duration) time.Duration, rate float64, from, to time.Duration, seed int64) (o outcome, l *Learned) {
	rng := rand.New(rand.NewSource(seed))
	l = &Learned{}
	past := &History{}
	now := Moment(time.Second)
	var queue []Moment
	next := now
	count := func(p *int) {
		if now >= from {
			*p++
		}
	}
	for now < to {
		// Serve who waits.
		for len(queue) > 0 {
			if now-queue[0] > 8*time.Second {
				count(&o.dropped)
				queue = queue[1:]
				continue
			}
			if l.Free(now, 1, past) != 0 {
				break
			}
			l.Take(now, 1, past)
			past.Add(now, 1)
			ok, wait := v.take(now, 1)
			if ok {
				count(&o.served)
				queue = queue[1:]
				continue
			}
			count(&o.refused)
			l.Back(1)
			past.Back(now, 1)
			l.Refused(Refusal{Sent: now, Now: now, After: hint(wait), Cost: 1}, past)
		}
		t := next
		if len(queue) > 0 {
			f := l.Free(now, 1, past)
			if f > now {
				t = min(t, f, queue[0]+8*time.Second+1)
			}
		}
		if t >= next {
			now = next
			count(&o.offered)
			queue = append(queue, now)
			next += time.Duration(rng.ExpFloat64() / rate * 1e9)
			continue
		}
		now = max(t, now+1)
	}
	return o, l
}

func inMilliseconds(d time.Duration) time.Duration { return d + time.Millisecond }
func inSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1) / time.Second * time.Second
}
func unsaid(time.Duration) time.Duration { return 0 }

// TestLearned holds a limit that learns against vendors of every kind, with
// waits in milliseconds, in seconds, and none, below and above what they take.
// of is the share of what was possible that must be served, of the time after
// the first three minutes; at most one call in most may be refused.
func TestLearned(t *testing.T) {
	for _, v := range []struct {
		name string
		make func() vendor
		rate float64
		of   [3]float64 // by hint
		most int
	}{
		{"5 a second, 4 at once", func() vendor { return &byDripping{rate: 5, burst: 4, level: 4} }, 5, [3]float64{0.97, 0.97, 0.96}, 100},
		{"1 a second, 60 at once", func() vendor { return &byDripping{rate: 1, burst: 60, level: 60} }, 1, [3]float64{0.98, 0.98, 0.98}, 50},
		{"50 a second, 10 at once", func() vendor { return &byDripping{rate: 50, burst: 10, level: 10} }, 50, [3]float64{0.96, 0.95, 0.94}, 400},
		{"one in 20 seconds, 3 at once", func() vendor { return &byDripping{rate: .05, burst: 3, level: 3} }, .05, [3]float64{0.7, 0.75, 0.6}, 3},
		{"one in 2 seconds, 1 at once", func() vendor { return &byDripping{rate: .5, burst: 1, level: 1} }, .5, [3]float64{0.92, 0.91, 0.9}, 35},
		{"windows of 15 a minute", func() vendor { return &byFixed{n: 15, window: time.Minute} }, .25, [3]float64{0.98, 0.98, 0.92}, 60},
		{"windows of 60 a minute", func() vendor { return &byFixed{n: 60, window: time.Minute} }, 1, [3]float64{0.97, 0.97, 0.96}, 100},
		{"windows of 10 a second", func() vendor { return &byFixed{n: 10, window: time.Second} }, 10, [3]float64{0.98, 0.96, 0.94}, 600},
		{"60 in any minute", func() vendor { return &bySliding{n: 60, window: time.Minute} }, 1, [3]float64{0.9, 0.92, 0.9}, 12},
		{"500 in any minute", func() vendor { return &bySliding{n: 500, window: time.Minute} }, 8.33, [3]float64{0.87, 0.95, 0.88}, 120},
	} {
		for i, hint := range []func(time.Duration) time.Duration{inMilliseconds, inSeconds, unsaid} {
			for _, load := range []float64{0.85, 1.5} {
				from, to := 3*time.Minute, 15*time.Minute
				o, l := drive(v.make(), hint, v.rate*load, from, to, 1)
				rate, burst, every := l.Limit()
				best := min(v.rate*(to-from).Seconds(), float64(o.offered))
				if got := float64(o.served) / best; got < v.of[i] || o.refused*v.most > o.served+o.refused {
					t.Errorf("%s, hint %d, load %.2f: served %d of %.0f (%.3f), refused %d; learned %.2f a second, %.1f at once, window %s",
						v.name, i, load, o.served, best, got, o.refused, rate, burst, every)
				}
			}
		}
	}
}

// TestLearnedSoon: within 20 seconds of the first request two or three
// refusals are enough, if they say how long to wait.
func TestLearnedSoon(t *testing.T) {
	for _, rate := range []float64{2, 5, 11, 23} {
		for _, burst := range []float64{1, 4, 9} {
			for _, load := range []float64{1.1, 1.6} {
				v := &byDripping{rate: rate, burst: burst, level: burst}
				o, l := drive(v, inMilliseconds, rate*load, 0, 20*time.Second, 3)
				if got, _, _ := l.Limit(); l.Known() && (got < rate*0.8 || got > rate*1.15) || o.refused > 5 {
					t.Errorf("%.0f a second, %.0f at once, load %.1f: learned %.2f from %d refusals", rate, burst, load, got, o.refused)
				}
			}
		}
	}
}

// TestLearnedChanges: a vendor that takes less than before is followed, and so is
// one that takes more.
func TestLearnedChanges(t *testing.T) {
	for _, to := range []float64{2, 20} {
		v := &byDripping{rate: 6, burst: 4, level: 4}
		changing := &changed{byDripping: v, at: 2 * time.Minute, rate: to}
		o, l := drive(changing, inMilliseconds, 30, 6*time.Minute, 8*time.Minute, 1)
		if rate, _, _ := l.Limit(); rate < to*0.75 || rate > to*1.2 || float64(o.served) < to*120*0.8 {
			t.Errorf("from 6 to %.0f a second: learned %.2f, served %d in two minutes", to, rate, o.served)
		}
	}
}

// changed is a vendor whose rate changes.
type changed struct {
	*byDripping
	at   Moment
	rate float64
}

func (v *changed) take(now Moment, n float64) (bool, time.Duration) {
	if now >= v.at {
		v.byDripping.rate = v.rate
	}
	return v.byDripping.take(now, n)
}

// TestLearnedNothing: what refuses from the first request on, or asks to wait
// for hours, teaches no rate.
func TestLearnedNothing(t *testing.T) {
	var l Learned
	var past History
	l.Refused(Refusal{Sent: time.Second, Now: time.Second, After: 10 * time.Second, Cost: 1}, &past)
	for i := range 50 {
		past.Add(Moment(i)*time.Second/10, 1)
	}
	l.Refused(Refusal{Sent: 5 * time.Second, Now: 5 * time.Second, After: 3 * time.Hour, Cost: 1}, &past)
	if l.Known() || l.Free(6*time.Second, 1, &past) != 0 {
		t.Errorf("learned %+v", l)
	}
}

// FuzzLearned: whatever happens, nothing is stuck: after a day without a
// request one may go out.
func FuzzLearned(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 0, 17})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var l Learned
		var past History
		now := Moment(time.Second)
		for _, s := range steps {
			now += time.Duration(s) * 10 * time.Millisecond
			sent := now - time.Duration(s%8)*time.Millisecond
			switch s % 4 {
			case 0, 1:
				if l.Free(now, 1, &past) == 0 {
					l.Take(now, 1, &past)
					past.Add(now, 1)
				}
			case 2:
				l.Back(1)
				past.Back(sent, 1)
				l.Refused(Refusal{sent, now, time.Duration(s) * 237 * time.Millisecond, 1}, &past)
			case 3:
				l.Back(1)
				past.Back(sent, 1)
				l.Refused(Refusal{sent, now, 0, 1}, &past)
			}
			rate, burst, _ := l.Limit()
			if math.IsNaN(rate) || rate < 0 || l.Known() && (burst < 1 || math.IsInf(burst, 0)) {
				t.Fatalf("%+v", l)
			}
		}
		if later := now + 24*time.Hour; l.Free(later, 1, &past) != 0 {
			t.Fatalf("stuck: %+v", l)
		}
	})
}

// TestLearnedOfMany: a wait for many tokens, told to the millisecond, is not the
// time in which one comes back, nor the end of a window.
func TestLearnedOfMany(t *testing.T) {
	var l Learned
	var past History
	for i := range 20 {
		past.Add(time.Duration(i)*100*time.Millisecond, 150)
	}
	now := 2 * time.Second
	l.Refused(Refusal{Sent: now, Now: now, After: 30 * time.Millisecond, Cost: 150}, &past)
	if rate, _, window := l.Limit(); window != 0 || rate < 1000 || rate > 2000 {
		t.Errorf("%.0f a second, window %s; 1500 a second went out", rate, window)
	}
}
