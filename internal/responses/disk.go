package responses

import (
	"cmp"
	"context"
	"encoding/json/v2"
	"log/slog"
	"slices"
	"time"

	"portico/internal/tape"
)

// A disk is where a store keeps its texts. A record of the tape is one turn: in
// its head who it belongs to and what it went on from, in its body what was
// said. What is still needed of the oldest file is written anew when there is
// twice as much as the limits allow; the rest goes with the file.
type disk struct {
	tape *tape.Tape
	live map[uint64]map[*Thread]struct{} // what is needed, by the file that it lies in
	ill  bool                            // it could not be written to the last time
}

// fileSize is at which size another file is begun, in bytes. At most as much
// is moved at once.
const fileSize = 4 << 20

// OnDisk is what Limits.Bytes must be so that the files take size bytes at most.
func OnDisk(size int64) int { return int(max(size-2*fileSize, 2*fileSize) / 2) }

// A head is what a record says of itself.
type head struct {
	Scope  string `json:"s,omitzero"`
	ID     string `json:"i,omitzero"` // "": the answer is forgotten, and others go on from it
	Gone   bool   `json:"g,omitzero"` // the answer was deleted; there is nothing else
	Thread uint64 `json:"t,omitzero"`
	Parent uint64 `json:"p,omitzero"`
	Kept   int64  `json:"k,omitzero"` // milliseconds since 1970
	Input  int    `json:"x,omitzero"`
	Output int    `json:"y,omitzero"`
	Object int    `json:"z,omitzero"`
}

// Open returns the store whose texts lie in the folder dir, with all that was
// kept before and is within the limits. See OnDisk for how large the files
// become.
func Open(dir string, l Limits, sealer tape.Sealer, now func() time.Time, log *slog.Logger) (*Store, error) {
	s := New(l, now)
	if log != nil {
		s.log = log
	}
	d := &disk{live: map[uint64]map[*Thread]struct{}{}}
	var past past
	past.init()
	var err error
	if d.tape, err = tape.Open(dir, tape.Options{File: fileSize, Sealer: sealer, Log: log}, past.record); err != nil {
		return nil, err
	}
	s.disk = d
	past.restore(s)
	s.trim(now())
	return s, nil
}

// Run brings what is kept to the disk every now and then until ctx ends.
func (s *Store) Run(ctx context.Context) error { return s.disk.tape.Run(ctx) }

// Close closes the files of a store on the disk.
func (s *Store) Close() error { return s.disk.tape.Close() }

// write puts the text of t on the disk, if there is one. If that fails, it is
// kept in memory.
func (s *Store) write(t *Thread, body []byte) text {
	if s.disk == nil {
		return text{mem: body}
	}
	h := head{Thread: t.number, Kept: s.now().UnixMilli(), Input: t.input, Output: t.output, Object: t.object}
	if t.parent != nil {
		h.Parent = t.parent.number
	}
	if e := t.entry; e != nil {
		h.Scope, h.ID, h.Kept = e.scope, e.id, e.kept.UnixMilli()
	}
	at, err := s.append(&h, body)
	if err != nil {
		return text{mem: body}
	}
	return text{at: at}
}

func (s *Store) append(h *head, body []byte) (tape.Place, error) {
	raw, err := json.Marshal(h)
	if err != nil {
		return tape.Place{}, err // an id that is no text
	}
	at, err := s.disk.tape.Append(raw, body)
	if ill := err != nil; ill != s.disk.ill {
		if s.disk.ill = ill; ill {
			s.log.Error("answers cannot be kept on the disk; they are kept in memory", "error", err)
		}
	}
	return at, err
}

// forget notes on the disk that e was deleted.
func (s *Store) forget(e *entry) {
	if s.disk != nil {
		_, _ = s.append(&head{Scope: e.scope, ID: e.id, Gone: true}, nil)
	}
}

// live notes that somebody holds t.
func (s *Store) live(t *Thread) {
	if s.disk == nil || t.text.mem != nil {
		return
	}
	f := t.text.at.File
	if s.disk.live[f] == nil {
		s.disk.live[f] = map[*Thread]struct{}{}
	}
	s.disk.live[f][t] = struct{}{}
}

