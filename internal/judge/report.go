package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// A report gathers verdicts into a table: a row for each trial, a column for
// each upstream.
type report struct {
	columns []string
	rows    []row
}

type row struct {
	name string
	by   map[string]verdict // by upstream
}

func (r *report) add(name, upstream string, v verdict) {
	i := slices.IndexFunc(r.rows, func(x row) bool { return x.name == name })
	if i < 0 {
		i = len(r.rows)
		r.rows = append(r.rows, row{name, map[string]verdict{}})
	}
	r.rows[i].by[upstream] = v
}

// print writes the table and what failed below it, and returns how many
// failed.
func (r *report) print(out io.Writer) (failed int) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nCLIENT\t"+strings.Join(r.columns, "\t"))
	total, partly := 0, false
	for _, x := range r.rows {
		cells := []string{x.name}
		for _, c := range r.columns {
			v, ok := x.by[c]
			cell := "FAIL"
			switch {
			case !ok:
				cell = "-"
			case v.passed && len(v.beyond) > 0:
				cell, partly = "PASS*", true
			case v.passed:
				cell = "PASS"
			}
			if ok {
				total++
			}
			if ok && !v.passed {
				failed++
			}
			cells = append(cells, cell)
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	_ = t.Flush()
	if partly {
		for _, l := range limits {
			if at := slices.DeleteFunc(slices.Clone(l.at), func(u string) bool { return !slices.Contains(r.columns, u) }); len(at) > 0 {
				fmt.Fprintf(out, "* %s at %s without %s: %s\n", l.program, strings.Join(at, ", "), strings.Join(l.checks, ", "), l.why)
			}
		}
	}
	for _, c := range r.columns {
		for _, x := range r.rows {
			if v, ok := x.by[c]; ok && !v.passed {
				fmt.Fprintln(out, v.line(x.name, c))
			}
		}
	}
	fmt.Fprintf(out, "%d of %d passed\n", total-failed, total)
	return failed
}
