package jsonedit

import "testing"

func TestSet(t *testing.T) {
	for _, c := range []struct{ doc, name, value, want string }{
		{`{"a":1,"b":2}`, "b", "3", `{"a":1,"b":3}`},
		{` { "a" : 1 } `, "b", `"x"`, ` {"b":"x", "a" : 1 } `},
		{`{}`, "b", "{}", `{"b":{}}`},
		{"{\n}", "b", "1", "{\"b\":1\n}"},
		{`{"b":1,"b":2}`, "b", "3", `{"b":3,"b":3}`},
		{`[1]`, "b", "3", ""},
		{`{"a"`, "b", "3", ""},
	} {
		got, err := Set([]byte(c.doc), c.name, []byte(c.value))
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s with %s: %s, %v, want %s", c.doc, c.name, got, err, c.want)
		}
	}
}

func TestDrop(t *testing.T) {
	for _, c := range []struct{ doc, name, want string }{
		{`{"a":1,"b":2,"c":3}`, "b", `{"a":1,"c":3}`},
		{`{"a": 1, "\u0062": 2}`, "b", `{"a":1}`},
		{`{"b":1}`, "b", `{}`},
		{`{"a":{"b":1}}`, "b", `{"a":{"b":1}}`},
		{`{"a":1`, "b", ""},
	} {
		got, err := Drop([]byte(c.doc), c.name)
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s without %s: %s, %v, want %s", c.doc, c.name, got, err, c.want)
		}
	}
}
