package candidates

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
	"portico/internal/sse"
)

// Merge makes one whole answer of whole ones, which are in the order of their
// candidates.
func (d *Dialect) Merge(bodies [][]byte) ([]byte, error) {
	type candidate struct {
		index int
		v     []byte
	}
	var all []candidate
	var usages [][]byte
	var reasons [][]byte // why an answer has no candidate
	for leg, body := range bodies {
		list := jsonedit.Get(body, d.list)
		reason := blocked(body)
		if (len(list) == 0 || list[0] != '[') && reason == nil {
			return nil, fmt.Errorf("%s %d: the answer holds none", d.Noun, leg)
		}
		at := 0
		if list != nil {
			for v, err := range jsonedit.Elements(list) {
				if err == nil && v[0] != '{' {
					err = fmt.Errorf("%s holds what is no object", d.list)
				}
				if err != nil {
					return nil, fmt.Errorf("%s %d: %w", d.Noun, leg, err)
				}
				index := leg
				if !d.bare {
					if v, index, err = number(v, at, leg, len(bodies)); err != nil {
						return nil, fmt.Errorf("%s %d: %w", d.Noun, leg, err)
					}
				}
				all = append(all, candidate{index, v})
				at++
			}
		}
		if at > 0 {
			reason = nil
		}
		reasons = append(reasons, reason)
		usages = append(usages, jsonedit.Get(body, d.usage))
	}
	out := bodies[0]
	var err error
	if len(all) > 0 {
		for leg, reason := range reasons {
			if reason != nil {
				all = append(all, candidate{leg, refused(leg, reason)})
			}
		}
		slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.index, b.index) })
		list := []byte{'['}
		for i, c := range all {
			if i > 0 {
				list = append(list, ',')
			}
			list = append(list, c.v...)
		}
		if out, err = jsonedit.Set(out, d.list, append(list, ']')); err != nil {
			return nil, err
		}
		if jsonedit.Get(out, promptFeedback) != nil {
			if out, err = jsonedit.Drop(out, promptFeedback); err != nil {
				return nil, err
			}
		}
	}
	if total := sum(usages...); total != nil {
		out, err = jsonedit.Set(out, d.usage, total)
	}
	return out, err
}

const promptFeedback = "promptFeedback"

// blocked is why Google refused a prompt, nil if it did not. It may refuse it
// once and take it another time.
func blocked(body []byte) []byte {
	v := jsonedit.Get(body, promptFeedback)
	if len(v) == 0 || v[0] != '{' {
		return nil
	}
	return jsonedit.Get(v, "blockReason")
}

// refused is a candidate that was not made, for that reason, while others were.
// The reasons that prompts are refused for are called as those that candidates
// end with.
func refused(index int, reason []byte) []byte {
	v := strconv.AppendInt([]byte(`{"index":`), int64(index), 10)
	if wire.Text(reason) == "" {
		reason = []byte(`"OTHER"`)
	}
	return append(append(append(v, `,"finishReason":`...), reason...), '}')
}

// A Merger makes one stream of several. It is used by one goroutine at a time.
type Merger struct {
	d      *Dialect
	legs   []stream
	head   [4][]byte // of d.same, as the first piece that told it had it
	array  bool
	frames int
	said   bool    // something of a candidate
	turn   *stream // of candidates without numbers, the one that is told
}

// A stream is what is known of one of the streams.
type stream struct {
	usage    []byte // as it was told last
	feedback []byte // on its prompt, which was refused
	held     []byte // events that wait for the turn of theirs
	over     bool   // nothing more comes
}

// NewMerger returns a merger of n streams. With array the pieces are the
// elements of a JSON array in place of events; End ends it.
func (d *Dialect) NewMerger(n int, array bool) *Merger {
	return &Merger{d: d, legs: make([]stream, n), array: array}
}

// Frame appends to dst what the data of one event of a stream makes, framed. Of
// each stream it takes no end, no usage by itself and no error: End writes the
// first two once all streams are through. The error says that data is no piece
// of an answer.
func (m *Merger) Frame(dst []byte, leg int, data []byte) ([]byte, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || string(data) == "[DONE]" {
		return dst, nil
	}
	s := &m.legs[leg]
	if m.d.bare {
		return m.bare(dst, leg, data)
	}
	out := append(make([]byte, 0, len(data)+64), '{')
	add := func(name, v []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(append(out, '"'), name...), `":`...), v...)
	}
	said, told := false, false
	for x, err := range jsonedit.Members(data) {
		if err != nil {
			return dst, err
		}
		v := x.Value
		switch name := string(x.Name); name {
		case m.d.list:
			if v, said, err = m.numbered(leg, v); err != nil {
				return dst, err
			}
		case m.d.usage:
			if len(v) > 0 && v[0] == '{' {
				s.usage, told = append(s.usage[:0], v...), true
				if v = []byte("null"); !m.d.done {
					v = m.usage()
				}
			}
		case "error":
			if !wire.Empty(v) {
				return dst, nil
			}
		case promptFeedback:
			if blocked(data) != nil {
				s.feedback = bytes.Clone(v)
				continue
			}
		default:
			if i := slices.Index(m.d.same, name); i >= 0 {
				if m.head[i] == nil {
					m.head[i] = bytes.Clone(v)
				}
				v = m.head[i]
			}
		}
		add(x.Name, v)
	}
	m.said = m.said || said
	if !said && (s.feedback != nil || told && m.d.done) {
		return dst, nil
	}
	return m.frame(dst, append(out, '}')), nil
}

