// Package responses keeps answers for clients of OpenAI's Responses protocol,
// who may name an answer in place of repeating the conversation before it.
//
// OpenAI keeps such answers itself. Upstreams of other protocols have nothing
// like it, so the gateway keeps what they answered (spec: upstreams §1B.7,
// translation-traps E14, E15). What is kept is kept in memory, within bounds
// of number, size and age: it does not outlive the process, and a client whose
// answer is gone is told previous_response_not_found, upon which it sends the
// whole conversation again.
//
// What was kept for one scope, which is the name of a client's key, is never
// shown to another.
package responses

import (
	"container/list"
	"sync"
	"time"
)

// Limits bound what a Store keeps. What was kept first is dropped first.
type Limits struct {
	Entries int           // answers
	Bytes   int           // of all conversations and answers, with what an entry costs beside its texts
	Age     time.Duration // since an answer was kept; 0: no limit
}

// overhead is about what an entry costs beside its texts, in bytes.
const overhead = 400

// A Store keeps answers with the conversations that led to them. It is safe for
// concurrent use.
type Store struct {
	limits Limits
	now    func() time.Time

	mu      sync.Mutex
	entries map[place]*list.Element // of *entry
	order   list.List               // the oldest in front
	size    int
}

type place struct{ scope, id string }

type entry struct {
	place
	object []byte
	thread *Thread
	until  time.Time // zero: for ever
}

// A Thread is a conversation: what one turn said, after what the turns before
// it said. Conversations that begin alike share their beginning.
type Thread struct {
	parent *Thread
	input  []byte // items with commas between them
	output []byte
	refs   int // entries and threads that hold it; guarded by the store
}

// New returns an empty store that reads the time from now.
func New(l Limits, now func() time.Time) *Store {
	return &Store{limits: l, now: now, entries: map[place]*list.Element{}}
}

// A Response is an answer to be kept. Its bytes are not changed afterwards.
type Response struct {
	Before *Thread // the conversation that the request continued, nil for none
	Input  []byte  // what the request added to it: items with commas between them
	Output []byte  // what the answer added, in the same form
	Object []byte  // the whole answer, as its client got it
}

// Put keeps r as id for scope, in place of what was kept under that id.
func (s *Store) Put(scope, id string, r Response) {
	e := &entry{place: place{scope, id}, object: r.Object, thread: &Thread{parent: r.Before, input: r.Input, output: r.Output}}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.limits.Age > 0 {
		e.until = now.Add(s.limits.Age)
	}
	if old := s.entries[e.place]; old != nil {
		s.drop(old)
	}
	s.hold(e.thread)
	s.size += e.cost()
	s.entries[e.place] = s.order.PushBack(e)
	for x := s.order.Front(); x != nil; x = s.order.Front() {
		old := x.Value.(*entry)
		if s.size <= s.limits.Bytes && s.order.Len() <= s.limits.Entries && !old.over(now) {
			break
		}
		s.drop(x)
	}
}

func (e *entry) cost() int { return len(e.scope) + len(e.id) + len(e.object) + overhead }

func (e *entry) over(now time.Time) bool { return !e.until.IsZero() && now.After(e.until) }

func (t *Thread) cost() int { return len(t.input) + len(t.output) }

// hold counts t, and what it begins with, as long as somebody holds it.
func (s *Store) hold(t *Thread) {
	for ; t != nil; t = t.parent {
		t.refs++
		if t.refs > 1 {
			return
		}
		s.size += t.cost()
	}
}

func (s *Store) release(t *Thread) {
	for ; t != nil; t = t.parent {
		t.refs--
		if t.refs > 0 {
			return
		}
		s.size -= t.cost()
	}
}

func (s *Store) drop(x *list.Element) {
	e := s.order.Remove(x).(*entry)
	delete(s.entries, e.place)
	s.size -= e.cost()
	s.release(e.thread)
}

// find returns the entry, or nil. The lock is held.
func (s *Store) find(scope, id string) *entry {
	x := s.entries[place{scope, id}]
	if x == nil {
		return nil
	}
	if e := x.Value.(*entry); !e.over(s.now()) {
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
	defer s.mu.Unlock()
	if e := s.find(scope, id); e != nil {
		return e.object
	}
	return nil
}

// Delete forgets the answer id of scope and reports whether there was one.
// Conversations that went on from it are not changed.
func (s *Store) Delete(scope, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(scope, id) == nil {
		return false
	}
	s.drop(s.entries[place{scope, id}])
	return true
}

// Append appends all items of the conversation, with commas between them.
func (t *Thread) Append(dst []byte) []byte {
	for _, x := range t.turns() {
		dst = Join(Join(dst, x.input), x.output)
	}
	return dst
}

// Input is what the last answer of the conversation was an answer to: all items
// but its own, with commas between them.
func (t *Thread) Input() []byte {
	var dst []byte
	if t.parent != nil {
		dst = t.parent.Append(nil)
	}
	return Join(dst, t.input)
}

// turns are the turns of the conversation, the first one first.
func (t *Thread) turns() []*Thread {
	n := 0
	for x := t; x != nil; x = x.parent {
		n++
	}
	out := make([]*Thread, n)
	for x := t; x != nil; x = x.parent {
		n--
		out[n] = x
	}
	return out
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
