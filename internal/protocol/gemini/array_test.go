package gemini

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// cutAll feeds data in pieces that end at the given places and returns the
// elements; what is left at the end is looked at, too.
func cutAll(t *testing.T, data []byte, ends ...int) (out []string) {
	var c ArrayCutter
	var buf, all []byte
	from := 0
	for _, end := range append(ends, len(data)) {
		buf = append(buf, data[from:end]...)
		from = end
		for {
			n := c.Cut(buf)
			if n == 0 {
				break
			}
			if e := Element(buf[:n]); e != nil {
				out = append(out, string(e))
			}
			all = append(all, buf[:n]...)
			buf = buf[n:]
		}
	}
	if e := Element(buf); e != nil {
		out = append(out, "left: "+string(e))
	}
	if all = append(all, buf...); !bytes.Equal(all, data) {
		t.Errorf("bytes were lost of %q: %q", data, all)
	}
	return out
}

func TestArrayCutter(t *testing.T) {
	for data, want := range map[string][]string{
		`[{"a":1}]`:                            {`{"a":1}`},
		"[{\"a\":[1,{}]}\n,\r\n{\"b\":2}\n]\n": {`{"a":[1,{}]}`, `{"b":2}`},
		`[{"a":"]}\"\\"},{"é":"}"}]`:           {`{"a":"]}\"\\"}`, `{"é":"}"}`},
		`[]`:                                   nil,
		``:                                     nil,
		" \n":                                  nil,
		`{"error":{"code":1}}`:                 {`{"error":{"code":1}}`}, // an error that is in no array
		"{\"a\":1}\n{\"b\":2}\n":               {`{"a":1}`, `{"b":2}`},
		`[{"a":1},,{"b":2},]`:                  {`{"a":1}`, `{"b":2}`},
		`["x, y",12.5 , null]`:                 {`"x, y"`, `12.5`, `null`},
		`<html> x`:                             {`<html>`, `left: x`},
		`[{"a":1},{"b":`:                       {`{"a":1}`, `left: {"b":`},
		`[{"a":1}],{"b":2}`:                    {`{"a":1}`, `{"b":2}`},
		`[{"a":1`:                              {`left: {"a":1`},
	} {
		if got := cutAll(t, []byte(data)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", data, got, want)
		}
		for i := range data {
			if got := cutAll(t, []byte(data), i); !slices.Equal(got, want) {
				t.Errorf("%s, split at %d: got %q, want %q", data, i, got, want)
			}
		}
		every := make([]int, len(data))
		for i := range every {
			every[i] = i
		}
		if got := cutAll(t, []byte(data), every...); !slices.Equal(got, want) {
			t.Errorf("%s, byte by byte: got %q, want %q", data, got, want)
		}
	}
}

// TestArrayCutterIsLinear: a large element in many pieces is scanned once.
func TestArrayCutterIsLinear(t *testing.T) {
	data := []byte(`[{"data":"` + strings.Repeat("A", 8<<20) + `"}]`)
	var c ArrayCutter
	for end := 0; end < len(data)-1; end += 512 {
		if n := c.Cut(data[:end]); n != 0 {
			t.Fatalf("cut at %d", n)
		}
		if c.looked != end {
			t.Fatalf("looked at %d of %d bytes", c.looked, end)
		}
	}
	if n := c.Cut(data); n != len(data)-1 {
		t.Errorf("cut at %d of %d", n, len(data))
	}
}

func FuzzArrayCutter(f *testing.F) {
	f.Add([]byte(`[{"a":"\""},{"b":[1]}]`), 5, 9)
	f.Add([]byte(`[1,"x",`), 1, 2)
	f.Fuzz(func(t *testing.T, data []byte, i, j int) {
		i, j = min(max(i, 0), len(data)), min(max(j, 0), len(data))
		whole, split := cutAll(t, data), cutAll(t, data, min(i, j), max(i, j))
		if !slices.Equal(whole, split) {
			t.Errorf("%q: whole %q, split %q", data, whole, split)
		}
	})
}
