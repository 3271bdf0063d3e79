// Package fault names what can go wrong between a client, the gateway and an
// upstream, and what each failure tells about whom.
//
// A [Fault] answers three questions, and the rest of the gateway asks no
// others: what happened ([Class]), whom it concerns ([Scope]), and how far the
// attempt had come ([Phase]). Strings that upstreams send are searched once, in
// a provider's [Rules]; everybody else switches on Class.
package fault

import (
	"fmt"
	"net/http"
	"time"
)

// A Class says what happened.
type Class uint8

// The classes. Those up to Unsupported are refusals that the gateway itself
// gives; those from BadRequest to TooLargeUpstream blame the request and go
// back to the client as they came; the rest blame an account, a model or an
// endpoint, and another account may do better.
const (
	Unknown Class = iota // an upstream error that no rule knows

	Unauthorized // the client's own key is missing or wrong
	Forbidden    // the client, or its key, may not do this
	OverBudget   // the client's key has spent what it was given
	NotFound     // the gateway has no such path or object
	Method       // the path does not take this method
	TooLarge     // the body is over the gateway's limit
	Malformed    // the body or the request is not readable at all
	Unsupported  // no account can take this operation in any way the gateway knows
	NoAccount    // no account is configured for this model
	Busy         // the gateway sheds load or is shutting down
	Internal     // a defect of the gateway

	BadRequest      // the upstream refused the request itself; no account would serve it
	ContextTooLong  // the conversation does not fit the model
	ContentFiltered // the upstream's policy refused the content
	SealMismatch    // a signature or encrypted reasoning was refused

	CredentialInvalid // the account was rejected; waiting does not help
	CredentialExpired // the access token is stale; a refresh may help
	Permission        // the account may not do this (project, region, validation)
	RateLimited       // too fast; soon possible again
	QuotaSpent        // the account is out of money or allowance until it resets
	PlanGate          // the account's plan does not include this
	ModelDenied       // this account does not have this model
	ModelGone         // the vendor retired the model
	Overloaded        // the vendor is short of capacity
	Broken            // the vendor failed, or its answer is no answer
	Timeout           // the upstream was too slow
	Network           // no answer came at all
	Canceled          // the client went away

	classes // how many there are
)

var classNames = [classes]string{
	"unknown",
	"unauthorized", "forbidden", "over_budget", "not_found", "method", "too_large", "malformed", "unsupported", "no_account", "busy", "internal",
	"bad_request", "context_too_long", "content_filtered", "seal_mismatch",
	"credential_invalid", "credential_expired", "permission", "rate_limited", "quota_spent", "plan_gate", "model_denied", "model_gone",
	"overloaded", "broken", "timeout", "network", "canceled",
}

// String is the class as the ledger, the metrics and the API spell it.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "unknown"
}

// ParseClass is the inverse of String; an unknown name gives Unknown.
func ParseClass(s string) Class {
	for i, n := range classNames {
		if n == s {
			return Class(i)
		}
	}
	return Unknown
}

// A Scope says whom the failure concerns, hence what to avoid next.
type Scope uint8

// The scopes, from narrow to wide.
const (
	Request  Scope = iota // nobody but this request
	Model                 // this model on this account
	Account               // the whole account
	Endpoint              // every account behind this endpoint
)

var scopeNames = [...]string{"request", "model", "account", "endpoint"}

// String is the scope as the ledger spells it.
func (s Scope) String() string { return scopeNames[min(int(s), len(scopeNames)-1)] }

// A Phase says how far the attempt had come.
type Phase uint8

// The phases, in order.
const (
	Dialing   Phase = iota // nothing was sent: always safe to try again
	Sent                   // the request was sent, nothing came back
	Answered               // an answer came back and was an error
	Streaming              // the answer had begun
)

var phaseNames = [...]string{"dialing", "sent", "answered", "streaming"}

// String is the phase as the ledger spells it.
func (p Phase) String() string { return phaseNames[min(int(p), len(phaseNames)-1)] }

// A Limit says of what kind the limit is that a RateLimited fault ran into.
type Limit uint8

// The kinds of limits.
const (
	OfRequests Limit = iota // in a time, or of a kind that nobody told
	OfTokens                // in a time
	AtOnce                  // requests at one time
)

// A Fault is a failed attempt, or a refusal.
type Fault struct {
	Class  Class
	Scope  Scope
	Phase  Phase
	Status int           // the upstream's HTTP status, or 0
	Code   string        // the vendor's own code or type, or the gateway's
	Param  string        // the parameter the vendor blames, or ""
	Limit  Limit         // of RateLimited
	After  time.Duration // how long the vendor asks to wait; 0: it did not say
	Msg    string        // what happened, for a human, without secrets
	Link   string        // where the vendor says the user can mend it, or ""
	Err    error         // the cause, or nil
}

// New returns a fault of class c that the gateway itself raises.
func New(c Class, format string, args ...any) *Fault {
	return &Fault{Class: c, Msg: fmt.Sprintf(format, args...)}
}

func (f *Fault) Error() string {
	s := f.Class.String()
	if f.Status != 0 {
		s += fmt.Sprintf(" (HTTP %d)", f.Status)
	}
	if f.Msg != "" {
		s += ": " + f.Msg
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// A Sign is what an upstream showed: the facts a [Rule] reads. A codec fills
// Type, Code, Param, Reason, Message and After from the body, the relay adds
// the rest.
type Sign struct {
	Status  int
	Header  http.Header
	Type    string
	Code    string // error.code, details.error_code or google.rpc.ErrorInfo.reason
	Param   string
	Message string        // as sent; rules match without regard to case
	Details string        // further text worth matching (quota ids, metadata), or ""
	Link    string        // a help link in the body, or ""
	After   time.Duration // a delay named in the body (RetryInfo, "try again in"), or 0
	Phase   Phase
}
