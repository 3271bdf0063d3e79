package translate

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"slices"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// back carries the upstream's answer to the client: it undoes what the passes
// did to the request. It works on the events of a stream; a whole answer is
// taken for a stream in which every part comes in one piece.
type back struct {
	plan   *plan
	client string // protocol
	ids    words  // that the client takes for calls
	o      *Options
	echo   *protocol.Echo
	id     string // the answer's, for ids that have to be made

	losses []llm.Loss
	turns  []*turn

	dst   []byte
	enc   protocol.Encoder // where events go, or nil
	parts *[]llm.Part      // where the parts of a whole answer go
	event llm.Event        // one that is made here
	text  []byte           // scratch
	kept  map[string]bool  // losses that were told
	seats clientSeats
}

// clientSeats are the places where a client's protocol keeps seals.
type clientSeats struct {
	thought bool // on reasoning; else they ride on what follows it
	call    bool // on a call; else they ride on the reasoning before it
	kind    llm.SealKind
}

var seatsOf = map[string]clientSeats{
	protocol.OpenAIChat:      {thought: true, call: true, kind: llm.Encrypted},
	protocol.OpenAIResponses: {thought: true, kind: llm.Encrypted},
	protocol.Anthropic:       {thought: true, kind: llm.Signature},
	protocol.Gemini:          {call: true, kind: llm.Signature},
}

func newBack(b *Bridge) *back {
	name := b.client.Name()
	return &back{plan: &b.plan, client: name, ids: clientID(name), o: &b.o, echo: &b.echo, seats: seatsOf[name]}
}

// A turn is one answer under way.
type turn struct {
	parts []*piece // by the upstream's numbers
	next  int      // the client's next number

	calls    int // that the client got
	answered bool
	stop     matcher
	over     bool   // a stop sequence was met; nothing more of it is told
	waiting  *piece // reasoning whose end waits for what comes next

	loose []sealed  // seals that ride on the next part
	since []sealed  // seals since the last call, to be remembered
	size  int       // of all that were remembered, in bytes
	said  hash.Hash // of the text, if it is needed
}

// A piece is one part under way.
type piece struct {
	what   llm.Part
	number int // the client's, -1: the client does not get it
	tool   *tool
	input  *unwrapper
	text   []byte // what is held back, or the reasoning that a seal needs
	half   []byte // of a character that is cut in two
	seals  []sealed
	rode   []sealed // seals of what stood before it, which went out with it
	call   *llm.Call
	closed bool
	// thought is reasoning that stands in a whole answer already.
	thought *llm.Thought
}

func (k *back) lose(path, why string) {
	if k.kept[path+why] {
		return
	}
	if k.kept == nil {
		k.kept = map[string]bool{}
	}
	k.kept[path+why] = true
	k.losses = append(k.losses, llm.Loss{Path: path, Why: why})
}

// take gives what was written.
func (k *back) take() []byte {
	dst := k.dst
	k.dst = nil
	return dst
}

// emit tells the client an event.
func (k *back) emit(e *llm.Event) {
	switch {
	case k.parts != nil:
		*k.parts = append(*k.parts, e.What)
	default:
		k.dst = k.enc.Feed(k.dst, e)
	}
}

// make tells the client an event that is made here.
func (k *back) make(e llm.Event) {
	k.event = e
	k.emit(&k.event)
}

func (k *back) turn(answer int) *turn {
	for len(k.turns) <= answer {
		t := &turn{}
		t.stop.stops = k.plan.stops
		k.turns = append(k.turns, t)
	}
	return k.turns[answer]
}

func (t *turn) at(part int) *piece {
	for len(t.parts) <= part {
		t.parts = append(t.parts, &piece{number: -1})
	}
	return t.parts[part]
}

// number gives p the client's next number.
func (t *turn) number(p *piece) int {
	p.number = t.next
	t.next++
	return p.number
}

// What an upstream can make the gateway keep has bounds.
const (
	maxAnswers = 128
	maxParts   = 1 << 16
	maxHeld    = 4 << 20 // bytes of one part, or of one turn's seals
)

