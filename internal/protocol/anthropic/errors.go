package anthropic

import (
	"portico/internal/fault"
	"portico/internal/jsonedit"
)

// The error types of the protocol that the gateway tells (spec: upstreams
// §1C.9).
const (
	invalidRequest = "invalid_request_error"
	authentication = "authentication_error"
	permission     = "permission_error"
	notFound       = "not_found_error"
	conflict       = "conflict_error"
	tooLarge       = "request_too_large"
	rateLimit      = "rate_limit_error"
	apiError       = "api_error"
	timeout        = "timeout_error"
	overloaded     = "overloaded_error"
)

// A row says how a class of faults is told to a client of this protocol.
type row struct {
	status int
	kind   string // error.type
	own    bool   // the fault's own code, if it has one, is told in the details
	say    string // the message of a fault that has none
}

// table is spec upstreams §2.13 for every class. The upstream's refusal of an
// account is the gateway's trouble, never a 401 or 403, which a client would
// take for its own key and answer by asking its user to log in. For the same
// reason it is no billing_error, after which clients give up although another
// account may serve the next request.
var table = [...]row{
	fault.Unknown: {502, apiError, true, "the upstream failed in a way that is not known"},

	fault.Unauthorized: {401, authentication, true, "invalid x-api-key: the API key is missing or wrong"},
	fault.Forbidden:    {403, permission, true, "this request is not allowed"},
	fault.OverBudget:   {429, rateLimit, true, "the API key has spent its budget"},
	fault.NotFound:     {404, notFound, true, "there is nothing at this address"},
	fault.Method:       {405, invalidRequest, true, "this address does not take this method"},
	fault.TooLarge:     {413, tooLarge, true, "the request is too large"},
	fault.Malformed:    {400, invalidRequest, true, "the request could not be read"},
	fault.Unsupported:  {400, invalidRequest, true, "no account can take this request"},
	fault.NoAccount:    {404, notFound, true, "no account serves this model"},
	fault.Busy:         {529, overloaded, true, "no account could serve this request now"},
	fault.Internal:     {500, apiError, true, "the gateway failed"},

	fault.BadRequest:      {400, invalidRequest, true, "the upstream refused the request"},
	fault.ContextTooLong:  {400, invalidRequest, true, "prompt is too long for the context of the model"},
	fault.ContentFiltered: {400, invalidRequest, true, "the upstream's policy refused the content"},
	fault.SealMismatch:    {400, invalidRequest, true, "the upstream refused the signature of an earlier turn's thinking"},

	fault.CredentialInvalid: {502, apiError, false, "the upstream rejected the account's credential"},
	fault.CredentialExpired: {502, apiError, false, "the account's credential has expired"},
	fault.Permission:        {502, apiError, false, "the upstream does not permit this to the account"},
	fault.RateLimited:       {429, rateLimit, true, "the upstream takes no more requests now"},
	fault.QuotaSpent:        {429, rateLimit, false, "the account's allowance is spent"},
	fault.PlanGate:          {502, apiError, false, "the account's plan does not include this"},
	fault.ModelDenied:       {404, notFound, false, "the account does not have this model"},
	fault.ModelGone:         {404, notFound, false, "the vendor has retired this model"},
	fault.Overloaded:        {529, overloaded, true, "Overloaded"},
	fault.Broken:            {502, apiError, true, "the upstream failed"},
	fault.Timeout:           {504, timeout, true, "the upstream took too long"},
	fault.Network:           {502, apiError, true, "the upstream could not be reached"},
	fault.Canceled:          {499, apiError, true, "the client closed the request"},
}

// told is a fault as a client is told it.
type told struct {
	status              int
	kind, code, message string
}

// tell puts f in the words of this protocol. What an upstream of the protocol
// itself said about the request keeps its type and its message.
func tell(f *fault.Fault) told {
	r := &table[fault.Unknown]
	if int(f.Class) < len(table) {
		r = &table[f.Class]
	}
	t := told{status: r.status, kind: r.kind, message: f.Msg}
	if r.own {
		t.code = f.Code
	}
	if t.message == "" {
		t.message = r.say
	}
	switch f.Class {
	case fault.BadRequest:
		t.status, t.kind = refusal(f.Status)
	case fault.ContextTooLong:
		t.message = tooLong(t.message)
	}
	if ownType(f.Code) {
		t.code = ""
		if f.Class == fault.BadRequest && blamesRequest(f.Code) {
			t.kind = f.Code
		}
	}
	return t
}

// refusal is the status and type of a request that an upstream refused with
// status. A deterministic refusal stays one, but not in a status that clients
// take to be about their key or their bill, or try again after.
func refusal(status int) (int, string) {
	switch status {
	case 404:
		return status, notFound
	case 413:
		return status, tooLarge
	case 405, 406, 410, 411, 412, 414, 415, 416, 422, 424, 431:
		return status, invalidRequest
	}
	return 400, invalidRequest
}

// ownType reports whether code is an error type of this protocol, which is not
// repeated as a code.
func ownType(code string) bool {
	switch code {
	case authentication, permission, rateLimit, apiError, timeout, overloaded, "billing_error":
		return true
	}
	return blamesRequest(code)
}

// blamesRequest reports whether code is an error type that is about the
// request alone.
func blamesRequest(code string) bool {
	switch code {
	case invalidRequest, notFound, conflict, tooLarge:
		return true
	}
	return false
}

// append appends the error object to dst. id is the gateway's request id.
func (t told) append(dst []byte, id string) []byte {
	dst = append(dst, `{"type":"error","error":{"type":`...)
	dst = jsonedit.Quote(dst, t.kind)
	dst = append(dst, `,"message":`...)
	dst = jsonedit.Quote(dst, t.message)
	if t.code != "" {
		dst = append(dst, `,"details":{"error_code":`...)
		dst = append(jsonedit.Quote(dst, t.code), '}')
	}
	dst = append(dst, `},"request_id":`...)
	return append(jsonedit.Quote(dst, id), '}')
}
