package schema

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
)

// GeminiJSON is schema as Google takes it where it takes JSON Schema itself:
// for parametersJsonSchema and responseJsonSchema (spec: upstreams §1D.1, §2.8,
// translation-traps C18, C23, F14). Nearly everything stays. $schema and what
// is no keyword go, definitions become $defs, const becomes an enum of one, and
// a reference is inlined if something stands beside it, since Google wants
// references alone; it may lead into itself.
//
// out is nil if schema is no schema.
func GeminiJSON(schema []byte, path string) (out []byte, losses []llm.Loss) {
	return jsonSchema(schema, path, forGemini)
}

// FromGemini is Google's Schema message as JSON Schema: types in lower case,
// nullable as a type or an alternative, whole numbers that were written as
// strings as numbers, and names in camel case. What is JSON Schema already
// stays as it is. It is nil if schema is no schema.
func FromGemini(schema []byte) []byte {
	out, _ := jsonSchema(schema, "", fromGemini)
	return out
}

// AnthropicOutput is schema as Anthropic takes it for the form of an answer
// (spec: upstreams §2.8): every object is closed, references are inlined, and
// limits of numbers, texts and lists, which it refuses, go into the
// description. out is nil if schema is no schema.
func AnthropicOutput(schema []byte, path string) (out []byte, losses []llm.Loss) {
	return jsonSchema(schema, path, forAnswer)
}

func jsonSchema(schema []byte, path string, d dialect) ([]byte, []llm.Loss) {
	raw := trim(schema)
	w := plain{newPass(raw, path), d}
	n, ok := w.parse(raw)
	if !ok {
		return nil, nil
	}
	return w.node(nil, n), w.told()
}

// A dialect is what plain writes.
type dialect uint8

const (
	forGemini  dialect = iota // JSON Schema as Google takes it
	fromGemini                // JSON Schema for everybody, of Google's Schema
	forAnswer                 // what Anthropic can hold an answer to
)

// plain writes JSON Schema.
type plain struct {
	*pass
	to dialect
}

// within says which keywords hold schemas, and how.
var within = map[string]byte{
	"items": 's', "additionalProperties": 's', "not": 's', "if": 's', "then": 's', "else": 's', "contains": 's', "propertyNames": 's',
	"unevaluatedItems": 's', "unevaluatedProperties": 's', "additionalItems": 's',
	"anyOf": 'l', "oneOf": 'l', "allOf": 'l', "prefixItems": 'l',
	"properties": 'n', "patternProperties": 'n', "$defs": 'n', "definitions": 'n', "dependentSchemas": 'n',
}

func (w plain) schema(dst, raw []byte) []byte {
	n, ok := w.parse(raw)
	switch {
	case !ok:
		return append(dst, raw...) // true or false
	case w.deep():
		w.lose("", "approximated: it is nested too deep")
		return append(dst, "{}"...)
	}
	return w.node(dst, n)
}

func (w plain) node(dst []byte, n node) []byte {
	refs := len(w.refs)
	defer func() { w.refs = w.refs[:refs] }()
	var hints []string
	switch w.to {
	case forGemini:
		n, hints = w.reference(n)
	case fromGemini:
		n = google(n)
	case forAnswer:
		n, hints = w.answer(n)
	}
	dst = append(dst, '{')
	for _, k := range n {
		if k.name == "description" && len(hints) > 0 {
			continue
		}
		dst = w.keyword(dst, k)
	}
	if len(hints) > 0 {
		dst = describe(dst, n, hints)
	}
	if w.to == forAnswer {
		dst = closed(dst, n)
	}
	return append(dst, '}')
}

// keyword writes a keyword with the schemas in it.
func (w plain) keyword(dst []byte, k keyword) []byte {
	how := within[k.name]
	switch {
	case how == 'n' && isObject(k.value):
		props, _ := w.parse(k.value)
		dst = append(member(dst, k.name), '{')
		w.in(k.name, func() {
			for _, x := range props {
				w.in(x.name, func() { dst = w.schema(member(dst, x.name), x.value) })
			}
		})
		return append(dst, '}')
	case (how == 'l' || how == 's') && isArray(k.value): // before 2020 items was a list, too
		dst = append(member(dst, k.name), '[')
		for i, x := range elements(k.value) {
			w.in(k.name+"["+strconv.Itoa(i)+"]", func() { dst = w.schema(comma(dst), x) })
		}
		return append(dst, ']')
	case how == 's' && isObject(k.value):
		w.in(k.name, func() { dst = w.schema(member(dst, k.name), k.value) })
		return dst
	case k.name == "type":
		return append(member(dst, k.name), spelled(k.value)...)
	}
	return append(member(dst, k.name), k.value...)
}

