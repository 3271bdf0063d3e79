package main

import (
	"strings"
	"testing"
)

// TestUnlawful: each law is known, and a request that keeps them all breaks none.
func TestUnlawful(t *testing.T) {
	fine := map[string]string{
		"openai-chat": `{"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"u"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},` +
			`{"id":"b","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"b","content":"r"},{"role":"tool","tool_call_id":"a","content":""}],"tools":[{"function":{"name":"f","parameters":{}}}],"tool_choice":"auto"}`,
		"openai-responses": `{"input":[{"role":"user","content":[{"type":"input_text","text":"u"}]},{"type":"reasoning","summary":[]},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},` +
			`{"type":"function_call_output","call_id":"a","output":"r"},{"role":"assistant","content":[{"type":"output_text","text":"x"}]}],"tools":[{"type":"function","name":"f"}]}`,
		"anthropic": `{"max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024},"system":[{"text":"s"}],"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"s"},` +
			`{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"r"}]},{"type":"text","text":"v"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`,
		"gemini": `{"contents":[{"role":"user","parts":[{"text":"u"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}],` +
			`"tools":[{"functionDeclarations":[{"name":"f","parameters":{}}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":1}}}`,
	}
	for _, c := range []struct{ protocol, old, now, want string }{
		{"openai-chat", `"id":"b"`, `"id":"a"`, "two calls have the id a"},
		{"openai-chat", `"tool_call_id":"a"`, `"tool_call_id":"c"`, "a result of c, which does not wait for one"},
		{"openai-chat", `{"role":"tool","tool_call_id":"b"`, `{"role":"user","content":"x"},{"role":"tool","tool_call_id":"b"`, "calls without results before a message of user"},
		{"openai-chat", `,{"role":"tool","tool_call_id":"a","content":""}`, ``, "calls without results before the end"},
		{"openai-chat", `[{"type":"text","text":"u"}]`, `[]`, "a message of no parts"},
		{"openai-chat", `"content":"r"`, `"content":[{"type":"image_url"}]`, "a part of type image_url"},
		{"openai-chat", `"tools":[{"function":{"name":"f","parameters":{}}}]`, `"tools":[]`, "a choice of no tools"},
		{"openai-chat", `"tools":[{"function":{"name":"f"`, `"tools":[{"function":{"name":"f.g"`, `a tool is called "f.g"`},
		{"openai-responses", `"call_id":"a","output"`, `"call_id":"b","output"`, "a result of b"},
		{"openai-responses", `"output":"r"`, `"output":[]`, "a message of no parts"},
		{"openai-responses", `"arguments":"{}"`, `"arguments":{}`, "arguments that are no text"},
		{"openai-responses", `"output_text"`, `"input_text"`, "a part of type input_text"},
		{"anthropic", `"max_tokens":2000`, `"max_tokens":1000`, "a budget of 1024 of 1000 tokens"},
		{"anthropic", `"signature":"s"`, `"signature":""`, "thinking that is not signed"},
		{"anthropic", `"input":{}`, `"input":[]`, "arguments that are no object"},
		{"anthropic", `"text":"v"`, `"text":" "`, "an empty text"},
		{"anthropic", `[{"type":"tool_result"`, `[{"type":"text","text":"w"},{"type":"tool_result"`, "calls without results before other words"},
		{"anthropic", `{"role":"user","content":"u"},`, ``, "the assistant speaks first"},
		{"anthropic", `{"type":"object"}`, `{"type":"object","anyOf":[]}`, "alternatives at its root"},
		{"gemini", `,{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}`, ``, "[f] were called, nobody answers"},
		{"gemini", `"response":{}`, `"response":"r"`, "a response that is no object"},
		{"gemini", `{"text":"u"}`, `{"text":""}`, "an empty text"},
		{"gemini", `{"text":"u"}`, `{"text":"u","inlineData":{}}`, "a part of 2 things"},
		{"gemini", `"thinkingBudget":1`, `"thinkingBudget":1,"thinkingLevel":"LOW"`, "a budget and a level"},
		{"gemini", `"parameters":{}`, `"parameters":{},"parametersJsonSchema":{}`, "two schemas of f"},
		{"gemini", `Declarations":[{"name":"f"`, `Declarations":[{"name":"1f"`, `a tool is called "1f"`},
	} {
		body := strings.Replace(fine[c.protocol], c.old, c.now, 1)
		if body == fine[c.protocol] {
			t.Fatalf("%s is not there", c.old)
		}
		d, err := readRequest(c.protocol, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(d.bad, c.want) || d.bad == "" {
			t.Errorf("%s with %s: %q, want %q", c.protocol, c.now, d.bad, c.want)
		}
	}
	for protocol, body := range fine {
		d, err := readRequest(protocol, []byte(body))
		if err != nil || d.bad != "" {
			t.Errorf("%s: %q, %v", protocol, d.bad, err)
		}
	}
}
