package responses

import (
	"bytes"
	"errors"

	"portico/internal/jsonedit"
)

// A Turn is what of a request matters for the conversation it belongs to. Its
// bytes lie in the request's body.
type Turn struct {
	Previous     string // the answer that it continues, "" for none
	Conversation string // the conversation that it belongs to, "" for none
	Store        bool   // its answer may be kept; the protocol's default
	Background   bool   // its client does not wait for the answer
	Stream       bool
	Input        []byte // "input" as it stands in the body, nil for none
}

var errInput = errors.New("input must be a string or an array of items")

// Read reads the body of a request. Where a member is repeated the last counts.
func Read(body []byte) (Turn, error) {
	t := Turn{Store: true}
	for m, err := range jsonedit.Members(body) {
		switch {
		case err != nil:
			return t, err
		case m.Is("previous_response_id"):
			t.Previous, _ = jsonedit.Unquote(m.Value)
		case m.Is("conversation"):
			t.Conversation = named(m.Value)
		case m.Is("store"):
			t.Store = string(m.Value) != "false"
		case m.Is("background"):
			t.Background = string(m.Value) == "true"
		case m.Is("stream"):
			t.Stream = string(m.Value) == "true"
		case m.Is("input"):
			t.Input = m.Value
		}
	}
	return t, nil
}

// named is the id of a conversation, which is named by it or by an object that
// has it.
func named(v []byte) string {
	if len(v) > 0 && v[0] == '{' {
		v = jsonedit.Get(v, "id")
	}
	id, _ := jsonedit.Unquote(v)
	return id
}

// Items are the items of the input, with commas between them and in bytes of
// their own. A string is a message of the user.
func (t *Turn) Items() ([]byte, error) {
	v := bytes.TrimSpace(t.Input)
	switch {
	case len(v) == 0, string(v) == "null":
		return nil, nil
	case v[0] == '"':
		dst := append([]byte(`{"type":"message","role":"user","content":[{"type":"input_text","text":`), v...)
		return append(dst, "}]}"...), nil
	case v[0] != '[':
		return nil, errInput
	}
	return Elements(v)
}

// Elements are the elements of the JSON array v with commas between them.
func Elements(v []byte) ([]byte, error) {
	dst := make([]byte, 0, len(v))
	for e, err := range jsonedit.Elements(v) {
		if err != nil {
			return nil, err
		}
		dst = Join(dst, e)
	}
	return dst, nil
}

// WithInput is body with items, which have commas between them, as its input.
func WithInput(body, items []byte) ([]byte, error) {
	list := append(append(make([]byte, 0, len(items)+2), '['), items...)
	return jsonedit.Set(body, "input", append(list, ']'))
}

// Expand is body with items, which have commas between them, as its input and
// without the names of what was before it and the members that drop names.
func Expand(body, items []byte, drop ...string) ([]byte, error) {
	dst := append(make([]byte, 0, len(body)+len(items)+64), `{"input":[`...)
	dst = append(append(dst, items...), ']')
next:
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return nil, err
		}
		if m.Is("input") || m.Is("previous_response_id") || m.Is("conversation") {
			continue
		}
		for _, name := range drop {
			if m.Is(name) {
				continue next
			}
		}
		dst = append(append(append(dst, `,"`...), m.Name...), `":`...)
		dst = append(dst, m.Value...)
	}
	return append(dst, '}'), nil
}
