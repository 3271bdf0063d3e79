package main

import (
	"bytes"
	"fmt"
	"strings"
)

// readAnswer reads an answer of a protocol, whole or streamed.
func readAnswer(protocol string, body []byte, streamed bool) (*digest, error) {
	d := &digest{}
	if streamed {
		if err := readStream(d, protocol, body); err != nil {
			return nil, err
		}
		d.settle()
		return d, nil
	}
	v, err := tree(body)
	if err != nil {
		return nil, err
	}
	b := obj(v)
	if l := list(v); len(l) > 0 {
		b = obj(l[0])
	}
	switch protocol {
	case "openai-chat":
		chatAnswer(d, b)
	case "openai-responses":
		responsesAnswer(d, b)
	case "anthropic":
		anthropicAnswer(d, b)
	default:
		geminiAnswer(d, b)
		d.called()
	}
	d.settle()
	return d, nil
}

var finishes = map[string]string{
	"stop": "stop", "length": "length", "tool_calls": "tool", "function_call": "tool", "content_filter": "filter",
	"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool", "refusal": "filter", "model_context_window_exceeded": "length",
	"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "filter", "RECITATION": "filter", "PROHIBITED_CONTENT": "filter", "BLOCKLIST": "filter", "SPII": "filter", "IMAGE_SAFETY": "filter",
}

// finishOf is a finish reason as it is compared; one that has no counterpart
// everywhere is not.
func finishOf(s string) string { return finishes[s] }

func chatAnswer(d *digest, b object) {
	c := first(b["choices"])
	m := obj(c["message"])
	d.assistant += texts(m["content"]) + str(m["refusal"])
	d.thinking += str(pick(m, "reasoning_content", "reasoning"))
	d.mistral(m["content"])
	for _, y := range list(m["tool_calls"]) {
		if f := obj(obj(y)["function"]); f != nil {
			d.call(str(f["name"]), f["arguments"])
		}
	}
	d.finish = finishOf(str(c["finish_reason"]))
	d.chatUsage(b["usage"])
	d.called()
}

// called: some vendors say that they stopped where tools are called.
func (d *digest) called() {
	if len(d.calls) > 0 && d.finish == "stop" {
		d.finish = "tool"
	}
}

// mistral: its reasoning stands among the content.
func (d *digest) mistral(v any) {
	for _, p := range list(v) {
		d.thinking += texts(obj(p)["thinking"])
	}
}

func (d *digest) chatUsage(v any) {
	if u := obj(v); u != nil {
		d.in, d.out = num(u["prompt_tokens"]), num(u["completion_tokens"])
		// What the total holds beyond both was reasoned and not told.
		d.out = max(d.out, num(u["total_tokens"])-d.in)
	}
}

func responsesAnswer(d *digest, b object) {
	called := false
	for _, y := range list(b["output"]) {
		o := obj(y)
		switch str(o["type"]) {
		case "message":
			for _, z := range list(o["content"]) {
				p := obj(z)
				d.assistant += str(p["text"]) + str(p["refusal"])
			}
		case "reasoning":
			d.thinking += texts(o["content"]) + texts(o["summary"])
		case "function_call":
			called = true
			d.call(str(o["name"]), o["arguments"])
		case "custom_tool_call":
			called = true
			d.call(str(o["name"]), object{"input": o["input"]})
		}
	}
	switch str(obj(b["incomplete_details"])["reason"]) {
	case "max_output_tokens":
		d.finish = "length"
	case "content_filter":
		d.finish = "filter"
	default:
		d.finish = "stop"
		if called {
			d.finish = "tool"
		}
	}
	if u := obj(b["usage"]); u != nil {
		d.in, d.out = num(u["input_tokens"]), num(u["output_tokens"])
	}
}

func anthropicAnswer(d *digest, b object) {
	for _, y := range list(b["content"]) {
		d.block(obj(y))
	}
	d.finish = finishOf(str(b["stop_reason"]))
	d.called()
	d.anthropicUsage(obj(b["usage"]))
}

func (d *digest) block(p object) {
	switch str(p["type"]) {
	case "text":
		d.assistant += str(p["text"])
	case "thinking":
		d.thinking += str(p["thinking"])
	case "tool_use":
		d.call(str(p["name"]), p["input"])
	}
}

func (d *digest) anthropicUsage(u object) {
	if u != nil {
		d.in, d.out = num(u["input_tokens"])+num(u["cache_read_input_tokens"])+num(u["cache_creation_input_tokens"]), num(u["output_tokens"])
	}
}

func geminiAnswer(d *digest, b object) {
	if r := obj(b["response"]); r != nil {
		b = r
	}
	c := first(b["candidates"])
	for _, y := range list(obj(c["content"])["parts"]) {
		p := obj(y)
		switch call := obj(p["functionCall"]); {
		case call != nil:
			d.call(str(call["name"]), call["args"])
		case p["thought"] == true:
			d.thinking += str(p["text"])
		default:
			d.assistant += str(p["text"])
		}
	}
	if s := str(c["finishReason"]); s != "" {
		d.finish = finishOf(s)
	}
	if len(list(b["candidates"])) == 0 && str(obj(b["promptFeedback"])["blockReason"]) != "" {
		d.finish = "filter"
	}
	if u := obj(b["usageMetadata"]); u != nil {
		d.in = num(u["promptTokenCount"]) + num(u["toolUsePromptTokenCount"])
		d.out = num(u["candidatesTokenCount"]) + num(u["thoughtsTokenCount"])
	}
}

// An event is one of a stream.
type event struct {
	name string
	data []byte
}

// events cuts a stream, line by line, as the standard has it.
func events(raw []byte) (out []event) {
	var e event
	has := false
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	for line := range bytes.SplitSeq(append(raw, '\n', '\n'), []byte("\n")) {
		switch {
		case len(line) == 0:
			if has {
				out = append(out, e)
			}
			e, has = event{}, false
		case bytes.HasPrefix(line, []byte("event:")):
			e.name = strings.TrimSpace(string(line[6:]))
		case bytes.HasPrefix(line, []byte("data:")):
			if has {
				e.data = append(e.data, '\n')
			}
			e.data = append(e.data, bytes.TrimPrefix(line[5:], []byte(" "))...)
			has = true
		}
	}
	return out
}

func readStream(d *digest, protocol string, raw []byte) error {
	s := stream{digest: d, blocks: map[int64]object{}, ids: map[int64]string{}, names: map[int64]string{}, args: map[int64]string{}}
	for _, e := range events(raw) {
		if string(bytes.TrimSpace(e.data)) == "[DONE]" {
			s.done = true
			continue
		}
		v, err := tree(e.data)
		if err != nil {
			return fmt.Errorf("an event is no JSON: %w", err)
		}
		o := obj(v)
		switch protocol {
		case "openai-chat":
			s.chat(o)
		case "openai-responses":
			s.responses(e.name, o)
		case "anthropic":
			s.anthropic(e.name, o)
		default:
			geminiAnswer(d, o)
		}
	}
	s.end(protocol)
	return nil
}
