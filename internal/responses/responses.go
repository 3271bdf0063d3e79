// Package responses keeps answers and conversations for clients of OpenAI's
// Responses protocol, who may name them in place of repeating what was said.
//
// OpenAI keeps such things itself. Upstreams of other protocols, and many who
// have copied this one, have nothing like it, so the gateway keeps what they
// answered (spec: upstreams §1B.7, translation-traps E14, E15). It is kept on
// the disk or in memory, within bounds of number, size and age. A client whose
// answer is gone is told previous_response_not_found, upon which it sends the
// whole conversation again.
//
// What was kept for one scope, which is the name of a client's key, is never
// shown to another.
package responses

import (
	"container/list"
	"log/slog"
	"sync"
	"time"

	"portico/internal/tape"
)

// Limits bound what a Store keeps. What was kept first is dropped first.
type Limits struct {
	Entries int           // answers and conversations; 0: nothing is kept
	Bytes   int           // of all of them, with what an entry costs beside its texts
	Age     time.Duration // since an answer was kept; 0: no limit
}

const (
	// overhead is about what an entry costs beside its texts, in bytes, and
	// turnOverhead what a turn of a conversation does.
	overhead, turnOverhead = 400, 150
	// deepest is after how many turns a conversation is written down whole, so
	// that reading one takes a bounded number of records.
	deepest = 256
)

// A Store keeps answers with the conversations that led to them. It is safe for
// concurrent use.
type Store struct {
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex
	limits  Limits
	entries map[place]*list.Element // of *entry
	order   list.List               // the oldest in front
	size    int
	threads uint64 // the number of the last one
	disk    *disk  // nil: all is in memory

	changing sync.Mutex // held while a conversation is changed
}

type place struct{ scope, id string }

type entry struct {
	place
	thread *Thread
	object int // bytes of it
	kept   time.Time
}

// A Thread is a conversation: what one turn said, after what the turns before
// it said. Conversations that begin alike share their beginning. It belongs to
// the store that it came from.
type Thread struct {
	parent        *Thread
	number        uint64
	text          text
	input, output int // bytes of items with commas between them, in this order at the beginning of the text
	object        int // bytes of the answer after them, if there is one
	total, turns  int // bytes, and turns, of the whole conversation
	entry         *entry
	refs          int // entries and threads that hold it; guarded by the store
}

// A text is what a turn said: in memory, or on the tape.
type text struct {
	mem []byte
	at  tape.Place
}

// New returns an empty store in memory that reads the time from now.
func New(l Limits, now func() time.Time) *Store {
	return &Store{limits: l, now: now, log: slog.New(slog.DiscardHandler), entries: map[place]*list.Element{}}
}

// SetLimits has the store keep to l from now on.
func (s *Store) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
	s.trim(s.now())
}

// Keeps reports whether anything is kept at all.
func (s *Store) Keeps() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits.Entries > 0
}

// A Response is an answer, or a conversation, to be kept.
type Response struct {
	Before *Thread // the conversation that the request continued, nil for none
	Input  []byte  // what the request added to it: items with commas between them
	Output []byte  // what the answer added, in the same form
	Object []byte  // the whole answer, as its client got it
}

