package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadAnswer: what the readers make of answers that are easily misread.
func TestReadAnswer(t *testing.T) {
	for _, c := range []struct {
		name, protocol, in string
		streamed           bool
		want               digest
	}{
		{name: "arguments in pieces", protocol: "gemini", streamed: true, in: `data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]}}]}

data: {"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0].b","stringValue":"x","willContinue":true}],"willContinue":true}}]}}]}

data: {"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0].b","stringValue":"y"},{"jsonPath":"$.a[1]","numberValue":2}],"willContinue":true}}]}}]}

data: {"candidates":[{"content":{"parts":[{"functionCall":{}}]},"finishReason":"STOP"}]}

`, want: digest{calls: []string{`f{"a":[{"b":"xy"},2]}`}, finish: "tool"}},
		{
			name: "the second candidate", protocol: "gemini", in: `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"b"}]}}]}`,
			want: digest{assistant: "a", finish: "stop"},
		},
		{
			name: "an array of chunks", protocol: "gemini", in: `[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":2}]}]`,
			want: digest{assistant: "ab", finish: "length"},
		},
		{
			name: "a call that its server ran", protocol: "gemini", in: `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}},{"functionResponse":{"name":"f","response":{}}},{"text":"a"}]},"finishReason":"STOP"}]}`,
			want: digest{assistant: "a", finish: "stop"},
		},
		{
			name: "reasoning counted apart", protocol: "openai-chat", in: `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"completion_tokens_details":{"reasoning_tokens":25}}}`,
			want: digest{assistant: "a", finish: "stop", in: 9, out: 27},
		},
		{
			name: "reasoning counted in", protocol: "openai-chat", in: `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":30,"total_tokens":39,"completion_tokens_details":{"reasoning_tokens":25}}}`,
			want: digest{assistant: "a", finish: "stop", in: 9, out: 30},
		},
		{
			name: "sound that was not counted", protocol: "openai-chat", in: `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":386,"prompt_tokens_details":{"audio_tokens":375}}}`,
			want: digest{assistant: "a", finish: "stop", in: 384, out: 2},
		},
		{
			name: "a refusal", protocol: "openai-chat", in: `{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}]}`,
			want: digest{assistant: "no", finish: "filter"},
		},
		{
			name: "a refusal of Anthropic", protocol: "anthropic", in: `{"content":[],"stop_reason":"refusal","stop_details":{"explanation":"no"}}`,
			want: digest{assistant: "no", finish: "filter"},
		},
		{
			name: "a deprecated call", protocol: "openai-chat", in: `{"choices":[{"message":{"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}]}`,
			want: digest{calls: []string{"f{}"}, finish: "tool"},
		},
		{name: "an error", protocol: "openai-chat", streamed: true, in: "data: {\"error\":{\"message\":\"no\"}}\n\n", want: digest{failed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAnswer(c.protocol, []byte(c.in), c.streamed)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&c.want, got, cmp.AllowUnexported(digest{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestUnsound: a recording is left out for what it is, and for nothing else.
func TestUnsound(t *testing.T) {
	chunk := func(id, finish string) string {
		return `data: {"id":"` + id + `","object":"o","model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":` + finish + "}]}\n\n"
	}
	for _, c := range []struct {
		name, protocol, in string
		whole              bool
		want               string // the beginning of the reason
	}{
		{name: "one answer", protocol: "openai-chat", in: chunk("1", "null") + chunk("1", `"stop"`) + "data: [DONE]\n\n"},
		{name: "ids that change", protocol: "openai-chat", in: chunk("1", "null") + chunk("2", `"stop"`) + "data: [DONE]\n\n"},
		{name: "two answers", protocol: "openai-chat", in: chunk("1", `"stop"`) + chunk("2", `"stop"`), want: "several answers"},
		{name: "no end", protocol: "openai-chat", in: chunk("1", "null"), want: "a stream that is cut short"},
		{name: "an error is one", protocol: "openai-chat", in: "data: {\"error\":{}}\n\n"},
		{name: "edited", protocol: "openai-responses", want: "edited", in: "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"1\"}}\n\n" +
			"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"delta\":\"a\"}\n\n" +
			"event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{\"output\":[{\"type\":\"message\",\"content\":[{\"text\":\"b\"}]}]}}\n\n"},
		{name: "no JSON", protocol: "openai-chat", whole: true, in: "<html>", want: "no JSON"},
		{name: "a whole answer without an end", protocol: "gemini", whole: true, in: `{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recording{protocol: c.protocol, response: []byte(c.in), sse: !c.whole}
			d, err := readAnswer(c.protocol, r.response, r.sse)
			got := unsound(r, d, err)
			if !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("want %q got %q", c.want, got)
			}
		})
	}
}

// TestCompare: an error is an error, and what says nothing may be told as one.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name          string
		want, got     digest
		losses        []string
		differ, named int
	}{
		{name: "the same", want: digest{assistant: "a", finish: "stop"}, got: digest{assistant: "a", finish: "stop"}},
		{name: "another text", want: digest{assistant: "a", finish: "stop"}, got: digest{assistant: "b", finish: "stop"}, differ: 1},
		{name: "a text that is named", want: digest{assistant: "a"}, got: digest{}, losses: []string{"content[0]=dropped: …"}, named: 1},
		{name: "a seal is no text", want: digest{assistant: "a"}, got: digest{}, losses: []string{"messages[0].content[0].seal=dropped: …"}, differ: 1},
		{name: "a setting of a tool is no tool", want: digest{tools: []string{"f()"}}, got: digest{}, losses: []string{"tools[0].strict=dropped: …"}, differ: 1},
		{name: "thinking is no call", want: digest{calls: []string{"f{}"}}, got: digest{}, losses: []string{"messages[0].content[0]=dropped: the upstream takes no reasoning back"}, differ: 1},
		{name: "a loss of something else", want: digest{assistant: "a"}, got: digest{}, losses: []string{"logit_bias=dropped: …"}, differ: 1},
		{name: "an error that was swallowed", want: digest{failed: true}, got: digest{assistant: "a"}, differ: 1},
		{name: "an error that nobody had", want: digest{assistant: "a", finish: "stop"}, got: digest{failed: true}, differ: 1},
		{name: "nothing, as an error", want: digest{}, got: digest{failed: true}},
		{name: "unlawful", want: digest{assistant: "a"}, got: digest{assistant: "a", bad: "no [DONE]"}, differ: 1},
		{name: "an unknown end", want: digest{assistant: "a", finish: other}, got: digest{assistant: "a", finish: "stop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			differ, named := compare(&c.want, &c.got, c.losses)
			if len(differ) != c.differ || len(named) != c.named {
				t.Errorf("differ %q, named %q", differ, named)
			}
		})
	}
}

// TestReadRequest: what the readers make of requests that are easily misread.
func TestReadRequest(t *testing.T) {
	tool := `{"type":"function","name":"f","parameters":{"type":"object"}}`
	other := `{"type":"function","name":"g","parameters":{"type":"object"}}`
	for _, c := range []struct {
		name, protocol, in string
		user               string
		results            []string
		tools, images      int
	}{
		{
			name: "documents that are text", protocol: "anthropic", user: "upage", results: []string{"rnote"},
			in: `{"messages":[{"role":"user","content":[{"type":"text","text":"u"},{"type":"document","source":{"type":"text","data":"page"}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"r"},{"type":"document","source":{"type":"content","content":[{"type":"text","text":"note"}]}}]}]}]}`,
		},
		{
			name: "a document of bytes is no text", protocol: "anthropic", user: "u",
			in: `{"messages":[{"role":"user","content":[{"type":"text","text":"u"},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERg=="}}]}]}`,
		},
		{
			name: "a picture in a result", protocol: "openai-chat", results: []string{"r"}, images: 1,
			in: `{"messages":[{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"r"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]}`,
		},
		{
			name: "results in the order of the calls", protocol: "openai-chat", results: []string{"one", "two"},
			in: `{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"b","content":"two"},{"role":"tool","tool_call_id":"a","content":"one"}]}`,
		},
		{
			name: "a document of plain text", protocol: "gemini", user: "uhi",
			in: `{"contents":[{"role":"user","parts":[{"text":"u"},{"inlineData":{"mimeType":"text/plain","data":"aGk="}}]}]}`,
		},
		{
			name: "a tool that is loaded and declared", protocol: "openai-responses", tools: 2,
			in: `{"tools":[` + tool + `],"input":[{"type":"tool_search_output","tools":[` + tool + `,` + other + `]}]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := readRequest(c.protocol, []byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if d.user != c.user || len(d.results) != len(c.results) || len(d.tools) != c.tools || len(d.images) != c.images {
				t.Errorf("user %q, results %q, tools %q, images %q", d.user, d.results, d.tools, d.images)
			}
			for i, r := range c.results {
				if d.results[i] != result(r) {
					t.Errorf("result %q, want %q", d.results[i], result(r))
				}
			}
		})
	}
}
