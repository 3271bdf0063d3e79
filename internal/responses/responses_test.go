package responses

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/internal/secret"
)

// clock is a time that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

var wide = Limits{Entries: 100, Bytes: 1 << 20, Age: time.Hour}

func roomy() (*Store, *clock) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	return New(wide, c.now), c
}

// onDisk opens the store in the folder dir.
func onDisk(t testing.TB, dir string, l Limits, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(filepath.Join(dir, "answers"), l, secret.NewSealer(filepath.Join(dir, "key")), now, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// both runs a test with a store in memory and with one on the disk. again is the
// store as the next process finds it; one in memory stays the same.
func both(t *testing.T, l Limits, test func(t *testing.T, s *Store, c *clock, again func() *Store)) {
	t.Run("memory", func(t *testing.T) {
		c := &clock{time.Unix(1_700_000_000, 0)}
		s := New(l, c.now)
		test(t, s, c, func() *Store { return s })
	})
	t.Run("disk", func(t *testing.T) {
		c, dir := &clock{time.Unix(1_700_000_000, 0)}, t.TempDir()
		test(t, onDisk(t, dir, l, c.now), c, func() *Store { return onDisk(t, dir, l, c.now) })
	})
}

func (s *Store) holds(scope, id string) bool { return s.Thread(scope, id) != nil }

// said is the conversation up to the answer id, and asked what it answers.
func (s *Store) said(t testing.TB, scope, id string) string {
	t.Helper()
	x := s.Thread(scope, id)
	if x == nil {
		return "nothing"
	}
	items, err := s.Items(x)
	if err != nil {
		t.Error(err)
	}
	return string(items)
}

func (s *Store) asked(t testing.TB, scope, id string) string {
	t.Helper()
	items, err := s.Input(s.Thread(scope, id))
	if err != nil {
		t.Error(err)
	}
	return string(items)
}

// TestThreads: a conversation is all that was said, in order, also after the
// answers that it went through are gone, and in the next process.
func TestThreads(t *testing.T) {
	both(t, wide, func(t *testing.T, s *Store, _ *clock, again func() *Store) {
		s.Put("k", "a", Response{Input: []byte(`1,2`), Output: []byte(`3`), Object: []byte(`{"id":"a"}`)})
		s.Put("k", "b", Response{Before: s.Thread("k", "a"), Input: []byte(`4`), Object: []byte(`{"id":"b"}`)})
		s.Put("k", "c", Response{Before: s.Thread("k", "b"), Output: []byte(`5`)})
		if got, want := string(s.Object("k", "a")), `{"id":"a"}`; got != want {
			t.Errorf("object %s, want %s", got, want)
		}
		if !s.Delete("k", "a") || s.Delete("k", "a") || s.holds("k", "a") {
			t.Error("an answer is not deleted once")
		}
		for _, s := range []*Store{s, again(), again()} {
			if got, want := s.said(t, "k", "c"), "1,2,3,4,5"; got != want {
				t.Errorf("conversation %s, want %s", got, want)
			}
			if got, want := s.asked(t, "k", "b"), "1,2,3,4"; got != want {
				t.Errorf("input %s, want %s", got, want)
			}
			if got, want := string(s.Object("k", "b")), `{"id":"b"}`; got != want {
				t.Errorf("object %s, want %s", got, want)
			}
			if s.holds("k", "a") || s.Object("k", "a") != nil {
				t.Error("the deleted answer is there")
			}
			if n := s.Thread("k", "c").Size(); n != 5+1 {
				t.Errorf("the conversation has %d bytes", n)
			}
		}
		s = again()
		s.Put("k", "d", Response{Before: s.Thread("k", "c"), Input: []byte("6")})
		if got, want := again().said(t, "k", "d"), "1,2,3,4,5,6"; got != want {
			t.Errorf("conversation %s, want %s", got, want)
		}
	})
}

// TestDeep: reading a long conversation takes a bounded number of records.
func TestDeep(t *testing.T) {
	both(t, Limits{Entries: 10, Bytes: 1 << 20}, func(t *testing.T, s *Store, _ *clock, again func() *Store) {
		var want []string
		for i := range 3 * deepest {
			id := fmt.Sprint(i)
			s.Put("k", id, Response{Before: s.Thread("k", fmt.Sprint(i-1)), Input: []byte(id)})
			want = append(want, id)
			if n := s.Thread("k", id).turns; n > deepest {
				t.Fatalf("%d turns", n)
			}
		}
		if got := again().said(t, "k", fmt.Sprint(3*deepest-1)); got != strings.Join(want, ",") {
			t.Errorf("conversation %.100s", got)
		}
	})
}

// TestScopes: what one key said is shown to no other.
func TestScopes(t *testing.T) {
	both(t, wide, func(t *testing.T, s *Store, _ *clock, again func() *Store) {
		s.Put("alice", "r", Response{Input: []byte("1"), Object: []byte("{}")})
		if s.Thread("bob", "r") != nil || s.Object("bob", "r") != nil || s.Object("", "r") != nil || s.Delete("bob", "r") {
			t.Error("another key has the answer")
		}
		s.Put("bob", "r", Response{Input: []byte("2")})
		for _, s := range []*Store{s, again()} {
			if a, b := s.said(t, "alice", "r"), s.said(t, "bob", "r"); a != "1" || b != "2" {
				t.Errorf("they said %s and %s", a, b)
			}
		}
		s.Forget("alice")
		for _, s := range []*Store{s, again()} {
			if s.holds("alice", "r") || !s.holds("bob", "r") {
				t.Error("not what one key said is forgotten, and nothing else")
			}
		}
	})
}

// TestBounds: number, size and age are kept to, and nothing is lost count of.
func TestBounds(t *testing.T) {
	const one = overhead + turnOverhead + 102
	for _, tc := range []struct {
		name string
		l    Limits
		most int // answers that are left
	}{
		{"entries", Limits{Entries: 3, Bytes: 1 << 30}, 3},
		{"bytes", Limits{Entries: 100, Bytes: 5 * one}, 5},
		{"none fits", Limits{Entries: 100, Bytes: 10}, 0},
		{"nothing is kept", Limits{Bytes: 1 << 30}, 0},
	} {
		both(t, tc.l, func(t *testing.T, s *Store, _ *clock, again func() *Store) {
			for i := range 20 {
				s.Put("k", string(rune('a'+i)), Response{Input: []byte(strings.Repeat("x", 100))})
				if s.size > tc.l.Bytes || s.order.Len() > tc.l.Entries || len(s.entries) != s.order.Len() {
					t.Fatalf("%s: %d bytes, %d entries after %d", tc.name, s.size, s.order.Len(), i+1)
				}
			}
			for _, s := range []*Store{s, again()} {
				if s.order.Len() != tc.most || s.holds("k", "t") != (tc.most > 0) {
					t.Errorf("%s: %d answers are left, want %d", tc.name, s.order.Len(), tc.most)
				}
			}
			if s.Keeps() != (tc.l.Entries > 0) {
				t.Errorf("%s: it keeps: %v", tc.name, s.Keeps())
			}
			s.SetLimits(Limits{})
			if s.size != 0 || s.order.Len() != 0 {
				t.Errorf("%s: %d bytes are counted for nothing", tc.name, s.size)
			}
		})
	}
}

// TestLongThread: the beginnings that a conversation needs count as long as it
// is there, and once however many share them.
func TestLongThread(t *testing.T) {
	both(t, Limits{Entries: 2, Bytes: 1 << 20}, func(t *testing.T, s *Store, _ *clock, again func() *Store) {
		for i := range 10 {
			s.Put("k", fmt.Sprint(i), Response{Before: s.Thread("k", fmt.Sprint(i-1)), Input: []byte("0123456789")})
		}
		if got, want := len(s.said(t, "k", "9")), 10*10+9; got != want {
			t.Errorf("the conversation has %d bytes, want %d", got, want)
		}
		for _, s := range []*Store{s, again()} {
			if want := 10*(10+turnOverhead) + 2*(overhead+2); s.size != want {
				t.Errorf("%d bytes are counted, want %d", s.size, want)
			}
		}
		before := s.Thread("k", "9")
		s.Put("x", "1", Response{})
		s.Put("x", "2", Response{})
		if want := 2 * (overhead + turnOverhead + 2); s.size != want {
			t.Fatalf("%d bytes are counted after the conversation was dropped, want %d", s.size, want)
		}
		s.Put("k", "10", Response{Before: before, Input: []byte("0123456789")}) // it was under way meanwhile
		if want := 11*(10+turnOverhead) + overhead + 3 + overhead + turnOverhead + 2; s.size != want {
			t.Errorf("%d bytes are counted, want %d", s.size, want)
		}
		if got, want := len(again().said(t, "k", "10")), 11*10+10; got != want {
			t.Errorf("the conversation has %d bytes, want %d", got, want)
		}
	})
}

func TestAge(t *testing.T) {
	both(t, wide, func(t *testing.T, s *Store, c *clock, again func() *Store) {
		s.Put("k", "old", Response{})
		c.t = c.t.Add(59 * time.Minute)
		if !s.holds("k", "old") || !again().holds("k", "old") {
			t.Error("it is gone before its time")
		}
		c.t = c.t.Add(2 * time.Minute)
		if again().holds("k", "old") || s.holds("k", "old") || s.order.Len() != 0 || s.size != 0 {
			t.Error("it is there after its time")
		}
		s.Put("k", "old", Response{})
		c.t = c.t.Add(2 * time.Hour)
		if s.Put("k", "new", Response{}); s.order.Len() != 1 {
			t.Error("what is too old stays until it is asked for")
		}
	})
}

func TestHomes(t *testing.T) {
	dir := t.TempDir()
	open := func() *Homes {
		h, err := OpenHomes(dir, shards*4, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		return h
	}
	h := open()
	h.Put("alice", "r1", "a")
	h.Put("bob", "r1", "b") // it is not bob's
	h.Put("alice", strings.Repeat("x", MaxID+1), "a")
	h.Put("alice", "", "a")
	h.Put("alice", "r\xff", "a")
	h.Put("alice", "r3", "a")
	h.Put("alice", "r3", "c") // it moved
	size := h.tape.Size()
	h.Put("alice", "r3", "c")
	if h.tape.Size() != size {
		t.Error("what is known is written down again")
	}
	for i, h := range []*Homes{h, open()} { // the next process knows the same
		for _, tc := range []struct {
			scope, id, account string
			own                bool
		}{
			{"alice", "r1", "a", true},
			{"bob", "r1", "", false},
			{"bob", "r2", "", true},
			{"alice", "", "", true},
			{"alice", strings.Repeat("x", MaxID+1), "", true},
			{"alice", "r3", "c", true},
		} {
			if account, own := h.Get(tc.scope, tc.id); account != tc.account || own != tc.own {
				t.Errorf("process %d, %s %.8q: %q %v, want %q %v", i, tc.scope, tc.id, account, own, tc.account, tc.own)
			}
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
	if most := int64(shards*4*homeSize + 2*homesFile); h.tape.Size() > most {
		t.Errorf("the files have %d bytes, want %d at most", h.tape.Size(), most)
	}
	if account, _ := open().Get("k", "9999"); account != "a" {
		t.Error("the last one is forgotten")
	}
}
