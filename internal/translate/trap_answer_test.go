package translate

import (
	"encoding/json/jsontext"
	"strings"
	"testing"

	"portico/internal/protocol/codectest"
)

// An answerTrap is one answer of an upstream as it comes to a client.
type answerTrap struct {
	name             string // begins with the ids of spec translation-traps that it is about
	client, upstream string
	ask              string // the request; "": one line of text
	in               string // data of a stream's events, a line each, or one whole answer
	whole            bool
	has, not         []string // of what the client gets
	once             []string // is there once
}

var answerTraps = []answerTrap{
	{
		name: "A24 the usage comes in a chunk of its own, and before the end", client: claude, upstream: chat, in: `
{"id":"c1","model":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"}}]}
{"id":"c1","model":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
{"id":"c1","model":"x","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":4}}}
[DONE]`,
		has:  []string{`"stop_reason":null`, `"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":3}`},
		once: []string{`event: message_delta`, `event: message_stop`},
	},
	{
		name: "A24 and is hidden from who did not ask", client: chat, upstream: claude, in: `
{"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","model":"x","content":[],"usage":{"input_tokens":7,"output_tokens":1}}}
{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}
{"type":"content_block_stop","index":0}
{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}
{"type":"message_stop"}`,
		has: []string{`"content":"hi"`, `"finish_reason":"stop"`}, not: []string{`usage`}, once: []string{`[DONE]`},
	},
	{
		name: "A24 nor from who did", client: chat, upstream: claude,
		ask: `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"u"}]}`, in: `
{"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","model":"x","content":[],"usage":{"input_tokens":7,"output_tokens":1}}}
{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}
{"type":"content_block_stop","index":0}
{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}
{"type":"message_stop"}`,
		has: []string{`"choices":[],"usage":{"prompt_tokens":7,`, `"completion_tokens":3,`, `"total_tokens":10`},
	},
	{
		name: "A25 an empty list of calls", client: claude, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":"h","tool_calls":[]}}]}
{"id":"c1","choices":[{"index":0,"delta":{"content":"i","tool_calls":[]}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
[DONE]`,
		not:  []string{`tool_use`},
		once: []string{`event: content_block_start`, `event: content_block_stop`},
	},
	{
		name: "A26 a name that comes after its arguments", client: claude, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"arguments":"{\"a\""}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":":1}"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}
[DONE]`,
		has:  []string{`{"type":"tool_use","id":"t1","name":"f","input":{}}`, `"partial_json":"{\"a\""`, `"partial_json":":1}"`, `"stop_reason":"tool_use"`},
		once: []string{`event: content_block_start`},
	},
	{
		name: "A26 or never", client: claude, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"content":"hi"}}]}
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"arguments":"{\"a\":1}"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}
[DONE]`,
		not:  []string{`"type":"tool_use"`, `"stop_reason":"tool_use"`, `"stop_reason":"end_turn"`},
		once: []string{`event: content_block_start`},
	},
	{
		name: "A27 one index for two calls, and none at all", client: claude, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t2","type":"function","function":{"name":"g","arguments":"{\"b\":2}"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"id":"t3","type":"function","function":{"name":"h","arguments":"{}"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
[DONE]`,
		has:  []string{`"index":0,"content_block":{"type":"tool_use","id":"t1","name":"f"`, `"index":1,"content_block":{"type":"tool_use","id":"t2","name":"g"`, `"index":2,"content_block":{"type":"tool_use","id":"t3","name":"h"`, `"stop_reason":"tool_use"`},
		once: []string{`"index":0,"delta"`, `"index":1,"delta"`, `"index":2,"delta"`},
	},
	{
		name: "A28 calls that interleave", client: claude, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\""}},{"index":1,"id":"t2","type":"function","function":{"name":"g","arguments":"{\"b\""}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}},{"index":1,"function":{"arguments":":2}"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}
[DONE]`,
		has: []string{"{\"type\":\"content_block_stop\",\"index\":0}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,", `"index":0,"delta":{"type":"input_json_delta","partial_json":":1}"}`, `"index":1,"delta":{"type":"input_json_delta","partial_json":":2}"}`},
	},
	{
		name: "A29 reasoning under any name", client: claude, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"reasoning":"h","reasoning_content":"h"}}]}
{"id":"c1","choices":[{"index":0,"delta":{"reasoning":"m"}}]}
{"id":"c1","choices":[{"index":0,"delta":{"content":"hi"}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
[DONE]`,
		has:  []string{`"thinking":"m"`},
		not:  []string{`hh`},
		once: []string{`"thinking":"h"`},
	},
	{
		name: "A22 stop with calls", client: claude, upstream: chat, whole: true,
		in:  `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":9}}}`,
		has: []string{`"stop_reason":"tool_use"`, `"input":{}`, `"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":7,"output_tokens":3}`},
	},
	{
		name: "A22 but a call that the limit cut is none that is complete", client: claude, upstream: chat, whole: true,
		in:  `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]},"finish_reason":"length"}]}`,
		has: []string{`"stop_reason":"max_tokens"`}, not: []string{`"stop_reason":"tool_use"`},
	},
	{
		name: "B2 B19 E16 E25 F12 all that Codex waits for, with ids and numbers", client: responses, upstream: claude, in: `
{"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","model":"x","content":[],"usage":{"input_tokens":7,"output_tokens":1}}}
{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}
{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}
{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig"}}
{"type":"content_block_stop","index":0}
{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}
{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"hi"}}
{"type":"content_block_stop","index":1}
{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}
{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}
{"type":"content_block_stop","index":2}
{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":3}}
{"type":"message_stop"}`,
		has:  []string{`event: response.created`, `event: response.in_progress`, `"item_id":"rs_m1_0","output_index":0,"summary_index":0,"delta":"hm"`, `"output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}`, `event: response.output_text.done`, `event: response.content_part.done`, `"id":"fc_m1_2","type":"function_call","call_id":"toolu_1","name":"f","arguments":"{\"a\":1}","status":"completed"`, `"input_tokens_details":{"cached_tokens":0}`, `"output_tokens_details":{"reasoning_tokens":0}`, `"output":[{"type":"reasoning","id":"rs_m1_0"`, `"sequence_number":18,"response":`},
		not:  []string{`"annotations":null`},
		once: []string{`event: response.function_call_arguments.done`, `event: response.completed`},
	},
	{
		name: "B20 what is complete repeats nothing", client: claude, upstream: responses, in: `
{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}
{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"msg_1","role":"assistant","content":[]}}
{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"hi"}
{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"hi","annotations":[]}]}}
{"type":"response.completed","response":{"id":"r1","status":"completed","output":[],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}`,
		once: []string{`"text":"hi"`},
	},
	{
		name: "B21 arguments that come only when they are done", client: claude, upstream: responses, in: `
{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}
{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":""}}
{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":0,"arguments":"{\"a\":1}"}
{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}}
{"type":"response.completed","response":{"id":"r1","status":"completed","output":[],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}`,
		once: []string{`"partial_json":"{\"a\":1}"`, `input_json_delta`},
	},
	{
		name: "B22 and in one piece", client: claude, upstream: responses, in: `
{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}
{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":""}}
{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"a\":1}"}
{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":0,"arguments":"{\"a\":1}"}
{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}}
{"type":"response.completed","response":{"id":"r1","status":"completed","output":[],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}`,
		once: []string{`"partial_json":"{\"a\":1}"`, `input_json_delta`},
	},
	{
		name: "B22 and when the call begins, besides", client: claude, upstream: responses, in: `
{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}
{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}}
{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"a\":1}"}
{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}}
{"type":"response.completed","response":{"id":"r1","status":"completed","output":[],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}`,
		once: []string{`"partial_json":"{\"a\":1}"`, `input_json_delta`, `"input":{}`},
	},
	{
		name: "B22 and nowhere else", client: chat, upstream: responses, in: `
{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}
{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}}
{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}}
{"type":"response.completed","response":{"id":"r1","status":"completed","output":[],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}`,
		once: []string{`{\"a\":1}`},
	},
	{
		name: "B4 several summaries are one thought, sealed once", client: claude, upstream: responses, in: `
{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}
{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}
{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}
{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"one"}
{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":1,"part":{"type":"summary_text","text":""}}
{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":1,"delta":"two"}
{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}],"encrypted_content":"enc"}}
{"type":"response.completed","response":{"id":"r1","status":"completed","output":[],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}`,
		has:  []string{`"thinking":"one"`, `"thinking":"\n\n"`, `"thinking":"two"`},
		once: []string{`event: content_block_start`, `signature_delta`},
	},
	{
		name: "B18 an answer that is incomplete, with half a call", client: claude, upstream: responses, in: `
{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}
{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":""}}
{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"a\""}
{"type":"response.incomplete","response":{"id":"r1","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}`,
		has: []string{`"stop_reason":"max_tokens"`},
		not: []string{`"stop_reason":"tool_use"`},
	},
	{
		name: "B18 and for a client of Responses", client: responses, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"{\"a\""}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}
