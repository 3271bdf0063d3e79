// Package modelid reads model names: the same model is called
// "claude-haiku-4-5-20251001" by its maker, "anthropic/claude-haiku-4.5" by one
// reseller and "us.anthropic.claude-haiku-4-5-20251001-v1:0" by another.
//
// It is shared by the catalogue and by the generator of the catalogue's data,
// so that both cut names the same way.
package modelid

import "strings"

// MaxLen is the longest name, in bytes, that is looked at; a longer one is no
// model's name.
const MaxLen = 256

// Forms returns the names under which a model called id may be known, the most
// telling first and each shorter than, or spelled more simply than, the one
// before:
//
//  1. the name itself, in lower case;
//  2. without a resource path: "models/gemini-x",
//     "publishers/google/models/gemini-x";
//  3. without a tag that chooses how, not what, is served: ":free", "[1m]";
//  4. without the vendor: "anthropic/claude-x", "us.anthropic.claude-x";
//  5. without the version: "-20250929", "-2025-09-29", "@20250929", "-v1:0",
//     "-latest";
//  6. with dashes for the dots in version numbers: "claude-x-4.5".
//
// Steps that change nothing are left out. A name that is empty or longer than
// MaxLen has no forms.
func Forms(id string) []string {
	if id == "" || len(id) > MaxLen {
		return nil
	}
	forms := make([]string, 1, 4)
	forms[0] = strings.ToLower(id)
	for _, step := range [...]func(string) string{cutPath, cutTag, cutVendor, cutVersion, dashDots} {
		last := forms[len(forms)-1]
		if next := step(last); next != last && next != "" {
			forms = append(forms, next)
		}
	}
	return forms
}

// Base is the last of id's forms: what all names of one model have in common.
// It is "" where there are no forms.
func Base(id string) string {
	forms := Forms(id)
	if len(forms) == 0 {
		return ""
	}
	return forms[len(forms)-1]
}

// Free reports whether the name says that the model is served for nothing, as
// OpenRouter's ":free" variants do.
func Free(id string) bool {
	return strings.HasSuffix(id, ":free")
}

func cutPath(s string) string {
	const dir = "models/"
	i := strings.LastIndex(s, dir)
	if i < 0 || i > 0 && s[i-1] != '/' {
		return s
	}
	return s[i+len(dir):]
}

// tags are the variants of OpenRouter and of its likes that serve the same
// weights. A tag that is not here stays: Ollama's "llama3.2:3b" is another
// model than "llama3.2:1b".
var tags = [...]string{":free", ":nitro", ":floor", ":exacto", ":online", ":extended", ":beta", ":thinking"}

func cutTag(s string) string {
	if i := strings.LastIndexByte(s, '['); i > 0 && s[len(s)-1] == ']' {
		s = s[:i]
	}
	for _, tag := range tags {
		if rest, ok := strings.CutSuffix(s, tag); ok {
			return rest
		}
	}
	return s
}

// vendors are the makers as Bedrock's model ids name them, before a dot.
var vendors = [...]string{
	"ai21.", "amazon.", "anthropic.", "cohere.", "deepseek.", "google.", "meta.",
	"minimax.", "mistral.", "moonshot.", "moonshotai.", "nvidia.", "openai.", "qwen.", "writer.", "xai.", "zai.",
}

// regions are the prefixes of Bedrock's inference profiles.
var regions = [...]string{"us.", "eu.", "apac.", "global.", "us-gov.", "jp.", "au.", "ca."}

func cutVendor(s string) string {
	s = s[strings.LastIndexByte(s, '/')+1:]
	rest := s
	for _, region := range regions {
		if cut, ok := strings.CutPrefix(s, region); ok {
			rest = cut
			break
		}
	}
	for _, vendor := range vendors {
		if cut, ok := strings.CutPrefix(rest, vendor); ok {
			return cut
		}
	}
	return s
}

func cutVersion(s string) string {
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		s = s[:i]
	}
	s = cutRevision(s)
	if rest, ok := strings.CutSuffix(s, "-latest"); ok {
		s = rest
	}
	for _, shape := range [...]string{"-dddddddd", "-dddd-dd-dd"} {
		if i := len(s) - len(shape); i > 0 && fits(s[i:], shape) && s[i+1:i+3] == "20" {
			return s[:i]
		}
	}
	return s
}

// cutRevision cuts Bedrock's "-v1:0", and its "-v1" where a number stands before
// it: elsewhere "-v3" is what the maker calls the model.
func cutRevision(s string) string {
	if i := len(s) - len("-v1:0"); i > 0 && fits(s[i:], "-vd:d") {
		return s[:i]
	}
	if i := len(s) - len("-v1"); i > 0 && fits(s[i-1:], "d-vd") {
		return s[:i]
	}
	return s
}

// fits reports whether s, as long as shape, has digits where shape has a "d"
// and shape's own bytes elsewhere.
func fits(s, shape string) bool {
	for i := range len(shape) {
		if shape[i] == 'd' && !digit(s[i]) || shape[i] != 'd' && shape[i] != s[i] {
			return false
		}
	}
	return true
}

func dashDots(s string) string {
	at := -1
	for i := 1; i+1 < len(s); i++ {
		if s[i] == '.' && digit(s[i-1]) && digit(s[i+1]) {
			at = i
			break
		}
	}
	if at < 0 {
		return s
	}
	b := []byte(s)
	for i := at; i+1 < len(b); i++ {
		if b[i] == '.' && digit(b[i-1]) && digit(b[i+1]) {
			b[i] = '-'
		}
	}
	return string(b)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
