package schema

import (
	"slices"

	"portico/internal/llm"
)

// Anthropic is schema as Anthropic takes it for input_schema (spec:
// translation-traps A14, A15): any JSON Schema whose root is an object and no
// union. A missing schema is that of an object. Alternatives at the root become
// one object with the properties of all.
func Anthropic(schema []byte, path string) (out []byte, losses []llm.Loss) {
	return rooted(schema, path)
}

// rooted sees to the root alone.
func rooted(schema []byte, path string) ([]byte, []llm.Loss) {
	raw := trim(schema)
	p := newPass(raw, path)
	n, ok := p.parse(raw)
	if !ok {
		return []byte(`{"type":"object","properties":{}}`), nil
	}
	if !n.has("$ref", "anyOf", "oneOf", "allOf", "enum", "not", "const") && string(n.get("type")) == `"object"` && isObject(n.get("properties")) {
		return raw, nil
	}
	n, why := p.resolve(n)
	if why != "" {
		p.lose("$ref", "dropped: "+why)
		n = n.without("$ref")
	}
	n = p.merge(n)
	if n.has("anyOf", "oneOf") {
		list, _ := p.alternatives(n)
		if len(list) > 0 {
			p.lose("anyOf", "approximated: alternatives at the root as one object")
		}
		n = p.united(n, list)
	}
	var hints []string
	for _, name := range []string{"enum", "not", "const"} {
		if v := n.get(name); v != nil {
			hints = p.move(hints, keyword{name, v})
			n = n.without(name)
		}
	}
	if types, _ := n.types(); len(types) > 0 && !isIn(types, "object") {
		p.lose("type", "approximated: arguments are an object")
	}
	n = n.with("type", []byte(`"object"`))
	if !isObject(n.get("properties")) {
		n = n.with("properties", []byte("{}"))
	}
	if len(hints) > 0 {
		d := describe([]byte{'{'}, n, hints)
		n = n.with("description", d[len(`{"description":`):])
	}
	return n.raw(), p.told()
}

// refused are the keywords that Anthropic refuses in the form of an answer.
var refused = []string{
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
	"maxItems", "uniqueItems", "contains", "minContains", "maxContains", "minProperties", "maxProperties", "patternProperties",
	"propertyNames", "dependentRequired", "dependentSchemas", "dependencies", "not", "if", "then", "else", "prefixItems",
	"unevaluatedItems", "unevaluatedProperties", "additionalItems", "contentEncoding", "contentMediaType",
}

// answerFormats are those of texts that Anthropic holds an answer to.
var answerFormats = []string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}

// answer inlines the reference of n and takes out what Anthropic refuses.
func (w plain) answer(n node) (node, []string) {
	var hints []string
	n, why := w.resolve(n)
	if why != "" {
		w.lose("$ref", "approximated: "+why)
		hints = append(hints, hint(keyword{"$ref", n.get("$ref")}))
		n = n.without("$ref")
	}
	n = w.merge(n)
	if v := n.get("oneOf"); v != nil {
		if n.has("anyOf") {
			hints = w.move(hints, keyword{"oneOf", v})
		} else {
			w.lose("oneOf", "approximated: as anyOf")
			n = n.with("anyOf", v)
		}
		n = n.without("oneOf")
	}
	out := make(node, 0, len(n)+1)
	for _, k := range n {
		_, known := vocabulary[k.name]
		switch {
		case k.name == "$schema", k.name == "$defs", k.name == "definitions", k.name == "nullable":
		case k.name == "additionalProperties":
			if string(k.value) != "false" {
				hints = w.move(hints, k)
			}
		case !known, slices.Contains(refused, k.name):
			hints = w.move(hints, k)
		case k.name == "minItems" && string(k.value) != "0" && string(k.value) != "1":
			hints = w.move(hints, k)
		case k.name == "format" && !slices.Contains(answerFormats, text(k.value)):
			hints = w.move(hints, k)
		default:
			out = append(out, k)
		}
	}
	if string(n.get("nullable")) == "true" {
		out = orNull(out)
	}
	return out, hints
}

// closed says of an object that it has no other properties.
func closed(dst []byte, n node) []byte {
	types, _ := n.types()
	if isIn(types, "object") || len(types) == 0 && n.has("properties") {
		dst = append(member(dst, "additionalProperties"), "false"...)
	}
	return dst
}
