package relay

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/responses"
)

// kept serves what lies below /responses/: an answer that is kept here, or the
// way to the account that has it.
func (a *answer) kept(rest string) (f *fault.Fault, done bool) {
	id, part := divide(rest)
	c, store := a.c, a.r.kept
	object := store.Object(c.Key, id)
	job := a.r.jobs.Find(c.Key, id)
	switch {
	case job != nil:
		object = job.Object()
	case object == nil:
		return a.afar(id, forgetful, missingResponse(id)), false
	case responses.Pending(object):
		object = responses.Lost(object)
	}
	q, _ := url.ParseQuery(c.Query)
	switch c.Method + " " + part {
	case "DELETE ":
		a.r.jobs.Drop(c.Key, id, errUnwanted)
		store.Delete(c.Key, id)
		return a.say(deleted(id, "response")), true
	case "GET ":
		if q.Get("stream") == "true" {
			return a.replay(job, id, q)
		}
		return a.say(object), true
	case "GET input_items":
		t := store.Thread(c.Key, id)
		if t == nil {
			return missingResponse(id), false // it was dropped between
		}
		items, err := store.Input(t)
		if err != nil {
			return missingResponse(id), false
		}
		return a.list(id, items, q)
	case "POST cancel":
		switch {
		case job != nil:
			object = job.Cancel(errUnwanted)
		case string(jsonedit.Get(object, "background")) != "true":
			f = fault.New(fault.Unsupported, "the response '%s' was not made in the background, so that it cannot be cancelled", clip(id, 128))
			return f, false
		}
		return a.say(object), true
	}
	return fault.New(fault.NotFound, "a response that the gateway keeps has no %s %s", c.Method, clip(part, 64)), false
}

// errUnwanted ends the work on an answer whose client wants it no more.
var errUnwanted = fault.New(fault.Canceled, "the client cancelled the response")

// divide cuts what lies below a collection into the id of one thing in it,
// unescaped, and what of that is meant.
func divide(rest string) (id, part string) {
	id, part, _ = strings.Cut(rest, "/")
	return unescaped(id), part
}

func unescaped(id string) string {
	if s, err := url.PathUnescape(id); err == nil {
		return s
	}
	return id
}

// afar finds who has what is not kept here, or returns missing if nobody can
// have it whom the client may ask.
func (a *answer) afar(id string, lacks lack, missing *fault.Fault) *fault.Fault {
	home, own := a.r.homes.Get(a.c.Key, id)
	if !own || home == "" && !a.reserve(lacks) {
		return missing
	}
	a.home = home
	return nil
}

func missingResponse(id string) *fault.Fault {
	f := fault.New(fault.NotFound, "Response with id '%s' not found.", clip(id, 128))
	f.Code = "not_found"
	return f
}

// deleted says that something is gone.
func deleted(id, object string) []byte {
	return append(jsonedit.Quote([]byte(`{"id":`), id), `,"object":"`+object+`","deleted":true}`...)
}

// list answers with a page of items, which have commas between them.
func (a *answer) list(id string, items []byte, q url.Values) (f *fault.Fault, done bool) {
	limit, _ := strconv.Atoi(q.Get("limit"))
	page, err := responses.List(id, items, responses.Page{Limit: limit, Ascending: q.Get("order") == "asc", After: q.Get("after")})
	if err != nil {
		return refusalOf(err), false
	}
	return a.say(page), true
}

// say answers with a body of the gateway's own.
func (a *answer) say(body []byte) *fault.Fault {
	h := a.line.w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	return a.deliver(http.StatusOK, body)
}

// replay tells the events of an answer that is made in the background, from the
// one after starting_after on.
func (a *answer) replay(job *responses.Job, id string, q url.Values) (f *fault.Fault, done bool) {
	if job == nil {
		f = fault.New(fault.Unsupported, "the response '%s' can be retrieved whole and not as a stream: it was not made in the background, or has been complete for a while", clip(id, 128))
		f.Param = "stream"
		return f, false
	}
	from := 0
	if s := q.Get("starting_after"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			f = fault.New(fault.Malformed, "starting_after must be the number of an event")
			f.Param = "starting_after"
			return f, false
		}
		from = n + 1
	}
	return a.follow(job, from), true
}

// follow tells the events of job from number n on, as they come. A client that
// leaves leaves the work as it is.
func (a *answer) follow(job *responses.Job, n int) *fault.Fault {
	for {
		events, end, ok := job.Next(a.ctx, n)
		if !ok {
			return fault.New(fault.Unsupported, "the response has become too large to be told as a stream; retrieve it whole")
		}
		if a.ctx.Err() != nil {
			return a.gone()
		}
		if !a.line.committed {
			a.open(http.StatusOK, nil)
		}
		var dst []byte
		for _, e := range events {
			dst = append(dst, e...)
		}
		n += len(events)
		if end {
			a.record(len(dst), false)
		}
		if err := a.write(dst, false, true); err != nil {
			return closed(err)
		}
		if end {
			return nil
		}
	}
}
