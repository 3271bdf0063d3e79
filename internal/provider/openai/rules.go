package openai

import (
	"time"

	"portico/internal/fault"
)

// Rules say what OpenAI's errors mean, which most vendors who copied its
// protocols copied too. Spec: upstreams §4.2. Each row is decided by a sample
// in rules_test.go.
//
// A row without a status also holds for an error in the middle of a stream,
// where the status is 200. What its status tells alone is in fault.ByStatus.
var Rules = fault.Rules{
	// Too long. OpenAI's limit of tokens a minute belongs here: a request
	// that is larger than the whole allowance of a minute never passes by
	// waiting, whether it comes as 429 or, at Groq, as 413.
	{Code: "context_length_exceeded", Class: fault.ContextTooLong, Scope: fault.Request},
	{Code: "string_above_max_length", Class: fault.ContextTooLong, Scope: fault.Request},
	{Says: "maximum context length", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 400, Says: "context window", Class: fault.ContextTooLong, Scope: fault.Request},
	{Says: "Request too large for", Class: fault.ContextTooLong, Scope: fault.Request},

	// Refused content. The last is Azure's inner error.
	{Code: "content_policy_violation", Class: fault.ContentFiltered, Scope: fault.Request},
	{Code: "content_filter", Class: fault.ContentFiltered, Scope: fault.Request},
	{Code: "invalid_prompt", Class: fault.ContentFiltered, Scope: fault.Request},
	{Code: "moderation_blocked", Class: fault.ContentFiltered, Scope: fault.Request},
	{Code: "bio_policy", Class: fault.ContentFiltered, Scope: fault.Request},
	{Code: "misalignment_policy_violation", Class: fault.ContentFiltered, Scope: fault.Request},
	{Says: "ResponsibleAIPolicyViolation", Class: fault.ContentFiltered, Scope: fault.Request},

	// Reasoning of another account, or torn from its context.
	{Code: "invalid_encrypted_content", Class: fault.SealMismatch, Scope: fault.Request},
	{Says: "Items are not persisted when", Class: fault.SealMismatch, Scope: fault.Request},
	{Says: "was provided without its required following item", Class: fault.SealMismatch, Scope: fault.Request},

	// Money and allowance. One of a day comes with the code of one of a
	// minute; both are kept for each model.
	{Type: "insufficient_quota", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "insufficient_quota", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "credit_balance_exhausted", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "organization_spend_limit_exceeded", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "project_spend_limit_exceeded", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "organization_usage_limit_exceeded", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "usage_limit_exceeded", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "billing_not_active", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "billing_hard_limit_reached", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 403, Says: "Out of call volume quota", Class: fault.QuotaSpent, Scope: fault.Account}, // Azure
	{Status: 429, Says: "per day", Class: fault.QuotaSpent, Scope: fault.Model},

	// Too fast, or the vendor is short of capacity.
	{Code: "slow_down", Class: fault.Overloaded, Scope: fault.Model, After: 15 * time.Second},
	{Code: "server_is_overloaded", Class: fault.Overloaded, Scope: fault.Model},
	{Type: "service_unavailable_error", Class: fault.Overloaded, Scope: fault.Model},
	{Code: "flex_unavailable", Class: fault.Overloaded, Scope: fault.Model},
	{Code: "rate_limit_exceeded", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 429, Over: 15 * time.Minute, Class: fault.QuotaSpent, Scope: fault.Model},

	// What the account may not do. A key that was given few scopes is well
	// otherwise. Azure and OpenAI tell some of it as a 401.
	{Code: "token_expired", Class: fault.CredentialExpired, Scope: fault.Account},
	{Code: "PermissionDenied", Class: fault.Permission, Scope: fault.Account},
	{Status: 401, Says: "IP not authorized", Class: fault.Permission, Scope: fault.Account},
	{Status: 403, Says: "not allowed to sample from this model", Class: fault.Permission, Scope: fault.Model},
	{Says: "Missing scopes", Class: fault.Permission, Scope: fault.Request},
	{Says: "organization must be verified", Class: fault.Permission, Scope: fault.Model},

	// Models. Not every 404 is about one: an id of a file or of a response
	// that is not there says nothing about the account.
	{Code: "model_not_found", Says: "has been deprecated", Class: fault.ModelGone, Scope: fault.Model},
	{Code: "model_not_found", Class: fault.ModelDenied, Scope: fault.Model, After: time.Hour},
	{Code: "DeploymentNotFound", Class: fault.ModelDenied, Scope: fault.Model, After: time.Hour},
	{Status: 404, Says: "supported in the v1/", Class: fault.BadRequest, Scope: fault.Request},
	{Status: 404, Says: "only supported in v1/", Class: fault.BadRequest, Scope: fault.Request},
	{Status: 404, Says: "model", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 404, Class: fault.BadRequest, Scope: fault.Request},

	// In a stream.
	{Status: 200, Code: "server_error", Class: fault.Broken, Scope: fault.Endpoint},
	{Status: 200, Type: "server_error", Class: fault.Broken, Scope: fault.Endpoint},
	{Status: 200, Type: "invalid_request_error", Class: fault.BadRequest, Scope: fault.Request},
}
