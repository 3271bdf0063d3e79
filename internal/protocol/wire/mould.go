package wire

import "bytes"

// A Mould recognises an event of a stream that is like the one before in all
// but a text and some values that mean nothing: numbers that count events, and
// padding. Most events of an answer are, and to compare bytes costs a fraction
// of reading them. The zero Mould fits nothing.
//
// What it recognises is what reading would find: up to the text both events
// are the same bytes, a text without a quote ends at the next one, and so on
// to the end.
type Mould struct {
	event, data []byte // of the event before
	vary        [maxVary]span
	n           int // of vary; 0: nothing fits
	text        int // which of them is the text
}

// maxVary is how many values of an event may differ.
const maxVary = 3

// maxMould is the size in bytes of the largest event that is remembered.
const maxMould = 4 << 10

// A span is where a value stands in an event, a string without its quotes.
type span struct {
	from, to int
	number   bool
}

// Forget makes m fit nothing.
func (m *Mould) Forget() { m.n = 0 }

// Learn makes m fit events that differ from this one in text, a string of its
// data, and in the strings and whole numbers of others, which may be nil. They
// are slices of data, quotes included. If that cannot be m fits nothing.
func (m *Mould) Learn(event, data, text []byte, others ...[]byte) {
	m.n = 0
	if len(data) > maxMould || !m.add(data, text) {
		return
	}
	for _, v := range others {
		if v != nil && !m.add(data, v) {
			m.n = 0
			return
		}
	}
	m.event, m.data = append(m.event[:0], event...), append(m.data[:0], data...)
}

// add inserts v in the order of where it stands. The first is the text.
func (m *Mould) add(data, v []byte) bool {
	at := cap(data) - cap(v) // v is a slice of data
	if m.n == maxVary || len(v) == 0 || at < 0 || at+len(v) > len(data) || &data[at] != &v[0] {
		return false
	}
	s := span{at, at + len(v), true}
	if v[0] == '"' {
		s = span{at + 1, at + len(v) - 1, false}
	} else if digits(v) != len(v) {
		return false
	}
	i := m.n
	for ; i > 0 && m.vary[i-1].from > s.from; i-- {
		m.vary[i] = m.vary[i-1]
	}
	switch m.vary[i] = s; {
	case m.n == 0:
		m.text = 0
	case i <= m.text:
		m.text++
	}
	m.n++
	return true
}

// Text is the text of an event that fits, a JSON string that is not empty, with
// its quotes. ok is false if the event does not fit and has to be read.
func (m *Mould) Text(event, data []byte) (text []byte, ok bool) {
	if m.n == 0 || !bytes.Equal(event, m.event) {
		return nil, false
	}
	all, from := data, 0
	for i := range m.n {
		s := m.vary[i]
		same := m.data[from:s.from]
		if !bytes.HasPrefix(data, same) {
			return nil, false
		}
		data = data[len(same):]
		n := 0
		if s.number {
			n = digits(data)
		} else if n = bytes.IndexByte(data, '"'); n > 0 && data[n-1] == '\\' { // escaped, or so it may be
			return nil, false
		}
		if n < 0 || n == 0 && (s.number || i == m.text) {
			return nil, false
		}
		if at := len(all) - len(data); i == m.text {
			text = all[at-1 : at+n+1]
		}
		data, from = data[n:], s.to
	}
	return text, sameBut(m.data[from:], data)
}

// digits is how many digits v begins with.
func digits(v []byte) int {
	for i, c := range v {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(v)
}

// sameBut reports whether a and b are the same, or differ only in blanks
// between brackets, with which Anthropic pads its events.
func sameBut(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	for first := true; ; first = false {
		a, b = bytes.TrimLeft(a, " "), bytes.TrimLeft(b, " ")
		if len(a) == 0 || len(b) == 0 {
			return len(a) == len(b)
		}
		// The first quote ends the string before. One more begins another,
		// in which a blank is no padding.
		if a[0] != b[0] || !first && a[0] != '}' && a[0] != ']' {
			return false
		}
		a, b = a[1:], b[1:]
	}
}
