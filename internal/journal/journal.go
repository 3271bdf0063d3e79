package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	folder = "journal" // below the data folder

	defaultSegment = 4 << 20   // bytes, some thousands of exchanges
	defaultMax     = 256 << 20 // bytes, half a million exchanges
	minSegment     = headerSize + maxFrame + align

	// maxBacklog is how many exchanges wait in memory while the disk takes
	// none.
	maxBacklog = 10_000
	// maxBroken is how many segments that could not be read are left lying.
	maxBroken = 8
)

// A Keeper keeps exchanges for good.
type Keeper interface {
	// Keep returns once xs are safe from a power cut. It is told some
	// exchanges twice, and the later of two with the same ID counts. After
	// an error it is told the same again.
	Keep(xs []*Exchange) error
}

// Options are for Open. The zero Options are good but for the Keeper.
type Options struct {
	Keeper Keeper // nil: nothing leaves the journal until it is full
	Log    *slog.Logger

	Segment int64         // bytes of one file, 4 MiB by default, at least a little over 1 MiB
	Max     int64         // bytes of all files, 256 MiB by default; beyond it nothing is taken
	Sync    time.Duration // the shortest time between two fsyncs, 5 ms by default
	Keep    time.Duration // how long exchanges gather before the Keeper is told, 1 s by default
	Hear    time.Duration // how long they gather before listeners are told, 50 ms by default

	create func(path string, size int64) (file, error) // for tests
}

// Errors of Record. The exchange is not safe from a crash with any of them.
var (
	// ErrWaiting: the disk took nothing. The exchange waits in memory and is
	// written as soon as there is room.
	ErrWaiting = errors.New("the journal cannot be written; the exchange waits in memory")
	// ErrLost: the disk took nothing and the memory is full too.
	ErrLost = errors.New("the journal cannot be written and too many exchanges wait; this one is lost")
	// ErrClosed: the journal was closed.
	ErrClosed = errors.New("the journal is closed")

	errFull = errors.New("the journal is full: its exchanges are not being kept")
)

// A Journal keeps exchanges safe over a crash from the moment at which Record
// returns, until the Keeper has them. Record takes no lock that all requests
// share and does not wait for the disk.
type Journal struct {
	dir string
	o   Options
	log *slog.Logger

	cur   atomic.Pointer[segment] // takes the records
	dirty atomic.Bool             // something was recorded that the sync loop has not seen
	wake  chan struct{}

	mu     sync.Mutex // taken once per segment, not per record
	segs   []*segment // oldest first; the last is cur
	spare  *segment   // made ahead of time, or nil
	seq    uint64     // the newest
	closed bool

	waiting backlog
	ears    ears
	keeping tail
	hearing tail

	kept, unread, writeErrors, syncErrors, keepErrors atomic.Int64
}

// Stats are counters since Open and the state of the moment.
type Stats struct {
	Segments    int   // files
	Bytes       int64 // in files, room that nothing fills yet included
	Backlog     int   // exchanges that wait in memory because the disk takes none
	Lost        int64 // exchanges that were refused because too many waited
	Kept        int64 // exchanges that the Keeper has
	Unheard     int64 // exchanges that listeners were too slow for
	Unread      int64 // files with something in them that could not be read
	WriteErrors int64
	SyncErrors  int64
	KeepErrors  int64
}

// Open opens the journal in the data folder dir, which exists and is nobody
// else's meanwhile. What a former process has left is told to the Keeper once
// Run runs.
func Open(dir string, o Options) (*Journal, error) {
	o.Segment = max(defaulted(o.Segment, defaultSegment), minSegment) &^ (align - 1)
	o.Max = max(defaulted(o.Max, defaultMax), 2*o.Segment)
	o.Sync = defaulted(o.Sync, 5*time.Millisecond)
	o.Keep = defaulted(o.Keep, time.Second)
	o.Hear = defaulted(o.Hear, 50*time.Millisecond)
	if o.create == nil {
		o.create = createFile
	}
	j := &Journal{dir: filepath.Join(dir, folder), o: o, log: o.Log, wake: make(chan struct{}, 1)}
	if j.log == nil {
		j.log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot open the journal: %w", err)
	}
	if err := j.recover(); err != nil {
		return nil, fmt.Errorf("cannot open the journal: %w", err)
	}
	j.seq++
	s, err := newSegment(j.dir, j.seq, o.Segment, o.create)
	if err != nil {
		// A full disk must not keep the server from serving: what is
		// recorded meanwhile waits in memory.
		j.log.Error("the journal cannot be written", "error", err)
		j.writeErrors.Add(1)
		s = &segment{seq: j.seq, file: nowhere{}}
		s.seal()
	}
	j.segs = append(j.segs, s)
	j.cur.Store(s)
	j.hearing.start(s, headerSize)
	if j.keeping.seg.Load() == nil {
		j.keeping.start(s, headerSize)
	}
	return j, nil
}

