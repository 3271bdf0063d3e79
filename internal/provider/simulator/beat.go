package simulator

import "portico/internal/sse"

// A stage is where in an answer a beat stands.
type stage uint8

const (
	atOpen       stage = iota // the answer begins
	atStart                   // one of its copies begins
	atThink                   // the thought begins
	atThought                 // a piece of it
	atThoughtEnd              //
	atSpeak                   // the text begins
	atText                    // a piece of it
	atTextEnd                 //
	atImage                   // the image
	atCall                    // a call begins
	atInput                   // a piece of its arguments
	atCallEnd                 //
	atStop                    // the copy ends
	atClose                   // the answer ends
	atDone
)

// A beat is the smallest step in which an answer is streamed. Each becomes no,
// one or several events of a dialect.
type beat struct {
	stage stage
	copy  int    // which copy of the answer, from 0
	call  int    // which call, from 0, for atCall to atCallEnd
	text  string // for atThought, atText and atInput
}

// A player walks through a script beat by beat, on demand: nothing of a stream
// is made before it is read, and no goroutine waits for a reader.
type player struct {
	script *script
	next   beat
	rest   string // of the text that is being sent
}

// beat returns the next beat; ok is false after the last one.
func (p *player) beat() (b beat, ok bool) {
	for {
		b = p.next
		if p.step(&b) {
			return b, true
		}
		if p.next.stage == atDone {
			return b, false
		}
	}
}

// step decides what follows b. It returns false if there is no such beat in
// this script.
func (p *player) step(b *beat) bool {
	s := p.script
	switch b.stage {
	case atOpen:
		p.next.stage = atStart
	case atStart:
		p.next.stage, p.next.call = atThink, 0
	case atThink:
		p.next.stage, p.rest = atThought, s.thought
		if !s.thinks {
			p.next.stage = atSpeak
			return false
		}
	case atThought:
		return p.piece(b, atThoughtEnd)
	case atThoughtEnd:
		p.next.stage = atSpeak
	case atSpeak:
		p.next.stage, p.rest = atText, s.text
		if !s.speaks() {
			p.next.stage = atImage
			return false
		}
	case atText:
		return p.piece(b, atTextEnd)
	case atTextEnd:
		p.next.stage = atImage
	case atImage:
		p.next.stage = atCall
		return s.image != nil
	case atCall:
		if b.call == len(s.calls) {
			p.next.stage = atStop
			return false
		}
		p.next.stage, p.rest = atInput, s.calls[b.call].input
	case atInput:
		return p.piece(b, atCallEnd)
	case atCallEnd:
		p.next.stage = atCall
		p.next.call++
	case atStop:
		p.next.stage = atStart
		if p.next.copy++; p.next.copy == s.copies {
			p.next.stage = atClose
		}
	case atClose:
		p.next.stage = atDone
	case atDone:
		return false
	}
	return true
}

// piece gives b the next piece of the text that is being sent; then follows
// once nothing is left of it.
func (p *player) piece(b *beat, then stage) bool {
	if p.rest == "" {
		p.next.stage = then
		return false
	}
	n := p.script.piece(p.rest)
	b.text, p.rest = p.rest[:n], p.rest[n:]
	return true
}

// speaks reports whether the answer has a text, which may be empty if it has
// nothing else.
func (s *script) speaks() bool {
	return s.text != "" || !s.thinks && s.image == nil && len(s.calls) == 0
}

// A writer puts beats into the events of one dialect.
type writer interface {
	// write adds the events of b.
	write(f *frames, b beat)
	// fail adds the event that tells of x in the middle of the answer.
	fail(f *frames, x *failure)
}

// frames holds the events of one beat until they are sent.
type frames struct {
	buf  []byte
	ends []int // where in buf each event ends
	sent int   // how many of them were popped
	all  int64 // how many were popped since the answer began
}

// end marks the end of an event.
func (f *frames) end() { f.ends = append(f.ends, len(f.buf)) }

// event adds a server-sent event.
func (f *frames) event(name string, data []byte) {
	f.buf = sse.Append(f.buf, name, data)
	f.end()
}

// pop returns the next event, or nil. It is valid until reset.
func (f *frames) pop() []byte {
	if f.sent == len(f.ends) {
		return nil
	}
	from := 0
	if f.sent > 0 {
		from = f.ends[f.sent-1]
	}
	f.sent++
	f.all++
	return f.buf[from:f.ends[f.sent-1]]
}

func (f *frames) reset() { f.buf, f.ends, f.sent = f.buf[:0], f.ends[:0], 0 }

// A stream is an answer that is made while it is read.
type stream struct {
	player player
	writer writer
	frames frames
}

func newStream(s *script, w writer) *stream {
	return &stream{player: player{script: s}, writer: w}
}

// next returns the next event, or nil at the end. It is valid until the next
// call.
func (s *stream) next() []byte {
	for {
		if e := s.frames.pop(); e != nil {
			return e
		}
		b, ok := s.player.beat()
		if !ok {
			return nil
		}
		s.frames.reset()
		s.writer.write(&s.frames, b)
	}
}

// fail returns what tells of x in the middle of the stream.
func (s *stream) fail(x *failure) []byte {
	s.frames.reset()
	s.writer.fail(&s.frames, x)
	return s.frames.buf
}
