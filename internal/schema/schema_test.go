package schema

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"strings"
	"testing"

	"portico/internal/llm"
)

// fit is one of the functions under test.
type fit func(schema []byte, path string) ([]byte, []llm.Loss)

type row struct{ name, in, want string }

// check runs f over rows. A loss is written below the schema that is wanted, as
// "path: why".
func check(t *testing.T, f fit, rows []row) {
	t.Helper()
	for _, c := range rows {
		out, losses := f([]byte(c.in), "p")
		got := string(out)
		for _, l := range losses {
			got += "\n" + l.Path + ": " + l.Why
		}
		var want []string
		for line := range strings.Lines(c.want) {
			want = append(want, strings.TrimSpace(line))
		}
		if w := strings.Join(want, "\n"); got != w {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, w)
		}
	}
}

func TestGemini(t *testing.T) {
	check(t, Gemini, []row{
		{
			"an ordinary schema", `{"type":"object","properties":{"city":{"type":"string","description":"Where."},"days":{"type":"integer","minimum":1}},"required":["city"]}`,
			`{"type":"OBJECT","properties":{"city":{"type":"STRING","description":"Where."},"days":{"type":"INTEGER","minimum":1}},"required":["city"]}`,
		},
		{
			"what is Google's already", `{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"format":"enum","enum":["x","y"]}},"propertyOrdering":["a"]}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"format":"enum","enum":["x","y"]}},"propertyOrdering":["a"]}`,
		},
		{
			"C17 words about the schema go", `{"$schema":"http://json-schema.org/draft-07/schema#","$id":"x","$comment":"y","type":"object","additionalProperties":false,"properties":{"a":{"type":"boolean","deprecated":true}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"BOOLEAN"}}}`,
		},
		{
			"C17 limits without a seat move into the description", `{"type":"object","properties":{"a":{"type":"array","items":{"type":"number","multipleOf":0.5,"exclusiveMinimum":0},"uniqueItems":true,"description":"Steps."}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"ARRAY","items":{"type":"NUMBER","description":"(multipleOf: 0.5; exclusiveMinimum: 0)"},"description":"Steps. (uniqueItems: true)"}}}
			p.properties.a.uniqueItems: moved: into the description
			p.properties.a.items.multipleOf: moved: into the description
			p.properties.a.items.exclusiveMinimum: moved: into the description`,
		},
		{
			"C17 an exclusive limit of whole numbers is the next one", `{"type":"object","properties":{"a":{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"INTEGER","minimum":1,"maximum":9}}}`,
		},
		{
			"C17 defaults and formats that Google does not know", `{"type":"object","properties":{"a":{"type":"string","format":"uri","default":"http://x"},"b":{"type":"string","format":"date-time"}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING","description":"(format: uri; default: http://x)"},"b":{"type":"STRING","format":"date-time"}}}
			p.properties.a.format: moved: into the description
			p.properties.a.default: moved: into the description`,
		},
		{
			"C17 const is an enum of one", `{"type":"object","properties":{"a":{"const":"x"},"b":{"const":true}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING","enum":["x"]},"b":{"type":"BOOLEAN","description":"(const: [true])"}}}
			p.properties.b.const: moved: into the description`,
		},
		{
			"C17 what is no keyword", `{"type":"object","properties":{"a":{"type":"string","x-order":1}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}
			p.properties.a.x-order: dropped: it is no keyword of JSON Schema`,
		},
		{
			"C17 a map", `{"type":"object","properties":{"a":{"type":"object","additionalProperties":{"type":"string"}}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"OBJECT","description":"(additionalProperties: {\"type\":\"string\"})"}}}
			p.properties.a.additionalProperties: moved: into the description`,
		},
		{
			"C18 references are inlined", `{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"$ref":"#/definitions/B~1x%20y","description":"Mine."}},"$defs":{"A":{"type":"string","description":"An A."}},"definitions":{"B/x y":{"$ref":"#/$defs/A"}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING","description":"An A."},"b":{"type":"STRING","description":"Mine."}}}`,
		},
		{
			"C18 a reference into itself is cut", `{"$ref":"#/$defs/N","$defs":{"N":{"type":"object","properties":{"v":{"type":"string"},"next":{"anyOf":[{"$ref":"#/$defs/N"},{"type":"null"}]}}}}}`,
			`{"type":"OBJECT","properties":{"v":{"type":"STRING"},"next":{"type":"OBJECT","nullable":true,"description":"(ref: #/$defs/N)"}}}
			p.properties.next.anyOf[0].$ref: approximated: a reference into itself`,
		},
		{
			"C18 references to nothing and elsewhere", `{"type":"object","properties":{"a":{"$ref":"#/$defs/no"},"b":{"$ref":"https://x/y.json","type":"string"}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"OBJECT","description":"(ref: #/$defs/no)"},"b":{"type":"STRING","description":"(ref: https://x/y.json)"}}}
			p.properties.a.$ref: approximated: a reference to nothing
			p.properties.b.$ref: approximated: a reference out of the document`,
		},
		{
			"C19 null in a list of types", `{"type":"object","properties":{"a":{"type":["string","null"],"maxLength":5}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"maxLength":5}}}`,
		},
		{
			"C19 null among alternatives", `{"type":"object","properties":{"a":{"anyOf":[{"type":"integer"},{"type":"null"}],"description":"d"},"b":{"oneOf":[{"type":"string"},{"type":"array","items":{"type":"string"}},{"type":"null"}]}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"INTEGER","nullable":true,"description":"d"},"b":{"anyOf":[{"type":"STRING"},{"type":"ARRAY","items":{"type":"STRING"}}],"nullable":true}}}`,
		},
		{
			"C19 several types", `{"type":"object","properties":{"a":{"type":["string","integer"],"minLength":2,"minimum":3,"description":"d"}}}`,
			`{"type":"OBJECT","properties":{"a":{"anyOf":[{"type":"STRING","minLength":2},{"type":"INTEGER","minimum":3}],"description":"d"}}}`,
		},
		{
			"C20 properties that are called like keywords", `{"type":"object","properties":{"type":{"type":"string"},"$ref":{"type":"string"},"const":{"type":"integer"},"default":{"type":"object","properties":{"enum":{"type":"boolean"}}},"x-a":{"type":"string"}},"required":["type","$ref"]}`,
			`{"type":"OBJECT","properties":{"type":{"type":"STRING"},"$ref":{"type":"STRING"},"const":{"type":"INTEGER"},"default":{"type":"OBJECT","properties":{"enum":{"type":"BOOLEAN"}}},"x-a":{"type":"STRING"}},"required":["type","$ref"]}`,
		},
		{
			"C21 an enum of numbers", `{"type":"object","properties":{"a":{"type":"integer","enum":[1,2,3]},"b":{"enum":["x","",null]}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"INTEGER","description":"(enum: [1,2,3])"},"b":{"type":"STRING","nullable":true,"enum":["x"]}}}
			p.properties.a.enum: moved: into the description
			p.properties.b.enum: approximated: an empty text is not among the values`,
		},
		{"C22 an object without properties, at the root", `{"type":"object","properties":{}}`, ``},
		{"no schema", `null`, ``},
		{
			"required names no property", `{"type":"object","properties":{"a":{"type":"string"}},"required":["a","b","a"]}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING"}},"required":["a"]}`,
		},
		{
			"all of several", `{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"a":{"minLength":1},"b":{"type":"string"}},"required":["b"]}]}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING","minLength":1},"b":{"type":"STRING"}},"required":["a","b"]}`,
		},
		{
			"alternatives of an object with a shape", `{"type":"object","properties":{"a":{"type":"string"}},"oneOf":[{"properties":{"k":{"const":"x"},"b":{"type":"string"}},"required":["k","b"]},{"properties":{"k":{"const":"y"}},"required":["k"]}]}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING"},"k":{"anyOf":[{"type":"STRING","enum":["x"]},{"type":"STRING","enum":["y"]}]},"b":{"type":"STRING"}},"required":["k"]}
			p.oneOf: approximated: its alternatives as one object`,
		},
		{
			"alternatives that only require", `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`,
			`{"type":"OBJECT","properties":{"a":{"type":"STRING"},"b":{"type":"STRING"}},"description":"(anyOf: [{\"required\":[\"a\"]},{\"required\":[\"b\"]}])"}
			p.anyOf: moved: into the description`,
		},
		{
			"any value", `{"type":"object","properties":{"a":{},"b":true,"c":false,"d":{"type":"array"}}}`,
			`{"type":"OBJECT","properties":{"a":{"anyOf":[{"type":"STRING"},{"type":"NUMBER"},{"type":"BOOLEAN"}]},"b":{"anyOf":[{"type":"STRING"},{"type":"NUMBER"},{"type":"BOOLEAN"}]},"d":{"type":"ARRAY","items":{"anyOf":[{"type":"STRING"},{"type":"NUMBER"},{"type":"BOOLEAN"}]}}}}
			p.properties.a.type: approximated: any value as a text, a number or a boolean
			p.properties.b.type: approximated: any value as a text, a number or a boolean
			p.properties.d.items: approximated: any value as a text, a number or a boolean`,
		},
		{
			"a tuple", `{"type":"object","properties":{"a":{"type":"array","prefixItems":[{"type":"string"},{"type":"number"},{"type":"number"}]}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"ARRAY","items":{"anyOf":[{"type":"STRING"},{"type":"NUMBER"}]}}}}
			p.properties.a.prefixItems: approximated: the places of the items are free`,
		},
		{
			"numbers keep their text", `{"type":"object","properties":{"a":{"type":"number","minimum":1e400,"maximum":0.10}}}`,
			`{"type":"OBJECT","properties":{"a":{"type":"NUMBER","minimum":1e400,"maximum":0.10}}}`,
		},
	})
}

