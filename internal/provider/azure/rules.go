package azure

import (
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/provider/openai"
)

// own are the errors of Azure's that OpenAI does not have. Spec: upstreams
// §3.7, §4.2. Each row is decided by a sample in testdata/errors.txt.
var own = fault.Rules{
	// Who asks. Azure's gate tells the status in place of a code.
	{Code: "AuthenticationTypeDisabled", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Status: 401, Says: "Access token is missing, invalid, audience is incorrect", Class: fault.CredentialExpired, Scope: fault.Account},
	{Code: "PermissionDenied", Class: fault.Permission, Scope: fault.Account},

	// Where it is asked. That nothing is there concerns all deployments, but
	// nobody can tell a wrong version from a path that it does not have.
	{Says: "API version not supported", Class: fault.Permission, Scope: fault.Account},
	{Status: 404, Code: "404", Says: "Resource not found", Class: fault.ModelDenied, Scope: fault.Model},
	{Code: "unknown_model", Class: fault.ModelDenied, Scope: fault.Model, After: time.Hour},
	{Code: "OperationNotSupported", Class: fault.ModelDenied, Scope: fault.Model},

	// How much. The allowance is a deployment's.
	{Status: 429, Says: "exceeded token rate limit", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 429, Says: "exceeded call rate limit", Class: fault.RateLimited, Scope: fault.Model},
	{Code: "no_capacity", Class: fault.Overloaded, Scope: fault.Model},
	{Status: 424, Class: fault.Broken, Scope: fault.Model},
}

// rules say what Azure's errors mean.
var rules = slices.Concat(own, openai.Rules)
