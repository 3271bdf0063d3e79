package relay

import (
	"net/http"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/drawing"
	"portico/internal/protocol/gemini"
	"portico/internal/translate"
)

// draws reports whether c asks OpenAI's API for pictures.
func draws(c *Call) bool {
	switch c.Path {
	case drawing.Generations, drawing.Edits, drawing.Variations:
		return c.Op == protocol.Other && c.Codec.Name() == protocol.OpenAIChat && c.Method == http.MethodPost && c.Model != ""
	}
	return false
}

// undressed is the model of a call for pictures without what its name says of
// their size. It is "" where the name says nothing of it.
func (a *answer) undressed() string {
	if !draws(a.c) {
		return ""
	}
	if base := drawing.Base(a.c.Model); base != a.c.Model {
		return base
	}
	return ""
}

// addDrawings adds the forms in which OpenAI's requests for pictures are put to
// models that draw in a conversation. Which models do that, and in which
// protocol, their providers say.
func (a *answer) addDrawings() {
	if !draws(a.c) {
		return
	}
	for i := range sketches {
		s := &sketches[i]
		if c, ok := a.r.codecs[s.protocol].(protocol.Translator); ok {
			a.addForm(form{
				way: pool.Way{Op: protocol.Draw, Protocol: s.protocol}, codec: c, foreign: true,
				make: func(call *Call) (carrier, error) { return newDrawn(call, c, s) },
			})
		}
	}
}

// A sketch is how the models of one protocol are asked for a picture.
type sketch struct {
	protocol string
	// ask writes the request to the model that is served by that name.
	ask func(r *drawing.Request, served string) (asked, error)
}

var sketches = [...]sketch{
	{protocol.Gemini, askGoogle},
	{protocol.OpenAIResponses, func(r *drawing.Request, served string) (asked, error) {
		return asked{path: "/responses", body: r.Responses(served)}, nil
	}},
	{protocol.OpenAIChat, func(r *drawing.Request, served string) (asked, error) {
		return asked{path: "/chat/completions", body: r.Chat(served)}, nil
	}},
}

func askGoogle(r *drawing.Request, served string) (asked, error) {
	path, query := "/models/x:generateContent", ""
	if r.Stream {
		path, query = "/models/x:streamGenerateContent", "alt=sse"
	}
	path, ok := gemini.SetPathModel(path, drawing.Base(served))
	if !ok {
		return asked{}, fault.New(fault.Unsupported, "no path can name the model %q", served)
	}
	return asked{path: path, query: query, body: r.Google(served)}, nil
}

// maxDrawn is the largest answer of a model that draws, or event of it, in
// bytes: pictures of 4K come as PNG, in base64.
const maxDrawn = 64 << 20

// maxAlbum is how much is kept of several pictures that are drawn at the same
// time, in bytes.
const maxAlbum = 4 * maxDrawn

// largest is how much of an answer, or of an event, is taken, which is the usual
// unless it is a picture.
func (a *answer) largest(usual int) int {
	if _, ok := a.carrier().(*drawn); ok {
		return maxDrawn
	}
	return usual
}

// A drawn call carries a request for a picture to an upstream that draws in a
// conversation.
type drawn struct {
	c        *Call
	upstream protocol.Translator
	sketch   *sketch
	req      *drawing.Request
	ans      *drawing.Answer

	dec    protocol.Decoder // of a streamed leg
	events []llm.Event
	stream []byte // of whole legs, for a client that wants a stream
}

func newDrawn(c *Call, upstream protocol.Translator, s *sketch) (carrier, error) {
	req, err := drawing.FromOpenAI(c.Path, c.Header.Get("Content-Type"), c.Body)
	if err != nil {
		return nil, err
	}
	req.Stream = c.Stream
	if c.alone {
		req.N = 1
	}
	return &drawn{c: c, upstream: upstream, sketch: s, req: req, ans: req.NewAnswer(c.Start.Unix())}, nil
}

// legs is 1: of several pictures each is a call of its own, see fan.
func (*drawn) legs() int { return 1 }

func (d *drawn) candidates() int { return d.req.N }

func (d *drawn) begin(int) {
	d.ans.Begin()
	d.dec = d.upstream.NewDecoder()
}

// An inliner is a codec that knows which files its models take by their bytes
// only.
type inliner interface {
	Inline(fit *protocol.Fit, b *llm.Blob) bool
}

func (d *drawn) addresses(_ *pool.Account, served string) (out []translate.Address) {
	c, ok := d.upstream.(inliner)
	if !ok || !c.Inline(&protocol.Fit{Model: served}, &llm.Blob{URL: "https://"}) {
		return nil
	}
	for _, x := range d.req.Addresses() {
		out = append(out, translate.Address{URL: x.URL, Kind: llm.Image, Path: x.Path})
	}
	return out
}

func (d *drawn) give(url string, f translate.File) { d.req.Give(url, f.Type, f.Data) }

func (d *drawn) ask(_ int, to *pool.Account, served string) (asked, error) {
	if lacks := d.addresses(to, served); len(lacks) > 0 {
		f := fault.New(fault.Unsupported, "the model takes pictures by their bytes only, and fetch.enabled is off: send the picture itself")
		f.Param = lacks[0].Path
		return asked{}, f
	}
	return d.sketch.ask(d.req, served)
}

func (d *drawn) losses() (out []string) {
	for _, l := range d.req.Losses {
		out = append(out, lossText(l))
	}
	return out
}

func (d *drawn) whole(body []byte) error {
	r, err := d.upstream.DecodeResponse(body)
	if err != nil {
		return err
	}
	d.stream, err = d.ans.Add(d.stream, r)
	return err
}

func (d *drawn) body() ([]byte, error) {
	if d.c.Stream {
		return d.stream, nil
	}
	return d.ans.Body(), nil
}

func (d *drawn) kind(bool) []string {
	if d.c.Stream {
		return streamType
	}
	return jsonType
}

func (d *drawn) frame(dst, event, data []byte) (_ []byte, err error) {
	dst = d.ans.Partial(dst, data)
	if d.events, err = d.dec.Feed(d.events[:0], event, data); err != nil {
		return dst, err
	}
	return d.tell(dst), nil
}

func (d *drawn) tell(dst []byte) []byte {
	for i := range d.events {
		dst = d.ans.Event(dst, &d.events[i])
	}
	return dst
}

// close tells the picture of a leg, which is known for the last one only when
// the leg is through.
func (d *drawn) close(dst []byte) ([]byte, error) {
	d.events = d.dec.End(d.events[:0])
	return d.ans.End(d.tell(dst))
}

func (*drawn) end(dst []byte) []byte { return dst }

func (d *drawn) fail(dst []byte, f *fault.Fault, id string) []byte {
	return d.c.Codec.StreamError(dst, f, id)
}
