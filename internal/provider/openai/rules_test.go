package openai

import (
	"testing"

	"portico/internal/protocol/openaichat"
	"portico/internal/provider/providertest"
)

func TestRules(t *testing.T) {
	providertest.Judge(t, Rules, len(Rules), "testdata/errors.txt", openaichat.New().DecodeError)
}
