package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is there for people.
const (
	MaxTags  = 32
	maxLabel = 128 // letters
	maxTag   = 32  // letters
)

// CheckLabel takes a line of 128 letters at most.
func CheckLabel(s string) (string, error) {
	if utf8.RuneCountInString(s) > maxLabel || !utf8.ValidString(s) || strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		return "", fmt.Errorf("must be a line of at most %d letters", maxLabel)
	}
	return s, nil
}

// CheckTag takes a word of 32 letters, digits and . _ : - at most.
func CheckTag(s string) (string, error) {
	wrong := strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.Is(unicode.Nd, r) && !strings.ContainsRune("._:-", r)
	})
	if s == "" || utf8.RuneCountInString(s) > maxTag || wrong >= 0 {
		return "", fmt.Errorf("a tag is a word of at most %d letters, digits and . _ : -", maxTag)
	}
	return s, nil
}
