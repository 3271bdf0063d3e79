package session

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// shelf is a Keeper in memory.
type shelf struct {
	rows     map[string]Record
	password string
	failed   error
	saved    int
}

func (s *shelf) Sessions(context.Context) ([]Record, string, error) {
	return slices.Collect(maps.Values(s.rows)), s.password, s.failed
}

func (s *shelf) PutSession(_ context.Context, r *Record) error {
	if s.failed == nil {
		s.rows[r.ID] = *r
	}
	return s.failed
}

func (s *shelf) SeeSessions(_ context.Context, rs []Record) error {
	s.saved++
	for _, r := range rs {
		s.rows[r.ID] = r
	}
	return s.failed
}

func (s *shelf) EndSessions(_ context.Context, ids []string) error {
	if s.failed == nil {
		for _, id := range ids {
			delete(s.rows, id)
		}
	}
	return s.failed
}

func (s *shelf) PutPassword(_ context.Context, hash string) error {
	if s.failed == nil {
		clear(s.rows)
		s.password = hash
	}
	return s.failed
}

func open(t *testing.T, s *shelf) *Book {
	t.Helper()
	b, err := Open(t.Context(), s, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func begin(t *testing.T, b *Book, agent string) (string, Record) {
	t.Helper()
	token, r, err := b.Begin(t.Context(), Visitor{Host: "127.0.0.1:8045", Address: "127.0.0.1", Agent: agent, Way: "token"})
	if err != nil {
		t.Fatal(err)
	}
	return token, r
}

const host = "127.0.0.1:8045"

func found(b *Book, token string) bool {
	_, ok := b.Find(token, host)
	return ok
}

func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{rows: map[string]Record{}}
		b := open(t, s)
		one, r := begin(t, b, "Mozilla/5.0\x1b[31m "+strings.Repeat("x", 500))
		if strings.Contains(r.Agent, "\x1b") || len(r.Agent) > maxAgent || !strings.HasPrefix(r.Agent, "Mozilla/5.0[31m x") {
			t.Errorf("the browser is called %q", r.Agent)
		}
		for _, kept := range s.rows {
			if kept.Digest == (Digest{}) || strings.Contains(kept.ID+kept.Agent+string(kept.Digest[:]), one) {
				t.Errorf("kept is %+v", kept)
			}
		}
		for name, ok := range map[string]bool{
			"the token": found(b, one), "another token": !found(b, one+"x"), "no token": !found(b, ""), "the id": !found(b, r.ID),
		} {
			if !ok {
				t.Errorf("%s is judged wrongly", name)
			}
		}
		if _, ok := b.Find(one, "localhost:8045"); ok {
			t.Error("it is good for another host")
		}

		time.Sleep(Idle - time.Second)
		if !found(b, one) {
			t.Error("it ended before a day without a request")
		}
		s.failed = errors.New("the disk is full")
		if err := b.save(t.Context()); err == nil {
			t.Error("nobody was told that the disk is full")
		}
		s.failed, s.saved = nil, 0
		if err := b.save(t.Context()); err != nil || s.saved != 1 {
			t.Errorf("saved %d times, %v", s.saved, err)
		}
		if err := b.save(t.Context()); err != nil || s.saved != 1 {
			t.Errorf("nothing new was saved %d times, %v", s.saved, err)
		}
		again := open(t, s) // a restart
		if !found(again, one) {
			t.Error("a restart ended it")
		}
		time.Sleep(Idle)
		if found(b, one) || len(b.List()) > 0 {
			t.Error("it lives after a day without a request")
		}
		if b := open(t, s); found(b, one) || len(s.rows) > 0 {
			t.Errorf("a restart brings it back, or keeps it: %v", s.rows)
		}

		two, _ := begin(t, b, "")
		for range 29 * 2 {
			time.Sleep(Idle / 2)
			if !found(b, two) {
				t.Fatal("it ended while it was used")
			}
		}
		time.Sleep(Idle / 2)
		found(b, two)
		time.Sleep(Idle / 2)
		if found(b, two) {
			t.Error("it lives after thirty days")
		}
	})
}

func TestSessionsAreEnded(t *testing.T) {
	s := &shelf{rows: map[string]Record{}}
	b := open(t, s)
	one, r := begin(t, b, "")
	two, _ := begin(t, b, "")
	s.failed = errors.New("the disk is full")
	if err := b.End(t.Context(), r.ID); err == nil || !found(b, one) {
		t.Errorf("what could not be kept ended all the same: %v", err)
	}
	s.failed = nil
	if err := b.End(t.Context(), r.ID); err != nil || found(b, one) || !found(b, two) || len(s.rows) != 1 {
		t.Errorf("ending one: %v", err)
	}
	if err := b.End(t.Context(), r.ID); !errors.Is(err, ErrNone) {
		t.Errorf("ending it again: %v", err)
	}
	if n, err := b.EndAll(t.Context()); n != 1 || err != nil || found(b, two) || len(s.rows) != 0 {
		t.Errorf("ending all: %d, %v", n, err)
	}
}

// TestSessionsAreBounded: of too many the ones that were idle longest end.
func TestSessionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{rows: map[string]Record{}}
		b := open(t, s)
		first, _ := begin(t, b, "")
		time.Sleep(time.Second)
		second, _ := begin(t, b, "")
		time.Sleep(time.Second)
		found(b, first)
		for range MaxSessions - 1 {
			time.Sleep(time.Second)
			begin(t, b, "")
		}
		if n := len(b.List()); n != MaxSessions || len(s.rows) != n {
			t.Errorf("%d sessions, %d kept", n, len(s.rows))
		}
		if found(b, second) || !found(b, first) {
			t.Error("another one had to end")
		}
	})
}

func TestLaunch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, &shelf{rows: map[string]Record{}})
		code, _ := b.Launch()
		if b.Redeem(code+"x") || b.Redeem("") || !b.Redeem(code) || b.Redeem(code) {
			t.Error("a code is good once, and no other is")
		}
		code, ends := b.Launch()
		time.Sleep(time.Until(ends))
		if b.Redeem(code) {
			t.Error("it is good after its end")
		}
		oldest, _ := b.Launch()
		for range maxCodes {
			code, _ = b.Launch()
		}
		if b.Redeem(oldest) || !b.Redeem(code) || len(b.codes) != maxCodes-1 {
			t.Errorf("of too many codes the oldest ends; there are %d", len(b.codes))
		}
	})
}
