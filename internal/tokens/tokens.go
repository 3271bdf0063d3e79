// Package tokens estimates how many tokens a text is, for token counts that no
// upstream can be asked for. Bills never rest on it: they rest on the usage that
// upstreams report.
//
// Text is split by OpenAI's o200k_base vocabulary, which is exact for OpenAI's
// models since gpt-4o, and the count is multiplied by what the tokenizer of the
// model's family makes of the same text. The vocabulary costs about 12 MB of
// memory and 10 ms, once, at the first estimate; nothing before that.
package tokens

import (
	"math"
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"
)

// Text beyond exactBytes is sampled, so that an estimate takes a bounded time:
// at most about 40 ms on one core for the worst text (long runs of blanks),
// half of that for prose or code.
const (
	exactBytes  = 128 << 10
	pieceBytes  = 4 << 10 // the tokenizer copies its input several times; pieces keep those copies small
	sampleBytes = 2 << 10
	samples     = exactBytes / sampleBytes
)

// vocabulary is read-only once it is loaded, and safe for concurrent use.
var vocabulary = sync.OnceValue(codec.NewO200kBase)

// Estimate returns about how many tokens text and media (images, documents and
// sounds, whose sizes are not known) are to the model called model: any model's
// name, with or without vendor, or the name of a family such as "claude". The
// result is at least 1.
//
// For texts of some hundred tokens and more it is meant to be within 2 % for
// OpenAI's models, 10 % for Gemini, and 25 % for Claude, for which no tokenizer
// is published; where it errs it should rather be too high, since a client that
// believes it has room left where there is none gets stuck. What upstreams add
// of their own when tools are present (some 350 tokens with Claude) is not in it.
func Estimate(text []byte, media int, model string) int64 {
	f := familyOf(model)
	n := float64(count(text))*f.text + float64(max(0, media))*f.media + f.request
	return max(1, int64(math.Ceil(n)))
}

// count is how many tokens text is in o200k_base.
func count(text []byte) int64 {
	if len(text) <= exactBytes {
		return countAll(text)
	}
	// Samples of one size, evenly spread, so that a conversation's prose,
	// code and tool results weigh as much as they do in the whole.
	var tokens, read int64
	for i := range samples {
		at := start(text, i*(len(text)/samples))
		end := cut(text[at:], sampleBytes)
		tokens += countAll(text[at : at+end])
		read += int64(end)
	}
	return int64(math.Ceil(float64(tokens) * float64(len(text)) / float64(max(1, read))))
}

// countAll counts text piece by piece.
func countAll(text []byte) (tokens int64) {
	for len(text) > 0 {
		end := cut(text, pieceBytes)
		n, err := vocabulary().Count(string(text[:end]))
		if err != nil {
			// The splitter gave up on this piece, which it does only past a
			// time limit that is not set. Four bytes a token is the rule of
			// thumb.
			n = (end + 3) / 4
		}
		tokens += int64(n)
		text = text[end:]
	}
	return tokens
}

// cut returns where to end a piece of text of at most limit bytes: behind the
// last line feed, or else before the last space, in its second half, where a
// token is likely to end anyway, or else between two characters.
func cut(text []byte, limit int) int {
	if len(text) <= limit {
		return len(text)
	}
	space := 0
	for i := limit - 1; i > limit/2; i-- {
		if text[i] == '\n' {
			return i + 1
		}
		if text[i] == ' ' && space == 0 {
			space = i
		}
	}
	if space > 0 {
		return space
	}
	for i := limit; i > limit-4; i-- {
		if boundary(text[i]) {
			return i
		}
	}
	return limit
}

// start returns the first beginning of a character at or after at.
func start(text []byte, at int) int {
	for i := at; i < min(at+4, len(text)); i++ {
		if boundary(text[i]) {
			return i
		}
	}
	return at
}

// boundary reports whether b can begin a character of UTF-8.
func boundary(b byte) bool { return b&0xC0 != 0x80 }
