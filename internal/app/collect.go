package app

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// slack is how much garbage may gather before it is collected, in bytes, while
// little is alive. The collector's own measure is what is alive, which in a
// gateway is next to nothing: it would run dozens of times a second under load
// for a few megabytes each.
const slack = 16 << 20

// The bounds of GOGC. With a thousand streams open about 40 MB are alive; Go by
// itself would let as much garbage gather beside them.
const minPercent, maxPercent = 50, 800

// collect makes the collector run once in about slack bytes of garbage. It
// looks again after every collection. GOGC in the environment decides instead,
// if it is set.
func collect() {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	last := 0
	var again func(*[16]byte)
	again = func(*[16]byte) {
		metrics.Read(live)
		if p := percent(live[0].Value.Uint64()); p != last {
			last = p
			debug.SetGCPercent(p)
		}
		runtime.SetFinalizer(new([16]byte), again)
	}
	again(nil)
}

// percent is the GOGC at which garbage of about slack bytes gathers beside
// live bytes that are alive. It is rounded, so that it is rarely changed.
func percent(live uint64) int {
	p := slack * 100 / max(live, 1<<20)
	p -= p % 50
	return int(min(max(p, minPercent), maxPercent))
}

// settled is when what only the start needed is given back: late enough that
// nobody's first request waits for it.
const settled = 500 * time.Millisecond

// settle gives back what only the start needed, once.
func settle(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-time.After(settled):
		forgetStart()
	}
	return nil
}
