package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// A segment is one file of the journal: a header of one alignment, then
// frames. Its name holds its number; higher numbers are newer.
const (
	segmentMagic  = "PORTJRN1"
	segmentPrefix = "segment-"
	segmentSuffix = ".log"
	brokenSuffix  = ".broken"
	headerSize    = align
	// The header: magic, number, salt, checksum; then how far the records are
	// kept elsewhere, with a checksum of its own because it is rewritten.
	headerSum  = 20
	markOffset = 32
	markSize   = 12
)

// file is what a segment needs of an *os.File; tests put one that fails in its
// place.
type file interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
	Close() error
}

// A segment takes records from many goroutines without a lock: each reserves
// its place with one addition and writes there.
type segment struct {
	seq  uint64
	path string
	file file
	salt uint32
	size int64

	next atomic.Int64 // where the next record goes; beyond size: the segment is full
	done atomic.Int64 // bytes of header and records whose writer is finished, well or not
	end  atomic.Int64 // where the records end, once it is full; until then -1

	synced   int64 // done at the last fsync; the sync loop's
	unread   bool  // something in it could not be read; the keeping tail's
	unsynced bool  // its name may not be on the disk yet; the sync loop's
}

func segmentName(seq uint64) string {
	return fmt.Sprintf("%s%016x%s", segmentPrefix, seq, segmentSuffix)
}

func segmentSeq(name string) (uint64, bool) {
	hex, ok := strings.CutPrefix(name, segmentPrefix)
	if !ok {
		return 0, false
	}
	if hex, ok = strings.CutSuffix(hex, segmentSuffix); !ok || len(hex) != 16 {
		return 0, false
	}
	seq, err := strconv.ParseUint(hex, 16, 64)
	return seq, err == nil
}

// createFile makes the file of a segment, with its room allocated where the
// system can do that.
func createFile(path string, size int64) (file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := allocate(f, size); err != nil {
		f.Close()
		os.Remove(path)
		return nil, err
	}
	return dataFile{f}, nil
}

// newSegment makes the segment seq in dir.
func newSegment(dir string, seq uint64, size int64, create func(string, int64) (file, error)) (*segment, error) {
	path := filepath.Join(dir, segmentName(seq))
	f, err := create(path, size)
	if err != nil {
		return nil, err
	}
	s := &segment{seq: seq, path: path, file: f, salt: rand.Uint32(), size: size, unsynced: true}
	s.next.Store(headerSize)
	s.done.Store(headerSize)
	s.end.Store(-1)

	var h [headerSum + 4]byte
	copy(h[:], segmentMagic)
	binary.LittleEndian.PutUint64(h[8:], seq)
	binary.LittleEndian.PutUint32(h[16:], s.salt)
	binary.LittleEndian.PutUint32(h[headerSum:], crc32.Checksum(h[:headerSum], castagnoli))
	if _, err := f.WriteAt(h[:], 0); err != nil {
		f.Close()
		os.Remove(path)
		return nil, err
	}
	return s, nil
}

var (
	errHeader = errors.New("the segment's header is damaged")
	errEmpty  = errors.New("the segment was never begun")
)

// openSegment opens a segment that a former process has left. It takes no
// more records. kept is how far its records are kept elsewhere.
func openSegment(path string, seq uint64) (s *segment, kept int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	var h [headerSize]byte
	if _, err := f.ReadAt(h[:], 0); err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, 0, err
	}
	if h == [headerSize]byte{} {
		f.Close()
		return nil, 0, errEmpty
	}
	if string(h[:8]) != segmentMagic || binary.LittleEndian.Uint64(h[8:]) != seq ||
		binary.LittleEndian.Uint32(h[headerSum:]) != crc32.Checksum(h[:headerSum], castagnoli) {
		f.Close()
		return nil, 0, errHeader
	}
	s = &segment{seq: seq, path: path, file: f, salt: binary.LittleEndian.Uint32(h[16:]), size: info.Size()}
	s.next.Store(s.size)
	s.done.Store(s.size)
	s.end.Store(s.size)
	s.synced = s.size // what is left was written by a process that is gone; the kernel has seen to it
	kept = headerSize
	m := h[markOffset:]
	if at := int64(binary.LittleEndian.Uint64(m)); at > headerSize && at <= s.size && at%align == 0 &&
		binary.LittleEndian.Uint32(m[8:]) == crc32.Update(s.salt, castagnoli, m[:8]) {
		kept = at
	}
	return s, kept, nil
}

// mark notes in the header that everything before at is kept elsewhere. It
// saves work after a crash and need not be on the disk.
func (s *segment) mark(at int64) error {
	var m [markSize]byte
	binary.LittleEndian.PutUint64(m[:], uint64(at))
	binary.LittleEndian.PutUint32(m[8:], crc32.Update(s.salt, castagnoli, m[:8]))
	_, err := s.file.WriteAt(m[:], markOffset)
	return err
}

// reserve takes n bytes, a multiple of align. It fails if they do not fit, and
// then the segment is full for everybody.
func (s *segment) reserve(n int64) (at int64, ok bool) {
	at = s.next.Add(n) - n
	if at+n <= s.size {
		return at, true
	}
	if at <= s.size {
		s.end.Store(at) // exactly one reservation goes beyond the size first
	}
	return 0, false
}

// seal makes the segment full.
func (s *segment) seal() { s.reserve(s.size + align) }

// reserved is where the reserved room ends, and whether it will stay so.
func (s *segment) reserved() (at int64, sealed bool) {
	if end := s.end.Load(); end >= 0 {
		return end, true
	}
	return min(s.next.Load(), s.size), false
}

// quiet reports whether no writer was at work at some moment of the call, and
// where the reserved room ended at that moment.
func (s *segment) quiet() (at int64, ok bool) {
	done := s.done.Load()
	at, _ = s.reserved()
	return at, done == at
}

func (s *segment) remove() error { return errors.Join(s.file.Close(), os.Remove(s.path)) }

// setAside renames a segment that cannot be read, so that it is tried no more
// and nothing of it is lost.
func setAside(path string) (string, error) {
	to := path + brokenSuffix
	return to, os.Rename(path, to)
}