// Put keeps r as id for scope, in place of what was kept under that id. When it
// returns, a store on the disk has it there as far as the kernel is concerned:
// it is found after a crash of the process.
func (s *Store) Put(scope, id string, r Response) {
	if r.Before != nil && r.Before.turns >= deepest {
		// What cannot be read is of no use to those who go on from it.
		if items, err := s.Items(r.Before); err == nil {
			r.Before, r.Input = nil, Join(items, r.Input)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(scope, id, r)
}

// put is Put for those who hold the lock.
func (s *Store) put(scope, id string, r Response) *Thread {
	now := s.now()
	if s.limits.Entries <= 0 || !s.hold(r.Before) {
		return nil
	}
	s.threads++
	t := &Thread{parent: r.Before, number: s.threads, input: len(r.Input), output: len(r.Output), object: len(r.Object)}
	t.grow()
	e := &entry{place: place{scope, id}, thread: t, object: len(r.Object), kept: now}
	t.entry = e
	body := make([]byte, 0, t.input+t.output+t.object)
	body = append(append(append(body, r.Input...), r.Output...), r.Object...)
	t.text = s.write(t, body)
	s.own(t)
	s.add(e)
	s.trim(now)
	return t
}

// grow counts what the conversation has become.
func (t *Thread) grow() {
	t.total, t.turns = t.input+t.output, 1
	if t.parent != nil {
		t.total, t.turns = t.total+t.parent.total, t.turns+t.parent.turns
	}
}

// own counts a new thread, whose parent is held for it already.
func (s *Store) own(t *Thread) {
	t.refs++
	s.size += t.cost()
	s.live(t)
}

// add puts e, whose thread it holds, into the place of what was there.
func (s *Store) add(e *entry) {
	if old := s.entries[e.place]; old != nil {
		s.drop(old)
	}
	s.size += e.cost()
	s.entries[e.place] = s.order.PushBack(e)
}

// trim drops what is over the limits.
func (s *Store) trim(now time.Time) {
	for x := s.order.Front(); x != nil; x = s.order.Front() {
		if s.size <= s.limits.Bytes && s.order.Len() <= s.limits.Entries && !s.over(x.Value.(*entry), now) {
			break
		}
		s.drop(x)
	}
	s.sweep()
}

func (e *entry) cost() int { return len(e.scope) + len(e.id) + e.object + overhead }

func (s *Store) over(e *entry, now time.Time) bool {
	return s.limits.Age > 0 && now.Sub(e.kept) > s.limits.Age
}

func (t *Thread) cost() int { return t.input + t.output + turnOverhead }

// hold counts t as held once more, and what it begins with as long as somebody
// holds it. It reports whether t can still be read: what nobody held may be
// gone.
func (s *Store) hold(t *Thread) bool {
	for x := t; x != nil && x.refs == 0; x = x.parent {
		if !s.readable(x) {
			return false
		}
	}
	for ; t != nil; t = t.parent {
		t.refs++
		if t.refs > 1 {
			break
		}
		s.size += t.cost()
		s.live(t)
	}
	return true
}

func (s *Store) release(t *Thread) {
	for ; t != nil; t = t.parent {
		t.refs--
		if t.refs > 0 {
			return
		}
		s.size -= t.cost()
		s.dead(t)
	}
}

func (s *Store) drop(x *list.Element) {
	e := s.order.Remove(x).(*entry)
	delete(s.entries, e.place)
	s.size -= e.cost()
	e.thread.entry = nil
	s.release(e.thread)
}

// find returns the entry, or nil. The lock is held.
func (s *Store) find(scope, id string) *entry {
	x := s.entries[place{scope, id}]
	if x == nil {
		return nil
	}
	if e := x.Value.(*entry); !s.over(e, s.now()) {
		return e
	}
	s.drop(x)
	return nil
}

// Thread is the conversation up to and with the answer id of scope, or nil.
func (s *Store) Thread(scope, id string) *Thread {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.find(scope, id); e != nil {
		return e.thread
	}
	return nil
}

// Object is the answer id of scope, or nil.
func (s *Store) Object(scope, id string) []byte {
	s.mu.Lock()
	e := s.find(scope, id)
	if e == nil {
		s.mu.Unlock()
		return nil
	}
	r := e.thread.reading()
	s.mu.Unlock()
	body, err := s.read(e.thread, r)
	if err != nil {
		return nil
	}
	return body[r.input+r.output:]
}

// Delete forgets the answer id of scope and reports whether there was one.
// Conversations that went on from it are not changed.
func (s *Store) Delete(scope, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(scope, id)
	if e == nil {
		return false
	}
	s.drop(s.entries[e.place])
	s.forget(e)
	s.sweep()
	return true
}

// Forget forgets everything of scope.
func (s *Store) Forget(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := s.order.Front(); x != nil; {
		next := x.Next()
		if e := x.Value.(*entry); e.scope == scope {
			s.drop(x)
			s.forget(e)
		}
		x = next
	}
	s.sweep()
}

// Join appends items to a list of items without brackets.
func Join(dst, items []byte) []byte {
	if len(items) == 0 {
		return dst
	}
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	return append(dst, items...)
}
