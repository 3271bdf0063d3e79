// Package anthropic is Anthropic's Messages protocol, as Anthropic, its hosts
// (Bedrock, Vertex, Foundry) and the vendors who copied it speak it (spec:
// upstreams §1C).
package anthropic

import (
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// A Codec is the protocol. It is stateless and safe for concurrent use.
type Codec struct{}

var (
	_ protocol.Translator = (*Codec)(nil)
	_ protocol.Lister     = (*Codec)(nil)
	_ protocol.Counter    = (*Codec)(nil)
)

// New returns the codec.
func New() *Codec { return &Codec{} }

// Name is the protocol's name in the configuration.
func (*Codec) Name() string { return protocol.Anthropic }

// users is the one place where bodies of this protocol name who asks.
var users = []wire.SessionAt{{Name: "metadata", Inner: "user_id", Person: true}}

// Peek reads model, stream and, in metadata.user_id, the session.
func (*Codec) Peek(body []byte) (protocol.Peek, error) {
	p, err := wire.Peek(body, users)
	if id := session(p.Session); id != p.Session {
		p.Session, p.Person, p.Begins = id, false, 0
	}
	return p, err
}

// session finds the conversation in a user_id. Claude Code puts a JSON object
// with a session_id there, and put user_…_account_…_session_… there until
// 2.1 (spec: clients §3.1). Any other user_id names a person, who may hold
// several conversations; that is still better than nothing.
func session(userID string) string {
	if strings.HasPrefix(userID, "{") {
		if id := wire.Text(jsonedit.Get([]byte(userID), "session_id")); id != "" {
			return id
		}
	} else if _, id, ok := strings.Cut(userID, "_session_"); ok && id != "" {
		return id
	}
	return userID
}

// SetModel replaces every top-level "model". A body without one is an error.
func (*Codec) SetModel(body []byte, model string) ([]byte, error) {
	return wire.SetModel(body, model)
}

// NewTap returns a tap for one answer.
func (*Codec) NewTap() protocol.Tap { return &tap{} }

// DecodeError reads an error body in any envelope: hosts and gateways before
// an upstream answer in their own.
func (*Codec) DecodeError(status int, body []byte) fault.Sign {
	return wire.DecodeError(status, body)
}

// EncodeError writes {"type":"error","error":{type,message},"request_id":id}.
func (*Codec) EncodeError(f *fault.Fault, id string) (int, []byte) {
	t := tell(f)
	return t.status, t.append(nil, id)
}

// StreamError appends an error event, after which the stream ends. No
// message_stop follows it.
func (*Codec) StreamError(dst []byte, f *fault.Fault, id string) []byte {
	dst = append(dst, "event: error\ndata: "...)
	dst = tell(f).append(dst, id)
	return append(dst, "\n\n"...)
}

// Heartbeat is the protocol's own ping, which clients expect at any time.
func (*Codec) Heartbeat() []byte { return []byte("event: ping\ndata: {\"type\":\"ping\"}\n\n") }
