package relay

import (
	"net/http"
)

// A picture may take a model minutes, and until it is there nothing of the
// answer is. A client that wants a stream gets heartbeats all the same: after
// the first silence its stream begins with one. From then on a failure can only
// be told in the stream. Before it, in time for most refusals, there is a
// status for that.

// foretell has heartbeats fill the silence before a stream of pictures begins.
// The headers of the answer are set for that, and nobody may touch them before
// committed has been called.
func (a *answer) foretell() {
	if !a.c.Stream || a.candidate > 0 || a.early || !draws(a.c) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.line.heartbeat <= 0 || a.line.committed {
		return
	}
	h := a.line.w.Header()
	a.announce(h)
	h["Content-Type"], h["Cache-Control"], h["X-Accel-Buffering"] = streamType, noCache, noBuffer
	a.early = true
	a.line.foretold, a.line.beating = true, true
	a.watch.beat = a.watch.now()
	a.arm(a.watch.beat)
}

// committed reports whether the status is out. No heartbeat sends it any more.
func (a *answer) committed() bool {
	if !a.early {
		return a.line.committed
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.early = false
	switch {
	case !a.line.foretold: // a heartbeat went out
		a.sse, a.x.Status = true, http.StatusOK
	default:
		a.line.foretold, a.line.beating = false, false
		h := a.line.w.Header()
		for _, name := range []string{lossHeader, "Content-Type", "Cache-Control", "X-Accel-Buffering"} {
			delete(h, name)
		}
	}
	return a.line.committed
}
