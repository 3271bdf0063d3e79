package anthropic

import (
	"fmt"
	"strings"
)

// Clients of this protocol compact a conversation when they read one of these
// in an error, and take from the numbers beside it by how much (spec:
// upstreams §2.13).
const (
	promptTooLong = "prompt is too long"
	limitExceeded = "exceed context limit"
)

// tooLong puts an upstream's message about a context that is too long in the
// words that clients of this protocol look for. Where it names both numbers,
// they are repeated as Anthropic does it.
func tooLong(message string) string {
	lower := strings.ToLower(message)
	if strings.Contains(lower, promptTooLong) || strings.Contains(lower, limitExceeded) {
		return message
	}
	if size, limit, ok := sizes(lower); ok {
		return fmt.Sprintf("%s: %d tokens > %d maximum. The upstream said: %s", promptTooLong, size, limit, message)
	}
	return promptTooLong + ": " + message
}

// A number of tokens that is believed. Smaller ones are versions and counts of
// messages.
const minTokens, maxTokens = 256, 1 << 40

// sizes finds in prose, in lower case, how many tokens a prompt has and how
// many the model takes: the limit is the first number behind a word for it,
// the size the largest number if that is beyond the limit.
func sizes(text string) (size, limit int64, ok bool) {
	from := len(text)
	for _, word := range []string{"maximum", "limit", "allowed", "window"} {
		if i := strings.Index(text, word); i >= 0 {
			from = min(from, i)
		}
	}
	for i := 0; i < len(text); i++ {
		n, end := number(text, i)
		if n >= minTokens {
			size = max(size, n)
			if i > from && limit == 0 {
				limit = n
			}
		}
		i = end
	}
	return size, limit, limit > 0 && size > limit
}

// number reads the whole number that begins at text[i], which may have commas
// between its digits, and returns the index behind it. n is 0 if there is none
// there, or one that is part of a name, or no number of tokens.
func number(text string, i int) (n int64, end int) {
	digit := func(j int) bool { return j < len(text) && '0' <= text[j] && text[j] <= '9' }
	for end = i; digit(end) || end > i && end < len(text) && text[end] == ',' && digit(end+1); end++ {
		if text[end] != ',' && n < maxTokens {
			n = n*10 + int64(text[end]-'0')
		}
	}
	if n >= maxTokens || i > 0 && named(text[i-1]) || end < len(text) && named(text[end]) && text[end] != '.' {
		n = 0
	}
	return n, end
}

// named reports whether c, beside a number, makes it part of a name
// ("gpt-4o-2024-08-06") or of a fraction.
func named(c byte) bool {
	return 'a' <= c && c <= 'z' || c == '-' || c == '_' || c == '.' || c == '@'
}
