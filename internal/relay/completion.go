package relay

import (
	"slices"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/completions"
)

// A completion carries a legacy text completion to upstreams that take chats:
// one leg for each of its prompts.
type completion struct {
	codec  protocol.Codec
	strict bool
	req    *completions.Request
	enc    *completions.Encoder
	choose bool   // the upstream says which choices are the best
	lost   string // what became of best_of
}

func newCompletion(c *Call) (carrier, error) {
	req, err := completions.Decode(c.Body)
	if err != nil {
		return nil, err
	}
	return &completion{codec: c.Codec, strict: c.strict(), req: req, enc: req.NewEncoder()}, nil
}

func (c *completion) legs() int       { return len(c.req.Prompts) }
func (c *completion) candidates() int { return c.req.N }
func (c *completion) begin(leg int)   { c.enc.Prompt(leg) }

func (c *completion) losses() []string {
	if c.lost == "" {
		return c.req.Losses
	}
	return append(slices.Clip(c.req.Losses), c.lost)
}

// weigh finds out whether the upstream of an account says which choices are
// the best.
func (c *completion) weigh(to *pool.Account, protocol string) {
	c.choose, c.lost = c.req.Best.Of > 0, ""
	if c.choose && !tellsOdds(to, protocol) {
		c.choose, c.lost = false, lostBest
	}
}

func (c *completion) ask(leg int, to *pool.Account, served string) (asked, error) {
	c.weigh(to, protocol.OpenAIChat)
	body := c.req.ChatBody(leg, c.choose)
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

func (c *completion) body() ([]byte, error) {
	body, judged, err := c.enc.Body()
	if err == nil && !judged && c.lost == "" {
		c.lost = lostOdds
		if c.strict {
			return nil, lossy([]string{lostOdds})
		}
	}
	return body, err
}

func (*completion) kind(streamed bool) []string {
	if streamed {
		return streamType
	}
	return jsonType
}
