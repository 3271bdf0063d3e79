package journal

import (
	"sync"
	"sync/atomic"
)

// A tail follows the journal: it reads what was recorded, in the order of the
// files, and stops where somebody is still writing. The journal has two, so
// that listeners hear of an exchange while the Keeper cannot take any.
type tail struct {
	mu   sync.Mutex              // guards at and scan; held while reading
	seg  atomic.Pointer[segment] // where it stands; segments before it are not needed any more
	at   int64
	scan scan
}

func (t *tail) start(s *segment, at int64) {
	t.seg.Store(s)
	t.at = at
}

// batch is how many exchanges are handed on at once.
const batch = 1000

// read returns up to batch exchanges from where t stands, and moves t behind
// them. more is false if there is nothing more to be read now. t.mu is held.
func (j *Journal) read(t *tail) (xs []*Exchange, more bool) {
	for {
		s := t.seg.Load()
		end, sealed := s.reserved()
		if t.at >= end {
			if !sealed {
				return xs, false
			}
			next := j.successor(s)
			if next == nil {
				return xs, false
			}
			if len(xs) > 0 {
				return xs, true // a batch is of one segment, which mark relies on
			}
			t.at = headerSize
			t.seg.Store(next)
			continue
		}
		// Whoever is quiet has no half record but those that will stay so.
		quietEnd, quiet := s.quiet()
		if quiet {
			end = quietEnd
		}
		t.scan.r, t.scan.salt, t.scan.end, t.scan.gaps = s.file, s.salt, end, quiet
		at, err := t.scan.run(t.at, func(payload []byte) bool {
			x, err := Decode(payload)
			if err != nil {
				j.unreadable(t, s, err)
				return true
			}
			xs = append(xs, x)
			return len(xs) < batch
		})
		if err != nil { // the disk; what lies behind is not reached
			j.unreadable(t, s, err)
			s.seal()
			at = s.size
		}
		t.at = at
		if len(xs) >= batch {
			return xs, true
		}
		if at < end {
			return xs, false // somebody is writing there, and will wake us
		}
	}
}

// unreadable notes that something in s could not be read, so that the file is
// set aside instead of removed.
func (j *Journal) unreadable(t *tail, s *segment, err error) {
	if t == &j.keeping && !s.unread {
		s.unread = true
		j.unread.Add(1)
		j.log.Error("a record of the journal cannot be read; its file will be set aside", "file", s.path, "error", err)
	}
}

// reclaim removes the segments that nobody needs any more.
func (j *Journal) reclaim() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.segs) > 1 {
		s := j.segs[0]
		if s.seq >= j.keeping.seg.Load().seq || j.ears.n.Load() > 0 && s.seq >= j.hearing.seg.Load().seq {
			return
		}
		if err := j.dismiss(s); err != nil {
			j.log.Error("a file of the journal cannot be removed", "file", s.path, "error", err)
		}
		j.segs = j.segs[1:]
	}
}

// dismiss removes the file of s, or sets it aside if there is something in it
// that nobody could read.
func (j *Journal) dismiss(s *segment) error {
	if s.path == "" {
		return nil
	}
	if s.unread {
		s.file.Close()
		_, err := setAside(s.path)
		return err
	}
	return s.remove()
}