// bare takes an event of a candidate without a number. A client could not tell
// whose it is, so that one after the other is told to its end, in the order in
// which they begin, and the events of the others wait.
func (m *Merger) bare(dst []byte, leg int, data []byte) ([]byte, error) {
	v := jsonedit.Get(data, "type")
	if len(v) == 0 {
		return dst, nil // an error, which its leg tells by itself
	}
	kind := wire.Text(v)
	s := &m.legs[leg]
	s.held = sse.Append(s.held, kind, data)
	s.over = s.over || strings.HasSuffix(kind, ".completed")
	return m.tell(dst), nil
}

// Over says that nothing more comes of a stream, and appends to dst what waited
// for that.
func (m *Merger) Over(dst []byte, leg int) []byte {
	m.legs[leg].over = true
	return m.tell(dst)
}

// tell appends what need not wait any more: the events of the stream whose turn
// it is, and once that is over of the next, those first that are over, too.
func (m *Merger) tell(dst []byte) []byte {
	for {
		if m.turn == nil {
			if m.turn = m.next(); m.turn == nil {
				return dst
			}
		}
		dst = append(dst, m.turn.held...)
		if m.turn.held = nil; !m.turn.over {
			return dst
		}
		m.turn = nil
	}
}

func (m *Merger) next() (s *stream) {
	for i := range m.legs {
		if l := &m.legs[i]; len(l.held) > 0 && (s == nil || l.over && !s.over) {
			s = l
		}
	}
	return s
}

// numbered is the list of a piece with the candidates' numbers, and whether
// there is one.
func (m *Merger) numbered(leg int, list []byte) (out []byte, said bool, err error) {
	if len(list) == 0 || list[0] != '[' {
		return list, false, nil
	}
	out = append(out, '[')
	at := 0
	for v, err := range jsonedit.Elements(list) {
		if err != nil || v[0] != '{' {
			return nil, false, fmt.Errorf("%s holds what is no object", m.d.list)
		}
		v, _, err := number(v, at, leg, len(m.legs))
		if err != nil {
			return nil, false, err
		}
		if at > 0 {
			out = append(out, ',')
		}
		out = append(out, v...)
		at++
	}
	return append(out, ']'), at > 0, nil
}

// usage is what all streams took so far.
func (m *Merger) usage() []byte {
	all := make([][]byte, len(m.legs))
	for i := range m.legs {
		all[i] = m.legs[i].usage
	}
	return sum(all...)
}

func (m *Merger) frame(dst, data []byte) []byte {
	m.frames++
	switch {
	case !m.array:
		return sse.Append(dst, "", data)
	case m.frames == 1:
		dst = append(dst, '[')
	default:
		dst = append(dst, ",\n"...)
	}
	return append(dst, data...)
}

// End appends what is owed once all streams came to their end.
func (m *Merger) End(dst []byte) []byte {
	if m.d.bare {
		return dst
	}
	dst = m.refusals(dst)
	if m.d.done {
		if u := m.usage(); u != nil {
			dst = m.frame(dst, m.piece(m.d.list, []byte("[]"), m.d.usage, u))
		}
		return append(dst, "data: [DONE]\n\n"...)
	}
	if m.array {
		if m.frames == 0 {
			dst = append(dst, '[')
		}
		dst = append(dst, "\n]"...)
	}
	return dst
}

// piece is a piece of the stream with two members, of which the second may be
// nil.
func (m *Merger) piece(name string, v []byte, other string, w []byte) []byte {
	var out []byte
	add := func(name string, v []byte) {
		if v != nil {
			out = append(append(append(append(out, `,"`...), name...), `":`...), v...)
		}
	}
	for i, name := range m.d.same {
		add(name, m.head[i])
	}
	add(name, v)
	add(other, w)
	out[0] = '{'
	return append(out, '}')
}

// refusals tells of streams whose prompt was refused: of all as Google does it,
// of one among others as a candidate that was not made.
func (m *Merger) refusals(dst []byte) []byte {
	for i := range m.legs {
		f := m.legs[i].feedback
		switch {
		case f == nil:
			continue
		case !m.said:
			return m.frame(dst, m.piece(promptFeedback, f, m.d.usage, m.usage()))
		}
		v := refused(i, jsonedit.Get(f, "blockReason"))
		dst = m.frame(dst, m.piece(m.d.list, slices.Concat([]byte{'['}, v, []byte{']'}), m.d.usage, m.usage()))
	}
	return dst
}
