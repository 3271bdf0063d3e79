package pool

import (
	"math"
	"sync/atomic"
	"time"

	"portico/internal/pace"
)

// A load is how many requests came lately: each counts one when it comes and
// half as much after every half-life. It has one writer at a time.
type load struct {
	value atomic.Uint64 // a float64
	at    atomic.Int64
}

const halfLife = 5 * time.Second

func (l *load) add(now pace.Moment) {
	l.value.Store(math.Float64bits(l.level(now) + 1))
	l.at.Store(int64(now))
}

// level is the load at now.
func (l *load) level(now pace.Moment) float64 {
	v := math.Float64frombits(l.value.Load())
	if v == 0 {
		return 0
	}
	return v * half(float64(int64(now)-l.at.Load())/float64(halfLife))
}

// half is about 2 to the power of -x, for x from 0 on: a straight line between
// the whole powers.
func half(x float64) float64 {
	if x >= 60 {
		return 0
	}
	n := uint(max(x, 0))
	return (1 - (max(x, 0)-float64(n))/2) / float64(uint64(1)<<n)
}

// A mean is a smoothed measure; a race between two writers loses one sample.
type mean struct{ value atomic.Int64 }

// add adds a sample, which is more than 0 the first time.
func (m *mean) add(n int64) {
	if old := m.value.Load(); old == 0 {
		m.value.Store(n)
	} else {
		m.value.Store(old + (n-old)/8)
	}
}

func (m *mean) get() int64 { return m.value.Load() }

func (m *mean) forget() { m.value.Store(0) }
