package relay

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"portico/internal/fault"
	"portico/internal/protocol"
)

// whole reads an unstreamed answer to its end, judges and records it, and only
// then sends it. An answer of more than maxWhole is carried on unread.
func (a *answer) whole(ctx context.Context, resp *http.Response) *fault.Fault {
	p := wholes.Get().(*[]byte)
	defer putWhole(p)
	most := a.largest(maxWhole)
	buf, err := a.read((*p)[:0], resp.Body, resp.ContentLength, most)
	*p = buf
	switch {
	case errors.Is(err, errMore) && a.form.make != nil:
		return a.broken(fault.Answered, "it is larger than %d MiB", most>>20)
	case errors.Is(err, errMore):
		a.try.tap = nil
		return a.through(ctx, resp, buf)
	case err != nil:
		return a.cut(ctx, err, fault.Answered)
	}
	if a.try.tap.Body(buf)&protocol.Failed != 0 {
		return a.judge(a.try.tap.Seen().Error, fault.Answered)
	}
	a.arrived()
	a.fresh = false
	if c := a.carrier(); c != nil {
		c.begin(a.try.leg)
		a.form.fed = true
		if err := c.whole(buf); err != nil {
			return a.useless(fault.Answered, err)
		}
		if !a.committed() {
			a.returning(a.line.w.Header(), resp.Header)
		}
		return nil
	}
	if a.try.watch {
		a.c.turn.take(buf)
	}
	h := a.line.w.Header()
	a.returning(h, resp.Header)
	a.announce(h)
	if v := resp.Header["Content-Length"]; len(v) == 1 && resp.ContentLength == int64(len(buf)) {
		h["Content-Length"] = v
	} else {
		h["Content-Length"] = []string{strconv.Itoa(len(buf))}
	}
	a.live = true
	return a.deliver(resp.StatusCode, buf)
}

// deliver sends a whole answer. All headers are set.
func (a *answer) deliver(status int, body []byte) *fault.Fault {
	a.x.Status = status
	a.record(len(body), false)
	if !a.committed() {
		a.commit(status)
	}
	if err := a.write(body, false, false); err != nil {
		return closed(err)
	}
	return nil
}

// conclude sends what is owed once all legs are through: nothing, unless a
// carrier made the answer.
func (a *answer) conclude() *fault.Fault {
	c := a.carrier()
	if c == nil {
		return nil
	}
	if a.streamed {
		dst := c.end(nil)
		if !a.committed() {
			a.open(http.StatusOK, nil)
		}
		a.record(len(dst), false)
		if err := a.write(dst, false, true); err != nil {
			return closed(err)
		}
		return nil
	}
	body, err := c.body()
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	if err != nil {
		return fault.New(fault.Internal, "the answer could not be put together: %s", err)
	}
	h := a.line.w.Header()
	a.announce(h)
	h["Content-Type"] = c.kind(false)
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	return a.deliver(http.StatusOK, body)
}
