package relay

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/sse"
)

// tail is how long an upstream may keep a stream open after the answer's end.
const tail = 5 * time.Second

// endMarks holds the protocols whose streams end with a mark of its own, after
// the answer itself is whole: [DONE] and message_stop. A connection that is cut
// before it has not ended well, even if nothing of the answer is missing.
var endMarks = map[string]bool{protocol.OpenAIChat: true, protocol.Anthropic: true}

// A flow is a stream under way. Frames are judged as they come in and sent as
// they are: one read of the upstream makes at most one write to the client.
// An event that is not whole is kept back up to maxHeld, so that heartbeats and
// errors find a place between two events.
type flow struct {
	home   []byte // the buffer that buf begins and ends in
	buf    []byte // from the first byte that is not settled
	start  int    // where the event begins that is not whole yet; all before is judged
	sent   int    // how much of buf the client has
	full   bool   // the last read filled all that there was of buf
	events sse.Cutter
	cut    interface{ Cut(buf []byte) int } // events, or what finds the elements of an array
	read   func(raw []byte) sse.Frame
	out    []byte // what a carrier made of the frames
	framed bool   // an event with data was seen
	ready  bool   // the relay has decided for this upstream
	final  bool   // what is to be sent makes the answer whole for the client
	ended  bool   // the mark of the end came
	kept   bool   // the answer broke, and the client gets what is there
}

// stream carries a stream of events. kind is its media type.
func (a *answer) stream(ctx context.Context, resp *http.Response, kind string) *fault.Fault {
	p := streams.Get().(*[]byte)
	defer streams.Put(p)
	a.flow = flow{home: (*p)[:0], buf: (*p)[:0], out: a.flow.out[:0], read: sse.Parse}
	a.streamed = true
	s := &a.flow
	s.cut = &s.events
	if c, ok := framed(a.form.codec); ok {
		s.cut, s.read = c.NewCutter(), func(raw []byte) sse.Frame { return sse.Frame{Data: c.Element(raw)} }
	}
	for {
		room := s.room()
		n, err := resp.Body.Read(room)
		a.watch.heard()
		s.buf, s.full = s.buf[:len(s.buf)+n], n == len(room)
		bad := a.frames(err == io.EOF)
		if bad != nil && !a.stays() {
			return bad // unseen
		}
		if f := a.pass(resp, bad == nil); f != nil {
			return f
		}
		switch {
		case bad != nil:
			return bad
		case err == io.EOF && s.ready && a.complete(false):
			return a.closeLeg(resp)
		case err == io.EOF && !s.framed:
			return a.noStream(kind)
		case err == io.EOF:
			return a.broken(fault.Streaming, "it ended before its end")
		case err != nil && a.complete(a.ctx.Err() == nil):
			return a.closeLeg(resp) // a client may leave as soon as it has all
		case err != nil:
			return a.cut(ctx, err, fault.Streaming)
		}
		if s.ready && a.complete(true) {
			a.hurry(tail)
		}
	}
}

// stays reports whether the client gets what is there of an answer that broke:
// it has a part of it already, or the answer had begun and nobody else could
// give another.
func (a *answer) stays() bool {
	s := &a.flow
	if !a.live && s.ready && !s.kept {
		w := a.want(a.x.Served)
		w.Not = append(slices.Clip(w.Not), a.try.lease.Account.Name)
		s.kept = a.left <= 1 || !a.r.pool.Able(w)
	}
	return a.live || s.kept
}

// A framer is a codec whose streams need not be server-sent events: Gemini's
// may be one JSON array.
type framer interface {
	NewCutter() interface{ Cut(buf []byte) int } // nil: they are events
	Element(raw []byte) []byte
}

// framed reports whether the streams of c are something else than events.
func framed(c protocol.Codec) (framer, bool) {
	f, ok := c.(framer)
	return f, ok && f.NewCutter() != nil
}

// room makes room for a read and returns it.
func (s *flow) room() []byte {
	if size := cap(s.buf); s.full && size < streamBuffer || size-len(s.buf) < size/4 {
		s.buf = append(make([]byte, 0, max(2*size, streamBuffer)), s.buf...)
	}
	return s.buf[len(s.buf):cap(s.buf)]
}

