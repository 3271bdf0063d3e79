// Package telemetry tells the outside how the gateway is doing: log lines and
// metrics.
//
// Both hear of a request from the journal, after it ended, so that neither
// costs the request anything. Neither holds a key, an address of a person, a
// prompt or a label without a bound.
package telemetry

import (
	"strings"
	"unicode"
)

// A namer keeps a label bounded: the first names it sees are itself, all
// others are "other".
type namer struct {
	most int
	seen map[string]string // a name as it came, and as it is shown
}

const (
	other   = "other"
	longest = 80 // bytes of a label
)

func newNamer(most int) *namer { return &namer{most, make(map[string]string)} }

// of is the label for s. A name that is longer than any honest one, or that
// does not print, is shown as other and takes no place.
func (n *namer) of(s string) string {
	if l, ok := n.seen[s]; ok {
		return l
	}
	if s == "" || len(s) > longest || len(n.seen) >= n.most || strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		return other
	}
	s = strings.Clone(s)
	n.seen[s] = s
	return s
}
