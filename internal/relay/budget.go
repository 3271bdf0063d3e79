package relay

import (
	"sync"
	"sync/atomic"
	"time"
)

// A retryBudget keeps tries that fail like the one before them to a share of the
// traffic, so that an upstream that breaks down is not asked several times as
// often as before. A try that serves the call costs nothing in the end, and few
// requests may be tried again as they like.
type retryBudget struct {
	calls atomic.Int64 // counted without a lock, since all calls are

	mu     sync.Mutex
	left   float64
	earned int64 // calls that are in left
	at     time.Time
}

const (
	// retryShare is how many tries a call earns. Spec: reliability REL-39.
	retryShare = 0.2
	// retryRate is how many a second are earned by time alone.
	retryRate = 1
	// maxRetries is how many can be saved.
	maxRetries = 20
)

// spend takes a try at now, if there is one left.
func (b *retryBudget) spend(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls.Load()
	if b.at.IsZero() {
		b.left = maxRetries
	} else {
		b.left += float64(calls-b.earned)*retryShare + max(now.Sub(b.at).Seconds(), 0)*retryRate
		b.left = min(b.left, maxRetries)
	}
	b.earned, b.at = calls, now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// giveBack returns n tries that served their calls.
func (b *retryBudget) giveBack(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(b.left+float64(n), maxRetries)
}