func defaulted[T int64 | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// nowhere stands for the file of a segment that could not be made.
type nowhere struct{}

func (nowhere) ReadAt([]byte, int64) (int, error)  { return 0, os.ErrInvalid }
func (nowhere) WriteAt([]byte, int64) (int, error) { return 0, os.ErrInvalid }
func (nowhere) Sync() error                        { return nil }
func (nowhere) Close() error                       { return nil }

// recover opens the segments that a former process has left and sets aside
// those that it cannot read.
func (j *Journal) recover() error {
	paths, seqs, broken, err := list(j.dir)
	if err != nil {
		return err
	}
	for i, path := range paths {
		j.seq = seqs[i]
		s, kept, err := openSegment(path, seqs[i])
		if errors.Is(err, errEmpty) {
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		if errors.Is(err, errHeader) {
			to, err := setAside(path)
			if err != nil {
				return err
			}
			broken = append(broken, to)
			j.log.Error("a file of the journal is damaged and was set aside", "file", to)
			continue
		}
		if err != nil {
			return err
		}
		if j.keeping.seg.Load() == nil {
			j.keeping.start(s, kept)
		}
		j.segs = append(j.segs, s)
	}
	for len(broken) > maxBroken {
		if err := os.Remove(broken[0]); err != nil {
			return err
		}
		broken = broken[1:]
	}
	return nil
}

// list returns the segments in dir, oldest first, and those set aside.
func list(dir string) (paths []string, seqs []uint64, broken []string, err error) {
	entries, err := os.ReadDir(dir) // sorted, as the numbers in the names are
	for _, e := range entries {
		if seq, ok := segmentSeq(e.Name()); ok {
			paths, seqs = append(paths, filepath.Join(dir, e.Name())), append(seqs, seq)
		} else if filepath.Ext(e.Name()) == brokenSuffix {
			broken = append(broken, filepath.Join(dir, e.Name()))
		}
	}
	return paths, seqs, broken, err
}

// successor is the segment after s, or nil.
func (j *Journal) successor(s *segment) *segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := slices.Index(j.segs, s); i >= 0 && i+1 < len(j.segs) {
		return j.segs[i+1]
	}
	return nil
}

// Stats returns the counters.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	n := len(j.segs)
	var bytes int64
	for _, s := range j.segs {
		bytes += s.size
	}
	if j.spare != nil {
		bytes += j.spare.size
	}
	j.mu.Unlock()
	backlog, lost := j.waiting.count()
	return Stats{
		Segments: n, Bytes: bytes, Backlog: backlog, Lost: lost, Kept: j.kept.Load(), Unheard: j.ears.dropped.Load(),
		Unread: j.unread.Load(), WriteErrors: j.writeErrors.Load(), SyncErrors: j.syncErrors.Load(), KeepErrors: j.keepErrors.Load(),
	}
}

// Close ends the journal: nothing is recorded any more, listeners are told no
// more, and if the Keeper has everything no file is left. Run has ended
// before.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	cur, spare := j.cur.Load(), j.spare
	j.spare = nil
	j.mu.Unlock()
	cur.seal()
	for range 1000 { // a writer takes microseconds
		if _, ok := cur.quiet(); ok {
			break
		}
		time.Sleep(time.Millisecond)
	}
	j.ears.close()
	var errs []error
	if spare != nil {
		errs = append(errs, spare.remove())
	}
	j.keeping.mu.Lock()
	defer j.keeping.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	at, off := j.keeping.seg.Load(), j.keeping.at
	for _, s := range j.segs {
		end, _ := s.reserved()
		done := s.seq < at.seq || s == at && off >= end
		switch {
		case s.path == "":
		case done && !s.unread:
			errs = append(errs, s.remove())
		default:
			errs = append(errs, s.file.Sync(), s.file.Close())
		}
	}
	j.segs = nil
	return errors.Join(errs...)
}
