package relay

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/responses"
)

// resume finds what a call of OpenAI's Responses is about: the answer or the
// conversation that it continues, or that it asks for. If that is kept here,
// the call is made one that has everything in it, or answered at once, which
// done says. If it is at an account, that one is asked.
func (a *answer) resume() (f *fault.Fault, done bool) {
	c := a.c
	if a.r.kept == nil || c.turn != nil || c.Codec.Name() != protocol.OpenAIResponses {
		return nil, false
	}
	switch c.Op {
	case protocol.Chat, protocol.Count:
		return a.proceed()
	case protocol.Other:
		first, rest, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
		switch {
		case c.Path == compactPath && c.Method == http.MethodPost:
			return a.compactAll(), false
		case first == "responses" && rest != "":
			return a.kept(rest)
		case first == "conversations":
			return a.converse(rest)
		}
	}
	return nil, false
}

// Items that stand for others hold one of these. What is searched for first
// begins rarely in a text, since every request is searched.
var (
	rareReference, reference   = []byte("_reference"), []byte("item_reference")
	rareCompaction, compacting = []byte("mpaction"), []byte(`"compaction`)
)

// stands reports whether items of a request may stand for others.
func stands(input []byte) bool {
	return bytes.Contains(input, rareReference) && bytes.Contains(input, reference) ||
		bytes.Contains(input, rareCompaction) && bytes.Contains(input, compacting)
}

// proceed puts what the call refers to, and is kept here, into it: the
// conversation before it, items of answers, and what was written down of
// conversations. A call whose client does not wait for the answer is begun.
func (a *answer) proceed() (f *fault.Fault, done bool) {
	in, err := responses.Read(a.c.Body)
	if err != nil {
		return nil, false // whoever reads it next tells it better
	}
	if in.Previous == "" && in.Conversation == "" && !in.Background && !stands(in.Input) {
		return nil, false
	}
	if f := a.gather(&in); f != nil {
		return f, false
	}
	if in.Background && a.c.Op == protocol.Chat && !a.native() {
		return a.later(&in)
	}
	return nil, false
}

// gather makes the call one that has everything in it that it refers to, as far
// as that is kept here.
func (a *answer) gather(in *responses.Turn) *fault.Fault {
	before, f := a.before(in)
	if f != nil {
		return f
	}
	c := *a.c
	if before != nil {
		c.Previous, c.Conversation = in.Previous, in.Conversation
	}
	items, f := a.r.newTurn(&c, in, before)
	switch {
	case f != nil && before == nil && c.compaction == nil:
		return nil // likewise
	case f != nil:
		return f
	}
	items, compacts := responses.Triggers(items)
	items, err := responses.Unpack(a.r.sealer, c.Key, items)
	if err != nil {
		return badCapsule(err)
	}
	if c.compaction != nil || compacts && c.Op == protocol.Chat && !a.native() {
		err = a.compact(&c, items)
	} else {
		if compacts {
			items = responses.Join(items, responses.Trigger)
		}
		err = c.fill(in, items)
	}
	if err != nil {
		return refusalOf(err)
	}
	a.c = &c
	return nil
}

// fill puts items, which are all of its conversation, into c, unless it has
// them already.
func (c *Call) fill(in *responses.Turn, items []byte) (err error) {
	sent, _ := in.Items() // they could be read before
	switch {
	case c.turn.before != nil:
		c.Body, err = responses.Expand(c.Body, items)
	case !bytes.Equal(sent, items):
		c.Body, err = responses.WithInput(c.Body, items)
	default:
		return nil
	}
	c.Lasting = true
	return err
}

// before is the conversation that a request continues, if it is kept here. If
// it may be at an account, that one is to be asked.
func (a *answer) before(in *responses.Turn) (*responses.Thread, *fault.Fault) {
	id := in.Previous
	switch {
	case in.Previous != "" && in.Conversation != "":
		f := fault.New(fault.Malformed, "previous_response_id and conversation cannot be used together")
		f.Code, f.Param = "mutually_exclusive_parameters", "conversation"
		return nil, f
	case in.Conversation != "":
		id = in.Conversation
	case in.Previous == "":
		return nil, nil
	}
	before := a.r.kept.Thread(a.c.Key, id)
	if before != nil {
		if before.Size() > responses.MaxConversation {
			return nil, fault.New(fault.TooLarge, "the conversation before this request has more than the %d MiB that can be continued by its name; begin another", responses.MaxConversation>>20)
		}
		return before, nil
	}
	lacks := forgetful
	if in.Conversation != "" {
		lacks = bare
	}
	return nil, a.afar(id, lacks, unknown(in))
}