// spelled is the value of type with the names of types as JSON Schema spells
// them.
func spelled(v []byte) []byte {
	list := elements(v)
	if list == nil {
		list = [][]byte{v}
	}
	change := false
	for i, e := range list {
		if t := typeName(e); t != "" && text(e) != t {
			list[i], change = []byte(`"`+t+`"`), true
		}
	}
	switch {
	case !change:
		return v
	case isArray(v):
		return array(list)
	}
	return list[0]
}

// reference leaves out what Google does not take, and sees to references.
func (w plain) reference(n node) (node, []string) {
	var hints []string
	if ref := text(n.get("$ref")); ref != "" {
		local := strings.HasPrefix(ref, "#/$defs/") || strings.HasPrefix(ref, "#/definitions/")
		// At the root the definitions themselves stand beside it.
		alone := !n.has("$defs") && !slices.ContainsFunc(n, func(k keyword) bool { return k.name[:min(1, len(k.name))] != "$" })
		target, why := w.target(ref)
		switch {
		case local && target != nil && alone, local && why == "a reference into itself":
			for _, k := range n {
				if k.name[:min(1, len(k.name))] != "$" {
					w.lose(k.name, "dropped: nothing may stand beside a reference")
				}
			}
			ref = strings.Replace(ref, "#/definitions/", "#/$defs/", 1)
			return node{{"$ref", llm.Plain(ref).AppendJSON(nil)}}, nil
		default:
			if n, why = w.resolve(n); why != "" {
				w.lose("$ref", "approximated: "+why)
				hints = append(hints, hint(keyword{"$ref", n.get("$ref")}))
				n = n.without("$ref")
			}
		}
	}
	out := make(node, 0, len(n))
	for _, k := range n {
		switch _, known := vocabulary[k.name]; {
		case k.name == "$schema", k.name == "definitions" && n.has("$defs"), k.name == "nullable":
			continue
		case k.name == "definitions":
			k.name = "$defs"
		case k.name == "const" && (isString(k.value) || isNumber(k.value)) && !n.has("enum"):
			k = keyword{"enum", array([][]byte{k.value})}
		case !known:
			w.lose(k.name, "dropped: it is no keyword of JSON Schema")
			continue
		}
		out = append(out, k)
	}
	if string(n.get("nullable")) == "true" {
		out = orNull(out)
	}
	return out, hints
}

// orNull is n for values that may also be null.
func orNull(n node) node {
	null := []byte(`"null"`)
	switch t := n.get("type"); {
	case isString(t):
		n = n.with("type", array([][]byte{spelled(t), null}))
	case isArray(t):
		n = n.with("type", array(union(elements(spelled(t)), [][]byte{null})))
	case n.has("anyOf"):
		list := elements(n.get("anyOf"))
		if !slices.ContainsFunc(list, func(e []byte) bool { return typeName(jsonedit.Get(e, "type")) == "null" }) {
			n = n.with("anyOf", array(append(list, []byte(`{"type":"null"}`))))
		}
	default:
		return n
	}
	if e := n.get("enum"); isArray(e) {
		n = n.with("enum", array(union(elements(e), [][]byte{[]byte("null")})))
	}
	return n
}

// camel are the names of Google's Schema that proto JSON spells with
// underscores, too, and those that JSON Schema has under another name.
var camel = map[string]string{
	"any_of": "anyOf", "min_items": "minItems", "max_items": "maxItems", "min_length": "minLength", "max_length": "maxLength",
	"min_properties": "minProperties", "max_properties": "maxProperties", "property_ordering": "propertyOrdering",
	"additional_properties": "additionalProperties", "defs": "$defs", "ref": "$ref",
}

// google spells a Schema of Google's as JSON Schema.
func google(n node) node {
	out := make(node, 0, len(n)+1)
	for _, k := range n {
		if name, ok := camel[k.name]; ok && !n.has(name) {
			k.name = name
		}
		switch k.name {
		case "nullable":
			continue
		case "type":
			if strings.HasSuffix(text(k.value), "_UNSPECIFIED") || string(k.value) == "0" {
				continue
			}
			if n := typeName(k.value); n != "" {
				k.value = []byte(`"` + n + `"`)
			}
		case "format":
			if text(k.value) == "enum" {
				continue
			}
		case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
			if s := text(k.value); isNumber([]byte(s)) && len(s)+2 == len(k.value) {
				k.value = k.value[1 : len(k.value)-1]
			}
		case "example":
			if !n.has("examples") {
				k = keyword{"examples", array([][]byte{k.value})}
			}
		case "$ref":
			k.value = bytes.Replace(k.value, []byte("#/defs/"), []byte("#/$defs/"), 1)
		}
		out = append(out, k)
	}
	if string(n.get("nullable")) == "true" {
		out = orNull(out)
	}
	return out
}
