package bedrock

import (
	"time"

	"portico/internal/fault"
)

// rules say what Bedrock's errors mean. Spec: upstreams §4.5. Each row is
// decided by a sample in testdata/errors.txt. In a stream the codes begin with
// a small letter, which the rules do not look at.
var rules = fault.Rules{
	// What the models themselves say of a request comes as a
	// ValidationException.
	{Code: "ValidationException", Says: "Input is too long", Class: fault.ContextTooLong, Scope: fault.Request},
	{Code: "ValidationException", Says: "prompt is too long", Class: fault.ContextTooLong, Scope: fault.Request},
	{Code: "ValidationException", Says: "too many input tokens", Class: fault.ContextTooLong, Scope: fault.Request},
	{Code: "ValidationException", Says: "exceed context limit", Class: fault.ContextTooLong, Scope: fault.Request},
	{Code: "ValidationException", Says: "Invalid `signature`", Class: fault.SealMismatch, Scope: fault.Request},
	{Code: "ValidationException", Says: "blocks in the latest assistant message cannot be modified", Class: fault.SealMismatch, Scope: fault.Request},
	{Code: "ValidationException", Says: "with on-demand throughput", Class: fault.ModelDenied, Scope: fault.Model, After: time.Hour},
	{Code: "ValidationException", Says: "model identifier is invalid", Class: fault.ModelDenied, Scope: fault.Model, After: time.Hour},
	{Code: "ValidationException", Says: "Operation not allowed", Class: fault.Permission, Scope: fault.Model},
	{Code: "ValidationException", Class: fault.BadRequest, Scope: fault.Request},

	// Who asks. A clock that is wrong makes every signature look expired.
	{Says: "Signature expired", Class: fault.CredentialExpired, Scope: fault.Account},
	{Says: "Signature not yet current", Class: fault.CredentialExpired, Scope: fault.Account},
	{Code: "ExpiredTokenException", Class: fault.CredentialExpired, Scope: fault.Account},
	{Code: "ExpiredToken", Class: fault.CredentialExpired, Scope: fault.Account},
	{Code: "RequestExpired", Class: fault.CredentialExpired, Scope: fault.Account},
	{Says: "security token included in the request is expired", Class: fault.CredentialExpired, Scope: fault.Account},
	{Says: "Bearer Token has expired", Class: fault.CredentialExpired, Scope: fault.Account},
	{Code: "UnrecognizedClientException", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Code: "InvalidClientTokenId", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Code: "InvalidSignatureException", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Code: "IncompleteSignature", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Code: "IncompleteSignatureException", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Code: "MissingAuthenticationTokenException", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Says: "make sure your API Key is valid", Class: fault.CredentialInvalid, Scope: fault.Account},

	// What the account may do. Models are permitted one by one.
	{Code: "AccessDeniedException", Says: "access to the model", Class: fault.Permission, Scope: fault.Model},
	{Code: "AccessDeniedException", Says: "not authorized to perform: bedrock:", Class: fault.Permission, Scope: fault.Model},
	{Code: "AccessDeniedException", Says: "Marketplace", Class: fault.Permission, Scope: fault.Model},
	{Code: "AccessDeniedException", Class: fault.Permission, Scope: fault.Account},
	{Code: "MPAgreementBeingCreated", Class: fault.Permission, Scope: fault.Model, After: 2 * time.Minute},
	{Code: "FTUFormNotFilled", Class: fault.Permission, Scope: fault.Model},
	{Code: "ResourceNotFoundException", Says: "use case details have not been submitted", Class: fault.Permission, Scope: fault.Model},
	{Code: "ResourceNotFoundException", Says: "end of its life", Class: fault.ModelGone, Scope: fault.Model},
	{Code: "ResourceNotFoundException", Class: fault.ModelDenied, Scope: fault.Model, After: time.Hour},

	// Allowances. AWS names no wait.
	{Code: "ServiceQuotaExceededException", Class: fault.QuotaSpent, Scope: fault.Model},
	{Code: "ThrottlingException", Says: "per day", Class: fault.QuotaSpent, Scope: fault.Model},
	{Code: "ThrottlingException", Class: fault.RateLimited, Scope: fault.Model},

	// What is not well at AWS.
	{Code: "ModelNotReadyException", Class: fault.Overloaded, Scope: fault.Model},
	{Code: "ServiceUnavailableException", Class: fault.Overloaded, Scope: fault.Model},
	{Code: "ModelTimeoutException", Class: fault.Timeout, Scope: fault.Model},
	{Code: "ModelErrorException", Class: fault.Broken, Scope: fault.Model},
	{Code: "ModelStreamErrorException", Class: fault.Broken, Scope: fault.Model},
	{Code: "InternalServerException", Class: fault.Broken, Scope: fault.Endpoint},
	{Code: "InternalFailure", Class: fault.Broken, Scope: fault.Endpoint},
}
