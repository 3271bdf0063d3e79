package relay

import (
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
)

// A dialect is one protocol with what its upstreams say.
type dialect struct {
	codec   protocol.Codec
	path    string
	request string
	whole   string
	// prelude is a stream's beginning without meaning, middle what follows,
	// end the last events.
	prelude, middle, end []string
	errorEvent           string // of the upstream, in a stream
	errorBody            string // in a 200
	broke                string // is in what clients are told of a break
	success              string // is only in what ends well
}

var dialects = map[string]*dialect{
	"openai-chat": {
		codec: openaichat.New(), path: "/chat/completions",
		request: `{"model":"m","messages":[{"role":"user","content":"hello"}]}`,
		whole: `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],` +
			`"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`,
		prelude: []string{`data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}` + "\n\n"},
		middle: []string{
			`data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"he"}}]}` + "\n\n",
			`data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"llo"}}]}` + "\n\n",
		},
		end: []string{
			`data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n",
			`data: {"id":"c1","model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}` + "\n\n", "data: [DONE]\n\n",
		},
		errorEvent: `data: {"error":{"message":"it burns","type":"server_error","code":"server_error"}}` + "\n\n",
		errorBody:  `{"error":{"message":"it burns","type":"server_error","code":"server_error"}}`,
		broke:      `data: {"error":`, success: "[DONE]",
	},
	"openai-responses": {
		codec: openairesponses.New(), path: "/responses",
		request: `{"model":"m","input":"hello"}`,
		whole: `{"id":"r1","object":"response","status":"completed","model":"m","output":[{"type":"message","content":[{"type":"output_text","text":"hi"}]}],` +
			`"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}`,
		prelude: []string{"event: response.created\n" + `data: {"type":"response.created","response":{"id":"r1","model":"m","status":"in_progress"}}` + "\n\n"},
		middle: []string{
			"event: response.output_text.delta\n" + `data: {"type":"response.output_text.delta","delta":"he"}` + "\n\n",
			"event: response.output_text.delta\n" + `data: {"type":"response.output_text.delta","delta":"llo"}` + "\n\n",
		},
		end: []string{"event: response.completed\n" + `data: {"type":"response.completed","response":{"id":"r1","model":"m","status":"completed","output":[],` +
			`"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}` + "\n\n"},
		errorEvent: "event: error\n" + `data: {"type":"error","code":"server_error","message":"it burns"}` + "\n\n",
		errorBody:  `{"error":{"message":"it burns","type":"server_error","code":"server_error"}}`,
		broke:      "event: response.failed", success: "response.completed",
	},
	"anthropic": {
		codec: anthropic.New(), path: "/v1/messages",
		request: `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}`,
		whole: `{"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","stop_sequence":null,` +
			`"usage":{"input_tokens":7,"output_tokens":3}}`,
		prelude: []string{
			"event: message_start\n" + `data: {"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":7,"output_tokens":1}}}` + "\n\n",
			"event: ping\ndata: {\"type\":\"ping\"}\n\n",
			"event: content_block_start\n" + `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n",
		},
		middle: []string{
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"he"}}` + "\n\n",
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"llo"}}` + "\n\n",
		},
		end: []string{
			"event: content_block_stop\n" + `data: {"type":"content_block_stop","index":0}` + "\n\n",
			"event: message_delta\n" + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}` + "\n\n",
			"event: message_stop\n" + `data: {"type":"message_stop"}` + "\n\n",
		},
		errorEvent: "event: error\n" + `data: {"type":"error","error":{"type":"api_error","message":"it burns"}}` + "\n\n",
		errorBody:  `{"type":"error","error":{"type":"api_error","message":"it burns"}}`,
		broke:      "event: error", success: "message_stop",
	},
	"gemini": {
		codec: gemini.New(), path: "/models/m:streamGenerateContent",
		request: `{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}`,
		whole: `{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP","index":0}],` +
			`"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"totalTokenCount":10},"modelVersion":"m","responseId":"g1"}`,
		prelude: []string{`data: {"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"m","responseId":"g1"}` + "\r\n\r\n"},
		middle: []string{
			`data: {"candidates":[{"content":{"role":"model","parts":[{"text":"he"}]},"index":0}],"modelVersion":"m","responseId":"g1"}` + "\r\n\r\n",
			`data: {"candidates":[{"content":{"role":"model","parts":[{"text":"llo"}]},"index":0}],"modelVersion":"m","responseId":"g1"}` + "\r\n\r\n",
		},
		end: []string{`data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],` +
			`"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"totalTokenCount":10},"modelVersion":"m","responseId":"g1"}` + "\r\n\r\n"},
		errorEvent: `data: {"error":{"code":500,"message":"it burns","status":"INTERNAL"}}` + "\r\n\r\n",
		errorBody:  `{"error":{"code":500,"message":"it burns","status":"INTERNAL"}}`,
		broke:      `data: {"error":`, success: "finishReason",
	},
}

// parts are the events of a whole stream.
func (d *dialect) parts() (all []string) {
	all = append(all, d.prelude...)
	all = append(all, d.middle...)
	return append(all, d.end...)
}