func TestGeminiJSON(t *testing.T) {
	check(t, GeminiJSON, []row{
		{
			"C23 nearly everything stays", `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"type":["string","null"],"pattern":"^a","default":"x"},"b":{"enum":[1,2]}},"required":["a"],"additionalProperties":false}`,
			`{"type":"object","properties":{"a":{"type":["string","null"],"pattern":"^a","default":"x"},"b":{"enum":[1,2]}},"required":["a"],"additionalProperties":false}`,
		},
		{
			"C18 references alone stay, into themselves, too", `{"type":"object","properties":{"t":{"$ref":"#/definitions/T"}},"definitions":{"T":{"type":"object","properties":{"c":{"type":"array","items":{"$ref":"#/definitions/T"}}}}}}`,
			`{"type":"object","properties":{"t":{"$ref":"#/$defs/T"}},"$defs":{"T":{"type":"object","properties":{"c":{"type":"array","items":{"$ref":"#/$defs/T"}}}}}}`,
		},
		{
			"C18 a reference with a description is inlined", `{"properties":{"t":{"$ref":"#/$defs/T","description":"d"}},"$defs":{"T":{"type":"string","description":"e","title":"T"}}}`,
			`{"properties":{"t":{"type":"string","description":"d","title":"T"}},"$defs":{"T":{"type":"string","description":"e","title":"T"}}}`,
		},
		{
			"C18 a description beside a reference into itself", `{"properties":{"t":{"$ref":"#/$defs/T","description":"d"}},"$defs":{"T":{"type":"object","properties":{"n":{"$ref":"#/$defs/T","description":"f"}}}}}`,
			`{"properties":{"t":{"type":"object","properties":{"n":{"$ref":"#/$defs/T"}},"description":"d"}},"$defs":{"T":{"type":"object","properties":{"n":{"type":"object","properties":{"n":{"$ref":"#/$defs/T"}},"description":"f"}}}}}
			p.properties.t.properties.n.description: dropped: nothing may stand beside a reference
			p.$defs.T.properties.n.properties.n.description: dropped: nothing may stand beside a reference`,
		},
		{
			"C18 a reference at the root, beside what it refers to", `{"$ref":"#/$defs/N","$defs":{"N":{"type":"object","properties":{"n":{"$ref":"#/$defs/N"},"m":{"$ref":"#/$defs/M"}}},"M":{"type":"string"}}}`,
			`{"type":"object","properties":{"n":{"$ref":"#/$defs/N"},"m":{"$ref":"#/$defs/M"}},"$defs":{"N":{"type":"object","properties":{"n":{"$ref":"#/$defs/N"},"m":{"$ref":"#/$defs/M"}}},"M":{"type":"string"}}}`,
		},
		{
			"C18 out of the document", `{"properties":{"t":{"$ref":"https://x/y"},"u":{"$ref":"#/$defs/no"}}}`,
			`{"properties":{"t":{"description":"(ref: https://x/y)"},"u":{"description":"(ref: #/$defs/no)"}}}
			p.properties.t.$ref: approximated: a reference out of the document
			p.properties.u.$ref: approximated: a reference to nothing`,
		},
		{
			"F14 what is no keyword", `{"type":"object","properties":{"m":{"type":"string","encrypted":true},"encrypted":{"type":"string"}}}`,
			`{"type":"object","properties":{"m":{"type":"string"},"encrypted":{"type":"string"}}}
			p.properties.m.encrypted: dropped: it is no keyword of JSON Schema`,
		},
		{
			"OpenAPI's spelling", `{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"enum":["x"]},"b":{"const":5}}}`,
			`{"type":"object","properties":{"a":{"type":["string","null"],"enum":["x",null]},"b":{"enum":[5]}}}`,
		},
		{"no schema", `true`, ``},
	})
}

