// Package translate carries one request, and its answer back, between a client
// and an upstream that speak different protocols.
//
// The codecs know how to say everything in their own protocol. What is done
// here concerns any pair of them: names and ids that do not fit, kinds of tools
// that the other side does not have, calls and results that do not belong
// together, seals that only their issuer may see, settings that a model
// refuses. Each is a small pass over the neutral conversation on the way out,
// and most have a counterpart on the way back, so that a client never learns of
// them. What cannot be put back is told as a loss.
//
// Nothing here knows time, chance or the network. The same request gives the
// same bytes, so that prompt caches and sealed reasoning stay good from turn to
// turn (spec: translation-traps X3, X4).
package translate

import (
	"bytes"
	"encoding/json/jsontext"
	"slices"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/provider"
)

// Options are what a translation has to know of a request beside its body.
type Options struct {
	ID      string // the gateway's request id
	Model   string // as the client asked for it
	Stream  bool   // the client asked for a stream; Gemini says it in the path
	Created int64  // Unix seconds
	// Scope is whose request it is: what is remembered for one is shown to
	// no other. It is the name of the client's key.
	Scope  string
	Recall Recall // nil: nothing is remembered
	// OwnID: the answer is known by an id made of ID, whatever the upstream
	// calls it. Some call every answer the same.
	OwnID bool
	// Keep: the answer is kept for a client that did not say that it should
	// not be.
	Keep bool
	// Previous is the answer that the request continues, "" for none. What it
	// stands for is in the body already.
	Previous string
	// Conversation is the conversation that the answer belongs to, "" for none.
	Conversation string
}

// An Upstream is whom a request is put to.
type Upstream struct {
	Fit     *protocol.Fit
	Quirks  *provider.Quirks
	Account string // its name, to which seals are bound
	Preset  bool   // it is one whose departures from its protocol are known
	// Bare: no seals are sent, since the upstream has refused one.
	Bare bool
}

// A Bridge carries one request and its answer. It is used by one goroutine.
type Bridge struct {
	client   protocol.Translator
	upstream protocol.Asker
	o        Options
	req      *llm.Request // the client's, which is never changed
	size     int          // of its body, in bytes
	files    map[string]File
	foreign  []llm.Loss // what only the client's protocol knows
	echo     protocol.Echo

	plan  plan       // what the last request demands of its answer
	asked []llm.Loss // what the last request lost

	way    *back // of the answer under way, nil before it begins
	dec    protocol.Decoder
	enc    protocol.Encoder
	events []llm.Event
	told   []llm.Loss // what whole answers lost
}

// New reads a client's request, which may then be put to several upstreams of
// one protocol. body must not be changed while the bridge is in use. The error
// is a *fault.Fault of class Malformed, or Unsupported for what is never asked
// of another protocol.
func New(client protocol.Translator, upstream protocol.Asker, body []byte, o Options) (*Bridge, error) {
	if o.Stream || client.Name() == protocol.OpenAIResponses { // which repeats parts of its request
		body = flat(body)
	}
	r, err := client.DecodeRequest(body)
	if err != nil {
		return nil, err
	}
	if o.Model == "" {
		o.Model = r.Model
	}
	r.Model, r.Stream = o.Model, r.Stream || o.Stream
	b := &Bridge{client: client, upstream: upstream, o: o, req: r, size: len(body)}
	if client.Name() != upstream.Name() {
		if f := stateful(r); f != nil {
			return nil, f
		}
		r.Previous = o.Previous
		if o.Keep && r.Store == nil {
			r.Store = &o.Keep
		}
		b.foreign = foreign(r, upstream.Name())
	}
	b.echo = protocol.Echo{ID: o.ID, Model: o.Model, Created: o.Created, Request: r, Conversation: o.Conversation}
	return b, nil
}

