// Package glob matches model names against the patterns that operators write:
// which models an account serves, and which names a route maps.
//
// A pattern is one of two kinds:
//
//   - a glob, which must fit the whole name: "*" stands for any run of
//     characters, also none and also slashes, "?" for exactly one character,
//     and every other character, brackets and backslashes among them, for
//     itself;
//   - "/expression/", an RE2 regular expression in Go's syntax that must be
//     found somewhere in the name; "^" and "$" anchor it.
//
// Both kinds are case-sensitive, because model names are: upstreams compare
// them byte by byte, and a glob without wildcards must agree with an equal
// name and nothing else. "/(?i)…/" is the way to ask for less.
package glob

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxPattern is the longest pattern that Compile takes, in bytes.
const MaxPattern = 256

// A Glob is a compiled pattern. It is immutable and safe for concurrent use.
// The zero Glob matches only the empty name.
type Glob struct {
	pattern string
	re      *regexp.Regexp // nil for a glob
}

// Compile reads a pattern. It refuses one that is empty, longer than
// MaxPattern, not UTF-8, or "/…/" around something that RE2 does not take.
func Compile(pattern string) (Glob, error) {
	switch {
	case pattern == "":
		return Glob{}, errors.New("pattern is empty")
	case len(pattern) > MaxPattern:
		return Glob{}, fmt.Errorf("pattern has %d bytes, at most %d are allowed", len(pattern), MaxPattern)
	case !utf8.ValidString(pattern):
		return Glob{}, fmt.Errorf("pattern %q is not UTF-8", pattern)
	}
	if len(pattern) < 2 || pattern[0] != '/' || pattern[len(pattern)-1] != '/' {
		return Glob{pattern: pattern}, nil
	}
	re, err := regexp.Compile(pattern[1 : len(pattern)-1])
	if err != nil {
		return Glob{}, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return Glob{pattern: pattern, re: re}, nil
}

// String is the pattern as it was written.
func (g Glob) String() string { return g.pattern }

// Literal returns the one name that g matches, if there is only one: g is a
// glob without wildcards.
func (g Glob) Literal() (name string, ok bool) {
	if g.re != nil || strings.ContainsAny(g.pattern, "*?") {
		return "", false
	}
	return g.pattern, true
}

// Weight is how specific g is: a regular expression less than any glob, a glob
// by how many bytes of it stand for themselves, and a name most.
func (g Glob) Weight() int {
	if g.re != nil {
		return -1
	}
	if _, ok := g.Literal(); ok {
		return MaxPattern + 1
	}
	return len(g.pattern) - strings.Count(g.pattern, "*") - strings.Count(g.pattern, "?")
}

// Match reports whether g fits name. Its time is at most proportional to
// len(pattern) × len(name), with a pattern of at most MaxPattern bytes: linear
// in the name, whatever the pattern. A glob does not allocate.
func (g Glob) Match(name string) bool {
	if g.re != nil {
		return g.re.MatchString(name)
	}
	return match(g.pattern, name)
}

// match walks pattern and name together. On a mismatch it returns to the last
// star seen and lets that one take a character more; an earlier star need
// never be asked again, since whatever it could still yield the last one takes
// as well. That is what bounds the time.
func match(pattern, name string) bool {
	p, n := 0, 0         // where we are
	star, taken := -1, 0 // behind the last star; where what it takes ends
	for n < len(name) {
		if p < len(pattern) {
			switch c := pattern[p]; {
			case c == '*':
				p++
				star, taken = p, n
				continue
			case c == '?':
				_, size := utf8.DecodeRuneInString(name[n:])
				p++
				n += size
				continue
			case c == name[n]:
				p++
				n++
				continue
			}
		}
		if star < 0 {
			return false
		}
		// Whole characters, so that "?" is never asked to begin inside one.
		_, size := utf8.DecodeRuneInString(name[taken:])
		taken += size
		p, n = star, taken
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// A Set is a list of globs of which one must match; the empty Set matches
// every name.
type Set []Glob

// CompileAll compiles patterns; the error names the first bad one.
func CompileAll(patterns []string) (Set, error) {
	set := make(Set, 0, len(patterns))
	for _, p := range patterns {
		g, err := Compile(p)
		if err != nil {
			return nil, err
		}
		set = append(set, g)
	}
	return set, nil
}

// Match reports whether s is empty or one of its globs fits name.
func (s Set) Match(name string) bool {
	for _, g := range s {
		if g.Match(name) {
			return true
		}
	}
	return len(s) == 0
}
