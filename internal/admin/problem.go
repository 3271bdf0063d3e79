package admin

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"portico/internal/session"
	"portico/internal/store"
)

// The codes of problems. They stay; the sentences beside them may change.
const (
	CodeUnauthorised = "unauthorized"
	CodeForbidden    = "forbidden"
	CodeTooMany      = "too_many_requests"
	CodeNotFound     = "not_found"
	CodeMethod       = "method_not_allowed"
	CodeMalformed    = "malformed"
	CodeTooLarge     = "too_large"
	CodeMediaType    = "unsupported_media_type"
	CodeTimeout      = "timeout"
	CodeInvalid      = "invalid"
	CodeInternal     = "internal"
	CodeUnavailable  = "unavailable"

	CodeNoAccount   = "account_not_found"
	CodeTaken       = "account_exists"
	CodeDeclared    = "account_declared" // in the configuration file, so it is changed there
	CodeBuiltIn     = "account_built_in"
	CodeKeyRequired = "key_required" // the account would go to another address with its old key
	CodeTestFailed  = "test_failed"  // the account would not serve, so it was not stored
	CodeGone        = "account_gone" // it was not removed just now, so its removal cannot be undone
	CodeNoLogin     = "login_not_found"
	CodeLoginOver   = "login_over"
	CodeNoRequest   = "request_not_found"
	CodeNoKey       = "key_not_found"
	CodeKeyTaken    = "key_exists"
	CodeNoProxy     = "proxy_not_found"
	CodeProxyTaken  = "proxy_exists"
	CodeProxyUsed   = "proxy_in_use"
	CodeNoRule      = "rule_not_found"
	CodeRuleTaken   = "rule_exists"
	CodeLockOut     = "would_lock_out"   // the change would keep out whoever asks for it
	CodeVersion     = "version_mismatch" // it was changed by somebody else meanwhile
	CodeConfig      = "config_invalid"

	CodeNoSession     = "session_not_found"
	CodeNoPassword    = "password_not_set"
	CodeWrongPassword = "wrong_password"
	CodeLaunch        = "launch_invalid" // the code was used, or is over
	CodeProof         = "proof_required" // the act needs the password or the admin token in the same call
)

// allCodes are the codes for the API's description: the list is the promise.
var allCodes = []any{
	CodeUnauthorised, CodeForbidden, CodeTooMany, CodeNotFound, CodeMethod, CodeMalformed, CodeTooLarge, CodeMediaType, CodeTimeout, CodeInvalid, CodeInternal,
	CodeUnavailable, CodeNoAccount, CodeTaken, CodeDeclared, CodeBuiltIn, CodeKeyRequired, CodeTestFailed, CodeGone, CodeNoLogin, CodeLoginOver, CodeNoRequest,
	CodeNoKey, CodeKeyTaken, CodeNoProxy, CodeProxyTaken, CodeProxyUsed, CodeNoRule, CodeRuleTaken, CodeLockOut, CodeVersion, CodeConfig,
	CodeNoSession, CodeNoPassword, CodeWrongPassword, CodeLaunch, CodeProof,
}

// A Problem is an error as the API tells it (RFC 9457).
type Problem struct {
	Title  string  `json:"title" doc:"The status in words."`
	Status int     `json:"status" doc:"The HTTP status."`
	Code   string  `json:"code" doc:"What happened, for programs. It stays the same over versions."`
	Detail string  `json:"detail" doc:"What happened and what to do, for people."`
	Errors []Error `json:"errors,omitzero" doc:"The parts of the request that are wrong."`

	after time.Duration // Retry-After
}

// An Error is one part of a request that is wrong. It does not repeat what was
// sent, which may be a secret.
type Error struct {
	Where string `json:"where,omitzero" doc:"Such as body.limits.rpm or query.limit."`
	Text  string `json:"text"`
}

