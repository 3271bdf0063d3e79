package relay

import (
	"net/http"

	"portico/internal/fault"
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
