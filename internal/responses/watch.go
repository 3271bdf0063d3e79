package responses

import "portico/internal/jsonedit"

// A Watcher looks for the answer in the events of a stream.
type Watcher struct {
	items []byte // of the output, as they were told
	most  int
}

// NewWatcher returns a watcher that holds at most most bytes of items, until
// the answer is whole.
func NewWatcher(most int) Watcher { return Watcher{most: most} }

// Event takes the data of one event. Once the answer is whole it returns its
// id, the response, and its output as items with commas between them; ok is
// false before, and for an answer that failed. The response is a part of data.
func (w *Watcher) Event(data []byte) (id string, response, output []byte, ok bool) {
	switch string(jsonedit.Get(data, "type")) {
	case `"response.output_item.done"`:
		if item := jsonedit.Get(data, "item"); len(w.items)+len(item) <= w.most {
			w.items = Join(w.items, item)
		}
	case `"response.completed"`, `"response.incomplete"`:
		response = jsonedit.Get(data, "response")
		id, output, ok = Whole(response)
		if len(output) == 0 { // some upstreams do not repeat it at the end
			output = w.items
		}
		w.items = nil
	}
	return id, response, output, ok
}

// Whole reads a whole response: its id, and its output as items with commas
// between them.
func Whole(response []byte) (id string, output []byte, ok bool) {
	id, _ = jsonedit.Unquote(jsonedit.Get(response, "id"))
	if id == "" || len(id) > MaxID {
		return id, nil, false
	}
	raw := jsonedit.Get(response, "output")
	if len(raw) == 0 || string(raw) == "null" {
		return id, nil, true
	}
	output, err := Elements(raw)
	return id, output, err == nil
}
