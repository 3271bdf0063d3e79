// Package gemini is Google's generateContent protocol as the Gemini API and
// Vertex AI speak it (spec: upstreams §1D).
//
// The model and the method stand in the path (ParsePath, SetPathModel). An
// answer is streamed as server-sent events if the query says alt=sse, else as
// one JSON array whose elements arrive one by one (ArrayCutter, NewArray).
//
// What a Gemini client said goes to a Gemini upstream member by member as it
// was. What clients of other protocols said is laid out as Google wants it:
// instructions lead, the results of calls stand behind them in order and with
// the names of their functions, signatures stay on the parts that they came on,
// and how hard to think is told as the generation of the model wants to hear it
// (spec: upstreams §2, translation-traps C, D and F).
package gemini

import (
	"strings"
	"unicode/utf8"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// A Codec is the protocol with one of the framings of its streams. It is
// stateless and safe for concurrent use.
type Codec struct {
	array bool // streams are a JSON array
}

var (
	_ protocol.Translator = (*Codec)(nil)
	_ protocol.Lister     = (*Codec)(nil)
	_ protocol.Counter    = (*Codec)(nil)
)

// New returns the codec for streams of server-sent events and for whatever is
// not streamed.
func New() *Codec { return &Codec{} }

// NewArray returns the codec for streams that are a JSON array: those for
// which SSE(query) is false. What it adds to a stream belongs after at least
// one whole element.
func NewArray() *Codec { return &Codec{array: true} }

// Name is the protocol's name in the configuration.
func (*Codec) Name() string { return protocol.Gemini }

// SetPathModel is the function SetPathModel, for those who hold a codec.
func (*Codec) SetPathModel(path, model string) (out string, ok bool) {
	return SetPathModel(path, model)
}

// StreamType is the media type of the codec's streams.
func (c *Codec) StreamType() string {
	if c.array {
		return "application/json"
	}
	return "text/event-stream"
}

// NewCutter returns what finds the elements of the codec's streams where they
// are no server-sent events, or nil where they are.
func (c *Codec) NewCutter() interface{ Cut(buf []byte) int } {
	if c.array {
		return &ArrayCutter{}
	}
	return nil
}

// Element is the data in raw, which such a cutter delimited, or nil.
func (*Codec) Element(raw []byte) []byte { return Element(raw) }

// SSE reports whether a raw query asks for server-sent events, as
// alt=sse or $alt=sse;….
func SSE(query string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "alt", "$alt", "%24alt":
			value, _, _ = strings.Cut(strings.ReplaceAll(value, "%3B", ";"), ";")
			if value == "sse" {
				return true
			}
		}
	}
	return false
}

// WithSSE is the raw query with alt=sse in the place of any other alt.
func WithSSE(query string) string {
	pairs := []string{"alt=sse"}
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); pair != "" && name != "alt" && name != "$alt" && name != "%24alt" {
			pairs = append(pairs, pair)
		}
	}
	return strings.Join(pairs, "&")
}

// Peek reads what names the conversation, which is the only thing that routing
// needs of this protocol's bodies: Model and Stream are in the path.
//
// No client names its conversation in the body. The name of the cached content
// that a request rests on comes near: it belongs to the account that made it
// and outlasts a turn.
func (*Codec) Peek(body []byte) (protocol.Peek, error) {
	var p protocol.Peek
	if !utf8.Valid(body) {
		return p, wire.ErrUTF8
	}
	var h wire.Head
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return protocol.Peek{}, err
		}
		h.Take(&m)
		if (m.Is("cachedContent") || m.Is("cached_content")) && len(m.Value) <= wire.MaxSession {
			p.Session = wire.Text(m.Value)
		}
	}
	if p.Session == "" {
		p.Begins = h.Hash()
	}
	return p, nil
}

// NewTap returns a tap for one answer.
func (*Codec) NewTap() protocol.Tap { return &tap{} }

// StreamError appends a chunk that is an error. In an array it is the last
// element.
func (c *Codec) StreamError(dst []byte, f *fault.Fault, id string) []byte {
	if c.array {
		dst = append(dst, ",\n"...)
		return append(appendError(dst, f, id), "\n]"...)
	}
	dst = append(dst, "data: "...)
	return append(appendError(dst, f, id), "\n\n"...)
}

// Heartbeat is a chunk with an empty text, as Google itself sends them. In an
// array it is white space.
//
// Neither a comment nor a blank line will do, and nor will an empty chunk. Each
// was tried on seven clients: a comment breaks the stream of google/genai 1.30
// (of Gemini CLI 0.61), Go genai 1.77, generative-ai 0.24 and LangChain on top
// of that, a blank line breaks the latter two, and after a chunk without
// candidates the chats of google/genai 3.1 and Go genai drop the whole turn
// from their history. The empty text harms none of them.
func (c *Codec) Heartbeat() []byte {
	if c.array {
		return []byte("\n")
	}
	return []byte(`data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0}]}` + "\n\n")
}
