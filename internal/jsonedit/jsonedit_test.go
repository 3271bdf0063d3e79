package jsonedit

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReplace(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
		n        int
	}{
		"everything else stays": {
			" { \"b\" : 1e400,\n\t\"model\":\"x\" , \"n\":12345678901234567890,\"b\":[ ], \"u\":\"\\u00e9\\/\" } ",
			" { \"b\" : 1e400,\n\t\"model\":\"new\" , \"n\":12345678901234567890,\"b\":[ ], \"u\":\"\\u00e9\\/\" } ", 1,
		},
		"a repeated name":         {`{"model":"a","model":{"x":1}}`, `{"model":"new","model":"new"}`, 2},
		"a name in escapes":       {`{"mod\u0065l":"a"}`, `{"mod\u0065l":"new"}`, 1},
		"nested ones are others'": {`{"a":{"model":"x"},"l":[{"model":"y"}]}`, `{"a":{"model":"x"},"l":[{"model":"y"}]}`, 0},
		"quotes and brackets in strings": {
			`{"a":"}\"{\\","model":"\\\"","z":"["}`, `{"a":"}\"{\\","model":"new","z":"["}`, 1,
		},
		"empty": {`{}`, `{}`, 0},
	} {
		in := []byte(c.in)
		got, n, err := Replace(in, "model", []byte(`"new"`))
		if err != nil || string(got) != c.want || n != c.n {
			t.Errorf("%s: got %s, %d, %v; want %s, %d", name, got, n, err, c.want, c.n)
		}
		if string(in) != c.in {
			t.Errorf("%s: the document was changed", name)
		}
	}
}

func TestMembersErrors(t *testing.T) {
	deep := `{"a":` + strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1) + `}`
	syntax := new(SyntaxError)
	for name, c := range map[string]struct {
		in   string
		want any
	}{
		"an array":            {`[1]`, ErrNotObject},
		"empty":               {``, ErrNotObject},
		"too deep":            {deep, ErrDepth},
		"cut in a string":     {`{"a":"x`, ErrCut},
		"cut in an object":    {`{"a":{"b":1}`, ErrCut},
		"a stray bracket":     {`{"a":[1}}`, &syntax},
		"text behind":         {`{"a":1} x`, &syntax},
		"no comma":            {`{"a":1 "b":2}`, &syntax},
		"a literal of no one": {`{"a":nul}`, &syntax},
		"a trailing comma":    {`{"a":1,}`, &syntax},
	} {
		var got error
		for _, err := range Members([]byte(c.in)) {
			got = err
		}
		switch want := c.want.(type) {
		case error:
			if !errors.Is(got, want) {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		default:
			if !errors.As(got, want) {
				t.Errorf("%s: got %v, want a syntax error", name, got)
			}
		}
	}
	if v := Get([]byte(`{"a":`+strings.Repeat("[", MaxDepth-1)+strings.Repeat("]", MaxDepth-1)+`}`), "a"); v == nil {
		t.Error("the deepest document that is allowed was refused")
	}
}

func TestGet(t *testing.T) {
	doc := []byte(`{"a":1,"b":{"c":[true,"x"]},"a":2}`)
	if got := string(Get(doc, "a")); got != "2" {
		t.Errorf("the last of two counts, got %s", got)
	}
	if got := string(Path(doc, "b", "c")); got != `[true,"x"]` {
		t.Errorf("got %s", got)
	}
	if got := Path(doc, "a", "c"); got != nil {
		t.Errorf("a member of a number: %s", got)
	}
	var es []string
	for e, err := range Elements(Path(doc, "b", "c")) {
		if err != nil {
			t.Fatal(err)
		}
		es = append(es, string(e))
	}
	if got := strings.Join(es, " "); got != `true "x"` {
		t.Errorf("elements are %s", got)
	}
}

func TestInt(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "-7": -7, "1.0": 1, "1e3": 1000, "9007199254740993": 9007199254740993} {
		if got, ok := Int([]byte(in)); !ok || got != want {
			t.Errorf("%s: got %d, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "-", "1.5", "1e400", "12345678901234567890", `"1"`, "true"} {
		if got, ok := Int([]byte(in)); ok {
			t.Errorf("%q is %d", in, got)
		}
	}
}

// Looking for a member costs no allocation, whatever the body's size.
func TestMembersAllocate(t *testing.T) {
	doc := []byte(`{"model":"m","messages":[` + strings.Repeat(`{"role":"user","content":"hello"},`, 1000) + `1],"stream":true}`)
	if n := testing.AllocsPerRun(20, func() {
		for _, err := range Members(doc) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"a":1,"model":"x","b":[{"c":"\"}"}]}`))
	f.Add([]byte(`{"a":{}}{}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var broken error
		for m, err := range Members(doc) {
			if broken = err; err == nil && string(doc[m.From:m.From+len(m.Value)]) != string(m.Value) {
				t.Fatal("From does not say where the value is")
			}
		}
		sound := utf8.Valid(doc) && jsontext.Value(doc).IsValid(jsontext.AllowDuplicateNames(true)) && len(bytes.TrimSpace(doc)) > 0 && bytes.TrimSpace(doc)[0] == '{'
		if sound && broken != nil && !errors.Is(broken, ErrDepth) {
			t.Fatalf("a sound object was refused: %v", broken)
		}
		out, n, err := Replace(doc, "model", []byte(`0`))
		if err != nil || n == 0 {
			if err == nil && !bytes.Equal(out, doc) {
				t.Fatal("nothing was replaced and something changed")
			}
			return
		}
		if got := Get(out, "model"); string(got) != "0" {
			t.Fatalf("the new value reads %q", got)
		}
		if sound && !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true)) {
			t.Fatalf("%q became unsound: %q", doc, out)
		}
	})
}
