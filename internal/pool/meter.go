package pool

import (
	"sync"
	"time"
)

// A meter counts what happened in about the last minute: this minute's count
// and the last one's, weighted by how much of it still lies in the window. It
// needs no memory that grows with the load and no timer.
type meter struct {
	mu        sync.Mutex
	minute    int64
	now, last int64
}

func (m *meter) roll(t time.Time) {
	switch min := t.Unix() / 60; min - m.minute {
	case 0:
	case 1:
		m.minute, m.last, m.now = min, m.now, 0
	default:
		m.minute, m.last, m.now = min, 0, 0
	}
}

// add counts n at t.
func (m *meter) add(t time.Time, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(t)
	m.now += n
}

// level is the count of the minute before t.
func (m *meter) level(t time.Time) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(t)
	return m.now + m.last*(60-t.Unix()%60)/60
}

// free is when the level will have fallen below limit if nothing is added; the
// zero time means now. It errs on the late side by at most a second.
func (m *meter) free(t time.Time, limit int64) time.Time {
	if m.level(t) < limit {
		return time.Time{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	left := 60 - t.Unix()%60 // seconds of this minute
	if m.now < limit && m.last > 0 {
		// last*(left-s)/60 < limit-now
		s := left - (limit-m.now)*60/m.last + 1
		return t.Add(time.Duration(max(s, 1)) * time.Second)
	}
	// The next minute begins with now*60/60; it must fall below limit.
	s := left + 60 - limit*60/max(m.now, 1) + 1
	return t.Add(time.Duration(max(s, 1)) * time.Second)
}
