package sse

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type frame struct{ Event, Data string }

// cut feeds s in pieces of at most n bytes and returns what came of it: every
// event with its bytes, and what was left.
func cut(s string, n int) (frames []frame, raws []string, rest string) {
	var c Cutter
	var buf []byte
	for s != "" {
		k := min(n, len(s))
		buf = append(buf, s[:k]...)
		s = s[k:]
		for {
			end := c.Cut(buf)
			if end == 0 {
				break
			}
			raw := buf[:end:end]
			raws = append(raws, string(raw))
			if f := Parse(raw); f.Data != nil || f.Event != nil {
				frames = append(frames, frame{string(f.Event), string(f.Data)})
			}
			buf = buf[end:]
		}
	}
	return frames, raws, string(buf)
}

func TestCut(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []frame
		rest string
	}{
		"LF":                       {"event: a\ndata: 1\n\ndata: 2\n\n", []frame{{"a", "1"}, {"", "2"}}, ""},
		"CRLF":                     {"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", []frame{{"a", "1"}, {"", "2"}}, ""},
		"CR":                       {"event: a\rdata: 1\r\rdata: 2\r\r", []frame{{"a", "1"}, {"", "2"}}, ""},
		"mixed":                    {"event: a\rdata: 1\n\r\ndata: 2\r\n\n", []frame{{"a", "1"}, {"", "2"}}, ""},
		"no space":                 {"data:1\n\n", []frame{{"", "1"}}, ""},
		"only one space goes":      {"data:  1\n\n", []frame{{"", " 1"}}, ""},
		"several lines":            {"data: a\ndata: b\ndata:\n\n", []frame{{"", "a\nb\n"}}, ""},
		"a comment":                {": ping\n\ndata: 1\n\n", []frame{{"", "1"}}, ""},
		"a byte order mark":        {"\xef\xbb\xbfdata: 1\n\n", []frame{{"", "1"}}, ""},
		"data without a colon":     {"data\n\n", []frame{{"", ""}}, ""},
		"blank lines in front":     {"\n\n\ndata: 1\n\n\n", []frame{{"", "1"}}, ""},
		"a name that is none":      {"id: 1\nretry: 5\ndata: x\n\n", []frame{{"", "x"}}, ""},
		"no blank line at the end": {"data: 1\n\ndata: 2\n", []frame{{"", "1"}}, "data: 2\n"},
		"multi-byte characters":    {"data: é→😀\n\n", []frame{{"", "é→😀"}}, ""},
	} {
		for n := 1; n <= len(c.in); n++ {
			got, raws, rest := cut(c.in, n)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Fatalf("%s in pieces of %d: (-want +got)\n%s", name, n, d)
			}
			if rest != c.rest || strings.Join(raws, "")+rest != c.in {
				t.Fatalf("%s in pieces of %d: bytes were lost: %q + %q", name, n, raws, rest)
			}
		}
	}
}

// A large event that arrives in many pieces is looked at once.
func TestCutIsLinear(t *testing.T) {
	var c Cutter
	buf := []byte("data: ")
	for range 1 << 16 {
		buf = append(buf, "0123456789abcdef"...)
		if c.Cut(buf) != 0 {
			t.Fatal("cut within a line")
		}
		if c.looked != len(buf) {
			t.Fatal("it would look at the same bytes again")
		}
	}
	buf = append(buf, "\n\n"...)
	if got := c.Cut(buf); got != len(buf) {
		t.Errorf("cut at %d of %d", got, len(buf))
	}
}

func TestAppend(t *testing.T) {
	for _, c := range []struct{ event, data, want string }{
		{"", "x", "data: x\n\n"},
		{"e", "x", "event: e\ndata: x\n\n"},
		{"", "a\nb\r\nc\rd", "data: a\ndata: b\ndata: c\ndata: d\n\n"},
		{"", "", "data: \n\n"},
	} {
		if got := string(Append(nil, c.event, []byte(c.data))); got != c.want {
			t.Errorf("%q: got %q, want %q", c.data, got, c.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte("event: a\r\ndata: 1\r\n\r\ndata: 2\n\n: c\r\r"), 3)
	f.Add([]byte("\xef\xbb\xbfdata\n\ndata:x"), 1)
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		if n < 1 {
			n = 1
		}
		whole, raws, rest := cut(string(in), len(in)+1)
		if strings.Join(raws, "")+rest != string(in) {
			t.Fatal("bytes were lost")
		}
		pieces, raws, rest := cut(string(in), n)
		if strings.Join(raws, "")+rest != string(in) {
			t.Fatal("bytes were lost in pieces")
		}
		if d := cmp.Diff(whole, pieces); d != "" {
			t.Errorf("pieces of %d differ from the whole:\n%s", n, d)
		}
	})
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte("a\r\nb\rc\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Cutter
		raw := Append(nil, "e", data)
		if c.Cut(raw) != len(raw) {
			t.Fatalf("%q is not one event", raw)
		}
		want := bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
		if got := Parse(raw).Data; !bytes.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
