package responses

import (
	"container/list"
	"context"
	"encoding/json/v2"
	"hash/maphash"
	"log/slog"
	"sync"

	"portico/internal/tape"
)

// Homes remembers at which account an answer or a conversation is that an
// upstream keeps itself, and whose it is. It is safe for concurrent use, and
// what was learnt first is forgotten first.
type Homes struct {
	seed   maphash.Seed
	most   int // of one shard
	shards [shards]shard
	tape   *tape.Tape // nil: it is in memory only
}

const shards = 16

type shard struct {
	mu    sync.Mutex
	homes map[string]*list.Element // of *home
	order list.List
}

type home struct {
	ID      string `json:"i"`
	Scope   string `json:"s,omitzero"`
	Account string `json:"a"`
}

// MaxID is the longest id that is remembered, in bytes.
const MaxID = 256

// homesFile is at which size another file is begun, and homeSize what a home
// takes there, about, in bytes.
const homesFile, homeSize = 1 << 20, 160

// NewHomes returns a table of n ids at most, in memory.
func NewHomes(n int) *Homes {
	h := &Homes{seed: maphash.MakeSeed(), most: max(n/shards, 1)}
	for i := range h.shards {
		h.shards[i].homes = map[string]*list.Element{}
	}
	return h
}

// OpenHomes returns the table of n ids at most that is kept in the folder dir.
func OpenHomes(dir string, n int, log *slog.Logger) (*Homes, error) {
	h := NewHomes(n)
	var err error
	h.tape, err = tape.Open(dir, tape.Options{File: homesFile, Most: int64(n)*homeSize + 2*homesFile, Log: log}, func(_ tape.Place, raw []byte) {
		var x home
		if json.Unmarshal(raw, &x) == nil && x.ID != "" {
			h.note(x)
		}
	})
	return h, err
}

// Run brings what is known to the disk every now and then until ctx ends.
func (h *Homes) Run(ctx context.Context) error { return h.tape.Run(ctx) }

// Close closes the files of a table on the disk.
func (h *Homes) Close() error { return h.tape.Close() }

func (h *Homes) shard(id string) *shard { return &h.shards[maphash.String(h.seed, id)%shards] }

// Put notes that id belongs to scope and is at account. An id that belongs to
// another scope stays with it: whoever comes later did not make it.
func (h *Homes) Put(scope, id, account string) {
	if id == "" || len(id) > MaxID {
		return
	}
	x := home{id, scope, account}
	if !h.note(x) || h.tape == nil {
		return
	}
	if raw, err := json.Marshal(x); err == nil { // else the id is no text
		_, _ = h.tape.Append(raw, nil) // it is in memory at least
	}
}

// note takes x and reports whether it tells something new.
func (h *Homes) note(x home) bool {
	s := h.shard(x.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.homes[x.ID]; at != nil {
		old := at.Value.(*home)
		if old.Scope != x.Scope || old.Account == x.Account {
			return false
		}
		old.Account = x.Account
		return true
	}
	s.homes[x.ID] = s.order.PushBack(&x)
	for s.order.Len() > h.most {
		delete(s.homes, s.order.Remove(s.order.Front()).(*home).ID)
	}
	return true
}

// Get returns where id is. own is false if it belongs to another scope, which
// must not learn that there is one. Of an id that is not known, account is ""
// and own true.
func (h *Homes) Get(scope, id string) (account string, own bool) {
	s := h.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.homes[id]
	if x == nil {
		return "", true
	}
	if at := x.Value.(*home); at.Scope == scope {
		return at.Account, true
	}
	return "", false
}
