package simulator

import (
	"fmt"
	"strings"
	"testing"

	"portico/internal/protocol"
)

// TestReads sends what clients send in the corners of the protocols, and wants
// the answer to show that it was understood.
func TestReads(t *testing.T) {
	chat := func(message, more string) string {
		return `{"model":"m","messages":[{"role":"user","content":"hi"},` + message + `]` + more + `}`
	}
	item := func(items, more string) string {
		return `{"model":"m","input":[` + items + `]` + more + `}`
	}
	block := func(block, more string) string {
		return `{"model":"m","max_tokens":999,"messages":[{"role":"user","content":[` + block + `]}]` + more + `}`
	}
	part := func(part, more string) string {
		return `{"contents":[{"parts":[` + part + `]}]` + more + `}`
	}
	tools := `,"tools":[{"type":"function","function":{"name":"a"}},{"type":"custom","custom":{"name":"b"}}]`
	flat := `,"tools":[{"type":"function","name":"a"},{"type":"custom","name":"b"}]`
	declared := `,"tools":{"function_declarations":[{"name":"a","parameters":{"type":"OBJECT"}}]}`
	for _, c := range []struct{ dialect, body, says string }{
		{protocol.OpenAIChat, chat(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}`, ``), `You sent an image at https://x/y.png.`},
		{protocol.OpenAIChat, chat(`{"role":"user","content":[{"type":"image_url","image_url":"https://x/y.png"}]}`, ``), `You sent an image at https://x/y.png.`},
		{protocol.OpenAIChat, chat(`{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}`, ``), `You sent an audio (audio/wav) of 3 bytes.`},
		{protocol.OpenAIChat, chat(`{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA","filename":"x.pdf"}}]}`, ``), `You sent a file (application/pdf) of 3 bytes.`},
		{protocol.OpenAIChat, chat(`{"role":"user","content":[{"type":"file","file":{"file_id":"file_1"}}]}`, ``), `You sent a file at file_1.`},
		{protocol.OpenAIChat, chat(`{"role":"tool","tool_call_id":"?","name":"n","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}`, ``), `n returned: x\ny`},
		{protocol.OpenAIChat, chat(`{"role":"function","name":"n","content":"x"}`, ``), `n returned: x`},
		{protocol.OpenAIChat, chat(`{"role":"assistant","content":[{"type":"refusal","refusal":"no"}]}`, ``), greeting + `"`},
		{protocol.OpenAIChat, chat(`{"role":"developer","content":"x"}`, `,"response_format":{"type":"json_object"}`), `"content":"{\"simulator\":true,\"answer\":\"` + greeting},
		{protocol.OpenAIChat, chat(`{"role":"user","content":null}`, tools+`,"tool_choice":{"type":"custom","custom":{"name":"b"}}`), `"custom":{"name":"b","input":"simulated input"}`},
		{protocol.OpenAIChat, chat(`{"role":"user","content":null}`, tools+`,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"custom","custom":{"name":"b"}}]}}`), `"custom":{"name":"b"`},
		{protocol.OpenAIChat, chat(`{"role":"user","content":"x"}`, tools+`,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}`), `You said: x`},
		{protocol.OpenAIChat, chat(`{"role":"user","content":"x"}`, `,"modalities":["image","text"]`), `"images":[{`},
		{protocol.OpenAIChat, chat(`{"role":"user","content":"[[say:abc]]"}`, `,"stop":["c","b"],"max_tokens":"5"`), `"content":"a"`},
		{protocol.OpenAIResponses, `{"model":"m","input":"hi"}`, `You said: hi`},
		{protocol.OpenAIResponses, `{"prompt":{"id":"p"}}`, `"model":"simulator"`},
		{protocol.OpenAIResponses, item(`{"role":"user","content":[{"type":"input_image","file_id":"file_1"},{"type":"input_file","file_url":"https://x/y.pdf"}]}`, ``), `You sent an image at file_1. You sent a file at https://x/y.pdf.`},
		{protocol.OpenAIResponses, item(`{"type":"custom_tool_call","call_id":"c","name":"n","input":"i"},{"type":"custom_tool_call_output","call_id":"c","output":[{"type":"input_text","text":"x"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}`, ``), `n returned: x You sent an image (image/png) of 3 bytes.`},
		{protocol.OpenAIResponses, item(`{"type":"tool_search_call","arguments":{"q":1}},{"type":"item_reference","id":"x"},{"type":"configuration_update"},{"role":"user","content":"x"}`, ``), `You said: x`},
		{protocol.OpenAIResponses, item(`{"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"late"}]},{"role":"user","content":"[[tool:late]]"}`, ``), `"name":"late","arguments":"{}"`},
		{protocol.OpenAIResponses, item(`{"role":"developer","content":"x"},{"role":"user","content":"x"}`, flat+`,"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"custom","name":"b"}]}`), `"name":"b","input":"simulated input"`},
		{protocol.OpenAIResponses, item(`{"role":"user","content":"x"}`, `,"tools":[{"type":"image_generation"}],"tool_choice":{"type":"image_generation"}`), `"type":"image_generation_call","status":"completed"`},
		{protocol.OpenAIResponses, item(`{"role":"user","content":"x"}`, `,"instructions":"be
brief"`), `cannot be read`}, // a raw line end in a string
		{protocol.OpenAIResponses, item(`{"role":"user","content":"x"}`, ",\"metadata\":{\n\"a\":\r\n\"b\"},\"text\":{\"format\":{\"type\":\"text\"},\"verbosity\":\"low\"}"), `"metadata":{"a":"b"}`},
		{protocol.Anthropic, block(`{"type":"image","source":{"type":"url","url":"https://x/y"}},{"type":"document","source":{"type":"file","file_id":"file_1"}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"abc"}}`, ``), `You sent an image at https://x/y. You sent a document at file_1. You sent a document (text/plain) of 3 bytes.`},
		{protocol.Anthropic, block(`{"type":"search_result","source":"s","content":[{"type":"text","text":"x"}]},{"type":"text","text":"y"}`, ``), `You said: y`},
		{protocol.Anthropic, block(`{"type":"tool_result","tool_use_id":"?","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},{"type":"tool_reference","tool_name":"WebFetch"}]}`, ``), `The tool returned: WebFetch You sent an image (image/png) of 3 bytes.`},
		{protocol.Anthropic, block(`{"type":"tool_result","tool_use_id":"?"}`, ``), `The tool returned: `},
		{protocol.Anthropic, `{"model":"m","max_tokens":99,"system":"s","messages":[{"role":"user","content":"x"},{"role":"system","content":"mind"}]}`, `You said: x`},
		{protocol.Anthropic, block(`{"type":"text","text":"x"}`, `,"output_format":{"type":"json_schema","schema":{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}}`), `"text":"{\"n\":1}"`},
		{protocol.Anthropic, block(`{"type":"text","text":"[[tool:bash]]"}`, `,"tools":[{"type":"bash_20250124","name":"bash"},{"type":"code_execution_20250825","name":"code_execution"}]`), `"name":"bash","input":{}`},
		{protocol.Anthropic, block(`{"type":"text","text":"[[tool:code_execution]]"}`, `,"tools":[{"type":"code_execution_20250825","name":"code_execution"}]`), `which the request does not offer`},
		{protocol.Gemini, `{"contents":"hi"}`, `You said: hi`},
		{protocol.Gemini, `{"contents":{"parts":{"text":"hi"}}}`, `You said: hi`},
		{protocol.Gemini, part(`{"fileData":{"mimeType":"video/mp4","fileUri":"https://x/y"}},{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}},{"inlineData":{"data":"AA"}}`, ``), `You sent a video (video/mp4) at https://x/y. You sent a document (application/pdf) of 3 bytes. You sent a file of 1 bytes.`},
		{protocol.Gemini, part(`{"functionResponse":{"name":"n","response":{"a":1},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}`, ``), `n returned: {\"a\":1} You sent an image (image/png) of 3 bytes.`},
		{protocol.Gemini, part(`{"text":"x"}`, `,"generation_config":{"response_mime_type":"application/json"}`), `"text":"{\"simulator\":true`},
		{protocol.Gemini, part(`{"text":"x"}`, `,"generationConfig":{"responseMimeType":"text/x.enum","responseSchema":{"type":"STRING","enum":["red","blue"]}}`), `"text":"red"`},
		{protocol.Gemini, part(`{"text":"x"}`, `,"generationConfig":{"responseJsonSchema":{"type":"OBJECT","required":["n"],"properties":{"n":{"type":"INTEGER"}}}}`), `"text":"{\"n\":1}"`},
		{protocol.Gemini, part(`{"text":"x"}`, `,"generationConfig":{"responseModalities":["TEXT","IMAGE"]}`), `"inlineData":{"mimeType":"image/png"`},
		{protocol.Gemini, part(`{"text":"[[tool:a {\n\"x\": 1}]]"}`, declared), `"functionCall":{"id":"call_3","name":"a","args":{"x":1}}`},
		{protocol.Gemini, part(`{"text":"x"}`, declared+`,"toolConfig":{"functionCallingConfig":{"mode":"any"}}`), `"name":"a"`},
		{protocol.Gemini, part(`{"text":"x"}`, `,"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}`), `"parts":[{"text":"` + greeting + ` You said: x"}]`},
		{protocol.Gemini, part(`{"text":"x"}`, `,"generationConfig":{"candidateCount":17}`), `from 1 to 16`},
	} {
		path := map[string]string{protocol.OpenAIChat: "/chat/completions", protocol.OpenAIResponses: "/responses", protocol.Anthropic: "/v1/messages", protocol.Gemini: "/models/m:generateContent"}[c.dialect]
		if r := send(t, fixed(), c.dialect, path, c.body); !strings.Contains(string(r.body), c.says) {
			t.Errorf("%s\ngives %s\nwithout %s", c.body, r.body, c.says)
		}
	}
}

// TestLines: what is copied from a request into an event may have line ends,
// an event may not.
func TestLines(t *testing.T) {
	body := "{\"model\":\"m\",\"stream\":true,\n\"metadata\":{\n\"a\":\r\n\"b\"},\"input\":\"[[tool:a {\\n\\\"x\\\": 1}]]\",\"tools\":[\n{\"type\":\"function\",\n\"name\":\"a\"}\n]}"
	if x := judgeResponses(t, send(t, fixed(), protocol.OpenAIResponses, "/responses", body).body, true); fmt.Sprint(x.Calls) != "[a {\n\"x\": 1}]" {
		t.Errorf("the calls are %q", x.Calls)
	}
	body = "{\"contents\":\"[[tool:a {\\n\\\"x\\\": 1}]]\",\"tools\":[{\"functionDeclarations\":[{\"name\":\"a\"}]}]}"
	if x := judgeGemini(t, send(t, fixed(), protocol.Gemini, "/models/m:streamGenerateContent?alt=sse", body).body, true); fmt.Sprint(x[0].Calls) != `[a {"x":1}]` {
		t.Errorf("the calls are %q", x[0].Calls)
	}
}

// TestNotUTF8: bytes that are no text are answered like any other.
func TestNotUTF8(t *testing.T) {
	for _, dialect := range speaks {
		for _, streamed := range []bool{false, true} {
			path, body := wants{said: "@"}.build(dialect, streamed)
			body = strings.Replace(body, "@", "[[say:a\xff"+strings.Repeat("\x80", 200)+"]]", 1)
			if x := judge(t, dialect, send(t, fixed(), dialect, path, body).body, streamed); x.Text != "a"+strings.Repeat("\ufffd", 201) {
				t.Errorf("%s says %q", dialect, x.Text)
			}
		}
	}
}

// TestAlt: $alt names the form of the stream, too.
func TestAlt(t *testing.T) {
	for query, events := range map[string]bool{"alt=sse": true, "%24alt=sse%3Benum-encoding=int": true, "alt=json": false, "": false} {
		r := send(t, fixed(), protocol.Gemini, "/models/m:streamGenerateContent?"+query, `{"contents":"x"}`)
		if strings.HasPrefix(string(r.body), "data: ") != events {
			t.Errorf("%s gives %.20s", query, r.body)
		}
	}
}
