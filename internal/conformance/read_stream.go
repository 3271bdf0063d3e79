package main

import (
	"maps"
	"slices"
)

// A stream is what was read of one so far, with the laws of its protocol.
type stream struct {
	*digest
	done    bool
	ids     map[int64]string // of calls, by index
	names   map[int64]string
	args    map[int64]string
	blocks  map[int64]object // of Anthropic
	open    bool
	next    int64 // the index that the next block must have, or the next number
	start   bool
	final   object // the terminal response
	added   int
	ended   int
	said    string         // text of deltas
	free    map[int64]bool // calls of OpenAI whose arguments are no JSON
	refusal bool
	google  googleReader
	reason  object // of Anthropic, why it stopped
	items   map[int64]object
}

// contradicts is what breaks a stream whose pieces are not what it says at its
// end that they were.
const contradicts = "the deltas and the final text differ"

func (s *stream) breaks(why string) {
	if s.bad == "" {
		s.bad = why
	}
}

func (s *stream) chat(o object) {
	if s.done {
		s.breaks("data after [DONE]")
	}
	if o["error"] != nil {
		s.failed = true
		return
	}
	for _, name := range []string{"id", "object", "model", "choices"} {
		if o[name] == nil {
			s.breaks("a chunk lacks " + name)
		}
	}
	s.chatUsage(o["usage"])
	for _, y := range list(o["choices"]) {
		c := obj(y)
		if num(c["index"]) != 0 {
			continue
		}
		delta := obj(c["delta"])
		s.assistant += texts(delta["content"]) + str(delta["refusal"]) + str(obj(delta["audio"])["transcript"])
		s.refusal = s.refusal || str(delta["refusal"]) != ""
		s.mistral(delta["content"])
		s.thinking += chatThinking(delta)
		s.chatImages(delta)
		for _, z := range list(delta["tool_calls"]) {
			t := obj(z)
			i, f := num(t["index"]), obj(t["function"])
			if id := str(t["id"]); id != "" && s.ids[i] != "" && s.ids[i] != id {
				i = int64(len(s.names)) + 1000 // another call under the same index, or under none
			}
			if id := str(t["id"]); id != "" {
				s.ids[i] = id
			}
			if n := str(f["name"]); s.names[i] == "" {
				s.names[i] = n
			}
			s.args[i] += str(f["arguments"])
			if c := obj(t["custom"]); str(c["name"])+str(c["input"]) != "" {
				s.free[i] = true
				s.names[i] += str(c["name"])
				s.args[i] += str(c["input"])
			}
		}
		if f := obj(delta["function_call"]); f != nil { // deprecated
			s.names[0] += str(f["name"])
			s.args[0] += str(f["arguments"])
		}
		if r := str(c["finish_reason"]); r != "" {
			s.finish = finishOf(r)
		}
	}
}

func (s *stream) responses(name string, o object) {
	kind := str(o["type"])
	if name != kind {
		s.breaks("the event's name is not its type")
	}
	if n := num(o["sequence_number"]); n < s.next {
		s.breaks("sequence_number does not rise")
	} else {
		s.next = n + 1
	}
	switch kind {
	case "error", "response.failed":
		s.failed = true
	case "response.created":
		s.start = true
	case "response.output_item.added":
		s.added++
	case "response.output_item.done":
		s.ended++
		if s.items == nil {
			s.items = map[int64]object{}
		}
		s.items[num(o["output_index"])] = obj(o["item"])
	case "response.output_text.delta", "response.refusal.delta":
		s.said += str(o["delta"])
	case "response.function_call_arguments.delta":
		s.args[num(o["output_index"])] += str(o["delta"])
	case "response.completed", "response.incomplete":
		s.final = obj(o["response"])
	}
}

func (s *stream) anthropic(name string, o object) {
	kind := str(o["type"])
	if name != kind {
		s.breaks("the event's name is not its type")
	}
	i := num(o["index"])
	switch kind {
	case "error":
		s.failed = true
	case "message_start":
		s.start = true
		s.final = object{}
		maps.Copy(s.final, obj(obj(o["message"])["usage"]))
	case "content_block_start":
		if !s.start || s.open || i != s.next {
			s.breaks("a block starts out of its turn")
		}
		s.next, s.open = i+1, true
		s.blocks[i] = maps.Clone(obj(o["content_block"]))
	case "content_block_delta":
		if !s.open {
			s.breaks("a delta for a block that is not open")
		}
		d, b := obj(o["delta"]), s.blocks[i]
		if b == nil {
			return
		}
		switch str(d["type"]) {
		case "text_delta":
			b["text"] = str(b["text"]) + str(d["text"])
		case "thinking_delta":
			b["thinking"] = str(b["thinking"]) + str(d["thinking"])
		case "input_json_delta":
			s.args[i] += str(d["partial_json"])
		}
	case "content_block_stop":
		s.open = false
	case "message_delta":
		if r := str(obj(o["delta"])["stop_reason"]); r != "" {
			s.finish = finishOf(r)
		}
		s.reason = obj(o["delta"])
		for n, v := range obj(o["usage"]) {
			if v != nil && s.final != nil {
				s.final[n] = v
			}
		}
	case "message_stop":
		s.done = true
	}
}

// end takes what is known once the stream is over.
func (s *stream) end(protocol string) {
	if s.failed {
		return // an error ends a stream of any protocol, whatever is open
	}
	switch protocol {
	case "openai-chat":
		if !s.done {
			s.breaks("no [DONE]")
		}
		for _, i := range slices.Sorted(maps.Keys(s.names)) {
			switch {
			case s.free[i]:
				s.digest.free(s.names[i], s.args[i])
			case s.names[i] != "":
				s.call(s.names[i], s.args[i])
			}
		}
		if s.refusal {
			s.refused()
		}
		s.called()
	case "openai-responses":
		if s.final == nil {
			s.breaks("no terminal event")
			return
		}
		if len(list(s.final["output"])) == 0 { // some services leave it out
			var output []any
			for _, i := range slices.Sorted(maps.Keys(s.items)) {
				output = append(output, s.items[i])
			}
			s.final["output"] = output
		}
		responsesAnswer(s.digest, s.final)
		switch {
		case !s.start:
			s.breaks("no response.created")
		case s.added != s.ended:
			s.breaks("items added and items done differ")
		case s.said != s.assistant && s.said != "":
			s.breaks(contradicts)
		}
		for i, y := range list(s.final["output"]) {
			if o := obj(y); s.args[int64(i)] != "" && str(o["type"]) == "function_call" && canonical(s.args[int64(i)]) != canonical(o["arguments"]) {
				s.breaks(contradicts)
			}
		}
	case "anthropic":
		if !s.done || s.open {
			s.breaks("no message_stop, or a block is left open")
		}
		for _, i := range slices.Sorted(maps.Keys(s.blocks)) {
			b := s.blocks[i]
			if a := s.args[i]; a != "" {
				b["input"] = a
			}
			s.block(b)
		}
		s.explained(s.reason)
		s.anthropicUsage(s.final)
		s.called()
	default:
		s.google.end()
		if s.finish == "" && s.assistant == "" && len(s.calls) == 0 {
			s.breaks("nothing was said")
		}
	}
}
