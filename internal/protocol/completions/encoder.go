package completions

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// An Encoder turns the chat answers to a request's prompts into one
// completion, streamed or whole. It is used by one goroutine, for one prompt
// after the other.
type Encoder struct {
	r       *Request
	n       int // choices of each prompt that may come
	prompt  int
	head    []byte // id, object, created, model, from the first answer
	choices []choice
	whole   [][]byte // the finished choices of unstreamed answers, by index
	usage   llm.Usage
	told    llm.Usage // of the answer under way; streams may tell it several times
	failed  bool
	ended   bool
}

// A choice is how far one choice has come.
type choice struct {
	begun  bool
	offset int // characters of text so far, prompt included
}

// NewEncoder returns an encoder for the answers to r's prompts.
func (r *Request) NewEncoder() *Encoder {
	each := max(r.N, r.Best.Of)
	n := len(r.Prompts) * each
	return &Encoder{r: r, n: each, choices: make([]choice, n), whole: make([][]byte, n)}
}

// Prompt says that what follows answers prompt i.
func (e *Encoder) Prompt(i int) {
	e.settle()
	e.prompt = i
}

// settle adds the usage of the answer under way to the sum.
func (e *Encoder) settle() {
	e.usage, e.told = e.usage.Plus(e.told), llm.Usage{}
}

// Feed takes the data of one chat stream event and appends to dst the events
// of the completion that it makes, framed; often none. The [DONE] of the last
// prompt's answer makes the end of the stream. An error is passed on as it
// is, and nothing ends the stream after it. The error of Feed means that data
// is no chunk.
func (e *Encoder) Feed(dst, data []byte) ([]byte, error) {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return dst, nil
	case string(data) == "[DONE]":
		if e.prompt == len(e.r.Prompts)-1 {
			return e.End(dst), nil
		}
		return dst, nil
	}
	choices, failed, err := e.take(data)
	if err != nil {
		return dst, err
	}
	if failed {
		e.failed = true
		return append(append(append(dst, "data: "...), data...), "\n\n"...), nil
	}
	start := len(dst)
	dst = append(append(append(dst, "data: "...), e.head...), `,"choices":[`...)
	empty := len(dst)
	if len(choices) > 0 && choices[0] == '[' {
		for c, err := range jsonedit.Elements(choices) {
			if err != nil {
				return dst[:start], err
			}
			mark := len(dst)
			if len(dst) > empty {
				dst = append(dst, ',')
			}
			var said bool
			if dst, _, said = e.choice(dst, c, "delta"); !said {
				dst = dst[:mark]
			}
		}
	}
	if len(dst) == empty {
		return dst[:start], nil
	}
	dst = append(dst, ']')
	if e.r.IncludeUsage {
		dst = append(dst, `,"usage":null`...)
	}
	return append(dst, "}\n\n"...), nil
}

