package main

import (
	"encoding/json/v2"
	"fmt"
	"strings"
	"testing"
)

// TestQuestions: every answer that says something is asked for in all other
// protocols, whole or streamed as it was recorded, with the tools that it calls.
func TestQuestions(t *testing.T) {
	whole := func(content string) []byte {
		return fmt.Appendf(nil, `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",%s},"finish_reason":"stop"}]}`, content)
	}
	m := newMatrix([]recording{
		{name: "calls", protocol: "openai-chat", status: 200, response: whole(`"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]`)},
		{name: "nothing", protocol: "openai-chat", status: 200, response: []byte(`{"choices":[]}`)},
		{name: "failed", protocol: "openai-chat", status: 200, response: []byte(`{"error":{"message":"no"}}`)},
		{name: "streamed", protocol: "gemini", status: 200, sse: true, response: []byte("data: " + gemini + "\n\n")},
	})
	var got []string
	for _, q := range m.questions() {
		body, err := json.Marshal(q.Body, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		if q.Name == "openai-chat/calls" && !strings.Contains(string(body), `"name":"f"`) {
			t.Errorf("%s is not asked with its tool: %s", q.Client, body)
		}
		got = append(got, fmt.Sprint(q.Client, " ", q.Model, " ", q.Stream))
	}
	want := "openai-responses oc-a-0 false, anthropic oc-a-0 false, gemini oc-a-0 false, openai-chat ge-a-3 true, openai-responses ge-a-3 true, anthropic ge-a-3 true"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
}
