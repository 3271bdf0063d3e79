// Package openaichat is OpenAI's Chat Completions protocol as OpenAI and the
// many vendors who copied it speak it (spec: upstreams §1A, §1F).
package openaichat

import (
	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// A Codec is the protocol. It is stateless and safe for concurrent use.
type Codec struct{}

var (
	_ protocol.Codec      = (*Codec)(nil)
	_ protocol.Lister     = (*Codec)(nil)
	_ protocol.Counter    = (*Codec)(nil)
	_ protocol.Translator = (*Codec)(nil)
)

// New returns the codec.
func New() *Codec { return &Codec{} }

// Name is the protocol's name in the configuration.
func (*Codec) Name() string { return protocol.OpenAIChat }

// sessions are the places that name a conversation, the most exact first.
// OpenRouter takes a session_id; user names a person, who may hold several
// conversations, and comes last.
var sessions = []wire.SessionAt{
	{Name: "prompt_cache_key"}, {Name: "session_id"}, {Name: "metadata", Inner: "session_id"}, {Name: "user", Person: true},
}

// Peek reads model, stream and session.
func (*Codec) Peek(body []byte) (protocol.Peek, error) { return wire.Peek(body, sessions) }

// SetModel replaces every top-level "model". A body without one is an error.
func (*Codec) SetModel(body []byte, model string) ([]byte, error) {
	return wire.SetModel(body, model)
}

// NewTap returns a tap for one answer.
func (*Codec) NewTap() protocol.Tap { return &tap{} }

// DecodeError reads an error body in any envelope that vendors use.
func (*Codec) DecodeError(status int, body []byte) fault.Sign {
	return wire.DecodeError(status, body)
}

// EncodeError writes {"error":{message,type,param,code}}. The request id goes
// in a header in this protocol.
func (*Codec) EncodeError(f *fault.Fault, _ string) (int, []byte) {
	t := openaiwire.Tell(f, "messages")
	return t.Status, t.AppendError(nil)
}

// StreamError appends an error as a data line, as OpenAI sends it. No [DONE]
// follows, which clients would take for success.
func (*Codec) StreamError(dst []byte, f *fault.Fault, _ string) []byte {
	dst = append(dst, "data: "...)
	dst = openaiwire.Tell(f, "messages").AppendError(dst)
	return append(dst, "\n\n"...)
}

// Heartbeat is a comment: clients of this protocol would take any event for a
// chunk (spec: translation-traps X22).
func (*Codec) Heartbeat() []byte { return []byte(": keep-alive\n\n") }

// DecodeModels reads a list of models with what vendors add to it.
func (*Codec) DecodeModels(body []byte) ([]protocol.Model, string, error) {
	return openaiwire.DecodeModels(body)
}

// EncodeModels writes the page of ms that p asks for by Limit and After.
func (*Codec) EncodeModels(ms []protocol.Model, p protocol.Page) []byte {
	return openaiwire.EncodeModels(ms, p)
}

// EncodeModel writes one model.
func (*Codec) EncodeModel(m protocol.Model) []byte { return openaiwire.EncodeModel(m) }
