package main

import (
	"encoding/base64"
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
	d.bad = unlawful(protocol, b)
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

// A resultRun is the results of one turn's calls, which clients send in any order
// and which everybody else wants in the order of the calls.
type resultRun struct {
	from  int
	ranks map[string]int
	of    []int
}

// called adds calls to the turn, or begins another one if the last has results.
func (r *resultRun) called(d *digest, calls []any) {
	if len(r.of) > 0 || r.ranks == nil {
		*r = resultRun{from: len(d.results), ranks: map[string]int{}}
	}
	for _, c := range calls {
		r.ranks[str(obj(c)["id"])] = len(r.ranks)
	}
}

// take adds the result of the call id where it belongs.
func (r *resultRun) take(d *digest, id, result string) {
	rank, ok := r.ranks[id]
	if !ok {
		rank = len(r.ranks)
	}
	i := len(r.of)
	for i > 0 && r.of[i-1] > rank {
		i--
	}
	r.of = slices.Insert(r.of, i, rank)
	d.results = slices.Insert(d.results, r.from+i, result)
}

// locatedText is the text of a data: URL of plain text, "" of anything else.
func locatedText(url string) string {
	mime, data, ok := strings.Cut(strings.TrimPrefix(url, "data:"), ";base64,")
	if !ok || !strings.HasPrefix(url, "data:") {
		return ""
	}
	return plainText(mime, data)
}

// plainText is the text of an inline document of plain text.
func plainText(mime, data string) string {
	if !strings.HasPrefix(mime, "text/plain") {
		return ""
	}
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return ""
	}
	return string(raw)
}

func chatRequest(d *digest, b object) {
	var run resultRun
	for _, x := range list(b["messages"]) {
		m := obj(x)
		role := str(m["role"])
		switch role {
		case "system", "developer":
			d.instructions += texts(m["content"])
			continue
		case "tool", "function":
			run.take(d, str(m["tool_call_id"]), result(texts(m["content"])))
			for _, y := range list(m["content"]) { // what some vendors take there, too
				d.chatImage(obj(y))
			}
			continue
		}
		run.called(d, list(m["tool_calls"]))
		if s, ok := m["content"].(string); ok {
			d.say(role, s)
		}
		for _, y := range list(m["content"]) {
			p := obj(y)
			switch str(p["type"]) {
			case "text":
				d.say(role, str(p["text"]))
			case "refusal":
				d.say(role, str(p["refusal"]))
			case "file":
				d.say(role, locatedText(str(obj(p["file"])["file_data"])))
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
			d.call(spaced(b, m), m["arguments"])
		case "custom_tool_call":
			d.call(spaced(b, m), object{"input": m["input"]})
		case "function_call_output", "custom_tool_call_output":
			var files strings.Builder
			for _, p := range list(m["output"]) {
				files.WriteString(locatedText(str(obj(p)["file_data"])))
			}
			d.results = append(d.results, result(texts(m["output"])+files.String()))
			for _, p := range list(m["output"]) {
				if url := str(obj(p)["image_url"]); url != "" {
					d.images = append(d.images, located(url))
				}
			}
		case "image_generation_call":
			if data := str(m["result"]); data != "" {
				d.images = append(d.images, image(data))
			}
		case "additional_tools", "tool_search_output":
			shown = append(shown, list(m["tools"])...)
		}
	}
	responsesTools(d, list(b["tools"]))
	d.loaded(shown)
}

// spaced is the name of the tool that a call is of, with its namespace if the
// request b declares that.
func spaced(b, call object) string {
	name, space := str(call["name"]), str(call["namespace"])
	declared := func(tools []any) bool {
		return slices.ContainsFunc(tools, func(t any) bool { return str(obj(t)["type"]) == "namespace" && str(obj(t)["name"]) == space })
	}
	if space != "" && (declared(list(b["tools"])) || slices.ContainsFunc(list(b["input"]), func(i any) bool { return declared(list(obj(i)["tools"])) })) {
		return space + "__" + name
	}
	return name
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
		case "input_file":
			d.say(role, locatedText(str(p["file_data"])))
		case "input_image":
			if url := str(p["image_url"]); url != "" {
				d.images = append(d.images, located(url))
			}
		}
	}
}

// responsesTools reads tools. Those of a namespace have its name before theirs,
// as everybody has to call them who knows no namespaces.
func responsesTools(d *digest, tools []any) {
	for _, y := range tools {
		t := obj(y)
		switch str(t["type"]) {
		case "function":
			d.tool(str(t["name"]), t["parameters"])
		case "custom":
			d.tool(str(t["name"]), object{"properties": object{"input": nil}})
		case "namespace":
			var inner digest
			responsesTools(&inner, list(t["tools"]))
			for _, s := range inner.tools {
				d.tools = append(d.tools, str(t["name"])+"__"+s)
			}
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
	var run resultRun
	for _, x := range list(b["messages"]) {
		m := obj(x)
		role := str(m["role"])
		if role == "system" {
			d.instructions += texts(m["content"])
			continue
		}
		if role == "assistant" {
			run.called(d, slices.DeleteFunc(slices.Clone(list(m["content"])), func(p any) bool { return str(obj(p)["type"]) != "tool_use" }))
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
				run.take(d, str(p["tool_use_id"]), result(documented(p["content"])))
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
				var files strings.Builder
				for _, q := range list(answer["parts"]) {
					in := obj(pick(obj(q), "inlineData", "inline_data"))
					files.WriteString(plainText(str(pick(in, "mimeType", "mime_type")), str(in["data"])))
				}
				d.results = append(d.results, result(answer["response"])+files.String())
				for _, q := range list(answer["parts"]) {
					if f := obj(pick(obj(q), "fileData", "file_data")); strings.HasPrefix(str(pick(f, "mimeType", "mime_type")), "image/") {
						d.images = append(d.images, str(pick(f, "fileUri", "file_uri")))
					}
					if in := obj(pick(obj(q), "inlineData", "inline_data")); strings.HasPrefix(str(pick(in, "mimeType", "mime_type")), "image/") {
						d.images = append(d.images, image(str(in["data"])))
					}
				}
			case inline != nil:
				mime := str(pick(inline, "mimeType", "mime_type"))
				if strings.HasPrefix(mime, "image/") {
					d.images = append(d.images, image(str(inline["data"])))
				}
				d.say(str(obj(x)["role"]), plainText(mime, str(inline["data"])))
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
