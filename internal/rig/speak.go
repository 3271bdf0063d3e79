package rig

import (
	"fmt"
	"strconv"
	"strings"
)

// An utterance is an answer in one protocol. Its events are made one at a
// time, since a script may ask for gigabytes.
type utterance struct {
	whole      func() string
	head, tail []string           // events of a stream before and after the text, each with its blank line
	piece      func(i int) string // the event of a piece of text
	pieces     int
}

// events is how many events a stream has.
func (u *utterance) events() int { return len(u.head) + u.pieces + len(u.tail) }

// event is the i-th event of a stream.
func (u *utterance) event(i int) string {
	switch n := len(u.head) + u.pieces; {
	case i < len(u.head):
		return u.head[i]
	case i < n:
		return u.piece(i - len(u.head))
	default:
		return u.tail[i-n]
	}
}

// speak puts the answer that s asks for into a protocol.
func speak(protocol, model string, s Script) utterance {
	switch protocol {
	case Chat:
		return speakChat(model, s)
	case Responses:
		return speakResponses(model, s)
	case Messages:
		return speakMessages(model, s)
	}
	return speakGemini(model, s)
}

func data(format string, args ...any) string { return "data: " + fmt.Sprintf(format, args...) + "\n\n" }

func event(name, format string, args ...any) string {
	return "event: " + name + "\n" + data(format, args...)
}

func speakChat(model string, s Script) utterance {
	id := "chatcmpl-rig" + strconv.FormatInt(s.N, 10)
	usage := fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d},"completion_tokens_details":{"reasoning_tokens":%d}}`,
		s.In+s.Cached, s.Out+s.Think, s.In+s.Cached+s.Out+s.Think, s.Cached, s.Think)
	chunk := func(delta, finish, more string) string {
		return data(`{"id":%q,"object":"chat.completion.chunk","created":1,"model":%q,"choices":[{"index":0,"delta":%s,"finish_reason":%s}]%s}`, id, model, delta, finish, more)
	}
	return utterance{
		whole: func() string {
			return fmt.Sprintf(`{"id":%q,"object":"chat.completion","created":1,"model":%q,"choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],"usage":%s}`,
				id, model, s.Text(), usage)
		},
		head:   []string{chunk(`{"role":"assistant","content":""}`, "null", "")},
		piece:  func(i int) string { return chunk(fmt.Sprintf(`{"content":%q}`, s.piece(i)), "null", "") },
		pieces: max(s.Chunks, 1),
		tail: []string{
			chunk("{}", `"stop"`, ""),
			data(`{"id":%q,"object":"chat.completion.chunk","created":1,"model":%q,"choices":[],"usage":%s}`, id, model, usage), "data: [DONE]\n\n",
		},
	}
}

func speakResponses(model string, s Script) utterance {
	id := "resp_rig" + strconv.FormatInt(s.N, 10)
	answer := func(status, output, usage string) string {
		return fmt.Sprintf(`{"id":%q,"object":"response","created_at":1,"status":%q,"model":%q,"output":%s,"usage":%s}`, id, status, model, output, usage)
	}
	done := func() string {
		output := fmt.Sprintf(`[{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":%q,"annotations":[]}]}]`, s.Text())
		return answer("completed", output, fmt.Sprintf(`{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d},"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}`,
			s.In+s.Cached, s.Cached, s.Out+s.Think, s.Think, s.In+s.Cached+s.Out+s.Think))
	}
	say := func(seq int, name, members string) string {
		return event(name, `{"type":%q,"sequence_number":%d,%s}`, name, seq, members)
	}
	u := utterance{whole: done, pieces: max(s.Chunks, 1), head: []string{
		say(0, "response.created", `"response":`+answer("in_progress", "[]", "null")),
		say(1, "response.output_item.added", `"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}`),
		say(2, "response.content_part.added", `"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}`),
	}}
	u.piece = func(i int) string {
		return say(3+i, "response.output_text.delta", fmt.Sprintf(`"item_id":"msg_1","output_index":0,"content_index":0,"delta":%q`, s.piece(i)))
	}
	if u.pieces*s.Size > maxRepeated { // nobody reads such an answer to its end
		u.tail = []string{say(3+u.pieces, "response.incomplete", `"response":`+answer("incomplete", "[]", "null"))}
	} else {
		u.tail = []string{say(3+u.pieces, "response.completed", `"response":`+done())}
	}
	return u
}

