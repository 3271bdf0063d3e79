package simulator

import "sync"

// tallyEntries is how many counts are remembered.
const tallyEntries = 1024

// A tally counts how often a fault was played, for "times=N". It holds a
// bounded number of counts; the oldest makes room, and starts anew if it comes
// again.
type tally struct {
	mu    sync.Mutex
	seen  map[string]int
	order []string // a ring of the keys in seen
	next  int
}

func newTally(entries int) *tally {
	return &tally{seen: make(map[string]int), order: make([]string, entries)}
}

// take counts one request under key and reports whether it is one of the
// first n.
func (t *tally) take(key string, n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	count, known := t.seen[key]
	if count >= n {
		return false
	}
	if !known {
		delete(t.seen, t.order[t.next])
		t.order[t.next] = key
		t.next = (t.next + 1) % len(t.order)
	}
	t.seen[key] = count + 1
	return true
}

// pick returns the first of ms that is to be played at account, or nil.
func (t *tally) pick(ms []mishap, account string) *mishap {
	for i := range ms {
		m := &ms[i]
		if m.account != "" && m.account != account {
			continue
		}
		if m.times > 0 && !t.take(m.key+"\x00"+m.text, m.times) {
			continue
		}
		return m
	}
	return nil
}
