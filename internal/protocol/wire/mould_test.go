package wire

import (
	"bytes"
	"testing"

	"portico/internal/jsonedit"
)

// learn returns a mould of data, which varies in the members named.
func learn(data []byte, names ...string) *Mould {
	var m Mould
	var vs [][]byte
	for _, n := range names {
		vs = append(vs, jsonedit.Get(data, n))
	}
	m.Learn([]byte("e"), data, vs[0], vs[1:]...)
	return &m
}

func TestMould(t *testing.T) {
	const data = `{"n":7,"t":"one","pad":"xx","end":{"a":"b c"}}`
	for _, c := range []struct{ event, data, want string }{
		{"e", data, "one"},
		{"e", `{"n":8,"t":"two","pad":"","end":{"a":"b c"}}`, "two"},
		{"e", `{"n":123456,"t":"\n\\n é","pad":"x","end":{"a":"b c"}}`, `\n\\n é`},
		{"f", data, ""},
		{"", data, ""},
		{"e", `{"n":8,"t":"","pad":"","end":{"a":"b c"}}`, ""},
		{"e", `{"n":,"t":"x","pad":"","end":{"a":"b c"}}`, ""},
		{"e", `{"n":-8,"t":"x","pad":"","end":{"a":"b c"}}`, ""},
		{"e", `{"n":8,"t":"a\"b","pad":"","end":{"a":"b c"}}`, ""},
		{"e", `{"n":8,"t":"a\\","pad":"","end":{"a":"b c"}}`, ""}, // has to be read, though it would do
		{"e", `{"n":8,"t":"a","pad":"","end":{"a":"b  c"}}`, ""},
		{"e", `{"n":8,"t":"a","pad":"","end":{"a":"b c"}} `, ""},
		{"e", `{"n":8,"t":"a","pad":"","end":{"a":"b c"}`, ""},
		{"e", `{"n":8,"t":"a","pad":"","more":1,"end":{"a":"b c"}}`, ""},
		{"e", `{"n":8,"t":"a`, ""},
		{"e", `{"n":8,"t":null,"pad":"","end":{"a":"b c"}}`, ""},
		{"e", "", ""},
	} {
		m := learn([]byte(data), "t", "pad", "n")
		text, ok := m.Text([]byte(c.event), []byte(c.data))
		if ok != (c.want != "") || ok && string(text) != `"`+c.want+`"` {
			t.Errorf("%s: got %q, %v", c.data, text, ok)
		}
		m.Forget()
		if _, ok := m.Text([]byte(c.event), []byte(c.data)); ok {
			t.Errorf("%s: fits after all", c.data)
		}
	}
}

// TestMouldPadding: blanks between brackets at the end mean nothing.
func TestMouldPadding(t *testing.T) {
	const data = `{"d":{"t":"one"}  }`
	var m Mould
	b := []byte(data)
	m.Learn(nil, b, jsonedit.Path(b, "d", "t"))
	for _, c := range []struct {
		data string
		ok   bool
	}{
		{`{"d":{"t":"two"}  }`, true},
		{`{"d":{"t":"two"}}`, true},
		{`{"d":{"t":"two"}         }`, true},
		{`{"d":{"t":"two" } } `, true},
		{`{"d":{"t":"two"}`, false},
		{`{"d":{"t":"two"}}}`, false},
		{`{"d":{"t":"two"},}`, false},
		{`{"d":{"t":"two"]}`, false},
	} {
		if _, ok := m.Text(nil, []byte(c.data)); ok != c.ok {
			t.Errorf("%s: got %v", c.data, ok)
		}
	}
}

// TestMouldRefuses: what cannot be learned fits nothing.
func TestMouldRefuses(t *testing.T) {
	data := []byte(`{"t":"one","x":1,"y":"2","z":3,"o":{}}`)
	get := func(n string) []byte { return jsonedit.Get(data, n) }
	for name, learn := range map[string]func(*Mould){
		"another's text": func(m *Mould) { m.Learn(nil, data, []byte(`"one"`)) },
		"an object":      func(m *Mould) { m.Learn(nil, data, get("t"), get("o")) },
		"too many":       func(m *Mould) { m.Learn(nil, data, get("t"), get("x"), get("y"), get("z")) },
		"no text":        func(m *Mould) { m.Learn(nil, data, nil) },
		"too large": func(m *Mould) {
			large := append(bytes.Repeat([]byte(" "), maxMould), data...)
			m.Learn(nil, large, jsonedit.Get(large, "t"))
		},
	} {
		m := new(Mould)
		m.Learn(nil, data, get("t")) // of which nothing may be left
		if _, ok := m.Text(nil, data); !ok {
			t.Fatal("it does not fit itself")
		}
		learn(m)
		if _, ok := m.Text(nil, data); ok {
			t.Errorf("%s: it fits", name)
		}
	}
}

// FuzzMould: what fits is an object with the same members in the same order,
// and with the same values where they do not vary.
func FuzzMould(f *testing.F) {
	f.Add([]byte(`{"n":7,"t":"one","pad":"x","end":{"a":"b"}  }`), []byte(`{"n":8,"t":"two","pad":"","end":{"a":"b"}}`))
	f.Add([]byte(`{"t":"one"}`), []byte(`{"t":"\\"}`))
	f.Add([]byte(`{"t":"one","n":1}`), []byte(`{"t":"x","t":"one","n":1}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		text := jsonedit.Get(a, "t")
		if StringLen(text) == 0 {
			return
		}
		var m Mould
		m.Learn(nil, a, text, jsonedit.Get(a, "pad"), jsonedit.Get(a, "n"))
		got, ok := m.Text(nil, b)
		if !ok {
			return
		}
		same, ma := members(a)
		if !same {
			return // Get reads no more than it needs
		}
		sound, mb := members(b)
		if !sound || len(ma) != len(mb) {
			t.Fatalf("%q fits %q", b, a)
		}
		found := false
		for i := range ma {
			x, y := ma[i], mb[i]
			if !bytes.Equal(x.Name, y.Name) {
				t.Fatalf("%q fits %q", b, a)
			}
			found = found || StringLen(y.Value) > 0 && bytes.Equal(y.Value, got)
			switch {
			case x.Value[0] == '"' && y.Value[0] == '"', digits(x.Value) == len(x.Value) && digits(y.Value) == len(y.Value):
			case !bytes.Equal(bytes.ReplaceAll(x.Value, []byte(" "), nil), bytes.ReplaceAll(y.Value, []byte(" "), nil)):
				t.Fatalf("%q fits %q", b, a)
			}
		}
		if !found {
			t.Fatalf("%q fits %q with the text %q", b, a, got)
		}
	})
}

func members(b []byte) (sound bool, ms []jsonedit.Member) {
	for m, err := range jsonedit.Members(b) {
		if err != nil {
			return false, nil
		}
		ms = append(ms, m)
	}
	return true, ms
}
