package provider

import "time"

// A Tuner is a provider whose upstreams depart from the protocols that they
// speak.
type Tuner interface {
	// Quirks says how a's upstream departs from its protocols. The result is
	// shared and never nil; nobody changes it.
	Quirks(a *Account) *Quirks
}

// Quirks are the departures of one upstream. The zero Quirks are none.
type Quirks struct {
	// FirstByte is how long the upstream may be silent before it answers
	// without being out of order, if that is longer than usual: servers on the
	// own machine load a model on its first request.
	FirstByte time.Duration

	// Unlisted: it has no list of its models.
	Unlisted bool
	// OpenList: it shows its list to everybody, so that reading it proves
	// nothing about a key.
	OpenList bool
	// Trials are models that most of its accounts have, to ask for a token
	// where nobody names one.
	Trials []string

	// MaxTokens is the member of a chat request that bounds the answer, if it
	// is not max_completion_tokens.
	MaxTokens string
	// Lacks are members of a chat request that it refuses or passes over.
	Lacks []string
	// NoDeveloper: it takes no message of the role developer.
	NoDeveloper bool
	// Required is how tool_choice says that some tool must be called, if it
	// is not "required".
	Required string
	// CallID is how many letters and digits, and nothing else, the id of a
	// tool call must have; 0: anything goes.
	CallID int
	// InlineImages: it takes images as data only, not by their address.
	InlineImages bool

	// Forgetful: of OpenAI's Responses it keeps no answer, so that none can be
	// named later.
	Forgetful bool
	// Bare: it has requests for responses and nothing around them: no
	// conversations, no work in the background, no compaction.
	Bare bool

	// Reasoning is the member of a chat message that holds the model's
	// reasoning, "" if there is none.
	Reasoning string
	// Echo: the reasoning must be sent back within a loop of tool calls.
	Echo bool
	// Efforts are the values of reasoning_effort that it knows; nil: unknown.
	Efforts []string
}

// None are the quirks of an upstream that has none.
var None Quirks

// QuirksOf returns the quirks of a, an account of p.
func QuirksOf(p Provider, a *Account) *Quirks {
	if t, ok := p.(Tuner); ok {
		return t.Quirks(a)
	}
	return &None
}
