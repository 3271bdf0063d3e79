package catalog

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"portico/internal/config"
)

// TestMemo: what is remembered is what is found, for each catalogue its own,
// and there is a bound to it.
func TestMemo(t *testing.T) {
	window := int64(123)
	c := New([]config.Model{{ID: "gpt-4o", Context: window}})
	var none *Catalog
	for range 3 {
		for i := range 2 * maxMemo {
			id := fmt.Sprintf("gpt-4o-%d", i)
			if m, ok := c.Lookup(id); ok {
				t.Fatalf("%s: %+v", id, m)
			}
		}
		for _, id := range []string{"gpt-4o", "openai/gpt-4o", "GPT-4o"} {
			want, known := c.lookup(id)
			if got, ok := c.Lookup(id); ok != known || got != want || got.Context != window {
				t.Errorf("%s: got %+v, %v, want %+v", id, got, ok, want)
			}
			if got, _ := none.Lookup(id); got.Context == window {
				t.Errorf("%s: an override came to the bare catalogue", id)
			}
		}
		if n := len(*c.memo.found.Load()); n > maxMemo {
			t.Fatalf("%d names are remembered", n)
		}
	}
	long := strings.Repeat("x", 1000)
	c.Lookup(long)
	if _, ok := (*c.memo.found.Load())[long]; ok {
		t.Error("a name that is none is remembered")
	}
	if n := testing.AllocsPerRun(100, func() { c.Lookup("gpt-4o") }); n != 0 {
		t.Errorf("%v allocations for a name that is known", n)
	}
}

func TestMemoConcurrently(t *testing.T) {
	c := New(nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 500 {
				c.Lookup(fmt.Sprintf("m-%d", n*i%700))
				if m, ok := c.Lookup("gpt-4o"); !ok || m.ID != "gpt-4o" {
					t.Errorf("got %+v, %v", m, ok)
				}
			}
		})
	}
	all.Wait()
}
