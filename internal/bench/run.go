package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// options say what is measured.
type options struct {
	binary   string
	rounds   int
	pace     tempo
	only     string // "": all, the bounds too
	profiles string // "": none
}

// A tempo is how long things take.
type tempo struct {
	warm, window           time.Duration // of a load
	pacedWarm, pacedWindow time.Duration // of one that is paced, whose streams begin one by one
	starts                 int
	settle                 time.Duration // before a gateway is idle
	slow                   time.Duration // how long slow streams are watched
}

// Many short turns are worth more than a few long ones: what else runs on the
// machine comes and goes.
var (
	full  = tempo{200 * time.Millisecond, 800 * time.Millisecond, 1100 * time.Millisecond, 1500 * time.Millisecond, 10, time.Second, 4 * time.Second}
	brief = tempo{100 * time.Millisecond, 250 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond, 3, 300 * time.Millisecond, time.Second}
)

const mib = 1 << 20

// run measures everything and prints the report. It returns false if a figure
// is over its goal.
func run(ctx context.Context, o options) (ok bool, err error) {
	b := &bench{options: o}
	if b.self, err = os.Executable(); err != nil {
		return false, err
	}
	if b.dir, err = os.MkdirTemp("", "portico-bench-"); err != nil {
		return false, err
	}
	defer os.RemoveAll(b.dir)
	if b.measured, b.rest, b.pinned = cores(); !b.pinned {
		fmt.Println("nothing is pinned to a core: there is only one, or this system cannot do it; ratios are less exact")
	}
	up, addr, err := b.serve(ctx, b.rest, "-role", "upstream")
	if err != nil {
		return false, err
	}
	defer up.stop()
	b.upstream = addr
	ok = true
	var bounds []bound
	if o.only == "" {
		if bounds, err = b.bounds(ctx); err != nil {
			return false, err
		}
	}
	for _, x := range bounds {
		line, fine := x.judge()
		fmt.Println(line)
		ok = ok && fine
	}
	lines, fine, err := b.ratios(ctx)
	if err != nil {
		return false, err
	}
	fmt.Printf("%-34s %12s %12s %7s %6s %-5s %s\n", "CPU time", "gateway", "bare proxy", "ratio", "goal", "", "rounds")
	for _, line := range lines {
		fmt.Println(line)
	}
	return ok && fine, nil
}

// bounds measures what is no ratio: size, start, memory.
func (b *bench) bounds(ctx context.Context) ([]bound, error) {
	info, err := os.Stat(b.binary)
	if err != nil {
		return nil, err
	}
	var starts []float64
	for range b.pace.starts {
		g, err := b.startGateway(ctx)
		if err != nil {
			return nil, err
		}
		g.stop()
		starts = append(starts, float64(g.took)/float64(time.Millisecond))
	}
	g, err := b.startGateway(ctx)
	if err != nil {
		return nil, err
	}
	defer g.stop()
	time.Sleep(b.pace.settle)
	idle, err := measure(g.pid())
	if err != nil {
		return nil, err
	}
	slow, err := b.load(ctx, job{
		Load: paced, Addr: g.addr, Key: key, PID: g.pid(), Conns: 1000, Chunks: 20, Pause: 500 * time.Millisecond,
		Ramp: time.Second, Warm: 1500 * time.Millisecond, Window: b.pace.slow,
	})
	if err != nil {
		return nil, fmt.Errorf("1,000 slow streams: %w", err)
	}
	return []bound{
		{"binary", "MiB", float64(info.Size()) / mib, 40},
		{"first healthy answer after exec", "ms", median(starts), 80},
		{"memory, idle", "MiB", idle.rss, 25},
		{"memory, 1,000 slow streams", "MiB", slow.RSS, 80},
	}, nil
}

// ratios lets gateway and bare proxy take turns, and judges every figure.
func (b *bench) ratios(ctx context.Context) (lines []string, ok bool, err error) {
	bare, bareAddr, err := b.serve(ctx, b.measured, "-role", "bare", "-to", "http://"+b.upstream)
	if err != nil {
		return nil, false, err
	}
	defer bare.stop()
	g, err := b.startGateway(ctx)
	if err != nil {
		return nil, false, err
	}
	defer g.stop()
	ok = true
	var able []figure
	var unable []string
	for _, f := range figures {
		if !strings.Contains(f.name, b.only) {
			continue
		}
		if err := try(f.load, g.addr); err != nil {
			unable, ok = append(unable, fmt.Sprintf("%-34s failed: %.200s", f.name, err)), false
			continue
		}
		able = append(able, f)
	}
	turns := make([][]sample, len(able))
	for range b.rounds {
		for i, f := range able {
			for range f.turns() {
				// One right after the other, so that both meet the same weather;
				// who is first changes, so that neither gains by it.
				var s sample
				sides := []struct {
					name string
					load load
					addr string
					pid  int
					cost *float64
				}{{"bare proxy", f.bare, bareAddr, bare.pid(), &s.bare}, {"gateway", f.load, g.addr, g.pid(), &s.gateway}}
				if len(turns[i])%2 == 1 {
					slices.Reverse(sides)
				}
				for _, x := range sides {
					if *x.cost, err = b.cost(ctx, x.load, x.addr, x.pid); err != nil {
						return nil, false, fmt.Errorf("%s, %s: %w", f.name, x.name, err)
					}
				}
				turns[i] = append(turns[i], s)
			}
		}
	}
	if b.profiles != "" {
		if err := b.profile(ctx, able, g, b.profiles); err != nil {
			return nil, false, err
		}
	}
	for i, f := range able {
		line, fine := f.judge(turns[i])
		lines, ok = append(lines, line), ok && fine
	}
	return append(lines, unable...), ok, nil
}

// cost is the CPU time in seconds that the process pid spends on each request
// or each chunk of a load.
func (b *bench) cost(ctx context.Context, l load, addr string, pid int) (float64, error) {
	j := job{Load: l, Addr: addr, Key: key, PID: pid, Conns: 16, Chunks: 200, Warm: b.pace.warm, Window: b.pace.window}
	switch {
	case l.Paced:
		j.Conns, j.Chunks, j.Pause = 64, 100, 10*time.Millisecond
		j.Ramp, j.Warm, j.Window = time.Second, b.pace.pacedWarm, b.pace.pacedWindow
	case l.Large:
		j.Conns = 4
	}
	r, err := b.load(ctx, j)
	if err != nil {
		return 0, err
	}
	n := r.Requests
	if l.Stream {
		n = r.Chunks
	}
	if n == 0 || r.CPU == 0 {
		return 0, fmt.Errorf("%d done at %.2f s of CPU", n, r.CPU)
	}
	return r.CPU / float64(n), nil
}
