package responses

import (
	"bytes"
	"strings"

	"portico/internal/jsonedit"
)

var reference = []byte(`item_reference`)

// Refers reports whether a body or a list of items may hold references to
// items that are kept elsewhere.
func Refers(v []byte) bool { return bytes.Contains(v, reference) }

// Resolve puts items that are kept for scope in the place of references to
// them: with store, Vercel's AI SDK repeats no item that it had from an answer.
// What is not kept here stays as it is.
func (s *Store) Resolve(scope string, items []byte) []byte {
	if !Refers(items) {
		return items
	}
	var dst []byte
	for e := range each(items) {
		if kindOf(e) == "item_reference" {
			if item := s.item(scope, idOf(e)); item != nil {
				e = item
			}
		}
		dst = Join(dst, e)
	}
	return dst
}

// item is an item of an answer that is kept, or nil. Its id is made of the
// answer's and its number: rs_X_0 is of resp_X.
func (s *Store) item(scope, id string) []byte {
	_, rest, _ := strings.Cut(id, "_")
	answer, _, ok := strings.CutLast(rest, "_")
	if !ok {
		return nil
	}
	t := s.Thread(scope, "resp_"+answer)
	if t == nil {
		return nil
	}
	for e := range each(s.output(t)) {
		if idOf(e) == id {
			return e
		}
	}
	return nil
}

// Fresh is what of items the conversation t, whose items are before, does not
// hold yet. A client that names an answer and sends the conversation all the
// same would double it (spec: translation-traps E14, E22). Items are the same
// if they have the same id, calls and their results also by the call's.
func Fresh(before, items []byte) []byte {
	held := map[string]bool{}
	for e := range each(before) {
		for _, name := range names(e) {
			held[name] = true
		}
	}
	var dst []byte
next:
	for e := range each(items) {
		for _, name := range names(e) {
			if held[name] {
				continue next
			}
		}
		dst = Join(dst, e)
	}
	return dst
}

// names are by what an item is known.
func names(item []byte) (out []string) {
	if id := idOf(item); id != "" {
		out = append(out, id)
	}
	if call, _ := jsonedit.Unquote(jsonedit.Get(item, "call_id")); call != "" {
		out = append(out, kindOf(item)+"\x00"+call)
	}
	return out
}

func kindOf(item []byte) string {
	s, _ := jsonedit.Unquote(jsonedit.Get(item, "type"))
	return s
}

// each yields items that have commas between them.
func each(items []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for e, err := range jsonedit.Elements(append(append(append(make([]byte, 0, len(items)+2), '['), items...), ']')) {
			if err != nil || !yield(e) {
				return
			}
		}
	}
}
