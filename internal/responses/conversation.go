package responses

import (
	"strconv"

	"portico/internal/jsonedit"
)

// A conversation is kept like an answer: its object is what its client sees of
// it, and its thread is what was said. It grows when an answer to a request
// that names it is complete.

// Extend adds items, which have commas between them, to the conversation id of
// scope. It reports whether there is one. Items without an id get one that is
// made of by.
func (s *Store) Extend(scope, id, by string, items []byte) bool {
	return s.change(scope, id, func(r *Response) bool {
		r.Input = Identify(items, by)
		return true
	})
}

// Revise puts object in the place of what clients see of the conversation id of
// scope. It reports whether there is one.
func (s *Store) Revise(scope, id string, object []byte) bool {
	return s.change(scope, id, func(r *Response) bool {
		r.Object = object
		return true
	})
}

// Omit takes an item out of the conversation id of scope. It reports whether
// there was one. Answers that were given before are not changed.
func (s *Store) Omit(scope, id, item string) bool {
	return s.change(scope, id, func(r *Response) bool {
		items, err := s.Items(r.Before)
		if err != nil {
			return false
		}
		found := false
		for e := range each(items) {
			if idOf(e) == item {
				found = true
				continue
			}
			r.Input = Join(r.Input, e)
		}
		r.Before = nil
		return found
	})
}

// change puts what f makes of a conversation in its place. f is given one that
// stays as it is.
func (s *Store) change(scope, id string, f func(*Response) bool) bool {
	s.changing.Lock()
	defer s.changing.Unlock()
	r := Response{Before: s.Thread(scope, id), Object: s.Object(scope, id)}
	if r.Before == nil || r.Object == nil || !f(&r) {
		return false
	}
	s.Put(scope, id, r)
	return true
}

// Item is one of items, which have commas between them, as OpenAI shows it; nil
// if there is none of that id.
func Item(items []byte, id string) []byte {
	for e := range each(items) {
		if idOf(e) == id {
			return told(e, id)
		}
	}
	return nil
}

// prefixes are how OpenAI's ids begin by the type of an item; others begin with
// "item".
var prefixes = map[string]string{
	"": "msg", "message": "msg", "reasoning": "rs", "function_call": "fc", "function_call_output": "fco",
	"custom_tool_call": "ctc", "custom_tool_call_output": "ctco", "compaction": "cmp",
}

// Identify gives those of items, which have commas between them, an id that
// have none. It is made of by and the place of the item.
func Identify(items []byte, by string) []byte {
	var dst []byte
	n := 0
	for e := range each(items) {
		if idOf(e) == "" && len(e) > 0 && e[0] == '{' {
			prefix := prefixes[kindOf(e)]
			if prefix == "" {
				prefix = "item"
			}
			if with, err := jsonedit.Set(e, "id", jsonedit.Quote(nil, prefix+"_"+by+"_"+strconv.Itoa(n))); err == nil {
				e = with
			}
		}
		dst = Join(dst, e)
		n++
	}
	return dst
}
