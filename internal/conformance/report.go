package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// print writes the matrix: for each pair how many cases were carried, how many
// the ledger names, and how many neither. Up to show of the last are listed.
func (m *matrix) print(w io.Writer, show int) {
	for _, d := range []struct {
		title string
		of    map[pair]*score
		text  string
	}{
		{"Requests", m.requests, "A recorded request of a client, and what reaches an upstream of another protocol."},
		{"Answers", m.answers, "A recorded answer of an upstream, and what a client of another protocol gets."},
	} {
		fmt.Fprintf(w, "\n## %s\n\n%s\n\n| client | upstream | cases | carried | named in the ledger | other | share |\n|---|---|---|---|---|---|---|\n", d.title, d.text)
		var sum score
		for _, p := range sorted(d.of) {
			s := d.of[p]
			fmt.Fprintf(w, "| %s | %s | %d | %d | %d | %d | %s |\n", p.client, p.upstream, s.cases, s.carried, s.named, len(s.odd), share(s))
			sum.cases, sum.carried, sum.named, sum.odd = sum.cases+s.cases, sum.carried+s.carried, sum.named+s.named, append(sum.odd, s.odd...)
		}
		fmt.Fprintf(w, "| all | | %d | %d | %d | %d | %s |\n", sum.cases, sum.carried, sum.named, len(sum.odd), share(&sum))
		for _, p := range sorted(d.of) {
			s := d.of[p]
			if len(s.odd) == 0 || show == 0 {
				continue
			}
			slices.Sort(s.odd)
			fmt.Fprintf(w, "\n%s client, %s upstream:\n\n", p.client, p.upstream)
			for _, o := range s.odd[:min(len(s.odd), show)] {
				fmt.Fprintf(w, "- `%s`\n", strings.ReplaceAll(o, "`", "'"))
			}
			if n := len(s.odd) - show; n > 0 {
				fmt.Fprintf(w, "- … and %d more\n", n)
			}
		}
	}
}

// printLeft tells which recorded answers are left out, and why: by number, or
// by name if named.
func (m *matrix) printLeft(w io.Writer, named bool) {
	if len(m.left) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Left out\n\nRecorded answers that are no measure of a gateway.\n\n| recordings | why |\n|---|---|\n")
	for _, why := range slices.Sorted(maps.Keys(m.left)) {
		fmt.Fprintf(w, "| %d | %s |\n", len(m.left[why]), why)
	}
	for _, why := range slices.Sorted(maps.Keys(m.left)) {
		if slices.Sort(m.left[why]); named {
			fmt.Fprintf(w, "\n%s:\n\n- %s\n", why, strings.Join(m.left[why], "\n- "))
		}
	}
}

func sorted(of map[pair]*score) []pair {
	return slices.SortedFunc(maps.Keys(of), func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.upstream, b.upstream))
	})
}

func share(s *score) string {
	if s.cases == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(s.carried+s.named)/float64(s.cases))
}

// least is the smallest share of all pairs.
func (m *matrix) least() float64 {
	l := 1.0
	for _, of := range []map[pair]*score{m.requests, m.answers} {
		for _, s := range of {
			l = min(l, float64(s.carried+s.named)/float64(max(s.cases, 1)))
		}
	}
	return l
}
