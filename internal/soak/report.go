package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// A line is one figure beside what is asked for.
type line struct {
	check, what, asked, measured string
	detail                       string // of what does not fit, or ""
	ok                           bool
}

// A report gathers lines.
type report struct {
	lines []line
	slack time.Duration // a factor for the bounds of times
}

// add notes a figure.
func (r *report) add(check, what, asked string, ok bool, measured string, args ...any) {
	r.lines = append(r.lines, line{check: check, what: what, asked: asked, measured: fmt.Sprintf(measured, args...), ok: ok})
}

// within notes a time that has a bound.
func (r *report) within(check, what string, measured, bound time.Duration) {
	r.add(check, what, "≤ "+bound.String(), measured <= bound*r.slack, "%s", measured.Round(10*time.Microsecond))
}

// none notes a number that should be 0; detail says more of the last that
// counts.
func (r *report) none(check, what string, n int, detail string) {
	l := line{check: check, what: what, asked: "0", measured: fmt.Sprint(n), ok: n == 0}
	if n > 0 {
		l.detail = detail
	}
	r.lines = append(r.lines, l)
}

// fail notes that a check could not be carried through.
func (r *report) fail(check string, err error) {
	r.lines = append(r.lines, line{check: check, what: "the check runs to its end", asked: "yes", measured: "no", detail: err.Error()})
}

func (r *report) failed() (n int) {
	for _, l := range r.lines {
		if !l.ok {
			n++
		}
	}
	return n
}

// print prints a table, and below it the details of what does not hold.
func (r *report) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\ncheck\twhat\tasked\tmeasured\t")
	for _, l := range r.lines {
		mark := "ok"
		if !l.ok {
			mark = "FAILS"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.check, l.what, l.asked, l.measured, mark)
	}
	_ = t.Flush()
	for _, l := range r.lines {
		if l.detail != "" {
			fmt.Fprintf(w, "\n%s: %s: %s\n  %s\n", l.check, l.what, l.measured, l.detail)
		}
	}
}

// times are measured times.
type times []time.Duration

// at returns the time that the share q of all is not above; the most for 1.
func (ts times) at(q float64) time.Duration {
	if len(ts) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(ts))
	i := int(q*float64(len(s))+0.999999) - 1
	return s[min(max(i, 0), len(s)-1)]
}
