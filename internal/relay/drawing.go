package relay

import (
	"net/http"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/drawing"
	"portico/internal/protocol/gemini"
)

// addDrawings adds the form in which OpenAI's requests for pictures are put to
// models of Google's that draw.
func (a *answer) addDrawings() {
	c, ok := a.r.codecs[protocol.Gemini].(protocol.Translator)
	if !ok || a.c.Codec.Name() != protocol.OpenAIChat || a.c.Path != "/images/generations" || a.c.Method != http.MethodPost || a.c.Model == "" {
		return
	}
	a.addForm(form{
		way: pool.Way{Op: protocol.Chat, Protocol: protocol.Gemini}, codec: c, foreign: true,
		make: func(call *Call) (carrier, error) { return newDrawn(call, c) },
	})
}

// A drawn call carries a request for pictures to an upstream that draws in a
// conversation, one leg for each picture.
type drawn struct {
	c        *Call
	upstream protocol.Translator
	req      *drawing.Request
	ans      *drawing.Answer
}

func newDrawn(c *Call, upstream protocol.Translator) (carrier, error) {
	req, err := drawing.FromOpenAI(c.Body)
	if err != nil {
		return nil, err
	}
	return &drawn{c, upstream, req, req.NewAnswer()}, nil
}

func (d *drawn) legs() int { return d.req.N }
func (*drawn) begin(int)   {}

func (d *drawn) ask(_ int, _ *pool.Account, served string) (asked, error) {
	path, ok := gemini.SetPathModel("/models/x:generateContent", served)
	if !ok {
		return asked{}, fault.New(fault.Unsupported, "no path can name the model %q", served)
	}
	return asked{path: path, body: d.req.Google(served)}, nil
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
	return d.ans.Add(r)
}

func (d *drawn) body() ([]byte, error) { return d.ans.Body(d.c.Start.Unix()), nil }
func (*drawn) kind(bool) []string      { return jsonType }

// Pictures are never streamed.

func (*drawn) frame(dst, _, _ []byte) ([]byte, error)           { return dst, nil }
func (*drawn) end(dst []byte) []byte                            { return dst }
func (*drawn) fail(dst []byte, _ *fault.Fault, _ string) []byte { return dst }
