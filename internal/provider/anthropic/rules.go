package anthropic

import (
	"slices"
	"time"

	"portico/internal/fault"
)

// rules say what the errors of Anthropic itself mean. Spec: upstreams §4.3.
// Each row is decided by a sample in testdata/errors.txt.
var rules = slices.Concat(fault.Rules{
	// A limit that is reached for long comes without a wait, or with one of
	// hours, and the type of one that passes in a minute.
	{Status: 429, Code: "enforced_spend_limit_reached", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 429, Code: "contract_spend_limit_reached", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 429, Says: "required for long context requests", Class: fault.PlanGate, Scope: fault.Request},
	{Status: 429, Says: "per minute", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 429, Says: "per-minute", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 429, Says: "concurrent connections", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 429, Says: "Rate limited", Class: fault.Overloaded, Scope: fault.Model}, // everybody, not this account
	{Status: 429, Over: 15 * time.Minute, Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 429, Silent: true, Class: fault.QuotaSpent, Scope: fault.Account},
}, Shared)

// Shared are the rules that hold wherever Anthropic's protocol is spoken.
//
// Rows that name a type hold for a stream, in which the status is 200; what a
// status tells alone is in fault.ByStatus.
var Shared = fault.Rules{
	{Says: "prompt is too long", Class: fault.ContextTooLong, Scope: fault.Request},
	{Says: "exceed context limit", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 400, Says: "content filtering policy", Class: fault.ContentFiltered, Scope: fault.Request},

	// Thoughts that were changed, or that another account signed.
	{Status: 400, Says: "Invalid `signature`", Class: fault.SealMismatch, Scope: fault.Request},
	{Status: 400, Says: "blocks in the latest assistant message cannot be modified", Class: fault.SealMismatch, Scope: fault.Request},

	// An account in trouble, as a 400 that blames the request by its type.
	{Status: 400, Says: "credit balance is too low", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 400, Says: "API usage limits", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 400, Says: "out of extra usage", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "organization_on_hold", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Status: 400, Says: "organization has been disabled", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Says: "OAuth token has been revoked", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Says: "OAuth token has expired", Class: fault.CredentialExpired, Scope: fault.Account},

	// The type of a defect, and the words of a lack of capacity.
	{Status: 500, Type: "api_error", Says: "Overloaded", Class: fault.Overloaded, Scope: fault.Model},

	// Not every 404 is about a model.
	{Status: 404, Code: "thread_not_found", Class: fault.BadRequest, Scope: fault.Request},
	{Status: 404, Says: "model", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 404, Type: "not_found_error", Class: fault.BadRequest, Scope: fault.Request},

	// In a stream.
	{Status: 200, Type: "overloaded_error", Class: fault.Overloaded, Scope: fault.Model},
	{Status: 200, Type: "rate_limit_error", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 200, Type: "api_error", Class: fault.Broken, Scope: fault.Endpoint},
	{Status: 200, Type: "timeout_error", Class: fault.Timeout, Scope: fault.Endpoint},
	{Status: 200, Type: "authentication_error", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Status: 200, Type: "permission_error", Class: fault.Permission, Scope: fault.Account},
	{Status: 200, Type: "billing_error", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 200, Type: "not_found_error", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 200, Type: "request_too_large", Class: fault.BadRequest, Scope: fault.Request},
	{Status: 200, Type: "invalid_request_error", Class: fault.BadRequest, Scope: fault.Request},
}
