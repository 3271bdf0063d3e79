package openaiwire

import "portico/internal/protocol"

// Foreign reports whether a file that a client of protocol names is one that
// OpenAI cannot hold, since the client's own provider does.
func Foreign(client string) bool {
	return client == protocol.Anthropic || client == protocol.Gemini
}
