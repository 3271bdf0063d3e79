package store

import (
	"errors"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRules(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := t.Context()
	a, err := s.AddRule(ctx, Rule{Deny: true, Range: netip.MustParsePrefix("10.0.0.0/8"), Reason: "noise", Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddRule(ctx, Rule{Range: netip.MustParsePrefix("10.0.0.0/8")}); !errors.Is(err, ErrRuleTaken) {
		t.Errorf("the same range: %v", err)
	}
	b, err := s.AddRule(ctx, Rule{Range: netip.MustParsePrefix("2001:db8::/32"), Expires: time.Now().Add(-2 * forgetRules)})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Rules(ctx); err != nil || len(got) != 2 || got[1].ID != b.ID {
		t.Errorf("got %+v, %v", got, err)
	}
	c, err := s.AddRule(ctx, Rule{Range: netip.MustParsePrefix("192.0.2.1/32")}) // b is forgotten
	if err != nil {
		t.Fatal(err)
	}
	if err := s.KeepNotes(ctx, nil, map[string]int64{a.ID: 3}, time.Now()); err != nil {
		t.Error(err)
	}
	if err := s.KeepNotes(ctx, nil, map[string]int64{a.ID: 4, c.ID: 1}, a.Created); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	got, err := s.Rules(ctx)
	if diff := cmp.Diff([]Rule{a, c}, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if hits, err := s.RuleHits(ctx); err != nil || hits[a.ID].Hits != 7 || !hits[a.ID].Last.Equal(a.Created) || hits[c.ID].Hits != 1 {
		t.Errorf("hits %v, %v", hits, err)
	}
	if err := errors.Join(s.RemoveRule(ctx, a.ID), s.ForgetHits(ctx, a.ID)); err != nil {
		t.Error(err)
	}
	if err := s.RemoveRule(ctx, a.ID); !errors.Is(err, ErrNoRule) {
		t.Errorf("removing it twice: %v", err)
	}
	if hits, _ := s.RuleHits(ctx); len(hits) != 1 {
		t.Errorf("hits %v", hits)
	}
}

func TestNotes(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	var notes []Note
	for i := range 30 {
		x := at.Add(time.Duration(i) * time.Minute)
		notes = append(notes, Note{First: x, Last: x.Add(time.Second), Peer: "10.0.0." + strconv.Itoa(i%3), Key: "k" + strconv.Itoa(i%2), Code: "invalid_key", Path: "/v1/\x00", Count: int64(i)})
	}
	if err := s.KeepNotes(ctx, notes, nil, at); err != nil {
		t.Fatal(err)
	}
	var got []Note
	cursor := ""
	for {
		some, next, err := s.Notes(ctx, Past{Limit: 7, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, some...)
		if cursor = next; next == "" {
			break
		}
	}
	if len(got) != 30 || got[0].Count != 29 || got[29].Count != 0 || got[0].Path != "/v1/\uFFFD" || !got[0].Last.Equal(notes[29].Last) {
		t.Errorf("%d notes, the first %+v", len(got), got[0])
	}
	for _, tt := range []struct {
		p    Past
		want int
	}{
		{Past{Peer: "10.0.0.1"}, 10},
		{Past{Key: "k1"}, 15},
		{Past{What: "invalid_key"}, 30},
		{Past{What: "' OR 1=1 --"}, 0},
		{Past{Since: at.Add(20 * time.Minute)}, 10},
		{Past{Until: at.Add(5 * time.Minute)}, 5},
	} {
		if some, _, err := s.Notes(ctx, tt.p); err != nil || len(some) != tt.want {
			t.Errorf("%+v: %d, %v, want %d", tt.p, len(some), err, tt.want)
		}
	}
	if _, _, err := s.Notes(ctx, Past{Cursor: "!"}); !errors.Is(err, ErrCursor) {
		t.Errorf("a cursor from elsewhere: %v", err)
	}
}

// TestNotesAreBounded: the latest are kept, and no more than that.
func TestNotesAreBounded(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	for n := range 3 {
		notes := make([]Note, MaxNotes/2)
		for i := range notes {
			notes[i].Count = int64(n*len(notes) + i)
		}
		if err := s.KeepNotes(ctx, notes, nil, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	var n, oldest int64
	if err := s.ledger.read.QueryRowContext(ctx, "SELECT count(*), min(count) FROM notes").Scan(&n, &oldest); err != nil || n != MaxNotes || oldest != MaxNotes/2 {
		t.Errorf("%d are kept, from %d on, %v", n, oldest, err)
	}
	if _, err := s.ledger.write.ExecContext(ctx, "INSERT INTO acts (n, at, who, peer, what, whom) VALUES (1, 1, '', '', 'old', ''), (?, 1, '', '', 'late', '')", MaxActs+1); err != nil {
		t.Fatal(err)
	}
	act := Act{At: time.Unix(5, 0).UTC(), Who: "token", Peer: "127.0.0.1", What: "add-key", Whom: "ci"}
	if err := s.KeepAct(ctx, act); err != nil {
		t.Fatal(err)
	}
	acts, _, err := s.Acts(ctx, Past{Key: "x"})
	if err != nil || len(acts) != 2 || acts[0] != act || acts[1].What != "late" {
		t.Errorf("got %+v, %v", acts, err)
	}
	if acts, _, err := s.Acts(ctx, Past{What: "add-key", Peer: "127.0.0.1"}); err != nil || len(acts) != 1 {
		t.Errorf("got %+v, %v", acts, err)
	}
}
