package relay

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/provider"
)

// unstreamed is the least that is waited for the beginning of an answer that
// comes whole: a model may think for minutes before it.
const unstreamed = 600 * time.Second

// attempt makes one try with one account. Nil means that the leg was served.
func (a *answer) attempt(l *pool.Lease, leg int, model string) (f *fault.Fault) {
	a.try = try{lease: l, leg: leg, began: time.Now()}
	a.form, a.live, a.told, a.stay = a.formOf(l.Way), false, false, ""
	a.x.Account, a.x.Outbound, a.x.Served = l.Account.Name, l.Way.Protocol, model
	a.notePassed(l.Passed)
	f = crash // unless all below comes to its end
	defer func() { a.ended(f) }()

	a.c = a.observed()
	if f := a.divide(l, leg, model); f != nil {
		return f
	}
	t, err := a.ask(a.form, leg, l.Account, model)
	if err != nil {
		return a.drop(l.Way, refusalOf(err))
	}
	if a.form.make != nil {
		a.foretell()
	}
	ctx, cancel := context.WithCancelCause(a.ctx)
	defer cancel(nil)
	first, idle := a.limits(l)
	a.start(cancel, first, idle)
	defer a.rest()
	if h := a.hedge(); h != nil {
		return a.race(ctx, h, t, model)
	}
	resp, f := a.send(ctx, l, t, model)
	if f != nil {
		return f
	}
	defer func() { _ = resp.Body.Close() }()
	a.answering()
	a.try.status = resp.StatusCode
	l.Heard(resp.StatusCode, resp.Header)
	return a.receive(ctx, resp)
}

// limits are how long an attempt may take to begin its answer and how long it
// may be silent afterwards. What comes whole may take longer, and so may an
// upstream that is known to be slow to begin.
func (a *answer) limits(l *pool.Lease) (first, idle time.Duration) {
	t := &a.c.Settings.Timeouts
	first, idle = t.FirstByte, t.Idle
	if a.c.Op == protocol.Count {
		return first, idle
	}
	first = max(first, provider.QuirksOf(l.Account.By, l.Account.Account).FirstByte)
	if !a.c.Stream {
		first, idle = max(first, unstreamed), max(idle, unstreamed)
	}
	return first, idle
}

// send sends the request and returns the upstream's answer, whatever its
// status.
func (a *answer) send(ctx context.Context, l *pool.Lease, t asked, model string) (*http.Response, *fault.Fault) {
	out, f := a.outgoing(ctx, l, t, model)
	if f != nil {
		return nil, f
	}
	// The transport is asked directly: an http.Client would follow redirects,
	// and the credential with them.
	resp, err := l.Account.Way.RoundTrip(out)
	if err != nil {
		return nil, a.cut(ctx, err, fault.Sent)
	}
	return resp, nil
}

// outgoing is the request for the upstream.
func (a *answer) outgoing(ctx context.Context, l *pool.Lease, t asked, model string) (*http.Request, *fault.Fault) {
	out := blank.WithContext(ctx)
	out.Method = a.c.Method
	if a.form.make != nil {
		out.Method = http.MethodPost
	}
	out.Header = a.r.outgoing(a.c.Header, l.Account.By, a.form.make != nil)
	a.try.sent = load(out, t.body, t.lasting)
	err := l.Account.By.Address(out, l.Account.Account, provider.Target{
		Protocol: l.Way.Protocol, Op: l.Way.Op.Served(), Model: model, Stream: a.c.Stream, Path: t.path, Query: t.query,
	})
	if err != nil {
		if f, ok := errors.AsType[*fault.Fault](err); ok {
			return nil, f
		}
		if ctx.Err() != nil { // it waited for an access token
			return nil, a.cut(ctx, err, fault.Dialing)
		}
		return nil, &fault.Fault{Class: fault.Internal, Msg: "the request could not be addressed: " + a.clean(err.Error()), Err: err}
	}
	if l.Account.Tokens != nil {
		a.try.token = provider.Bearer(out.Header)
	}
	return out, nil
}

// blank is the request that every other is a copy of.
var blank http.Request

// receive reads an answer and carries it, or says what is wrong with it.
func (a *answer) receive(ctx context.Context, resp *http.Response) *fault.Fault {
	op := a.form.way.Op.Served()
	kind := mediaType(resp.Header)
	switch status := resp.StatusCode; {
	case status == http.StatusNotModified && op == protocol.Other && len(a.c.Header["If-None-Match"]) > 0:
		return a.through(ctx, resp, nil)
	case status < 200 || status > 299:
		return a.refused(ctx, resp)
	case encoded(resp.Header) && a.form.make != nil:
		return a.broken(fault.Answered, "its answer is compressed, which nobody asked for")
	case encoded(resp.Header), op == protocol.Other:
		return a.through(ctx, resp, a.learn(resp))
	}
	a.try.tap = a.form.codec.NewTap()
	streams := a.c.Stream && (op == protocol.Chat || op == protocol.Complete)
	switch {
	case streams && (kind != "application/json" || inPieces(a.form.codec)):
		return a.stream(ctx, resp, kind)
	case !streams && kind == eventStream:
		return a.broken(fault.Answered, "it answered with a stream, which nobody asked for")
	}
	return a.whole(ctx, resp)
}

// inPieces reports whether the streams of c are no events.
func inPieces(c protocol.Codec) bool {
	_, ok := framed(c)
	return ok
}

const eventStream = "text/event-stream"

// mediaType is the type of a body, in lower case, without parameters.
func mediaType(h http.Header) string {
	v := h["Content-Type"]
	if len(v) == 0 {
		return ""
	}
	s, _, _ := strings.Cut(v[0], ";")
	return strings.ToLower(strings.TrimSpace(s))
}

// encoded reports whether a body is compressed. The relay never asks for it,
// but an upstream may do it nevertheless, and then its bytes are carried
// unread.
func encoded(h http.Header) bool {
	v := h["Content-Encoding"]
	return len(v) > 0 && v[0] != "" && !strings.EqualFold(v[0], "identity")
}