func TestFromGemini(t *testing.T) {
	check(t, func(s []byte, _ string) ([]byte, []llm.Loss) { return FromGemini(s), nil }, []row{
		{
			"types, nullable, numbers as texts", `{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"format":"enum","enum":["x"],"minLength":"3"},"type":{"type":6}},"required":["a"]}`,
			`{"type":"object","properties":{"a":{"type":["string","null"],"enum":["x",null],"minLength":3},"type":{"type":"object"}},"required":["a"]}`,
		},
		{
			"underscores", `{"any_of":[{"type":"ARRAY","min_items":"1","items":{"type":"INTEGER"}},{"type":"NULL"}],"nullable":true}`,
			`{"anyOf":[{"type":"array","minItems":1,"items":{"type":"integer"}},{"type":"null"}]}`,
		},
		{"nothing said", `{"type":"TYPE_UNSPECIFIED","example":{"a":1}}`, `{"examples":[{"a":1}]}`},
		{"references of Vertex AI", `{"ref":"#/defs/A","defs":{"A":{"type":"STRING"}}}`, `{"$ref":"#/$defs/A","$defs":{"A":{"type":"string"}}}`},
		{
			"JSON Schema stays", `{"type":["object"],"properties":{"any_of":{"const":1}},"additionalProperties":{"type":"number"}}`,
			`{"type":["object"],"properties":{"any_of":{"const":1}},"additionalProperties":{"type":"number"}}`,
		},
	})
}

