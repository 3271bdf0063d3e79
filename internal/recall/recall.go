// Package recall remembers sealed reasoning on the disk, for clients who bring
// none back (see translate.Recall). A conversation that goes on after a restart
// of the gateway keeps its hidden reasoning.
//
// Seals lie on a tape, encrypted, and what is asked for often also in memory.
// What was put there first is forgotten first.
package recall

import (
	"container/list"
	"context"
	"encoding/json/v2"
	"log/slog"
	"sync"
	"time"

	"portico/internal/tape"
	"portico/internal/translate"
)

const (
	// keepFor is how long a seal is kept; a conversation that rests longer
	// loses its hidden reasoning and nothing else.
	keepFor = 7 * 24 * time.Hour
	// maxEntries is how many seals are known.
	maxEntries = 64 << 10
	// fileSize is at which size another file is begun, in bytes.
	fileSize = 4 << 20
	// maxKey bounds what a seal is known by, in bytes, and maxSeals the seals
	// that are kept under one key.
	maxKey, maxSeals = 1 << 10, 4 << 20
)

// A Book is a translate.Recall on the disk. It is safe for concurrent use.
type Book struct {
	now   func() time.Time
	cache *translate.Memory
	tape  *tape.Tape

	mu      sync.Mutex
	entries map[place]*list.Element // of *entry
	order   list.List               // the oldest in front
}

var _ translate.Recall = (*Book)(nil)

type place struct{ scope, key string }

type entry struct {
	place
	at    tape.Place
	until time.Time
}

// A head is what a record says of itself.
type head struct {
	Scope string `json:"s,omitzero"`
	Key   string `json:"k"`
	Until int64  `json:"u"` // seconds since 1970
}

// Open returns the book that lies in the folder dir and takes about size bytes
// there at most, and a part of that in memory.
func Open(dir string, size int, sealer tape.Sealer, now func() time.Time, log *slog.Logger) (*Book, error) {
	b := &Book{now: now, cache: translate.NewMemory(size/4, now), entries: map[place]*list.Element{}}
	var err error
	b.tape, err = tape.Open(dir, tape.Options{File: fileSize, Most: int64(size), Sealer: sealer, Log: log}, func(p tape.Place, raw []byte) {
		var h head
		if json.Unmarshal(raw, &h) == nil {
			b.note(&entry{place{h.Scope, h.Key}, p, time.Unix(h.Until, 0)})
		}
	})
	return b, err
}

// Run brings what is remembered to the disk every now and then until ctx ends.
func (b *Book) Run(ctx context.Context) error { return b.tape.Run(ctx) }

// Close closes the files.
func (b *Book) Close() error { return b.tape.Close() }

// note puts e into the place of what was there.
func (b *Book) note(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.entries[e.place]; old != nil {
		b.order.Remove(old)
	}
	b.entries[e.place] = b.order.PushBack(e)
	for b.order.Len() > maxEntries {
		delete(b.entries, b.order.Remove(b.order.Front()).(*entry).place)
	}
}

// Put implements translate.Recall. What cannot be written down is remembered
// for as long as the process lives.
func (b *Book) Put(scope, key, seals string) {
	b.cache.Put(scope, key, seals)
	if len(key) > maxKey || len(seals) > maxSeals {
		return
	}
	until := b.now().Add(keepFor)
	raw, err := json.Marshal(head{scope, key, until.Unix()})
	if err != nil {
		return // an id that is no text
	}
	if at, err := b.tape.Append(raw, []byte(seals)); err == nil {
		b.note(&entry{place{scope, key}, at, until})
	}
}

// Get implements translate.Recall.
func (b *Book) Get(scope, key string) (string, bool) {
	if seals, ok := b.cache.Get(scope, key); ok {
		return seals, true
	}
	e := b.find(place{scope, key})
	if e == nil {
		return "", false
	}
	seals, err := b.tape.Read(e.at)
	if err != nil || len(seals) == 0 {
		b.forget(e) // its file is gone, or was sealed with another key
		return "", false
	}
	b.cache.Put(scope, key, string(seals))
	return string(seals), true
}

func (b *Book) find(p place) *entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.entries[p]
	if x == nil {
		return nil
	}
	if e := x.Value.(*entry); b.now().Before(e.until) {
		return e
	}
	b.order.Remove(x)
	delete(b.entries, p)
	return nil
}

// forget forgets e, unless another has taken its place.
func (b *Book) forget(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.entries[e.place]; x != nil && x.Value.(*entry) == e {
		b.order.Remove(x)
		delete(b.entries, e.place)
	}
}
