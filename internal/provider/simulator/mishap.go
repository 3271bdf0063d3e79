package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A kind is what goes wrong.
type kind uint8

const (
	kindNone   kind = iota // nothing but the waits
	kindStatus             // an error with mishap.status
	kindOverloaded
	kindHang
	kindHTML
	kindCut
	kindEnd
	kindGarbage
	kindError
)

var kinds = map[string]kind{
	"overloaded": kindOverloaded, "hang": kindHang, "html": kindHTML, "empty": kindEnd, "end": kindEnd,
	"cut": kindCut, "garbage": kindGarbage, "error": kindError,
}

// A mishap is one scripted fault; the package comment lists its words.
type mishap struct {
	kind        kind
	status      int
	retry       time.Duration // 0: names none
	code        string
	delay, pace time.Duration
	after       int   // events, -1: not said
	bytes       int64 // -1: not said
	account     string
	times       int // 0: always
	key         string
	text        string // the words, as written
}

// Bounds of a script of faults. One fault is kept as the key of a count, hence
// the bound on its length.
const (
	maxMishaps    = 16
	maxMishapText = 512
	maxWait       = 10 * time.Minute
)

// parseMishaps reads the faults of a header or a directive.
func parseMishaps(s string) ([]mishap, error) {
	var ms []mishap
	for text := range strings.SplitSeq(s, ";") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if len(text) > maxMishapText {
			return nil, fmt.Errorf("a fault of the simulator may hold %d bytes, this one has %d", maxMishapText, len(text))
		}
		if len(ms) == maxMishaps {
			return nil, fmt.Errorf("the simulator takes at most %d faults at once", maxMishaps)
		}
		m := mishap{after: -1, bytes: -1, text: text}
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			if err := m.word(word); err != nil {
				return nil, err
			}
		}
		ms = append(ms, m)
	}
	return ms, nil
}

// word reads one word: a kind, a kind with a setting behind it, or a setting.
func (m *mishap) word(w string) error {
	name, value := w, ""
	if i := strings.IndexAny(w, ":="); i >= 0 {
		name, value = w[:i], w[i+1:]
	}
	if k, ok := kinds[name]; ok {
		m.kind = k
		if value != "" {
			return m.word(value)
		}
		return nil
	}
	var err error
	switch name {
	case "status":
		m.kind = kindStatus
		m.status, err = number(value, 400, 599)
	case "retry-after":
		m.retry, err = wait(value)
	case "delay":
		m.delay, err = wait(value)
	case "pace":
		m.pace, err = wait(value)
	case "after":
		m.after, err = number(value, 0, 1<<30)
	case "bytes":
		var n int
		n, err = number(value, 0, 1<<30)
		m.bytes = int64(n)
	case "times":
		m.times, err = number(value, 1, 1<<30)
	case "account":
		m.account = value
	case "key":
		m.key = value
	case "code":
		m.code = value
	default:
		return fmt.Errorf("the simulator knows no fault %q; it knows status, retry-after, code, overloaded, hang, html, empty, "+
			"cut, end, garbage, error, after, bytes, delay, pace, account, times and key", w)
	}
	if err != nil {
		return fmt.Errorf("the simulator's fault %q: %w", w, err)
	}
	return nil
}

func number(s string, least, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("want a number from %d to %d", least, most)
	}
	return n, nil
}

// wait reads a duration; a bare number is seconds, as in Retry-After.
func wait(s string) (time.Duration, error) {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		s += "s"
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > maxWait {
		return 0, fmt.Errorf("want seconds or a duration such as 500ms, at most %v", maxWait)
	}
	return d, nil
}

// strikes is the event of a stream before which m strikes, or -1 for before
// the answer's header.
func (m *mishap) strikes() int {
	if m.after < 0 && (m.kind == kindHang || m.kind == kindOverloaded) {
		return -1
	}
	return max(0, m.after)
}
