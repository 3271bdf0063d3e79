package main

import (
	"encoding/json/v2"
	"fmt"
	"strings"
)

type object = map[string]any

// source is text as agents send it, with quotes, tabs and line ends to escape.
const source = "for i, x := range xs {\n\tif err := visit(x); err != nil {\n\t\treturn fmt.Errorf(\"item %d: %w\", i, err)\n\t}\n}\n"

func text(n int) string { return strings.Repeat(source, n/len(source)+1)[:n] }

const (
	smallText = 800       // bytes of the only message of a small request
	largeBody = 1_000_000 // bytes that the turns of a large one make, about
)

// body is the request of l for model.
func (l load) body(model string) ([]byte, error) {
	b := object{"model": model, "max_tokens": 1024}
	if l.Stream {
		b["stream"] = true
	}
	if l.Client == "anthropic" {
		l.anthropic(b)
	} else {
		l.chat(b)
	}
	return json.Marshal(b, json.Deterministic(true))
}

// turns calls add with the call and the result of each turn of a large
// request, until they are about as long as they should be.
func turns(add func(id, path, result string)) {
	for i, left := 0, largeBody; left > 0; i++ {
		result := text(2000 + i%5*1000)
		add(fmt.Sprintf("call_%05d", i), fmt.Sprintf("/src/pkg/file%d.go", i), result)
		left -= len(result)*112/100 + 300
	}
}

func (l load) chat(b object) {
	if l.Stream {
		b["stream_options"] = object{"include_usage": true}
	}
	if !l.Large {
		b["messages"] = []any{object{"role": "system", "content": "Answer in short."}, object{"role": "user", "content": text(smallText)}}
		return
	}
	messages := []any{object{"role": "system", "content": text(12_000)}, object{"role": "user", "content": "Mend the tests."}}
	turns(func(id, path, result string) {
		messages = append(messages,
			object{"role": "assistant", "content": "I will read the next file.", "tool_calls": []any{
				object{"id": id, "type": "function", "function": object{"name": "tool_1", "arguments": `{"path":"` + path + `","limit":200}`}},
			}},
			object{"role": "tool", "tool_call_id": id, "content": result})
	})
	b["messages"] = append(messages, object{"role": "user", "content": "Now run them."})
	b["tools"] = tools(func(name, what string, schema object) object {
		return object{"type": "function", "function": object{"name": name, "description": what, "parameters": schema}}
	})
}

func (l load) anthropic(b object) {
	if !l.Large {
		b["system"] = "Answer in short."
		b["messages"] = []any{object{"role": "user", "content": text(smallText)}}
		return
	}
	b["system"] = []any{object{"type": "text", "text": text(12_000), "cache_control": object{"type": "ephemeral"}}}
	messages := []any{object{"role": "user", "content": "Mend the tests."}}
	turns(func(id, path, result string) {
		messages = append(messages,
			object{"role": "assistant", "content": []any{
				object{"type": "text", "text": "I will read the next file."},
				object{"type": "tool_use", "id": id, "name": "tool_1", "input": object{"path": path, "limit": 200}},
			}},
			object{"role": "user", "content": []any{object{"type": "tool_result", "tool_use_id": id, "content": result}}})
	})
	b["messages"] = messages
	b["tools"] = tools(func(name, what string, schema object) object {
		return object{"name": name, "description": what, "input_schema": schema}
	})
}

// tools are the twelve tools of a large request, each in the form that make
// gives it.
func tools(make func(name, what string, schema object) object) (ts []any) {
	for i := range 12 {
		ts = append(ts, make(fmt.Sprintf("tool_%d", i), text(800), object{
			"type": "object", "required": []string{"path"},
			"properties": object{
				"path":  object{"type": "string", "description": "the absolute path of the file"},
				"limit": object{"type": "number", "description": "how many lines are read"},
			},
		}))
	}
	return ts
}
