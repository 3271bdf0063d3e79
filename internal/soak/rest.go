package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"portico/internal/rig"
)

// A figure is what a process has at one moment.
type figure struct {
	goroutines, fds, flying int
	heap                    int // bytes of live objects and of stacks
}

// rest looks whether everything is given back after load of every kind.
func (s *soak) rest() error {
	const name = "rest"
	g, u, end, err := s.gateway(name, "")
	if err != nil {
		return err
	}
	defer end()
	load := func(n int) {
		c := rig.Client()
		var wg sync.WaitGroup
		gate := make(chan struct{}, 100)
		for i := range n {
			a := mixed(int64(i + 1))
			switch i % 10 {
			case 0:
				a.Script.Fault, a.Script.Account = rig.Garbage, family("a")
			case 1:
				a.Script.Fault, a.Script.Account = rig.Head, ""
			}
			gate <- struct{}{}
			wg.Go(func() {
				defer func() { <-gate }()
				if i%7 == 0 {
					s.leave(c, g, a, 2, newParting())
					return
				}
				a.Do(s.ctx, c, g.Base, nil)
			})
		}
		wg.Wait()
		c.CloseIdleConnections()
	}
	load(100) // what is made once is made
	if err := u.Wait(s.ctx); err != nil {
		return err
	}
	var before figure
	for range 3 { // connections take a moment to be seen as closed
		u.Idle()
		if before, err = s.figure(g); err != nil {
			return err
		}
		if !s.sleep(100 * time.Millisecond) {
			return s.ctx.Err()
		}
	}
	load(10 * s.size.each)
	var after figure
	for range 50 { // connections take a moment to be seen as closed
		u.Idle()
		if after, err = s.figure(g); err != nil {
			return err
		}
		if after.goroutines <= before.goroutines+2 && after.fds <= before.fds+2 {
			break
		}
		if !s.sleep(100 * time.Millisecond) {
			return s.ctx.Err()
		}
	}
	s.report.add(name, fmt.Sprintf("goroutines after %d requests", 10*s.size.each), fmt.Sprintf("≤ %d + 2", before.goroutines), after.goroutines <= before.goroutines+2, "%d", after.goroutines)
	s.report.add(name, "open files", fmt.Sprintf("≤ %d + 2", before.fds), after.fds <= before.fds+2, "%d", after.fds)
	s.report.add(name, "live heap", fmt.Sprintf("≤ %d KiB + 4 MiB", before.heap>>10), after.heap <= before.heap+4<<20, "%d KiB", after.heap>>10)
	s.report.none(name, "requests in flight", after.flying, "")
	return nil
}

// figure reads the metrics, after a collection: the heap profile makes one.
func (s *soak) figure(g *rig.Gateway) (f figure, err error) {
	c := rig.Client()
	defer c.CloseIdleConnections()
	get := func(path string) (string, error) {
		r, err := http.NewRequestWithContext(s.ctx, http.MethodGet, g.Base+path, nil)
		if err != nil {
			return "", err
		}
		r.Header.Set("Authorization", "Bearer "+adminToken)
		resp, err := c.Do(r)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %d", path, resp.StatusCode)
		}
		return string(b), err
	}
	for range 2 { // what a pool held is freed by the second one
		if _, err := get("/debug/pprof/heap?gc=1"); err != nil {
			return f, err
		}
	}
	text, err := get("/metrics")
	if err != nil {
		return f, err
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		v, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "go_goroutines":
			f.goroutines = int(v)
		case "process_open_fds":
			f.fds = int(v)
		case "go_memstats_heap_alloc_bytes":
			f.heap += int(v)
		case "go_memstats_stack_inuse_bytes":
			f.heap += int(v)
		case "portico_requests_in_flight":
			f.flying = int(v)
		}
	}
	if f.goroutines == 0 || f.heap == 0 {
		return f, fmt.Errorf("the metrics lack a figure: %+v", f)
	}
	return f, nil
}
