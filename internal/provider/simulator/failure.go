package simulator

import (
	"encoding/json/jsontext"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A failure is an error to answer with, without any dialect. Those of a played
// fault have no other cause than the script's wish.
type failure struct {
	status  int
	code    string        // the vendor code that was asked for, or codeAbsent, or ""
	param   string        // the member of the request that is to blame, or ""
	message string        //
	retry   time.Duration // how long to wait, 0: not said
}

func (x *failure) Error() string { return x.message }

// codeAbsent marks the simulator's own answer to what it does not have, so
// that it is not taken for an account that lacks a model.
const codeAbsent = "not_found"

// refuse is the refusal of a request, for which param is to blame.
func refuse(param, format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, param: param, message: fmt.Sprintf(format, args...)}
}

// missing is the answer to what the simulator does not have.
func missing(format string, args ...any) *failure {
	return &failure{status: http.StatusNotFound, code: codeAbsent, message: fmt.Sprintf(format, args...)}
}

// failure is the error that m plays; overload is the status that the dialect's
// vendor gives an overload.
func (m *mishap) failure(overload int) *failure {
	x := &failure{status: m.status, code: m.code, retry: m.retry}
	switch m.kind {
	case kindOverloaded:
		x.status = overload
	case kindError:
		x.status = http.StatusInternalServerError
	}
	x.message = "Portico's simulator plays this fault: " + m.text + "."
	if x.retry > 0 {
		x.message += " Please try again in " + x.retry.String() + "."
	}
	return x
}

// openAIKinds are error.type and error.code by status, where they are not
// those of any refused request or any failed server (spec: upstreams §1A.4,
// §4.2).
var openAIKinds = map[int][2]string{
	http.StatusUnauthorized:       {"invalid_request_error", "invalid_api_key"},
	http.StatusPaymentRequired:    {"insufficient_quota", "insufficient_quota"},
	http.StatusForbidden:          {"permission_error", "permission_denied"},
	http.StatusNotFound:           {"invalid_request_error", "model_not_found"},
	http.StatusRequestTimeout:     {"timeout_error", "request_timeout"},
	http.StatusTooManyRequests:    {"rate_limit_error", "rate_limit_exceeded"},
	http.StatusServiceUnavailable: {"server_error", "server_is_overloaded"},
	529:                           {"server_error", "server_is_overloaded"},
	http.StatusGatewayTimeout:     {"timeout_error", "timeout"},
}

// openAICodes are the codes whose type is not the one of the status they come
// with, as in a stream, which has none.
var openAICodes = map[string]string{
	"insufficient_quota": "insufficient_quota", "rate_limit_exceeded": "rate_limit_error",
}

// openAIError is error.type and error.code of x.
func openAIError(x *failure) (kind, code string) {
	kinds, ok := openAIKinds[x.status]
	switch {
	case ok:
		kind, code = kinds[0], kinds[1]
	case x.status >= 500:
		kind, code = "server_error", "server_error"
	default:
		kind = "invalid_request_error"
	}
	if x.code != "" {
		code = x.code
		if k, ok := openAICodes[code]; ok {
			kind = k
		}
	}
	return kind, code
}

// openAIFailure writes x as OpenAI's protocols do.
func openAIFailure(x *failure, _ string) []byte {
	kind, code := openAIError(x)
	return object("error", object("message", x.message, "type", kind, "param", orNull(x.param), "code", orNull(code)))
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// anthropicKinds are error.type by status (spec: upstreams §1C.9).
var anthropicKinds = map[int]string{
	http.StatusUnauthorized: "authentication_error", http.StatusPaymentRequired: "billing_error", http.StatusForbidden: "permission_error",
	http.StatusNotFound: "not_found_error", http.StatusRequestTimeout: "timeout_error", http.StatusConflict: "conflict_error",
	http.StatusRequestEntityTooLarge: "request_too_large", http.StatusTooManyRequests: "rate_limit_error",
	http.StatusGatewayTimeout: "timeout_error", 529: "overloaded_error",
}

// anthropicFailure writes x as Anthropic's protocol does, whole as well as in
// a stream. A code that ends in "_error" is a type there.
func anthropicFailure(x *failure, id string) []byte {
	kind, ok := anthropicKinds[x.status]
	switch {
	case strings.HasSuffix(x.code, "_error"):
		kind = x.code
	case ok:
	case x.status >= 500:
		kind = "api_error"
	default:
		kind = "invalid_request_error"
	}
	return object("type", "error", "error", object("type", kind, "message", x.message,
		"details", given(x.code != "" && kind != x.code, object("error_code", x.code))), "request_id", id)
}

// geminiStates are error.status by status (spec: upstreams §1D.7, and the
// mapping in google/rpc/code.proto).
var geminiStates = map[int]string{
	http.StatusUnauthorized: "UNAUTHENTICATED", http.StatusForbidden: "PERMISSION_DENIED", http.StatusNotFound: "NOT_FOUND",
	http.StatusConflict: "ABORTED", http.StatusPreconditionFailed: "FAILED_PRECONDITION", http.StatusTooManyRequests: "RESOURCE_EXHAUSTED",
	499: "CANCELLED", http.StatusNotImplemented: "UNIMPLEMENTED", http.StatusServiceUnavailable: "UNAVAILABLE",
	http.StatusGatewayTimeout: "DEADLINE_EXCEEDED",
}

// geminiFailure writes x as Google's APIs do. A code in capitals that is a
// status there takes the status's place, any other is a reason.
func geminiFailure(x *failure, _ string) []byte {
	status, details := x.status, []jsontext.Value{}
	state, ok := geminiStates[status]
	switch {
	case ok:
	case status >= 500:
		state = "INTERNAL"
	default:
		state = "INVALID_ARGUMENT"
	}
	if s, ok := geminiByState[x.code]; ok {
		status, state = s, x.code
	} else if x.code != "" {
		details = append(details, object("@type", "type.googleapis.com/google.rpc.ErrorInfo", "reason", x.code, "domain", "simulator.invalid"))
	}
	if x.retry > 0 {
		details = append(details, object("@type", "type.googleapis.com/google.rpc.RetryInfo",
			"retryDelay", strconv.FormatFloat(x.retry.Seconds(), 'f', -1, 64)+"s"))
	}
	return object("error", object("code", status, "message", x.message, "status", state, "details", given(len(details) > 0, details)))
}

// geminiByState are the statuses of the states, in a stream that has none.
var geminiByState = func() map[string]int {
	m := map[string]int{"INTERNAL": 500, "INVALID_ARGUMENT": 400}
	for status, state := range geminiStates {
		m[state] = status
	}
	return m
}()
