package main

import (
	"encoding/json/v2"
	"regexp"
	"strings"

	"portico/internal/rig"
)

type object = map[string]any

func obj(v any) object { o, _ := v.(object); return o }
func list(v any) []any { l, _ := v.([]any); return l }
func str(v any) string { s, _ := v.(string); return s }

var folderName = regexp.MustCompile(`(/[^\s"'` + "`" + `<>]*)/` + regexp.QuoteMeta(textFile))

// look reads a request. The readers share no code with the gateway's codecs.
func look(protocol string, body []byte) *seen {
	var b object
	if json.Unmarshal(body, &b) != nil {
		return nil
	}
	s := &seen{protocol: protocol}
	if m := folderName.FindSubmatch(body); m != nil {
		s.folder = string(m[1])
	}
	switch protocol {
	case rig.Chat:
		s.chat(b)
	case rig.Responses:
		s.responses(b)
	case rig.Messages:
		s.messages(b)
	default:
		s.gemini(b)
	}
	return s
}

// offer takes a tool.
func (s *seen) offer(name any, schema any) {
	if n := str(name); n != "" && schema != nil {
		s.tools = append(s.tools, tool{n, obj(schema)})
	}
}

// call takes a call, whose arguments may be JSON in a string.
func (s *seen) call(id, name, args any) {
	in := obj(args)
	if t, ok := args.(string); ok && json.Unmarshal([]byte(t), &in) != nil {
		in = nil
	}
	s.calls = append(s.calls, called{str(id), str(name), in})
}

// picture takes inline data of a picture.
func (s *seen) picture(kind, data any) {
	if strings.HasPrefix(str(kind), "image/") {
		s.pictures = append(s.pictures, unbase(str(data)))
	}
}

// located takes a picture that stands in a data: URL.
func (s *seen) located(url any) {
	if kind, data, ok := strings.Cut(strings.TrimPrefix(str(url), "data:"), ";base64,"); ok {
		s.picture(kind, data)
	}
}

// words joins the texts of a string, or of parts.
func words(v any) string {
	if t := str(v); t != "" {
		return t
	}
	var b strings.Builder
	for _, p := range list(v) {
		b.WriteString(str(obj(p)["text"]))
	}
	return b.String()
}

func (s *seen) chat(b object) {
	for _, t := range list(b["tools"]) {
		f := obj(obj(t)["function"])
		s.offer(f["name"], f["parameters"])
	}
	for _, x := range list(b["messages"]) {
		m := obj(x)
		for _, y := range list(m["reasoning_details"]) {
			s.sealed = s.sealed || str(obj(y)["data"]) == seal && str(m["role"]) == "assistant"
		}
		for _, y := range list(m["tool_calls"]) {
			f := obj(obj(y)["function"])
			s.call(obj(y)["id"], f["name"], f["arguments"])
		}
		if str(m["role"]) == "tool" {
			s.results = append(s.results, toolResult{str(m["tool_call_id"]), words(m["content"])})
			continue // the role takes texts only: a picture must stand with the user
		}
		for _, y := range list(m["content"]) {
			if p := obj(y); str(m["role"]) == "user" && str(p["type"]) == "image_url" {
				s.located(obj(p["image_url"])["url"])
			}
		}
	}
}

func (s *seen) responses(b object) {
	for _, t := range list(b["tools"]) {
		s.offer(obj(t)["name"], obj(t)["parameters"])
	}
	for _, x := range list(b["input"]) {
		m := obj(x)
		parts := list(m["content"])
		switch str(m["type"]) {
		case "function_call_output":
			s.results = append(s.results, toolResult{str(m["call_id"]), words(m["output"])})
			parts = list(m["output"])
		case "function_call":
			s.call(m["call_id"], m["name"], m["arguments"])
		case "reasoning":
			s.sealed = s.sealed || str(m["encrypted_content"]) == seal
		}
		for _, y := range parts {
			if p := obj(y); str(p["type"]) == "input_image" {
				s.located(p["image_url"])
			}
		}
	}
}

func (s *seen) messages(b object) {
	for _, t := range list(b["tools"]) {
		s.offer(obj(t)["name"], obj(t)["input_schema"])
	}
	for _, x := range list(b["messages"]) {
		for _, y := range list(obj(x)["content"]) {
			p := obj(y)
			s.block(p)
			switch str(p["type"]) {
			case "tool_result":
				s.results = append(s.results, toolResult{str(p["tool_use_id"]), words(p["content"])})
				for _, z := range list(p["content"]) {
					s.block(obj(z))
				}
			case "tool_use":
				s.call(p["id"], p["name"], p["input"])
			case "thinking":
				s.sealed = s.sealed || str(p["signature"]) == seal && str(p["thinking"]) != ""
			}
		}
	}
}

func (s *seen) block(p object) {
	if str(p["type"]) == "image" {
		s.picture(obj(p["source"])["media_type"], obj(p["source"])["data"])
	}
}

func (s *seen) gemini(b object) {
	for _, t := range list(b["tools"]) {
		for _, y := range list(obj(t)["functionDeclarations"]) {
			f := obj(y)
			schema := f["parametersJsonSchema"]
			if schema == nil {
				schema = f["parameters"]
			}
			s.offer(f["name"], schema)
		}
	}
	for _, x := range list(b["contents"]) {
		for _, y := range list(obj(x)["parts"]) {
			p := obj(y)
			s.picture(obj(p["inlineData"])["mimeType"], obj(p["inlineData"])["data"])
			if c := obj(p["functionCall"]); c != nil {
				s.call(c["id"], c["name"], c["args"])
				s.sealed = s.sealed || str(p["thoughtSignature"]) == seal
			}
			if r := obj(p["functionResponse"]); r != nil {
				said, _ := json.Marshal(r["response"])
				s.results = append(s.results, toolResult{str(r["id"]), string(said)})
				for _, z := range list(r["parts"]) {
					in := obj(obj(z)["inlineData"])
					s.picture(in["mimeType"], in["data"])
				}
			}
		}
	}
}
