package catalog

import (
	"maps"
	"sync/atomic"

	"portico/internal/catalog/modelid"
)

// A memo remembers what was found under the names that were asked for last:
// each request asks several times for the same few. Whoever reads it waits for
// nobody.
type memo struct {
	found atomic.Pointer[map[string]finding]
}

// A finding is what Lookup found.
type finding struct {
	m  Model
	ok bool
}

// maxMemo is how many names are remembered. Clients make up names, so that the
// memo is begun anew when it is full.
const maxMemo = 256

// bare is the memo of the nil Catalog.
var bare memo

// get is what find finds under id.
func (o *memo) get(id string, find func(string) (Model, bool)) (Model, bool) {
	old := o.found.Load()
	if old != nil {
		if f, ok := (*old)[id]; ok {
			return f.m, f.ok
		}
	}
	var f finding
	if f.m, f.ok = find(id); len(id) > modelid.MaxLen {
		return f.m, f.ok
	}
	next := map[string]finding{}
	if old != nil && len(*old) < maxMemo {
		next = maps.Clone(*old)
	}
	next[id] = f
	o.found.CompareAndSwap(old, &next) // if another came first this one is remembered the next time
	return f.m, f.ok
}
