package store

import (
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/journal"
	"portico/internal/llm"
)

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{Price: price})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// price knows every model but "free-*".
func price(model string, u llm.Usage) (usd float64, known bool) {
	return float64(u.Total()) * 0.000_003, !strings.HasPrefix(model, "free-")
}

func keepAll(t testing.TB, s *Store, xs ...*journal.Exchange) {
	t.Helper()
	if err := s.Keep(xs); err != nil {
		t.Fatal(err)
	}
}

var begin = time.Date(2026, 10, 24, 12, 10, 0, 0, time.UTC)

// some returns n exchanges of all kinds, a few minutes apart, oldest first.
func some(n int) []*journal.Exchange {
	r := rand.New(rand.NewPCG(7, 7))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	xs := make([]*journal.Exchange, n)
	for i := range xs {
		x := &journal.Exchange{
			ID: fmt.Sprintf("req_%08d", i), Start: begin.Add(time.Duration(i)*7*time.Minute + time.Duration(r.IntN(1000))),
			Key: pick("default", "ci", ""), Client: pick("claude-cli/2.0", "codex/0.9", "100%_sure"), Session: pick("", "s1", "s2"), Op: pick("chat", "chat", "embed"),
			Inbound: pick("anthropic", "openai-chat"), Outbound: pick("anthropic", "gemini"), Asked: pick("claude-x", "gpt-y", "free-z"),
			Account: pick("work", "home", "a_b"), Status: 200, Took: time.Duration(r.IntN(1e9)), BytesIn: int64(r.IntN(1e6)),
			Usage:   llm.Usage{Input: int64(r.IntN(1000)), CacheRead: int64(r.IntN(1000)), CacheWrite: int64(20 + r.IntN(50)), CacheHour: int64(r.IntN(20)), Output: int64(r.IntN(100)), Reasoning: int64(r.IntN(10))},
			Partial: r.IntN(9) == 0, Estimated: r.IntN(7) == 0,
		}
		x.Served = pick(x.Asked, "gpt-y", "")
		if r.IntN(5) == 0 {
			x.Status, x.Fault, x.Usage = 429, pick("rate_limited", "broken"), llm.Usage{}
			x.Attempts = []journal.Attempt{{Account: x.Account, Status: 429, Fault: x.Fault, Took: 5}}
		}
		xs[i] = x
	}
	return xs
}

// TestKeepsEveryField: whatever fields an exchange has, the ledger gives them
// back.
func TestKeepsEveryField(t *testing.T) {
	s := open(t, t.TempDir())
	x := new(journal.Exchange)
	n := 0
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		n++
		switch {
		case v.Type() == reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(begin.Add(time.Duration(n))))
		case v.Kind() == reflect.String:
			v.SetString(fmt.Sprint("text ", n))
		case v.Kind() == reflect.Bool:
			v.SetBool(true)
		case v.CanInt():
			v.SetInt(int64(n) << 20)
		case v.Kind() == reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(v.Index(0))
			fill(v.Index(1))
		default:
			for _, f := range v.Fields() {
				fill(f)
			}
		}
	}
	fill(reflect.ValueOf(x).Elem())
	keepAll(t, s, x)
	got, ok, err := s.Request(t.Context(), x.ID)
	if err != nil || !ok {
		t.Fatalf("found %v, %v", ok, err)
	}
	if diff := cmp.Diff(x, got.Exchange); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if want, _ := price("", x.Usage); !got.Priced || math.Abs(got.USD-want) > 1e-9 {
		t.Errorf("cost %v %v, want %v", got.USD, got.Priced, want)
	}
	if _, ok, err := s.Request(t.Context(), "req_none"); ok || err != nil {
		t.Errorf("a request that never was: %v, %v", ok, err)
	}
}

