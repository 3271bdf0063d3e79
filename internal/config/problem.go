package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Problem is one thing that is wrong, or worth a warning, in what the
// operator decided.
type Problem struct {
	Where string // the file, the environment variable or the flag
	Line  int    // in the file, from 1; 0 if there is none
	Key   string // such as accounts[1].provider; "" if it concerns the whole
	Text  string
}

// String is one line: "portico.yaml:12: accounts[1].provider: …".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Where)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	for _, s := range []string{p.Key, p.Text} {
		if s == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(s)
	}
	return b.String()
}

// An Error is a configuration that cannot take effect.
type Error struct {
	Problems []Problem // in the order of the file, then of the environment, then of the flags
}

// Error has one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds how many problems are told of one file; nobody mends
// more than that from one listing.
const maxProblems = 100

// A report gathers problems and warnings.
type report struct {
	bad     []Problem
	warn    []Problem
	where   string // what is being read
	env     func(string) (string, bool)
	base    string         // folder that relative key files are looked up in
	files   []string       // key files that were read
	seen    []stamp        // of those, from before they were
	options *Options       // with the checks that only the providers know
	named   map[string]int // the accounts that were seen, and their lines
	// sensitive is set when a secret stands in what is being read.
	sensitive bool
}

func (r *report) problem(line int, key, format string, args ...any) {
	if len(r.bad) < maxProblems {
		r.bad = append(r.bad, Problem{r.where, line, plain(key, 200), plain(fmt.Sprintf(format, args...), 1000)})
	}
}

func (r *report) warning(line int, key, format string, args ...any) {
	if len(r.warn) < maxProblems {
		r.warn = append(r.warn, Problem{r.where, line, plain(key, 200), plain(fmt.Sprintf(format, args...), 1000)})
	}
}

// plain makes s fit for a terminal and a log: one line of at most n bytes,
// and what does not print escaped. Names and values come out of a file.
func plain(s string, n int) string {
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "…"
	}
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	q := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// err returns what was gathered: files first, then the environment, then
// flags, each by line.
func (r *report) err() error {
	if len(r.bad) == 0 {
		return nil
	}
	rank := func(p Problem) int {
		switch {
		case strings.HasPrefix(p.Where, "--"):
			return 2
		case strings.HasPrefix(p.Where, "PORTICO_"):
			return 1
		}
		return 0
	}
	slices.SortStableFunc(r.bad, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Line, b.Line))
	})
	return &Error{r.bad}
}
