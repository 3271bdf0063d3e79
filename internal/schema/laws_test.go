package schema

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// googles are the fields of Google's Schema (spec: schemas,
// gemini-v1beta-proto/content.proto).
var googles = []string{
	"type", "format", "title", "description", "nullable", "enum", "items", "maxItems", "minItems", "properties", "required", "minProperties", "maxProperties",
	"minimum", "maximum", "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering", "default",
}

// lawful says what of a schema its upstream would refuse, "" if nothing.
func lawful(fn string, s any, root bool) string {
	m, ok := s.(map[string]any)
	if !ok {
		if fn == "Gemini" {
			return "no object"
		}
		return ""
	}
	kind, _ := m["type"].(string)
	props, _ := m["properties"].(map[string]any)
	switch fn {
	case "Gemini":
		for k := range m {
			if !slices.Contains(googles, k) {
				return "the field " + k
			}
		}
		if !slices.Contains([]string{"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"}, kind) && m["anyOf"] == nil {
			return "the type " + kind
		}
		if m["enum"] != nil && kind != "STRING" || (m["items"] != nil) != (kind == "ARRAY") || props != nil && kind != "OBJECT" {
			return "a field of another type than " + kind
		}
		required, _ := m["required"].([]any)
		for _, r := range required {
			if _, ok := props[r.(string)]; !ok {
				return "a property that is required and not there"
			}
		}
	case "Anthropic", "OpenAI":
		if root && (kind != "object" || props == nil || m["anyOf"] != nil || m["oneOf"] != nil || m["allOf"] != nil) {
			return "the root"
		}
	case "AnthropicOutput":
		if (kind == "object" || m["type"] == nil && props != nil) && m["additionalProperties"] != false {
			return "an open object"
		}
		for _, k := range append([]string{"$ref", "oneOf", "$defs"}, refused...) {
			if m[k] != nil {
				return "the keyword " + k
			}
		}
	}
	for k, v := range m {
		switch k {
		case "properties", "$defs":
			m, ok := v.(map[string]any)
			if !ok && fn == "Gemini" {
				return "properties that are none"
			}
			for _, x := range m {
				if why := lawful(fn, x, false); why != "" {
					return why
				}
			}
		case "items", "not", "if":
			if why := lawful(fn, v, false); why != "" {
				return why
			}
		case "anyOf", "oneOf", "allOf", "prefixItems":
			list, ok := v.([]any)
			if !ok && fn == "Gemini" {
				return "alternatives that are none"
			}
			for _, x := range list {
				if why := lawful(fn, x, false); why != "" {
					return why
				}
			}
		}
	}
	return ""
}

// TestCorpus: the schemas of recorded requests are such as each upstream takes
// after they were fitted to it. PORTICO_CORPUS names the folder of the
// recordings; they are no part of the project.
func TestCorpus(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	seen := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(root, "*", "*", "request.json"))
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		schemas(jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)), seen)
	}
	if len(seen) < 100 {
		t.Fatalf("there are %d schemas", len(seen))
	}
	for s := range seen {
		for fn, f := range fits {
			out, _ := f([]byte(s), "p")
			if out == nil {
				continue
			}
			var v any
			if err := json.Unmarshal(out, &v); err != nil {
				t.Errorf("%s of %s: %v\n%s", fn, s, err, out)
				continue
			}
			if why := lawful(fn, v, true); why != "" {
				t.Errorf("%s of %s\nmakes %s\nwhich has %s", fn, s, out, why)
			}
		}
	}
	t.Logf("%d schemas", len(seen))
}

// schemas gathers the values of the members that hold schemas.
func schemas(d *jsontext.Decoder, seen map[string]bool) {
	member := ""
	for {
		kind := d.PeekKind()
		switch kind {
		case '{':
			switch member {
			case "parameters", "parametersJsonSchema", "parameters_json_schema", "input_schema", "schema", "responseSchema", "responseJsonSchema":
				if v, err := d.ReadValue(); err == nil && !strings.Contains(string(v), `"ref":`) {
					seen[string(v)] = true
				}
				member = ""
				continue
			}
		}
		tok, err := d.ReadToken()
		if err != nil {
			return
		}
		member = ""
		if tok.Kind() == '"' {
			if k, n := d.StackIndex(d.StackDepth()); k == '{' && n%2 == 1 {
				member = tok.String()
			}
		}
	}
}

