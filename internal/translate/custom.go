package translate

import (
	"bytes"
	"encoding/json/jsontext"
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/wire"
)

// A custom tool takes free text. Where the upstream has no such tools it is a
// function with one argument, input, which the model fills with the text (spec:
// translation-traps B15, F4).

const (
	inputSchema = `{"type":"object","properties":{"input":{"type":"string","description":"The whole input of the tool, as plain text."}},"required":["input"],"additionalProperties":false}`
	inputOpen   = `{"input":`
)

// freeText turns t, the tool number i, into a function. The grammar that its
// input has to follow can only be told in words.
func (d *draft) freeText(i int, t *llm.Tool) {
	if len(t.Format) > 0 && wire.Text(jsonedit.Get(t.Format, "type")) == "grammar" {
		grammar := t.Format
		if inner := jsonedit.Get(grammar, "grammar"); inner != nil { // as chat nests it
			grammar = jsontext.Value(inner)
		}
		said := t.Description.Append(nil)
		if len(said) > 0 {
			said = append(said, "\n\n"...)
		}
		said = append(said, "The input must follow this "...)
		said = append(said, wire.Text(jsonedit.Get(grammar, "syntax"))...)
		said = append(said, " grammar:\n"...)
		said = append(said, wire.Text(jsonedit.Get(grammar, "definition"))...)
		t.Description = llm.PlainBytes(said)
		d.lose("tools["+strconv.Itoa(i)+"].format", "approximated: the tool's description tells its grammar")
	}
	t.Kind, t.Schema, t.Format, t.Strict = llm.Function, jsontext.Value(inputSchema), nil, nil
}

// wrapInput is the argument of a call of such a function.
func wrapInput(input llm.Text) llm.Text {
	out := make([]byte, 0, len(inputOpen)+input.Len()+8)
	out = append(out, inputOpen...)
	return llm.PlainBytes(append(input.AppendJSON(out), '}'))
}

// unwrapInput is the input in the arguments of such a call: the argument input,
// or what the model wrote in place of it, as it is.
func unwrapInput(args llm.Text) llm.Text {
	raw := args.Append(nil)
	v := jsonedit.Get(raw, "input")
	switch {
	case v == nil:
		return args
	case v[0] == '"':
		return llm.Wire(v)
	}
	return llm.PlainBytes(v)
}

// An unwrapper takes the input out of arguments as they come. What it returns
// is valid until the next call.
type unwrapper struct {
	state unwrapState
	held  []byte // what cannot be told yet
	out   []byte
}

type unwrapState uint8

const (
	before unwrapState = iota // where the input begins is not known yet
	within                    // in the input
	behind                    // the input is whole
	beside                    // there is no input where it should be
	raw                       // the arguments are told as they are
)

// feed takes the next piece of the arguments and returns what there is of the
// input.
func (u *unwrapper) feed(piece llm.Text) llm.Text {
	if u.state == behind {
		return llm.Text{}
	}
	if u.state == beside && len(u.held) > maxHeld { // too large to be looked at as a whole
		u.state = raw
	}
	if u.state == raw {
		u.out = piece.Append(append(u.out[:0], u.held...))
		u.held = nil
		return llm.PlainBytes(u.out)
	}
	u.held = piece.Append(u.held)
	if u.state == before {
		switch n := inputAt(u.held); {
		case n < 0:
			u.state = beside
		case n > 0:
			u.state = within
			u.held = u.held[:copy(u.held, u.held[n:])]
		}
	}
	if u.state != within {
		return llm.Text{}
	}
	n, end := scanString(u.held)
	u.out = append(append(append(u.out[:0], '"'), u.held[:n]...), '"')
	if end {
		u.state = behind
	}
	u.held = u.held[:copy(u.held, u.held[n:])]
	if n == 0 {
		return llm.Text{}
	}
	return llm.Wire(u.out)
}

// end returns what is left when the arguments are whole.
func (u *unwrapper) end() llm.Text {
	if (u.state == before || u.state == beside) && len(bytes.TrimSpace(u.held)) > 0 {
		return unwrapInput(llm.PlainBytes(u.held))
	}
	return llm.Text{} // an escape that was never ended is nothing
}

// inputAt is where the text of the argument input begins in args, which may be
// cut anywhere; 0: it cannot be said yet, -1: it does not begin there.
func inputAt(args []byte) int {
	at := 0
	for _, token := range [...]string{"{", `"input"`, ":", `"`} {
		for at < len(args) && (args[at] == ' ' || args[at] == '\n' || args[at] == '\r' || args[at] == '\t') {
			at++
		}
		rest := args[at:]
		if len(rest) < len(token) {
			if bytes.HasPrefix([]byte(token), rest) {
				return 0
			}
			return -1
		}
		if string(rest[:len(token)]) != token {
			return -1
		}
		at += len(token)
	}
	return at
}

// scanString is how much of text, the rest of a JSON string, can be told: up to
// its end or to an escape that is not whole. The halves of a surrogate pair are
// told together.
func scanString(text []byte) (n int, end bool) {
	for n < len(text) {
		switch text[n] {
		case '"':
			return n, true
		case '\\':
			size := escapeSize(text[n:])
			if size == 0 {
				return n, false
			}
			n += size
		default:
			n++
		}
	}
	return n, false
}

// escapeSize is how long the escape at the beginning of text is, 0 if that
// cannot be said yet.
func escapeSize(text []byte) int {
	const unicode = len(`\u0000`)
	switch {
	case len(text) < 2:
		return 0
	case text[1] != 'u':
		return 2
	case len(text) < unicode:
		return 0
	}
	if high(text[2:unicode]) {
		if len(text) < unicode+1 || text[unicode] == '\\' && len(text) < unicode+2 {
			return 0
		}
		if text[unicode] == '\\' && text[unicode+1] == 'u' {
			if len(text) < 2*unicode {
				return 0
			}
			return 2 * unicode
		}
	}
	return unicode
}

// high reports whether four hexadecimal digits are the first half of a
// surrogate pair.
func high(digits []byte) bool {
	return digits[0]|0x20 == 'd' && (digits[1] == '8' || digits[1] == '9' || digits[1]|0x20 == 'a' || digits[1]|0x20 == 'b')
}
