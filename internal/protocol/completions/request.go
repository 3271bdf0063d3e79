// Package completions is OpenAI's legacy text completion (POST
// /v1/completions, spec: upstreams §1A.5) put on top of Chat Completions: one
// request becomes a chat request for each of its prompts, and their answers
// become one answer.
//
// Of best_of choices those are told whose tokens are the likeliest, if the
// upstream tells how likely they are. What a chat cannot do is refused or named as a loss, never dropped in
// silence.
package completions

import (
	"fmt"
	"slices"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
)

// Bounds of a request.
const (
	MaxPrompts       = 16  // each is a chat request of its own
	MaxN             = 128 // OpenAI's own limit
	DefaultMaxTokens = 16  // OpenAI's default for this endpoint
	maxLogprobs      = 20  // what a chat takes as top_logprobs
	maxMembers       = 128 // far more than any vendor's parameters
)

// A Request is a completion request. It keeps slices of the body it was
// decoded from.
type Request struct {
	Model        string
	Prompts      []string // 1 to MaxPrompts
	N            int      // choices for each prompt
	Best         Best     // how they are chosen, zero: all are told that are made
	Stream       bool
	IncludeUsage bool     // the client wants the usage at the end of the stream
	Echo         bool     // the prompt is part of the text
	Losses       []string // what is not carried over, as "member=reason"

	logprobs  bool
	top       int64
	maxTokens []byte
	newTokens bool              // max_completion_tokens is carried
	carried   []jsonedit.Member // members that a chat knows by the same name
}

// Decode reads a completion request. The error is a *fault.Fault that says
// what to tell the client.
func Decode(body []byte) (*Request, error) {
	p, err := wire.Peek(body, nil)
	if err != nil {
		return nil, malformed("", "%s", err)
	}
	if p.Model == "" {
		return nil, malformed("model", "the request names no model")
	}
	r := &Request{Model: p.Model, Stream: p.Stream, N: 1}
	last := lastMembers(body)
	if last == nil {
		return nil, malformed("", "the request has more than %d members", maxMembers)
	}
	bestOf := int64(1)
	for _, m := range last {
		v := m.Value
		if wire.Null(v) {
			continue
		}
		var ok bool
		switch string(m.Name) {
		case "model", "stream":
		case "prompt":
			if err := r.prompts(v); err != nil {
				return nil, err
			}
		case "n":
			n, ok := jsonedit.Int(v)
			if !ok || n < 1 || n > MaxN {
				return nil, malformed("n", "n must be a whole number from 1 to %d", MaxN)
			}
			r.N = int(n)
		case "best_of":
			if bestOf, ok = jsonedit.Int(v); !ok || bestOf < 1 {
				return nil, malformed("best_of", "best_of must be a whole number from 1 to %d", MaxBest)
			}
		case "echo":
			if r.Echo, ok = boolean(v); !ok {
				return nil, malformed("echo", "echo must be true or false")
			}
		case "logprobs":
			n, ok := jsonedit.Int(v)
			if !ok || n < 0 || n > maxLogprobs {
				return nil, malformed("logprobs", "logprobs must be a whole number from 0 to %d", maxLogprobs)
			}
			r.logprobs, r.top = true, n
		case "max_tokens":
			n, ok := jsonedit.Int(v)
			if !ok || n < 0 {
				return nil, malformed("max_tokens", "max_tokens must be a whole number")
			}
			if n == 0 {
				return nil, unsupported("max_tokens", "max_tokens 0 is not supported: the upstreams are asked for a chat, which writes at least one token")
			}
			r.maxTokens = v
		case "suffix":
			if !wire.Empty(v) {
				return nil, unsupported("suffix", "suffix is not supported: a chat cannot fill in the middle of a text")
			}
		case "stream_options":
			r.IncludeUsage = string(jsonedit.Get(v, "include_usage")) == "true"
			r.carried = append(r.carried, m)
		case "max_completion_tokens": // no member of a completion, but clients of chats send it
			r.newTokens = true
			r.carried = append(r.carried, m)
		case "messages":
			return nil, malformed("messages", "messages belong to /v1/chat/completions; a completion has a prompt")
		default:
			r.carried = append(r.carried, m)
		}
	}
	if r.Prompts == nil {
		return nil, malformed("prompt", "the request has no prompt")
	}
	switch {
	case bestOf <= int64(r.N):
	case bestOf > MaxBest:
		return nil, malformed("best_of", "best_of must be a whole number from 1 to %d", MaxBest)
	case r.Stream:
		r.Losses = append(r.Losses, LostStreamed)
	default:
		r.Best = Best{N: r.N, Of: int(bestOf), Logprobs: r.logprobs}
	}
	if r.Echo && r.logprobs {
		r.Losses = append(r.Losses, "logprobs=dropped: a chat tells none for the prompt that is echoed")
	}
	return r, nil
}

