package relay

import (
	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/completions"
)

// A completion carries a legacy text completion to upstreams that take chats:
// one leg for each of its prompts.
type completion struct {
	codec protocol.Codec
	req   *completions.Request
	enc   *completions.Encoder
}

func newCompletion(c *Call) (carrier, error) {
	req, err := completions.Decode(c.Body)
	if err != nil {
		return nil, err
	}
	return &completion{c.Codec, req, req.NewEncoder()}, nil
}

func (c *completion) legs() int        { return len(c.req.Prompts) }
func (c *completion) candidates() int  { return c.req.N }
func (c *completion) losses() []string { return c.req.Losses }
func (c *completion) begin(leg int)    { c.enc.Prompt(leg) }

func (c *completion) ask(leg int, _ *pool.Account, served string) (asked, error) {
	body := c.req.ChatBody(leg)
	if served != c.req.Model {
		var err error
		if body, err = c.codec.SetModel(body, served); err != nil {
			return asked{}, err
		}
	}
	return asked{path: "/chat/completions", body: body}, nil
}

func (c *completion) frame(dst, _, data []byte) ([]byte, error) { return c.enc.Feed(dst, data) }
func (c *completion) end(dst []byte) []byte                     { return c.enc.End(dst) }

func (c *completion) fail(dst []byte, f *fault.Fault, id string) []byte {
	return c.codec.StreamError(dst, f, id)
}

func (c *completion) whole(body []byte) error { return c.enc.Answer(body) }
func (c *completion) body() ([]byte, error)   { return c.enc.Body(), nil }

func (*completion) kind(streamed bool) []string {
	if streamed {
		return streamType
	}
	return jsonType
}
