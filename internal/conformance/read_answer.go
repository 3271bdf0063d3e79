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
	d.failed = b["error"] != nil
	switch protocol {
	case "openai-chat":
		chatAnswer(d, b)
	case "openai-responses":
		responsesAnswer(d, b)
	case "anthropic":
		anthropicAnswer(d, b)
	default:
		g := googleReader{digest: d}
		if b != nil {
			g.answer(b)
		}
		for _, y := range list(v) { // a stream without alt=sse
			g.answer(obj(y))
		}
		g.end()
	}
	d.settle()
	return d, nil
}

var finishes = map[string]string{
	"stop": "stop", "length": "length", "tool_calls": "tool", "function_call": "tool", "content_filter": "filter",
	"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool", "refusal": "filter", "model_context_window_exceeded": "length",
	"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "filter", "RECITATION": "filter", "PROHIBITED_CONTENT": "filter", "BLOCKLIST": "filter", "SPII": "filter", "IMAGE_SAFETY": "filter", "MODEL_ARMOR": "filter",
}

// other is a finish reason that has no counterpart everywhere.
const other = "other"

// finishOf is a finish reason as it is compared, "" if none was told.
func finishOf(s string) string {
	if f := finishes[s]; f != "" || s == "" {
		return f
	}
	return other
}

func chatAnswer(d *digest, b object) {
	c := first(b["choices"])
	m := obj(c["message"])
	d.chatImages(m)
	d.assistant += texts(m["content"]) + str(m["refusal"]) + str(obj(m["audio"])["transcript"])
	d.thinking += chatThinking(m)
	d.mistral(m["content"])
	for _, y := range list(m["tool_calls"]) {
		if f := obj(obj(y)["function"]); str(f["name"]) != "" {
			d.call(str(f["name"]), f["arguments"])
		}
		if c := obj(obj(y)["custom"]); str(c["name"]) != "" {
			d.free(str(c["name"]), c["input"])
		}
	}
	if f := obj(m["function_call"]); str(f["name"]) != "" { // deprecated; some send an empty one
		d.call(str(f["name"]), f["arguments"])
	}
	d.finish = finishOf(str(c["finish_reason"]))
	if str(m["refusal"]) != "" {
		d.refused()
	}
	d.chatUsage(b["usage"])
	d.called()
}

// chatThinking is the reasoning of a message or a delta, which some tell only
// in its details.
func chatThinking(m object) string {
	if s := str(pick(m, "reasoning_content", "reasoning")); s != "" {
		return s
	}
	var said strings.Builder
	for _, y := range list(m["reasoning_details"]) {
		said.WriteString(str(pick(obj(y), "text", "summary")))
	}
	return said.String()
}

// chatImages takes the pictures of a message or a delta, as OpenRouter tells
// them.
func (d *digest) chatImages(m object) {
	for _, y := range list(m["images"]) {
		d.images = append(d.images, located(str(obj(obj(y)["image_url"])["url"])))
	}
	d.other = d.other || len(d.images) > 0 || m["audio"] != nil
}

// free is a call of a tool that takes free text.
func (d *digest) free(name string, input any) { d.call(name, object{"input": input}) }

// refused: OpenAI's protocols tell a refusal by where its words stand, and
// say that they stopped; the others tell it as the reason.
func (d *digest) refused() {
	if d.finish == "stop" {
		d.finish = "filter"
	}
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
	u := obj(v)
	if u == nil {
		return
	}
	d.in, d.out = num(u["prompt_tokens"]), num(u["completion_tokens"])
	reasoned := num(obj(u["completion_tokens_details"])["reasoning_tokens"])
	switch beyond := num(u["total_tokens"]) - d.in - d.out; {
	case beyond > 0 && beyond == num(obj(u["prompt_tokens_details"])["audio_tokens"]):
		d.in += beyond // sound that was heard and not counted (Mistral)
	case beyond > 0:
		d.out += beyond // reasoned, and not told
	case d.out > 0 && 4*reasoned > 5*d.out:
		// More cannot be reasoned than was written, but for what tokenizers
		// differ by: the vendor counts it apart. Vercel's recordings show it in
		// Google's own counts beside theirs.
		d.out += reasoned
	}
}

func responsesAnswer(d *digest, b object) {
	called, refused := false, false
	for _, y := range list(b["output"]) {
		o := obj(y)
		switch str(o["type"]) {
		case "message":
			for _, z := range list(o["content"]) {
				p := obj(z)
				d.assistant += str(p["text"]) + str(p["refusal"])
				refused = refused || str(p["refusal"]) != ""
			}
		case "reasoning":
			d.thinking += texts(o["content"]) + texts(o["summary"])
		case "function_call":
			called = true
			d.call(str(o["name"]), o["arguments"])
		case "custom_tool_call":
			called = true
			d.free(str(o["name"]), o["input"])
		case "image_generation_call":
			if data := str(o["result"]); data != "" {
				d.images = append(d.images, image(data))
			}
			d.other = true
		default:
			d.other = true
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
	if refused {
		d.refused()
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
	d.explained(b)
	d.called()
	d.anthropicUsage(obj(b["usage"]))
}

// explained: the words of a refusal stand beside its reason, and mostly nowhere
// else.
func (d *digest) explained(o object) {
	if said := str(obj(o["stop_details"])["explanation"]); !strings.HasSuffix(d.assistant, said) {
		d.assistant += said
	}
}

func (d *digest) block(p object) {
	switch str(p["type"]) {
	case "text":
		d.assistant += str(p["text"])
	case "thinking":
		d.thinking += str(p["thinking"])
	case "tool_use":
		d.call(str(p["name"]), p["input"])
	default:
		d.other = true
	}
}

func (d *digest) anthropicUsage(u object) {
	if u != nil {
		d.in, d.out = num(u["input_tokens"])+num(u["cache_read_input_tokens"])+num(u["cache_creation_input_tokens"]), num(u["output_tokens"])
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
	s := stream{digest: d, google: googleReader{digest: d}, blocks: map[int64]object{}, ids: map[int64]string{}, names: map[int64]string{}, args: map[int64]string{}, free: map[int64]bool{}}
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
			s.google.answer(o)
		}
	}
	s.end(protocol)
	return nil
}
