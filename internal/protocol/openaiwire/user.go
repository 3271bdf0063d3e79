package openaiwire

import (
	"crypto/sha256"
	"encoding/hex"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
)

// maxUser is the most that OpenAI takes of an end user's name, in characters.
const maxUser = 64

// AppendUser writes who the end user is as safety_identifier. What a client of
// another protocol calls its user may be longer than OpenAI takes, as Claude
// Code's is: then a hash stands for it, the same for the same user (spec:
// translation-traps A39).
func AppendUser(dst []byte, r *llm.Request) []byte {
	foreign := r.Protocol != protocol.OpenAIChat && r.Protocol != protocol.OpenAIResponses
	if foreign && r.User.Runes() > maxUser {
		sum := sha256.Sum256([]byte(r.User.String()))
		return jsonw.String(dst, "safety_identifier", hex.EncodeToString(sum[:]))
	}
	return jsonw.Text(dst, "safety_identifier", r.User)
}
