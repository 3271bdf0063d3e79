// Package tape keeps records on the disk in the order in which they came, in a
// folder of files that is bounded and safe from kill -9.
//
// A record has a head, which is small and read when the tape is opened, and a
// body, which is read when it is asked for. Append hands both to the kernel
// with one write and waits for no disk: what was appended outlives the process,
// and after a power cut the last moments may be missing. A tape forgets whole
// files, the oldest first.
package tape

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Sealer encrypts bodies. *secret.Sealer is one.
type Sealer interface {
	Seal(plain string, where ...string) ([]byte, error)
	Open(sealed []byte, where ...string) (string, error)
}

// Options are how a tape is kept.
type Options struct {
	// File is the size in bytes at which another file is begun, at least 1.
	File int64
	// Most is how large all files together may be; beyond it the oldest is
	// dropped. 0: only Drop drops one.
	Most int64
	// Sealer encrypts the bodies, nil: they are plain. Heads always are.
	Sealer Sealer
	Log    *slog.Logger
}

// A Place is where a record lies. Places are ordered as their records are.
type Place struct {
	File uint64 // its number
	at   int64
	head uint32
	body uint32 // as it lies there
}

// MaxRecord bounds a head or a body, in bytes.
const MaxRecord = 256 << 20

// Errors.
var (
	// ErrGone: the record's file was dropped.
	ErrGone = errors.New("the record is no longer on the tape")
	// ErrDamaged: the record cannot be read as it was written.
	ErrDamaged = errors.New("the record is damaged")
	errTooLong = errors.New("the record is too large for a tape")
	errClosed  = errors.New("the tape is closed")
)

// A Tape is open until Close and safe for concurrent use.
type Tape struct {
	dir string
	o   Options

	mu     sync.RWMutex
	files  []*file // by their number
	size   int64
	closed bool
}

// A file is one of the folder's.
type file struct {
	number uint64
	f      *os.File
	size   int64
	dirty  bool // not all of it is on the disk
}

// A file begins with magic. A record is the lengths of its head and its body,
// a checksum of these and the head, the head and the body.
const (
	magic  = "PORTTAP1"
	frame  = 4 + 4 + 4
	suffix = ".tape"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Open opens the tape in the folder dir, which is made if it is not there and
// is nobody else's meanwhile. It calls each for every record, the oldest
// first; head is valid during the call. What cannot be read, such as the last
// record of a process that was killed while it wrote, is passed over together
// with what follows it in its file.
func Open(dir string, o Options, each func(p Place, head []byte)) (*Tape, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	t := &Tape{dir: dir, o: o}
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range names {
		n, ok := numberOf(e.Name())
		if !ok {
			continue
		}
		x, err := t.load(n, each)
		if err != nil {
			_ = t.Close()
			return nil, err
		}
		if x != nil {
			t.files = append(t.files, x)
			t.size += x.size
		}
	}
	slices.SortFunc(t.files, func(a, b *file) int { return cmp.Compare(a.number, b.number) })
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trim()
	return t, nil
}

func nameOf(n uint64) string { return fmt.Sprintf("%016x%s", n, suffix) }

func numberOf(name string) (uint64, bool) {
	hex, ok := strings.CutSuffix(name, suffix)
	if !ok || len(hex) != 16 {
		return 0, false
	}
	n, err := strconv.ParseUint(hex, 16, 64)
	return n, err == nil
}

// load reads the heads of a file, which ends after its last sound record from
// then on. A file without any is removed, and nil returned for it.
func (t *Tape) load(n uint64, each func(Place, []byte)) (*file, error) {
	path := filepath.Join(t.dir, nameOf(n))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	end := scan(f, n, info.Size(), each)
	if lost := info.Size() - end; lost > 0 {
		t.o.Log.Warn("the end of a file could not be read and is cut off", "file", path, "bytes", lost)
	}
	if end <= int64(len(magic)) {
		return nil, errors.Join(f.Close(), os.Remove(path))
	}
	if end < info.Size() {
		if err := f.Truncate(end); err != nil {
			_ = f.Close()
			return nil, err
		}
	}
	return &file{number: n, f: f, size: end}, nil
}

// last is the file that records are added to, nil if there is none. The lock
// is held.
func (t *Tape) last() *file {
	if len(t.files) == 0 {
		return nil
	}
	return t.files[len(t.files)-1]
}

// begin begins another file. The lock is held.
func (t *Tape) begin() error {
	n := uint64(1)
	if x := t.last(); x != nil {
		n = x.number + 1
	}
	path := filepath.Join(t.dir, nameOf(n))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte(magic), 0); err != nil {
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	t.files = append(t.files, &file{number: n, f: f, size: int64(len(magic)), dirty: true})
	t.size += int64(len(magic))
	return nil
}

// Append adds a record. It is safe from a crash of the process once Append
// returns. After an error the tape is as it was.
func (t *Tape) Append(head, body []byte) (Place, error) {
	if len(body) > 0 && t.o.Sealer != nil {
		sealed, err := t.o.Sealer.Seal(string(body), t.where()...)
		if err != nil {
			return Place{}, err
		}
		body = sealed
	}
	if len(head) > MaxRecord || len(body) > MaxRecord {
		return Place{}, errTooLong
	}
	b := make([]byte, 0, frame+len(head)+len(body))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(head)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint32(b, sum(b[:8], head))
	b = append(append(b, head...), body...)

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return Place{}, errClosed
	}
	x := t.last()
	if x == nil || x.size >= t.o.File {
		if err := t.begin(); err != nil {
			return Place{}, err
		}
		x = t.last()
	}
	p := Place{File: x.number, at: x.size, head: uint32(len(head)), body: uint32(len(body))}
	if _, err := x.f.WriteAt(b, x.size); err != nil {
		if e := x.f.Truncate(x.size); e != nil {
			// What is there of the record would hide what follows it.
			err = errors.Join(err, e, t.begin())
		}
		return Place{}, err
	}
	x.size += int64(len(b))
	x.dirty = true
	t.size += int64(len(b))
	t.trim()
	return p, nil
}

