package protocol

import (
	"portico/internal/fault"
	"portico/internal/llm"
)

// An Asker is a codec in which an upstream is asked for what was said in the
// neutral language, and its answer is read. Translation is a pure function: no
// clock, no chance, no map order; the same request gives the same bytes, so
// that the upstream's prompt cache finds what it knows.
type Asker interface {
	Codec

	// EncodeRequest appends to dst the request for an upstream. r is not
	// changed. What has no seat in this protocol is told in the losses, but
	// for foreign Extras, which llm.Foreign tells. The error is a
	// *fault.Fault of class Unsupported for what cannot be asked at all.
	EncodeRequest(dst []byte, r *llm.Request, fit *Fit) ([]byte, []llm.Loss, error)

	// DecodeResponse reads an upstream's whole answer, which a Tap has found
	// sound.
	DecodeResponse(body []byte) (*llm.Response, error)

	// NewDecoder returns a decoder for one stream of an upstream.
	NewDecoder() Decoder
}

// A Translator is an Asker whose protocol clients speak, too: it can say
// everything it knows in the neutral language, and the other way round.
type Translator interface {
	Asker

	// DecodeRequest reads a client's request. Texts of the result point into
	// body. What has no neutral name is kept in Extra. The error is a
	// *fault.Fault of class Malformed that says which member is wrong; a
	// member that is merely unknown is never an error.
	DecodeRequest(body []byte) (*llm.Request, error)

	// EncodeResponse appends to dst the whole answer for a client.
	EncodeResponse(dst []byte, r *llm.Response, echo *Echo) ([]byte, []llm.Loss, error)

	// NewEncoder returns an encoder for one stream to a client.
	NewEncoder(echo *Echo) Encoder
}

// A Decoder makes events of an upstream's stream. It is used by one goroutine.
type Decoder interface {
	// Feed appends to dst what one frame says: its event name (may be nil)
	// and data. Texts in the events are valid until the next call. Frames
	// that mean nothing, and marks such as [DONE], give nothing or an End.
	// A frame that is an error of the upstream is not fed.
	Feed(dst []llm.Event, event, data []byte) ([]llm.Event, error)

	// End appends what is still owed when the stream is over: parts that are
	// open are closed, and an End if none came and the answer is whole.
	End(dst []llm.Event) []llm.Event
}

// An Encoder writes a stream for a client. It is used by one goroutine. What
// it writes is lawful in its protocol whatever order events come in: what the
// protocol wants one after the other is put in that order, nothing empty is
// opened, and everything opened is closed.
type Encoder interface {
	// Feed appends to dst the framed events that e makes, often none. It
	// holds nothing back that the protocol lets it say.
	Feed(dst []byte, e *llm.Event) []byte

	// End appends what is still owed: usage, the terminal event, [DONE]. It
	// does nothing the second time.
	End(dst []byte) []byte

	// Fail appends the protocol's own error event for an answer that broke
	// off here, with whatever must stand before it. Nothing follows it. id is
	// the gateway's request id; Codec.StreamError makes the event where no
	// Encoder has begun.
	Fail(dst []byte, f *fault.Fault, id string) []byte

	// Losses is what could not be said, so far.
	Losses() []llm.Loss
}

// Echo is what an answer has to repeat of its request.
type Echo struct {
	ID      string // the gateway's request id, for answers that come without one
	Model   string // as the client asked for it
	Created int64  // Unix seconds
	Request *llm.Request
	// Conversation is what OpenAI's Responses calls the conversation that the
	// answer belongs to, "" for none.
	Conversation string
}

// Fit is what an encoder has to know of the upstream beside its protocol, so
// that a request is not refused for what the model does not take.
type Fit struct {
	Model     string // as the upstream names it
	Vendor    string // the account's preset or provider, "deepseek" for one
	Native    bool   // the vendor that made the protocol, not a copy of it
	Context   int64  // tokens, 0: unknown
	MaxOutput int64  // tokens, 0: unknown
	Known     bool   // the catalogue knows the model; else assume the newest abilities
	Reasoning bool   // it can think
	Images    bool   // it reads images
	Efforts   []string
	Lacks     []string // members of a request that the upstream refuses
	Required  string   // how tool_choice says that a tool must be called, "": as the protocol has it
}
