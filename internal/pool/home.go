package pool

import (
	"sync"
	"time"

	"portico/internal/pace"
)

// A home is where a conversation's prompt cache is.
type home struct {
	account uint64      // the entry's id
	slot    int         // where it stood in the roster
	last    pace.Moment // the last turn
}

// homes remembers the homes of conversations. It has one lock for each of its
// parts, so that requests seldom meet.
type homes struct {
	parts [homeParts]struct {
		sync.Mutex
		by map[uint64]home
	}
}

const (
	homeParts = 16
	// maxHomes bounds the conversations that are remembered.
	maxHomes = 1 << 16
	// homeLife is how long one is remembered after its last turn: no vendor
	// keeps a prompt for longer, unless it is asked to.
	homeLife = time.Hour
	// homeSample is how many conversations are looked at to find one that may
	// be forgotten.
	homeSample = 8
)

// get returns the home of a conversation.
func (h *homes) get(key uint64, now pace.Moment) (home, bool) {
	p := &h.parts[key%homeParts]
	p.Lock()
	defer p.Unlock()
	at, ok := p.by[key]
	if !ok || now-at.last > homeLife {
		return home{}, false
	}
	return at, true
}

// set makes the account the home of a conversation that had a turn now.
func (h *homes) set(key uint64, at home) {
	p := &h.parts[key%homeParts]
	p.Lock()
	defer p.Unlock()
	if p.by == nil {
		p.by = map[uint64]home{}
	}
	if _, known := p.by[key]; !known && len(p.by) >= maxHomes/homeParts {
		// Of a few, whichever they are, the one that is silent longest goes.
		var oldest uint64
		n, last := 0, pace.Moment(0)
		for k, o := range p.by {
			if n == 0 || o.last < last {
				oldest, last = k, o.last
			}
			if n++; n == homeSample {
				break
			}
		}
		delete(p.by, oldest)
	}
	p.by[key] = at
}

// size is how many conversations are remembered.
func (h *homes) size() (n int) {
	for i := range h.parts {
		p := &h.parts[i]
		p.Lock()
		n += len(p.by)
		p.Unlock()
	}
	return n
}
