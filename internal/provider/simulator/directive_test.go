package simulator

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDirectives(t *testing.T) {
	for _, c := range []struct {
		in    []string
		rest  string
		say   string
		long  int
		tools []wish
		flags string
	}{
		{in: nil},
		{in: []string{" plain "}, rest: "plain"},
		{in: []string{"first", "second [[think]]"}, rest: "second", flags: "think "},
		{in: []string{"a [[say:b]] c [[image]]"}, rest: "a  c", say: "b", flags: "image "},
		{in: []string{"[[say:a]] [[say:b]]"}, say: "b"},
		{in: []string{"[[long:5]][[long:x]][[long:0]]"}, long: 5, rest: "[[long:x]][[long:0]]"},
		{in: []string{"[[long:9999999]]"}, long: maxWords},
		{in: []string{"[[cached:7]][[cached:-1]]"}, rest: "[[cached:-1]]", flags: "cached "},
		{in: []string{"[[tool:a]][[tool:b {\"x\":\"]]\"}]][[tool:c free text]]"}, tools: []wish{{"a", ""}, {"b", `{"x":"]]"}`}, {"c", "free text"}}},
		{in: []string{`[[tool:a {\"x\":\"y\"}]]`}, tools: []wish{{"a", `{"x":"y"}`}}},
		{in: []string{`[[tool:a {"x":1,}]] [[tool:a {"x":1} z]] [[tool: b]] [[tool:]]`}, rest: `[[tool:a {"x":1,}]] [[tool:a {"x":1} z]] [[tool: b]] [[tool:]]`},
		{in: []string{"[[fault:cut]] [[fault:error]]"}, flags: "faults "},
		{in: []string{"[[fault:bang]]"}, flags: "error "},
		{in: []string{"[[wiki]] [[say]] [[ think ]] [[think"}, rest: "[[wiki]] [[say]] [[ think ]] [[think"},
		{in: []string{"[[say:a]]]"}, say: "a", rest: "]"},
		{in: []string{"[[[think]]"}, rest: "[", flags: "think "},
	} {
		d := parseDirectives(c.in...)
		flags := ""
		for _, f := range []struct {
			name string
			set  bool
		}{{"think", d.think}, {"image", d.image}, {"cached", d.cached != nil}, {"faults", len(d.mishaps) == 2}, {"error", d.err != nil}} {
			if f.set {
				flags += f.name + " "
			}
		}
		say := ""
		if d.say != nil {
			say = *d.say
		}
		if d.rest != c.rest || say != c.say || d.long != c.long || flags != c.flags || !cmp.Equal(d.tools, c.tools, cmp.AllowUnexported(wish{})) {
			t.Errorf("%q: rest %q, say %q, long %d, tools %v, %s", c.in, d.rest, say, d.long, d.tools, flags)
		}
	}
}
