package compat

import (
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/protocol/openaichat"
	"portico/internal/provider/providertest"
)

// TestCandidates: a refusal of several candidates says what it is about, so that
// they can be asked for one by one.
func TestCandidates(t *testing.T) {
	for _, s := range []fault.Sign{
		{Status: 400, Message: "Multiple candidates is not enabled for this model"},
		{Status: 500, Message: "Only one completion choice is allowed"},
		{Status: 400, Message: "'n' must be 1", Param: "n"},
	} {
		if f := rules.Judge(s, time.Now()); f.Class != fault.BadRequest || f.Param != "n" {
			t.Errorf("%+v: %v blames %q", s, f.Class, f.Param)
		}
	}
}

func TestRules(t *testing.T) {
	providertest.Judge(t, rules, len(vendors), "testdata/errors.txt", openaichat.New().DecodeError)
}
