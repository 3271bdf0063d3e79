package translate

import (
	"bytes"
	"strings"

	"portico/internal/llm"
)

// A matcher looks for stop sequences in a text as it comes, and holds back no
// more of it than may be the beginning of one.
type matcher struct {
	stops []string
	met   int    // which one was met, less than 0: none. Set by feed.
	held  []byte // what may be the beginning of one
	out   []byte
}

// feed takes the next piece of the text and returns what may be told of it,
// which is valid until the next call. If a sequence was met, nothing behind it
// is ever told.
func (m *matcher) feed(piece llm.Text) llm.Text {
	m.met = -1
	m.held = piece.Append(m.held)
	at := len(m.held)
	for i, s := range m.stops {
		// The one that ends first has been met first.
		if j := bytes.Index(m.held, []byte(s)); j >= 0 && (m.met < 0 || j+len(s) < at+len(m.stops[m.met])) {
			m.met, at = i, j
		}
	}
	if m.met < 0 {
		at -= m.tail()
	}
	m.out = append(m.out[:0], m.held[:at]...)
	m.held = m.held[:copy(m.held, m.held[at:])]
	return llm.PlainBytes(m.out)
}

// tail is how many bytes at the end of what is held may be the beginning of a
// stop sequence. A character is never cut.
func (m *matcher) tail() (n int) {
	for _, s := range m.stops {
		for k := min(len(s)-1, len(m.held)); k > n; k-- {
			if strings.HasPrefix(s, string(m.held[len(m.held)-k:])) {
				n = k
				break
			}
		}
	}
	for n > 0 && n < len(m.held) && m.held[len(m.held)-n]&0xC0 == 0x80 {
		n++
	}
	return n
}

// rest is what was held back to the end.
func (m *matcher) rest() llm.Text {
	out := m.held
	m.held = nil
	if len(out) == 0 {
		return llm.Text{}
	}
	return llm.PlainBytes(out)
}
