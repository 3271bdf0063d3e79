package translate

import (
	"hash/maphash"
	"sync"
	"time"
)

// A Recall remembers seals for clients whose protocol has no seat for them, or
// who drop what they do not know (spec: upstreams §2.6, translation-traps D2,
// E7). It is safe for concurrent use and may forget at any time.
type Recall interface {
	// Put keeps seals under a key for one scope: what it holds for a scope
	// is never given to another.
	Put(scope, key, seals string)
	// Get returns what was kept.
	Get(scope, key string) (seals string, ok bool)
}

const (
	shards = 16
	// keepFor is how long a seal is kept; a conversation that rests longer
	// loses its hidden reasoning and nothing else.
	keepFor = 24 * time.Hour
	// overhead is about what an entry costs beside its texts, in bytes.
	overhead = 200
)

// A Memory is a Recall in this process: what was not asked for longest is
// forgotten first.
type Memory struct {
	now    func() time.Time
	seed   maphash.Seed
	shards [shards]shard
}

// NewMemory returns a memory of about size bytes at most that reads the time
// from now.
func NewMemory(size int, now func() time.Time) *Memory {
	m := &Memory{now: now, seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].most = size / shards
		m.shards[i].entries = map[place]*entry{}
	}
	return m
}

type place struct{ scope, key string }

// An entry stands in a ring behind the shard's root, the newest first.
type entry struct {
	place
	seals      string
	until      time.Time
	prev, next *entry
}

func (e *entry) size() int { return len(e.scope) + len(e.key) + len(e.seals) + overhead }

type shard struct {
	mu      sync.Mutex
	entries map[place]*entry
	root    entry
	size    int
	most    int
}

func (m *Memory) shard(p place) *shard {
	return &m.shards[maphash.Comparable(m.seed, p)%shards]
}

// Put implements Recall. What is larger than half of a shard is not kept.
func (m *Memory) Put(scope, key, seals string) {
	e := &entry{place: place{scope, key}, seals: seals, until: m.now().Add(keepFor)}
	s := m.shard(e.place)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.entries[e.place]; old != nil {
		s.drop(old)
	}
	if e.size() > s.most/2 {
		return
	}
	s.entries[e.place] = e
	s.size += e.size()
	s.push(e)
	for s.size > s.most {
		s.drop(s.root.prev)
	}
}

// Get implements Recall.
func (m *Memory) Get(scope, key string) (string, bool) {
	p := place{scope, key}
	s := m.shard(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[p]
	if e == nil {
		return "", false
	}
	if m.now().After(e.until) {
		s.drop(e)
		return "", false
	}
	s.cut(e)
	s.push(e)
	return e.seals, true
}

func (s *shard) push(e *entry) {
	if s.root.next == nil {
		s.root.next, s.root.prev = &s.root, &s.root
	}
	e.prev, e.next = &s.root, s.root.next
	e.prev.next, e.next.prev = e, e
}

func (s *shard) cut(e *entry) { e.prev.next, e.next.prev = e.next, e.prev }

func (s *shard) drop(e *entry) {
	s.cut(e)
	delete(s.entries, e.place)
	s.size -= e.size()
}
