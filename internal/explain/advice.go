package explain

import (
	"strings"

	"portico/internal/fault"
	"portico/internal/journal"
)

// remedies say what to do about what the client was told; ACCOUNT stands for
// the account that was tried last.
var remedies = map[fault.Class]string{
	fault.Unauthorized:      "Give the client Portico's api_key (portico key show prints it), as Authorization: Bearer, x-api-key or x-goog-api-key.",
	fault.Forbidden:         "Look at what the client's key may do (portico key show NAME), and change it with portico key limit.",
	fault.OverBudget:        "Wait until the budget begins anew, or raise it (portico key limit NAME).",
	fault.NotFound:          "Check the client's base URL; the error names the path that was likely meant.",
	fault.Method:            "Check the client's base URL and its version.",
	fault.TooLarge:          "Shorten the request, or raise limits.body.",
	fault.Malformed:         "Look at the client: what it sent cannot be read.",
	fault.Unsupported:       "Add an account whose provider takes this kind of request.",
	fault.NoAccount:         "Add an account that serves this model (portico account add), or a route that leads its name to a model you have.",
	fault.Busy:              "Wait a moment and send it again.",
	fault.Internal:          "This is a defect of Portico; please report it with this id.",
	fault.BadRequest:        "Change the request: the message says what is not accepted.",
	fault.ContextTooLong:    "Shorten the conversation, or choose a model with a larger window.",
	fault.ContentFiltered:   "Change the content, or ask another vendor's model.",
	fault.SealMismatch:      "Begin a new conversation: the earlier reasoning was signed for another account or model.",
	fault.CredentialInvalid: "Give ACCOUNT a new key.",
	fault.CredentialExpired: "Sign ACCOUNT in again.",
	fault.Permission:        "Look at ACCOUNT at the vendor's: its project, region or verification does not permit this.",
	fault.RateLimited:       "Wait, slow the client down, or add another account.",
	fault.QuotaSpent:        "Wait until the allowance of ACCOUNT resets, top it up, or add another account.",
	fault.PlanGate:          "Choose a model that the plan of ACCOUNT includes, or change the plan.",
	fault.ModelDenied:       "Check the model's name, or ask the vendor for access to it.",
	fault.ModelGone:         "Lead this name to a newer model with a route.",
	fault.Overloaded:        "Send it again in a while; a second vendor in the route would have taken over.",
	fault.Broken:            "Send it again; if it stays so, test ACCOUNT (portico account test).",
	fault.Timeout:           "Send it again; if the model needs longer, raise timeouts.first_byte or timeouts.idle.",
	fault.Network:           "Check this machine's network and proxy, then test ACCOUNT (portico account test).",
	fault.Unknown:           "Look at the provider's message; if it should have been tried elsewhere, please report it with this id.",
}

// lasting are the classes of failed attempts that come back until a person
// acts, so they are worth a word even if another account served.
var lasting = [...]fault.Class{fault.CredentialInvalid, fault.CredentialExpired, fault.Permission, fault.QuotaSpent, fault.PlanGate, fault.ModelGone}

// advice says what to do, "" if nothing is wrong.
func advice(x *journal.Exchange) string {
	if x.Fault == "" {
		return neglected(x)
	}
	class := fault.ParseClass(x.Fault)
	switch {
	case class == fault.Canceled && x.Status == 499 && x.First == 0:
		return "If the client gave up by itself, raise its time limit."
	case class == fault.Canceled:
		return ""
	}
	return replace(remedies[class], x.Account)
}

// neglected is what to do about an account that failed on the way.
func neglected(x *journal.Exchange) string {
	for _, class := range lasting {
		for _, a := range x.Attempts {
			if a.Fault == class.String() {
				return replace(remedies[class], a.Account)
			}
		}
	}
	return ""
}

func replace(s, account string) string {
	return strings.ReplaceAll(s, "ACCOUNT", name(account, "the account"))
}
