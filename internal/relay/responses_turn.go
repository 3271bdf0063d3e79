package relay

import (
	"bytes"

	"portico/internal/jsonedit"
	"portico/internal/responses"
	"portico/internal/sse"
)

// A turn is what is kept of a call whose answer its client may name later, see
// package responses. It belongs to clients of OpenAI's Responses only.
type turn struct {
	store        *responses.Store
	scope        string
	before       *responses.Thread
	input        []byte
	keep         bool              // the answer is
	conversation string            // that it is added to, "" for none
	watcher      responses.Watcher // of a stream that is carried as it is
}

// idle reports whether nothing is to be done once the answer is there.
func (t *turn) idle() bool { return !t.keep && t.conversation == "" }

// ends are the beginnings of the events that hold a whole answer.
var ends = [...][]byte{[]byte("event: response.completed\n"), []byte("event: response.incomplete\n")}

// watch looks in events that go to the client, whole ones, for the one that
// holds the answer.
func (t *turn) watch(stream []byte) {
	if t.idle() {
		return
	}
	for _, e := range ends {
		if i := bytes.LastIndex(stream, e); i == 0 || i > 0 && stream[i-1] == '\n' {
			t.take(jsonedit.Get(sse.Parse(stream[i:]).Data, "response"))
			return
		}
	}
}

// event looks at an event of a stream that is carried as it is.
func (t *turn) event(data []byte) {
	if id, object, output, ok := t.watcher.Event(data); ok {
		t.settle(id, object, output)
	}
}

// take keeps a whole answer.
func (t *turn) take(object []byte) {
	if t.idle() {
		return
	}
	if id, output, ok := responses.Whole(object); ok {
		t.settle(id, object, output)
	}
}

// settle keeps the answer id, whose output is given as items, too.
func (t *turn) settle(id string, object, output []byte) {
	if t.keep {
		t.store.Put(t.scope, id, responses.Response{Before: t.before, Input: t.input, Output: output, Object: object})
	}
	if t.conversation != "" {
		t.store.Extend(t.scope, t.conversation, id, responses.Join(responses.Join(nil, t.input), output))
	}
}
