package admin

import (
	"crypto/rand"
	"strconv"
	"strings"
	"sync"

	"portico/internal/journal"
)

// A Feed keeps the requests that ended last, for those who watch. It listens
// to the journal.
//
// There is one ring and no queue for each watcher: a watcher holds the number
// of what it has seen and reads on from there. One that is too slow, or comes
// back too late, is told how many it missed.
type Feed struct {
	epoch string // tells the numbers of this process from those of another

	mu      sync.Mutex
	ring    [ringSize]*journal.Exchange
	last    uint64        // number of the newest; the first has 1
	news    chan struct{} // closed when there is more
	waiting bool          // somebody holds news
}

// ringSize is how many requests can be resumed over. An exchange has about a
// kilobyte.
const ringSize = 256

// NewFeed returns an empty feed.
func NewFeed() *Feed {
	return &Feed{epoch: strings.ToLower(rand.Text()[:8]), news: make(chan struct{})}
}

// Heard implements journal.Listener.
func (f *Feed) Heard(x *journal.Exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	f.ring[f.last%ringSize] = x
	if f.waiting {
		close(f.news)
		f.news, f.waiting = make(chan struct{}), false
	}
}

// after returns what came after number seen, oldest first, the number of the
// newest, and how many that were between are gone. more is closed when there
// is more.
func (f *Feed) after(seen uint64) (xs []*journal.Exchange, last, missed uint64, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last > seen+ringSize {
		missed = f.last - ringSize - seen
		seen += missed
	}
	for n := seen + 1; n <= f.last; n++ {
		xs = append(xs, f.ring[n%ringSize])
	}
	f.waiting = true
	return xs, f.last, missed, f.news
}

// now is the number of the newest.
func (f *Feed) now() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// find returns a request that ended a moment ago, or nil. Of two with the same
// id the later counts.
func (f *Feed) find(id string) *journal.Exchange {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := f.last; n > 0 && n+ringSize > f.last; n-- {
		if x := f.ring[n%ringSize]; x.ID == id {
			return x
		}
	}
	return nil
}

// id is number n as an event's id.
func (f *Feed) id(n uint64) string { return f.epoch + "-" + strconv.FormatUint(n, 10) }

// resume reads the id of the last event that a watcher has seen. It reports
// false if that was of another process, or is none of ours.
func (f *Feed) resume(id string) (seen uint64, ok bool) {
	epoch, number, found := strings.Cut(id, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if !found || epoch != f.epoch || err != nil || n > f.now() {
		return 0, false
	}
	return n, true
}
