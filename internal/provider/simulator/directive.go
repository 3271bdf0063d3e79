package simulator

import (
	"encoding/json/jsontext"
	"slices"
	"strconv"
	"strings"
)

// directives is what the user's turn asks for between double brackets.
type directives struct {
	say     *string
	long    int // words, 0: not asked for
	tools   []wish
	think   bool
	image   bool
	cached  *int64
	mishaps []mishap
	err     error  // a fault that cannot be played
	rest    string // the last of the texts, without its directives
	tries   int    // at directives, for maxTries
}

// A wish is a call that the user asks for. Without input the arguments are
// made up.
type wish struct{ name, input string }

// Bounds of what directives may ask for. What comes after maxTries attempts at
// a directive is text, so that no text is read more than so many times.
const (
	maxWords     = 100_000
	maxCalls     = 128
	maxTries     = 1024
	maxDirective = maxMishaps * (maxMishapText + 1) // bytes, but for say and tool
)

// parseDirectives reads the directives in texts. What looks like one and is
// none stays in the text.
func parseDirectives(texts ...string) directives {
	var d directives
	for _, t := range texts {
		d.rest = d.read(t)
	}
	return d
}

// read takes the directives of text and returns what is left of it.
func (d *directives) read(text string) string {
	end := strings.LastIndex(text, "]]") + len("]]")
	if end < len("[[]]") || !strings.Contains(text, "[[") {
		return strings.TrimSpace(text)
	}
	head, tail := text[:end], text[end:]
	var rest strings.Builder
	for d.tries < maxTries {
		i := strings.Index(head, "[[")
		if i < 0 {
			break
		}
		n := d.one(head[i+2:])
		if n == 0 {
			rest.WriteString(head[:i+1])
			head = head[i+1:]
			continue
		}
		rest.WriteString(head[:i])
		head = head[i+2+n:]
	}
	rest.WriteString(head)
	rest.WriteString(tail)
	return strings.TrimSpace(rest.String())
}

// one reads the directive that s begins with, after its opening brackets, and
// returns its length with the closing ones, or 0 if it is none.
func (d *directives) one(s string) int {
	word, _, _ := strings.Cut(s[:min(len(s), len("cached:"))], ":")
	word, _, _ = strings.Cut(word, "]")
	if !slices.Contains(words, word) {
		return 0
	}
	d.tries++
	if after, ok := strings.CutPrefix(s, "tool:"); ok {
		if len(d.tools) == maxCalls {
			return 0
		}
		w, n := parseWish(after)
		if n == 0 {
			return 0
		}
		d.tools = append(d.tools, w)
		return len("tool:") + n
	}
	if after, ok := strings.CutPrefix(s, "say:"); ok {
		text, _, closed := strings.Cut(after, "]]")
		if !closed {
			return 0
		}
		d.say = &text
		return len("say:") + len(text) + len("]]")
	}
	end := strings.Index(s[:min(len(s), maxDirective)], "]]")
	if end < 0 {
		return 0
	}
	name, value, _ := strings.Cut(s[:end], ":")
	switch name {
	case "think":
		d.think = true
	case "image":
		d.image = true
	case "long":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return 0
		}
		d.long = min(n, maxWords)
	case "cached":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 {
			return 0
		}
		n = min(n, maxTokens)
		d.cached = &n
	case "fault":
		ms, err := parseMishaps(value)
		if err != nil {
			d.err = err
		}
		d.mishaps = append(d.mishaps, ms...)
	default:
		return 0
	}
	return end + len("]]")
}

// words begin the directives.
var words = []string{"say", "long", "tool", "think", "image", "cached", "fault"}

// parseWish reads "NAME]]", "NAME {json}]]" or "NAME text]]", and returns its
// length with the closing brackets, or 0 if it is none. Brackets within the
// JSON do not end it.
func parseWish(s string) (wish, int) {
	end := strings.IndexAny(s, " ]")
	if end < 1 {
		return wish{}, 0
	}
	w, rest := wish{name: s[:end]}, strings.TrimLeft(s[end:], " ")
	if strings.HasPrefix(rest, "{") {
		dec := jsontext.NewDecoder(strings.NewReader(rest), jsontext.AllowDuplicateNames(true))
		if v, err := dec.ReadValue(); err == nil {
			w.input, rest = string(v), strings.TrimLeft(rest[dec.InputOffset():], " ")
			if !strings.HasPrefix(rest, "]]") {
				return wish{}, 0
			}
			return w, len(s) - len(rest) + len("]]")
		}
	}
	text, _, closed := strings.Cut(rest, "]]")
	if !closed {
		return wish{}, 0
	}
	if w.input = strings.TrimSpace(text); strings.HasPrefix(w.input, "{") {
		// Some clients (opencode) escape the quotes of what is typed.
		if w.input = str(jsontext.Value(`"` + w.input + `"`)); !jsontext.Value(w.input).IsValid(jsontext.AllowDuplicateNames(true)) {
			return wish{}, 0
		}
	}
	return w, len(s) - len(rest) + len(text) + len("]]")
}
