package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/journal"
	"portico/internal/llm"
)

// childEnv holds the data folder of a child that TestKill kills.
const childEnv = "PORTICO_KILL_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir, os.Stdout); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const killWriters = 4

// killed is the exchange number i of a child. What it holds follows from i and
// the ID, so that the parent can tell whether it came out whole. Every fifth is
// recorded twice; its first version is the one with the status 499.
func killed(i int, id string, start time.Time, final bool) *journal.Exchange {
	x := &journal.Exchange{
		ID: id, Start: start, Op: "chat", Inbound: "anthropic", Account: "account " + strconv.Itoa(i%7), Status: 200, BytesIn: int64(i),
		Usage:    llm.Usage{Input: int64(i), Output: 1},
		Attempts: []journal.Attempt{{Account: strings.Repeat("a", i%100), Status: 200, Took: time.Duration(i)}},
		Error:    strings.Repeat("e", i%4000),
	}
	if !final {
		x.Status, x.Partial = 499, true
	}
	return x
}

// child records until it is killed, and says what was promised: "R number id"
// once an exchange was recorded for good, "A name" once an account was added,
// "d name" before one is removed and "D name" after.
func child(dir string, out io.Writer) error {
	s, err := Open(dir, Options{Price: price})
	if err != nil {
		return err
	}
	j, err := journal.Open(dir, journal.Options{Keeper: s, Segment: 1, Keep: 5 * time.Millisecond})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if _, err := fmt.Fprintf(out, format+"\n", args...); err != nil {
			os.Exit(0) // the parent is gone
		}
	}
	say("up")
	failed := make(chan error, killWriters+2)
	ctx := context.Background()
	go func() { failed <- j.Run(ctx) }()
	var next atomic.Int64
	for range killWriters {
		go func() {
			for {
				i, id, start := int(next.Add(1)), journal.NewID(), time.Now()
				if i%5 == 0 {
					if err := j.Record(killed(i, id, start, false)); err != nil {
						failed <- err
						return
					}
				}
				if err := j.Record(killed(i, id, start, true)); err != nil {
					failed <- err
					return
				}
				say("R %d %s", i, id)
				time.Sleep(100 * time.Microsecond) // a load, not all that the machine can do
			}
		}()
	}
	go func() {
		for n := 0; ; n++ {
			name := strconv.Itoa(n)
			if _, err := s.AddAccount(ctx, account(name)); err != nil {
				failed <- err
				return
			}
			say("A %s", name)
			if n%3 == 0 {
				continue
			}
			say("d %s", name)
			if err := s.RemoveAccount(ctx, name, 0); err != nil {
				failed <- err
				return
			}
			say("D %s", name)
		}
	}()
	return <-failed
}

// TestKill kills a server's journal and store at random moments, with kill -9.
// After each: every exchange whose Record had returned is in the ledger once
// and whole, whatever else is there is whole too, every account that was added
// is there with its credential, every one that was removed is not, and it was
// all opened within two seconds. PORTICO_KILLS is how often, 15 by default.
func TestKill(t *testing.T) {
	rounds := 15
	if n, err := strconv.Atoi(os.Getenv("PORTICO_KILLS")); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	promised, slowest := 0, time.Duration(0)
	for round := range rounds {
		n, opened := killRound(t, dir, round)
		promised += n
		slowest = max(slowest, opened)
		if t.Failed() {
			break
		}
	}
	if promised == 0 {
		t.Error("nothing was ever recorded before the kill")
	}
	t.Logf("%d kills, %d exchanges promised and found, the slowest opening took %v", rounds, promised, slowest)
}

func killRound(t *testing.T, dir string, round int) (promised int, opened time.Duration) {
	t.Helper()
	began := time.Now()
	records, accounts := killChild(t, dir)

	begin := time.Now()
	s, err := Open(dir, Options{Price: price})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer s.Close()
	j, err := journal.Open(dir, journal.Options{Keeper: s, Segment: 1})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	opened = time.Since(begin)
	if opened > 2*time.Second {
		t.Errorf("round %d: it took %v to open", round, opened)
	}
	if err := j.Flush(t.Context()); err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	if stats := j.Stats(); stats.Unread > 0 || stats.Lost > 0 {
		t.Errorf("round %d: %+v", round, stats)
	}
	if err := j.Close(); err != nil {
		t.Fatalf("round %d: %v", round, err)
	}

	var got []Request
	for f := (Filter{Since: began, Limit: MaxPage}); ; {
		page, next, err := s.Requests(t.Context(), f)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got = append(got, page...)
		if f.Cursor = next; next == "" {
			break
		}
	}
	seen, others := make(map[string]bool), 0
	for _, r := range got {
		x := r.Exchange
		if seen[x.ID] {
			t.Errorf("round %d: %s is there twice", round, x.ID)
		}
		seen[x.ID] = true
		i, ok := records[x.ID]
		if !ok { // recorded, or so far that it came out whole, but not yet promised
			others++
			i = int(x.BytesIn)
		}
		if diff := cmp.Diff(killed(i, x.ID, x.Start, ok || x.Status == 200), x); diff != "" {
			t.Errorf("round %d (-want +got):\n%s", round, diff)
		}
	}
	for id, i := range records {
		if !seen[id] {
			t.Errorf("round %d: number %d, %s, was promised and is not there", round, i, id)
		}
	}
	if others > killWriters {
		t.Errorf("round %d: %d exchanges are there that were not promised, from %d writers", round, others, killWriters)
	}
	sum, err := s.Totals(t.Context(), Filter{Since: began})
	if err != nil || sum.Requests != int64(len(seen)) || sum.Output != sum.Requests {
		t.Errorf("round %d: the sum of %d is %+v, %v", round, len(seen), sum, err)
	}

	for name, want := range accounts {
		a, err := s.Account(t.Context(), name)
		if want == 'A' && (err != nil || a.Damage != "" || a.APIKey != account(name).APIKey) ||
			want == 'D' && err == nil {
			t.Errorf("round %d: account %s, %c: %v, damage %q", round, name, want, err, a.Damage)
		}
	}
	as, err := s.Accounts(t.Context())
	if err != nil {
		t.Errorf("round %d: %v", round, err)
	}
	for _, a := range as {
		if err := s.RemoveAccount(t.Context(), a.Name, 0); err != nil || a.Damage != "" {
			t.Errorf("round %d: %v, damage %q", round, err, a.Damage)
		}
	}
	if broken, _ := filepath.Glob(filepath.Join(dir, "*broken*")); len(broken) > 0 || len(s.Broken()) > 0 {
		t.Errorf("round %d: set aside: %v", round, broken)
	}
	return len(records), opened
}

// killChild starts a child, kills it at a random moment, and returns what it
// had promised: the numbers of exchanges by ID, and for each account the last
// letter that was said of it.
func killChild(t *testing.T, dir string) (records map[string]int, accounts map[string]byte) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Mostly under load, sometimes while it opens.
	after := time.Duration(rand.Int64N(int64(120 * time.Millisecond)))
	time.AfterFunc(after, func() { cmd.Process.Kill() })
	records, accounts = make(map[string]int), make(map[string]byte)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil { // the last line may be half a one, which promises nothing
			break
		}
		words := strings.Fields(line)
		switch words[0] {
		case "R":
			i, err := strconv.Atoi(words[1])
			if err != nil {
				t.Fatalf("the child says %q", line)
			}
			records[words[2]] = i
		case "A", "d", "D":
			accounts[words[1]] = words[0][0]
		case "up":
		default:
			t.Fatalf("the child says %q", line)
		}
	}
	cmd.Wait() // it was killed
	return records, accounts
}
