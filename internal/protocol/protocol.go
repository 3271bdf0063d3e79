// Package protocol is the contract of a wire protocol: how the gateway reads
// one vendor's bytes and speaks them.
//
// A codec is pure. It knows bytes, and neither accounts, nor hosts, nor
// clocks, nor on which side of the gateway it stands.
package protocol

import (
	"time"

	"portico/internal/fault"
	"portico/internal/llm"
)

// The names of the wire protocols, as the configuration spells them.
const (
	OpenAIChat      = "openai-chat"
	OpenAIResponses = "openai-responses"
	Anthropic       = "anthropic"
	Gemini          = "gemini"
	// BedrockConverse is spoken by upstreams only.
	BedrockConverse = "bedrock-converse"
)

// An Op is what the client asks for.
type Op uint8

// The operations. Other is everything that is carried to an account of the
// protocol's family as it is (files, batches, images, audio, moderations, …).
const (
	Other    Op = iota
	Chat        // a conversation's next turn
	Complete    // OpenAI's legacy text completion
	Count       // how many tokens a conversation has
	Embed       // a vector for a text

	// Two more say how an upstream may be asked for pictures. To the client
	// both are Other.
	Images // in OpenAI's API for them
	Draw   // of models that draw in a conversation
)

// Served is the operation as which an upstream sees o.
func (o Op) Served() Op {
	switch o {
	case Images:
		return Other
	case Draw:
		return Chat
	}
	return o
}

var opNames = [...]string{"other", "chat", "complete", "count", "embed", "images", "draw"}

// String is the operation as the ledger spells it.
func (o Op) String() string { return opNames[min(int(o), len(opNames)-1)] }

// A Peek is what can be told of a request's body without decoding it whole.
type Peek struct {
	Model   string // "" if the body names none
	Stream  bool
	Session string // stable over one conversation as the client names it in the body, or ""
	Person  bool   // Session names a person, who may hold several conversations
	// Begins is a hash that is the same for all turns of one conversation,
	// made of its instructions and its first turn; 0 if Session names one, or
	// there are none.
	Begins uint64
}

// A Codec is one wire protocol.
type Codec interface {
	// Name is one of the protocol names above.
	Name() string

	// Peek reads the members of a request body that routing needs, in one
	// pass. Where a member is repeated the last one counts, as upstreams do
	// it. A body that is not a JSON object, that is nested deeper than 512
	// or is not UTF-8 is an error whose text may be shown to the client.
	Peek(body []byte) (Peek, error)

	// SetModel returns body with the model name replaced at every place that
	// names it, all other bytes unchanged. It never writes into body. In a
	// protocol whose body holds no model it returns body.
	SetModel(body []byte, model string) ([]byte, error)

	// NewTap returns a tap for one answer.
	NewTap() Tap

	// DecodeError reads an error body. A body that is none of the
	// protocol's (HTML, empty, another vendor's JSON) gives a Sign with what
	// could be found, at least the Status.
	DecodeError(status int, body []byte) fault.Sign

	// EncodeError writes f as the protocol's own error answer: the status
	// and the JSON body. id is the gateway's request id.
	EncodeError(f *fault.Fault, id string) (status int, body []byte)

	// StreamError appends to dst what tells a client in the middle of a
	// stream that the answer broke off: the protocol's own error event,
	// framed, never followed by a mark of success.
	StreamError(dst []byte, f *fault.Fault, id string) []byte

	// Heartbeat is a framed event (or comment) that keeps a silent stream
	// alive for this protocol's clients.
	Heartbeat() []byte
}

// A Mark says what a frame means for the one who carries it.
type Mark uint8

// The marks; they may be combined.
const (
	// Meaningful: the frame carries something of the answer, so the gateway
	// must now decide for this upstream. Roles, pings and "created" events
	// are not meaningful.
	Meaningful Mark = 1 << iota
	// Final: after this frame the client may regard the answer as whole, so
	// it must be in the journal before it is sent.
	Final
	// Failed: the frame is an error; Seen().Error says which.
	Failed
)

// A Tap watches one answer go by and takes nothing from it. It is used by one
// goroutine.
type Tap interface {
	// Frame reads one event of a stream: its name (may be nil) and data. The
	// slices are only valid during the call.
	Frame(event, data []byte) Mark

	// Body reads a whole, unstreamed answer with a 2xx status. Failed means
	// that it is an error or no answer of this protocol at all.
	Body(body []byte) Mark

	// Seen is what was learned so far. The pointer stays the same.
	Seen() *Seen
}

// Seen is what a tap learned of an answer.
type Seen struct {
	ID, Model string // as the upstream names them
	Stop      string // the upstream's own finish reason, "" if none came
	Usage     llm.Usage
	HasUsage  bool
	Finished  bool        // every part of the answer came to its end
	Error     *fault.Sign // an error inside a 200, or nil
	OutBytes  int64       // text, reasoning and tool arguments seen, for an estimate if usage never comes
}

// Fail notes an error inside an answer, which is then not whole. what, "" for
// nothing, stands before the error's own message.
func (s *Seen) Fail(what string, sign fault.Sign) Mark {
	if sign.Message == "" {
		sign.Message = "the upstream reported an error without a message"
	}
	sign.Message = what + sign.Message
	s.Error, s.Finished = &sign, false
	return Failed
}

// A Model is one entry of a model list.
type Model struct {
	ID          string    `json:"id"`
	DisplayName string    `json:"display_name,omitzero"`
	OwnedBy     string    `json:"owned_by,omitzero"`
	Created     time.Time `json:"created,omitzero"`
	Context     int64     `json:"context,omitzero"`    // tokens a request may hold, 0: unknown
	MaxOutput   int64     `json:"max_output,omitzero"` // tokens an answer may hold, 0: unknown
	Methods     []string  `json:"methods,omitzero"`    // Gemini's supportedGenerationMethods, as sent
}

// A Page asks for one page of a model list.
type Page struct {
	Limit         int    // 0: the protocol's default
	After, Before string // Anthropic's after_id, before_id
	Token         string // Gemini's pageToken
}

// A Lister is a codec that can read and write lists of models.
type Lister interface {
	// DecodeModels reads one page; next is what asks for the page after it
	// (a query string without "?"), or "".
	DecodeModels(body []byte) (ms []Model, next string, err error)
	// EncodeModels writes the page of ms that p asks for. ms is sorted.
	EncodeModels(ms []Model, p Page) []byte
	// EncodeModel writes one model.
	EncodeModel(m Model) []byte
}

// A Counter is a codec that can answer a token count itself.
type Counter interface {
	// CountText appends to dst every text of a count request (or of the
	// request itself) that costs tokens: instructions, messages, tool
	// definitions, calls and results; media is how many images, documents
	// and sounds it holds.
	CountText(dst []byte, body []byte) (text []byte, media int, err error)
	// EncodeCount writes the answer to a count request.
	EncodeCount(tokens int64) []byte
}

// A Counted is a codec whose upstreams can count the tokens of a conversation.
type Counted interface {
	// AskCount makes of a request for an answer, which the codec wrote, one for
	// its count, and says where that goes, below the upstream's base URL.
	AskCount(body []byte, model string) (path string, count []byte)
	// ReadCount reads what the upstream counted.
	ReadCount(body []byte) (tokens int64, ok bool)
}
