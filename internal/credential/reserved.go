package credential

import (
	"slices"
	"strings"
)

// A Reservation is a way to sign in that a vendor keeps for its own programs.
// Portico takes nothing that came of it.
type Reservation struct {
	Tool    string // whose logins they are
	Why     string // a sentence
	Instead string // what the vendor offers to others, a sentence
	Source  string // where the vendor says so
	// Clients are the OAuth clients of the tool, by the number of the project
	// that Google's ids begin with.
	Clients []string
}

// Refusal says why a login of the tool is not taken, and what is.
func (r *Reservation) Refusal() string { return r.Why + " " + r.Instead }

// The tools. Spec: upstreams §3.9.
const (
	ClaudeCode  = "Claude Code"
	Codex       = "Codex"
	GeminiCLI   = "Gemini CLI"
	Antigravity = "Antigravity"
)

// reservations are what vendors say themselves. The numbers of Google's clients
// stand in the sources of Gemini CLI (packages/core/src/code_assist/oauth2.ts)
// and in those of programs that borrow Antigravity's.
var reservations = []Reservation{
	{
		Tool: ClaudeCode, Source: "https://code.claude.com/docs/en/legal-and-compliance",
		Why:     "Anthropic keeps logins of Claude's plans (Free, Pro, Max, Team, Enterprise) for Claude Code and its own apps, and permits no other product to use them.",
		Instead: "Use an API key of the Claude Console, or Claude at Amazon Bedrock or Vertex AI.",
	}, {
		Tool: Codex, Source: "https://developers.openai.com/siwc/website",
		Why:     "OpenAI offers logins with a ChatGPT account to selected partners only, and Codex's own login is for Codex.",
		Instead: "Use an API key of OpenAI's platform.",
	}, {
		Tool: GeminiCLI, Source: "https://geminicli.com/docs/resources/faq", Clients: []string{"681255809395"},
		Why:     "Google calls it a violation of its terms if other software uses Gemini CLI's login, and may suspend the account.",
		Instead: "Use a key of AI Studio, Vertex AI, or a login with an OAuth client of your own.",
	}, {
		Tool: Antigravity, Source: "https://antigravity.google/terms", Clients: []string{"1071006060591"},
		Why:     "Google's terms of Antigravity forbid other software to use its login, and the account may be suspended.",
		Instead: "Use a key of AI Studio, Vertex AI, or a login with an OAuth client of your own.",
	},
}

// Reservations are all of them, in no order that means anything.
func Reservations() []Reservation { return slices.Clone(reservations) }

// Reserved is the reservation of a tool. It panics if there is none.
func Reserved(tool string) *Reservation {
	for i := range reservations {
		if reservations[i].Tool == tool {
			return &reservations[i]
		}
	}
	panic("credential: no reservation of " + tool)
}

// ownerOf is the reservation to which the OAuth client called id belongs, or nil.
func ownerOf(id string) *Reservation {
	project, _, _ := strings.Cut(id, "-")
	for i := range reservations {
		if slices.Contains(reservations[i].Clients, project) {
			return &reservations[i]
		}
	}
	return nil
}