// Request is the request as to takes it, and what of it was lost. The answer
// that is read afterwards is taken for the one to this request.
func (b *Bridge) Request(to *Upstream) ([]byte, []llm.Loss, error) {
	d := newDraft(b, to)
	if err := d.prepare(); err != nil {
		return nil, nil, err
	}
	body, lost, err := b.upstream.EncodeRequest(make([]byte, 0, b.size+b.size/8+1024), d.Request, to.Fit)
	if err != nil {
		return nil, nil, err
	}
	b.plan, b.way, b.dec, b.enc = d.plan, nil, nil, nil
	body = d.kin(body)
	b.asked = mended(b.req, append(append(append([]llm.Loss(nil), d.losses...), lost...), b.foreign...))
	if d.shared {
		b.asked = slices.DeleteFunc(b.asked, func(l llm.Loss) bool { return l.Path == moderation })
	}
	return body, b.asked, nil
}

// Path is where a request for model goes, below the upstream's base URL, and
// its query.
func (b *Bridge) Path(model string) (to, query string, err error) {
	return path(b.upstream, model, b.req.Stream)
}

// Candidates is how many answers the client wants to choose from, 0 if it does
// not say.
func (b *Bridge) Candidates() int { return b.req.Sampling.N }

// begin makes ready for an answer.
func (b *Bridge) begin() *back {
	if b.way == nil {
		b.way = newBack(b)
	}
	return b.way
}

// Whole is the client's answer, made of the upstream's whole one.
func (b *Bridge) Whole(body []byte) ([]byte, error) {
	r, err := b.upstream.DecodeResponse(bytes.TrimSpace(body)) // some wait in blanks
	if err != nil {
		return nil, err
	}
	b.begin().answer(r)
	if b.o.OwnID {
		r.ID = ""
	}
	out, lost, err := b.client.EncodeResponse(make([]byte, 0, len(body)+len(body)/8+512), r, &b.echo)
	b.told = append(b.told, lost...)
	return out, err
}

// Unfold appends to dst the stream that says the same as the upstream's whole
// answer, for a client that asked for a stream and an upstream that sent none
// (spec: translation-traps X15). End must follow.
func (b *Bridge) Unfold(dst, body []byte) ([]byte, error) {
	r, err := b.upstream.DecodeResponse(flat(bytes.TrimSpace(body)))
	if err != nil {
		return dst, err
	}
	way := b.stream()
	way.dst = dst
	way.unfold(r)
	return way.take(), nil
}

// stream makes ready for a stream.
func (b *Bridge) stream() *back {
	way := b.begin()
	if b.enc == nil {
		b.dec, b.enc = b.upstream.NewDecoder(), b.client.NewEncoder(&b.echo)
	}
	way.enc = b.enc
	return way
}

// Frame appends to dst what one event of the upstream's stream makes for the
// client, framed; often nothing. An error means that the event makes no sense.
func (b *Bridge) Frame(dst, event, data []byte) ([]byte, error) {
	way := b.stream()
	var err error
	b.events, err = b.dec.Feed(b.events[:0], event, flat(data))
	way.dst = dst
	for i := range b.events {
		way.feed(&b.events[i])
	}
	return way.take(), err
}

// flat is the JSON v on one line, as it has to stand in an event. What is on
// one line, or no JSON, is v itself.
func flat(v []byte) []byte {
	if bytes.IndexByte(v, '\n') < 0 && bytes.IndexByte(v, '\r') < 0 {
		return v
	}
	out := jsontext.Value(bytes.Clone(v))
	if err := out.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return v
	}
	return out
}

// End appends what is still owed to the client when the upstream is through.
func (b *Bridge) End(dst []byte) []byte {
	way := b.stream()
	b.events = b.dec.End(b.events[:0])
	way.dst = dst
	for i := range b.events {
		way.feed(&b.events[i])
	}
	way.finish()
	return b.enc.End(way.take())
}

// Fail appends what tells the client that the answer broke off here.
func (b *Bridge) Fail(dst []byte, f *fault.Fault, id string) []byte {
	return b.stream().enc.Fail(dst, f, id)
}

// Losses is everything that did not cross as it was, so far: of the request and
// of the answer.
func (b *Bridge) Losses() []llm.Loss {
	out := append([]llm.Loss(nil), b.asked...)
	if b.way != nil {
		out = append(out, b.way.losses...)
	}
	out = append(out, b.told...)
	if b.enc != nil {
		out = append(out, b.enc.Losses()...)
	}
	return out
}
