package recall

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/secret"
)

func open(t *testing.T, dir string, size int, now func() time.Time) *Book {
	t.Helper()
	b, err := Open(filepath.Join(dir, "seals"), size, secret.NewSealer(filepath.Join(dir, "key")), now, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// TestAgain: what was put is there after the process was killed, for the scope
// that it was put for and no other, and cannot be read on the disk.
func TestAgain(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, 1<<20, time.Now)
	a.Put("alice", "c:1", "first")
	a.Put("alice", "c:1", "sealed thought")
	a.Put("bob", "c:1", "another's")
	a.Put("alice", "c:"+strings.Repeat("x", maxKey), "long")
	a.Put("alice", "c:\xff", "no text")
	for _, b := range []*Book{a, open(t, dir, 1<<20, time.Now)} {
		for _, tc := range []struct{ scope, key, want string }{
			{"alice", "c:1", "sealed thought"}, {"bob", "c:1", "another's"}, {"", "c:1", ""}, {"alice", "c:2", ""},
		} {
			for range 2 { // from the disk, then from memory
				if got, ok := b.Get(tc.scope, tc.key); got != tc.want || ok != (tc.want != "") {
					t.Errorf("%s %s: %q, want %q", tc.scope, tc.key, got, tc.want)
				}
			}
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "seals", "*"))
	for _, f := range files {
		if text, _ := os.ReadFile(f); strings.Contains(string(text), "sealed thought") {
			t.Error("a seal can be read on the disk")
		}
	}
}

// TestBounds: the files stay within their bound, and the latest are there.
func TestBounds(t *testing.T) {
	dir := t.TempDir()
	const size = 3 * fileSize
	a := open(t, dir, size, time.Now)
	big := strings.Repeat("x", fileSize/4)
	for i := range 30 {
		a.Put("k", fmt.Sprint(i), big)
		if a.tape.Size() > size {
			t.Fatalf("%d bytes after %d", a.tape.Size(), i)
		}
	}
	b := open(t, dir, size, time.Now)
	if _, ok := b.Get("k", "29"); !ok {
		t.Error("the last one is gone")
	}
	if _, ok := b.Get("k", "0"); ok {
		t.Error("the first one is there")
	}
	if _, ok := a.Get("k", "0"); ok || a.entries[place{"k", "0"}] != nil {
		t.Error("the first one is known although its file is gone")
	}
	for i := range maxEntries + 10 {
		b.note(&entry{place: place{"n", fmt.Sprint(i)}})
	}
	if len(b.entries) != maxEntries || b.order.Len() != maxEntries {
		t.Errorf("%d are known", len(b.entries))
	}
}

// TestAge: what rests for too long is forgotten.
func TestAge(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(1_700_000_000, 0)
	a := open(t, dir, 1<<20, func() time.Time { return now })
	a.Put("k", "old", "x")
	now = now.Add(keepFor - time.Minute)
	if _, ok := open(t, dir, 1<<20, func() time.Time { return now }).Get("k", "old"); !ok {
		t.Error("it is gone before its time")
	}
	now = now.Add(2 * time.Minute)
	b := open(t, dir, 1<<20, func() time.Time { return now })
	if _, ok := b.Get("k", "old"); ok || len(b.entries) != 0 {
		t.Error("it is there after its time")
	}
}

// TestOtherKey: what was sealed with a key that is gone is not there.
func TestOtherKey(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, 1<<20, time.Now)
	a.Put("k", "1", "x")
	if err := os.Remove(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir, 1<<20, time.Now)
	if got, ok := b.Get("k", "1"); ok {
		t.Errorf("got %q", got)
	}
	b.Put("k", "1", "y")
	if got, ok := b.Get("k", "1"); !ok || got != "y" {
		t.Errorf("got %q, %v", got, ok)
	}
}

func TestMany(t *testing.T) {
	b := open(t, t.TempDir(), 1<<20, time.Now)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 50 {
				key := fmt.Sprint(w, i)
				b.Put("k", key, key)
				if got, ok := b.Get("k", key); !ok || got != key {
					t.Errorf("%s: %q, %v", key, got, ok)
				}
			}
		})
	}
	all.Wait()
}
