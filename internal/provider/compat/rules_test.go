package compat

import (
	"testing"

	"portico/internal/protocol/openaichat"
	"portico/internal/provider/providertest"
)

func TestRules(t *testing.T) {
	providertest.Judge(t, rules, len(vendors), "testdata/errors.txt", openaichat.New().DecodeError)
}
