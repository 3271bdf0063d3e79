package responses

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// clock is a time that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func roomy() (*Store, *clock) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	return New(Limits{Entries: 100, Bytes: 1 << 20, Age: time.Hour}, c.now), c
}

func (s *Store) holds(scope, id string) bool { return s.Thread(scope, id) != nil }

// TestThreads: a conversation is all that was said, in order, also after the
// answers that it went through are gone.
func TestThreads(t *testing.T) {
	s, _ := roomy()
	s.Put("k", "a", Response{Input: []byte(`1,2`), Output: []byte(`3`), Object: []byte(`{"id":"a"}`)})
	s.Put("k", "b", Response{Before: s.Thread("k", "a"), Input: []byte(`4`)})
	s.Put("k", "c", Response{Before: s.Thread("k", "b"), Output: []byte(`5`)})
	if got, want := string(s.Thread("k", "c").Append(nil)), "1,2,3,4,5"; got != want {
		t.Errorf("conversation %s, want %s", got, want)
	}
	if got, want := string(s.Thread("k", "b").Input()), "1,2,3,4"; got != want {
		t.Errorf("input %s, want %s", got, want)
	}
	if got, want := string(s.Object("k", "a")), `{"id":"a"}`; got != want {
		t.Errorf("object %s, want %s", got, want)
	}
	if !s.Delete("k", "a") || s.Delete("k", "a") || s.holds("k", "a") {
		t.Error("an answer is not deleted once")
	}
	if got, want := string(s.Thread("k", "c").Append(nil)), "1,2,3,4,5"; got != want {
		t.Errorf("after the deletion: conversation %s, want %s", got, want)
	}
}

// TestScopes: what one key said is shown to no other.
func TestScopes(t *testing.T) {
	s, _ := roomy()
	s.Put("alice", "r", Response{Input: []byte("1"), Object: []byte("{}")})
	if s.Thread("bob", "r") != nil || s.Object("bob", "r") != nil || s.Object("", "r") != nil || s.Delete("bob", "r") {
		t.Error("another key has the answer")
	}
	s.Put("bob", "r", Response{Input: []byte("2")})
	if got := string(s.Thread("alice", "r").Append(nil)); got != "1" {
		t.Errorf("an answer of the same id changed it to %s", got)
	}
}

// TestBounds: number, size and age are kept to, and nothing is lost count of.
func TestBounds(t *testing.T) {
	clock := &clock{time.Unix(0, 0)}
	for _, tc := range []struct {
		name string
		l    Limits
		most int // answers that are left
	}{
		{"entries", Limits{Entries: 3, Bytes: 1 << 30}, 3},
		{"bytes", Limits{Entries: 100, Bytes: 5 * (overhead + 102)}, 5},
		{"none fits", Limits{Entries: 100, Bytes: 10}, 0},
		{"none fits that goes on from another", Limits{Entries: 100, Bytes: 10}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := New(tc.l, clock.now)
			for i := range 20 {
				s.Put("k", string(rune('a'+i)), Response{Input: []byte(strings.Repeat("x", 100))})
				if s.size > tc.l.Bytes || s.order.Len() > tc.l.Entries || len(s.entries) != s.order.Len() {
					t.Fatalf("%d bytes, %d entries after %d", s.size, s.order.Len(), i+1)
				}
			}
			if s.order.Len() != tc.most {
				t.Errorf("%d answers are left, want %d", s.order.Len(), tc.most)
			}
			for x := s.order.Front(); x != nil; x = s.order.Front() {
				s.drop(x)
			}
			if s.size != 0 {
				t.Errorf("%d bytes are counted for nothing", s.size)
			}
		})
	}
}

// TestLongThread: the beginnings that a conversation needs count as long as it
// is there, and once however many share them.
func TestLongThread(t *testing.T) {
	s := New(Limits{Entries: 2, Bytes: 1 << 20}, time.Now)
	for i := range 10 {
		s.Put("k", fmt.Sprint(i), Response{Before: s.Thread("k", fmt.Sprint(i-1)), Input: []byte("0123456789")})
	}
	if got, want := len(s.Thread("k", "9").Append(nil)), 10*10+9; got != want {
		t.Errorf("the conversation has %d bytes, want %d", got, want)
	}
	if want := 10*10 + 2*(overhead+2); s.size != want {
		t.Errorf("%d bytes are counted, want %d", s.size, want)
	}
	before := s.Thread("k", "9")
	s.Put("x", "1", Response{})
	s.Put("x", "2", Response{})
	if want := 2 * (overhead + 2); s.size != want {
		t.Fatalf("%d bytes are counted after the conversation was dropped, want %d", s.size, want)
	}
	s.Put("k", "10", Response{Before: before, Input: []byte("0123456789")}) // it was under way meanwhile
	if want := 11*10 + overhead + 3 + overhead + 2; s.size != want {
		t.Errorf("%d bytes are counted, want %d", s.size, want)
	}
}

func TestAge(t *testing.T) {
	s, c := roomy()
	s.Put("k", "old", Response{})
	c.t = c.t.Add(59 * time.Minute)
	if !s.holds("k", "old") {
		t.Error("it is gone before its time")
	}
	c.t = c.t.Add(2 * time.Minute)
	if s.holds("k", "old") || s.order.Len() != 0 || s.size != 0 {
		t.Error("it is there after its time")
	}
	s.Put("k", "old", Response{})
	c.t = c.t.Add(2 * time.Hour)
	if s.Put("k", "new", Response{}); s.order.Len() != 1 {
		t.Error("what is too old stays until it is asked for")
	}
}

func TestHomes(t *testing.T) {
	h := NewHomes(shards * 4)
	h.Put("alice", "r1", "a")
	h.Put("bob", "r1", "b") // it is not bob's
	h.Put("alice", strings.Repeat("x", MaxID+1), "a")
	h.Put("alice", "", "a")
	for _, tc := range []struct {
		scope, id, account string
		own                bool
	}{
		{"alice", "r1", "a", true},
		{"bob", "r1", "", false},
		{"bob", "r2", "", true},
		{"alice", "", "", true},
		{"alice", strings.Repeat("x", MaxID+1), "", true},
	} {
		if account, own := h.Get(tc.scope, tc.id); account != tc.account || own != tc.own {
			t.Errorf("%s %.8q: %q %v, want %q %v", tc.scope, tc.id, account, own, tc.account, tc.own)
		}
	}
	if h.Put("alice", "r1", "c"); true {
		if account, _ := h.Get("alice", "r1"); account != "c" {
			t.Errorf("it moved, but is at %q", account)
		}
	}
	for i := range 10_000 {
		h.Put("k", fmt.Sprint(i), "a")
	}
	for i := range h.shards {
		if s := &h.shards[i]; len(s.homes) > 4 || s.order.Len() != len(s.homes) {
			t.Errorf("a shard holds %d, listed %d, want 4 at most", len(s.homes), s.order.Len())
		}
	}
}
