package translate

import (
	"encoding/json/v2"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// Trap B15: the input is told as it comes, whatever the pieces are.
func TestUnwrapper(t *testing.T) {
	for args, want := range map[string]string{
		`{"input":"abc"}`:                 "abc",
		` { "input" : "a\"b\\\n" } `:      "a\"b\\\n",
		`{"input":"\ud83d\ude00é\u0041"}`: "\U0001F600éA",
		`{"input":""}`:                    "",
		`{"input":"a","more":1}`:          "a",
		`{"more":1,"input":"a"}`:          "a",
		`{"input":{"x":[1]}}`:             `{"x":[1]}`,
		`{"patch":"a"}`:                   `{"patch":"a"}`,
		`plain text`:                      "plain text",
		`"a text"`:                        `"a text"`,
		`{"input":"cut of`:                "cut of",
		`{"input":"cut \ud83`:             "cut ",
		`{"inp`:                           `{"inp`,
		``:                                "",
	} {
		for size := 1; size <= len(args)+1; size++ {
			var u unwrapper
			got := ""
			for rest := args; rest != ""; {
				n := min(size, len(rest))
				for n < len(rest) && rest[n]&0xC0 == 0x80 {
					n++
				}
				got += u.feed(llm.Plain(rest[:n])).String()
				rest = rest[n:]
			}
			if got += u.end().String(); got != want {
				t.Errorf("%s in pieces of %d: %q, want %q", args, size, got, want)
			}
		}
		if strings.Contains(args, "cut") {
			continue
		}
		if got := unwrapInput(llm.Plain(args)).String(); got != want {
			t.Errorf("%s whole: %q, want %q", args, got, want)
		}
	}
}

// Nothing of the input is held back that can be told.
func TestUnwrapperIsPrompt(t *testing.T) {
	var u unwrapper
	for _, c := range [][2]string{{`{"inp`, ""}, {`ut":"a`, "a"}, {`b`, "b"}, {`\`, ""}, {`nc`, "\nc"}, {`"}`, ""}} {
		if got := u.feed(llm.Plain(c[0])).String(); got != c[1] {
			t.Errorf("%q gives %q, want %q", c[0], got, c[1])
		}
	}
}

func FuzzUnwrapper(f *testing.F) {
	f.Add(`{"input":"\ud83d\ude00"}`, 3)
	f.Add(`{"input":"a\u00`, 1)
	f.Fuzz(func(t *testing.T, args string, size int) {
		var u unwrapper
		got := ""
		for rest := args; rest != ""; {
			n := min(max(size, 1), len(rest))
			got += u.feed(llm.Plain(rest[:n])).String()
			rest = rest[n:]
		}
		got += u.end().String()
		var whole struct {
			Input *string `json:"input"`
		}
		if err := json.Unmarshal([]byte(args), &whole); err == nil && whole.Input != nil && ascii(args) && got != *whole.Input {
			t.Errorf("%q in pieces of %d: %q, want %q", args, size, got, *whole.Input)
		}
	})
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

// The grammar of a tool's input is told in words.
func TestFreeTextTellsItsGrammar(t *testing.T) {
	for _, format := range []string{
		`{"type":"grammar","syntax":"lark","definition":"start: \"x\""}`,
		`{"type":"grammar","grammar":{"syntax":"lark","definition":"start: \"x\""}}`,
	} {
		r := &llm.Request{Tools: []llm.Tool{{Kind: llm.Custom, Name: "p", Description: llm.Plain("Patches."), Format: []byte(format)}}}
		d := prepared(t, crossing(protocol.OpenAIResponses, protocol.Anthropic, r, Options{}), native("m"))
		got := d.Tools[0].Description.String()
		if !strings.HasPrefix(got, "Patches.\n\n") || !strings.Contains(got, "lark") || !strings.HasSuffix(got, `start: "x"`) || !lost(d.losses, "tools[0].format") {
			t.Errorf("%q, %v", got, d.losses)
		}
	}
}
