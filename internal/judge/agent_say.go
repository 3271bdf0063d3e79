package main

import (
	"encoding/json/v2"
	"maps"
	"strings"

	"portico/internal/rig"
)

// seal is what the agent's reasoning is sealed with. It is base64, as all
// vendors' seals are, and nothing else knows it.
const seal = "c2VhbGVkIGJ5IHRoZSBqdWRnZSdzIHVwc3RyZWFtLCBhbmQgb2YgdXNlIHRvIGl0IGFsb25l"

// in is w in a protocol, whole or as a stream of events.
func (w *word) in(protocol string, stream bool) string {
	switch protocol {
	case rig.Chat:
		return w.chat(stream)
	case rig.Responses:
		return w.responses(stream)
	case rig.Messages:
		return w.messages(stream)
	}
	return w.gemini(stream)
}

func text(v any) string {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // of maps and strings, which can always be written
	}
	return string(b)
}

// halves are two pieces of a text, as a stream tells it.
func halves(s string) []string { return []string{s[:len(s)/2], s[len(s)/2:]} }

// events writes a stream, with the type of each event as its name if named.
func events(named bool, all ...object) string {
	var b strings.Builder
	for _, e := range all {
		if named {
			b.WriteString("event: " + str(e["type"]) + "\n")
		}
		b.WriteString("data: " + text(e) + "\n\n")
	}
	return b.String()
}

