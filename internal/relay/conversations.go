package relay

import (
	"net/http"
	"net/url"
	"strconv"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/responses"
)

const (
	// maxItems is how many items a client may add to a conversation at once,
	// as at OpenAI.
	maxItems = 20
	// maxMetadata bounds the metadata of a conversation, in bytes: OpenAI
	// takes 16 pairs of 64 and 512 characters.
	maxMetadata = 16 << 10
)

// converse serves /conversations and what lies below it: a conversation that is
// kept here, or the way to the account that has it.
func (a *answer) converse(rest string) (f *fault.Fault, done bool) {
	if rest == "" {
		if a.c.Method != http.MethodPost {
			return fault.New(fault.NotFound, "conversations cannot be listed"), false
		}
		if a.native() {
			return nil, false
		}
		return a.newConversation()
	}
	id, part := divide(rest)
	store, c := a.r.kept, a.c
	object := store.Object(c.Key, id)
	if object == nil {
		return a.afar(id, bare, missingConversation(id)), false
	}
	part, item := divideLast(part)
	q, _ := url.ParseQuery(c.Query)
	switch c.Method + " " + part {
	case "GET ":
		return a.say(object), true
	case "POST ":
		return a.revise(id, object)
	case "DELETE ":
		store.Delete(c.Key, id)
		return a.say(deleted(id, "conversation.deleted")), true
	case "POST items":
		return a.extend(id)
	case "GET items", "GET item":
		t := store.Thread(c.Key, id)
		if t == nil {
			return missingConversation(id), false // it was dropped between
		}
		items, err := store.Items(t)
		if err != nil {
			return missingConversation(id), false
		}
		if part == "items" {
			return a.list(id, items, q)
		}
		if one := responses.Item(items, item); one != nil {
			return a.say(one), true
		}
		return missingItem(item), false
	case "DELETE item":
		if !store.Omit(c.Key, id, item) {
			return missingItem(item), false
		}
		return a.say(object), true
	}
	return fault.New(fault.NotFound, "a conversation has no %s %s", c.Method, clip(part, 64)), false
}

// divideLast tells the items of a conversation from one of them.
func divideLast(part string) (what, item string) {
	id, rest := divide(part)
	if id == "items" && rest != "" {
		return "item", unescaped(rest)
	}
	return part, ""
}

func missingConversation(id string) *fault.Fault {
	f := fault.New(fault.NotFound, "Conversation with id '%s' not found.", clip(id, 128))
	f.Code, f.Param = "not_found", "conversation"
	return f
}

func missingItem(id string) *fault.Fault {
	f := fault.New(fault.NotFound, "Item with id '%s' not found.", clip(id, 128))
	f.Code = "not_found"
	return f
}

// itemsOf reads the items that a client adds to a conversation.
func (a *answer) itemsOf() ([]byte, *fault.Fault) {
	refuse := func(format string, args ...any) ([]byte, *fault.Fault) {
		f := fault.New(fault.Malformed, format, args...)
		f.Param = "items"
		return nil, f
	}
	raw := jsonedit.Get(a.c.Body, "items")
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	n := 0
	for e, err := range jsonedit.Elements(raw) {
		switch n++; {
		case err != nil:
			return refuse("items: %s", err)
		case len(e) == 0 || e[0] != '{':
			return refuse("items must be objects")
		case n > maxItems:
			return refuse("at most %d items can be added at once", maxItems)
		}
	}
	items, err := responses.Elements(raw)
	if err != nil {
		return refuse("items: %s", err)
	}
	return responses.Identify(items, a.c.ID), nil
}

func (a *answer) newConversation() (f *fault.Fault, done bool) {
	if len(a.c.Body) > 0 && a.c.Body[0] != '{' {
		return fault.New(fault.Malformed, "%s", jsonedit.ErrNotObject), false
	}
	items, f := a.itemsOf()
	if f != nil {
		return f, false
	}
	if !a.r.kept.Keeps() {
		return fault.New(fault.Unsupported, "this gateway keeps no conversations (responses.rows is 0), and no account has them itself"), false
	}
	id := "conv_" + a.c.ID
	object := jsonedit.Quote([]byte(`{"id":`), id)
	object = strconv.AppendInt(append(object, `,"object":"conversation","created_at":`...), a.c.Start.Unix(), 10)
	object, f = describe(append(object, `,"metadata":{}}`...), a.c.Body)
	if f != nil {
		return f, false
	}
	a.r.kept.Put(a.c.Key, id, responses.Response{Input: items, Object: object})
	return a.say(object), true
}

// describe is a conversation with the metadata that body has for it.
func describe(object, body []byte) ([]byte, *fault.Fault) {
	v := jsonedit.Get(body, "metadata")
	if len(v) == 0 || string(v) == "null" {
		return object, nil
	}
	own, err := jsonedit.Set(object, "metadata", v)
	if err != nil || v[0] != '{' || len(v) > maxMetadata {
		f := fault.New(fault.Malformed, "metadata must be an object of at most %d bytes", maxMetadata)
		f.Param = "metadata"
		return nil, f
	}
	return own, nil
}

func (a *answer) revise(id string, object []byte) (f *fault.Fault, done bool) {
	object, f = describe(object, a.c.Body)
	if f != nil {
		return f, false
	}
	if !a.r.kept.Revise(a.c.Key, id, object) {
		return missingConversation(id), false
	}
	return a.say(object), true
}

func (a *answer) extend(id string) (f *fault.Fault, done bool) {
	items, f := a.itemsOf()
	if f != nil {
		return f, false
	}
	if !a.r.kept.Extend(a.c.Key, id, a.c.ID, items) {
		return missingConversation(id), false
	}
	return a.list(id, items, url.Values{"order": {"asc"}, "limit": {strconv.Itoa(maxItems)}})
}

// learn reads the beginning of the answer to a request for a new conversation,
// and notes which account has it.
func (a *answer) learn(resp *http.Response) (head []byte) {
	c := a.c
	if c.Path != "/conversations" || c.Method != http.MethodPost || a.r.homes == nil || c.Codec.Name() != protocol.OpenAIResponses || encoded(resp.Header) {
		return nil
	}
	head, err := a.read(nil, resp.Body, resp.ContentLength, 2*maxMetadata)
	if err != nil {
		return head // what is wrong with it is found by who reads on
	}
	if id, ok := jsonedit.Unquote(jsonedit.Get(head, "id")); ok {
		a.r.homes.Put(c.Key, id, a.try.lease.Account.Name)
	}
	return head
}
