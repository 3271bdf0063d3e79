package journal

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// disk makes files that fail on demand and counts syncs.
type disk struct {
	full    atomic.Bool // no new file
	noWrite atomic.Bool // a write tears in the middle
	noSync  atomic.Bool
	noRead  atomic.Bool
	syncs   atomic.Int64
	took    time.Duration // what a sync takes
}

type diskFile struct {
	file
	d *disk
}

func (d *disk) create(path string, size int64) (file, error) {
	if d.full.Load() {
		return nil, &os.PathError{Op: "fallocate", Path: path, Err: syscall.ENOSPC}
	}
	f, err := createFile(path, size)
	return diskFile{f, d}, err
}

func (f diskFile) WriteAt(b []byte, at int64) (int, error) {
	if f.d.noWrite.Load() && at >= headerSize {
		n, _ := f.file.WriteAt(b[:len(b)/2], at)
		return n, syscall.ENOSPC
	}
	return f.file.WriteAt(b, at)
}

func (f diskFile) ReadAt(b []byte, at int64) (int, error) {
	if f.d.noRead.Load() {
		return 0, syscall.EIO
	}
	return f.file.ReadAt(b, at)
}

func (f diskFile) Sync() error {
	f.d.syncs.Add(1)
	time.Sleep(f.d.took)
	if f.d.noSync.Load() {
		return syscall.EIO
	}
	return nil
}