// maxRepeated is the longest text that is said once more at the end.
const maxRepeated = 64 << 20

func speakMessages(model string, s Script) utterance {
	id := "msg_rig" + strconv.FormatInt(s.N, 10)
	usage := func(out int64) string {
		return fmt.Sprintf(`{"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":%d,"output_tokens":%d}`, s.In, s.Cached, out)
	}
	return utterance{
		whole: func() string {
			return fmt.Sprintf(`{"id":%q,"type":"message","role":"assistant","model":%q,"content":[{"type":"text","text":%q}],"stop_reason":"end_turn","stop_sequence":null,"usage":%s}`,
				id, model, s.Text(), usage(s.Out+s.Think))
		},
		head: []string{
			event("message_start", `{"type":"message_start","message":{"id":%q,"type":"message","role":"assistant","model":%q,"content":[],"stop_reason":null,"stop_sequence":null,"usage":%s}}`, id, model, usage(1)),
			event("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`),
		},
		piece: func(i int) string {
			return event("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}`, s.piece(i))
		},
		pieces: max(s.Chunks, 1),
		tail: []string{
			event("content_block_stop", `{"type":"content_block_stop","index":0}`),
			event("message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":%s}`, usage(s.Out+s.Think)),
			event("message_stop", `{"type":"message_stop"}`),
		},
	}
}

func speakGemini(model string, s Script) utterance {
	usage := fmt.Sprintf(`,"usageMetadata":{"promptTokenCount":%d,"cachedContentTokenCount":%d,"candidatesTokenCount":%d,"thoughtsTokenCount":%d,"totalTokenCount":%d}`,
		s.In+s.Cached, s.Cached, s.Out, s.Think, s.In+s.Cached+s.Out+s.Think)
	answer := func(text, finish, more string) string {
		return fmt.Sprintf(`{"candidates":[{"content":{"parts":[{"text":%q}],"role":"model"},"index":0%s}],"modelVersion":%q,"responseId":"rig%d"%s}`, text, finish, model, s.N, more)
	}
	const stop = `,"finishReason":"STOP"`
	last := max(s.Chunks, 1) - 1
	return utterance{
		whole:  func() string { return answer(s.Text(), stop, usage) },
		piece:  func(i int) string { return data("%s", answer(s.piece(i), "", "")) },
		pieces: last,
		tail:   []string{data("%s", answer(s.piece(last), stop, usage))},
	}
}

// refusal is the body of an error with a status, in a protocol.
func refusal(protocol string, status int) string {
	const text = "the script says so"
	switch protocol {
	case Messages:
		kind := map[int]string{
			400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
			413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error",
		}[status]
		if kind == "" {
			kind = "api_error"
		}
		return fmt.Sprintf(`{"type":"error","error":{"type":%q,"message":%q},"request_id":"req_rig"}`, kind, text)
	case Gemini:
		kind := map[int]string{
			400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
			429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE",
		}[status]
		if kind == "" {
			kind = "INTERNAL"
		}
		return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q}}`, status, text, kind)
	}
	kind := map[int]string{400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}[status]
	if kind == "" {
		kind = "server_error"
	}
	return fmt.Sprintf(`{"error":{"message":%q,"type":%q,"param":null,"code":null}}`, text, kind)
}

// streamError is an error in the middle of a stream.
func streamError(protocol string) string {
	switch protocol {
	case Messages:
		return event("error", `%s`, refusal(Messages, 529))
	case Responses:
		return event("response.failed", `{"type":"response.failed","sequence_number":99,"response":{"id":"resp_rig","object":"response","created_at":1,"status":"failed","model":"m","output":[],"error":{"code":"server_error","message":"the script says so"}}}`)
	case Gemini:
		return data("%s", refusal(Gemini, 503))
	}
	return data("%s", refusal(Chat, 500))
}

// protocolOf is the protocol in which a path of an upstream is spoken, the
// model if the path names it, and whether the path asks for a stream.
func protocolOf(path string) (protocol, model string, stream bool) {
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		return Chat, "", false
	case strings.HasSuffix(path, "/responses"):
		return Responses, "", false
	case strings.HasSuffix(path, "/messages"):
		return Messages, "", false
	}
	if _, rest, ok := strings.Cut(path, "/models/"); ok {
		if name, method, ok := strings.Cut(rest, ":"); ok {
			return Gemini, name, method == "streamGenerateContent"
		}
	}
	return "", "", false
}