[DONE]`,
		has: []string{`"arguments":"{\"a\"","status":"incomplete"`, `event: response.incomplete`, `"incomplete_details":{"reason":"max_output_tokens"}`},
		not: []string{`"status":"completed"`},
	},
	{
		name: "D3 D5 calls one a chunk, and one finish at the end", client: chat, upstream: gem, in: `
{"candidates":[{"index":0,"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}}]}}],"modelVersion":"x","responseId":"r1"}
{"candidates":[{"index":0,"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":2}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"thoughtsTokenCount":2,"totalTokenCount":12}}`,
		has:  []string{`{"index":0,"id":"call_gem_`, `{"index":1,"id":"call_gem_`},
		not:  []string{`"finish_reason":"stop"`, `"usage"`},
		once: []string{`"finish_reason":"tool_calls"`, `[DONE]`},
	},
	{
		name: "D17 no usage that was not asked for", client: chat, upstream: gem, ask: `{"model":"m","stream":true,"messages":[{"role":"user","content":"u"}]}`, in: `
{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"totalTokenCount":10}}`,
		not:  []string{`usage`},
		once: []string{`[DONE]`},
	},
	{
		name: "D17 once, at the end, if it was", client: chat, upstream: gem, ask: `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"u"}]}`, in: `
{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"h"}]}}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":1,"totalTokenCount":8}}
{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"i"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"thoughtsTokenCount":5,"cachedContentTokenCount":4,"totalTokenCount":15}}`,
		has:  []string{"\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":4},\"completion_tokens\":8,\"completion_tokens_details\":{\"reasoning_tokens\":5},\"total_tokens\":15}}\n\ndata: [DONE]"},
		once: []string{`"usage"`},
	},
	{
		name: "A30 reasoning that nobody sealed has a signature, which is base64", client: claude, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"hm"}}]}
{"id":"c1","choices":[{"index":0,"delta":{"content":"yes"}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
[DONE]`,
		once: []string{`{"type":"signature_delta","signature":"Zportic1ey`},
	},
	{
		name: "E8 an answer of nothing but reasoning", client: responses, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"all I say"}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