func TestAnthropic(t *testing.T) {
	check(t, Anthropic, []row{
		{
			"an ordinary schema stays byte for byte", `{ "type" : "object" , "properties" : {"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"anyOf":[{"type":"string"}]}}}`,
			`{ "type" : "object" , "properties" : {"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"anyOf":[{"type":"string"}]}}}`,
		},
		{"A14 no properties", `{"type":"object"}`, `{"type":"object","properties":{}}`},
		{"A14 no schema", `null`, `{"type":"object","properties":{}}`},
		{"A14 properties that are none", `{"type":"object","properties":1,"allOf":[]}`, `{"type":"object","properties":{}}`},
		{"A14 no type", `{"properties":{"a":{"type":"string"}}}`, `{"properties":{"a":{"type":"string"}},"type":"object"}`},
		{
			"A15 a union at the root", `{"anyOf":[{"type":"object","properties":{"a":{"type":"string"},"k":{"const":1}},"required":["a","k"]},{"type":"object","properties":{"b":{"type":"string"},"k":{"const":2}},"required":["b","k"]}],"description":"d"}`,
			`{"description":"d","properties":{"a":{"type":"string"},"k":{"anyOf":[{"const":1},{"const":2}]},"b":{"type":"string"}},"required":["k"],"type":"object"}
			p.anyOf: approximated: alternatives at the root as one object`,
		},
		{
			"A15 three alternatives of one property", `{"oneOf":[{"properties":{"k":{"const":1}}},{"properties":{"k":{"const":2}}},{"properties":{"k":{"const":3}}}]}`,
			`{"properties":{"k":{"anyOf":[{"const":1},{"const":2},{"const":3}]}},"type":"object"}
			p.anyOf: approximated: alternatives at the root as one object`,
		},
		{
			"A15 allOf at the root", `{"allOf":[{"$ref":"#/$defs/A"},{"properties":{"b":{"type":"string"}}}],"$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}}}}}`,
			`{"$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}}}},"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}`,
		},
		{
			"a reference at the root", `{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"n":{"$ref":"#/$defs/A"}}}}}`,
			`{"type":"object","properties":{"n":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{"n":{"$ref":"#/$defs/A"}}}}}`,
		},
		{
			"no object at the root", `{"type":["array","null"]}`,
			`{"type":"object","properties":{}}
			p.type: approximated: arguments are an object`,
		},
		{
			"not at the root", `{"type":"object","properties":{"a":{"type":"string"}},"not":{"required":["a"]}}`,
			`{"type":"object","properties":{"a":{"type":"string"}},"description":"(not: {\"required\":[\"a\"]})"}
			p.not: moved: into the description`,
		},
	})
}

