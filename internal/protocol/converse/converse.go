// Package converse is the protocol in which Amazon Bedrock takes conversations
// with every model that it has: Converse and ConverseStream.
//
// Upstreams speak it and clients do not, so it is written in one direction: what
// is said in llm is asked in it, and its answers are read. The model stands in
// the path. A stream arrives as server-sent events, each named as Bedrock names
// it; who takes them out of Amazon's framing is the provider's business.
package converse

import (
	"strconv"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// A Codec is the protocol. It has no state.
type Codec struct{}

var _ protocol.Asker = (*Codec)(nil)

// New returns the codec.
func New() *Codec { return &Codec{} }

// Name implements protocol.Codec.
func (*Codec) Name() string { return protocol.BedrockConverse }

// Exception is the name of the event that tells an error in a stream. Its data
// is what DecodeError reads.
const Exception = "exception"

// Peek implements protocol.Codec. The model and whether the answer streams stand
// in the path.
func (*Codec) Peek(body []byte) (protocol.Peek, error) {
	p, err := wire.Peek(body, nil)
	p.Model, p.Stream = "", false
	return p, err
}

// SetModel implements protocol.Codec. No body names a model.
func (*Codec) SetModel(body []byte, _ string) ([]byte, error) { return body, nil }

// TakesSchema implements what a translation asks: few models of Bedrock's hold
// their answer to a schema by themselves.
func (*Codec) TakesSchema(*protocol.Fit) bool { return false }

// DecodeError reads an error of AWS'. Its type is the code by which the rules of
// the provider know it.
func (*Codec) DecodeError(status int, body []byte) fault.Sign {
	s := wire.DecodeError(status, body)
	if s.Code == "" {
		s.Code, s.Type = s.Type, ""
	}
	return s
}

// types are AWS' types of errors, by the status that an upstream has given or
// that the class of the fault stands for.
var types = map[int]string{
	400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
	429: "ThrottlingException", 503: "ServiceUnavailableException",
}

// EncodeError implements protocol.Codec: {"__type":…,"message":…}.
func (*Codec) EncodeError(f *fault.Fault, id string) (int, []byte) {
	status := f.Status
	switch {
	case f.Class == fault.RateLimited || f.Class == fault.QuotaSpent:
		status = 429
	case f.Class == fault.Overloaded || f.Class == fault.Busy:
		status = 503
	case f.Class == fault.BadRequest && status >= 400:
	case f.Class <= fault.SealMismatch && f.Class != fault.Internal && f.Class != fault.Unknown:
		status = 400
	default:
		status = 500
	}
	return status, appendError(nil, status, f, id)
}

func appendError(dst []byte, status int, f *fault.Fault, id string) []byte {
	kind := types[status]
	if kind == "" {
		kind = "InternalServerException"
	}
	msg := f.Msg
	if msg == "" {
		msg = f.Class.String()
	}
	dst = jsonw.String(append(dst, '{'), "__type", kind)
	dst = jsonw.String(dst, "message", msg)
	if id != "" {
		dst = jsonw.String(dst, "requestId", id)
	}
	return append(dst, '}')
}

// StreamError implements protocol.Codec.
func (c *Codec) StreamError(dst []byte, f *fault.Fault, id string) []byte {
	_, body := c.EncodeError(f, id)
	dst = append(append(dst, "event: "+Exception+"\ndata: "...), body...)
	return append(dst, "\n\n"...)
}

// Heartbeat implements protocol.Codec.
func (*Codec) Heartbeat() []byte { return []byte(": ping\n\n") }

// number is the whole number v, or -1.
func number(v []byte) int {
	n, ok := jsonedit.Int(v)
	if !ok || n < 0 || n > 1<<20 {
		return -1
	}
	return int(n)
}

// at is the place of part j of message i.
func at(i, j int) string { return "messages[" + strconv.Itoa(i) + "].content[" + strconv.Itoa(j) + "]" }
