package fetch

import (
	"container/list"
	"time"
)

// A cache holds files by their addresses, those that were used last. Its bound
// counts what it holds in bytes.
type cache struct {
	most  int64
	held  int64
	byKey map[string]*list.Element
	order list.List // of *kept, the last used in front
}

// A kept is one file, with when it was fetched.
type kept struct {
	key  string
	file *File
	at   time.Time
}

// overhead is about what an entry costs beside its file and its key.
const overhead = 256

func (k *kept) size() int64 { return int64(len(k.file.Data)+len(k.key)) + overhead }

// get returns what is held of key, or nil. fresh: it may be served as it is.
func (c *cache) get(key string, now time.Time) (f *File, fresh bool) {
	e := c.byKey[key]
	if e == nil {
		return nil, false
	}
	c.order.MoveToFront(e)
	k := e.Value.(*kept)
	return k.file, now.Sub(k.at) < Fresh
}

// put keeps f, unless it is larger than the cache.
func (c *cache) put(key string, f *File, now time.Time) {
	if e := c.byKey[key]; e != nil {
		c.drop(e)
	}
	k := &kept{key, f, now}
	if k.size() > c.most {
		return
	}
	if c.byKey == nil {
		c.byKey = map[string]*list.Element{}
	}
	c.byKey[key] = c.order.PushFront(k)
	c.held += k.size()
	c.trim()
}

// trim drops what was not used for longest until the bound is kept.
func (c *cache) trim() {
	for c.held > c.most {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	k := c.order.Remove(e).(*kept)
	delete(c.byKey, k.key)
	c.held -= k.size()
}