// rows returns the whole ledger as text.
func rows(t testing.TB, s *Store) (all []string) {
	t.Helper()
	rows, err := s.ledger.write.QueryContext(t.Context(), "SELECT "+columns+" FROM exchanges ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		values := make([]any, strings.Count(columns, ",")+1)
		targets := make([]any, len(values))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(values...))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestKeepTwice: exchanges that come again, in other batches, change nothing.
func TestKeepTwice(t *testing.T) {
	s := open(t, t.TempDir())
	xs := some(500)
	for _, x := range xs[:50] {
		x.Start = begin // one place wanted by many
	}
	keepAll(t, s, xs...)
	want := rows(t, s)
	if len(want) != 500 {
		t.Fatalf("%d rows", len(want))
	}
	keepAll(t, s, xs[300:]...)
	keepAll(t, s, xs[:400]...)
	if diff := cmp.Diff(want, rows(t, s)); diff != "" {
		t.Errorf("-once +again:\n%s", diff)
	}
}

// TestKeepReplaces: the later exchange of an ID counts, in one batch and in
// another, also if it began elsewhere.
func TestKeepReplaces(t *testing.T) {
	s := open(t, t.TempDir())
	xs := some(20)
	one, two, three := *xs[3], *xs[3], *xs[3]
	one.Status, two.Status, three.Status = 499, 502, 200
	three.Start = three.Start.Add(time.Hour)
	three.Usage = llm.Usage{Input: 1_000_000}
	keepAll(t, s, append(xs, &one, &two)...)
	for _, want := range []*journal.Exchange{&two, &three} {
		keepAll(t, s, want)
		got, _, err := s.Request(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Exchange); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	if got, _, _ := s.Request(t.Context(), three.ID); got.USD != 3 {
		t.Errorf("cost %v, want that of the later exchange", got.USD)
	}
	if n := len(rows(t, s)); n != 20 {
		t.Errorf("%d rows", n)
	}
}

// TestKeepTogether: what is written by one statement is as if it was written
// row by row, with the same ID twice or the same place wanted twice.
func TestKeepTogether(t *testing.T) {
	for at := range together - 1 {
		for _, same := range []string{"id", "place"} {
			s := open(t, t.TempDir())
			xs := some(together - 1)
			x := *xs[at]
			x.Status = 777
			if same == "place" {
				x.ID = xs[at].ID + "'"
				for position(&x)&0xff != position(xs[at])&0xff {
					x.ID += "'"
				}
			}
			keepAll(t, s, slices.Insert(xs, at+1, &x)...)
			want := together
			if same == "id" {
				want--
			}
			if got := rows(t, s); len(got) != want {
				t.Errorf("the same %s at %d: %d rows, want %d", same, at, len(got), want)
			}
			if got, ok, err := s.Request(t.Context(), x.ID); !ok || err != nil || got.Status != 777 {
				t.Errorf("the same %s at %d: %v, %v, %v", same, at, got.Exchange, ok, err)
			}
		}
	}
}

// TestKeepTakesAnything: no text, time or number of an exchange makes Keep
// fail, because it would be told the same for ever.
func TestKeepTakesAnything(t *testing.T) {
	s := open(t, t.TempDir())
	bad := "a\xff\x00b'\"; DROP TABLE exchanges; --"
	x := &journal.Exchange{
		ID: bad, Key: bad, Client: bad, Op: bad, Path: bad, Inbound: bad, Asked: bad, Served: bad, Account: bad, Fault: bad, Error: bad,
		Usage: llm.Usage{Input: -1 << 63, Output: 1<<63 - 1}, Took: -1, Status: -1,
		Attempts: []journal.Attempt{{Account: bad, Error: bad}}, Losses: []string{bad},
	}
	old, far := *x, *x
	old.ID, old.Start = "old", time.Time{}
	far.ID, far.Start = "far", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	keepAll(t, s, x, &old, &far)
	mended := "a\uFFFD\uFFFDb'\"; DROP TABLE exchanges; --"
	got, ok, err := s.Request(t.Context(), mended)
	if err != nil || !ok {
		t.Fatalf("found %v, %v", ok, err)
	}
	if got.Error != mended || got.Losses[0] != mended || got.Attempts[0].Error != mended {
		t.Errorf("%q, %q", got.Error, got.Losses)
	}
	page, _, err := s.Requests(t.Context(), Filter{})
	if err != nil || len(page) != 3 || page[0].ID != "far" || page[2].Start.Year() != 1970 {
		t.Errorf("%d rows, %v", len(page), err)
	}
	sum, err := s.Totals(t.Context(), Filter{})
	if err != nil || sum.Input != 0 || sum.Output != 3*maxTokens {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestCost(t *testing.T) {
	s := open(t, t.TempDir())
	for _, c := range []struct {
		served, asked string
		usage         llm.Usage
		usd           float64
		priced        bool
	}{
		{"claude-x", "free-z", llm.Usage{Input: 1000}, 0.003, true},
		{"", "claude-x", llm.Usage{Output: 1}, 0.000_003, true},
		{"free-z", "claude-x", llm.Usage{Input: 1000}, 0, false},
		{"free-z", "", llm.Usage{}, 0, true},
		{"claude-x", "", llm.Usage{Output: 3_000_000_000}, 9000, true},
		{"claude-x", "", llm.Usage{Output: 4_000_000_000}, 0, false},
	} {
		c0 := s.cost(&journal.Exchange{Served: c.served, Asked: c.asked, Usage: c.usage})
		if dollars(c0) != c.usd || c0.Valid != c.priced {
			t.Errorf("%+v: %v, %v", c, dollars(c0), c0.Valid)
		}
	}
	s.o.Price = func(string, llm.Usage) (float64, bool) { return 1e300, true }
	if c := s.cost(&journal.Exchange{Usage: llm.Usage{Input: 1}}); c.Valid {
		t.Errorf("a price that is none: %v", c)
	}
}

// TestAllOrNone: a batch of which one cannot be kept is not kept.
func TestAllOrNone(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.ledger.write.ExecContext(t.Context(), "CREATE TRIGGER stop BEFORE INSERT ON exchanges WHEN NEW.status = 777 BEGIN SELECT RAISE(ABORT, 'no room'); END"); err != nil {
		t.Fatal(err)
	}
	xs := some(10)
	xs[7].Status = 777
	if err := s.Keep(xs); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Fatalf("Keep: %v", err)
	}
	if n := len(rows(t, s)); n != 0 {
		t.Errorf("%d rows are there", n)
	}
	keepAll(t, s, slices.Delete(xs, 7, 8)...)
	if n := len(rows(t, s)); n != 9 {
		t.Errorf("%d rows", n)
	}
}

// TestSynchronous: a commit waits for the disk, which Keep promises the
// journal.
func TestSynchronous(t *testing.T) {
	s := open(t, t.TempDir())
	for _, db := range []*sql.DB{s.ledger.write, s.accounts.write} {
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "auto_vacuum": "2"} {
			var got string
			if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
			}
		}
	}
}

// TestOlderLedger: a ledger of the first schema is read, and its exchanges have
// nothing that is kept for an hour.
func TestOlderLedger(t *testing.T) {
	dir := t.TempDir()
	old := &database{path: filepath.Join(dir, ledgerFile), migrations: ledgerMigrations[:1], log: discard}
	if err := old.open(); err != nil {
		t.Fatal(err)
	}
	first := `INSERT INTO exchanges (n, start, id, key, client, session, op, inbound, outbound, asked, served, account, fault, status,
		input, cache_read, cache_write, output, reasoning, cost, estimated, partial, rest) VALUES (1, 1, 'old', '', '', '', 'chat', '', '', '', '', '', '', 200, 1, 2, 3, 4, 5, NULL, 0, 0, ?)`
	err := old.use(func(write, _ *sql.DB) error {
		_, err := write.Exec(first, journal.Append(nil, &journal.Exchange{}))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	old.close()
	s := open(t, dir)
	keepAll(t, s, &journal.Exchange{ID: "new", Start: begin, Usage: llm.Usage{CacheWrite: 9, CacheHour: 7, AudioIn: 2, ImageOut: 3, Searches: 4}})
	for id, want := range map[string]llm.Usage{"old": {Input: 1, CacheRead: 2, CacheWrite: 3, Output: 4, Reasoning: 5}, "new": {CacheWrite: 9, CacheHour: 7, AudioIn: 2, ImageOut: 3, Searches: 4}} {
		if got, ok, err := s.Request(t.Context(), id); err != nil || !ok || got.Usage != want {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
	sums, err := s.Usage(t.Context(), UsageQuery{})
	if want := (llm.Usage{Input: 1, CacheRead: 2, CacheWrite: 12, CacheHour: 7, Output: 4, Reasoning: 5, AudioIn: 2, ImageOut: 3, Searches: 4}); err != nil || len(sums) != 1 || sums[0].Usage != want {
		t.Errorf("%+v, %v", sums, err)
	}
}
