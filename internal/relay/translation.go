package relay

import (
	"bytes"
	"slices"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/openaichat"
	"portico/internal/provider"
	"portico/internal/sse"
	"portico/internal/translate"
)

// foreignForms are the forms in which a conversation, or a text completion, can
// be put to upstreams of each protocol that can be translated into.
func (r *Relay) foreignForms(codecs []protocol.Codec) map[protocol.Op][]form {
	forms := map[protocol.Op][]form{protocol.Count: r.countForms(codecs)}
	for _, c := range codecs {
		upstream, ok := c.(protocol.Asker)
		if !ok {
			continue
		}
		way := pool.Way{Op: protocol.Chat, Protocol: c.Name()}
		forms[protocol.Chat] = append(forms[protocol.Chat], form{
			way: way, codec: c, foreign: true,
			make: func(c *Call) (carrier, error) { return r.newTranslation(c, upstream) },
		})
		if c.Name() != protocol.OpenAIChat { // which needs no translation
			forms[protocol.Complete] = append(forms[protocol.Complete], form{
				way: way, codec: c, foreign: true,
				make: func(c *Call) (carrier, error) { return r.newRetold(c, upstream) },
			})
		}
	}
	return forms
}

// A translation carries a conversation to an upstream of another protocol.
type translation struct {
	c      *Call
	bridge *translate.Bridge
	bare   bool // no seals are sent
	whole_ []byte
}

func (r *Relay) newTranslation(c *Call, upstream protocol.Asker) (carrier, error) {
	c = r.turned(c)
	b, err := translate.New(c.Codec.(protocol.Translator), upstream, c.Body, r.options(c))
	if err != nil {
		return nil, err
	}
	return &translation{c: c, bridge: b}, nil
}

func (r *Relay) options(c *Call) translate.Options {
	return translate.Options{
		ID: c.ID, Model: c.Model, Stream: c.Stream, Created: c.Start.Unix(), Scope: c.Key, Recall: r.recall,
		OwnID: c.turn != nil, Keep: c.turn != nil && c.turn.keep, Previous: c.Previous, Conversation: c.Conversation,
	}
}

// upstreamOf is an account as a translation has to know it.
func upstreamOf(c *Call, to *pool.Account, served string, bare bool) *translate.Upstream {
	q := provider.QuirksOf(to.By, to.Account)
	return &translate.Upstream{Fit: translate.FitOf(c.Settings.Catalog, served, to.Account, q), Quirks: q, Account: to.Name, Preset: to.Preset != "", Bare: bare}
}

func (t *translation) legs() int        { return 1 }
func (t *translation) begin(int)        {}
func (t *translation) candidates() int  { return t.bridge.Candidates() }
func (t *translation) unseal()          { t.bare = true }
func (t *translation) losses() []string { return lossesOf(t.bridge) }

// lossesOf is what b lost, as "path=reason".
func lossesOf(b *translate.Bridge) []string {
	all := b.Losses()
	if len(all) == 0 {
		return nil
	}
	out := make([]string, len(all))
	for i, l := range all {
		out[i] = lossText(l)
	}
	return out
}

func lossText(l llm.Loss) string { return l.Path + "=" + l.Why }

func (t *translation) ask(_ int, to *pool.Account, served string) (asked, error) {
	return askThrough(t.bridge, upstreamOf(t.c, to, served, t.bare))
}

func askThrough(b *translate.Bridge, to *translate.Upstream) (a asked, err error) {
	if a.path, a.query, err = b.Path(to.Fit.Model); err != nil {
		return a, err
	}
	a.body, _, err = b.Request(to)
	return a, err
}

func (t *translation) frame(dst, event, data []byte) ([]byte, error) {
	n := len(dst)
	dst, err := t.bridge.Frame(dst, event, data)
	t.keep(dst[n:])
	return dst, err
}

func (t *translation) end(dst []byte) []byte {
	n := len(dst)
	dst = t.bridge.End(dst)
	t.keep(dst[n:])
	return dst
}

// keep looks in what was written for the end of an answer that is kept.
func (t *translation) keep(stream []byte) {
	if t.c.turn != nil {
		t.c.turn.watch(stream)
	}
}

func (t *translation) fail(dst []byte, f *fault.Fault, id string) []byte {
	return t.bridge.Fail(dst, f, id)
}

// whole takes a whole answer. A client that asked for a stream gets one.
func (t *translation) whole(body []byte) (err error) {
	if !t.c.Stream {
		if t.whole_, err = t.bridge.Whole(body); err == nil && t.c.turn != nil {
			t.c.turn.take(t.whole_)
		}
		return err
	}
	if t.whole_, err = t.bridge.Unfold(nil, body); err == nil {
		t.whole_ = t.bridge.End(t.whole_)
		t.keep(t.whole_)
	}
	return err
}

func (t *translation) body() ([]byte, error) { return t.whole_, nil }

func (t *translation) kind(bool) []string {
	if !t.c.Stream {
		return jsonType
	}
	return streamKind(t.c.Codec)
}

