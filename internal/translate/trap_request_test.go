package translate

import (
	"encoding/json/jsontext"
	"strings"
	"testing"

	"portico/internal/protocol"
)

// A requestTrap is one request that crosses from a client to an upstream.
type requestTrap struct {
	name             string // begins with the ids of spec translation-traps that it is about
	client, upstream string
	in               string
	model            string   // "": one that nobody has heard of
	efforts          string   // that it knows
	foreign          bool     // the upstream is a copy of its protocol's vendor
	has, not         []string // of what the upstream is asked, without blanks
	lost             []string // paths of losses that must be told
}

func translatorOf(name string) protocol.Translator {
	for _, t := range translators {
		if t.Name() == name {
			return t
		}
	}
	return nil
}

const (
	chat      = protocol.OpenAIChat
	responses = protocol.OpenAIResponses
	claude    = protocol.Anthropic
	gem       = protocol.Gemini
)

var requestTraps = []requestTrap{
	{
		name: "A5 A6 a picture among results stands behind all of them", client: claude, upstream: chat,
		in:   `{"model":"m","max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},{"type":"tool_result","tool_use_id":"b","content":"two"},{"type":"text","text":"look"}]}]}`,
		has:  []string{`{"role":"tool","tool_call_id":"a","content":"[image 1 follows below]"},{"role":"tool","tool_call_id":"b","content":"two"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},{"type":"text","text":"look"}]}`},
		lost: []string{`messages[2].content[0].content[0]`},
	},
	{
		name: "A8 A9 a result without content, and one that failed", client: claude, upstream: chat,
		in:   `{"model":"m","max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"},{"type":"tool_result","tool_use_id":"b","content":"no","is_error":true}]}]}`,
		has:  []string{`{"role":"tool","tool_call_id":"a","content":""}`, `"content":"no"`},
		lost: []string{`messages[2].content[1].is_error`},
	},
	{
		name: "A16 any tool, one call at a time", client: claude, upstream: chat,
		in:  `{"model":"m","max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},"messages":[{"role":"user","content":"u"}]}`,
		has: []string{`"tool_choice":"required"`, `"parallel_tool_calls":false`},
	},
	{
		name: "A20 stop sequences are a list", client: claude, upstream: chat,
		in:  `{"model":"m","max_tokens":9,"stop_sequences":["X"],"messages":[{"role":"user","content":"u"}]}`,
		has: []string{`"stop":["X"]`},
	},
	{
		name: "A24 E13 the usage is asked for in a stream", client: claude, upstream: chat,
		in:  `{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"u"}]}`,
		has: []string{`"stream":true`, `"stream_options":{"include_usage":true}`},
	},
	{
		name: "A29 A30 E6 a thought without a seal goes with its message", client: claude, upstream: chat, foreign: true,
		in:  `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"a"}]},{"role":"user","content":"v"}]}`,
		has: []string{`"reasoning_content":"hm"`},
		not: []string{`signature`},
	},
	{
		name: "A39 whose request it is", client: claude, upstream: chat,
		in:  `{"model":"m","max_tokens":9,"metadata":{"user_id":"u-1"},"messages":[{"role":"user","content":"u"}]}`,
		has: []string{`"safety_identifier":"u-1"`},
	},
	{
		name: "A39 a longer name than OpenAI takes", client: claude, upstream: chat,
		in:  `{"model":"m","max_tokens":99,"metadata":{"user_id":"user_0123456789012345678901234567890123456789012345678901234567890123_account__session_1"},"messages":[{"role":"user","content":"u"}]}`,
		has: []string{`"safety_identifier":"`},
		not: []string{`user_0123`},
	},
	{
		name: "A39 a longer name than OpenAI takes", client: claude, upstream: responses,
		in:  `{"model":"m","max_tokens":99,"metadata":{"user_id":"user_0123456789012345678901234567890123456789012345678901234567890123_account__session_1"},"messages":[{"role":"user","content":"u"}]}`,
		has: []string{`"safety_identifier":"`},
		not: []string{`user_0123`},
	},
	{
		name: "A40 A41 a document and a picture at an address", client: claude, upstream: chat,
		in:  `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"document","title":"T","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}},{"type":"image","source":{"type":"url","url":"https://e.example/a.png"}}]}]}`,
		has: []string{`{"file_data":"data:application/pdf;base64,JVBERi0=","filename":"T"}`, `{"url":"https://e.example/a.png"}`},
	},
	{
		name: "B2 B3 B7 a turn becomes items, with ids of their own", client: claude, upstream: responses,
		in:   `{"model":"m","max_tokens":9,"stream":true,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"text","text":"a"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"x":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"r"}]}]}`,
		has:  []string{`{"type":"function_call","call_id":"toolu_1",`, `{"type":"function_call_output","call_id":"toolu_1","output":"r"}`, `"include":["reasoning.encrypted_content"]`, `"store":false`, `{"type":"output_text","text":"a","annotations":[]}]},{"type":"function_call"`},
		not:  []string{`hm`, `"sig"`},
		lost: []string{`messages[1].content[0]`},
	},
	{
		name: "B8 a limit below what Responses takes", client: claude, upstream: responses,
		in:   `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"u"}]}`,
		has:  []string{`"max_output_tokens":16`},
		lost: []string{`max_tokens`},
	},
	{
		name: "B12 B28 E2 instructions keep their places", client: claude, upstream: responses,
		in:  `{"model":"m","max_tokens":99,"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}},{"type":"text","text":"T"}],"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"},{"role":"system","content":"M"}]}`,
		has: []string{`"input":[{"type":"message","role":"system","content":[{"type":"input_text","text":"S","prompt_cache_breakpoint":{"mode":"explicit"}},{"type":"input_text","text":"T"}]}`, `{"type":"input_text","text":"v"}]},{"type":"message","role":"system","content":[{"type":"input_text","text":"M"}]}]`},
		not: []string{`"instructions":null`},
	},
	{
		name: "B13 a picture in a result", client: claude, upstream: responses,
		in:  `{"model":"m","max_tokens":99,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"t"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]}]}`,
		has: []string{`"output":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="`},
	},
	{
		name: "B25 a tool is not strict unless it says so", client: claude, upstream: responses,
		in:  `{"model":"m","max_tokens":99,"tools":[{"name":"f","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}],"messages":[{"role":"user","content":"u"}]}`,
		has: []string{`"strict":false`},
	},
	{
		name: "B29 no key of a prompt cache is made of who asks", client: claude, upstream: responses,
		in:  `{"model":"m","max_tokens":99,"metadata":{"user_id":"random-1"},"messages":[{"role":"user","content":"u"}]}`,
		not: []string{`prompt_cache_key`},
	},
	{
		name: "B29 the client's own key goes where it is known", client: responses, upstream: chat,
		in:  `{"model":"m","input":"u","prompt_cache_key":"k","prompt_cache_retention":"24h"}`,
		has: []string{`"prompt_cache_key":"k"`, `"prompt_cache_retention":"24h"`},
	},
	{
		name: "B29 and is left out elsewhere", client: responses, upstream: chat, foreign: true,
		in:  `{"model":"m","input":"u","prompt_cache_key":"k","prompt_cache_retention":"24h"}`,
		not: []string{`prompt_cache`},
	},
	{
		name: "C27 words with underscores", client: gem, upstream: chat,
		in:  `{"system_instruction":{"parts":[{"text":"S"}]},"contents":[{"role":"user","parts":[{"inline_data":{"mime_type":"image/png","data":"iVBORw0KGgo="}}]}],"generation_config":{"max_output_tokens":7},"tools":[{"function_declarations":[{"name":"f","parameters_json_schema":{"type":"object"}}]}]}`,
		has: []string{`{"role":"system","content":"S"}`, `data:image/png;base64,iVBORw0KGgo=`, `"max_completion_tokens":7`, `"name":"f"`},
	},
	{
		name: "C27 humps go out", client: chat, upstream: gem,
		in:  `{"model":"m","max_tokens":7,"messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]}`,
		has: []string{`"generationConfig":{"maxOutputTokens":7}`, `"systemInstruction":`, `"inlineData":{"mimeType":"image/png"`},
		not: []string{`_`},
	},
	{
		name: "D7 F7 an answer's schema keeps that it is closed", client: responses, upstream: gem,
		in:  `{"model":"m","input":"u","text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}}}`,
		has: []string{`"responseMimeType":"application/json"`, `"responseJsonSchema":{`, `"additionalProperties":false`},
	},
	{
		name: "D18 functionResponse objects are JSON in the tool's message", client: gem, upstream: chat,
		in:  `{"contents":[{"role":"user","parts":[{"text":"u"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"temp":20}}}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"x":{"type":"INTEGER"}}}}]}]}`,
		has: []string{`"arguments":"{\"x\":1}"`, `"content":"{\"temp\":20}"`},
	},
	{
		name: "E1 input is one string", client: responses, upstream: chat,
		in:  `{"model":"m","input":"u"}`,
		has: []string{`"messages":[{"role":"user","content":"u"}]`},
	},
	{
		name: "E1 items without a type, and an assistant's message without an id", client: responses, upstream: chat,
		in:  `{"model":"m","input":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":[{"type":"input_text","text":"v"}]}]}`,
		has: []string{`"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}]`},
	},
	{
		name: "E2 developers are systems to others, in their order", client: responses, upstream: chat, foreign: true,
		in:  `{"model":"m","instructions":"I","input":[{"role":"developer","content":"D"},{"role":"system","content":"S"},{"role":"user","content":"u"}]}`,
		has: []string{`"messages":[{"role":"system","content":"I"},{"role":"system","content":"D"},{"role":"system","content":"S"},{"role":"user","content":"u"}]`},
	},
	{
		name: "E2 and stay developers with OpenAI", client: responses, upstream: chat,
		in:  `{"model":"m","instructions":"I","input":[{"role":"developer","content":"D"},{"role":"user","content":"u"}]}`,
		has: []string{`"messages":[{"role":"system","content":"I"},{"role":"developer","content":"D"},{"role":"user","content":"u"}]`},
	},
	{
		name: "E3 F5 calls that follow one another are of one message", client: responses, upstream: chat,
		in:  `{"model":"m","input":[{"role":"user","content":"u"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call","call_id":"b","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"1"},{"type":"function_call_output","call_id":"b","output":"2"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}]}`,
		has: []string{`"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}]`},
	},
	{
		name: "F5 and of one content of Gemini's", client: responses, upstream: gem,
		in:  `{"model":"m","input":[{"role":"user","content":"u"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call","call_id":"b","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"1"},{"type":"function_call_output","call_id":"b","output":"2"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}]}`,
		has: []string{`{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}},{"functionCall":{"id":"b","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"1"}}},{"functionResponse":{"id":"b","name":"f","response":{"output":"2"}}}]}`},
	},
	{
		name: "E5 what a call gave back may be a list or an object", client: responses, upstream: chat,
		in:   `{"model":"m","input":[{"role":"user","content":"u"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}]}],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}]}`,
		has:  []string{`{"role":"tool","tool_call_id":"a","content":"t"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}`},
		lost: []string{`messages[2].content[0].content[1]`},
	},
	{
		name: "F3 and is a response with parts for Gemini", client: responses, upstream: gem,
		in:   `{"model":"m","input":[{"role":"user","content":"u"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}]}],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}]}`,
		has:  []string{`{"functionResponse":{"id":"a","name":"f","response":{"output":"t"}}},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}`},
		lost: []string{`messages[2].content[0].content[1]`},
	},
	{
		name: "E6 thoughts go on the message that follows", client: responses, upstream: chat, foreign: true,
		in:  `{"model":"m","input":[{"role":"user","content":"u"},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]},{"role":"user","content":"v"}]}`,
		has: []string{`{"role":"assistant","content":"a","reasoning_content":"hm"}`},
	},
	{
		name: "E9 a tool of OpenAI's own has no form in chat", client: responses, upstream: chat,
		in:   `{"model":"m","input":"u","tools":[{"type":"file_search","vector_store_ids":["v"]},{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}],"tool_choice":{"type":"file_search"}}`,
		has:  []string{`"tools":[{"type":"function","function":{"name":"f"`},
		not:  []string{`file_search`, `tool_choice`},
		lost: []string{`tools[0]`, `tool_choice`},
	},
	{
		name: "B14 E9 but a search has a seat of its own", client: responses, upstream: chat, model: "gpt-5-search-api",
		in:   `{"model":"m","input":"u","tools":[{"type":"web_search","search_context_size":"low","user_location":{"type":"approximate","country":"NO"},"filters":{"allowed_domains":["e.example"]}}]}`,
		has:  []string{`"web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"country":"NO"}}}`},
		not:  []string{`"tools"`},
		lost: []string{`tools.web_search.filters`},
	},
	{
		name: "B14 F8 and so has one of Google's", client: gem, upstream: chat, model: "gpt-5-search-api",
		in:  `{"contents":[{"role":"user","parts":[{"text":"u"}]}],"tools":[{"googleSearch":{}}]}`,
		has: []string{`"web_search_options":{}`},
	},
	{
		name: "E10 a choice is nested in chat", client: responses, upstream: chat,
		in:  `{"model":"m","input":"u","tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}],"tool_choice":{"type":"function","name":"f"}}`,
		has: []string{`"tool_choice":{"type":"function","function":{"name":"f"}}`},
	},
	{
		name: "E10 and flat in Responses", client: chat, upstream: responses,
		in:  `{"model":"m","messages":[{"role":"user","content":"u"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`,
		has: []string{`"tool_choice":{"type":"function","name":"f"}`},
	},
	{
		name: "E10 some of the tools", client: responses, upstream: chat,
		in:  `{"model":"m","input":"u","tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}},{"type":"function","name":"g","parameters":{"type":"object","properties":{}}}],"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"g"}]}}`,
		has: []string{`"allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}`},
	},
	{
		name: "E11 E12 E24 what has another name", client: responses, upstream: chat,
		in:  `{"model":"m","input":"u","max_output_tokens":77,"service_tier":"flex","safety_identifier":"s","user":"w","text":{"verbosity":"low","format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object","properties":{},"additionalProperties":false}}}}`,
		has: []string{`"max_completion_tokens":77`, `"response_format":{"type":"json_schema","json_schema":{"name":"n",`, `"strict":true`, `"verbosity":"low"`, `"service_tier":"flex"`, `"safety_identifier":"s"`},
	},
	{
		name: "E12 old servers know max_tokens", client: responses, upstream: chat, foreign: true,
		in:  `{"model":"m","input":"u","max_output_tokens":77}`,
		has: []string{`"max_tokens":77`},
		not: []string{`max_completion_tokens`},
	},
	{
		name: "E11 E13 E24 and the other way", client: chat, upstream: responses,
		in:  `{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":77,"service_tier":"flex","safety_identifier":"s","user":"w","verbosity":"low","response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{},"additionalProperties":false}}},"messages":[{"role":"user","content":"u"}]}`,
		has: []string{`"max_output_tokens":77`, `"text":{"format":{"type":"json_schema","name":"n",`, `"verbosity":"low"`, `"service_tier":"flex"`, `"safety_identifier":"s"`},
		not: []string{`stream_options`},
	},
	{
		name: "E15 what is to be stored", client: responses, upstream: chat,
		in:   `{"model":"m","input":"u","store":true,"background":true,"truncation":"auto","metadata":{"a":"b"}}`,
		has:  []string{`"store":true`, `"metadata":{"a":"b"}`},
		lost: []string{`background`, `truncation`},
	},
	{
		name: "E23 functions of old", client: chat, upstream: responses,
		in:  `{"model":"m","functions":[{"name":"f","parameters":{"type":"object","properties":{}}}],"function_call":{"name":"f"},"messages":[{"role":"user","content":"u"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{\"x\":1}"}},{"role":"function","name":"f","content":"r"}]}`,
		has: []string{`{"type":"function_call","call_id":"call_f","name":"f","arguments":"{\"x\":1}"},{"type":"function_call_output","call_id":"call_f","output":"r"}`, `"tools":[{"type":"function","name":"f"`, `"tool_choice":{"type":"function","name":"f"}`},
	},
	{
		name: "E25 several answers", client: chat, upstream: responses,
		in:   `{"model":"m","n":3,"logprobs":true,"top_logprobs":2,"messages":[{"role":"user","content":"u"}]}`,
		has:  []string{`"top_logprobs":2`, `"message.output_text.logprobs"`},
		lost: []string{`n`},
	},
	{
		name: "A38 what has no counterpart is told", client: chat, upstream: claude,
		in:   `{"model":"m","max_tokens":99,"n":2,"logprobs":true,"logit_bias":{"1":2},"seed":7,"frequency_penalty":0.5,"messages":[{"role":"user","content":"u"}]}`,
		not:  []string{`seed`, `logit`},
		lost: []string{`frequency_penalty`, `seed`, `n`, `logprobs`, `logit_bias`},
	},
	{
		name: "X28 a zero is sent", client: claude, upstream: chat,
		in:  `{"model":"m","max_tokens":9,"temperature":0,"messages":[{"role":"user","content":"u"}]}`,
		has: []string{`"temperature":0`},
	},
	{
		name: "X2 nothing is escaped for a browser", client: claude, upstream: chat,
		in:  `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"<a> & </b>"}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{"a":{"type":"string","description":"<b>&"}}}}]}`,
		has: []string{`"<a> & </b>"`, `"<b>&"`},
	},
	{
		name: "F14 words in a schema that only Codex knows", client: responses, upstream: gem,
		in:   `{"model":"m","input":"u","tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{"a":{"type":"string","encrypted":true}}}}]}`,
		has:  []string{`{"a":{"type":"string"}}`},
		lost: []string{`tools[0].parameters.properties.a.encrypted`},
	},
	{
		name: "X6 what nobody knows is told", client: responses, upstream: claude,
		in:   `{"model":"m","input":[{"role":"user","content":"u"},{"type":"hologram","x":1}]}`,
		not:  []string{`hologram`},
		lost: []string{`messages[1].content[0]`},
	},
	{
		name: "B10 effort without thinking, and more than there is", client: claude, upstream: responses, efforts: "low medium high",
		in:   `{"model":"m","max_tokens":99,"output_config":{"effort":"max"},"messages":[{"role":"user","content":"u"}]}`,
		has:  []string{`"effort":"high"`},
		lost: []string{`reasoning.effort`},
	},
	{
		name: "B11 a summary alone asks Claude for no thoughts", client: responses, upstream: claude, model: "claude-opus-4-6",
		in:  `{"model":"m","input":"u","reasoning":{"summary":"auto"}}`,
		not: []string{`thinking`},
	},
	{
		name: "a file that the client's provider holds, 1", client: gem, upstream: chat,
		in:   `{"contents":[{"role":"user","parts":[{"text":"u"},{"fileData":{"mimeType":"application/pdf","fileUri":"gs://bucket/a.pdf"}}]}]}`,
		not:  []string{`gs://`, `file_id`},
		lost: []string{`messages[0].content[1]`},
	},
	{
		name: "a file that the client's provider holds, 2", client: gem, upstream: responses,
		in:   `{"contents":[{"role":"user","parts":[{"text":"u"},{"fileData":{"mimeType":"application/pdf","fileUri":"gs://bucket/a.pdf"}}]}]}`,
		not:  []string{`gs://`, `file_id`},
		lost: []string{`messages[0].content[1]`},
	},
	{
		name: "a file that the client's provider holds, 3", client: claude, upstream: responses,
		in:   `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"u"},{"type":"document","source":{"type":"file","file_id":"file_011CNha8iCJcU1wXNR6q4V8w"}}]}]}`,
		not:  []string{`gs://`, `file_id`},
		lost: []string{`messages[0].content[1]`},
	},
	{
		name: "F10 a summary and an effort are two things", client: responses, upstream: gem,
		in:  `{"model":"m","input":"u","reasoning":{"summary":"auto"}}`,
		has: []string{`"includeThoughts":true`},
		not: []string{`thinkingLevel`, `thinkingBudget`},
	},
}

