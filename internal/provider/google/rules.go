package google

import (
	"time"

	"portico/internal/fault"
)

// rules say what Google's errors mean, at the Gemini API and at those of its
// services that share its codes. Spec: upstreams §4.4. Each row is decided by
// a sample in testdata/errors.txt.
//
// A code is the reason of a google.rpc.ErrorInfo, a type the status of the
// error. What a status tells alone is in fault.ByStatus.
var rules = fault.Rules{
	// Keys. A bad one is a 400, not a 401.
	{Code: "API_KEY_INVALID", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Code: "ACCESS_TOKEN_EXPIRED", Class: fault.CredentialExpired, Scope: fault.Account},
	{Code: "CONSUMER_SUSPENDED", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Status: 403, Says: "reported as leaked", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Status: 403, Says: "has been suspended", Class: fault.CredentialInvalid, Scope: fault.Account},

	// The request.
	{Status: 400, Says: "exceeds the maximum number of tokens", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 400, Says: "model only supports up to", Class: fault.ContextTooLong, Scope: fault.Request}, // Vertex
	{Status: 400, Says: "thought_signature", Class: fault.SealMismatch, Scope: fault.Request},
	{Status: 400, Says: "thought signature", Class: fault.SealMismatch, Scope: fault.Request},
	{Status: 400, Says: "not in an ACTIVE state", Class: fault.BadRequest, Scope: fault.Request},

	// Several candidates, which not every model gives, whatever its protocol
	// says; nobody lists which do. The words are those of different years, and
	// of Vertex AI.
	{Status: 400, Says: "Multiple candidates is not enabled", Class: fault.BadRequest, Scope: fault.Request, Param: "candidateCount"},
	{Status: 400, Says: "Only one candidate can be specified", Class: fault.BadRequest, Scope: fault.Request, Param: "candidateCount"},
	{Status: 400, Says: "candidateCount", Class: fault.BadRequest, Scope: fault.Request, Param: "candidateCount"},

	// The place that the request comes from, or the account's billing.
	{Status: 400, Type: "FAILED_PRECONDITION", Class: fault.Permission, Scope: fault.Account},

	// The vendor is short of capacity, which it tells as a 429 too. One
	// without any detail is Vertex' quota that all customers share.
	{Code: "MODEL_CAPACITY_EXHAUSTED", Class: fault.Overloaded, Scope: fault.Model},
	{Code: "MODEL_CAPACITY_EXCEEDED", Class: fault.Overloaded, Scope: fault.Model},
	{Says: "No capacity available for model", Class: fault.Overloaded, Scope: fault.Model},
	{Status: 429, Says: "Resource exhausted. Please try again later", Class: fault.Overloaded, Scope: fault.Model},

	// What is spent until a day is over, or a longer window. Quotas are kept
	// for each model. With that of a day Google sends the seconds of the
	// minute's.
	{Code: "INSUFFICIENT_G1_CREDITS_BALANCE", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 429, Says: "credits are depleted", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "QUOTA_EXHAUSTED", Class: fault.QuotaSpent, Scope: fault.Model},
	{Status: 429, Says: "limit: 0,", Class: fault.PlanGate, Scope: fault.Model, After: 24 * time.Hour, Unheeded: true},
	{Status: 429, Says: "limit: 0\n", Class: fault.PlanGate, Scope: fault.Model, After: 24 * time.Hour, Unheeded: true},
	{Status: 429, Says: "PerDay", Class: fault.QuotaSpent, Scope: fault.Model, Unheeded: true},
	{Status: 429, Says: "per day", Class: fault.QuotaSpent, Scope: fault.Model, Unheeded: true},
	{Status: 429, Says: "Individual quota reached", Class: fault.QuotaSpent, Scope: fault.Model},
	{Status: 429, Over: 5 * time.Minute, Class: fault.QuotaSpent, Scope: fault.Model},
	{Status: 429, Says: "PerMinute", Class: fault.RateLimited, Scope: fault.Model, After: time.Minute},
	{Code: "RATE_LIMIT_EXCEEDED", Silent: true, Class: fault.QuotaSpent, Scope: fault.Model},

	// Not every 404 is about a model.
	{Status: 404, Says: "has been deprecated", Class: fault.ModelGone, Scope: fault.Model},
	{Status: 404, Says: "model", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 404, Class: fault.BadRequest, Scope: fault.Request},
}
