package schema

import (
	"bytes"
	"encoding/json/jsontext"
	"slices"
	"strings"
	"unicode/utf8"

	"portico/internal/llm"
)

// vocabulary is what becomes of each keyword that JSON Schema or OpenAPI knows
// where the upstream has none for it: it moves into the description, or it says
// nothing to the model. What is not here is no keyword.
var vocabulary = map[string]bool{ // true: it moves
	"default": true, "examples": true, "example": true, "const": true, "enum": true, "format": true, "$ref": true,
	"exclusiveMinimum": true, "exclusiveMaximum": true, "minimum": true, "maximum": true, "multipleOf": true,
	"minLength": true, "maxLength": true, "pattern": true, "contentEncoding": true, "contentMediaType": true,
	"minItems": true, "maxItems": true, "uniqueItems": true, "contains": true, "minContains": true, "maxContains": true,
	"minProperties": true, "maxProperties": true, "patternProperties": true, "propertyNames": true, "additionalProperties": true,
	"dependentRequired": true, "dependentSchemas": true, "dependencies": true,
	"not": true, "if": true, "then": true, "else": true, "anyOf": true, "oneOf": true, "allOf": true,

	"$schema": false, "$id": false, "id": false, "$comment": false, "$anchor": false, "$dynamicAnchor": false, "$dynamicRef": false,
	"$recursiveRef": false, "$recursiveAnchor": false, "$vocabulary": false, "$defs": false, "definitions": false,
	"deprecated": false, "readOnly": false, "writeOnly": false, "contentSchema": false, "discriminator": false, "xml": false, "externalDocs": false,
	"unevaluatedItems": false, "unevaluatedProperties": false, "additionalItems": false,
	"type": false, "nullable": false, "title": false, "description": false, "properties": false, "required": false,
	"items": false, "prefixItems": false, "propertyOrdering": false,
}

// says reports whether a keyword with this value says anything at all.
func says(k keyword) bool {
	switch k.name {
	case "additionalProperties", "uniqueItems": // true and false, or false, are as good as not said
		return isObject(k.value) && len(bytes.TrimSpace(k.value[1:len(k.value)-1])) > 0 || k.name == "uniqueItems" && string(k.value) == "true"
	}
	return true
}

// move puts a keyword that has no seat into hints, or tells why not.
func (p *pass) move(hints []string, k keyword) []string {
	moves, known := vocabulary[k.name]
	switch {
	case !known:
		p.lose(k.name, "dropped: it is no keyword of JSON Schema")
	case moves && says(k):
		p.lose(k.name, "moved: into the description")
		hints = append(hints, hint(k))
	}
	return hints
}

// hint is a keyword in words, as short as may be.
func hint(k keyword) string {
	v := jsontext.Value(slices.Clone(k.value))
	if err := v.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		v = k.value
	}
	if isString(v) {
		v = []byte(text(v))
	}
	if len(v) > maxHint {
		cut := maxHint
		for cut > 0 && !utf8.RuneStart(v[cut]) {
			cut--
		}
		v = append(v[:cut:cut], "…"...)
	}
	return strings.TrimPrefix(k.name, "$") + ": " + string(v)
}

// describe appends the description of n with hints behind it, if there is any
// of it.
func describe(dst []byte, n node, hints []string) []byte {
	v := n.get("description")
	if !isString(v) {
		v = nil
	}
	if v == nil && len(hints) == 0 {
		return dst
	}
	dst = append(member(dst, "description"), '"')
	if v != nil {
		dst = append(dst, v[1:len(v)-1]...)
	}
	if len(hints) > 0 {
		if len(v) > 2 {
			dst = append(dst, ' ')
		}
		dst = append(dst, '(')
		dst = llm.Plain(strings.Join(hints, "; ")).AppendInner(dst)
		dst = append(dst, ')')
	}
	return append(dst, '"')
}

// typeNames are the types by the names that JSON Schema has for them, and by
// those and the numbers that OpenAPI has at Google.
var typeNames = map[string]string{
	"string": "string", "number": "number", "integer": "integer", "boolean": "boolean", "array": "array", "object": "object", "null": "null",
	"STRING": "string", "NUMBER": "number", "INTEGER": "integer", "BOOLEAN": "boolean", "ARRAY": "array", "OBJECT": "object", "NULL": "null",
	"1": "string", "2": "number", "3": "integer", "4": "boolean", "5": "array", "6": "object", "7": "null",
}

// typeName is the type that v names, in JSON Schema's spelling, or "".
func typeName(v []byte) string {
	if isString(v) {
		return typeNames[text(v)]
	}
	return typeNames[string(v)]
}

// types are the types that n allows, without null, which nullable tells. There
// are none if n does not say.
func (n node) types() (types []string, nullable bool) {
	v := n.get("type")
	list := elements(v)
	if list == nil && v != nil {
		list = [][]byte{v}
	}
	for _, e := range list {
		switch t := typeName(e); {
		case t == "null":
			nullable = true
		case t != "" && !isIn(types, t):
			types = append(types, t)
		}
	}
	return types, nullable || string(n.get("nullable")) == "true"
}

// implied is the type that the other keywords of n are for, or "".
func (n node) implied() string {
	switch {
	case n.has("properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties", "propertyNames"):
		return "object"
	case n.has("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"):
		return "array"
	case n.has("minLength", "maxLength", "pattern", "format"):
		return "string"
	case n.has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
		return "number"
	}
	values := elements(n.get("enum"))
	if v := n.get("const"); v != nil {
		values = append(values, v)
	}
	out := ""
	for _, v := range values {
		t := typeOf(v)
		if t == "null" {
			continue
		}
		if out != "" && out != t {
			return ""
		}
		out = t
	}
	return out
}

// typeOf is the type of a value.
func typeOf(v []byte) string {
	switch {
	case isString(v):
		return "string"
	case isNumber(v):
		if bytes.ContainsAny(v, ".eE") {
			return "number"
		}
		return "integer"
	case isArray(v):
		return "array"
	case isObject(v):
		return "object"
	case string(v) == "null":
		return "null"
	}
	return "boolean"
}

func isIn(list []string, s string) bool { return slices.Contains(list, s) }
