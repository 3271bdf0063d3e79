// Package wire is what the wire protocols have in common, whoever made them:
// the heads of request bodies, error envelopes of any vendor, the texts that
// count as tokens, and what a JSON value carries.
//
// Everything here reads by scanning (package jsonedit), tolerates what vendors
// add or leave out, and judges nothing: what an error means is for the rules of
// a provider.
package wire

import (
	"errors"
	"unicode/utf8"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
)

// MaxSession is the longest session name that is read from a body, in bytes of
// its JSON string. A longer one is no name.
const MaxSession = 1024

// MaxModels is how many entries of one page are read; the largest catalogue
// known, OpenRouter's, has under a thousand.
const MaxModels = 10_000

var (
	// ErrUTF8 is returned for a request body that is not UTF-8.
	ErrUTF8 = errors.New("the body is not valid UTF-8")
	// ErrModelType is returned if "model" is not a string.
	ErrModelType = errors.New(`"model" must be a string`)
	// ErrStreamType is returned if "stream" is not a boolean.
	ErrStreamType = errors.New(`"stream" must be true or false`)
	// ErrNoModel is returned by SetModel for a body that names no model.
	ErrNoModel = errors.New(`the body has no "model"`)
	// ErrNoList is returned for a body that is no list of models.
	ErrNoList = errors.New("the answer is no list of models")
)

// A SessionAt is a place where clients name their conversation: the top-level
// member Name if that is a string, or its member Inner if it is an object.
// Person: it names who asks, who may hold several conversations.
type SessionAt struct {
	Name, Inner string
	Person      bool
}

// Peek reads the head of a request body in one pass. Of at, at most 8 places,
// the first that holds a name gives the session.
func Peek(body []byte, at []SessionAt) (protocol.Peek, error) {
	if !utf8.Valid(body) {
		return protocol.Peek{}, ErrUTF8
	}
	var model, stream []byte
	var found [8][]byte
	var h Head
	for m, err := range jsonedit.Members(body) {
		switch {
		case err != nil:
			return protocol.Peek{}, err
		case m.Is("model"):
			model = m.Value
		case m.Is("stream"):
			stream = m.Value
		default:
			h.Take(&m)
			for i := range at {
				if m.Is(at[i].Name) {
					found[i] = m.Value
				}
			}
		}
	}
	var p protocol.Peek
	if !Null(model) {
		s, ok := jsonedit.Unquote(model)
		if !ok {
			return protocol.Peek{}, ErrModelType
		}
		p.Model = s
	}
	switch {
	case string(stream) == "true":
		p.Stream = true
	case !Null(stream) && string(stream) != "false":
		return protocol.Peek{}, ErrStreamType
	}
	for i := range at {
		v := found[i]
		if len(v) > 0 && v[0] == '{' && at[i].Inner != "" {
			v = jsonedit.Get(v, at[i].Inner)
		}
		if len(v) <= MaxSession {
			if s, ok := jsonedit.Unquote(v); ok && s != "" {
				p.Session, p.Person = s, at[i].Person
				break
			}
		}
	}
	if p.Session == "" || p.Person {
		p.Begins = h.Hash()
	}
	return p, nil
}

// SetModel returns a copy of body in which every top-level "model" is model.
func SetModel(body []byte, model string) ([]byte, error) {
	out, n, err := jsonedit.Replace(body, "model", jsonedit.Quote(nil, model))
	if err == nil && n == 0 {
		err = ErrNoModel
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}
