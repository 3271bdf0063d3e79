package simulator

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"maps"
	"slices"
	"strings"
)

// Bounds of an invented value. A schema may refer to itself or ask for a
// billion items.
const (
	maxDepth  = 16
	maxNodes  = 2048
	maxItems  = 32
	maxString = 1024
)

// invent makes the smallest plain value that satisfies a JSON schema, or a
// schema in Gemini's spelling: required properties only, the first of an
// enum, the first of alternatives. Without a usable schema the value is an
// empty object if it must be one (the arguments of a call).
//
// It knows types, enum, const, default, required, items, prefixItems, anyOf,
// oneOf, allOf, $ref within the schema, and bounds of lengths and numbers. It
// does not know patterns.
func invent(schema jsontext.Value, mustObject bool) jsontext.Value {
	var root any
	if len(schema) > 0 && decode(schema, &root) != nil {
		root = nil
	}
	g := inventor{root: root}
	v := g.value(root, 0)
	if mustObject {
		if _, ok := v.(jsonObject); !ok {
			v = jsonObject{}
		}
	}
	return render(v)
}

// A jsonObject is an object whose members have an order.
type jsonObject []member

type member struct {
	name  string
	value any
}

type inventor struct {
	root  any
	nodes int
}

func (g *inventor) value(schema any, depth int) any {
	g.nodes++
	s, _ := schema.(map[string]any)
	if s == nil || depth > maxDepth || g.nodes > maxNodes {
		return nil
	}
	if ref, ok := s["$ref"].(string); ok {
		return g.value(g.follow(ref), depth+1)
	}
	if v, ok := s["const"]; ok {
		return v
	}
	if vs, ok := s["enum"].([]any); ok && len(vs) > 0 {
		return vs[0]
	}
	for _, name := range []string{"anyOf", "any_of", "oneOf"} {
		if vs, ok := s[name].([]any); ok && len(vs) > 0 {
			return g.value(merge(s, g.alternative(vs)), depth+1)
		}
	}
	if vs, ok := s["allOf"].([]any); ok {
		all := without(s, "allOf")
		for _, v := range vs {
			all = merge(all, g.resolved(v))
		}
		return g.value(all, depth+1)
	}
	switch typeOf(s) {
	case "object":
		return g.object(s, depth)
	case "array":
		return g.array(s, depth)
	case "string":
		return text(s)
	case "integer":
		return quantity(s, true)
	case "number":
		return quantity(s, false)
	case "boolean":
		return true
	}
	return nil
}

// alternative is the first of vs that is not null.
func (g *inventor) alternative(vs []any) any {
	for _, v := range vs {
		if r := g.resolved(v); r != nil && typeOf(r) != "null" {
			return r
		}
	}
	return g.resolved(vs[0])
}

func (g *inventor) resolved(v any) map[string]any {
	for range maxDepth {
		s, _ := v.(map[string]any)
		ref, ok := s["$ref"].(string)
		if !ok {
			return s
		}
		v = g.follow(ref)
	}
	return nil
}

// follow finds what a reference such as "#/$defs/x" points at, or nil.
func (g *inventor) follow(ref string) any {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := g.root
	for step := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if step == "" {
			continue
		}
		m, _ := at.(map[string]any)
		at = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return at
}

func (g *inventor) object(s map[string]any, depth int) any {
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	o := jsonObject{}
	for _, r := range required {
		name, ok := r.(string)
		if ok && !slices.ContainsFunc(o, func(m member) bool { return m.name == name }) {
			o = append(o, member{name, g.value(properties[name], depth+1)})
		}
	}
	return o
}

func (g *inventor) array(s map[string]any, depth int) any {
	var vs []any
	for _, name := range []string{"prefixItems", "prefix_items"} {
		prefix, _ := s[name].([]any)
		for _, p := range prefix {
			vs = append(vs, g.value(p, depth+1))
		}
	}
	least := bound(s, 0, "minItems", "min_items")
	if items, ok := s["items"].(map[string]any); ok {
		if least == 0 && len(vs) == 0 && bound(s, 1, "maxItems", "max_items") > 0 && depth < maxDepth/4 {
			least = 1 // a list with something in it shows more
		}
		for i := len(vs); i < min(int(least), maxItems); i++ {
			vs = append(vs, g.value(items, depth+1))
		}
	}
	if vs == nil {
		vs = []any{}
	}
	return vs
}