// prompts takes the prompt: a string or an array of strings.
func (r *Request) prompts(v []byte) error {
	if s, ok := jsonedit.Unquote(v); ok {
		r.Prompts = []string{s}
		return nil
	}
	if v[0] != '[' {
		return malformed("prompt", "prompt must be a string or an array of strings")
	}
	r.Prompts = nil
	for e, err := range jsonedit.Elements(v) {
		if err != nil {
			return malformed("prompt", "%s", err)
		}
		s, ok := jsonedit.Unquote(e)
		switch {
		case ok:
		case e[0] == '[' || e[0] >= '0' && e[0] <= '9':
			return unsupported("prompt", "a prompt of token numbers is not supported: send it as text")
		default:
			return malformed("prompt", "prompt must be a string or an array of strings")
		}
		if len(r.Prompts) == MaxPrompts {
			return malformed("prompt", "a request may have at most %d prompts", MaxPrompts)
		}
		r.Prompts = append(r.Prompts, s)
	}
	if len(r.Prompts) == 0 {
		return malformed("prompt", "prompt is an empty array")
	}
	return nil
}

// lastMembers are the members of the sound object body, of repeated ones the
// last, names with their escapes resolved, or nil if there are too many.
func lastMembers(body []byte) (last []jsonedit.Member) {
	at := map[string]int{}
	for m := range jsonedit.Members(body) {
		if name, ok := jsonedit.Unquote(slices.Concat([]byte{'"'}, m.Name, []byte{'"'})); ok {
			m.Name = []byte(name)
		}
		if i, ok := at[string(m.Name)]; ok {
			last[i] = m
			continue
		}
		if len(last) == maxMembers {
			return nil
		}
		at[string(m.Name)] = len(last)
		last = append(last, m)
	}
	return last
}

// ChatBody is the body of the chat request for prompt i. With choose it asks
// for as many choices as Best chooses from, and for their probabilities.
// Members that a completion and a chat share go over as they were written,
// vendors' own too.
func (r *Request) ChatBody(i int, choose bool) []byte {
	dst := append(make([]byte, 0, 256+len(r.Prompts[i])), `{"model":`...)
	dst = jsonedit.Quote(dst, r.Model)
	dst = append(dst, `,"messages":[{"role":"user","content":`...)
	dst = jsonedit.Quote(dst, r.Prompts[i])
	dst = append(dst, `}]`...)
	switch {
	case r.maxTokens != nil:
		dst = append(append(dst, `,"max_tokens":`...), r.maxTokens...)
	case !r.newTokens:
		dst = fmt.Appendf(dst, `,"max_tokens":%d`, DefaultMaxTokens)
	}
	if r.Stream {
		dst = append(dst, `,"stream":true`...)
	}
	n := r.N
	if choose {
		n = r.Best.Of
	}
	if n > 1 {
		dst = fmt.Appendf(dst, `,"n":%d`, n)
	}
	switch {
	case r.logprobs:
		dst = fmt.Appendf(dst, `,"logprobs":true,"top_logprobs":%d`, r.top)
	case choose:
		dst = append(dst, `,"logprobs":true`...)
	}
	for _, m := range r.carried {
		dst = append(dst, ',')
		dst = jsonedit.Quote(dst, string(m.Name))
		dst = append(append(dst, ':'), m.Value...)
	}
	return append(dst, '}')
}

func boolean(v []byte) (b, ok bool) {
	return string(v) == "true", string(v) == "true" || string(v) == "false"
}

func malformed(param, format string, args ...any) *fault.Fault {
	f := fault.New(fault.Malformed, format, args...)
	f.Param = param
	return f
}

func unsupported(param, format string, args ...any) *fault.Fault {
	f := fault.New(fault.Unsupported, format, args...)
	f.Code, f.Param = "unsupported_parameter", param
	return f
}