func TestAnthropicOutput(t *testing.T) {
	check(t, AnthropicOutput, []row{
		{
			"objects are closed, limits move", `{"$schema":"x","type":"object","properties":{"a":{"type":"integer","minimum":1,"maximum":5,"description":"d"},"b":{"type":"array","minItems":2,"items":{"type":"object","properties":{}}}},"required":["a"]}`,
			`{"type":"object","properties":{"a":{"type":"integer","description":"d (minimum: 1; maximum: 5)"},"b":{"type":"array","items":{"type":"object","properties":{},"additionalProperties":false},"description":"(minItems: 2)"}},"required":["a"],"additionalProperties":false}
			p.properties.a.minimum: moved: into the description
			p.properties.a.maximum: moved: into the description
			p.properties.b.minItems: moved: into the description`,
		},
		{"formats that it knows stay", `{"type":"string","format":"date"}`, `{"type":"string","format":"date"}`},
		{
			"formats that it does not know move", `{"type":"string","format":"phone"}`,
			`{"type":"string","description":"(format: phone)"}
			p.format: moved: into the description`,
		},
		{
			"references are inlined and cut", `{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{"n":{"$ref":"#/$defs/A"}}}}}`,
			`{"type":"object","properties":{"a":{"type":"object","properties":{"n":{"description":"(ref: #/$defs/A)"}},"additionalProperties":false}},"additionalProperties":false}
			p.properties.a.properties.n.$ref: approximated: a reference into itself`,
		},
		{
			"a map", `{"type":"object","additionalProperties":{"type":"string"}}`,
			`{"type":"object","description":"(additionalProperties: {\"type\":\"string\"})","additionalProperties":false}
			p.additionalProperties: moved: into the description`,
		},
		{
			"oneOf", `{"oneOf":[{"type":"string","minLength":1},{"type":"null"}]}`,
			`{"anyOf":[{"type":"string","description":"(minLength: 1)"},{"type":"null"}]}
			p.oneOf: approximated: as anyOf
			p.anyOf[0].minLength: moved: into the description`,
		},
	})
}

func TestOpenAI(t *testing.T) {
	check(t, OpenAI, []row{
		{"A14 an object without properties", `{"type":"object"}`, `{"type":"object","properties":{}}`},
		{"A14 no schema", ``, `{"type":"object","properties":{}}`},
		{"an ordinary schema", `{"type":"object","properties":{"a":{"oneOf":[{"type":"string"}]}}}`, `{"type":"object","properties":{"a":{"oneOf":[{"type":"string"}]}}}`},
	})
}