// samples are strings of the formats that JSON schema names.
var samples = map[string]string{
	"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "time": "00:00:00Z", "duration": "PT1S",
	"email": "simulator@example.invalid", "hostname": "simulator.invalid", "uri": "https://simulator.invalid/", "url": "https://simulator.invalid/",
	"ipv4": "127.0.0.1", "ipv6": "::1", "uuid": "00000000-0000-4000-8000-000000000000",
}

func text(s map[string]any) string {
	format, _ := s["format"].(string)
	if sample, ok := samples[format]; ok {
		return sample
	}
	word := "simulated"
	if least := min(int(bound(s, 0, "minLength", "min_length")), maxString); len(word) < least {
		word += strings.Repeat("x", least-len(word))
	}
	if most := bound(s, maxString, "maxLength", "max_length"); most >= 0 && int(most) < len(word) {
		word = word[:int(most)]
	}
	return word
}

// quantity is the number nearest to 1 that the bounds allow.
func quantity(s map[string]any, whole bool) float64 {
	step := 1.0
	v := 1.0
	if m := bound(s, 0, "multipleOf", "multiple_of"); m > 0 {
		v, step = m, m
	}
	if most := bound(s, v, "maximum"); v > most {
		v = most
	}
	if most, ok := s["exclusiveMaximum"].(float64); ok && v >= most {
		v = most - step
	}
	if least := bound(s, v, "minimum"); v < least {
		v = least
	}
	if least, ok := s["exclusiveMinimum"].(float64); ok && v <= least {
		v = least + step
	}
	if whole && v != float64(int64(v)) {
		v = float64(int64(v) + 1)
	}
	return v
}

// bound is the number under one of names, which Gemini may send as a string.
func bound(s map[string]any, otherwise float64, names ...string) float64 {
	for _, name := range names {
		switch v := s[name].(type) {
		case float64:
			return v
		case string:
			var f float64
			if decode([]byte(v), &f) == nil {
				return f
			}
		}
	}
	return otherwise
}

// typeOf is the type in JSON schema's spelling, the first that is not null of
// several; a schema without one is judged by its members.
func typeOf(s map[string]any) string {
	switch t := s["type"].(type) {
	case string:
		return strings.ToLower(t)
	case []any:
		for _, v := range t {
			if name, ok := v.(string); ok && name != "null" {
				return name
			}
		}
		return "null"
	}
	switch {
	case s["properties"] != nil || s["required"] != nil:
		return "object"
	case s["items"] != nil || s["prefixItems"] != nil:
		return "array"
	}
	return "string"
}

// merge is base with the members of more; required and properties are joined.
func merge(base map[string]any, more any) map[string]any {
	m, _ := more.(map[string]any)
	out := without(base, "anyOf", "any_of", "oneOf")
	for name, v := range m {
		switch old := out[name].(type) {
		case []any:
			if add, ok := v.([]any); ok && name == "required" {
				out[name] = slices.Concat(old, add)
				continue
			}
		case map[string]any:
			if add, ok := v.(map[string]any); ok && name == "properties" {
				joined := without(old)
				maps.Copy(joined, add)
				out[name] = joined
				continue
			}
		}
		out[name] = v
	}
	return out
}

func without(s map[string]any, names ...string) map[string]any {
	out := make(map[string]any, len(s))
	for name, v := range s {
		if !slices.Contains(names, name) {
			out[name] = v
		}
	}
	return out
}

// render writes v; members of maps come in the order of their names.
func render(v any) jsontext.Value {
	switch v := v.(type) {
	case jsonObject:
		pairs := make([]any, 0, 2*len(v))
		for _, m := range v {
			pairs = append(pairs, m.name, render(m.value))
		}
		return object(pairs...)
	case []any:
		items := make([]jsontext.Value, len(v))
		for i := range v {
			items[i] = render(v[i])
		}
		return list(items...)
	}
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return jsontext.Value("null")
	}
	return b
}