// sprout makes schemas, sensible and not.
type sprout struct{ *rand.Rand }

func (r sprout) one(of ...string) string { return of[r.IntN(len(of))] }

func (r sprout) value(depth int) string {
	if depth > 3 {
		return r.one("1", `"x"`, "null")
	}
	return r.one("1", "1.50", "-3", `"x"`, `""`, "null", "true", `["a",1]`, `{"type":"string"}`, r.schema(depth+1))
}

func (r sprout) list(depth int, f func(int) string) string {
	var out []string
	for range r.IntN(4) {
		out = append(out, f(depth+1))
	}
	return "[" + strings.Join(out, ",") + "]"
}

func (r sprout) members(depth int) string {
	var out []string
	for _, name := range []string{"a", "b", "type", "$ref", "enum", "required"} {
		if r.IntN(4) == 0 {
			out = append(out, `"`+name+`":`+r.schema(depth+1))
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

func (r sprout) schema(depth int) string {
	if depth > 4 || r.IntN(12) == 0 {
		return r.one("true", "false", "{}", `{"type":"string"}`, `{"$ref":"#/$defs/a"}`, "7")
	}
	var out []string
	for range r.IntN(5) {
		k := r.one("type", "type", "properties", "properties", "required", "items", "anyOf", "oneOf", "allOf", "enum", "const", "$ref", "$defs", "definitions", "description",
			"nullable", "minimum", "exclusiveMinimum", "minLength", "minItems", "format", "pattern", "additionalProperties", "not", "prefixItems", "x-y", "title", "default", "uniqueItems")
		if slices.ContainsFunc(out, func(m string) bool { return strings.HasPrefix(m, `"`+k+`":`) }) {
			continue
		}
		v := r.value(depth)
		if r.IntN(10) > 0 { // mostly what belongs there
			switch k {
			case "type":
				v = r.one(`"string"`, `"integer"`, `"number"`, `"object"`, `"array"`, `"boolean"`, `"null"`, `"OBJECT"`, `["string","null"]`, `["integer","object"]`, "6")
			case "properties", "$defs", "definitions":
				v = r.members(depth)
			case "anyOf", "oneOf", "allOf", "prefixItems":
				v = r.list(depth, r.schema)
			case "items", "additionalProperties", "not":
				v = r.schema(depth + 1)
			case "required":
				v = r.one(`["a"]`, `["a","b","c"]`, `[]`, `["type"]`)
			case "enum":
				v = r.one(`["x","y"]`, `[1,2]`, `["x",1,null]`, `[""]`, `[]`)
			case "$ref":
				v = r.one(`"#"`, `"#/$defs/a"`, `"#/$defs/b"`, `"#/definitions/a"`, `"#/properties/a"`, `"https://x"`, `"#/no"`)
			case "description", "format", "title", "pattern":
				v = r.one(`"x"`, `"date-time"`, `"a\"b"`)
			}
		}
		out = append(out, `"`+k+`":`+v)
	}
	return "{" + strings.Join(out, ",") + "}"
}

// TestLaws: whatever a schema holds, what is made of it is taken.
func TestLaws(t *testing.T) {
	for seed := range uint64(5_000) {
		in := sprout{rand.New(rand.NewPCG(seed, 0))}.schema(0)
		for fn, f := range fits {
			out, _ := f([]byte(in), "p")
			if out == nil {
				continue
			}
			var v any
			if err := json.Unmarshal(out, &v, jsontext.AllowDuplicateNames(true)); err != nil {
				t.Fatalf("%s of %s: %v\n%s", fn, in, err, out)
			}
			if why := lawful(fn, v, true); why != "" {
				t.Fatalf("%s of %s\nmakes %s\nwhich has %s", fn, in, out, why)
			}
		}
		OpenAIStrict([]byte(in))
	}
}
