package main

import (
	"slices"
	"strings"
)

// readRequest reads a request body of a protocol.
func readRequest(protocol string, body []byte) (*digest, error) {
	v, err := tree(body)
	if err != nil {
		return nil, err
	}
	d := &digest{}
	b := obj(v)
	switch protocol {
	case "openai-chat":
		chatRequest(d, b)
	case "openai-responses":
		responsesRequest(d, b)
	case "anthropic":
		anthropicRequest(d, b)
	default:
		geminiRequest(d, b)
	}
	d.settle()
	return d, nil
}

func (d *digest) say(role, text string) {
	if role == "assistant" || role == "model" {
		d.assistant += text
	} else {
		d.user += text
	}
}

func chatRequest(d *digest, b object) {
	for _, x := range list(b["messages"]) {
		m := obj(x)
		role := str(m["role"])
		switch role {
		case "system", "developer":
			d.instructions += texts(m["content"])
			continue
		case "tool", "function":
			d.results = append(d.results, result(texts(m["content"])))
			for _, y := range list(m["content"]) { // what some vendors take there, too
				d.chatImage(obj(y))
			}
			continue
		}
		if s, ok := m["content"].(string); ok {
			d.say(role, s)
		}
		for _, y := range list(m["content"]) {
			p := obj(y)
			switch str(p["type"]) {
			case "text":
				d.say(role, str(p["text"]))
			default:
				d.chatImage(p)
			}
		}
		d.say(role, str(m["refusal"]))
		for _, y := range list(m["tool_calls"]) {
			if f := obj(obj(y)["function"]); f != nil {
				d.call(str(f["name"]), f["arguments"])
			} else if c := obj(obj(y)["custom"]); c != nil {
				d.call(str(c["name"]), object{"input": c["input"]})
			}
		}
		if f := obj(m["function_call"]); f != nil {
			d.call(str(f["name"]), f["arguments"])
		}
	}
	for _, y := range list(b["tools"]) {
		if f := obj(obj(y)["function"]); f != nil {
			d.tool(str(f["name"]), f["parameters"])
		} else if c := obj(obj(y)["custom"]); c != nil {
			d.tool(str(c["name"]), object{"properties": object{"input": nil}})
		}
	}
	for _, y := range list(b["functions"]) {
		d.tool(str(obj(y)["name"]), obj(y)["parameters"])
	}
}

func (d *digest) chatImage(p object) {
	if str(p["type"]) != "image_url" {
		return
	}
	url := str(p["image_url"])
	if o := obj(p["image_url"]); o != nil {
		url = str(o["url"])
	}
	d.images = append(d.images, located(url))
}

func responsesRequest(d *digest, b object) {
	d.instructions += str(b["instructions"])
	if s, ok := b["input"].(string); ok {
		d.user += s
	}
	var shown []any
	for _, x := range list(b["input"]) {
		m := obj(x)
		switch kind := str(m["type"]); kind {
		case "", "message":
			role := str(m["role"])
			if role == "system" || role == "developer" {
				d.instructions += texts(m["content"])
				continue
			}
			if s, ok := m["content"].(string); ok {
				d.say(role, s)
			}
			d.parts(role, m["content"])
		case "function_call":
			d.call(str(m["name"]), m["arguments"])
		case "custom_tool_call":
			d.call(str(m["name"]), object{"input": m["input"]})
		case "function_call_output", "custom_tool_call_output":
			d.results = append(d.results, result(texts(m["output"])))
			for _, p := range list(m["output"]) {
				if url := str(obj(p)["image_url"]); url != "" {
					d.images = append(d.images, located(url))
				}
			}
		case "additional_tools", "tool_search_output":
			shown = append(shown, list(m["tools"])...)
		}
	}
	responsesTools(d, list(b["tools"]))
	d.loaded(shown)
}

// parts reads the parts of a Responses message.
func (d *digest) parts(role string, v any) {
	for _, y := range list(v) {
		p := obj(y)
		switch str(p["type"]) {
		case "input_text", "output_text", "text":
			d.say(role, str(p["text"]))
		case "refusal":
			d.say(role, str(p["refusal"]))
		case "input_image":
			if url := str(p["image_url"]); url != "" {
				d.images = append(d.images, located(url))
			}
		}
	}
}

func responsesTools(d *digest, tools []any) {
	for _, y := range tools {
		t := obj(y)
		switch str(t["type"]) {
		case "function":
			d.tool(str(t["name"]), t["parameters"])
		case "custom":
			d.tool(str(t["name"]), object{"properties": object{"input": nil}})
		case "namespace":
			responsesTools(d, list(t["tools"]))
		}
	}
}

