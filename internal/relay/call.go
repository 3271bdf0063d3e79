// Package relay carries one request to an upstream and its answer back. It is
// the one path every AI request takes, and the only place that tries again.
//
// Until the first meaningful event of an answer goes to the client, the relay
// may change its mind and try another account. That moment is the commit.
// After it, the relay only carries.
package relay

import (
	"net/http"
	"time"

	"portico/internal/budget"
	"portico/internal/glob"
	"portico/internal/protocol"
)

// A Call is one request as the way in hands it over. It is not changed by the
// relay, and Body is not kept after Do returns, unless it is lasting.
type Call struct {
	Settings *Settings // as they were when the request came in

	ID    string // the gateway's request id, see journal.NewID
	Start time.Time
	Op    protocol.Op
	Codec protocol.Codec // the client's protocol; errors are told in it
	Model string         // the model that the client asks for, "" if the operation has none
	// Stream: the client asked for a stream.
	Stream  bool
	Session string // what identifies the conversation, "" if nothing does
	// Begins is a hash of how the conversation begins, where Session does not
	// tell it from others of its client; else 0.
	Begins uint64

	Method string
	Path   string      // below the protocol's base URL, see provider.Target
	Query  string      // raw, without the client's credential
	Header http.Header // the client's
	Body   []byte
	// Lasting: the memory of Body is used for nothing else afterwards, so
	// that a transport may go on reading it.
	Lasting bool

	Key    string // name of the client key that was shown, "" for none
	Client string // product token of the client's User-Agent, at most 64 bytes
	Peer   string // the client's address without port
	// Meter counts what the client key may use; nil: it has no limit.
	Meter *budget.Meter
	// Strict: the client key takes no losses, whatever its client says.
	Strict bool
	// Prefer are the accounts that the client key prefers to others, none if it
	// has no preference.
	Prefer glob.Set

	// Previous is the answer that the call continues, and Conversation the
	// conversation that it belongs to, "" for none, if what they stand for is
	// in Body already.
	Previous, Conversation string
	// alone: of the several answers that Body asks for, the call is for one.
	alone      bool
	turn       *turn       // what is kept of the call and its answer, nil: nothing
	compaction *compaction // it has a conversation written down, nil: it does not
}
