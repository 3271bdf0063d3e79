package openaiwire

import (
	"portico/internal/fault"
	"portico/internal/jsonedit"
)

// A row says how a class of faults is told to a client of OpenAI's protocols.
type row struct {
	status int
	kind   string // error.type
	code   string // error.code
	own    bool   // the fault's own code, if it has one, is told instead
	say    string // the message of a fault that has none
}

const (
	invalid400 = "invalid_request_error"
	server500  = "server_error"
	tooMany429 = "rate_limit_error"
)

// table is spec upstreams §2.13 for every class. The upstream's refusal of an
// account is the gateway's trouble, never a 401 or 403, which a client would
// take for its own key. Codes are fixed where clients act on them: SDKs and
// agents wait on rate_limit_exceeded but give up on a vendor's
// insufficient_quota, although another account may serve the next request; only
// of the budget of the client's own key are they told that.
var table = [...]row{
	fault.Unknown: {502, server500, "upstream_error", true, "the upstream failed in a way that is not known"},

	fault.Unauthorized: {401, invalid400, "invalid_api_key", false, "the API key is missing or wrong"},
	fault.Forbidden:    {403, invalid400, "forbidden", true, "this request is not allowed"},
	fault.OverBudget:   {429, "insufficient_quota", "insufficient_quota", false, "the API key has spent its budget"},
	fault.NotFound:     {404, invalid400, "not_found", true, "there is nothing at this address"},
	fault.Method:       {405, invalid400, "method_not_allowed", true, "this address does not take this method"},
	fault.TooLarge:     {413, invalid400, "request_too_large", true, "the request is too large"},
	fault.Malformed:    {400, invalid400, "invalid_request", true, "the request could not be read"},
	fault.Unsupported:  {400, invalid400, "unsupported", true, "no account can take this request"},
	fault.NoAccount:    {404, invalid400, "model_not_found", true, "no account serves this model"},
	fault.Busy:         {503, server500, "overloaded", true, "no account could serve this request now"},
	fault.Internal:     {500, server500, "internal_error", true, "the gateway failed"},

	fault.BadRequest:      {400, invalid400, "invalid_request", true, "the upstream refused the request"},
	fault.ContextTooLong:  {400, invalid400, "context_length_exceeded", false, "the conversation does not fit the context of the model"},
	fault.ContentFiltered: {400, invalid400, "content_policy_violation", false, "the upstream's policy refused the content"},
	fault.SealMismatch:    {400, invalid400, "invalid_encrypted_content", true, "the upstream refused the encrypted reasoning of an earlier turn"},

	fault.CredentialInvalid: {502, server500, "upstream_auth", false, "the upstream rejected the account's credential"},
	fault.CredentialExpired: {502, server500, "upstream_auth", false, "the account's credential has expired"},
	fault.Permission:        {502, server500, "upstream_auth", false, "the upstream does not permit this to the account"},
	fault.RateLimited:       {429, tooMany429, "rate_limit_exceeded", false, "the upstream takes no more requests now"},
	fault.QuotaSpent:        {429, tooMany429, "rate_limit_exceeded", false, "the account's allowance is spent"},
	fault.PlanGate:          {502, server500, "upstream_auth", false, "the account's plan does not include this"},
	fault.ModelDenied:       {404, invalid400, "model_not_found", false, "the account does not have this model"},
	fault.ModelGone:         {404, invalid400, "model_not_found", false, "the vendor has retired this model"},
	fault.Overloaded:        {503, server500, "overloaded", false, "the upstream is overloaded"},
	fault.Broken:            {502, server500, "upstream_error", true, "the upstream failed"},
	fault.Timeout:           {504, server500, "timeout", false, "the upstream took too long"},
	fault.Network:           {502, server500, "upstream_unreachable", true, "the upstream could not be reached"},
	fault.Canceled:          {499, invalid400, "canceled", true, "the client closed the request"},
}

// A Told is a fault as a client is told it.
type Told struct {
	Status                     int
	Type, Param, Code, Message string
}

// Tell puts f in the words of OpenAI's protocols. param is what a context that
// is too long is blamed on if f does not say: the protocol's name for the
// conversation.
func Tell(f *fault.Fault, param string) Told {
	r := &table[0]
	if int(f.Class) < len(table) {
		r = &table[f.Class]
	}
	t := Told{Status: r.status, Type: r.kind, Param: f.Param, Code: r.code, Message: f.Msg}
	if r.own && f.Code != "" {
		t.Code = f.Code
	}
	if t.Message == "" {
		t.Message = r.say
	}
	switch f.Class {
	case fault.BadRequest:
		if f.Status >= 400 && f.Status < 500 && f.Status != 401 {
			t.Status = f.Status
		}
	case fault.ContextTooLong:
		if t.Param == "" {
			t.Param = param
		}
	}
	return t
}

// AppendError appends {"error":{…}} to dst. An empty param is null.
func (t Told) AppendError(dst []byte) []byte {
	dst = append(dst, `{"error":{"message":`...)
	dst = jsonedit.Quote(dst, t.Message)
	dst = append(dst, `,"type":`...)
	dst = jsonedit.Quote(dst, t.Type)
	dst = append(dst, `,"param":`...)
	if t.Param == "" {
		dst = append(dst, "null"...)
	} else {
		dst = jsonedit.Quote(dst, t.Param)
	}
	dst = append(dst, `,"code":`...)
	dst = jsonedit.Quote(dst, t.Code)
	return append(dst, "}}"...)
}
