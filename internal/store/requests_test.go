package store

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/journal"
)

// wants reports whether f wants x, in Go.
func wants(f Filter, x *journal.Exchange) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	fold := func(s string) bool {
		return len(f.Text) < 1000 && strings.Contains(strings.ToLower(s), strings.ToLower(f.Text))
	}
	return (f.Since.IsZero() || !x.Start.Before(f.Since)) && (f.Until.IsZero() || x.Start.Before(f.Until)) &&
		is(f.Account, x.Account) && is(f.Key, x.Key) && is(f.Client, x.Client) && is(f.Session, x.Session) &&
		is(f.Protocol, x.Inbound) && is(f.Outbound, x.Outbound) && is(f.Op, x.Op) &&
		(f.Model == "" || f.Model == x.Asked || f.Model == x.Served || f.Model == "*ude-*" && (x.Asked == "claude-x" || x.Served == "claude-x")) &&
		x.Usage.Total() >= f.MinTokens && x.Took >= f.MinTook &&
		(f.Fault == "" || f.Fault == "any" && x.Fault != "" || f.Fault == "none" && x.Fault == "" || f.Fault == x.Fault) &&
		(f.MinStatus == 0 || x.Status >= f.MinStatus) && (f.MaxStatus == 0 || x.Status <= f.MaxStatus) &&
		(f.Text == "" || fold(x.ID) || fold(x.Asked) || fold(x.Served) || fold(x.Account))
}

func filters(xs []*journal.Exchange) map[string]Filter {
	return map[string]Filter{
		"all":          {},
		"since":        {Since: xs[100].Start},
		"just after":   {Since: xs[100].Start.Add(1)},
		"until":        {Until: xs[100].Start},
		"between":      {Since: xs[50].Start, Until: xs[60].Start.Add(1)},
		"never":        {Until: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)},
		"always":       {Since: time.Unix(0, 0), Until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
		"account":      {Account: "work"},
		"model":        {Model: "gpt-y"},
		"models":       {Model: "*ude-*"},
		"no models":    {Model: "ude-*"},
		"many stars":   {Model: strings.Repeat("*a", 128)},
		"large":        {MinTokens: 1500},
		"slow":         {MinTook: time.Second / 2},
		"slow, failed": {MinTook: time.Second / 2, Fault: "any"},
		"key":          {Key: "ci"},
		"client":       {Client: "100%_sure"},
		"session":      {Session: "s1"},
		"protocol":     {Protocol: "anthropic"},
		"outbound":     {Outbound: "gemini"},
		"op":           {Op: "embed"},
		"served":       {Fault: "none"},
		"failed":       {Fault: "any"},
		"fault":        {Fault: "broken"},
		"status":       {MinStatus: 400, MaxStatus: 499},
		"text":         {Text: "CLAUDE"},
		"text in id":   {Text: "_0000001"},
		"wildcard":     {Text: "%"},
		"underscore":   {Text: "a_b"},
		"backslash":    {Text: `\`},
		"many percent": {Text: strings.Repeat("%", 200)},
		"quote":        {Text: "' OR 1=1--", Account: "work"},
		"injection":    {Account: "' OR 1=1--", Model: "\x00"},
		"long":         {Text: strings.Repeat("é", 1<<19)},
		"together":     {Account: "home", Fault: "any", Since: xs[10].Start, Text: "y", MinStatus: 200},
	}
}

func TestFilters(t *testing.T) {
	s := open(t, t.TempDir())
	xs := some(300)
	keepAll(t, s, xs...)
	for name, f := range filters(xs) {
		var want []string
		for _, x := range slices.Backward(xs) {
			if wants(f, x) {
				want = append(want, x.ID)
			}
		}
		f.Limit = MaxPage
		page, next, err := s.Requests(t.Context(), f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, r := range page {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, want) || next != "" {
			t.Errorf("%s: got %d, want %d; next %q", name, len(got), len(want), next)
		}
	}
}

// TestPaging: every request is on exactly one page, newest first, whatever is
// kept, replaced or pruned meanwhile.
func TestPaging(t *testing.T) {
	s := open(t, t.TempDir())
	xs := some(150)
	for i := range 40 {
		xs[i].Start = begin // one microsecond
	}
	for _, limit := range []int{1, 7, 100, 149, 150, 151} {
		for _, f := range []Filter{{}, {Account: "work"}, {Fault: "any"}} {
			if _, err := s.ledger.write.ExecContext(t.Context(), "DELETE FROM exchanges"); err != nil {
				t.Fatal(err)
			}
			keepAll(t, s, xs...)
			f.Limit = limit
			var got []string
			for pages := 0; ; pages++ {
				page, next, err := s.Requests(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for i, r := range page {
					if i > 0 && r.Start.After(page[i-1].Start) {
						t.Fatalf("%s is older than what comes after it", page[i-1].ID)
					}
					got = append(got, r.ID)
				}
				if next == "" {
					break
				}
				if len(page) != limit {
					t.Fatalf("a page of %d that is not the last", len(page))
				}
				f.Cursor = next
				if pages == 1 {
					newer, again := *xs[5], *xs[6]
					newer.ID, newer.Start = "newer", xs[149].Start.Add(time.Hour)
					keepAll(t, s, &newer, &again)
				}
			}
			n := 0
			for _, x := range xs {
				if wants(Filter{Account: f.Account, Fault: f.Fault}, x) {
					n++
					if !slices.Contains(got, x.ID) {
						t.Fatalf("%s is on no page of %d", x.ID, limit)
					}
				}
			}
			if len(got) != n {
				t.Fatalf("%d on pages of %d, want %d", len(got), limit, n)
			}
		}
	}
}

func TestPageBounds(t *testing.T) {
	s := open(t, t.TempDir())
	keepAll(t, s, some(MaxPage+10)...)
	for limit, want := range map[int]int{0: DefaultPage, -1: DefaultPage, 1: 1, MaxPage + 5: MaxPage} {
		page, _, err := s.Requests(t.Context(), Filter{Limit: limit})
		if err != nil || len(page) != want {
			t.Errorf("limit %d: %d rows, %v", limit, len(page), err)
		}
	}
	for _, c := range []string{"x y", "zzzzzzzzzzzzzzzzzzzz", "1;DROP TABLE exchanges", "\xff"} {
		if _, _, err := s.Requests(t.Context(), Filter{Cursor: c}); !errors.Is(err, ErrCursor) {
			t.Errorf("cursor %q: %v", c, err)
		}
	}
}

// TestLooksAtSoManyRequests: a page that has to read requests to know whether
// they are wanted ends somewhere, and the next goes on from there.
func TestLooksAtSoManyRequests(t *testing.T) {
	s := open(t, t.TempDir())
	xs := some(maxLook + 50)
	xs[3].Took = time.Hour
	keepAll(t, s, xs...)
	f := Filter{MinTook: time.Hour}
	page, next, err := s.Requests(t.Context(), f)
	if err != nil || len(page) != 0 || next == "" {
		t.Fatalf("got %d, next %q, %v; want none and a page after it", len(page), next, err)
	}
	f.Cursor = next
	page, next, err = s.Requests(t.Context(), f)
	if err != nil || len(page) != 1 || page[0].ID != xs[3].ID || next != "" {
		t.Fatalf("got %d, next %q, %v; want the one", len(page), next, err)
	}
}