[DONE]`,
		has:  []string{`"delta":"all I say"`, `"output":[{"type":"reasoning","id":"rs_c1_0","summary":[{"type":"summary_text","text":"all I say"}]},{"type":"message","id":"msg_c1_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"all I say"`},
		once: []string{`event: response.completed`, `event: response.output_text.done`},
	},
	{
		name: "E8 whole", client: responses, upstream: chat, whole: true,
		in:  `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"","reasoning_content":"all I say"},"finish_reason":"stop"}]}`,
		has: []string{`{"type":"message","id":"msg_c1_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"all I say"`},
	},
	{
		name: "E16 items that interleave keep their places", client: responses, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}
{"id":"c1","choices":[{"index":0,"delta":{"content":"h"}}]}
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\""}},{"index":1,"id":"t2","type":"function","function":{"name":"g","arguments":"{"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}},{"index":1,"function":{"arguments":"}"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}
[DONE]`,
		has:  []string{`"output_index":2,"item":{"id":"fc_c1_2"`, `"output_index":3,"item":{"id":"fc_c1_3"`, `"item_id":"fc_c1_2","output_index":2,"delta":":1}"`, `"item_id":"fc_c1_3","output_index":3,"delta":"}"`},
		once: []string{`"output":[{"type":"reasoning","id":"rs_c1_0"`},
	},
	{
		name: "E17 calls without ids", client: responses, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}
[DONE]`,
		has: []string{`"call_id":"call_599a12c78af570ba2643be0b","name":"f","arguments":"","status":"in_progress"`, `"call_id":"call_599a12c78af570ba2643be0b","name":"f","arguments":"{}","status":"completed"`},
		not: []string{`"call_id":""`},
	},
	{
		name: "E18 a limit", client: responses, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"content":"h"}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}
[DONE]`,
		has: []string{`event: response.incomplete`, `"incomplete_details":{"reason":"max_output_tokens"}`},
		not: []string{`response.completed`},
	},
	{
		name: "E18 a filter", client: responses, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"content":"h"}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}
[DONE]`,
		has: []string{`event: response.incomplete`, `"incomplete_details":{"reason":"content_filter"}`},
		not: []string{`response.completed`},
	},
	{
		name: "E19 an end before the finish, and what follows it", client: responses, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"content":"h"}}]}