func TestOpenAIStrict(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     bool
	}{
		{"all closed and required", `{"type":"object","properties":{"a":{"type":["string","null"]},"b":{"type":"object","properties":{},"required":[],"additionalProperties":false}},"required":["b","a"],"additionalProperties":false}`, true},
		{"an optional property", `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"],"additionalProperties":false}`, false},
		{"an open object", `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`, false},
		{"an open object in a list", `{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{}}}},"required":["a"],"additionalProperties":false}`, false},
		{"a keyword that OpenAI does not know", `{"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a"],"additionalProperties":false}`, false},
		{"a property with the name of one", `{"type":"object","properties":{"minLength":{"type":"string"}},"required":["minLength"],"additionalProperties":false}`, true},
		{"a union at the root", `{"type":"object","anyOf":[],"properties":{},"required":[],"additionalProperties":false}`, false},
		{"a reference into itself", `{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"],"additionalProperties":false,"$defs":{"A":{"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}]}}}`, true},
		{"a reference to nothing", `{"type":"object","properties":{"a":{"$ref":"#/$defs/B"}},"required":["a"],"additionalProperties":false}`, false},
		{"too deep", `{"type":"object","properties":{"a":` + strings.Repeat(`{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":`, 11) + `{"type":"string"}` + strings.Repeat(`}}`, 11) + `},"required":["a"],"additionalProperties":false}`, false},
		{"no schema", `[]`, false},
	} {
		if got := OpenAIStrict([]byte(c.in)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestBounds: schemas that multiply, nest or complain without end stay cheap.
func TestBounds(t *testing.T) {
	// Each definition holds the one before it ten times over.
	var double strings.Builder
	double.WriteString(`{"$ref":"#/$defs/d30","$defs":{"d0":{"type":"string"}`)
	for i := 1; i <= 30; i++ {
		fmt.Fprintf(&double, `,"d%d":{"type":"object","properties":{`, i)
		for j := range 10 {
			if j > 0 {
				double.WriteByte(',')
			}
			fmt.Fprintf(&double, `"p%d":{"$ref":"#/$defs/d%d","description":"x"}`, j, i-1)
		}
		double.WriteString(`}}`)
	}
	double.WriteString(`}}`)
	deep := strings.Repeat(`{"type":"array","items":`, 200) + `{"type":"string"}` + strings.Repeat(`}`, 200)
	all := strings.Repeat(`{"allOf":[`, 200) + `{}` + strings.Repeat(`]}`, 200)
	one := strings.Repeat(`{"anyOf":[`, 200) + `{}` + strings.Repeat(`]}`, 200)
	var loud strings.Builder
	loud.WriteString(`{"type":"object","properties":{`)
	for i := range 200 {
		fmt.Fprintf(&loud, `"p%d":{"type":"string","x":1},`, i)
	}
	loud.WriteString(`"z":{"type":"string"}}}`)
	for name, in := range map[string]string{"doubling": double.String(), "deep": deep, "allOf": all, "anyOf": one, "loud": loud.String()} {
		for fn, f := range fits {
			out, losses := f([]byte(in), "p")
			if limit := minWork + 64*len(in); len(out) > limit {
				t.Errorf("%s, %s: %d bytes out of %d", fn, name, len(out), len(in))
			}
			if len(losses) > maxLosses+1 {
				t.Errorf("%s, %s: %d losses", fn, name, len(losses))
			}
			if len(out) > 0 && !jsontext.Value(out).IsValid() {
				t.Errorf("%s, %s: no JSON", fn, name)
			}
		}
	}
	if _, losses := Gemini([]byte(loud.String()), "p"); len(losses) != maxLosses+1 || losses[maxLosses].Why != "approximated: 168 more keywords of this schema" {
		t.Error(len(losses), losses[len(losses)-1])
	}
}

var fits = map[string]fit{
	"Gemini": Gemini, "GeminiJSON": GeminiJSON, "Anthropic": Anthropic, "AnthropicOutput": AnthropicOutput, "OpenAI": OpenAI,
	"FromGemini": func(s []byte, _ string) ([]byte, []llm.Loss) { return FromGemini(s), nil },
}

func FuzzSchema(f *testing.F) {
	for _, s := range []string{
		`{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}]}}}`,
		`{"allOf":[{"oneOf":[{"properties":{"a":{"enum":[1,"",null]}}},{"$ref":"#"}]},{"type":["string","object"],"items":[{},true]}]}`,
		`{"anyOf":[{"type":"NULL"}],"nullable":true,"not":{},"description":"\ud800","const":1e999}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if !jsontext.Value(in).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			return
		}
		before := bytes.Clone(in)
		for name, fn := range fits {
			out, _ := fn(in, "p")
			if len(out) > 0 && !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
				t.Errorf("%s makes %s", name, out)
			}
			var v any
			if len(out) > 0 && json.Unmarshal(out, &v) == nil { // else it holds what no Go value does
				if why := lawful(name, v, true); why != "" {
					t.Errorf("%s of %s\nmakes %s\nwhich has %s", name, in, out, why)
				}
			}
			if again, _ := fn(in, "p"); !bytes.Equal(out, again) {
				t.Errorf("%s makes %s, then %s", name, out, again)
			}
		}
		OpenAIStrict(in)
		if !bytes.Equal(in, before) {
			t.Error("the input was changed")
		}
	})
}

func BenchmarkGeminiJSON(b *testing.B) {
	in := []byte(`{"$schema":"x","type":"object","properties":{"a":{"type":"string","description":"what it is"},"b":{"type":"array","items":{"type":"object","properties":{"c":{"type":"integer"}}}}},"required":["a"],"additionalProperties":false}`)
	b.ReportAllocs()
	for b.Loop() {
		GeminiJSON(in, "p")
	}
}
