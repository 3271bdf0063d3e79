package main

import (
	"fmt"
	"regexp"
	"slices"
)

// What an upstream refuses in a request, whatever is said in it (spec: upstreams
// §1). Recordings are not measured by it, only what the gateway writes.

var (
	plainName  = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	claudeName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	googleName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$`)
	claudeID   = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
)

// laws gathers the first law that a request breaks.
type laws struct{ why string }

func (l *laws) demand(ok bool, format string, args ...any) {
	if !ok && l.why == "" {
		l.why = fmt.Sprintf(format, args...)
	}
}

// unlawful is the first law of a protocol that a request breaks, "" for none.
func unlawful(protocol string, b object) string {
	var l laws
	switch protocol {
	case "openai-chat":
		l.chat(b)
	case "openai-responses":
		l.responses(b)
	case "anthropic":
		l.anthropic(b)
	default:
		l.gemini(b)
	}
	return l.why
}

// declared checks the names of tools, and their schemas where there are some.
func (l *laws) declared(names []string, schemas []any, valid *regexp.Regexp) {
	seen := map[string]bool{}
	for _, n := range names {
		l.demand(valid.MatchString(n), "a tool is called %.80q", n)
		l.demand(!seen[n], "two tools are called %s", n)
		seen[n] = true
	}
	for _, s := range schemas {
		if s != nil {
			l.demand(obj(s) != nil, "the schema of a tool is %v", s)
		}
	}
}

// pending are calls that wait for their results.
type pending struct {
	ids  []string
	used map[string]bool
}

func (l *laws) call(o *pending, id, name string, valid *regexp.Regexp) {
	l.demand(id != "", "a call of %s has no id", name)
	l.demand(!o.used[id], "two calls have the id %s", id)
	l.demand(valid.MatchString(name), "%.80q is called", name)
	if o.used == nil {
		o.used = map[string]bool{}
	}
	o.used[id] = true
	o.ids = append(o.ids, id)
}

func (l *laws) answered(o *pending, id string) {
	i := slices.Index(o.ids, id)
	l.demand(i >= 0, "a result of %s, which does not wait for one", id)
	if i >= 0 {
		o.ids = slices.Delete(o.ids, i, i+1)
	}
}

func (l *laws) settled(o *pending, before string) {
	l.demand(len(o.ids) == 0, "calls without results before %s: %v", before, o.ids)
	o.ids = nil
}

func (l *laws) kinds(v any, kinds ...string) {
	for _, y := range list(v) {
		l.demand(slices.Contains(kinds, str(obj(y)["type"])), "a part of type %s", str(obj(y)["type"]))
	}
	if parts, ok := v.([]any); ok {
		l.demand(len(parts) > 0, "a message of no parts")
	}
}

func (l *laws) chat(b object) {
	var names []string
	var schemas []any
	for _, y := range list(b["tools"]) {
		f := obj(pick(obj(y), "function", "custom"))
		names, schemas = append(names, str(f["name"])), append(schemas, f["parameters"])
	}
	l.declared(names, schemas, plainName)
	l.demand(b["tool_choice"] == nil || len(names) > 0, "a choice of no tools")
	l.demand(len(list(b["messages"])) > 0, "no messages")
	var o pending
	for _, x := range list(b["messages"]) {
		m := obj(x)
		if str(m["role"]) == "tool" {
			l.answered(&o, str(m["tool_call_id"]))
			l.demand(m["content"] != nil, "a result without content")
			l.kinds(m["content"], "text")
			continue
		}
		l.settled(&o, "a message of "+str(m["role"]))
		switch str(m["role"]) {
		case "user":
			l.kinds(m["content"], "text", "image_url", "input_audio", "file", "video_url")
			l.demand(m["content"] != nil, "a user who says nothing")
		case "assistant":
			for _, y := range list(m["tool_calls"]) {
				f := obj(pick(obj(y), "function", "custom"))
				l.call(&o, str(obj(y)["id"]), str(f["name"]), plainName)
				_, text := pick(f, "arguments", "input").(string)
				l.demand(text, "arguments that are no text")
			}
			l.kinds(m["content"], "text", "refusal")
			l.demand(m["content"] != nil || m["tool_calls"] != nil || m["refusal"] != nil || m["audio"] != nil || chatThinking(m) != "", "a model that says nothing")
		default:
			l.demand(slices.Contains([]string{"system", "developer"}, str(m["role"])), "the role %s", str(m["role"]))
			l.demand(m["content"] != nil, "an instruction without content")
		}
	}
	l.settled(&o, "the end")
}

func (l *laws) responses(b object) {
	var names []string
	var schemas []any
	for _, y := range list(b["tools"]) {
		if t := obj(y); str(t["type"]) == "function" || str(t["type"]) == "custom" {
			names, schemas = append(names, str(t["name"])), append(schemas, t["parameters"])
		}
	}
	l.declared(names, schemas, plainName)
	var o pending
	for _, x := range list(b["input"]) {
		m := obj(x)
		switch str(m["type"]) {
		case "function_call", "custom_tool_call":
			l.call(&o, str(m["call_id"]), str(m["name"]), plainName)
			_, text := pick(m, "arguments", "input").(string)
			l.demand(text, "arguments that are no text")
		case "function_call_output", "custom_tool_call_output":
			l.answered(&o, str(m["call_id"]))
			l.demand(m["output"] != nil, "a result without output")
			l.kinds(m["output"], "input_text", "input_image", "input_file")
		case "", "message":
			l.demand(m["content"] != nil, "a message without content")
			if str(m["role"]) == "assistant" {
				l.kinds(m["content"], "output_text", "refusal")
			} else {
				l.kinds(m["content"], "input_text", "input_image", "input_file", "input_audio")
			}
		case "reasoning":
			_, ok := m["summary"].([]any)
			l.demand(ok, "reasoning without a summary")
		}
	}
	l.settled(&o, "the end")
}

func (l *laws) anthropic(b object) {
	var names []string
	var schemas []any
	for _, y := range list(b["tools"]) {
		t := obj(y)
		names = append(names, str(t["name"]))
		if s := t["input_schema"]; str(t["type"]) == "" || str(t["type"]) == "custom" {
			schemas = append(schemas, s)
			l.demand(str(obj(s)["type"]) == "object", "the schema of %s is that of no object", str(t["name"]))
			l.demand(pick(obj(s), "anyOf", "oneOf", "allOf") == nil, "the schema of %s has alternatives at its root", str(t["name"]))
		}
	}
	l.declared(names, schemas, claudeName)
	l.demand(b["tool_choice"] == nil || len(names) > 0, "a choice of no tools")
	l.demand(num(b["max_tokens"]) > 0, "no max_tokens")
	budget := num(obj(b["thinking"])["budget_tokens"])
	l.demand(budget == 0 || budget >= 1024 && budget < num(b["max_tokens"]), "a budget of %d of %d tokens", budget, num(b["max_tokens"]))
	for _, y := range list(b["system"]) {
		l.demand(squeeze(str(obj(y)["text"])) != "", "an empty instruction")
	}
	var o pending
	for i, x := range list(b["messages"]) {
		m := obj(x)
		role := str(m["role"])
		l.demand(i > 0 || role == "user", "the %s speaks first", role)
		blocks := list(m["content"])
		if s, ok := m["content"].(string); ok {
			blocks = []any{object{"type": "text", "text": s}}
		}
		l.demand(len(blocks) > 0, "a message of no blocks")
		results := true
		for _, y := range blocks {
			p := obj(y)
			if results = results && str(p["type"]) == "tool_result"; !results && role == "user" {
				l.settled(&o, "other words")
			}
			switch str(p["type"]) {
			case "text":
				l.demand(squeeze(str(p["text"])) != "", "an empty text")
			case "tool_use":
				l.demand(role == "assistant", "a call of the %s", role)
				l.demand(claudeID.MatchString(str(p["id"])), "the id %.80q", str(p["id"]))
				l.demand(obj(p["input"]) != nil, "arguments that are no object")
				l.call(&o, str(p["id"]), str(p["name"]), claudeName)
			case "tool_result":
				l.demand(role == "user", "a result of the %s", role)
				l.answered(&o, str(p["tool_use_id"]))
				for _, z := range list(p["content"]) {
					q := obj(z)
					l.demand(slices.Contains([]string{"text", "image", "document", "search_result", "tool_reference"}, str(q["type"])), "a block of type %s in a result", str(q["type"]))
					l.demand(str(q["type"]) != "text" || str(q["text"]) != "", "an empty text in a result")
				}
			case "thinking":
				l.demand(role == "assistant" && str(p["signature"]) != "", "thinking that is not signed")
			case "image", "document":
				l.demand(role == "user", "the %s shows something", role)
			}
		}
		if role == "assistant" && i+1 < len(list(b["messages"])) {
			l.demand(len(o.ids) == 0 || str(obj(list(b["messages"])[i+1])["role"]) == "user", "calls whose results do not follow")
		}
	}
	l.settled(&o, "the end")
}

func (l *laws) gemini(b object) {
	var names []string
	var schemas []any
	for _, y := range list(b["tools"]) {
		for _, z := range list(obj(y)["functionDeclarations"]) {
			f := obj(z)
			l.demand(f["parameters"] == nil || f["parametersJsonSchema"] == nil, "two schemas of %s", str(f["name"]))
			names, schemas = append(names, str(f["name"])), append(schemas, pick(f, "parameters", "parametersJsonSchema"))
		}
	}
	l.declared(names, schemas, googleName)
	thinks := obj(obj(b["generationConfig"])["thinkingConfig"])
	l.demand(thinks["thinkingBudget"] == nil || thinks["thinkingLevel"] == nil, "a budget and a level")
	var called []string
	all := list(b["contents"])
	l.demand(len(all) > 0, "no contents")
	for i, x := range all {
		c := obj(x)
		role := str(c["role"])
		l.demand(role == "user" || role == "model", "the role %s", role)
		l.demand(i > 0 || role == "user", "the model speaks first")
		l.demand(len(list(c["parts"])) > 0, "a content of no parts")
		var calls, results []string
		for _, y := range list(c["parts"]) {
			p := obj(y)
			n := 0
			for _, k := range []string{"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"} {
				if p[k] != nil {
					n++
				}
			}
			l.demand(n == 1, "a part of %d things", n)
			if t, ok := p["text"].(string); ok {
				l.demand(t != "" || p["thoughtSignature"] != nil, "an empty text")
			}
			if f := obj(p["functionCall"]); f != nil {
				l.demand(role == "model" && googleName.MatchString(str(f["name"])), "%.80q is called by the %s", str(f["name"]), role)
				l.demand(f["args"] == nil || obj(f["args"]) != nil, "arguments that are no object")
				calls = append(calls, str(f["name"]))
			}
			if f := obj(p["functionResponse"]); f != nil {
				l.demand(role == "user" && obj(f["response"]) != nil, "a response that is no object, or of the %s", role)
				results = append(results, str(f["name"]))
			}
		}
		l.demand(slices.Equal(called, results), "%v were called, %v answer", called, results)
		called = calls
	}
	l.demand(len(called) == 0, "%v were called, nobody answers", called)
}