// newTurn gives c what is to be kept of it, and returns all items of its
// conversation.
func (r *Relay) newTurn(c *Call, in *responses.Turn, before *responses.Thread) (all []byte, f *fault.Fault) {
	items, err := in.Items()
	if err != nil {
		f = refusalOf(err)
		f.Param = "input"
		return nil, f
	}
	if before != nil {
		if all, err = r.kept.Items(before); err != nil {
			return nil, unknown(in) // the log says why
		}
		items = responses.Fresh(all, items)
	}
	items = r.kept.Resolve(c.Key, items)
	c.turn = &turn{store: r.kept, scope: c.Key, before: before, input: items, keep: in.Store && c.Op == protocol.Chat && r.kept.Keeps()}
	if before != nil && c.Op == protocol.Chat {
		c.turn.conversation = in.Conversation
	}
	return responses.Join(all, items), nil
}

// turned is c with what is kept of it when it is translated.
func (r *Relay) turned(c *Call) *Call {
	if r.kept == nil || c.turn != nil || c.Codec.Name() != protocol.OpenAIResponses {
		return c
	}
	in, err := responses.Read(c.Body)
	if err != nil {
		return c // the translation tells it better
	}
	own := *c
	if _, f := r.newTurn(&own, &in, nil); f != nil {
		return c
	}
	return &own
}

// unknown is the refusal of a request that goes on from what is not there. If
// it is an answer, clients send the whole conversation upon it (spec: upstreams
// §1B.6).
func unknown(in *responses.Turn) *fault.Fault {
	if in.Conversation != "" {
		return missingConversation(in.Conversation)
	}
	f := fault.New(fault.Unsupported, "Previous response with id '%s' not found.", clip(in.Previous, 128))
	f.Code, f.Param = "previous_response_not_found", "previous_response_id"
	return f
}

// What upstreams of the protocol may lack, see provider.Quirks.
type lack func(*provider.Quirks) bool

func forgetful(q *provider.Quirks) bool { return q.Forgetful }
func bare(q *provider.Quirks) bool      { return q.Bare }

// reserve keeps accounts of the client's protocol that lack something from
// being asked, if there are others, which it reports.
func (a *answer) reserve(lacks lack) bool {
	var not []string
	found := false
	models := a.planned().Models
	for _, v := range a.r.pool.Views() {
		switch {
		case v.Disabled || !speaks(v.Account, a.c, models):
		case lacks(provider.QuirksOf(v.By, v.Account.Account)):
			not = append(not, v.Name)
		default:
			found = true
		}
	}
	if found {
		a.never = not
	}
	return found
}

// native reports whether the call can go to an upstream that has all of the
// protocol itself, and then keeps others from being asked.
func (a *answer) native() bool {
	if a.home == "" {
		return a.reserve(bare)
	}
	x, ok := a.r.pool.Find(a.home)
	return ok && !provider.QuirksOf(x.By, x.Account).Bare
}

// observed is the call as the account that it goes to in its client's own form
// makes it: what that does not keep is kept here.
func (a *answer) observed() *Call {
	c, l := a.c, a.try.lease
	if a.form.make != nil || c.Op != protocol.Chat || a.r.kept == nil || c.Codec.Name() != protocol.OpenAIResponses {
		return c
	}
	if provider.QuirksOf(l.Account.By, l.Account.Account).Forgetful {
		c = a.r.turned(c)
		a.try.watch = c.turn != nil && c.turn.keep
	}
	if t := c.turn; t != nil {
		a.try.watch = a.try.watch || t.conversation != ""
		t.watcher = responses.NewWatcher(maxOutput)
	}
	return c
}

// leaveHome lets others serve when the account that has the answer cannot. It
// reports whether there was such an account, and others may have what the call
// wants.
func (a *answer) leaveHome() bool {
	if a.home == "" || a.c.Op == protocol.Other {
		return false
	}
	a.home = ""
	return true
}

// unstored are how a body says that its answer is not to be kept. Within a text
// the quotes would be escaped.
var unstored = [...][]byte{[]byte(`"store":false`), []byte(`"store": false`)}

// settleHome notes which account has the answer that an upstream calls id.
func (a *answer) settleHome(id string) {
	if a.r.homes == nil || id == "" || a.form.make != nil || a.c.Op != protocol.Chat || a.c.Codec.Name() != protocol.OpenAIResponses {
		return
	}
	for _, s := range unstored {
		if bytes.Contains(a.c.Body, s) {
			return
		}
	}
	if l := a.try.lease.Account; !provider.QuirksOf(l.By, l.Account).Forgetful {
		a.r.homes.Put(a.c.Key, id, l.Name)
	}
}

// speaks reports whether an account takes the call, which may be for any of
// models, in its client's own protocol.
func speaks(x *pool.Account, c *Call, models []string) bool {
	return slices.ContainsFunc(models, func(m string) bool {
		return (m == "" || x.Serves(m)) && slices.Contains(x.By.Speaks(x.Account, c.Op, m), c.Codec.Name())
	})
}
