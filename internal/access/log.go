package access

import (
	"net/netip"
	"sync"
	"time"
)

// A Note is what happened at the gate: somebody was refused, or signed in.
// What is the same but for the time is one note within a minute.
type Note struct {
	First, Last time.Time
	Peer        string // address
	Key         string // name of the key, if it is known
	Code        string // such as invalid_key
	Path        string // of the first, at most 128 bytes
	Count       int64
}

const (
	// maxNotes is how many notes wait to be taken away. Whoever makes up
	// addresses fills them and no more than that.
	maxNotes = 1024
	// noteSpan is for how long what is the same is one note.
	noteSpan = time.Minute
	// maxNotePath bounds what is kept of a path, in bytes.
	maxNotePath = 128
)

// A Log gathers notes until somebody takes them away. Nobody who is admitted
// waits for it. It is safe for concurrent use; its zero value is ready.
type Log struct {
	mu      sync.Mutex
	waiting map[noteKey]*Note
	order   []*Note
	dropped int64
}

type noteKey struct {
	peer      netip.Addr
	key, code string
}

// Note notes what happened.
func (l *Log) Note(now time.Time, peer netip.Addr, key, code, path string) {
	k := noteKey{peer, key, code}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.waiting[k]; n != nil && now.Sub(n.First) < noteSpan {
		n.Count++
		n.Last = now
		return
	}
	if len(l.order) >= maxNotes {
		l.dropped++
		return
	}
	n := &Note{First: now, Last: now, Peer: peer.String(), Key: key, Code: code, Path: printable(path), Count: 1}
	if !peer.IsValid() {
		n.Peer = ""
	}
	if l.waiting == nil {
		l.waiting = map[noteKey]*Note{}
	}
	l.waiting[k] = n
	l.order = append(l.order, n)
}

// printable is the beginning of s without what does not print.
func printable(s string) string {
	b := make([]byte, 0, min(len(s), maxNotePath))
	for i := range min(len(s), maxNotePath) {
		c := s[i]
		if c < ' ' || c > '~' {
			c = '?'
		}
		b = append(b, c)
	}
	return string(b)
}

// Take takes the notes away, oldest first, and says how many there was no room
// for since it was last asked.
func (l *Log) Take() (notes []Note, dropped int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.order {
		notes = append(notes, *n)
	}
	dropped = l.dropped
	l.waiting, l.order, l.dropped = nil, nil, 0
	return notes, dropped
}
