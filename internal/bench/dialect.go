package main

import "strings"

const (
	// mark stands around the number of each chunk, by which the load sees
	// that none is missing or doubled, through any translation.
	mark   = "@"
	filler = " and so on, "
	// sentinel is the end of the text of a whole answer.
	sentinel = "the very end"
)

// A dialect is what a vendor answers: a whole answer, and a stream as what
// comes first, what stands around the text of each chunk, and what ends it.
type dialect struct{ whole, open, before, after, end string }

var reply = strings.Repeat("An answer of about a kilobyte, as most of them are. ", 14) + sentinel

const (
	chatHead = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt","system_fingerprint":"fp_1","choices":[`
	usage    = `"usage":{"prompt_tokens":250,"completion_tokens":160,"total_tokens":410}`
)

var asChat = dialect{
	whole: `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt","choices":[{"index":0,"message":{"role":"assistant","content":"` +
		reply + `","refusal":null},"logprobs":null,"finish_reason":"stop"}],` + usage + `,"system_fingerprint":"fp_1"}`,
	open:   chatHead + `{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}` + "\n\n",
	before: chatHead + `{"index":0,"delta":{"content":"`,
	after:  `"},"logprobs":null,"finish_reason":null}]}` + "\n\n",
	end: chatHead + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}` + "\n\n" +
		chatHead + `],` + usage + "}\n\ndata: [DONE]\n\n",
}

var asAnthropic = dialect{
	whole: `{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"` + reply +
		`"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":250,"output_tokens":160}}`,
	open: event("message_start", `"message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],`+
		`"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":250,"output_tokens":1}}`) +
		event("content_block_start", `"index":0,"content_block":{"type":"text","text":""}`) + event("ping", ""),
	before: "event: content_block_delta\ndata: " + `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"`,
	after:  `"}}` + "\n\n",
	end: event("content_block_stop", `"index":0`) +
		event("message_delta", `"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":160}`) + event("message_stop", ""),
}

// event is an event of Anthropic's with the members beside its type.
func event(kind, members string) string {
	if members != "" {
		members = "," + members
	}
	return "event: " + kind + "\ndata: {\"type\":\"" + kind + `"` + members + "}\n\n"
}

const geminiHead = `data: {"candidates":[{"content":{"parts":[{"text":"`

var asGemini = dialect{
	whole: `{"candidates":[{"content":{"parts":[{"text":"` + reply + `"}],"role":"model"},"finishReason":"STOP","index":0}],` + geminiUsage +
		`,"modelVersion":"gemini","responseId":"1"}`,
	before: geminiHead,
	after:  `"}],"role":"model"},"index":0}],"modelVersion":"gemini","responseId":"1"}` + "\r\n\r\n",
	end: geminiHead + `"}],"role":"model"},"finishReason":"STOP","index":0}],` + geminiUsage +
		`,"modelVersion":"gemini","responseId":"1"}` + "\r\n\r\n",
}

const geminiUsage = `"usageMetadata":{"promptTokenCount":250,"candidatesTokenCount":160,"totalTokenCount":410}`

// closing is what a whole stream ends with in a client's protocol.
var closing = map[string]string{"chat": "data: [DONE]", "anthropic": `"message_stop"`}
