// Package all lists the providers that an account may name.
package all

import (
	"portico/internal/provider"
	"portico/internal/provider/anthropic"
	"portico/internal/provider/azure"
	"portico/internal/provider/bedrock"
	"portico/internal/provider/compat"
	"portico/internal/provider/google"
	"portico/internal/provider/openai"
	"portico/internal/provider/simulator"
	"portico/internal/provider/vertex"
)

// New returns one of each provider, in the order in which people look for them.
// The simulator among them remembers what it answered, so a program has one
// list.
func New() []provider.Provider {
	list := []provider.Provider{openai.New(), anthropic.New(), google.New(), vertex.New(), bedrock.New(), azure.New()}
	list = append(list, compat.New()...)
	return append(list, simulator.New())
}
