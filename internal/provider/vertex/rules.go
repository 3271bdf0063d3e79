package vertex

import (
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/provider/anthropic"
	"portico/internal/provider/google"
)

// own say what is special to Vertex AI; Google's and Anthropic's own rules
// follow. Each row is decided by a sample in testdata/errors.txt.
var own = fault.Rules{
	// Models that a project has not asked for, or that a place does not have.
	{Says: "is not allowed to use Publisher Model", Class: fault.ModelDenied, Scope: fault.Model},
	{Says: "not servable in region", Class: fault.ModelDenied, Scope: fault.Model},
	{Says: "Publisher Model", Status: 404, Class: fault.ModelDenied, Scope: fault.Model},

	// Quotas of a minute, by base model.
	{Status: 429, Says: "online_prediction", Class: fault.RateLimited, Scope: fault.Model, After: time.Minute},
}

var rules = slices.Concat(own, google.New().Rules(), anthropic.Shared)