func (t *Tape) where() []string { return []string{"tape", filepath.Base(t.dir)} }

// sum is the checksum of a record's lengths and its head.
func sum(lengths, head []byte) uint32 {
	return crc32.Update(crc32.Checksum(lengths, castagnoli), castagnoli, head)
}

// trim drops files until the rest is within its bound. The last one stays. The
// lock is held.
func (t *Tape) trim() {
	for t.o.Most > 0 && t.size > t.o.Most && len(t.files) > 1 {
		t.remove(0)
	}
}

// remove drops a file. The lock is held.
func (t *Tape) remove(i int) {
	x := t.files[i]
	t.size -= x.size
	t.files = slices.Delete(t.files, i, i+1)
	err := errors.Join(x.f.Close(), os.Remove(filepath.Join(t.dir, nameOf(x.number))))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.o.Log.Error("a file cannot be removed", "file", x.f.Name(), "error", err)
	}
}

// find returns the file of a number, or nil. The lock is held.
func (t *Tape) find(n uint64) (i int, x *file) {
	i, ok := slices.BinarySearchFunc(t.files, n, func(x *file, n uint64) int { return cmp.Compare(x.number, n) })
	if !ok {
		return -1, nil
	}
	return i, t.files[i]
}

// Read returns the body of the record at p.
func (t *Tape) Read(p Place) ([]byte, error) {
	if p.body == 0 {
		return nil, nil
	}
	b := make([]byte, p.body)
	t.mu.RLock()
	_, x := t.find(p.File)
	if x == nil || t.closed {
		t.mu.RUnlock()
		return nil, ErrGone
	}
	_, err := x.f.ReadAt(b, p.at+frame+int64(p.head))
	t.mu.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if t.o.Sealer == nil {
		return b, nil
	}
	plain, err := t.o.Sealer.Open(b, t.where()...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return []byte(plain), nil
}

// Has reports whether the record at p is on the tape.
func (t *Tape) Has(p Place) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	_, x := t.find(p.File)
	return x != nil
}

// Size is how large all files together are, in bytes.
func (t *Tape) Size() int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.size
}

// Oldest is the number of the oldest file. ok is false if there is none but the
// one that is added to.
func (t *Tape) Oldest() (n uint64, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if len(t.files) < 2 {
		return 0, false
	}
	return t.files[0].number, true
}

// Drop drops the file n and all records in it. The one that is added to stays.
func (t *Tape) Drop(n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i, x := t.find(n); x != nil && x != t.last() {
		t.remove(i)
	}
}

// syncEvery is how far a power cut may go back.
const syncEvery = time.Second

// Run brings what was appended to the disk every now and then until ctx ends.
func (t *Tape) Run(ctx context.Context) error {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return t.sync()
		case <-tick.C:
			if err := t.sync(); err != nil {
				t.o.Log.Error("what is kept cannot be brought to the disk", "folder", t.dir, "error", err)
			}
		}
	}
}

// sync waits for the disk without keeping anybody from appending.
func (t *Tape) sync() (err error) {
	t.mu.Lock()
	var dirty []*file
	for _, x := range t.files {
		if x.dirty {
			x.dirty = false
			dirty = append(dirty, x)
		}
	}
	t.mu.Unlock()
	for _, x := range dirty {
		if e := x.f.Sync(); e != nil && !errors.Is(e, os.ErrClosed) { // it was dropped meanwhile
			err = errors.Join(err, e)
		}
	}
	return err
}

// Close closes the files. What was appended is safe without it.
func (t *Tape) Close() (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, x := range t.files {
		err = errors.Join(err, x.f.Close())
	}
	t.files = nil
	return err
}