// feed takes one event of the upstream's.
func (k *back) feed(e *llm.Event) {
	switch e.Kind {
	case llm.Begin:
		k.id = e.ID
		if k.o.OwnID {
			own := *e
			own.ID, e = "", &own
		}
		k.emit(e)
		return
	case llm.Tally, llm.Note:
		k.emit(e)
		return
	case llm.End:
		k.finish()
		k.emit(e)
		return
	}
	if e.Answer < 0 || e.Answer >= maxAnswers || e.Part < 0 || e.Part >= maxParts {
		return
	}
	t := k.turn(e.Answer)
	switch e.Kind {
	case llm.Open:
		k.open(t, e)
	case llm.Grow:
		k.grow(t, e)
	case llm.Sealed:
		k.sealed(t, e)
	case llm.Whole:
		k.whole(t, e)
	case llm.Close:
		k.close(t, e.Answer, t.at(e.Part))
	case llm.Cited:
		if p := t.at(e.Part); p.number >= 0 && !t.over {
			e.Part = p.number
			k.emit(e)
		}
	case llm.Halt:
		k.halt(t, e)
	case llm.Odds:
		if !t.over {
			k.emit(e)
		}
	case llm.Begin, llm.Tally, llm.Note, llm.End:
	}
}

// open begins a part.
func (k *back) open(t *turn, e *llm.Event) {
	p := t.at(e.Part)
	p.what = e.What
	if t.over {
		return
	}
	switch what := e.What.(type) {
	case *llm.Call:
		k.openCall(t, e, p, what)
		return
	case *llm.Thought:
		k.settle(t, e.Answer, nil)
		own := *what
		if own.Seal != nil {
			p.seals = append(p.seals, sealFrom(own.Seal, onThought))
			own.Seal = nil
		}
		p.redact(&own, k)
		p.what, e.What = &own, &own
	case *llm.Prose:
		k.settle(t, e.Answer, nil)
		if what.Seal != nil {
			k.proseSeal(t, what.Seal)
		}
		own := *what
		own.Seal = nil
		e.What = &own
	default:
		k.settle(t, e.Answer, nil)
	}
	e.Part = t.number(p)
	k.emit(e)
	if _, ok := p.what.(*llm.Prose); ok {
		k.ride(t, e.Answer, p)
	}
}

// redact makes of reasoning that shows nothing such as the client can keep.
func (p *piece) redact(t *llm.Thought, k *back) {
	if !t.Redacted {
		return
	}
	for i := range p.seals {
		p.seals[i].Redacted = true
	}
	if k.seats.thought {
		t.Redacted = false
	}
}

func (k *back) grow(t *turn, e *llm.Event) {
	p := t.at(e.Part)
	if t.over {
		return
	}
	if p.half != nil {
		e.Text, p.half = e.Text.After(p.half), nil
	}
	rest, half := e.Text.CutHalf()
	if half != nil {
		e.Text, p.half = rest, bytes.Clone(half)
		if rest.Empty() {
			return
		}
	}
	switch p.what.(type) {
	case *llm.Thought:
		if k.keepsText() && len(p.text) <= maxHeld {
			p.text = e.Text.Append(p.text)
		}
	case *llm.Prose:
		k.said(t, e.Text)
		if len(k.plan.stops) > 0 {
			e.Text = t.stop.feed(e.Text)
			if t.stop.met >= 0 {
				t.over = true
			}
			if e.Text.Empty() {
				return
			}
		}
	case *llm.Call:
		switch {
		case p.tool != nil && p.tool.hold && len(p.text) <= maxHeld:
			p.text = e.Text.Append(p.text)
			return
		case p.tool != nil && p.tool.hold:
			k.release(t, e.Answer, p)
		case p.input != nil:
			if e.Text = p.input.feed(e.Text); e.Text.Empty() {
				return
			}
		}
	}
	if p.number < 0 {
		return
	}
	e.Part = p.number
	k.emit(e)
}

// close ends a part.
func (k *back) close(t *turn, answer int, p *piece) {
	if p.closed || p.what == nil {
		return
	}
	if p.half != nil { // the other half never came
		p.half = nil
		k.grow(t, &llm.Event{Kind: llm.Grow, Answer: answer, Part: slices.Index(t.parts, p), Text: llm.Plain("\uFFFD")})
	}
	p.closed = true
	switch p.what.(type) {
	case *llm.Thought:
		if p.number >= 0 {
			k.endThought(t, answer, p)
		}
		return
	case *llm.Call:
		k.endCall(t, answer, p)
	case *llm.Prose:
		if rest := t.stop.rest(); !t.over && !rest.Empty() && p.number >= 0 {
			k.make(llm.Event{Kind: llm.Grow, Answer: answer, Part: p.number, Text: rest})
		}
	}
	if p.number >= 0 {
		k.make(llm.Event{Kind: llm.Close, Answer: answer, Part: p.number})
	}
}

