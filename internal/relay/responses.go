package relay

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/responses"
	"portico/internal/sse"
)

// A turn is what is kept of a call whose answer its client may name later, see
// package responses. It belongs to clients of OpenAI's Responses only.
type turn struct {
	store  *responses.Store
	scope  string
	before *responses.Thread
	input  []byte
	keep   bool
}

// resume finds what a call of OpenAI's Responses is about: the answer that it
// continues, or that it asks for. If that is kept here, the call is made one
// that has the whole conversation, or answered at once, which done says. If it
// is at an account, that one is asked.
func (a *answer) resume() (f *fault.Fault, done bool) {
	c := a.c
	if a.r.kept == nil || c.Codec.Name() != protocol.OpenAIResponses {
		return nil, false
	}
	switch c.Op {
	case protocol.Chat, protocol.Count:
		return a.proceed(), false
	case protocol.Other:
		rest, ok := strings.CutPrefix(c.Path, "/responses/")
		if !ok || rest == "compact" {
			return nil, false
		}
		return a.kept(rest)
	}
	return nil, false
}

// proceed puts what the call refers to, and is kept here, into it: the
// conversation before an answer, and items of answers.
func (a *answer) proceed() *fault.Fault {
	named, refers := bytes.Contains(a.c.Body, previousName), responses.Refers(a.c.Body)
	if !named && !refers {
		return nil
	}
	in, err := responses.Read(a.c.Body)
	if err != nil {
		return nil // whoever reads it next tells it better
	}
	r := a.r
	var before *responses.Thread
	if in.Previous != "" {
		home, own := r.homes.Get(a.c.Key, in.Previous)
		before = r.kept.Thread(a.c.Key, in.Previous)
		switch {
		case before != nil:
		case !own:
			return unknownResponse(in.Previous)
		default:
			a.home = home
			return nil
		}
	} else if !refers {
		return nil
	}
	c := *a.c
	c.Previous = in.Previous
	if c.turn, err = r.newTurn(&c, &in, before); err != nil {
		if before == nil {
			return nil
		}
		f := refusalOf(err)
		f.Param = "input"
		return f
	}
	items := c.turn.input
	if before == nil {
		if sent, err := in.Items(); err != nil || bytes.Equal(sent, items) {
			return nil // nothing of it is kept here
		}
	} else {
		items = responses.Join(before.Append(nil), items)
	}
	if c.Body, err = responses.Expand(c.Body, items); err != nil {
		return refusalOf(err)
	}
	a.c = &c
	return nil
}

var previousName = []byte("previous_response_id")

func (r *Relay) newTurn(c *Call, in *responses.Turn, before *responses.Thread) (*turn, error) {
	items, err := in.Items()
	if err != nil {
		return nil, err
	}
	if before != nil {
		items = responses.Fresh(before.Append(nil), items)
	}
	items = r.kept.Resolve(c.Key, items)
	return &turn{store: r.kept, scope: c.Key, before: before, input: items, keep: in.Store && c.Op == protocol.Chat}, nil
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
	if own.turn, err = r.newTurn(c, &in, nil); err != nil {
		return c
	}
	return &own
}

// unknownResponse is the refusal that clients answer by sending the whole
// conversation (spec: upstreams §1B.6).
func unknownResponse(id string) *fault.Fault {
	f := fault.New(fault.Unsupported, "Previous response with id '%s' not found.", clip(id, 128))
	f.Code, f.Param = "previous_response_not_found", "previous_response_id"
	return f
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

// settleHome notes which account has the answer that an upstream calls id.
func (a *answer) settleHome(id string) {
	if a.r.homes != nil && id != "" && a.form.make == nil && a.c.Op == protocol.Chat && a.c.Codec.Name() == protocol.OpenAIResponses {
		a.r.homes.Put(a.c.Key, id, a.try.lease.Account.Name)
	}
}

// kept serves what lies below /responses/: an answer that is kept here, or the
// way to the account that has it.
func (a *answer) kept(rest string) (f *fault.Fault, done bool) {
	id, part, _ := strings.Cut(rest, "/")
	if s, err := url.PathUnescape(id); err == nil {
		id = s
	}
	c, store := a.c, a.r.kept
	object := store.Object(c.Key, id)
	if object == nil {
		home, own := a.r.homes.Get(c.Key, id)
		if !own {
			f = fault.New(fault.NotFound, "Response with id '%s' not found.", clip(id, 128))
			f.Code = "not_found"
			return f, false
		}
		a.home = home
		return nil, false
	}
	q, _ := url.ParseQuery(c.Query)
	body := object
	switch {
	case c.Method == http.MethodDelete && part == "":
		store.Delete(c.Key, id)
		body = append(jsonedit.Quote([]byte(`{"id":`), id), `,"object":"response","deleted":true}`...)
	case c.Method == http.MethodGet && part == "" && q.Get("stream") != "true":
	case c.Method == http.MethodGet && part == "input_items":
		limit, _ := strconv.Atoi(q.Get("limit"))
		t := store.Thread(c.Key, id)
		if t == nil {
			break // it was dropped between
		}
		list, err := responses.List(id, t.Input(), responses.Page{Limit: limit, Ascending: q.Get("order") == "asc", After: q.Get("after")})
		if err != nil {
			return refusalOf(err), false
		}
		body = list
	default:
		f = fault.New(fault.Unsupported, "the response '%s' is kept by the gateway and was not made in the background: it can be retrieved whole, listed and deleted", clip(id, 128))
		return f, false
	}
	h := a.line.w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	return a.deliver(http.StatusOK, body), true
}

// ends are the beginnings of the events that hold a whole answer.
var ends = [...][]byte{[]byte("event: response.completed\n"), []byte("event: response.incomplete\n")}

// watch looks in events that go to the client, whole ones, for the one that
// holds the answer.
func (t *turn) watch(stream []byte) {
	if !t.keep {
		return
	}
	for _, e := range ends {
		if i := bytes.LastIndex(stream, e); i == 0 || i > 0 && stream[i-1] == '\n' {
			t.take(jsonedit.Get(sse.Parse(stream[i:]).Data, "response"))
			return
		}
	}
}

// take keeps the answer.
func (t *turn) take(object []byte) {
	id, ok := jsonedit.Unquote(jsonedit.Get(object, "id"))
	if !t.keep || !ok {
		return
	}
	object = bytes.Clone(object)
	output, err := responses.Elements(jsonedit.Get(object, "output"))
	if err != nil {
		return
	}
	t.store.Put(t.scope, id, responses.Response{Before: t.before, Input: t.input, Output: output, Object: object})
}