// End appends the end of the stream: the usage if the client wants it and
// [DONE]. It does so once, and not after an error. It is for an upstream that
// leaves without [DONE].
func (e *Encoder) End(dst []byte) []byte {
	if e.ended || e.failed || e.head == nil {
		return dst
	}
	e.ended = true
	e.settle()
	if e.r.IncludeUsage && e.usage != (llm.Usage{}) {
		dst = append(append(append(dst, "data: "...), e.head...), `,"choices":[],`...)
		dst = append(appendUsage(dst, e.usage), "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}

// Answer takes the whole, sound chat answer to the prompt under way.
func (e *Encoder) Answer(body []byte) error {
	choices, failed, err := e.take(body)
	switch {
	case err != nil:
		return err
	case failed || len(choices) == 0 || choices[0] != '[':
		return fmt.Errorf("the answer to prompt %d has no choices", e.prompt)
	}
	for c, err := range jsonedit.Elements(choices) {
		if err != nil {
			return err
		}
		out, index, _ := e.choice(nil, c, "message")
		e.whole[index] = out
	}
	return nil
}

// Body is the completion of the answers taken so far. judged is false if the
// best were to be chosen and the upstream did not say which they are: the first
// are told then.
func (e *Encoder) Body() (body []byte, judged bool, err error) {
	e.settle()
	dst := append(append([]byte(nil), e.head...), `,"choices":[`...)
	first := true
	for _, c := range e.whole {
		if c == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		dst, first = append(dst, c...), false
	}
	dst = append(dst, ']')
	if e.usage != (llm.Usage{}) {
		dst = appendUsage(append(dst, ','), e.usage)
	}
	dst = append(dst, '}')
	if e.r.Best == (Best{}) {
		return dst, true, nil
	}
	return e.r.Best.Pick(dst)
}

// take reads the top level of a chunk or an answer.
func (e *Encoder) take(doc []byte) (choices []byte, failed bool, err error) {
	var id, model, created []byte
	for m, err := range jsonedit.Members(doc) {
		if err != nil {
			return nil, false, err
		}
		switch string(m.Name) {
		case "id":
			id = m.Value
		case "model":
			model = m.Value
		case "created":
			created = m.Value
		case "choices":
			choices = m.Value
		case "error":
			failed = failed || !wire.Empty(m.Value)
		case "usage":
			if u, ok := openaiwire.Usage(m.Value); ok {
				e.told = u
			}
		}
	}
	if e.head == nil && !failed {
		e.head = append(e.head, `{"id":`...)
		e.head = jsonedit.Quote(e.head, "cmpl-"+strings.TrimPrefix(wire.Text(id), "chatcmpl-"))
		e.head = append(e.head, `,"object":"text_completion","created":`...)
		n, _ := jsonedit.Int(created)
		e.head = strconv.AppendInt(e.head, n, 10)
		e.head = append(e.head, `,"model":`...)
		name := wire.Text(model)
		if name == "" {
			name = e.r.Model
		}
		e.head = jsonedit.Quote(e.head, name)
	}
	return choices, failed, nil
}

// choice appends one choice of a completion. inner is where its text is:
// "delta" or "message". said is false if it would say nothing.
func (e *Encoder) choice(dst, c []byte, inner string) (out []byte, index int, said bool) {
	n, _ := jsonedit.Int(jsonedit.Get(c, "index"))
	n = min(max(n, 0), int64(e.n-1))
	index = e.prompt*e.n + int(n)
	at := &e.choices[index]
	text := contentOf(jsonedit.Get(c, inner))
	if e.r.Echo && !at.begun {
		prompt := e.r.Prompts[e.prompt]
		at.offset = utf8.RuneCountInString(prompt)
		text = prompt + text
	}
	finish := jsonedit.Get(c, "finish_reason")
	logprobs := jsonedit.Get(c, "logprobs")
	first := !at.begun
	at.begun = true
	if text == "" && wire.Empty(finish) && (first || wire.Empty(logprobs)) {
		return dst, index, false
	}
	dst = append(dst, `{"text":`...)
	dst = jsonedit.Quote(dst, text)
	dst = append(dst, `,"index":`...)
	dst = strconv.AppendInt(dst, int64(index), 10)
	dst = append(dst, `,"logprobs":`...)
	dst = e.logprobs(dst, logprobs, at)
	dst = append(dst, `,"finish_reason":`...)
	dst = append(dst, finishOf(finish)...)
	return append(dst, '}'), index, true
}

// contentOf is the text of a delta or a message: its content, as a string or
// in parts, or its refusal. Reasoning is no part of a completion's text.
func contentOf(message []byte) string {
	content := jsonedit.Get(message, "content")
	if len(content) > 0 && content[0] == '[' {
		var b strings.Builder
		for part, err := range jsonedit.Elements(content) {
			if err != nil {
				break
			}
			b.WriteString(wire.Text(jsonedit.Get(part, "text")))
		}
		return b.String()
	}
	if s := wire.Text(content); s != "" {
		return s
	}
	return wire.Text(jsonedit.Get(message, "refusal"))
}

// finishOf is a chat's finish reason as JSON in the words of a completion,
// which knows no calls. An answer that broke off has not finished.
func finishOf(v []byte) string {
	switch string(v) {
	case "", "null", `""`, `"error"`, `"network_error"`, `"insufficient_system_resource"`:
		return "null"
	case `"length"`, `"model_length"`:
		return `"length"`
	case `"content_filter"`:
		return `"content_filter"`
	}
	return `"stop"`
}

// appendUsage writes u in OpenAI's arithmetic, where the prompt includes what
// was cached and the completion includes reasoning.
func appendUsage(dst []byte, u llm.Usage) []byte {
	in, out := u.Input+u.CacheRead+u.CacheWrite, u.Output+u.Reasoning
	return fmt.Appendf(dst, `"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,`+
		`"prompt_tokens_details":{"cached_tokens":%d},"completion_tokens_details":{"reasoning_tokens":%d}}`,
		in, out, in+out, u.CacheRead, u.Reasoning)
}