// complete reports whether the answer has come to its end. A connection that
// was cut needs the mark of the end, too.
func (a *answer) complete(cut bool) bool {
	return a.try.tap.Seen().Finished && (!cut || a.flow.ended || !endMarks[a.form.codec.Name()])
}

// frames judges the events that are whole. At the end of a stream the last one
// needs no blank line.
func (a *answer) frames(eof bool) *fault.Fault {
	s := &a.flow
	for s.start < len(s.buf) {
		rest := s.buf[s.start:]
		n := s.cut.Cut(rest)
		if n == 0 {
			if !eof {
				break
			}
			n = len(rest)
		}
		if f := a.frame(s.start, n); f != nil {
			return f
		}
		s.start += n
	}
	if most := a.largest(maxEvent); len(s.buf)-s.start > most {
		return a.broken(fault.Streaming, "an event is larger than %d MiB", most>>20)
	}
	return nil
}

// frame judges the event of n bytes at the offset at.
func (a *answer) frame(at, n int) *fault.Fault {
	s := &a.flow
	f := s.read(s.buf[at : at+n])
	if f.Data == nil {
		return nil // a comment or a blank line
	}
	s.framed, a.fresh = true, false
	if a.try.watch {
		a.c.turn.event(f.Data)
	}
	mark := a.try.tap.Frame(f.Event, f.Data)
	switch {
	case mark&protocol.Failed != 0:
		return a.frameFailed(at, n, f.Data)
	case mark&protocol.Meaningful != 0, mark&protocol.Final != 0 && a.try.tap.Seen().Finished:
		if !s.ready {
			if bad := a.decide(at); bad != nil {
				return bad
			}
		}
	}
	if mark&protocol.Final != 0 && a.lastLeg() {
		s.final = true
		s.ended = s.ended || mark == protocol.Final
	}
	if s.ready {
		return a.feed(f)
	}
	return nil
}

// decide settles on this upstream; the events before at were held back.
func (a *answer) decide(at int) *fault.Fault {
	s := &a.flow
	s.ready = true
	a.arrived()
	c := a.carrier()
	if c == nil {
		return nil
	}
	if a.try.leg > 0 {
		a.begun() // the carrier takes nothing back
	}
	a.form.fed = true
	c.begin(a.try.leg)
	var cut sse.Cutter
	for from := 0; from < at; {
		n := cut.Cut(s.buf[from:at])
		if bad := a.feed(sse.Parse(s.buf[from : from+n])); bad != nil {
			return bad
		}
		from += n
	}
	return nil
}

// feed gives an event to the carrier, if there is one.
func (a *answer) feed(f sse.Frame) *fault.Fault {
	c := a.carrier()
	if c == nil || f.Data == nil {
		return nil
	}
	var err error
	if a.flow.out, err = c.frame(a.flow.out, f.Event, f.Data); err != nil {
		return a.broken(fault.Streaming, "%s", err)
	}
	return nil
}

// A closer is a carrier that makes something of a streamed leg only when all of
// it is there, or finds that it is of no use.
type closer interface {
	// close appends to dst what the leg makes for the client. The error is as
	// that of whole.
	close(dst []byte) ([]byte, error)
}

// closeLeg ends a stream that is whole.
func (a *answer) closeLeg(resp *http.Response) *fault.Fault {
	c, ok := a.carrier().(closer)
	if !ok {
		return nil
	}
	out, err := c.close(nil)
	switch {
	case err != nil:
		return a.useless(fault.Streaming, err)
	case len(out) == 0:
		return nil
	case !a.committed():
		a.open(resp.StatusCode, resp.Header)
	}
	if a.lastLeg() {
		a.record(len(out), true)
	}
	a.begun()
	if err := a.write(out, false, true); err != nil {
		return closed(err)
	}
	return nil
}