// dead notes that nobody holds t any more.
func (s *Store) dead(t *Thread) {
	if s.disk != nil {
		delete(s.disk.live[t.text.at.File], t)
	}
}

// readable reports whether t, which nobody holds, is still there.
func (s *Store) readable(t *Thread) bool {
	return s.disk == nil || t.text.mem != nil || s.disk.tape.Has(t.text.at)
}

// sweep drops the files of which nothing is needed, the oldest first, and moves
// what is needed of the oldest if all together are too large.
func (s *Store) sweep() {
	d := s.disk
	if d == nil {
		return
	}
	for {
		n, ok := d.tape.Oldest()
		if !ok {
			return
		}
		if len(d.live[n]) > 0 {
			if d.tape.Size() <= 2*int64(s.limits.Bytes)+2*fileSize {
				return
			}
			s.move(d.live[n])
		}
		delete(d.live, n)
		d.tape.Drop(n)
	}
}

// move writes turns anew, in the order in which they lie.
func (s *Store) move(all map[*Thread]struct{}) {
	turns := make([]*Thread, 0, len(all))
	for t := range all {
		turns = append(turns, t)
	}
	slices.SortFunc(turns, func(a, b *Thread) int { return cmp.Compare(a.number, b.number) })
	for _, t := range turns {
		body, err := s.disk.tape.Read(t.text.at)
		if err != nil || len(body) < t.input+t.output {
			continue // whoever wants it is told
		}
		if t.entry == nil {
			body, t.object = body[:t.input+t.output], 0
		}
		delete(all, t)
		t.text = s.write(t, body)
		s.live(t)
	}
}

// past is what a tape tells when it is opened.
type past struct {
	turns   map[uint64]*Thread
	parents map[uint64]uint64
	entries map[place]*entry
}

func (p *past) init() {
	p.turns, p.parents, p.entries = map[uint64]*Thread{}, map[uint64]uint64{}, map[place]*entry{}
}

// record takes one record. The last one of a turn, or of an answer, counts.
func (p *past) record(at tape.Place, raw []byte) {
	var h head
	if json.Unmarshal(raw, &h) != nil || h.Input < 0 || h.Output < 0 || h.Object < 0 {
		return // of another version
	}
	where := place{h.Scope, h.ID}
	if h.Gone {
		delete(p.entries, where)
		return
	}
	t := &Thread{number: h.Thread, text: text{at: at}, input: h.Input, output: h.Output, object: h.Object}
	if old := p.turns[h.Thread]; old != nil {
		*old, t = *t, old // those who have it keep it
	}
	p.turns[h.Thread], p.parents[h.Thread] = t, h.Parent
	if h.ID != "" {
		p.entries[where] = &entry{place: where, thread: t, object: h.Object, kept: time.UnixMilli(h.Kept)}
	}
}

// restore gives s what can be read of it.
func (p *past) restore(s *Store) {
	all := make([]*entry, 0, len(p.entries))
	for _, e := range p.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int {
		if c := a.kept.Compare(b.kept); c != 0 {
			return c
		}
		return cmp.Compare(a.thread.number, b.thread.number)
	})
	for _, e := range all {
		if e.object == e.thread.object && p.link(e.thread) && s.hold(e.thread) {
			e.thread.entry = e
			s.size += e.cost()
			s.entries[e.place] = s.order.PushBack(e)
		}
	}
	for n := range p.turns {
		s.threads = max(s.threads, n)
	}
}

// link finds what the turns of a conversation went on from, and reports whether
// all of them are there.
func (p *past) link(t *Thread) bool {
	var up []*Thread
	for x := t; x.turns == 0; {
		up = append(up, x)
		n := p.parents[x.number]
		if n == 0 {
			break
		}
		parent := p.turns[n]
		if parent == nil || n >= x.number {
			return false // a turn goes on from one before it
		}
		x.parent = parent
		x = parent
	}
	for _, x := range slices.Backward(up) {
		x.grow()
	}
	return true
}
