package gemini

import (
	"strings"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// A generation is the generation of a Gemini model times ten: 25 for
// gemini-2.5-pro, 30 for gemini-3-pro-preview. It is 0 for models that are no
// Gemini, and newest for names that do not tell, such as gemini-flash-latest.
type generation int

const newest generation = 990

func generationOf(model string) generation {
	_, after, ok := strings.CutLast(model, "gemini-")
	if !ok {
		return 0
	}
	rest := after
	digit := func(k int) int {
		if k < len(rest) && rest[k] >= '0' && rest[k] <= '9' {
			return int(rest[k] - '0')
		}
		return -1
	}
	major := digit(0)
	switch {
	case major < 0:
		return newest
	case digit(1) >= 0: // 10 and beyond
		return newest
	case len(rest) > 1 && (rest[1] == '.' || rest[1] == 'p') && digit(2) >= 0:
		return generation(10*major + digit(2))
	}
	return generation(10 * major)
}

// thinks reports whether the models of g can think.
func (g generation) thinks() bool { return g == 0 || g >= 25 }

// levels reports whether they are told by levels how hard to think, and not by
// a budget (spec: translation-traps C13).
func (g generation) levels() bool { return g == 0 || g >= 30 }

// signs reports whether they want a thought signature on the first call of a
// turn (spec: upstreams §0.1, 5).
func (g generation) signs() bool { return g >= 30 }

// mixes reports whether they take tools that Google runs beside functions
// (spec: upstreams §1D.3, translation-traps C25).
func (g generation) mixes() bool { return g == 0 || g >= 30 }

// blind reports whether they cannot look at what is at an address (spec:
// upstreams §2.4).
func (g generation) blind() bool { return g != 0 && g < 25 }

// Inline reports whether b, which is at an address, has to be sent by its bytes.
func (*Codec) Inline(fit *protocol.Fit, b *llm.Blob) bool {
	return b.URL != "" && generationOf(fit.Model).blind()
}

// camel is a member's name in camel case: proto JSON takes both spellings
// (spec: translation-traps C27).
func camel(name []byte) []byte {
	for i, c := range name {
		if c == '_' {
			return fromSnake(name, i)
		}
	}
	return name
}

func fromSnake(name []byte, first int) []byte {
	out := append(make([]byte, 0, len(name)), name[:first]...)
	up := false
	for _, c := range name[first:] {
		switch {
		case c == '_':
			up = len(out) > 0
			continue
		case up && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		up = false
		out = append(out, c)
	}
	return out
}
