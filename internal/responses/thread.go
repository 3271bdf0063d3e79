package responses

import (
	"errors"

	"portico/internal/tape"
)

// MaxConversation bounds a conversation that can be continued by its name, in
// bytes: it is put into one request.
const MaxConversation = 64 << 20

// Size is how many bytes all items of the conversation take.
func (t *Thread) Size() int { return t.total }

// A reading is where the text of a turn is, and its parts.
type reading struct {
	text
	input, output int
}

// reading is what is needed to read t. The lock is held.
func (t *Thread) reading() reading { return reading{t.text, t.input, t.output} }

// read returns the text of t as r says. Meanwhile it may have been moved.
func (s *Store) read(t *Thread, r reading) ([]byte, error) {
	if r.mem != nil || s.disk == nil {
		return r.mem, nil
	}
	body, err := s.disk.tape.Read(r.at)
	if errors.Is(err, tape.ErrGone) {
		s.mu.Lock()
		r = t.reading()
		s.mu.Unlock()
		if r.mem != nil {
			return r.mem, nil
		}
		body, err = s.disk.tape.Read(r.at)
	}
	if err == nil && len(body) < r.input+r.output {
		err = tape.ErrDamaged
	}
	if err != nil {
		s.log.Error("what was kept of a conversation cannot be read", "error", err)
	}
	return body, err
}

// Items are all items of the conversation, with commas between them.
func (s *Store) Items(t *Thread) ([]byte, error) { return s.items(t, true) }

// Input is what the last answer of the conversation was an answer to: all items
// but its own, with commas between them.
func (s *Store) Input(t *Thread) ([]byte, error) { return s.items(t, false) }

func (s *Store) items(t *Thread, all bool) ([]byte, error) {
	turns := make([]*Thread, t.turns)
	places := make([]reading, t.turns)
	s.mu.Lock()
	for i, x := t.turns-1, t; x != nil; i, x = i-1, x.parent {
		turns[i], places[i] = x, x.reading()
	}
	s.mu.Unlock()
	dst := make([]byte, 0, t.total+t.turns*2)
	for i, r := range places {
		body, err := s.read(turns[i], r)
		if err != nil {
			return nil, err
		}
		dst = Join(dst, body[:r.input])
		if all || i < len(places)-1 {
			dst = Join(dst, body[r.input:r.input+r.output])
		}
	}
	return dst, nil
}

// output is what the last answer of the conversation added.
func (s *Store) output(t *Thread) []byte {
	s.mu.Lock()
	r := t.reading()
	s.mu.Unlock()
	body, err := s.read(t, r)
	if err != nil {
		return nil
	}
	return body[r.input : r.input+r.output]
}
