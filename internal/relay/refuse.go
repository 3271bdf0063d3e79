package relay

import (
	"bytes"
	"maps"
	"net/http"
	"strconv"
	"time"

	"portico/internal/fault"
)

// A reply is an upstream's refusal in the client's own dialect.
type reply struct {
	of     *fault.Fault // as it was judged
	status int
	header http.Header // those that cross
	body   []byte
}

// printable reports whether a refusal's body is one that clients read. A page
// in HTML, which proxies before an upstream send, is not; the client is told
// in its dialect instead.
func printable(body []byte, kind string) bool {
	body = bytes.TrimSpace(body)
	return len(body) > 0 && (body[0] == '{' || body[0] == '[' || kind == "text/plain")
}

// tell tells the client why it does not get its answer, or not the whole.
func (a *answer) tell(f *fault.Fault) {
	a.fresh = false
	a.x.Fault, a.x.Code, a.x.Error = f.Class.String(), clip(f.Code, 128), clip(f.Msg, 512)
	switch {
	case a.committed():
		a.breakOff(f)
	case a.reply.of == f:
		maps.Copy(a.line.w.Header(), a.reply.header)
		a.respond(a.reply.status, a.reply.body)
	default:
		a.refuse(f)
	}
}

// refuse answers with f in the client's dialect.
func (a *answer) refuse(f *fault.Fault) {
	status, body := a.c.Codec.EncodeError(f, a.c.ID)
	if f.Code == loopCode {
		status = http.StatusLoopDetected
	}
	h := a.line.w.Header()
	h["Content-Type"] = jsonType
	// SDKs show the vendor's request id; of a refusal the only one is ours.
	h["X-Request-Id"], h["Request-Id"] = h[idHeader], h[idHeader]
	switch {
	case f.After > 0 || status == http.StatusTooManyRequests || f.Class == fault.Busy:
		// A whole second at least: 0 would be read as "at once", or not at all.
		ms := max(int64((f.After+time.Millisecond-1)/time.Millisecond), 1)
		h["Retry-After"] = []string{strconv.FormatInt(max((ms+999)/1000, 1), 10)}
		h["Retry-After-Ms"] = []string{strconv.FormatInt(ms, 10)}
		if f.Class == fault.OverBudget {
			h["X-Should-Retry"] = never // an SDK would try again within seconds
		}
	case f.Class != fault.Internal && after(f) == GiveUp:
		h["X-Should-Retry"] = never // SDKs heed it whatever the status
	}
	a.respond(status, body)
}

// respond answers with a whole body, which is in the ledger before it goes
// out.
func (a *answer) respond(status int, body []byte) {
	a.line.w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	a.x.Status = status
	a.record(len(body), false)
	a.commit(status)
	_ = a.write(body, false, false) // a client that left is in the ledger as told
}

// breakOff ends an answer that is out in part, so that nobody takes it for
// whole.
func (a *answer) breakOff(f *fault.Fault) {
	a.x.Partial = true
	switch {
	case a.told:
		return
	case !a.sse || f.Class == fault.Canceled:
		a.abort = true
		return
	}
	var dst []byte
	if a.line.open {
		dst = append(dst, "\n\n"...) // ends the event that is out in part
	}
	if c := a.carrier(); c != nil {
		dst = c.fail(dst, f, a.c.ID)
	} else {
		dst = a.c.Codec.StreamError(dst, f, a.c.ID)
	}
	a.record(len(dst), false)
	_ = a.write(dst, false, true)
}
