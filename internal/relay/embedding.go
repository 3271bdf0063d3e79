package relay

import (
	"net/url"
	"strings"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/embedding"
	"portico/internal/protocol/gemini"
	"portico/internal/tokens"
)

const batchMethod = ":batchEmbedContents"

// addEmbeddings adds the form in which embeddings are asked of upstreams of the
// other protocol that has them.
func (a *answer) addEmbeddings() {
	upstream := protocol.Gemini
	if a.c.Codec.Name() == protocol.Gemini {
		upstream = protocol.OpenAIChat
	}
	if c, ok := a.r.codecs[upstream]; ok {
		a.addForm(form{way: pool.Way{Op: protocol.Embed, Protocol: upstream}, codec: c, foreign: true, make: newEmbedding})
	}
}

// An embedded call carries a request for embeddings to an upstream of the other
// protocol. Google takes a bounded number of texts at a time: a leg for each
// batch.
type embedded struct {
	c      *Call
	google bool // the upstream
	req    *embedding.Request
	ans    *embedding.Answer
	leg    int
	asked  string // the model of the leg under way
	served string // the model of all vectors
}

func newEmbedding(c *Call) (carrier, error) {
	e := &embedded{c: c, google: c.Codec.Name() != protocol.Gemini}
	var err error
	if e.google {
		e.req, err = embedding.FromOpenAI(c.Body)
	} else {
		p, _ := gemini.ParsePath(c.Path)
		e.req, err = embedding.FromGoogle(c.Body, ":"+p.Method == batchMethod)
	}
	if err != nil {
		return nil, err
	}
	e.ans = e.req.NewAnswer()
	return e, nil
}

func (e *embedded) legs() int {
	if e.google {
		return e.req.Batches()
	}
	return 1
}

func (e *embedded) ask(leg int, _ *pool.Account, served string) (asked, error) {
	if leg > 0 && served != e.served {
		return asked{}, fault.New(fault.Unsupported, "the vectors of one answer come from one model, and %s cannot go on", e.served)
	}
	e.asked = served
	if !e.google {
		return asked{path: "/embeddings", body: e.req.OpenAI(served)}, nil
	}
	path, ok := gemini.SetPathModel("/models/x"+batchMethod, served)
	if !ok {
		return asked{}, fault.New(fault.Unsupported, "no path can name the model %q", served)
	}
	name, err := url.PathUnescape(strings.TrimSuffix(path[1:], batchMethod)) // with its collection
	if err != nil {
		return asked{}, fault.New(fault.Internal, "the path %s: %s", path, err)
	}
	return asked{path: path, body: e.req.Google(leg, name)}, nil
}

func (e *embedded) begin(leg int) { e.leg, e.served = leg, e.asked }

func (e *embedded) whole(body []byte) error {
	if e.google {
		return e.ans.Google(e.req, e.leg, body)
	}
	return e.ans.OpenAI(e.req, body)
}

func (e *embedded) losses() (out []string) {
	for _, l := range e.req.Losses {
		out = append(out, lossText(l))
	}
	return out
}

func (e *embedded) body() ([]byte, error) {
	guess := int64(0)
	if e.google && !e.ans.Counted() {
		var text []byte
		for _, t := range e.req.Texts {
			text = append(t.Append(text), '\n')
		}
		guess = tokens.Estimate(text, 0, e.served)
	}
	return e.ans.Body(e.c.Model, guess), nil
}

func (*embedded) kind(bool) []string { return jsonType }

// Embeddings are never streamed.

func (*embedded) frame(dst, _, _ []byte) ([]byte, error)           { return dst, nil }
func (*embedded) end(dst []byte) []byte                            { return dst }
func (*embedded) fail(dst []byte, _ *fault.Fault, _ string) []byte { return dst }
