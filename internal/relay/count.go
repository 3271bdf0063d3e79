package relay

import (
	"errors"
	"net/http"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/tokens"
)

// countable reports whether a count that failed with f is better answered by
// an estimate: there is no endpoint for it, or nobody is able now. A client
// that asks how long its conversation is must not learn that an account is at
// its limit. What is wrong with the request itself it does learn.
func (a *answer) countable(f *fault.Fault) bool {
	if a.c.Op != protocol.Count || a.line.committed {
		return false
	}
	if _, ok := a.c.Codec.(protocol.Counter); !ok {
		return false
	}
	switch f.Class {
	case fault.Canceled, fault.Malformed, fault.NoAccount, fault.Internal:
		return false
	case fault.BadRequest, fault.ContextTooLong, fault.ContentFiltered, fault.SealMismatch:
		return missing(f)
	}
	return a.ctx.Err() == nil
}

// estimate answers a count from what is known of the model's tokenizer. It is
// never 0.
func (a *answer) estimate() *fault.Fault {
	counter := a.c.Codec.(protocol.Counter)
	text, media, err := counter.CountText(nil, a.c.Body)
	if err != nil {
		return fault.New(fault.Malformed, "the texts to be counted cannot be read: %s", err)
	}
	model := a.plan.Models[0]
	body := counter.EncodeCount(tokens.Estimate(text, media, model))
	a.fresh = false
	a.x.Account, a.x.Outbound, a.x.Served, a.x.Estimated = "", "", model, true
	h := a.line.w.Header()
	h["Content-Type"] = jsonType
	h[countHeader] = estimated
	a.respond(http.StatusOK, body)
	return nil
}

// A counting call asks an upstream of another protocol to count a conversation.
// Nothing is told of what would be lost on the way: it is not sent.
type counting struct {
	translation
	upstream protocol.Counted
	tokens   int64
}

// countForms are the forms in which a count can be put to upstreams of each
// protocol that counts.
func (r *Relay) countForms(codecs []protocol.Codec) (forms []form) {
	for _, c := range codecs {
		upstream, ok := c.(protocol.Translator)
		counter, counts := c.(protocol.Counted)
		if !ok || !counts {
			continue
		}
		forms = append(forms, form{
			way: pool.Way{Op: protocol.Count, Protocol: c.Name()}, codec: c, foreign: true,
			make: func(c *Call) (carrier, error) {
				t, err := r.newTranslation(c, upstream)
				if err != nil {
					return nil, err
				}
				return &counting{translation: *t.(*translation), upstream: counter}, nil
			},
		})
	}
	return forms
}

func (t *counting) ask(leg int, to *pool.Account, served string) (asked, error) {
	a, err := t.translation.ask(leg, to, served)
	if err != nil {
		return a, err
	}
	a.query = ""
	if a.path, a.body = t.upstream.AskCount(a.body, served); a.path == "" {
		return a, unroutable(errors.New("the path cannot name it"))
	}
	return a, nil
}

func (*counting) losses() []string { return nil }

func (t *counting) whole(body []byte) error {
	var ok bool
	if t.tokens, ok = t.upstream.ReadCount(body); !ok {
		return errors.New("it counts nothing")
	}
	return nil
}

func (t *counting) body() ([]byte, error) {
	return t.c.Codec.(protocol.Counter).EncodeCount(t.tokens), nil
}

func (*counting) kind(bool) []string { return jsonType }
