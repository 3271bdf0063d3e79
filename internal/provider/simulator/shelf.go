package simulator

import (
	"encoding/json/jsontext"
	"sync"
)

// Bounds of what is remembered for GET /responses/{id}.
const (
	shelfEntries = 256
	shelfBytes   = 4 << 20
)

// A shelf keeps the latest responses by their id, within two bounds: how many
// and how large together. The oldest goes first; one larger than the whole
// shelf is not kept.
type shelf struct {
	mu             sync.Mutex
	kept           map[string]*kept
	order          []string // oldest first; may name what was removed
	bytes          int
	entries, limit int
}

// A kept is a response with what it answers.
type kept struct {
	answer jsontext.Value
	input  jsontext.Value // a list of items
	tokens int64          // of both
}

func (k *kept) size() int { return len(k.answer) + len(k.input) }

func newShelf(entries, limit int) *shelf {
	return &shelf{kept: make(map[string]*kept), entries: entries, limit: limit}
}

// put keeps k under id, which is new.
func (s *shelf) put(id string, k *kept) {
	if k.size() > s.limit {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[id] = k
	s.order = append(s.order, id)
	s.bytes += k.size()
	for len(s.order) > s.entries || s.bytes > s.limit {
		s.remove(s.order[0])
		s.order = s.order[1:]
	}
}

func (s *shelf) get(id string) (*kept, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.kept[id]
	return k, ok
}

// drop forgets id and reports whether it was there.
func (s *shelf) drop(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(id)
}

func (s *shelf) remove(id string) bool {
	k, ok := s.kept[id]
	if ok {
		s.bytes -= k.size()
		delete(s.kept, id)
	}
	return ok
}