// loaded reads tools that were shown in mid-conversation. One that the request
// declares as well, and in the same way, is still one tool.
func (d *digest) loaded(tools []any) {
	var more digest
	responsesTools(&more, tools)
	for _, t := range more.tools {
		if !slices.Contains(d.tools, t) {
			d.tools = append(d.tools, t)
		}
	}
}

func anthropicRequest(d *digest, b object) {
	if s, ok := b["system"].(string); ok {
		d.instructions += s
	}
	for _, x := range list(b["system"]) {
		if s := str(obj(x)["text"]); !strings.HasPrefix(s, "x-anthropic-billing-header") { // for its own vendor alone
			d.instructions += s
		}
	}
	for _, x := range list(b["messages"]) {
		m := obj(x)
		role := str(m["role"])
		if role == "system" {
			d.instructions += texts(m["content"])
			continue
		}
		if s, ok := m["content"].(string); ok {
			d.say(role, s)
		}
		for _, y := range list(m["content"]) {
			p := obj(y)
			switch str(p["type"]) {
			case "text":
				d.say(role, str(p["text"]))
			case "image":
				d.images = append(d.images, source(p["source"]))
			case "document":
				d.say(role, document(p))
			case "tool_use":
				d.call(str(p["name"]), p["input"])
			case "tool_result":
				d.results = append(d.results, result(documented(p["content"])))
				for _, q := range list(p["content"]) {
					if str(obj(q)["type"]) == "image" {
						d.images = append(d.images, source(obj(q)["source"]))
					}
				}
			}
		}
	}
	for _, y := range list(b["tools"]) {
		if t := obj(y); t["input_schema"] != nil {
			d.tool(str(t["name"]), t["input_schema"])
		}
	}
}

// documented joins the texts of blocks, those of documents that are text among
// them.
func documented(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b strings.Builder
	for _, p := range list(v) {
		b.WriteString(str(obj(p)["text"]))
		b.WriteString(document(obj(p)))
	}
	return b.String()
}

// document is what a document says if it is plain text, or blocks of it.
func document(p object) string {
	switch s := obj(p["source"]); {
	case str(p["type"]) != "document":
	case str(s["type"]) == "text":
		return str(s["data"])
	case str(s["type"]) == "content":
		return texts(s["content"])
	}
	return ""
}

func source(v any) string {
	s := obj(v)
	if data := str(s["data"]); data != "" {
		return image(data)
	}
	return str(s["url"])
}

func geminiRequest(d *digest, b object) {
	s := pick(b, "systemInstruction", "system_instruction")
	if t, ok := s.(string); ok {
		d.instructions += t
	}
	for _, p := range many(obj(s)["parts"]) {
		d.instructions += str(obj(p)["text"])
	}
	for _, x := range many(b["contents"]) {
		role := str(obj(x)["role"])
		for _, y := range many(obj(x)["parts"]) {
			p := obj(y)
			call, answer := obj(pick(p, "functionCall", "function_call")), obj(pick(p, "functionResponse", "function_response"))
			inline, file := obj(pick(p, "inlineData", "inline_data")), obj(pick(p, "fileData", "file_data"))
			switch {
			case call != nil:
				d.call(str(call["name"]), call["args"])
			case answer != nil:
				d.results = append(d.results, result(answer["response"]))
				for _, q := range list(answer["parts"]) {
					if in := obj(pick(obj(q), "inlineData", "inline_data")); in != nil {
						d.images = append(d.images, image(str(in["data"])))
					}
				}
			case inline != nil:
				if strings.HasPrefix(str(pick(inline, "mimeType", "mime_type")), "image/") {
					d.images = append(d.images, image(str(inline["data"])))
				}
			case file != nil:
				if strings.HasPrefix(str(pick(file, "mimeType", "mime_type")), "image/") {
					d.images = append(d.images, str(pick(file, "fileUri", "file_uri")))
				}
			case p["thought"] == true:
			default:
				d.say(role, str(p["text"]))
			}
		}
	}
	for _, y := range many(b["tools"]) {
		for _, z := range many(pick(obj(y), "functionDeclarations", "function_declarations")) {
			f := obj(z)
			d.tool(str(f["name"]), pick(f, "parametersJsonSchema", "parameters_json_schema", "parameters"))
		}
	}
}

// many is a list, or the one thing that stands in its place.
func many(v any) []any {
	if l := list(v); l != nil || v == nil {
		return l
	}
	return []any{v}
}
