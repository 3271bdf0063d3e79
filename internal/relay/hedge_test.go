package relay

import (
	"fmt"
	"testing"
	"time"

	"portico/internal/protocol"
)

// TestSuits is which calls may be put to two accounts.
func TestSuits(t *testing.T) {
	on := &Hedge{Share: 0.1, MaxInput: 1000}
	all := &Hedge{Share: 0.1}
	chat := chance{op: protocol.Chat, legs: 1, tokens: 1000}
	with := func(change func(*chance)) chance { c := chat; change(&c); return c }
	for _, tt := range []struct {
		name string
		h    *Hedge
		c    chance
		want bool
	}{
		{"a turn", on, chat, true},
		{"a completion", on, with(func(c *chance) { c.op = protocol.Complete }), true},
		{"off", nil, chat, false},
		{"no share", &Hedge{MaxInput: 1000}, chat, false},
		{"too large", on, with(func(c *chance) { c.tokens++ }), false},
		{"any size", all, with(func(c *chance) { c.tokens = 1e9 }), true},
		{"a file", all, with(func(c *chance) { c.op = protocol.Other }), false},
		{"a count", all, with(func(c *chance) { c.op = protocol.Count }), false},
		{"embeddings", all, with(func(c *chance) { c.op = protocol.Embed }), false},
		{"several requests for one", all, with(func(c *chance) { c.legs = 2 }), false},
		{"only once", all, with(func(c *chance) { c.once = true }), false},
		{"asked already", all, with(func(c *chance) { c.asked = true }), false},
	} {
		if got := tt.h.suits(tt.c); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestHedgeWait(t *testing.T) {
	fixed, learned := &Hedge{After: 2 * time.Second}, &Hedge{After: 2 * time.Second, Quantile: 0.95}
	for _, tt := range []struct {
		h     *Hedge
		usual time.Duration
		known bool
		want  time.Duration
		ok    bool
	}{
		{fixed, 0, false, 2 * time.Second, true},
		{fixed, 9 * time.Second, true, 2 * time.Second, true},
		{learned, 9 * time.Second, true, 9 * time.Second, true},
		{learned, time.Second, true, 2 * time.Second, true},
		{learned, 0, false, 0, false},
	} {
		if got, ok := tt.h.wait(tt.usual, tt.known); got != tt.want || ok != tt.ok {
			t.Errorf("%+v, %v: %v %v, want %v %v", tt.h, tt.usual, got, ok, tt.want, tt.ok)
		}
	}
}

// TestPurse: of how many calls how many can be put to two.
func TestPurse(t *testing.T) {
	for _, tt := range []struct {
		share float64
		idle  int64 // calls before the first that wants to
		want  int   // of 1000 that all want to
	}{
		{0.1, 0, 100}, {0.05, 0, 50}, {1, 0, 1000}, {0, 0, 0}, {0.1, 1e9, 100 + maxHedges},
	} {
		var p purse
		calls, got := tt.idle, 0
		if tt.idle > 0 && p.spend(calls, tt.share) {
			p.back()
		}
		for range 1000 {
			calls++
			if p.spend(calls, tt.share) {
				got++
			}
		}
		if got < tt.want-1 || got > tt.want+1 {
			t.Errorf("share %v after %d: %d of 1000, want %d", tt.share, tt.idle, got, tt.want)
		}
	}
}

// TestSpread: what is said of a quantile is within a range of the truth, and old
// answers fade.
func TestSpread(t *testing.T) {
	var s spread
	for i := range enough - 1 {
		s.add(time.Duration(i+1) * time.Second)
		if d, known := s.quantile(0.5); known {
			t.Fatalf("%v is known after %d answers", d, i+1)
		}
	}
	near := func(q float64, want time.Duration) {
		t.Helper()
		d, known := s.quantile(q)
		if !known || float64(d) < float64(want)*0.99 || float64(d) > float64(want)*wider*wider {
			t.Errorf("quantile %v is %v %v, want %v and a little", q, d, known, want)
		}
	}
	for i := range 1000 {
		s.add(time.Duration(i%100+1) * 100 * time.Millisecond)
	}
	near(0.5, 5*time.Second)
	near(0.95, 9500*time.Millisecond)
	for range 5 * fading {
		s.add(time.Second)
	}
	near(0.95, time.Second)
	s.add(24 * time.Hour)
	s.add(0)
	if s.counts[0] != 1 || s.counts[ranges-1] == 0 {
		t.Errorf("what is out of all ranges is not in the outermost: %v", s.counts)
	}
}

// TestSpreadsBound: clients choose the names of models.
func TestSpreadsBound(t *testing.T) {
	var s spreads
	for i := range 2 * maxSpreads {
		k := spreadKey{"a", fmt.Sprint(i), false}
		if x := s.of(k); x != s.of(k) {
			t.Fatal("one key has two spreads")
		}
	}
	if len(s.by) != maxSpreads {
		t.Errorf("%d spreads are kept, want %d", len(s.by), maxSpreads)
	}
}