// A streamer is a codec whose streams are not always events.
type streamer interface {
	// StreamType is the media type of a stream.
	StreamType() string
}

// streamKind is the media type of a stream for c's clients.
func streamKind(c protocol.Codec) []string {
	if s, ok := c.(streamer); ok {
		if kind := s.StreamType(); kind != eventStream {
			return []string{kind}
		}
	}
	return streamType
}

// A retold completion carries a legacy text completion to upstreams that take
// chats in another protocol: it is made a chat, which is then translated.
type retold struct {
	*completion
	r        *Relay
	c        *Call
	upstream protocol.Asker
	bridges  []*translate.Bridge // of the legs
	leg      int
	framed   bool   // the leg came as a stream
	owed     []byte // what the client is still to get of the leg before
	buf      []byte
}

func (r *Relay) newRetold(c *Call, upstream protocol.Asker) (carrier, error) {
	inner, err := newCompletion(c)
	if err != nil {
		return nil, err
	}
	return &retold{completion: inner.(*completion), r: r, c: c, upstream: upstream}, nil
}

func (t *retold) ask(leg int, to *pool.Account, served string) (asked, error) {
	chose := t.choose
	if t.weigh(to, t.upstream.Name()); t.choose != chose && leg == 0 {
		t.bridges = nil // of an account that was asked for something else
	}
	for len(t.bridges) <= leg {
		o := t.r.options(t.c)
		b, err := translate.New(openaichat.New(), t.upstream, t.req.ChatBody(len(t.bridges), t.choose), o)
		if err != nil {
			return asked{}, err
		}
		t.bridges = append(t.bridges, b)
	}
	return askThrough(t.bridges[leg], upstreamOf(t.c, to, served, false))
}

func (t *retold) losses() []string {
	out := t.completion.losses()
	for _, b := range t.bridges {
		for _, s := range lossesOf(b) {
			if !slices.Contains(out, s) { // each prompt has the same
				out = append(slices.Clip(out), s)
			}
		}
	}
	return out
}

func (t *retold) begin(leg int) {
	if t.framed {
		t.buf = t.bridges[t.leg].End(t.buf[:0])
		t.owed, _ = t.chat(nil) // what the bridge wrote is sound
		t.framed = false
	}
	t.completion.begin(leg)
	t.leg = leg
}

func (t *retold) frame(dst, event, data []byte) (_ []byte, err error) {
	t.framed = true
	dst, t.owed = append(dst, t.owed...), nil
	if t.buf, err = t.bridges[t.leg].Frame(t.buf[:0], event, data); err != nil {
		return dst, err
	}
	return t.chat(dst)
}

// chat gives the encoder what a bridge wrote.
func (t *retold) chat(dst []byte) (_ []byte, err error) {
	var cut sse.Cutter
	for rest := t.buf; len(rest) > 0 && err == nil; {
		n := cut.Cut(rest)
		if n == 0 {
			break // it writes nothing but whole events
		}
		if f := sse.Parse(rest[:n]); f.Data != nil {
			dst, err = t.completion.frame(dst, f.Event, f.Data)
		}
		rest = rest[n:]
	}
	return dst, err
}

func (t *retold) end(dst []byte) []byte {
	dst = append(dst, t.owed...)
	t.buf = t.bridges[t.leg].End(t.buf[:0])
	if out, err := t.chat(dst); err == nil {
		dst = out
	}
	return t.completion.end(dst)
}

func (t *retold) whole(body []byte) error {
	chat, err := t.bridges[t.leg].Whole(body)
	if err != nil {
		return err
	}
	return t.completion.whole(chat)
}

// An unsealer is a carrier that can leave seals out.
type unsealer interface{ unseal() }

var sealMark = []byte(translate.SealMark)

// sealed reports whether a request holds a seal that was wrapped for its
// client, which an upstream of the client's own protocol would refuse.
func sealed(c *Call) bool {
	return (c.Op == protocol.Chat || c.Op == protocol.Count) && bytes.Contains(c.Body, sealMark)
}

// unseal is the client's own request without the seals of others, or without
// any if an upstream has refused one.
func (a *answer) unseal(t asked, to *pool.Account, model string) (asked, error) {
	client, ok := a.c.Codec.(protocol.Translator)
	if !ok {
		return t, nil
	}
	b, err := translate.New(client, client, a.c.Body, a.r.options(a.c))
	if err != nil {
		return asked{}, err
	}
	body, lost, err := b.Request(upstreamOf(a.c, to, model, a.unsealed))
	if err != nil {
		return asked{}, err
	}
	a.lost = a.lost[:0]
	for _, l := range lost {
		a.lost = append(a.lost, lossText(l))
	}
	if len(a.lost) > 0 && a.c.strict() {
		return asked{}, lossy(a.lost)
	}
	t.body = body
	return t, nil
}

// losses is what of the request and its answer did not cross, so far.
func (a *answer) losses() []string {
	if c := a.carrier(); c != nil {
		return c.losses()
	}
	return a.lost
}