// halt ends an answer.
func (k *back) halt(t *turn, e *llm.Event) {
	for _, p := range t.parts {
		k.close(t, e.Answer, p)
	}
	k.settle(t, e.Answer, nil)
	k.last(t, e.Answer)
	k.reason(t, e)
	k.emit(e)
}

// reason says why an answer stopped, as the client has to see it: calls count
// for more than what the upstream says (spec: translation-traps A22, B23, C15).
func (k *back) reason(t *turn, e *llm.Event) {
	switch {
	case t.over:
		e.Stop, e.Sequence = llm.StopSequence, llm.Plain(k.plan.stops[t.stop.met])
	case e.Stop == llm.StopCall && t.calls == 0 && t.answered:
		e.Stop = llm.StopEnd
	case (e.Stop == llm.StopEnd || e.Stop == llm.StopUnset) && t.calls > 0:
		e.Stop = llm.StopCall
	case e.Stop == llm.StopUnset && k.plan.issuer.Protocol != k.client:
		e.Stop = llm.StopEnd // clients of Google's take an answer without a reason for one that broke off
	}
}

// finish ends what no event ended.
func (k *back) finish() {
	for i, t := range k.turns {
		for _, p := range t.parts {
			k.close(t, i, p)
		}
		k.settle(t, i, nil)
	}
}

// whole takes a part that comes in one piece.
func (k *back) whole(t *turn, e *llm.Event) {
	p := t.at(e.Part)
	p.closed = true
	if t.over {
		return
	}
	switch what := e.What.(type) {
	case *llm.Call:
		p.what = what
		k.wholeCall(t, e.Answer, e.Part, p, what)
		return
	case *llm.Thought:
		k.wholeThought(t, e.Answer, p, what)
		return
	case *llm.Prose:
		k.settle(t, e.Answer, nil)
		own := *what
		if own.Seal != nil {
			k.proseSeal(t, own.Seal)
			own.Seal = nil
		}
		k.said(t, own.Text)
		if len(k.plan.stops) > 0 {
			head := t.stop.feed(own.Text).Own()
			if t.over = t.stop.met >= 0; !t.over {
				head = llm.Join([]llm.Text{head, t.stop.rest()}, "")
			}
			own.Text = head
		}
		if own.Seal = k.riding(t); own.Text.Empty() && own.Seal == nil && len(own.Cites) == 0 {
			return
		}
		e.What = &own
	case *llm.Blob:
		k.settle(t, e.Answer, nil)
		if k.client == protocol.Anthropic {
			k.lose("answer", "dropped: the client's protocol has no seat for a picture or a sound in an answer")
			return
		}
		own := *what
		own.Seal, e.What = nil, &own
	case *llm.ServerCall:
		if what.Name == drawing && k.draws(what.Extra) || k.hides(what.Extra) {
			return
		}
		k.settle(t, e.Answer, nil)
	case *llm.ServerResult:
		if what.Name == drawing && k.draws(what.Extra) {
			for i := range what.Blobs {
				k.whole(t, &llm.Event{Kind: llm.Whole, Answer: e.Answer, Part: e.Part, What: &what.Blobs[i]})
			}
			return
		}
		if k.hides(what.Extra) {
			return
		}
		k.settle(t, e.Answer, nil)
	case *llm.Opaque:
		if what.Protocol != k.client {
			k.lose("answer", "dropped: the client's protocol knows nothing of a part of kind "+what.Kind)
			return
		}
		k.settle(t, e.Answer, nil)
	default:
		k.settle(t, e.Answer, nil)
	}
	e.Part = t.number(p)
	k.emit(e)
}

// drawing is the tool by which OpenAI's models make pictures. To everybody else
// a picture is a part of the answer (spec: translation-traps F9).
const drawing = "image_generation"

func (k *back) draws(x llm.Extra) bool { return x.Protocol != k.client }

// hides reports whether the client must not see what the upstream ran: without
// the seals of their own vendor, clients of Anthropic's could not bring it back
// (spec: upstreams §2.9). What was found is cited in the text.
func (k *back) hides(x llm.Extra) bool {
	if k.client != protocol.Anthropic || x.Protocol == k.client {
		return false
	}
	k.lose("answer", "dropped: the client's protocol has no seat for what another vendor's tool did")
	return true
}

// said notes a text by which seals may be remembered.
func (k *back) said(t *turn, text llm.Text) {
	if k.o.Recall == nil || k.plan.issuer.Protocol == protocol.OpenAIChat {
		return
	}
	if t.said == nil {
		t.said = sha256.New()
	}
	k.text = text.Append(k.text[:0])
	t.said.Write(k.text)
}
