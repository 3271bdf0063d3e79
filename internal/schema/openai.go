package schema

import (
	"slices"

	"portico/internal/llm"
)

// OpenAI is schema as OpenAI takes it for a function that is not strict (spec:
// upstreams §2.8, translation-traps A14): an object with properties, no union
// at its root. A missing schema is that of an object without properties.
func OpenAI(schema []byte, path string) (out []byte, losses []llm.Loss) {
	return rooted(schema, path)
}

// strictKeywords are those that OpenAI knows in strict schemas.
var strictKeywords = []string{
	"type", "description", "title", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs", "definitions",
	"pattern", "format", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "minItems", "maxItems", "default", "$schema", "$id",
}

// The limits of strict schemas.
const (
	strictProperties = 5000
	strictNesting    = 10
)

// OpenAIStrict reports whether schema may be sent with strict set (spec:
// upstreams §2.8, translation-traps B25): the root is an object and no union,
// every object is closed and requires each of its properties, references stay
// within the document, and there is no keyword that OpenAI does not know there.
func OpenAIStrict(schema []byte) (ok bool) {
	raw := trim(schema)
	p := newPass(raw, "")
	n, ok := p.parse(raw)
	if !ok || string(n.get("type")) != `"object"` || n.has("anyOf", "$ref") {
		return false
	}
	s := strict{p, strictProperties}
	return s.node(n, 1)
}

type strict struct {
	*pass
	left int // properties that are still allowed
}

// node judges a schema that lies in depth objects.
func (s *strict) node(n node, depth int) bool {
	if depth > strictNesting || s.left < 0 {
		return false
	}
	for _, k := range n {
		if !slices.Contains(strictKeywords, k.name) {
			return false
		}
		switch k.name {
		case "$ref":
			if _, why := s.target(text(k.value)); why != "" {
				return false
			}
		case "items":
			if !s.schema(k.value, depth) {
				return false
			}
		case "anyOf":
			for _, e := range elements(k.value) {
				if !s.schema(e, depth) {
					return false
				}
			}
		case "properties", "$defs", "definitions":
			list, ok := s.parse(k.value)
			if s.left -= len(list); !ok {
				return false
			}
			for _, x := range list {
				if !s.schema(x.value, depth+1) {
					return false
				}
			}
		}
	}
	types, _ := n.types()
	if !isIn(types, "object") && !n.has("properties") {
		return true
	}
	if string(n.get("additionalProperties")) != "false" {
		return false
	}
	props, _ := s.parse(n.get("properties"))
	required := elements(n.get("required"))
	for _, x := range props {
		if !contains(required, []byte(`"`+x.name+`"`)) {
			return false
		}
	}
	return len(required) == len(props)
}

func (s *strict) schema(raw []byte, depth int) bool {
	n, ok := s.parse(raw)
	return ok && s.node(n, depth)
}