// chat says it as OpenRouter does, who has a place for seals.
func (w *word) chat(stream bool) string {
	finish := "stop"
	var calls []any
	for i, c := range w.calls {
		finish = "tool_calls"
		calls = append(calls, object{"index": i, "id": c.id, "type": "function", "function": object{"name": c.name, "arguments": text(c.args)}})
	}
	sealed := []any{object{"type": "reasoning.encrypted", "id": "rs_judge", "data": seal, "index": 0}}
	usage := object{"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
	base := func(kind string, choices ...any) object {
		return object{"id": "chatcmpl-judge", "object": kind, "created": 1, "model": "m", "choices": choices}
	}
	choice := func(i int, name, text string, finish any) object {
		return object{"index": i, name: object{"role": "assistant", "content": text}, "finish_reason": finish}
	}
	if !stream && len(w.more) > 0 {
		var all []any
		for i, t := range append([]string{w.text}, w.more...) {
			all = append(all, choice(i, "message", t, finish))
		}
		whole := base("chat.completion", all...)
		whole["usage"] = usage
		return text(whole)
	}
	if !stream {
		m := object{"role": "assistant", "content": w.text, "reasoning": w.thought, "reasoning_details": append([]any{object{"type": "reasoning.summary", "summary": w.thought, "index": 0}}, sealed...)}
		if len(calls) > 0 {
			m["tool_calls"] = calls
		}
		whole := base("chat.completion", object{"index": 0, "message": m, "finish_reason": finish})
		whole["usage"] = usage
		return text(whole)
	}
	var all []object
	say := func(delta object, finish any) {
		all = append(all, base("chat.completion.chunk", object{"index": 0, "delta": delta, "finish_reason": finish}))
	}
	say(object{"role": "assistant", "content": ""}, nil)
	for _, s := range halves(w.thought) {
		say(object{"reasoning": s, "reasoning_details": []any{object{"type": "reasoning.summary", "summary": s, "index": 0}}}, nil)
	}
	say(object{"reasoning_details": sealed}, nil)
	for _, s := range halves(w.text) {
		say(object{"content": s}, nil)
	}
	for i, c := range w.calls {
		say(object{"tool_calls": []any{object{"index": i, "id": c.id, "type": "function", "function": object{"name": c.name, "arguments": ""}}}}, nil)
	}
	for i, c := range w.calls { // the two grow side by side
		for _, s := range halves(text(c.args)) {
			say(object{"tool_calls": []any{object{"index": i, "function": object{"arguments": s}}}}, nil)
		}
	}
	for i, t := range w.more {
		all = append(all, base("chat.completion.chunk", choice(i+1, "delta", t, nil)))
	}
	say(object{}, finish)
	for i := range w.more {
		all = append(all, base("chat.completion.chunk", choice(i+1, "delta", "", finish)))
	}
	last := base("chat.completion.chunk")
	last["choices"], last["usage"] = []any{}, usage
	return events(false, append(all, last)...) + "data: [DONE]\n\n"
}

func (w *word) responses(stream bool) string {
	thought := object{"type": "reasoning", "id": "rs_judge", "summary": []any{object{"type": "summary_text", "text": w.thought}}}
	if w.unsealed {
		thought["encrypted_content"] = nil
	} else {
		thought["encrypted_content"] = seal
	}
	items := []any{
		thought,
		object{"type": "message", "id": "msg_judge", "status": "completed", "role": "assistant", "content": []any{object{"type": "output_text", "text": w.text, "annotations": []any{}}}},
	}
	for _, c := range w.calls {
		items = append(items, object{"type": "function_call", "id": "fc_" + c.id, "call_id": c.id, "name": c.name, "arguments": text(c.args), "status": "completed"})
	}
	answer := func(status string, output []any) object {
		return object{
			"id": "resp_judge", "object": "response", "created_at": 1, "status": status, "model": "m", "output": output, "error": nil, "incomplete_details": nil,
			"usage": object{"input_tokens": 11, "input_tokens_details": object{"cached_tokens": 0}, "output_tokens": 7, "output_tokens_details": object{"reasoning_tokens": 2}, "total_tokens": 18},
		}
	}
	if !stream {
		return text(answer("completed", items))
	}
	all := []object{{"type": "response.created", "response": answer("in_progress", []any{})}}
	for i, v := range items {
		item := obj(v)
		begun := maps.Clone(item)
		var inner []object
		at := func(kind string, more object) {
			e := object{"type": kind, "item_id": item["id"], "output_index": i}
			maps.Copy(e, more)
			inner = append(inner, e)
		}
		switch str(item["type"]) {
		case "reasoning":
			begun["summary"] = []any{}
			delete(begun, "encrypted_content")
			part := func(s string) object {
				return object{"summary_index": 0, "part": object{"type": "summary_text", "text": s}}
			}
			at("response.reasoning_summary_part.added", part(""))
			for _, s := range halves(w.thought) {
				at("response.reasoning_summary_text.delta", object{"summary_index": 0, "delta": s})
			}
			at("response.reasoning_summary_text.done", object{"summary_index": 0, "text": w.thought})
			at("response.reasoning_summary_part.done", part(w.thought))
		case "message":
			begun["content"], begun["status"] = []any{}, "in_progress"
			part := func(s string) object {
				return object{"content_index": 0, "part": object{"type": "output_text", "text": s, "annotations": []any{}}}
			}
			at("response.content_part.added", part(""))
			for _, s := range halves(w.text) {
				at("response.output_text.delta", object{"content_index": 0, "delta": s})
			}
			at("response.output_text.done", object{"content_index": 0, "text": w.text})
			at("response.content_part.done", part(w.text))
		default:
			begun["arguments"], begun["status"] = "", "in_progress"
			for _, s := range halves(str(item["arguments"])) {
				at("response.function_call_arguments.delta", object{"delta": s})
			}
			at("response.function_call_arguments.done", object{"arguments": item["arguments"]})
		}
		all = append(all, object{"type": "response.output_item.added", "output_index": i, "item": begun})
		all = append(append(all, inner...), object{"type": "response.output_item.done", "output_index": i, "item": item})
	}
	all = append(all, object{"type": "response.completed", "response": answer("completed", items)})
	for i := range all {
		all[i]["sequence_number"] = i
	}
	return events(true, all...)
}

func (w *word) messages(stream bool) string {
	stop := "end_turn"
	blocks := []object{{"type": "thinking", "thinking": w.thought, "signature": seal}, {"type": "text", "text": w.text}}
	for _, c := range w.calls {
		stop = "tool_use"
		blocks = append(blocks, object{"type": "tool_use", "id": c.id, "name": c.name, "input": c.args})
	}
	usage := object{"input_tokens": 11, "output_tokens": 7}
	answer := func(content any, stop any) object {
		return object{"id": "msg_judge", "type": "message", "role": "assistant", "model": "m", "content": content, "stop_reason": stop, "stop_sequence": nil, "usage": usage}
	}
	if !stream {
		return text(answer(blocks, stop))
	}
	all := []object{{"type": "message_start", "message": answer([]any{}, nil)}}
	for i, b := range blocks {
		var begun, last object
		var kind, name, whole string
		switch str(b["type"]) {
		case "thinking":
			begun, kind, name, whole = object{"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta", "thinking", w.thought
			last = object{"type": "signature_delta", "signature": seal}
		case "text":
			begun, kind, name, whole = object{"type": "text", "text": ""}, "text_delta", "text", w.text
		default:
			begun = object{"type": "tool_use", "id": b["id"], "name": b["name"], "input": object{}}
			kind, name, whole = "input_json_delta", "partial_json", text(b["input"])
		}
		all = append(all, object{"type": "content_block_start", "index": i, "content_block": begun})
		for _, s := range halves(whole) {
			all = append(all, object{"type": "content_block_delta", "index": i, "delta": object{"type": kind, name: s}})
		}
		if last != nil {
			all = append(all, object{"type": "content_block_delta", "index": i, "delta": last})
		}
		all = append(all, object{"type": "content_block_stop", "index": i})
	}
	all = append(all, object{"type": "message_delta", "delta": object{"stop_reason": stop, "stop_sequence": nil}, "usage": usage}, object{"type": "message_stop"})
	return events(true, all...)
}

// gemini signs the first of its calls, and gives them no ids.
func (w *word) gemini(stream bool) string {
	chunk := func(finish any, parts ...any) object {
		c := object{"index": 0, "content": object{"role": "model", "parts": parts}}
		if finish != nil {
			c["finishReason"] = finish
		}
		return object{"candidates": []any{c}, "modelVersion": "m", "responseId": "judge", "usageMetadata": object{"promptTokenCount": 11, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 18}}
	}
	parts := []any{object{"text": w.thought, "thought": true}, object{"text": w.text}}
	for i, c := range w.calls {
		p := object{"functionCall": object{"name": c.name, "args": c.args}}
		if i == 0 {
			p["thoughtSignature"] = seal
		}
		parts = append(parts, p)
	}
	candidate := func(i int, t string) object {
		return object{"index": i, "content": object{"role": "model", "parts": []any{object{"text": t}}}, "finishReason": "STOP"}
	}
	if !stream {
		whole := chunk("STOP", parts...)
		for i, t := range w.more {
			whole["candidates"] = append(list(whole["candidates"]), candidate(i+1, t))
		}
		return text(whole)
	}
	var all []object
	for _, p := range parts {
		all = append(all, chunk(nil, p))
	}
	for i, t := range w.more {
		further := chunk(nil)
		further["candidates"] = []any{candidate(i+1, t)}
		all = append(all, further)
	}
	return events(false, append(all, chunk("STOP", object{"text": ""}))...)
}
