package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ledger is a Keeper in memory.
type ledger struct {
	mu   sync.Mutex
	by   map[string]*Exchange
	told int // exchanges, repetitions included
	err  error
}

func (l *ledger) Keep(xs []*Exchange) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if l.by == nil {
		l.by = make(map[string]*Exchange)
	}
	for _, x := range xs {
		l.by[x.ID] = x
		l.told++
	}
	return nil
}

func (l *ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *ledger) counts() (kept, told int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.by), l.told
}

func open(t testing.TB, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// run runs j until the returned function is called, which waits for its end.
func run(t testing.TB, j *Journal) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func exchange(i int) *Exchange {
	x := typical()
	x.ID = fmt.Sprintf("req_%026d", i)
	x.BytesIn = int64(i)
	return x
}

func record(t testing.TB, j *Journal, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := j.Record(exchange(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func files(t testing.TB, dir, suffix string) int {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, folder, "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	return len(paths)
}

// TestCrash: what was recorded is there for the next process, which is told
// once.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	const n = 2500 // more than two batches
	record(t, open(t, dir, Options{}), 0, n)

	var replayed []*Exchange
	if err := Replay(dir, func(x *Exchange) error { replayed = append(replayed, x); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(replayed) != n {
		t.Fatalf("replayed %d of %d", len(replayed), n)
	}
	for i, x := range replayed {
		if diff := cmp.Diff(exchange(i), x); diff != "" {
			t.Fatal(diff)
		}
	}

	var l ledger
	j := open(t, dir, Options{Keeper: &l})
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, told := l.counts(); kept != n || told != n {
		t.Fatalf("kept %d and told %d of %d", kept, told, n)
	}
	record(t, j, n, n+10)
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}

	// That one crashes too, after all was kept.
	j = open(t, dir, Options{Keeper: &l})
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, told := l.counts(); kept != n+10 || told != n+10 {
		t.Errorf("kept %d and told %d of %d", kept, told, n+10)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir, ""); got > 0 {
		t.Errorf("%d files are left though all is kept", got)
	}
}

// TestMarkIsOnlySaving: without the note of what is kept, all is told again
// and nothing is missing.
func TestMarkIsOnlySaving(t *testing.T) {
	dir := t.TempDir()
	var l ledger
	j := open(t, dir, Options{Keeper: &l})
	record(t, j, 0, 100)
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := j.cur.Load().file.WriteAt([]byte{1, 2, 3}, markOffset+4); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir, Options{Keeper: &l})
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, told := l.counts(); kept != 100 || told != 200 {
		t.Errorf("kept %d, told %d", kept, told)
	}
}

func TestLaterRecordReplaces(t *testing.T) {
	dir := t.TempDir()
	var l ledger
	j := open(t, dir, Options{Keeper: &l})
	for _, status := range []int{200, 499, 502} {
		x := exchange(1)
		x.Status = status
		if err := j.Record(x); err != nil {
			t.Fatal(err)
		}
		if status == 499 {
			if err := j.Flush(t.Context()); err != nil { // also if the earlier one was kept
				t.Fatal(err)
			}
		}
	}
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, told := l.counts(); kept != 1 || told != 3 || l.by[exchange(1).ID].Status != 502 {
		t.Errorf("kept %d of %d, with status %d", kept, told, l.by[exchange(1).ID].Status)
	}
}

// TestRotation: many writers, many segments, everything kept once and in the
// order of each writer, and only few files at any time.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	var l ledger
	j := open(t, dir, Options{Keeper: &l, Segment: 1, Keep: time.Millisecond, Hear: time.Millisecond})
	var heard sync.Map
	j.Listen(listen(func(x *Exchange) { heard.Store(x.ID, true) }))
	stop := run(t, j)
	const writers, each = 8, 1000
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				x := exchange(w*each + i)
				x.Error = strings.Repeat("x", 3000)
				if err := j.Record(x); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	stop()
	if kept, told := l.counts(); kept != writers*each || told != kept {
		t.Errorf("kept %d, told %d of %d", kept, told, writers*each)
	}
	for _, x := range l.by {
		if want := exchange(int(x.BytesIn)); x.ID != want.ID || len(x.Error) != 3000 {
			t.Fatalf("%s came out as %+v", want.ID, x)
		}
	}
	if seq := j.cur.Load().seq; seq < 10 {
		t.Errorf("only %d segments", seq)
	}
	if s := j.Stats(); s.Segments > 2 || s.Kept != writers*each || s.Backlog+int(s.Lost+s.WriteErrors+s.KeepErrors+s.Unread) != 0 {
		t.Errorf("%+v", s)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir, ""); got > 0 {
		t.Errorf("%d files are left", got)
	}
	if err := j.Record(exchange(0)); !errors.Is(err, ErrClosed) {
		t.Errorf("recording after Close: %v", err)
	}
}

// TestKeeperFails: it is told the same again, and nothing is removed.
func TestKeeperFails(t *testing.T) {
	dir := t.TempDir()
	l := ledger{err: errors.New("database is locked")}
	j := open(t, dir, Options{Keeper: &l, Segment: 1})
	record(t, j, 0, 4000) // more than a segment
	for range 3 {
		if err := j.Flush(t.Context()); !errors.Is(err, l.err) {
			t.Fatalf("Flush: %v", err)
		}
	}
	if n := files(t, dir, segmentSuffix); n < 2 {
		t.Errorf("%d files are left", n)
	}
	l.fail(nil)
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, told := l.counts(); kept != 4000 || told != 4000 {
		t.Errorf("kept %d, told %d", kept, told)
	}
	if s := j.Stats(); s.KeepErrors != 3 || s.Segments != 1 {
		t.Errorf("%+v", s)
	}
}

// TestBounds: a Keeper that takes nothing fills the files up to the bound,
// then the memory up to the bound, and then exchanges are lost and counted.
// When it takes again, all others are kept.
func TestBounds(t *testing.T) {
	dir := t.TempDir()
	l := ledger{err: errors.New("database or disk is full")}
	j := open(t, dir, Options{Keeper: &l, Segment: 1, Max: 1})
	written, n := 0, 0
	for ; ; n++ {
		err := j.Record(exchange(n))
		if err == nil {
			written++
			continue
		}
		if errors.Is(err, ErrLost) {
			break
		}
		if !errors.Is(err, ErrWaiting) || !errors.Is(err, errFull) {
			t.Fatal(err)
		}
	}
	s := j.Stats()
	if s.Backlog != maxBacklog || s.Lost != 1 || n != written+maxBacklog {
		t.Errorf("%d written of %d: %+v", written, n, s)
	}
	if s.Bytes > 2*minSegment || files(t, dir, "") != 2 {
		t.Errorf("%d bytes in %d files", s.Bytes, files(t, dir, ""))
	}
	l.fail(nil)
	for range 20 { // the backlog is larger than the files
		j.Flush(t.Context())
	}
	if kept, told := l.counts(); kept != n || told != n {
		t.Errorf("kept %d, told %d of %d", kept, told, n)
	}
	if s := j.Stats(); s.Backlog != 0 || s.Lost != 1 {
		t.Errorf("%+v", s)
	}
}

// TestDamagedFiles: what cannot be read is set aside, boundedly, and the rest
// is told.
func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		record(t, open(t, dir, Options{}), i*10, i*10+10)
	}
	paths, _, _, err := list(filepath.Join(dir, folder))
	if err != nil {
		t.Fatal(err)
	}
	damage := func(path string, at int64, b ...byte) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
	}
	damage(paths[0], 17, 0xff, 0xfe) // the salt
	newer := append(make([]byte, frameHeader), version+1, 'x')
	s, _, err := openSegment(paths[1], 2)
	if err != nil {
		t.Fatal(err)
	}
	sealFrame(newer, s.salt)
	damage(paths[1], 3<<20, newer...)
	if err := os.WriteFile(filepath.Join(dir, folder, segmentName(77)), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := os.WriteFile(filepath.Join(dir, folder, segmentName(uint64(100+i))+brokenSuffix), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	n := 0
	if err := Replay(dir, func(*Exchange) error { n++; return nil }); n != 20 || err == nil ||
		!strings.Contains(err.Error(), paths[0]) || !strings.Contains(err.Error(), fmt.Sprint("format ", version+1)) {
		t.Errorf("replayed %d, error %v", n, err)
	}
	var l ledger
	j := open(t, dir, Options{Keeper: &l})
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, _ := l.counts(); kept != 20 {
		t.Errorf("kept %d, want 20", kept)
	}
	if s := j.Stats(); s.Unread != 1 || s.Segments != 1 {
		t.Errorf("%+v", s)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir, segmentSuffix); got != 0 {
		t.Errorf("%d segments are left", got)
	}
	if got := files(t, dir, brokenSuffix); got != maxBroken+1 { // one more came after Open
		t.Errorf("%d files are set aside, want %d", got, maxBroken+1)
	}
	if _, err := os.Stat(paths[1] + brokenSuffix); err != nil {
		t.Error(err)
	}
}

func TestModes(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	defer j.Close()
	for path, want := range map[string]os.FileMode{filepath.Join(dir, folder): 0o700 | os.ModeDir, j.cur.Load().path: 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
	}
}