// TestKindsThatChange: what becomes words on its way is told, wherever it stands.
func TestKindsThatChange(t *testing.T) {
	const document = `{"type":"document","source":{"type":"text","media_type":"text/plain","data":"page"}}`
	const in = `{"model":"m","max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":[{"type":"text","text":"u"},` + document + `]},` +
		`{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"r"},` + document + `,{"type":"tool_reference","tool_name":"f"}]}]}]}`
	for _, upstream := range []string{chat, responses, gem} {
		b, err := New(translatorOf(claude), translatorOf(upstream), []byte(in), Options{ID: "req_1", Model: "m"})
		if err != nil {
			t.Fatal(err)
		}
		out, losses, err := b.Request(upstreamOf(translatorOf(upstream), "one"))
		if err != nil || strings.Count(string(out), "page") != 2 || !strings.Contains(string(out), "[Tool loaded: f]") {
			t.Errorf("%s: %v, %s", upstream, err, out)
		}
		for _, path := range []string{"messages[0].content[1]", "messages[2].content[0].content[1]", "messages[2].content[0].content[2]"} {
			if !lost(losses, path) {
				t.Errorf("%s: %s is not told, but %+v", upstream, path, losses)
			}
		}
	}
}

// TestTrapsOfRequests: what an upstream is asked where a translation is known to
// go wrong.
func TestTrapsOfRequests(t *testing.T) {
	for _, c := range requestTraps {
		t.Run(c.name, func(t *testing.T) {
			upstream := translatorOf(c.upstream)
			b, err := New(translatorOf(c.client), upstream, []byte(c.in), Options{ID: "req_1", Model: "m"})
			if err != nil {
				t.Fatal(err)
			}
			to := upstreamOf(upstream, "one")
			if c.model != "" {
				to.Fit.Model = c.model
			}
			if c.efforts != "" {
				to.Fit.Known, to.Fit.Reasoning, to.Fit.Efforts = true, true, strings.Fields(c.efforts)
			}
			if c.foreign {
				to.Fit.Native, to.Fit.Vendor = false, "somebody"
			}
			out, losses, err := b.Request(to)
			if err != nil || !jsontext.Value(out).IsValid() {
				t.Fatalf("%v in %s", err, out)
			}
			for _, s := range c.has {
				if !strings.Contains(string(out), s) {
					t.Errorf("no %s in\n%s", s, out)
				}
			}
			for _, s := range c.not {
				if strings.Contains(string(out), s) {
					t.Errorf("%s in\n%s", s, out)
				}
			}
			for _, p := range c.lost {
				if !lost(losses, p) {
					t.Errorf("%s is not told, but %+v", p, losses)
				}
			}
		})
	}
}
