package compat

import (
	"slices"
	"time"

	"portico/internal/fault"
	native "portico/internal/provider/anthropic"
	"portico/internal/provider/openai"
)

// rules are those of the vendors, then those of the protocols that they copied.
// Each row is decided by a sample in testdata/errors.txt.
var rules = slices.Concat(vendors, openai.Rules, native.Shared)

// vendors say what is special to one vendor. Spec: upstreams §4.2, "vendor
// extras". A provider has one set of rules for all its vendors, so a row must
// not be right for one and wrong for another: numbers are tied to a status or
// a type that no other vendor of that number uses, phrases are long enough.
var vendors = slices.Concat(fault.Rules{
	// OpenRouter. A request for which the credit does not last may pass with
	// fewer tokens; it says nothing about the next one.
	{Status: 402, Says: "fewer max_tokens", Class: fault.QuotaSpent, Scope: fault.Request},
	{Status: 402, Says: "tokens limit exceeded: ", Class: fault.QuotaSpent, Scope: fault.Request},
	{Status: 403, Says: "Key limit exceeded", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 400, Says: "is not a valid model ID", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 403, Says: "requires moderation", Class: fault.ContentFiltered, Scope: fault.Request},
	{Status: 404, Says: "No endpoints found that", Class: fault.BadRequest, Scope: fault.Request},
	{Status: 404, Says: "data policy", Class: fault.Permission, Scope: fault.Model},
	{Status: 404, Says: "No endpoints found", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 429, Says: "free-models-per-day", Class: fault.QuotaSpent, Scope: fault.Model},
	{Says: "provider_overloaded", Class: fault.Overloaded, Scope: fault.Model},
	{Says: "provider_unavailable", Class: fault.Overloaded, Scope: fault.Model},

	// DeepSeek, Z.ai, Moonshot and MiniMax say the same of an empty purse,
	// under every status from 200 to 500.
	{Says: "insufficient balance", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 400, Says: "supported API model names", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 400, Says: "Model Not Exist", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 400, Says: "Content Exists Risk", Class: fault.ContentFiltered, Scope: fault.Request},

	// Several candidates: Google's copy of OpenAI's protocol, llama.cpp.
	{Status: 400, Says: "Multiple candidates is not enabled", Class: fault.BadRequest, Scope: fault.Request, Param: "n"},
	{Says: "Only one completion choice is allowed", Class: fault.BadRequest, Scope: fault.Request, Param: "n"},

	// Cohere, and Groq, whose 498 means something else
	{Status: 498, Says: "blocked ", Class: fault.ContentFiltered, Scope: fault.Request},
	{Says: "API calls / month", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 400, Says: "too many tokens: ", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 404, Says: "' was removed on ", Class: fault.ModelGone, Scope: fault.Model},
	{Status: 498, Class: fault.Overloaded, Scope: fault.Model},
	{Code: "organization_restricted", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Code: "model_decommissioned", Class: fault.ModelGone, Scope: fault.Model},
	{Code: "model_permission_blocked_org", Class: fault.Permission, Scope: fault.Model},
	{Code: "model_permission_blocked_project", Class: fault.Permission, Scope: fault.Model},
	{Code: "blocked_api_access", Class: fault.QuotaSpent, Scope: fault.Account},

	// Cerebras
	{Code: "queue_exceeded", Class: fault.Overloaded, Scope: fault.Model},

	// Mistral
	{Says: "Service tier capacity exceeded", Class: fault.Overloaded, Scope: fault.Model},
	{Type: "invalid_model", Class: fault.ModelDenied, Scope: fault.Model},

	// xAI
	{Says: "used all available credits", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 403, Says: "doesn't have any credits", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 403, Says: "run out of credits", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 400, Says: "Incorrect API key", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Status: 400, Says: "maximum prompt length", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 400, Says: "Model not found: ", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 403, Says: "violates usage guidelines", Class: fault.ContentFiltered, Scope: fault.Request},

	// Moonshot
	{Type: "exceeded_current_quota_error", Class: fault.QuotaSpent, Scope: fault.Account},
	{Type: "engine_overloaded_error", Class: fault.Overloaded, Scope: fault.Model},
	{Type: "content_filter", Class: fault.ContentFiltered, Scope: fault.Request},
	{Status: 400, Says: "exceeded model token limit", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 429, Says: "TPD rate limit", Class: fault.QuotaSpent, Scope: fault.Model},

	// MiniMax. Its own numbers come in a 200 (base_resp); in Anthropic's
	// protocol they stand in brackets behind the message.
	{Says: "usage limit exceeded", Class: fault.QuotaSpent, Scope: fault.Account},
	{Says: "plan not support model", Class: fault.PlanGate, Scope: fault.Model},
	{Status: 200, Code: "1002", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 200, Code: "1004", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Status: 200, Code: "1026", Class: fault.ContentFiltered, Scope: fault.Request},
	{Status: 200, Code: "1027", Class: fault.ContentFiltered, Scope: fault.Request},
	{Status: 200, Code: "1039", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 200, Code: "1041", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 200, Code: "2045", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 200, Code: "2013", Class: fault.BadRequest, Scope: fault.Request},
	{Status: 200, Code: "2049", Class: fault.CredentialInvalid, Scope: fault.Account},

	// DashScope calls a limit of a minute by OpenAI's name for an empty
	// purse; only the address of the explanation tells.
	{Status: 429, Says: "error-code#token-limit", Class: fault.RateLimited, Scope: fault.Model, After: time.Minute},
	{Code: "Arrearage", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "AllocationQuota.FreeTierOnly", Class: fault.QuotaSpent, Scope: fault.Model},
	{Code: "data_inspection_failed", Class: fault.ContentFiltered, Scope: fault.Request},
	{Code: "Model.AccessDenied", Class: fault.ModelDenied, Scope: fault.Model},
	{Code: "AccessDenied.Unpurchased", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 400, Says: "Range of input length should be", Class: fault.ContextTooLong, Scope: fault.Request},

	// SiliconFlow
	{Says: "account balance is insufficient", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 400, Says: "Model does not exist. Please check it carefully", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 403, Says: "Model disabled", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 400, Says: "must be less than max_seq_len", Class: fault.ContextTooLong, Scope: fault.Request},

	// Novita and DeepInfra
	{Status: 403, Says: "not enough balance", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 429, Says: "Model busy", Class: fault.Overloaded, Scope: fault.Model},

	// Volcengine
	{Code: "AccountOverdueError", Class: fault.QuotaSpent, Scope: fault.Account},
	{Code: "SetLimitExceeded", Class: fault.QuotaSpent, Scope: fault.Model},
	{Code: "ServerOverloaded", Class: fault.Overloaded, Scope: fault.Model},
	{Status: 400, Says: "may contain sensitive information", Class: fault.ContentFiltered, Scope: fault.Request},

	// GitHub Models and Hugging Face
	{Code: "tokens_limit_reached", Class: fault.ContextTooLong, Scope: fault.Request},
	{Code: "unknown_model", Class: fault.ModelDenied, Scope: fault.Model},
	{Code: "model_not_supported", Class: fault.ModelDenied, Scope: fault.Model},

	// LiteLLM. A key has a list of models and budgets, for each model too.
	{Type: "budget_exceeded", Says: "budget for model", Class: fault.QuotaSpent, Scope: fault.Model},
	{Type: "budget_exceeded", Class: fault.QuotaSpent, Scope: fault.Account},
	{Type: "key_model_access_denied", Class: fault.ModelDenied, Scope: fault.Model},
	{Type: "team_model_access_denied", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 400, Says: "Invalid model name passed in", Class: fault.ModelDenied, Scope: fault.Model},
	{Says: "ContextWindowExceededError", Class: fault.ContextTooLong, Scope: fault.Request},
	{Says: "ContentPolicyViolationError", Class: fault.ContentFiltered, Scope: fault.Request},

	// vLLM and SGLang
	{Status: 400, Says: "longer than the maximum model length", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 400, Says: "context length is only", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 400, Says: "longer than the model's context length", Class: fault.ContextTooLong, Scope: fault.Request},

	// Servers of Hugging Face
	{Says: "`inputs` must have less than", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 429, Says: "Model is overloaded", Class: fault.Overloaded, Scope: fault.Model},

	// Cloudflare
	{Status: 429, Says: "daily free allocation", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 429, Says: "Capacity temporarily exceeded", Class: fault.Overloaded, Scope: fault.Model},

	// NVIDIA
	{Status: 403, Says: "Authorization failed", Class: fault.CredentialInvalid, Scope: fault.Account},
	{Status: 404, Says: "Not found for account", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 400, Says: "DEGRADED function", Class: fault.Overloaded, Scope: fault.Model, After: time.Minute},

	// Fireworks
	{Status: 412, Says: "suspended", Class: fault.QuotaSpent, Scope: fault.Account},

	// Together
	{Says: "tokens + `max_new_tokens` must be", Class: fault.ContextTooLong, Scope: fault.Request},
	{Says: "Unable to access non-serverless model", Class: fault.ModelDenied, Scope: fault.Model},

	// Perplexity
	{Type: "too_many_prompt_tokens", Class: fault.ContextTooLong, Scope: fault.Request},

	// Ollama
	{Says: "exceeded max context length", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 500, Says: "requires more system memory", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 500, Says: "unable to load model", Class: fault.ModelDenied, Scope: fault.Model},
	{Says: "usage limit, upgrade for", Class: fault.QuotaSpent, Scope: fault.Account},
	{Status: 403, Says: "requires a subscription", Class: fault.PlanGate, Scope: fault.Model},

	// llama.cpp answers what it does not understand with a 500.
	{Type: "exceed_context_size_error", Class: fault.ContextTooLong, Scope: fault.Request},
	{Says: "exceeds the available context size", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 500, Says: "requires --jinja", Class: fault.BadRequest, Scope: fault.Request},
	{Status: 500, Says: "image input is not supported", Class: fault.BadRequest, Scope: fault.Request},
	{Status: 500, Says: "cannot make GET request", Class: fault.BadRequest, Scope: fault.Request},

	// LM Studio
	{Says: "context the overflows", Class: fault.ContextTooLong, Scope: fault.Request},
	{Status: 400, Says: "greater than the context length", Class: fault.ContextTooLong, Scope: fault.Request},
	{Says: "No models loaded", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 400, Says: "Failed to load model", Class: fault.ModelDenied, Scope: fault.Model},
	{Status: 400, Says: "The model has crashed", Class: fault.Broken, Scope: fault.Model},
},
	// Z.ai's numbers; https://docs.z.ai/api-reference/api-code.
	zai(fault.CredentialInvalid, fault.Account, "1112", "1121"),
	zai(fault.ModelDenied, fault.Model, "1211"),
	zai(fault.ContextTooLong, fault.Request, "1261"),
	zai(fault.ContentFiltered, fault.Request, "1301"),
	zai(fault.QuotaSpent, fault.Account, "1113", "1304", "1308", "1310", "1316"),
	zai(fault.Overloaded, fault.Model, "1305", "1312"),
	zai(fault.PlanGate, fault.Account, "1309", "1314", "1315"),
	zai(fault.PlanGate, fault.Model, "1311"),
)

// zai returns the rules for some numbers of Z.ai's. In OpenAI's protocol a
// number is the code of an error, in Anthropic's it is its type.
func zai(class fault.Class, scope fault.Scope, numbers ...string) (rs fault.Rules) {
	for _, n := range numbers {
		rs = append(rs, fault.Rule{Code: n, Class: class, Scope: scope}, fault.Rule{Type: n, Class: class, Scope: scope})
	}
	return rs
}
