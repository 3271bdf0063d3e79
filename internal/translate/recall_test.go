package translate

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMemoryIsBounded(t *testing.T) {
	const size = 1 << 20
	m := NewMemory(size, time.Now)
	for i := range 20_000 {
		m.Put("key", strconv.Itoa(i), strings.Repeat("x", 500))
	}
	total, entries := 0, 0
	for i := range m.shards {
		s := &m.shards[i]
		total += s.size
		entries += len(s.entries)
		if s.size > s.most {
			t.Errorf("a shard of %d bytes holds %d", s.most, s.size)
		}
	}
	if total > size || entries < 1000 {
		t.Errorf("%d bytes in %d entries", total, entries)
	}
	if _, ok := m.Get("key", "0"); ok {
		t.Error("the oldest was not forgotten")
	}
	if _, ok := m.Get("key", "19999"); !ok {
		t.Error("the newest was forgotten")
	}
	m.Put("key", "large", strings.Repeat("x", size))
	if _, ok := m.Get("key", "large"); ok {
		t.Error("what is too large was kept")
	}
}

func TestMemoryForgets(t *testing.T) {
	now := time.Unix(0, 0)
	m := NewMemory(1<<20, func() time.Time { return now })
	m.Put("a", "k", "1")
	m.Put("a", "k", "2")
	if got, ok := m.Get("a", "k"); !ok || got != "2" {
		t.Errorf("%q, %v", got, ok)
	}
	if _, ok := m.Get("b", "k"); ok {
		t.Error("another scope sees it")
	}
	if now = now.Add(keepFor + 1); true {
		if _, ok := m.Get("a", "k"); ok {
			t.Error("it is kept for ever")
		}
	}
	for i := range m.shards {
		if s := &m.shards[i]; s.size != 0 || len(s.entries) != 0 {
			t.Errorf("what was forgotten takes %d bytes", s.size)
		}
	}
}

func TestMemoryAtOnce(t *testing.T) {
	m := NewMemory(64<<10, time.Now)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				m.Put("s", strconv.Itoa(j), strings.Repeat("x", i*10))
				m.Get("s", strconv.Itoa(j/2))
			}
		})
	}
	wg.Wait()
}