// useless is the fault of an answer of which a carrier can make nothing.
func (a *answer) useless(phase fault.Phase, err error) *fault.Fault {
	if f, ok := errors.AsType[*fault.Fault](err); ok && (f.Class == fault.ContentFiltered || f.Class == fault.ContextTooLong) {
		return f // the model's own decision, or its bound
	}
	return a.broken(phase, "%s", err)
}

// frameFailed judges an event that is an error. If the client has a part of
// the answer already, an error in its dialect goes to it as it came; what is
// no sense at all is kept from it.
func (a *answer) frameFailed(at, n int, data []byte) *fault.Fault {
	s := &a.flow
	f := a.judge(a.try.tap.Seen().Error, fault.Streaming)
	if a.stays() && a.carrier() == nil && jsontext.Value(bytes.TrimSpace(data)).IsValid() {
		raw := redact(s.buf[at:at+n], a.key())
		s.buf = append(s.buf[:at], raw...)
		s.start = len(s.buf)
		a.told = true
	}
	return f
}

// pass sends what may go out. If all is sound, that includes the beginning of
// a large event.
func (a *answer) pass(resp *http.Response, sound bool) *fault.Fault {
	s := &a.flow
	if !s.ready {
		switch held := len(s.buf); {
		case held <= maxAhead, a.carrier() != nil && s.start == 0:
			return nil
		case s.start == 0 && s.cut == &s.events && !beginsLikeEvent(s.buf):
			return a.broken(fault.Answered, "it is no stream of events")
		}
		// So much can only be the beginning of an answer.
		if bad := a.decide(s.start); bad != nil {
			return bad
		}
	}
	end, open := max(s.start, s.sent), false
	if sound && len(s.buf)-s.start > maxHeld {
		end, open = len(s.buf), true
	}
	p := s.buf[s.sent:end]
	if a.carrier() != nil {
		p, open, end = s.out, false, 0
	}
	if len(p) > 0 {
		write := a.write
		if !a.committed() {
			a.open(resp.StatusCode, resp.Header)
			write = a.writeFirst
		}
		if s.final {
			a.record(len(p), !a.complete(true))
		}
		a.begun()
		if err := write(p, open, true); err != nil {
			return closed(err)
		}
	}
	s.sent, s.final, s.out = end, false, s.out[:0]
	s.shift()
	return nil
}

// shift drops what is settled.
func (s *flow) shift() {
	if s.start == 0 {
		return
	}
	s.sent = max(s.sent-s.start, 0)
	rest := s.buf[s.start:]
	if cap(s.buf) > maxHeld && len(rest) <= cap(s.home)/2 {
		s.buf = s.home // a large event is through; its memory is not kept
	}
	s.buf = s.buf[:copy(s.buf[:cap(s.buf)], rest)]
	s.start = 0
}

// open begins the client's stream. upstream holds the upstream's headers.
func (a *answer) open(status int, upstream http.Header) {
	h := a.line.w.Header()
	a.returning(h, upstream)
	a.announce(h)
	if c := a.carrier(); c != nil {
		h["Content-Type"] = c.kind(true)
	} else if _, ok := framed(a.c.Codec); !ok && mediaType(upstream) != eventStream {
		h["Content-Type"] = streamType
	}
	h["Cache-Control"], h["X-Accel-Buffering"] = noCache, noBuffer
	a.sse = true
	a.commit(status)
	a.beat()
}

// noStream judges what came in place of a stream: a page, an error in plain
// JSON, or nothing.
func (a *answer) noStream(kind string) *fault.Fault {
	body := bytes.TrimSpace(a.flow.buf)
	if len(body) == 0 {
		return a.broken(fault.Answered, "it is empty")
	}
	sign := a.form.codec.DecodeError(0, body)
	f := a.judge(&sign, fault.Answered)
	if f.Class == fault.Broken {
		f.Msg = clip("the upstream sent no stream but "+strings.TrimSpace("something of type "+kind)+": "+f.Msg, 512)
	}
	return f
}

// beginsLikeEvent reports whether b begins as an event does.
func beginsLikeEvent(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), "\r\n")
	for _, field := range []string{"data:", "event:", "id:", "retry:", ":"} {
		if bytes.HasPrefix(b, []byte(field)) {
			return true
		}
	}
	return false
}
