package wire

import (
	"errors"
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
)

func TestPeek(t *testing.T) {
	at := []SessionAt{{Name: "key"}, {Name: "meta", Inner: "id"}, {Name: "user"}}
	for name, c := range map[string]struct {
		body string
		want protocol.Peek
		err  error
	}{
		"all":                    {`{"user":"u","model":"m","stream":true,"meta":{"id":"i"},"key":"k"}`, protocol.Peek{Model: "m", Stream: true, Session: "k"}, nil},
		"the next place":         {`{"user":"u","meta":{"id":"i"},"key":""}`, protocol.Peek{Session: "i"}, nil},
		"the last place":         {`{"user":"u","meta":{"ID":"i"},"key":7}`, protocol.Peek{Session: "u"}, nil},
		"a string for an object": {`{"meta":"i"}`, protocol.Peek{Session: "i"}, nil},
		"longer than a name":     {`{"key":"` + strings.Repeat("x", MaxSession-1) + `","user":"u"}`, protocol.Peek{Session: "u"}, nil},
		"as long as a name":      {`{"key":"` + strings.Repeat("x", MaxSession-2) + `"}`, protocol.Peek{Session: strings.Repeat("x", MaxSession-2)}, nil},
		"null is absent":         {`{"model":null,"stream":null,"key":null}`, protocol.Peek{}, nil},
		"the last one counts":    {`{"model":"a","stream":true,"model":"b","stream":false}`, protocol.Peek{Model: "b"}, nil},
		"not UTF-8":              {"{\"x\":\"\xc3\"}", protocol.Peek{}, ErrUTF8},
		"model is an array":      {`{"model":["m"]}`, protocol.Peek{}, ErrModelType},
		"stream is a number":     {`{"stream":1}`, protocol.Peek{}, ErrStreamType},
		"an array":               {`[{"model":"m"}]`, protocol.Peek{}, jsonedit.ErrNotObject},
		"broken off":             {`{"model":"m",`, protocol.Peek{}, jsonedit.ErrCut},
	} {
		got, err := Peek([]byte(c.body), at)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %+v, %v; want %+v, %v", name, got, err, c.want, c.err)
		}
	}
}

func TestPeekSaysWhere(t *testing.T) {
	_, err := Peek([]byte(`{"x":[1}`), nil)
	if syntax := (*jsonedit.SyntaxError)(nil); !errors.As(err, &syntax) || syntax.Offset != 7 {
		t.Errorf("got %v", err)
	}
}

func TestEmpty(t *testing.T) {
	for v, want := range map[string]bool{
		"": true, "null": true, "false": true, `""`: true, "[]": true, "{}": true, "[ \n]": true, "{\t}": true,
		"true": false, "0": false, `" "`: false, "[0]": false, `{"a":null}`: false,
	} {
		if got := Empty([]byte(v)); got != want {
			t.Errorf("%q: %v", v, got)
		}
	}
}

func TestTokens(t *testing.T) {
	for v, want := range map[string]int64{"": 0, "12": 12, "1.0": 1, "1.5": 0, "-3": 0, "1e300": 0, "9999999999999": maxTokens, `"5"`: 0, "null": 0} {
		if got := Tokens([]byte(v)); got != want {
			t.Errorf("%q: got %d, want %d", v, got, want)
		}
	}
}

func TestObject(t *testing.T) {
	for v, want := range map[string]string{`{"a":1,"b":2}`: "ab", `{"a":1,"b"`: "a", "[1]": "", "": "", `"x"`: ""} {
		got := ""
		for m := range Object([]byte(v)) {
			got += string(m.Name)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", v, got, want)
		}
	}
}

func TestCountedKeepsTheFirstError(t *testing.T) {
	c := &Counted{}
	c.Each([]byte(`["a","b"`), c.Text)
	first := c.Err
	c.Members([]byte(`{"a":`), func(jsonedit.Member) {})
	c.Text([]byte(`"c"`))
	if !errors.Is(first, jsonedit.ErrCut) || !errors.Is(c.Err, first) || string(c.Dst) != "a\nb\n" {
		t.Errorf("got %q, %v, then %v", c.Dst, first, c.Err)
	}
}
