package main

import (
	"fmt"
	"sync"
	"time"
)

// goals are what labs are held to: those where vendors tell exactly when to
// come back, and those where they tell it in seconds or not at all, so that
// requests wait longer than they would have to and conversations move rather.
var goals = []struct {
	name              string
	exact             bool
	good, waste, home float64       // at least, at most, at least; 0: not asked for
	p99               time.Duration // 0: not asked for
	refuses           bool          // clients may be refused, with a time
}{
	{"healthy", true, .99, .05, .85, 1500 * time.Millisecond, false},
	{"troubled", true, .97, .1, .8, 0, false},
	{"overload", true, .93, .3, 0, 0, true},
	{"healthy", false, .99, .05, .7, 0, true},
	{"troubled", false, .97, .1, .65, 0, true},
	{"overload", false, .93, .3, 0, 0, true},
}

// atOnce is how many labs run at one time: they wait most of the time.
const atOnce = 3

// pool lets conversations load accounts with limits, of kinds and sizes by
// chance, and compares what came through with an oracle that knows every
// limit: at 85 % of what the accounts take together, the same with accounts
// that fail in all known ways, and at 150 %. Of the labs of one kind the worst
// figure counts.
func (s *soak) pool() error {
	const name = "pool"
	first := s.size.seed
	if first == 0 {
		first = uint64(time.Now().UnixNano() % 1e6)
	}
	for g, goal := range goals[:s.size.kinds] {
		var mu sync.Mutex
		var all sync.WaitGroup
		var err error
		good, waste, home, p99, early, calls := 10.0, 0.0, 1.0, time.Duration(0), 0, 0
		var bad, refused, offered int
		detail := ""
		room := make(chan struct{}, atOnce)
		for i := range s.size.labs {
			all.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				l := newLab(goal.name, goal.exact, first+uint64(i), s.size.lab)
				o, e := l.run(s, fmt.Sprintf("%s-%d-%d", name, g, i))
				mu.Lock()
				defer mu.Unlock()
				if e != nil {
					err = e
					return
				}
				fmt.Fprintf(s.out, "%s, seed %d, style %d: %s\n", goal.name, first+uint64(i), l.customers[0].style, o)
				good, waste, home, p99 = min(good, o.goodput()), max(waste, o.waste()), min(home, o.home()), max(p99, o.took.at(.99))
				early, calls, offered, refused = early+o.early, calls+o.calls, offered+o.offered, refused+o.told
				wrong := o.untold + o.errors
				if !goal.refuses {
					wrong += o.told
				}
				if bad += wrong; wrong > 0 {
					detail = fmt.Sprintf("seed %d: %s", first+uint64(i), o)
				}
			})
		}
		all.Wait()
		if err != nil {
			return err
		}
		title := goal.name
		if !goal.exact {
			title += ", times told coarsely"
		}
		what := func(s string) string { return title + ": " + s }
		// Beside other tests nothing here is a measurement.
		loose := s.size.slack > 1
		s.report.add(name, what(fmt.Sprintf("goodput against the oracle, worst of %d", s.size.labs)), fmt.Sprintf("≥ %.2f", goal.good), good >= goal.good || loose && good >= .5, "%.3f", good)
		s.report.add(name, what("upstream calls refused, at most"), fmt.Sprintf("≤ %.2f", goal.waste), waste <= goal.waste || loose, "%.3f", waste)
		if goal.home > 0 {
			s.report.add(name, what("turns on their conversation's account, at least"), fmt.Sprintf("≥ %.2f", goal.home), home >= goal.home || loose, "%.3f", home)
		}
		if goal.p99 > 0 {
			s.report.within(name, what("p99, at most"), p99, goal.p99)
		}
		s.report.add(name, what("calls of an account before the time that it told"), "≤ 0.005", float64(early) <= .005*float64(calls) || loose, "%d of %d", early, calls)
		if goal.refuses {
			s.report.none(name, what(fmt.Sprintf("errors to clients, beside %d of %d refused with a time", refused, offered)), bad, detail)
		} else {
			s.report.none(name, what("errors to clients"), bad, detail)
		}
	}
	return nil
}