[DONE]
{"id":"c1","choices":[{"index":0,"delta":{"content":"late"}}]}`,
		has:  []string{`event: response.output_text.done`},
		not:  []string{`late`},
		once: []string{`event: response.completed`},
	},
	{
		name: "E20 F11 details of the usage, even where they are nothing", client: responses, upstream: gem, in: `
{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"h"}]}}],"usageMetadata":{"promptTokenCount":0,"totalTokenCount":0}}
{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"i"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"thoughtsTokenCount":2,"cachedContentTokenCount":4,"totalTokenCount":12}}`,
		has: []string{`"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":12}`},
	},
	{
		name: "E20 no details at all", client: responses, upstream: chat, whole: true,
		in:  `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`,
		has: []string{`"input_tokens_details":{"cached_tokens":0}`, `"output_tokens_details":{"reasoning_tokens":0}`},
	},
	{
		name: "B30 a refusal is no empty success", client: claude, upstream: responses, whole: true,
		in:  `{"id":"r1","object":"response","status":"completed","output":[{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"refusal","refusal":"no"}]}],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}`,
		has: []string{`"stop_reason":"refusal"`, `"text":"no"`},
		not: []string{`end_turn`},
	},
	{
		name: "B30 nor an ordinary end", client: gem, upstream: chat, whole: true,
		in:  `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"no"},"finish_reason":"stop"}]}`,
		has: []string{`"finishReason":"SAFETY"`, `"text":"no"`},
	},
	{
		name: "B30 nor an ordinary end of a stream", client: gem, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","refusal":"no"}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
[DONE]`,
		has: []string{`"finishReason":"SAFETY"`, `"text":"no"`},
	},
	{
		name: "A26 members that are there and say nothing", client: gem, upstream: chat, whole: true,
		in:  `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"four","function_call":{"arguments":"","name":""},"tool_calls":[{"custom":{"input":"","name":""},"function":{"arguments":"{\"a\":1}","name":"f"},"id":"t1","type":"function"},{"id":"","function":{"name":"","arguments":""}}]},"finish_reason":"stop"}]}`,
		has: []string{`"name":"f","args":{"a":1}`, `"finishReason":"STOP"`}, once: []string{`"functionCall"`},
	},
	{
		name: "A26 nor do they in a stream", client: claude, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","custom":{"input":"","name":""},"function":{"name":"f","arguments":"{\"a\""}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{"function_call":{"arguments":"","name":""},"tool_calls":[{"index":0,"function":{"name":"","arguments":":1}"},"custom":{"input":"","name":""}}]}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}