func problem(status int, code, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// wrong says that one part of a request is wrong.
func wrong(where, text string) *Problem {
	p := problem(http.StatusUnprocessableEntity, CodeInvalid, "a part of the request is wrong")
	p.Errors = []Error{{where, text}}
	return p
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.after > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((p.after+time.Second-1)/time.Second), 10))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="portico admin"`)
	}
	return h
}

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// write answers r with p.
func (p *Problem) write(w http.ResponseWriter, r *http.Request) {
	body, err := json.Marshal(p, inJSON) // the path in it need not be text
	if err != nil {
		body = nil // a Problem has nothing that cannot be written
	}
	h := w.Header()
	maps.Copy(h, p.GetHeaders())
	h.Set("Content-Type", problemType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that has left misses nothing
	}
}

// codes are those of the errors that huma raises itself.
var codes = map[int]string{
	http.StatusBadRequest:            CodeMalformed,
	http.StatusNotFound:              CodeNotFound,
	http.StatusRequestTimeout:        CodeTimeout,
	http.StatusRequestEntityTooLarge: CodeTooLarge,
	http.StatusUnsupportedMediaType:  CodeMediaType,
	http.StatusUnprocessableEntity:   CodeInvalid,
}

func init() {
	// huma makes its own errors through this variable. It is set before any
	// API exists, since its result also documents the errors.
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		code, ok := codes[status]
		if !ok {
			code = CodeInternal
		}
		p := problem(status, code, "%s", msg)
		for _, err := range errs {
			var d huma.ErrorDetailer
			switch {
			case err == nil:
			case errors.As(err, &d):
				e := d.ErrorDetail()
				p.Errors = append(p.Errors, Error{e.Location, e.Message})
			default:
				p.Errors = append(p.Errors, Error{Text: err.Error()})
			}
		}
		return p
	}
}

// Errors of Accounts.
var (
	ErrNotFound = errors.New("there is no such account")
	ErrTaken    = errors.New("the name is taken by another account")
	ErrGone     = errors.New("it was not removed within the last ten seconds, so that nothing of it is left")
)

// Errors of Logins.
var (
	ErrNoLogin    = errors.New("there is no such login; it may have been too long ago")
	ErrLoginOver  = errors.New("the login is over, or has had its answer")
	ErrManyLogins = errors.New("too many logins are under way; finish or cancel one")
)

// Invalid says that an account cannot be as it was asked for, and why.
type Invalid struct{ Err error }

// ErrProxyDeclared: the proxy is one of the configuration file's.
var ErrProxyDeclared = errors.New("the proxy is declared in the configuration file; change it there")

// InUse is the refusal to remove what something else needs.
type InUse struct{ By string }

func (u InUse) Error() string { return "it is in use by " + u.By + "; change that first" }

func (i Invalid) Error() string { return i.Err.Error() }

// Unwrap returns the reason.
func (i Invalid) Unwrap() error { return i.Err }

// told turns an error of what lies behind the API into a problem.
func (a *api) told(err error) error {
	var p *Problem
	var invalid Invalid
	var used InUse
	var busy Busy
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return p
	case errors.As(err, &invalid):
		return problem(http.StatusUnprocessableEntity, CodeInvalid, "%s", invalid.Error())
	case errors.As(err, &busy):
		return problem(http.StatusServiceUnavailable, CodeUnavailable, "%s", busy)
	case errors.Is(err, ErrNotFound):
		return problem(http.StatusNotFound, CodeNoAccount, "%s", err)
	case errors.Is(err, ErrTaken):
		return problem(http.StatusConflict, CodeTaken, "%s", err)
	case errors.Is(err, ErrGone):
		return problem(http.StatusNotFound, CodeGone, "%s", err)
	case errors.Is(err, ErrNoLogin):
		return problem(http.StatusNotFound, CodeNoLogin, "%s", err)
	case errors.Is(err, ErrLoginOver):
		return problem(http.StatusConflict, CodeLoginOver, "%s", err)
	case errors.Is(err, ErrManyLogins):
		return problem(http.StatusServiceUnavailable, CodeUnavailable, "%s", err)
	case errors.Is(err, store.ErrNoKey):
		return problem(http.StatusNotFound, CodeNoKey, "%s", err)
	case errors.Is(err, store.ErrKeyTaken):
		return problem(http.StatusConflict, CodeKeyTaken, "%s", err)
	case errors.Is(err, store.ErrVersion):
		return problem(http.StatusPreconditionFailed, CodeVersion, "%s; read it anew", err)
	case errors.Is(err, session.ErrNone):
		return problem(http.StatusNotFound, CodeNoSession, "%s", err)
	case errors.As(err, &used):
		return problem(http.StatusConflict, CodeProxyUsed, "%s", err)
	case errors.Is(err, store.ErrTooManyProxies):
		return problem(http.StatusUnprocessableEntity, CodeInvalid, "%s", err)
	case errors.Is(err, store.ErrNoProxy):
		return problem(http.StatusNotFound, CodeNoProxy, "%s", err)
	case errors.Is(err, store.ErrProxyTaken):
		return problem(http.StatusConflict, CodeProxyTaken, "%s", err)
	case errors.Is(err, ErrProxyDeclared):
		return problem(http.StatusConflict, CodeDeclared, "%s", err)
	case errors.Is(err, store.ErrNoRule):
		return problem(http.StatusNotFound, CodeNoRule, "%s", err)
	case errors.Is(err, store.ErrRuleTaken):
		return problem(http.StatusConflict, CodeRuleTaken, "%s", err)
	case errors.Is(err, store.ErrCursor):
		return problem(http.StatusBadRequest, CodeMalformed, "%s", err)
	case errors.Is(err, store.ErrTooManyKeys), errors.Is(err, store.ErrTooManyRules):
		return problem(http.StatusUnprocessableEntity, CodeInvalid, "%s", err)
	case errors.Is(err, context.DeadlineExceeded):
		return problem(http.StatusGatewayTimeout, CodeTimeout, "it took too long")
	case errors.Is(err, context.Canceled):
		return problem(http.StatusServiceUnavailable, CodeUnavailable, "the request was given up")
	}
	a.o.Log.Error("the admin API failed", "error", err)
	return problem(http.StatusInternalServerError, CodeInternal, "%s", err)
}
