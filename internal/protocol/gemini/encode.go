package gemini

import (
	"strconv"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
)

// A row says how a class of faults is told to a client of this protocol.
type row struct {
	http   int
	status string // of google.rpc.Code
	say    string // the message of a fault that has none
}

// table is spec upstreams §2.13 for every class. The upstream's refusal of an
// account is the gateway's trouble, never a 401 or 403, which a client would
// take for its own key.
var table = [...]row{
	fault.Unknown: {502, "UNKNOWN", "the upstream failed in a way that is not known"},

	fault.Unauthorized: {401, "UNAUTHENTICATED", "the API key is missing or wrong"},
	fault.Forbidden:    {403, "PERMISSION_DENIED", "this request is not allowed"},
	fault.OverBudget:   {429, "RESOURCE_EXHAUSTED", "the API key has spent its budget"},
	fault.NotFound:     {404, "NOT_FOUND", "there is nothing at this address"},
	fault.Method:       {405, "UNIMPLEMENTED", "this address does not take this method"},
	fault.TooLarge:     {413, "INVALID_ARGUMENT", "the request is too large"},
	fault.Malformed:    {400, "INVALID_ARGUMENT", "the request could not be read"},
	fault.Unsupported:  {400, "FAILED_PRECONDITION", "no account can take this request"},
	fault.NoAccount:    {404, "NOT_FOUND", "no account serves this model"},
	fault.Busy:         {503, "UNAVAILABLE", "no account could serve this request now"},
	fault.Internal:     {500, "INTERNAL", "the gateway failed"},

	fault.BadRequest:      {400, "INVALID_ARGUMENT", "the upstream refused the request"},
	fault.ContextTooLong:  {400, "INVALID_ARGUMENT", "the conversation does not fit the context of the model"},
	fault.ContentFiltered: {400, "INVALID_ARGUMENT", "the upstream's policy refused the content"},
	fault.SealMismatch:    {400, "INVALID_ARGUMENT", "the upstream refused the thought signature of an earlier turn"},

	fault.CredentialInvalid: {502, "INTERNAL", "the upstream rejected the account's credential"},
	fault.CredentialExpired: {502, "INTERNAL", "the account's credential has expired"},
	fault.Permission:        {502, "INTERNAL", "the upstream does not permit this to the account"},
	fault.RateLimited:       {429, "RESOURCE_EXHAUSTED", "the upstream takes no more requests now"},
	fault.QuotaSpent:        {429, "RESOURCE_EXHAUSTED", "the account's allowance is spent"},
	fault.PlanGate:          {502, "INTERNAL", "the account's plan does not include this"},
	fault.ModelDenied:       {404, "NOT_FOUND", "the account does not have this model"},
	fault.ModelGone:         {404, "NOT_FOUND", "the vendor has retired this model"},
	fault.Overloaded:        {503, "UNAVAILABLE", "the upstream is overloaded"},
	fault.Broken:            {502, "INTERNAL", "the upstream failed"},
	fault.Timeout:           {504, "DEADLINE_EXCEEDED", "the upstream took too long"},
	fault.Network:           {502, "UNAVAILABLE", "the upstream could not be reached"},
	fault.Canceled:          {499, "CANCELLED", "the client closed the request"},
}

// statuses are those of google.rpc.Code for the statuses with which an upstream
// refuses a request; any other is an INVALID_ARGUMENT.
var statuses = map[int]string{
	404: "NOT_FOUND", 409: "ABORTED", 410: "NOT_FOUND", 412: "FAILED_PRECONDITION",
}

// tell is the row for f.
func tell(f *fault.Fault) row {
	r := table[fault.Unknown]
	if int(f.Class) < len(table) {
		r = table[f.Class]
	}
	if f.Class == fault.BadRequest && f.Status >= 400 && f.Status < 500 && f.Status != 401 && f.Status != 403 {
		r.http = f.Status
		if s := statuses[f.Status]; s != "" {
			r.status = s
		}
	}
	return r
}

// EncodeError writes {"error":{code,message,status,details}} with an ErrorInfo
// of the domain "portico", a RetryInfo if the wait is known, and a BadRequest
// if a parameter is blamed.
func (*Codec) EncodeError(f *fault.Fault, id string) (int, []byte) {
	return tell(f).http, appendError(nil, f, id)
}

const atType = `{"@type":"type.googleapis.com/google.rpc.`

func appendError(dst []byte, f *fault.Fault, id string) []byte {
	r := tell(f)
	if f.Msg != "" {
		r.say = f.Msg
	}
	dst = strconv.AppendInt(append(dst, `{"error":{"code":`...), int64(r.http), 10)
	dst = jsonedit.Quote(append(dst, `,"message":`...), r.say)
	dst = jsonedit.Quote(append(dst, `,"status":`...), r.status)
	dst = append(dst, `,"details":[`+atType+`ErrorInfo","reason":`...)
	dst = jsonedit.Quote(dst, cause(f))
	dst = append(dst, `,"domain":"portico"`...)
	if id != "" {
		dst = jsonedit.Quote(append(dst, `,"metadata":{"requestId":`...), id)
		dst = append(dst, '}')
	}
	dst = append(dst, '}')
	if f.After > 0 {
		dst = append(dst, `,`+atType+`RetryInfo","retryDelay":"`...)
		dst = append(appendDuration(dst, f.After), `"}`...)
	}
	if f.Param != "" {
		dst = append(dst, `,`+atType+`BadRequest","fieldViolations":[{"field":`...)
		dst = jsonedit.Quote(dst, f.Param)
		dst = jsonedit.Quote(append(dst, `,"description":`...), r.say)
		dst = append(dst, "}]}"...)
	}
	return append(dst, "]}}"...)
}

// cause is the reason of an ErrorInfo: the fault's own code, or its class, in
// the spelling that Google prescribes, [A-Z][A-Z0-9_]+ of at most 63 bytes.
func cause(f *fault.Fault) string {
	s := f.Code
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = f.Class.String()
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), 63)]
}

// appendDuration appends a google.protobuf.Duration, "1.5s", rounded up to
// milliseconds.
func appendDuration(dst []byte, d time.Duration) []byte {
	ms := (d + time.Millisecond - 1).Milliseconds()
	return append(strconv.AppendFloat(dst, float64(ms)/1000, 'f', -1, 64), 's')
}
