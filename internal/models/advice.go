package models

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"portico/internal/fault"
)

// failed completes r with what went wrong: what, by whom it was told, and what
// to do about it.
func (r Report) failed(err error, what string) Report {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok {
		f = &fault.Fault{Class: fault.Unknown, Msg: err.Error()}
	}
	r.Class, r.Vendor, r.Link = f.Class.String(), f.Msg, f.Link
	found := findings[f.Class]
	r.Says, r.Do = what, found.do
	if found.is != "" {
		r.Says += ": " + found.is
	}
	if f.Status != 0 {
		r.Says += fmt.Sprintf(" (HTTP %d)", f.Status)
	}
	if f.Msg != "" {
		r.Says += fmt.Sprintf(": %q", f.Msg)
	}
	if f.After > 0 {
		r.Do = join(r.Do, fmt.Sprintf("the vendor asks to wait %s", f.After))
	}
	if f.Link != "" {
		r.Do = join(r.Do, "see "+f.Link)
	}
	return r
}

func join(a, b string) string { return strings.TrimPrefix(a+"; "+b, "; ") }

// findings say for the classes in which an account can be found what that is,
// and what the operator can do.
var findings = map[fault.Class]struct{ is, do string }{
	fault.BadRequest:        {"the upstream refused the request itself; the account may be well", "write the exact name of a chat model into the account's models and test again"},
	fault.ContentFiltered:   {"the upstream's policy refused the request; the account may be well", "try it with a client"},
	fault.CredentialInvalid: {"the key was rejected", "check api_key: whether it is whole, still valid, and of this vendor and region"},
	fault.CredentialExpired: {"the credential has expired", "renew the credential"},
	fault.Permission:        {"the account may not do this", "look at the vendor's console for what the key, its project and this place may do"},
	fault.RateLimited:       {"the account is at a rate limit; the key is good", "wait, or set the account's limits"},
	fault.QuotaSpent:        {"the account has no credit or allowance left; the key is good", "add credit at the vendor's, or wait until the allowance is renewed"},
	fault.PlanGate:          {"the account's plan does not include this; the key is good", "change the plan, or leave these models out of the account's models"},
	fault.ModelDenied:       {"the account does not have this model", "write a model that the account has into its models"},
	fault.ModelGone:         {"the vendor has retired this model", "write a model that the account has into its models"},
	fault.Overloaded:        {"the upstream is short of capacity", "try again later"},
	fault.Broken:            {"the upstream failed, or is none of this kind", "check base_url and protocols, or try again later"},
	fault.Timeout:           {"the upstream was too slow", "check base_url and proxy, or try again later"},
	fault.Network:           {"the upstream could not be reached", "check base_url, proxy and the network"},
	fault.Canceled:          {"the test was cancelled", ""},
}

// escape is a model's name as one segment of a path; the slash in the name of
// a tuned model parts segments.
func escape(model string) string { return strings.ReplaceAll(url.PathEscape(model), "%2F", "/") }
