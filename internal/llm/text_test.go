package llm

import (
	"encoding/json/v2"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for name, c := range map[string]struct {
		text  Text
		plain string
		json  string
	}{
		"a plain text":                 {Plain(`a"b` + "\n<é>&"), "a\"b\n<é>&", `"a\"b\n<é>&"`},
		"wire without escapes":         {Wire([]byte(`"<é>"`)), "<é>", `"<é>"`},
		"wire keeps its own escapes":   {Wire([]byte(`"\u00e9\/"`)), "é/", `"\u00e9\/"`},
		"control characters":           {Plain("\x00\x1f\b\f\r\t\\"), "\x00\x1f\b\f\r\t\\", `"\u0000\u001f\b\f\r\t\\"`},
		"bytes that are no UTF-8":      {Plain("a\xffb"), "a\xffb", "\"a\uFFFDb\""},
		"a lone surrogate, on the way": {Wire([]byte(`"a\ud800b"`)), "a\uFFFDb", `"a\ud800b"`},
		"empty":                        {Plain(""), "", `""`},
		"absent":                       {Text{}, "", `""`},
	} {
		if got := c.text.String(); got != c.plain {
			t.Errorf("%s: String is %q, want %q", name, got, c.plain)
		}
		if got := string(c.text.AppendJSON(nil)); got != c.json {
			t.Errorf("%s: JSON is %s, want %s", name, got, c.json)
		}
		if got, want := c.text.Empty(), c.plain == ""; got != want {
			t.Errorf("%s: Empty is %v", name, got)
		}
	}
}

func TestTextHead(t *testing.T) {
	for name, c := range map[string]struct {
		text Text
		want string
	}{
		"a plain text":  {Plain("abcdef"), "abc"},
		"wire":          {Wire([]byte(`"a\nb"`)), `a\n`},
		"a short one":   {Wire([]byte(`"a"`)), "a"},
		"an empty text": {Plain(""), ""},
		"no text":       {Text{}, ""},
	} {
		if got := string(c.text.Head(3)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\"\\\n\x00é\xff\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		wire := Plain(s).AppendJSON(nil)
		var back string
		if err := json.Unmarshal(wire, &back); err != nil {
			t.Fatalf("%q gives %s: %v", s, wire, err)
		}
		if utf8.ValidString(s) && back != s {
			t.Errorf("%q came back as %q", s, back)
		}
		if got := Wire(wire).String(); got != back {
			t.Errorf("%s reads %q, want %q", wire, got, back)
		}
	})
}

func TestExtra(t *testing.T) {
	var x Extra
	x.Add("a", []byte("p"), []byte("1e400"))
	x.Add("a", []byte("q"), []byte(`{"r":[1]}`))
	if got := string(x.AppendTo([]byte(`{"m":1`), "a")); got != `{"m":1,"p":1e400,"q":{"r":[1]}` {
		t.Error(got)
	}
	if got := string(x.AppendTo([]byte(`{`), "b")); got != `{` {
		t.Error("a foreign member was written:", got)
	}
	r := &Request{Extra: x, Messages: []Message{{Parts: []Part{&Prose{Extra: x, Cache: &Breakpoint{}}, &Result{Parts: []Part{&Blob{Extra: x}}}}}}}
	if got := Foreign(r, "a"); len(got) != 0 {
		t.Error("losses at home:", got)
	}
	got := Foreign(r, "b")
	want := []string{"p", "q", "messages[0].content[0].p", "messages[0].content[0].q", "messages[0].content[1].content[0].p", "messages[0].content[1].content[0].q"}
	if len(got) != len(want) {
		t.Fatal(got)
	}
	for i := range got {
		if got[i].Path != want[i] {
			t.Errorf("loss %d is at %s, want %s", i, got[i].Path, want[i])
		}
	}
}
