package simulator

import (
	"encoding/json/jsontext"
	"net/http"
	"net/url"
	"strings"

	"portico/internal/jsonedit"
)

// openAIResponses answers in the Responses protocol.
func (s *Simulator) openAIResponses(q *inquiry) (*answer, error) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(q.path, "/responses/"), "/")
	switch {
	case q.path == "/responses":
		return q.only(http.MethodPost, s.respond)
	case q.path == "/responses/input_tokens":
		return q.only(http.MethodPost, s.inputTokens)
	case id == q.path || rest != "" && rest != "input_items":
		return s.openAICommon(q)
	case q.method != http.MethodGet && (q.method != http.MethodDelete || rest != ""):
		return nil, wrongMethod(q)
	}
	return s.remembered(q, id, rest)
}

// respond answers a request for a response.
func (s *Simulator) respond(q *inquiry) (*answer, error) {
	r, a, err := readResponses(q.body, s.shelf.get)
	if err != nil {
		return nil, err
	}
	p, err := plan(a)
	if err != nil {
		return nil, err
	}
	w := newResponsesWriter(s, r, p)
	if r.kept() {
		input := r.Input
		w.done = func(v jsontext.Value) {
			s.shelf.put(w.id, &kept{answer: v, input: inputItems(s, input), tokens: p.usage.Total()})
		}
	}
	if r.Stream {
		return &answer{mime: eventStream, stream: newStream(p, w), mishaps: p.mishaps}, nil
	}
	x := whole(w.finished())
	x.broken, x.mishaps = w.failed, p.mishaps
	return x, nil
}

// inputItems is the input as a list of items that have ids.
func inputItems(s *Simulator, input jsontext.Value) jsontext.Value {
	if input.Kind() == '"' {
		return list(object("id", s.id("msg_"), "type", "message", "status", "completed", "role", "user",
			"content", list(object("type", "input_text", "text", str(input)))))
	}
	var items []jsontext.Value
	for e, err := range jsonedit.Elements(input) {
		if err != nil {
			break
		}
		if e[0] == '{' && len(e) > 2 && jsonedit.Get(e, "id") == nil {
			e = append(append([]byte(`{"id":`), appendString(nil, s.id("item_"))...), append([]byte{','}, e[1:]...)...)
		}
		items = append(items, e)
	}
	return list(items...)
}

// remembered answers about a response of before: itself, its input, or its
// end.
func (s *Simulator) remembered(q *inquiry, id, rest string) (*answer, error) {
	k, ok := s.shelf.get(id)
	values, _ := url.ParseQuery(q.query)
	switch {
	case !ok:
		return nil, missing("Response with id %q not found. The simulator remembers its latest %d responses.", clip(id, maxQuote), shelfEntries)
	case q.method == http.MethodDelete:
		s.shelf.drop(id)
		return whole(object("id", id, "object", "response", "deleted", true)), nil
	case rest == "input_items":
		return whole(itemList(k.input)), nil
	case values.Get("stream") == "true":
		return nil, refuse("stream", "the simulator streams a response only once")
	}
	return whole(k.answer), nil
}

// itemList writes the list of items that OpenAI pages through, on one page.
func itemList(items jsontext.Value) jsontext.Value {
	var first, last any
	for e, err := range jsonedit.Elements(items) {
		if err != nil {
			break
		}
		if last = orNull(str(jsonedit.Get(e, "id"))); first == nil {
			first = last
		}
	}
	return object("object", "list", "data", items, "first_id", first, "last_id", last, "has_more", false)
}

// inputTokens counts a request without answering it.
func (s *Simulator) inputTokens(q *inquiry) (*answer, error) {
	_, a, err := readResponses(q.body, s.shelf.get)
	if err != nil {
		return nil, err
	}
	return whole(object("object", "response.input_tokens", "input_tokens", a.input())), nil
}