[DONE]`,
		has: []string{`"partial_json":"{\"a\""`, `"partial_json":":1}"`, `"stop_reason":"tool_use"`}, not: []string{`input\"`}, once: []string{`event: content_block_start`},
	},
	{
		name: "A26 nothing but such a call is none", client: claude, upstream: chat, whole: true,
		in:  `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"four","function_call":{"arguments":"","name":""}},"finish_reason":"stop"}]}`,
		has: []string{`"text":"four"`, `"stop_reason":"end_turn"`}, not: []string{`tool_use`},
	},
	{
		name: "no trap: an answer that is spoken", client: gem, upstream: chat, in: `
{"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","audio":{"id":"a1","transcript":"he"}}}]}
{"id":"c1","choices":[{"index":0,"delta":{"audio":{"data":"AAE=","transcript":"llo"}}}]}
{"id":"c1","choices":[{"index":0,"delta":{"audio":{"data":"AgM=","expires_at":1}}}]}
{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
[DONE]`,
		has: []string{`"text":"he"`, `"text":"llo"`, `"inlineData":{"mimeType":"audio/pcm","data":"AAECAw=="}`, `"finishReason":"STOP"`},
	},
	{
		name: "B15 free text for a tool that takes none", client: claude, upstream: responses, whole: true,
		in:  `{"id":"r1","object":"response","status":"completed","output":[{"type":"custom_tool_call","id":"ctc_1","call_id":"call_1","name":"f","input":"4 + 4","status":"completed"}]}`,
		has: []string{`"name":"f","input":{"input":"4 + 4"}`, `"stop_reason":"tool_use"`},
	},
	{
		name: "B15 and in pieces", client: claude, upstream: responses, in: `
{"type":"response.created","sequence_number":0,"response":{"id":"r1","status":"in_progress","output":[]}}
{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"custom_tool_call","id":"ctc_1","call_id":"call_1","name":"f","input":""}}
{"type":"response.custom_tool_call_input.delta","sequence_number":2,"output_index":0,"item_id":"ctc_1","delta":"4 + 4"}
{"type":"response.output_item.done","sequence_number":3,"output_index":0,"item":{"type":"custom_tool_call","id":"ctc_1","call_id":"call_1","name":"f","input":"4 + 4"}}
{"type":"response.completed","sequence_number":4,"response":{"id":"r1","status":"completed","output":[]}}`,
		has: []string{`"partial_json":"{\"input\":\""`, `"partial_json":"4 + 4"`, `"partial_json":"\"}"`, `"stop_reason":"tool_use"`},
	},
	{
		name: "F16 a call has the same id whole", client: responses, upstream: gem, whole: true,
		in:  `{"candidates":[{"index":0,"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}}]},"finishReason":"STOP"}],"responseId":"r1"}`,
		has: []string{`"call_id":"call_gem_61b0caa31bcbbe22"`},
	},
	{
		name: "F16 and in pieces", client: responses, upstream: gem, in: `
{"candidates":[{"index":0,"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}}]},"finishReason":"STOP"}],"responseId":"r1"}`,
		has: []string{`"call_id":"call_gem_61b0caa31bcbbe22"`},
	},
}

// asking is a request in each protocol with the tools that the answers call.
var asking = map[string]string{
	claude:    `{"model":"m","max_tokens":99,"stream":true,"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}},{"name":"g","input_schema":{"type":"object","properties":{}}},{"name":"h","input_schema":{"type":"object","properties":{}}}],"messages":[{"role":"user","content":"u"}]}`,
	chat:      `{"model":"m","stream":true,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"messages":[{"role":"user","content":"u"}]}`,
	responses: `{"model":"m","stream":true,"input":"u","reasoning":{"summary":"auto"},"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}},{"type":"function","name":"g","parameters":{"type":"object","properties":{}}}]}`,
	gem:       `{"contents":[{"role":"user","parts":[{"text":"u"}]}]}`,
}

// TestTrapsOfAnswers: what a client gets where a translation is known to go
// wrong.
func TestTrapsOfAnswers(t *testing.T) {
	for _, c := range answerTraps {
		t.Run(c.name, func(t *testing.T) {
			ask := c.ask
			if ask == "" {
				ask = asking[c.client]
			}
			if c.whole {
				ask = strings.Replace(ask, `"stream":true,`, "", 1)
			}
			upstream := translatorOf(c.upstream)
			b, err := New(translatorOf(c.client), upstream, []byte(ask), Options{ID: "req_1", Model: "m", Stream: !c.whole, Created: 1})
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err = b.Request(upstreamOf(upstream, "one")); err != nil {
				t.Fatal(err)
			}
			got := toldTo(t, b, c.in, c.whole)
			for _, s := range c.has {
				if !strings.Contains(got, s) {
					t.Errorf("no %s in\n%s", s, got)
				}
			}
			for _, s := range c.not {
				if strings.Contains(got, s) {
					t.Errorf("%s in\n%s", s, got)
				}
			}
			for _, s := range c.once {
				if n := strings.Count(got, s); n != 1 {
					t.Errorf("%s is there %d times in\n%s", s, n, got)
				}
			}
		})
	}
}

// toldTo is what the client of b gets of an answer.
func toldTo(t *testing.T, b *Bridge, in string, whole bool) string {
	t.Helper()
	if whole {
		out, err := b.Whole([]byte(in))
		if err != nil || !jsontext.Value(out).IsValid() {
			t.Fatalf("%v in %s", err, out)
		}
		return string(out)
	}
	var out []byte
	var err error
	for line := range strings.SplitSeq(strings.TrimSpace(in), "\n") {
		for _, f := range codectest.Frames([]byte("data: " + line + "\n\n")) {
			if out, err = b.Frame(out, nil, f.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	return string(b.End(out))
}
