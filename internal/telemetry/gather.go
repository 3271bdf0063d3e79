package telemetry

import (
	"io"
	"sync"
	"time"
)

const (
	// gatherFor is how long a line waits for others, so that one write takes
	// many of them.
	gatherFor = 20 * time.Millisecond
	// gatherMost is how many bytes of lines wait.
	gatherMost = 16 << 10
)

// A gather passes lines on some at a time. It is safe for concurrent use.
type gather struct {
	w     io.Writer
	mu    sync.Mutex
	lines []byte
	timer *time.Timer // runs while lines wait
}

func newGather(w io.Writer) *gather {
	g := &gather{w: w}
	g.timer = time.AfterFunc(time.Hour, g.flush)
	g.timer.Stop()
	return g
}

func (g *gather) Write(line []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.lines) == 0 {
		g.timer.Reset(gatherFor)
	}
	g.lines = append(g.lines, line...)
	if len(g.lines) >= gatherMost {
		g.pass()
	}
	return len(line), nil
}

func (g *gather) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass()
}

// pass writes what waits. A log that cannot be written has nobody to tell.
func (g *gather) pass() {
	if len(g.lines) > 0 {
		_, _ = g.w.Write(g.lines)
		g.lines = g.lines[:0]
	}
	g.timer.Stop()
}
