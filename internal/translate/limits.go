package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"portico/internal/protocol"
)

// limits are what an upstream takes of names and ids, and which kinds of tools
// it has (spec: upstreams §1A.1, §1B.3, §1C.4, §1D.3, §2.4).
type limits struct {
	name words // of a tool
	id   words // of a call

	custom     bool // tools whose input is free text
	namespaces bool // tools in namespaces
}

// words are names that a protocol takes.
type words struct {
	most   int    // bytes; 0: any number
	marks  string // what may stand in it besides letters and digits; "*": everything
	letter bool   // it must begin with a letter or _
	exact  bool   // it must be as long as it may be
}

var (
	openAIName    = words{most: 64, marks: "_-"}
	anthropicName = words{most: 128, marks: "_-"}
	geminiName    = words{most: 64, marks: "_-.", letter: true} // what both of Google's take; one takes colons, too

	// Chat refuses ids of calls beyond 40 characters, Responses beyond 64.
	chatID      = words{most: 40, marks: "*"}
	responsesID = words{most: 64, marks: "*"}
	anthropicID = words{most: 64, marks: "_-"}
	anyID       = words{marks: "*"}
)

func limitsOf(proto string, to *Upstream) limits {
	native := to.Fit.Native
	switch proto {
	case protocol.OpenAIChat:
		l := limits{name: openAIName, id: chatID, custom: native}
		if n := to.Quirks.CallID; n > 0 {
			l.id = words{most: n, exact: true}
		}
		return l
	case protocol.OpenAIResponses:
		return limits{name: openAIName, id: responsesID, custom: native, namespaces: native}
	case protocol.Anthropic:
		return limits{name: anthropicName, id: anthropicID}
	case protocol.BedrockConverse:
		return limits{name: openAIName, id: anthropicID}
	}
	return limits{name: geminiName, id: anyID}
}

// clientID is what a client takes as the id of a call. Clients of Anthropic's
// protocol check it (spec: translation-traps A10).
func clientID(proto string) words {
	if proto == protocol.Anthropic {
		return anthropicID
	}
	return anyID
}

// takes reports whether s is such a name.
func (w words) takes(s string) bool {
	if s == "" || w.most > 0 && len(s) > w.most || w.exact && len(s) != w.most {
		return false
	}
	if w.letter && !isLetter(s[0]) && s[0] != '_' {
		return false
	}
	if w.marks == "*" {
		return true
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && strings.IndexByte(w.marks, c) < 0 {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// hashed is how many characters tell two names apart that would be the same
// after they were made to fit.
const hashed = 8

// fit is s if it is such a name, else one that is made of it and is always the
// same: what of it fits, and a hash of the whole.
func (w words) fit(s string) string {
	if w.takes(s) {
		return s
	}
	return w.mark(s, s)
}

// mark is a name made of s and a hash of whole.
func (w words) mark(s, whole string) string {
	sum := sha256.Sum256([]byte(whole))
	hash := hex.EncodeToString(sum[:])
	if w.exact {
		return hash[:w.most]
	}
	most := w.most
	if most == 0 {
		most = 128
	}
	out := make([]byte, 0, most)
	if w.letter && (s == "" || !isLetter(s[0]) && s[0] != '_') {
		out = append(out, '_')
	}
	for i := 0; i < len(s) && len(out) < most-hashed-1; i++ {
		c := s[i]
		if !isLetter(c) && (c < '0' || c > '9') && (w.marks == "*" || strings.IndexByte(w.marks, c) < 0) {
			c = '_'
		}
		out = append(out, c)
	}
	return string(append(append(out, '_'), hash[:hashed]...))
}