// TestDiskFull: while the disk is full every Record says so and returns at
// once; when there is room again all is written within five seconds, in order,
// and nothing is lost.
func TestDiskFull(t *testing.T) {
	for name, fail := range map[string]func(*disk, bool){
		"no room for a file": func(d *disk, on bool) { d.full.Store(on) },
		"writes tear":        func(d *disk, on bool) { d.noWrite.Store(on) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := new(disk)
				var l ledger
				j := open(t, t.TempDir(), Options{Keeper: &l, Segment: 1, create: d.create})
				stop := run(t, j)
				record(t, j, 0, 100)
				fail(d, true)
				n, refused := 100, 0
				for ; refused < 500; n++ {
					err := j.Record(exchange(n))
					switch {
					case errors.Is(err, ErrWaiting) && errors.Is(err, syscall.ENOSPC):
						refused++
					case err != nil:
						t.Fatal(err)
					}
				}
				time.Sleep(time.Minute)
				if s := j.Stats(); s.Backlog != 500 || s.WriteErrors == 0 {
					t.Errorf("%+v", s)
				}
				// The exchange that waits is recorded again: the later counts.
				x := exchange(n - 1)
				x.Status = 502
				if err := j.Record(x); !errors.Is(err, ErrWaiting) {
					t.Fatal(err)
				}
				fail(d, false)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if s := j.Stats(); s.Backlog != 0 || s.Lost != 0 {
					t.Errorf("%+v", s)
				}
				record(t, j, n, n+10)
				stop()
				if kept, _ := l.counts(); kept != n+10 {
					t.Errorf("kept %d of %d", kept, n+10)
				}
				if got := l.by[x.ID].Status; got != 502 {
					t.Errorf("status %d, want that of the later record", got)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestFullFromTheStart: the journal opens on a full disk.
func TestFullFromTheStart(t *testing.T) {
	d := new(disk)
	d.full.Store(true)
	var l ledger
	j := open(t, t.TempDir(), Options{Keeper: &l, create: d.create})
	if err := j.Record(exchange(1)); !errors.Is(err, ErrWaiting) {
		t.Fatalf("Record: %v", err)
	}
	d.full.Store(false)
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, _ := l.counts(); kept != 1 {
		t.Errorf("kept %d", kept)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestUnreadableDisk: a file that the disk does not give back is set aside,
// and what comes after it is kept.
func TestUnreadableDisk(t *testing.T) {
	d, dir := new(disk), t.TempDir()
	var l ledger
	j := open(t, dir, Options{Keeper: &l, create: d.create})
	record(t, j, 0, 10)
	d.noRead.Store(true)
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.noRead.Store(false)
	record(t, j, 10, 20)
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, _ := l.counts(); kept != 10 || j.Stats().Unread != 1 || files(t, dir, brokenSuffix) != 1 {
		t.Errorf("kept %d, %+v, %d files set aside", kept, j.Stats(), files(t, dir, brokenSuffix))
	}
}

// TestSyncFails: a failed sync is no sync. It is counted, and what comes next
// goes to another file.
func TestSyncFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(disk)
		var l ledger
		j := open(t, t.TempDir(), Options{Keeper: &l, Keep: time.Hour, create: d.create})
		stop := run(t, j)
		d.noSync.Store(true)
		record(t, j, 0, 1)
		time.Sleep(time.Second)
		d.noSync.Store(false)
		record(t, j, 1, 2)
		time.Sleep(time.Second)
		synctest.Wait()
		if s := j.Stats(); s.SyncErrors != 1 || s.Segments != 2 || d.syncs.Load() != 2 {
			t.Errorf("%d syncs, %+v", d.syncs.Load(), s)
		}
		stop()
		if kept, _ := l.counts(); kept != 2 {
			t.Errorf("kept %d", kept)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestIdle: what is recorded is on the disk within 5 ms, many records share a
// sync, a slow disk is left alone for most of the time, and an idle journal
// does nothing.
func TestIdle(t *testing.T) {
	for _, c := range []struct {
		name     string
		took     time.Duration
		records  int // one each millisecond
		min, max int64
	}{
		{"one record", 0, 1, 1, 1},
		{"steady load", 0, 1000, 150, 201},
		{"steady load, slow disk", 50 * time.Millisecond, 1000, 3, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &disk{took: c.took}
				var l ledger
				j := open(t, t.TempDir(), Options{Keeper: &l, create: d.create})
				stop := run(t, j)
				time.Sleep(10 * time.Minute)
				if got := d.syncs.Load(); got > 0 {
					t.Errorf("%d syncs before anything was recorded", got)
				}
				record(t, j, 0, 1)
				time.Sleep(5 * time.Millisecond)
				synctest.Wait()
				if got := d.syncs.Load(); got != 1 {
					t.Errorf("%d syncs after 5 ms", got)
				}
				for i := 1; i < c.records; i++ {
					record(t, j, i, i+1)
					time.Sleep(time.Millisecond)
				}
				time.Sleep(5 * time.Second)
				got := d.syncs.Load()
				if got < c.min || got > c.max {
					t.Errorf("%d syncs, want %d to %d", got, c.min, c.max)
				}
				if kept, _ := l.counts(); kept != c.records {
					t.Errorf("kept %d of %d", kept, c.records)
				}
				time.Sleep(10 * time.Minute)
				if more := d.syncs.Load() - got; more > 0 {
					t.Errorf("%d syncs while nothing was recorded", more)
				}
				stop()
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestRetry: a Keeper that failed is asked again without a new record, at
// longer and longer intervals.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledger{err: errors.New("database is locked")}
		j := open(t, t.TempDir(), Options{Keeper: &l})
		stop := run(t, j)
		record(t, j, 0, 1)
		time.Sleep(5 * time.Minute)
		if got := j.Stats().KeepErrors; got < 10 || got > 20 {
			t.Errorf("asked %d times in five minutes", got)
		}
		l.fail(nil)
		time.Sleep(lastRetry)
		synctest.Wait()
		if kept, _ := l.counts(); kept != 1 {
			t.Error("not kept")
		}
		stop()
	})
}

// TestTornWriter: half a record is never handed on, whoever reads while it is
// being written.
func TestTornWriter(t *testing.T) {
	var l ledger
	j := open(t, t.TempDir(), Options{Keeper: &l})
	x := exchange(1)
	x.Losses = []string{strings.Repeat("l", maxNote)}
	b := Append(make([]byte, frameHeader), x)
	s := j.cur.Load()
	sealFrame(b, s.salt)
	n := padded(int64(len(b)))
	at, _ := s.reserve(n)
	if _, err := s.file.WriteAt(b[:500], at); err != nil {
		t.Fatal(err)
	}
	record(t, j, 2, 3) // somebody else is faster

	short, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := j.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Flush: %v", err)
	}
	if kept, _ := l.counts(); kept != 0 {
		t.Error("the record behind the one that is being written was handed on")
	}
	if _, err := s.file.WriteAt(b[500:], at+500); err != nil {
		t.Fatal(err)
	}
	s.done.Add(n)
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, _ := l.counts(); kept != 2 {
		t.Errorf("kept %d", kept)
	}
}
