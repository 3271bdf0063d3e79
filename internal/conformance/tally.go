package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// A tally counts verdicts by protocol.
type tally struct {
	show    int
	rows    map[string]*row
	reasons map[string][]string
	odd     []string
}

type row struct{ cases, requests, responses, told int }

func (t *tally) add(r *recording, v verdict) {
	if t.rows == nil {
		t.rows, t.reasons = map[string]*row{}, map[string][]string{}
	}
	x := t.rows[r.protocol]
	if x == nil {
		x = &row{}
		t.rows[r.protocol] = x
	}
	x.cases++
	if v.request {
		x.requests++
	}
	if v.response {
		x.responses++
	}
	switch {
	case !v.request:
		t.odd = append(t.odd, fmt.Sprintf("%s/%s: the request reached the upstream changed, or not at all: %s", r.protocol, r.name, v.detail))
	case v.response:
	case v.reason != "":
		x.told++
		t.reasons[v.reason] = append(t.reasons[v.reason], r.protocol+"/"+r.name)
	default:
		t.odd = append(t.odd, fmt.Sprintf("%s/%s: recorded HTTP %d, got %s", r.protocol, r.name, r.status, v.detail))
	}
}

// print writes the table, what differs, and whether all of it has a reason.
func (t *tally) print(w io.Writer) bool {
	fmt.Fprintf(w, "%-18s %6s %18s %18s %22s\n", "protocol", "cases", "request identical", "answer identical", "differs with a reason")
	var sum row
	for _, p := range slices.Sorted(maps.Keys(t.rows)) {
		x := t.rows[p]
		fmt.Fprintf(w, "%-18s %6d %18d %18d %22d\n", p, x.cases, x.requests, x.responses, x.told)
		sum = row{sum.cases + x.cases, sum.requests + x.requests, sum.responses + x.responses, sum.told + x.told}
	}
	fmt.Fprintf(w, "%-18s %6d %18d %18d %22d\n", "all", sum.cases, sum.requests, sum.responses, sum.told)
	for _, why := range slices.Sorted(maps.Keys(t.reasons)) {
		fmt.Fprintf(w, "\n%d: %s\n", len(t.reasons[why]), why)
		for _, name := range t.reasons[why] {
			fmt.Fprintln(w, "   ", name)
		}
	}
	if len(t.odd) > 0 {
		fmt.Fprintf(w, "\n%d differ without a reason:\n", len(t.odd))
		for _, s := range t.odd[:min(len(t.odd), t.show)] {
			fmt.Fprintln(w, "   ", s)
		}
	}
	return len(t.odd) == 0
}
