package responses

import (
	"container/list"
	"hash/maphash"
	"sync"
)

// Homes remembers at which account an answer is that an upstream keeps itself,
// and whose it is. It is safe for concurrent use, and what was learnt first is
// forgotten first.
type Homes struct {
	seed   maphash.Seed
	most   int // of one shard
	shards [shards]shard
}

const shards = 16

type shard struct {
	mu    sync.Mutex
	homes map[string]*list.Element // of *home
	order list.List
}

type home struct{ id, scope, account string }

// MaxID is the longest id that is remembered, in bytes.
const MaxID = 256

// NewHomes returns a table of n answers at most.
func NewHomes(n int) *Homes {
	h := &Homes{seed: maphash.MakeSeed(), most: max(n/shards, 1)}
	for i := range h.shards {
		h.shards[i].homes = map[string]*list.Element{}
	}
	return h
}

func (h *Homes) shard(id string) *shard { return &h.shards[maphash.String(h.seed, id)%shards] }

// Put notes that the answer id belongs to scope and is at account. An id that
// belongs to another scope stays with it: whoever comes later did not make it.
func (h *Homes) Put(scope, id, account string) {
	if id == "" || len(id) > MaxID {
		return
	}
	s := h.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.homes[id]; x != nil {
		if old := x.Value.(*home); old.scope == scope {
			old.account = account
		}
		return
	}
	s.homes[id] = s.order.PushBack(&home{id, scope, account})
	for s.order.Len() > h.most {
		delete(s.homes, s.order.Remove(s.order.Front()).(*home).id)
	}
}

// Get returns where the answer id is. own is false if it belongs to another
// scope, which must not learn that there is one. Of an id that is not known,
// account is "" and own true.
func (h *Homes) Get(scope, id string) (account string, own bool) {
	s := h.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.homes[id]
	if x == nil {
		return "", true
	}
	if at := x.Value.(*home); at.scope == scope {
		return at.account, true
	}
	return "", false
}
