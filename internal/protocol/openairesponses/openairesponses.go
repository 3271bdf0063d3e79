// Package openairesponses is OpenAI's Responses protocol (spec: upstreams §1B).
package openairesponses

import (
	"portico/internal/fault"
	"portico/internal/jsonedit"
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
func (*Codec) Name() string { return protocol.OpenAIResponses }

// sessions are the places that name a conversation, the most exact first.
// Codex names its session in prompt_cache_key and client_metadata. The id of
// the response before changes with every turn and is the last resort.
var sessions = []wire.SessionAt{
	{Name: "prompt_cache_key"},
	{Name: "conversation", Inner: "id"},
	{Name: "client_metadata", Inner: "session_id"},
	{Name: "metadata", Inner: "session_id"},
	{Name: "previous_response_id"},
}

// Peek reads model, stream and session.
func (*Codec) Peek(body []byte) (protocol.Peek, error) { return wire.Peek(body, sessions) }

// SetModel replaces every top-level "model". A body without one, which names a
// stored prompt that holds the model, is an error.
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
	t := openaiwire.Tell(f, "input")
	return t.Status, t.AppendError(nil)
}

// lastNumber is the sequence_number of an event that ends a broken stream.
// Numbers must rise; how far the upstream's had come is not known here, and
// this one, the largest that fits every client's integer, is above them all.
const lastNumber = "2147483647"

// StreamError appends response.failed with a response that has every member
// clients read (spec: clients §4). Unlike an event "error" it makes Codex try
// again. id, the gateway's, makes the response's id; the time is not known to
// a codec, so created_at is 0.
func (*Codec) StreamError(dst []byte, f *fault.Fault, id string) []byte {
	t := openaiwire.Tell(f, "input")
	if id != "" {
		id = "resp_" + id
	}
	dst = append(dst, `event: response.failed
data: {"type":"response.failed","sequence_number":`+lastNumber+`,"response":{"id":`...)
	dst = jsonedit.Quote(dst, id)
	dst = append(dst, `,"object":"response","created_at":0,"status":"failed","error":{"code":`...)
	dst = jsonedit.Quote(dst, t.Code)
	dst = append(dst, `,"message":`...)
	dst = jsonedit.Quote(dst, t.Message)
	return append(dst, `},"incomplete_details":null,"instructions":null,"metadata":{},"model":"","output":[],`+
		`"parallel_tool_calls":true,"previous_response_id":null,"temperature":null,"tool_choice":"auto","tools":[],`+
		`"top_p":null,"usage":null}}`+"\n\n"...)
}

// Heartbeat is a comment: clients of this protocol would take any event for
// one of the answer's (spec: translation-traps X22).
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
